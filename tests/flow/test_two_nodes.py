"""Two nodes on one database: what is withdrawn by way of one is refused by both, in the very next answer."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import pytest
from sqlalchemy import text

from fullmakt.client import AsyncMaskinportenClient, Credentials, MaskinportenAuth, TokenRequest, build_grant
from fullmakt.client.grant import grant_form
from fullmakt.infra.database import Database
from fullmakt.kernel.clock import new_uuid, system_clock
from fullmakt.kernel.identifiers import NationalId, OrgNumber
from fullmakt.provider import DecisionClient, DecisionReason
from fullmakt.serve.app import create
from fullmakt.serve.assembly import Assembly, assemble
from fullmakt.serve.settings import Settings
from fullmakt.wire.altinn import attributes as ids
from fullmakt.wire.altinn.attributes import Attribute
from tests.support.world import ClientHandle, World

BASE = "http://localhost:8080"
ISSUER = f"{BASE}/maskinporten/"
SUPPLIERS = f"{BASE}/altinn/accessmanagement/api/v1/enduser/maskinportensuppliers"
ACME, VENDOR = OrgNumber("910753614"), OrgNumber("312044005")
DIRECTOR = NationalId("05895199925")
SCOPE, API = "demo:orders.read", "demo-orders"
WORLD = f"""
[[organisation]]
orgno = "{ACME}"
name = "Acme"
[[organisation]]
orgno = "{VENDOR}"
name = "Vendor"
[[organisation]]
orgno = "310943223"
name = "Owner"
[[person]]
id = "{DIRECTOR}"
name = "Kari"
[[role]]
person = "{DIRECTOR}"
code = "dagl"
organisation = "{ACME}"
[[service_owner]]
code = "ttd"
organisation = "310943223"
name = "Owner"
[[delegation_source]]
issuer = "https://tt02.altinn.no/"
name = "altinn"
[[prefix]]
prefix = "demo"
owner = "310943223"
[[scope]]
name = "{SCOPE}"
description = "Orders"
delegation_source = "https://tt02.altinn.no/"
[[access]]
scope = "{SCOPE}"
consumer = "{ACME}"
[[resource]]
identifier = "{API}"
owner = "ttd"
resourceType = "MaskinportenSchema"
title = "Orders"
description = "Orders"
rightDescription = "Orders"
status = "Active"
scopes = ["{SCOPE}"]
"""


@dataclass(frozen=True)
class Node:
    """A whole Fullmakt, a line to it, and an API that asks its decision point."""

    assembly: Assembly
    http: httpx2.AsyncClient
    decisions: DecisionClient
    vendor: ClientHandle

    async def token(self) -> str:
        """What a fresh grant of the vendor's for Acme comes to: ``token``, or the code of the refusal."""
        credentials = Credentials(ISSUER, self.vendor.client_id, self.vendor.key)
        request = TokenRequest.of(SCOPE, consumer_org=ACME)
        grant = build_grant(credentials, request, audience=ISSUER, now=system_clock(), jti=new_uuid())
        answer = await self.http.post(f"{ISSUER}token", data=grant_form(grant))
        return "token" if answer.status_code == 200 else str(answer.json()["error_uri"]).rpartition("/")[2]

    async def decision(self) -> DecisionReason:
        """May the vendor use the API for Acme?"""
        claims = {"consumer": {"authority": "iso6523-actorid-upis", "ID": f"0192:{VENDOR}"}}
        return (await self.decisions.authorize(claims, "ScopeAccess", API, ACME)).reason

    async def director(self, method: str, path: str = "", **query: Any) -> httpx2.Response:
        """A call of the director's, on Acme's behalf."""
        pid = {"env": "local", "pid": DIRECTOR, "scopes": "altinn:portal/enduser", "authLvl": "4"}
        token = (await self.http.get(f"{BASE}/altinn/testtools/api/GetPersonalToken", params=pid)).text
        acme = Attribute(ids.ORGANISATION, ACME)
        party = (await self.assembly.parties.identify([acme]))[acme].party_uuid
        answer = await self.http.request(
            method,
            f"{SUPPLIERS}{path}",
            params={"party": str(party), "supplier": VENDOR, **query},
            headers={"Authorization": f"Bearer {token}"},
        )
        assert answer.is_success, answer.text
        return answer

    async def delegate(self) -> None:
        await self.director("POST")
        await self.director("POST", "/resources", resource=API)

    async def withdraw(self) -> None:
        await self.director("DELETE", "/resources", resource=API)


@asynccontextmanager
async def node(url: str, state: Path, vendor: ClientHandle, api: ClientHandle) -> AsyncIterator[Node]:
    async with AsyncExitStack() as stack:
        assembly = assemble(Settings.model_validate({"state": state}), url)
        stack.push_async_callback(assembly.stop)
        await assembly.start()
        transport = httpx2.ASGITransport(app=create(assembly), client=("127.0.0.1", 50_000))
        http = await stack.enter_async_context(httpx2.AsyncClient(transport=transport))
        tokens = AsyncMaskinportenClient(Credentials(ISSUER, api.client_id, api.key), http=http)
        auth = MaskinportenAuth(tokens, "altinn:authorization/authorize")
        yield Node(assembly, http, DecisionClient(f"{BASE}/altinn/authorization", auth=auth, http=http), vendor)


@pytest.fixture
async def nodes(database_url: str, database: Database, tmp_path: Path) -> AsyncIterator[list[Node]]:
    world = World(database, tmp_path / "world")
    await world.apply(WORLD)
    vendor = await world.client("vendor", org=VENDOR, scopes=[SCOPE], granted=False)
    api = await world.client("api", org="310943223", scopes=["altinn:authorization/authorize"])
    async with AsyncExitStack() as stack:
        yield [await stack.enter_async_context(node(database_url, tmp_path, vendor, api)) for _ in range(2)]


async def both(nodes: list[Node]) -> list[tuple[str, str]]:
    """What each node's token server and decision point say, one after the other."""
    return [(await one.token(), str(await one.decision())) for one in nodes]


YES, NO = ("token", "permitted"), ("MP-251", "no_right")


async def test_what_is_withdrawn_at_one_node_is_refused_by_both_at_once(nodes: list[Node]) -> None:
    first, second = nodes
    assert await both(nodes) == [NO, NO]
    for _ in range(3):
        await first.delegate()
        assert await both([second, first]) == [YES, YES]
        await second.withdraw()
        assert await both(nodes) == [NO, NO]


async def test_nobody_gets_a_yes_after_the_withdrawal_however_many_ask_meanwhile(nodes: list[Node]) -> None:
    """Askers at both nodes, all the time; each notes whether the withdrawal was over before it began to ask."""
    await nodes[0].delegate()
    over = asyncio.Event()
    noted: list[tuple[bool, str]] = []

    async def keep_asking(ask: Callable[[], Any]) -> None:
        refused = 0
        while refused < 3:
            began_after, said = over.is_set(), str(await ask())
            noted.append((began_after, said))
            refused += began_after

    async def withdraw() -> None:
        while not {said for _, said in noted} >= {*YES}:
            await nodes[0].decision()
        await nodes[1].withdraw()
        over.set()

    async with asyncio.TaskGroup() as group:
        for one in nodes:
            group.create_task(keep_asking(one.token))
            group.create_task(keep_asking(one.decision))
        group.create_task(withdraw())
    assert {said for after, said in noted if after} == {*NO}
    assert {said for after, said in noted if not after} >= {*YES}


async def test_a_token_under_way_when_the_delegation_goes_is_not_handed_out(
    nodes: list[Node], database: Database
) -> None:
    """Both nodes have decided, and wait to have it written down: what they decided on is gone by then."""
    await nodes[0].delegate()
    assert [await one.token() for one in nodes] == ["token", "token"]
    async with asyncio.TaskGroup() as group, database.transaction() as holding:
        await holding.execute(text("LOCK TABLE tokens.used_grant IN EXCLUSIVE MODE"))
        under_way = [group.create_task(one.token()) for one in nodes]
        while await _waiting(database) < len(nodes):
            assert not any(task.done() for task in under_way)
        await nodes[0].withdraw()
    assert [task.result() for task in under_way] == ["MP-251", "MP-251"]
    async with database.transaction() as connection:
        trail = await connection.execute(
            text("SELECT reason FROM audit.event WHERE action = 'token:issue' AND actor <> '' ORDER BY id DESC LIMIT 2")
        )
        assert [row.reason for row in trail] == ["not_delegated", "not_delegated"]


async def _waiting(database: Database) -> int:
    """How many wait for the table."""
    async with database.transaction() as connection:
        found = await connection.execute(
            text(
                "SELECT count(*) FROM pg_locks JOIN pg_database ON pg_database.oid = pg_locks.database"
                " WHERE datname = current_database() AND relation = 'tokens.used_grant'::regclass AND NOT granted"
            )
        )
        return int(found.scalar_one())

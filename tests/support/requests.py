"""A small world for requests: a person, organisations, a service owner, and the routes over the real services."""

from __future__ import annotations

import datetime as dt
from typing import Any

import httpx2
from sqlalchemy import text

from fullmakt.altinn.delegations.requests.documents import Urls
from fullmakt.altinn.delegations.requests.http import altinn2_app, routes
from fullmakt.altinn.delegations.requests.service import RequestsService
from fullmakt.altinn.delegations.service import DelegationsService
from fullmakt.infra.altinn import HANDLERS
from fullmakt.infra.database import Database
from fullmakt.infra.http import SystemEdge, routed
from fullmakt.kernel.clock import FixedClock, new_uuid
from fullmakt.wire.altinn import attributes as ids
from fullmakt.wire.altinn.attributes import Attribute
from fullmakt.wire.altinn.parties import HeldRights, PartyIdentity
from tests.support.delegations import FakeAuthority, FakeCallers, FakePackages, FakeParties, FakeResources

NOW = dt.datetime(2026, 11, 21, 12, 0, tzinfo=dt.UTC)
OWNER, OTHER_OWNER = "974761076", "889640782"
API, PAGES, ALTINN2 = "https://platform.test/accessmanagement", "https://am.test", "https://altinn2.test"
ENDUSER = "/api/v1/enduser/request"
OWNERS = "/api/v1/serviceowner/delegationrequests"
OLD = "/api/serviceowner/delegationrequests"
RESOURCE = "nav_sykmelding"
SCHEMA = "skd-scope-schema"
PACKAGE = "regnskap"


class RequestsWorld:
    """``kari`` works for ``company``, where ``boss`` decides; ``vendor``'s APIs are seen to by ``vera``.

    ``skd`` and ``nav`` are service owners' tokens; a person's token is the person's name in lower case.
    """

    def __init__(self, database: Database) -> None:
        self.database = database
        self.clock = FixedClock(NOW)
        self.parties = FakeParties()
        self.resources = FakeResources()
        self.packages = FakePackages()
        self.authority = FakeAuthority()
        self.callers = FakeCallers()
        self.skd = self.parties.organisation(OWNER, "Skatteetaten")
        self.company = self.parties.organisation("910753614", "Øvre Toten Regnskap")
        self.vendor = self.parties.organisation("991825827", "Smart Sky")
        self.kari = self.parties.person("05895199925", "Kari Nordmann")
        self.boss = self.parties.person("24907999889", "Sjef Sjefsen")
        self.vera = self.parties.person("17865599978", "Vera Vaktsom")
        many = tuple(f"action-{number}" for number in range(205))
        self.resources.add(RESOURCE, resource_type="GenericAccessResource", actions=("read", "write", *many))
        more = tuple(f"a{number}" for number in range(103))
        self.resources.add("se_5120_1", resource_type="Altinn2Service", actions=("read", "write", *more))
        self.resources.add(SCHEMA, "skd:innkreving")
        self.packages.add(PACKAGE)
        self.authority.permit(self.boss, RESOURCE, self.company, "read", "write")
        self.authority.permit(self.boss, "se_5120_1", self.company, "read", "write")
        self.authority.permit(self.boss, SCHEMA, self.company, "ScopeAccess")
        for who, party in ((self.kari, self.kari), (self.boss, self.company), (self.vera, self.vendor)):
            self.authority.permit(who, "altinn_access_management", party, "read", "write")
        self.connect(self.kari, self.company)
        package = frozenset({Attribute(ids.ACCESS_PACKAGE, PACKAGE)})
        self.parties.hold(self.boss, self.company, HeldRights(packages=package))
        for token, who in (("kari", self.kari), ("boss", self.boss), ("vera", self.vera)):
            self.callers.person(token, who, "altinn:portal/enduser")
        scopes = ("altinn:serviceowner/delegationrequests.read", "altinn:serviceowner/delegationrequests.write")
        self.callers.organisation("skd", OWNER, *scopes)
        self.callers.organisation("nav", OTHER_OWNER, *scopes)
        self.delegations = DelegationsService(
            database, self.clock, new_uuid, resources=self.resources, parties=self.parties
        )
        self.service = RequestsService(
            self.delegations, parties=self.parties, resources=self.resources, packages=self.packages,
            authority=self.authority,
        )  # fmt: skip
        urls = Urls(API, PAGES, ALTINN2)
        app = routed(routes(self.service, self.callers, urls), HANDLERS)
        self.http = httpx2.AsyncClient(
            transport=httpx2.ASGITransport(app=SystemEdge(app)), base_url="https://platform.test"
        )
        old = altinn2_app(self.service, self.callers, urls)
        self.old_http = httpx2.AsyncClient(transport=httpx2.ASGITransport(app=old), base_url=ALTINN2)

    def connect(self, holder: PartyIdentity, party: PartyIdentity) -> None:
        """Let the holder have a role that gives nothing of what is asked for."""
        self.parties.hold(holder, party, HeldRights(roles=frozenset({Attribute(ids.ROLE_CODE, "medl")})))

    async def send(self, token: str | None, method: str, path: str, **more: Any) -> httpx2.Response:
        """A request with the token; the path tells which generation is meant."""
        headers = {**more.pop("headers", {}), **({"Authorization": f"Bearer {token}"} if token else {})}
        client = self.old_http if path.startswith(OLD) else self.http
        return await client.request(method, path, headers=headers, **more)

    async def drafted(self, **changes: Any) -> str:
        """The id of a draft by ``skd`` for Kari."""
        body = {"from": person(self.kari), "to": organisation(self.company), "resource": RESOURCE, **changes}
        answer = await self.send("skd", "POST", f"{OWNERS}/resource", json=body)
        assert answer.status_code == 202, answer.text
        return str(answer.json()["id"])

    async def asked(self, **changes: Any) -> str:
        """The id of a request that Kari has sent."""
        query = {"party": self.kari.party_uuid, "to": self.company.party_uuid, "resource": RESOURCE, **changes}
        answer = await self.send("kari", "POST", f"{ENDUSER}/resource", params=query)
        assert answer.status_code == 200, answer.text
        return str(answer.json()["id"])

    async def move(self, token: str, what: str, request_id: str, party: PartyIdentity, **more: Any) -> httpx2.Response:
        """``PUT`` one of ``draft/confirm``, ``sent/withdraw``, ``received/approve``, ``received/reject``."""
        query = {"party": party.party_uuid, "id": request_id}
        return await self.send(token, "PUT", f"{ENDUSER}/{what}", params=query, **more)

    async def status_of(self, request_id: str) -> str:
        """The status as it is kept."""
        async with self.database.transaction() as connection:
            found = await connection.execute(
                text("SELECT status FROM delegations.request WHERE request_id = :id"), {"id": request_id}
            )
            return str(found.scalar_one())

    async def audited(self, prefix: str = "") -> list[tuple[str, str, str, str]]:
        """Action, outcome, reason and actor of every event whose action begins with ``prefix``."""
        async with self.database.transaction() as connection:
            rows = await connection.execute(
                text("SELECT action, outcome, reason, actor FROM audit.event WHERE action LIKE :like ORDER BY id"),
                {"like": f"{prefix}%"},
            )
            return [(row.action, row.outcome, row.reason, row.actor) for row in rows]

    async def close(self) -> None:
        """Let go."""
        await self.http.aclose()
        await self.old_http.aclose()


def person(who: PartyIdentity) -> str:
    """A person by number."""
    return f"{ids.PERSON}:{who.national_id}"


def organisation(who: PartyIdentity) -> str:
    """An organisation by number."""
    return f"{ids.ORGANISATION}:{who.orgno}"


def codes(answer: httpx2.Response) -> list[str]:
    """The validation codes in a 400."""
    assert answer.status_code == 400, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    document = answer.json()
    assert document["code"] == "STD-00000"
    return [fault["code"] for fault in document["validationErrors"]]

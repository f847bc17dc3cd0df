"""SRR over ASGI: two service owners with a service or two each, and their API keys and tokens."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import Any

import httpx2
from sqlalchemy import text
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response

from fullmakt.altinn.consents.altinn2.callers import Door
from fullmakt.altinn.consents.altinn2.errors import NotAdmittedError, NotAuthenticatedError
from fullmakt.altinn.consents.keys.model import ApiKeyDeclaration
from fullmakt.altinn.consents.keys.service import ApiKeys
from fullmakt.altinn.consents.srr.http import HANDLERS as SRR_HANDLERS
from fullmakt.altinn.consents.srr.http import routes
from fullmakt.altinn.consents.srr.model import ServiceKey
from fullmakt.altinn.consents.srr.service import SrrService
from fullmakt.altinn.consents.srr.services import Services
from fullmakt.infra.altinn import HANDLERS
from fullmakt.infra.database import Database
from fullmakt.infra.http import SystemEdge
from fullmakt.kernel.clock import FixedClock, new_uuid
from fullmakt.kernel.identifiers import OrgNumber
from fullmakt.wire.altinn.resource_registry import ResourceType
from tests.support.access_lists import DIGDIR, SKD, Callers, Registry, caller, resource

NOW = dt.datetime(2026, 11, 21, 12, tzinfo=dt.UTC)
URL = "https://altinn2.test"
SRR = "/api/serviceowner/srr"
BANK, SHOP, PERSON = "910753614", "312044005", "05895199925"
SUPPLIER = "310943223"
LOAN = ServiceKey("5498", 1)
SCOPES = ("altinn:serviceowner/srr.read", "altinn:serviceowner/srr.write")
SECRETS = {
    "owner": "6f1f6f1e-4a55-4d5e-9d2c-0d4c0f6a3b11",
    "tax": "7f1f6f1e-4a55-4d5e-9d2c-0d4c0f6a3b11",
    "bank": "8f1f6f1e-4a55-4d5e-9d2c-0d4c0f6a3b11",
}
CONDITION = {
    "HandledBy": SUPPLIER,
    "KeepSessionAlive": True,
    "AllowedRedirectDomain": ["*.bank.example", "https://www.bank.example", "myapp://consent"],
}


def consent(identifier: str, owner: str = "digdir", orgno: OrgNumber = DIGDIR) -> Any:
    """A resource of type Consent."""
    return replace(resource(identifier, owner, orgno), resource_type=str(ResourceType.CONSENT))


def entry(reportee: str = BANK, **changes: Any) -> dict[str, Any]:
    """An entry to be added; None leaves a member out."""
    document = {
        "ServiceCode": "5498",
        "ServiceEditionCode": 1,
        "Reportee": reportee,
        "Right": "Read",
        "ValidTo": "2030-01-01T00:00:00+01:00",
        **changes,
    }
    return {name: value for name, value in document.items() if value is not None}


async def _not_admitted(_request: Request, _error: Exception) -> Response:
    return Response(status_code=403)


async def _not_known(_request: Request, _error: Exception) -> Response:
    return Response(status_code=401)


class SrrWorld:
    """Digdir owns 5498/1 and 5499/1, the tax authority 4629/2; ``loan`` is no service of anybody's yet."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.clock = FixedClock(NOW)
        registry = Registry(
            consent("digdir_5498_1"),
            consent("digdir_5499_1"),
            consent("skd_4629_2", "skd", SKD),
            consent("digdir_77_1"),
            consent("skd_77_1", "skd", SKD),
            consent("loan"),
            resource("digdir_5500_1"),
        )
        self.keys = ApiKeys(database, self.clock, new_uuid)
        self.services = Services(database, self.clock, registry)
        self.service = SrrService(database, self.clock, self.services)
        callers = Callers(
            owner=caller(DIGDIR, *SCOPES),
            reader=caller(DIGDIR, SCOPES[0]),
            everything=caller(DIGDIR, "altinn:serviceowner"),
            tax=caller(SKD, *SCOPES),
            bank=caller(OrgNumber(BANK), *SCOPES),
            nobody=caller(DIGDIR, "altinn:consentrequests.write"),
        )
        handlers = {**HANDLERS, **SRR_HANDLERS, NotAdmittedError: _not_admitted, NotAuthenticatedError: _not_known}
        app = Starlette(routes=routes(self.service, Door(self.keys, callers), URL), exception_handlers=handlers)
        self.app = SystemEdge(app)
        self.http = httpx2.AsyncClient(transport=httpx2.ASGITransport(app=self.app), base_url=URL)

    async def begin(self) -> SrrWorld:
        """Give the owners, and the bank, an API key each."""
        await self.keys.declare(ApiKeyDeclaration("owner", DIGDIR, service_owner=True), secret=SECRETS["owner"])
        await self.keys.declare(ApiKeyDeclaration("tax", SKD, service_owner=True), secret=SECRETS["tax"])
        await self.keys.declare(ApiKeyDeclaration("bank", OrgNumber(BANK)), secret=SECRETS["bank"])
        return self

    async def send(self, who: str, method: str, path: str = SRR, *, key: str | None = None, **more: Any) -> Any:
        """One call with a token and an API key; ``key`` is another than the caller's own."""
        headers = {"Accept": "application/json", "Authorization": f"Bearer {who}", **more.pop("headers", {})}
        headers |= {"ApiKey": SECRETS[key or ({"tax": "tax", "bank": "bank"}.get(who, "owner"))]}
        return await self.http.request(method, path, headers=headers, **more)

    async def add(self, *entries: dict[str, Any], who: str = "owner") -> list[dict[str, Any]]:
        answer = await self.send(who, "POST", json=list(entries))
        assert answer.status_code == 200, answer.text
        return list(answer.json())

    async def listed(self, who: str = "owner", **query: Any) -> Any:
        asked = {"serviceCode": "5498", "serviceEditionCode": 1, **query}
        return (await self.send(who, "GET", params=asked)).json()

    async def told(self) -> list[Any]:
        statement = (
            "SELECT action, outcome, reason, actor, subject FROM audit.event WHERE action LIKE 'srr:%' ORDER BY id"
        )
        async with self.database.transaction() as connection:
            return [tuple(row) for row in await connection.execute(text(statement))]


async def many_entries(world: SrrWorld, number: int) -> None:
    """Let the service 5498/1 have these many entries and no other, of reportees 000000001 and on."""
    await world.add(entry())
    async with world.database.transaction() as connection:
        await connection.execute(text("DELETE FROM consents.srr_entry WHERE resource = 'digdir_5498_1'"))
        made = (
            'INSERT INTO consents.srr_entry (resource, reportee, "right", valid_to, created, changed)'
            " SELECT 'digdir_5498_1', lpad(n::text, 9, '0'), 'Read', :at, :at, :at FROM generate_series(1, :number) n"
        )
        await connection.execute(text(made), {"at": NOW, "number": number})

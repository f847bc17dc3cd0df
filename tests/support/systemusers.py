"""Systems in process: a registry and packages that hold what a test puts into them, and callers by name."""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Collection
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID

import httpx2
from sqlalchemy import text

from fullmakt.altinn.systemusers.register import rules
from fullmakt.altinn.systemusers.register.http import routes
from fullmakt.altinn.systemusers.register.ports import Packages
from fullmakt.altinn.systemusers.register.service import RegisterService
from fullmakt.infra.altinn import HANDLERS
from fullmakt.infra.database import Database
from fullmakt.infra.http import SystemEdge, routed
from fullmakt.kernel.clock import FixedClock
from fullmakt.kernel.identifiers import OrgNumber
from fullmakt.wire.altinn.callers import Caller
from fullmakt.wire.altinn.resources import RegisteredResource
from tests.support import access_lists
from tests.support.access_lists import Callers, caller
from tests.support.delegations import FakePackages

START = dt.datetime(2026, 1, 5, 10, 11, 12, 345000, tzinfo=dt.UTC)
REGISTER = "/api/v1/systemregister"
VENDOR, OTHER = OrgNumber("991825827"), OrgNumber("310000002")
SYSTEM = f"{VENDOR}_smartcloud"
TEXTS = {"nb": "SmartSky", "nn": "SmartSky", "en": "SmartCloud"}

CALLERS = {
    "vendor": replace(caller(VENDOR, rules.WRITE_SCOPE), client_id="vendor-client"),
    "other": caller(OTHER, rules.WRITE_SCOPE),
    "admin": caller(OTHER, rules.ADMIN_SCOPE),
    "portal": Caller(frozenset({rules.CATALOGUE_SCOPE}), party_uuid=UUID(int=7), user_id=7),
    "nobody": caller(VENDOR, "altinn:authentication/systemuser.request.write"),
    "person": Caller(frozenset({rules.WRITE_SCOPE}), party_uuid=UUID(int=7), user_id=7),
}


def right(identifier: str, action: str | None = None) -> dict[str, Any]:
    """A right to a resource, as it is sent."""
    resource = [{"id": "urn:altinn:resource", "value": identifier}]
    return {"resource": resource} if action is None else {"action": action, "resource": resource}


def package(name: str) -> dict[str, str]:
    """An access package, as it is sent."""
    return {"urn": f"urn:altinn:accesspackage:{name}"}


def definition(called: str = "smartcloud", /, *, owner: str = VENDOR, **changes: Any) -> dict[str, Any]:
    """A definition that breaks no rule; ``changes`` replace members, None takes one out."""
    document: dict[str, Any] = {
        "id": f"{owner}_{called}",
        "vendor": {"authority": "iso6523-actorid-upis", "ID": f"0192:{owner}"},
        "name": TEXTS,
        "description": {"nb": "Regnskap", "nn": "Rekneskap", "en": "Accounts"},
        "rights": [right("krav", "read")],
        "accessPackages": [package("skatt")],
        "clientId": [f"client-of-{called}"],
        "allowedRedirectUrls": ["https://smartcloud.example/receipt"],
        "isVisible": True,
        **changes,
    }
    return {member: value for member, value in document.items() if value is not None}


class Registry:
    """Resources by identifier, all of them for system users until a test says otherwise."""

    def __init__(self) -> None:
        self._resources: dict[str, RegisteredResource] = {}
        for identifier in ("krav", "melding", "app_ttd_endring"):
            self.add(identifier)
        self.add("api", resource_type="MaskinportenSchema")
        self.add("kept", delegable=False)

    def add(self, identifier: str, **changes: Any) -> None:
        """Let there be a resource."""
        self._resources[identifier] = replace(access_lists.resource(identifier), **changes)

    async def resources(self, identifiers: Collection[str]) -> dict[str, RegisteredResource]:
        return {each: self._resources[each] for each in identifiers if each in self._resources}


def packages() -> FakePackages:
    """One package of each kind: for standard system users, for agents alone, for neither."""
    known = FakePackages()
    known.add("skatt")
    known.add("moms")
    known.add("for-kunder", assignable=False)
    known.add("for-ingen", delegable=False, assignable=False)
    return known


@dataclass
class RegisterSetting:
    """Everything that a test of the system register needs."""

    database: Database
    clock: FixedClock = field(default_factory=lambda: FixedClock(START))
    registry: Registry = field(default_factory=Registry)
    packages: Packages = field(default_factory=packages)

    def __post_init__(self) -> None:
        ids = itertools.count(1)
        self.service = RegisterService(
            self.database,
            self.clock,
            lambda: str(UUID(int=next(ids))),
            resources=self.registry,
            packages=self.packages,
        )

    def client(self, who: str | None = "vendor") -> httpx2.AsyncClient:
        """A client that calls as one of ``CALLERS``, as somebody unknown, or as nobody at all."""
        served = routed(routes(self.service, Callers(**CALLERS)), HANDLERS)
        return httpx2.AsyncClient(
            transport=httpx2.ASGITransport(app=SystemEdge(served), raise_app_exceptions=False),
            base_url="http://authentication.test",
            headers={"Authorization": f"Bearer {who}"} if who else {},
        )

    async def register(self, called: str = "smartcloud", /, **changes: Any) -> UUID:
        """Let the vendor have a system."""
        async with self.client() as client:
            answer = await client.post(f"{REGISTER}/vendor", json=definition(called, **changes))
        assert answer.status_code == 200, answer.text
        return UUID(answer.json())

    async def told(self) -> list[tuple[str, str, str, str, str]]:
        """What the audit trail says: action, outcome, reason, actor and subject of each event."""
        return await self._rows("SELECT action, outcome, reason, actor, subject FROM audit.event ORDER BY id")

    async def announced(self) -> list[tuple[int, str]]:
        """The versions and keys that the feed tells of."""
        return await self._rows(
            "SELECT version, key FROM feed.change WHERE topic = 'altinn.systemusers' ORDER BY version, key"
        )

    async def _rows(self, statement: str) -> list[Any]:
        async with self.database.transaction() as connection:
            return [tuple(row) for row in await connection.execute(text(statement))]


def codes(answer: httpx2.Response) -> list[str]:
    """The numbers of the rules that an answer says are broken."""
    assert answer.status_code == 400, answer.text
    body = answer.json()
    assert body["code"] == "STD-00000"
    return [fault["code"].removeprefix("AUTH.VLD-000") for fault in body["validationErrors"]]

"""Access management over ASGI, with true fakes for neighbours."""

from __future__ import annotations

import datetime as dt
from types import TracebackType
from typing import Any, Self

import httpx2

from fullmakt.altinn.delegations.declarations import Declarations
from fullmakt.altinn.delegations.http import AccessManagement, app
from fullmakt.altinn.delegations.service import DelegationsService
from fullmakt.infra.database import Database
from fullmakt.kernel.clock import FixedClock, new_uuid
from fullmakt.kernel.identifiers import OrgNumber
from fullmakt.wire.altinn.parties import PartyIdentity
from tests.support.delegations import FakeAuthority, FakeCallers, FakePackages, FakeParties, FakeResources

NOW = dt.datetime(2026, 5, 4, 10, 0, tzinfo=dt.UTC)


class Scene:
    """The system, its neighbours, and a client to it."""

    def __init__(self, database: Database, at: dt.datetime = NOW) -> None:
        self.database = database
        self.clock = FixedClock(at)
        self.parties = FakeParties()
        self.resources = FakeResources()
        self.authority = FakeAuthority()
        self.packages = FakePackages()
        self.callers = FakeCallers()
        self.package_owners: dict[OrgNumber, frozenset[str]] = {}
        self.service = DelegationsService(
            database, self.clock, new_uuid, resources=self.resources, parties=self.parties
        )
        self.declared = Declarations(self.service, parties=self.parties, resources=self.resources)
        self.system = AccessManagement(
            service=self.service,
            parties=self.parties,
            resources=self.resources,
            authority=self.authority,
            packages=self.packages,
            callers=self.callers,
            package_owners=self.package_owners,
        )
        transport = httpx2.ASGITransport(app=app(self.system))
        self.client = httpx2.AsyncClient(transport=transport, base_url="http://altinn.test")

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.client.aclose()

    async def get(self, token: str, path: str, **query: str) -> httpx2.Response:
        """Read something."""
        return await self.client.get(path, params=query, headers=_bearer(token))

    async def delete(self, token: str, path: str, **query: str) -> httpx2.Response:
        """Remove something."""
        return await self.client.delete(path, params=query, headers=_bearer(token))

    async def post(
        self, token: str, path: str, body: Any = None, *, headers: Any = None, **query: str
    ) -> httpx2.Response:
        """Send something."""
        return await self._send("POST", token, path, body, headers, query)

    async def put(self, token: str, path: str, body: Any = None, **query: str) -> httpx2.Response:
        """Put something."""
        return await self._send("PUT", token, path, body, None, query)

    async def _send(
        self, method: str, token: str, path: str, body: Any, headers: dict[str, str] | None, query: dict[str, str]
    ) -> httpx2.Response:
        content = {} if body is None else {"content": body} if isinstance(body, bytes) else {"json": body}
        all_headers = {**_bearer(token), **(headers or {})}
        return await self.client.request(method, path, params=query, headers=all_headers, **content)

    def administrator(self, token: str, person: PartyIdentity, party: PartyIdentity, *scopes: str) -> None:
        """Let ``person`` call with ``token`` and manage ``party``'s delegations of every kind."""
        self.callers.person(token, person, *(scopes or ("altinn:portal/enduser",)))
        for resource in ("altinn_maskinporten_scope_delegation", "altinn_access_management"):
            self.authority.permit(person, resource, party, "read", "write")


def _bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}

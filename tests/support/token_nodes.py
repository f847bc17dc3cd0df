"""Token servers on a real database, any number of them, as so many processes would be."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx2
from prometheus_client import CollectorRegistry
from sqlalchemy import text

from fullmakt.infra.crl import CrlSource
from fullmakt.infra.database import Database
from fullmakt.infra.secrets import MasterKey
from fullmakt.jose.chains import TrustAnchors
from fullmakt.kernel.clock import Clock, FixedClock
from fullmakt.maskinporten.selfservice.registry import PostgresRegistry
from fullmakt.maskinporten.tokens.certificates import Certificates
from fullmakt.maskinporten.tokens.config import TokensConfig
from fullmakt.maskinporten.tokens.delegation_cache import DelegationCache
from fullmakt.maskinporten.tokens.http import app
from fullmakt.maskinporten.tokens.ledger import Ledger
from fullmakt.maskinporten.tokens.metrics import TokenMetrics
from fullmakt.maskinporten.tokens.ports import Anchors, Consents, Delegations, Registry, SystemUsers
from fullmakt.maskinporten.tokens.registry_cache import RegistryCache
from fullmakt.maskinporten.tokens.service import TokenService
from fullmakt.maskinporten.tokens.signing import SigningKeys
from fullmakt.maskinporten.tokens.system_user_cache import SystemUserCache
from fullmakt.pki.http import app as pki_app
from fullmakt.pki.service import Pki
from fullmakt.wire.maskinporten.grant import GRANT_TYPE
from tests.support.tokens import ISSUER, NOW, key_number

MASTER_KEY = MasterKey(bytes(32))
PKI_URL = "http://pki.test"
FORM = {"content-type": "application/x-www-form-urlencoded"}


class NoAnchors:
    """Trusts nobody."""

    async def anchors(self) -> TrustAnchors:
        """As the port has it."""
        return TrustAnchors(())


@dataclass(frozen=True, slots=True)
class Node:
    """One token server, and HTTP to it."""

    service: TokenService
    cache: RegistryCache
    signing_keys: SigningKeys
    http: httpx2.AsyncClient
    database: Database

    async def post(self, assertion: str, **fields: str) -> httpx2.Response:
        """Ask for a token."""
        return await self.http.post("/token", data={"grant_type": GRANT_TYPE, "assertion": assertion, **fields})


@asynccontextmanager
async def node(
    database_url: str,
    *,
    clock: Clock | None = None,
    anchors: Anchors | None = None,
    crls: httpx2.AsyncBaseTransport | None = None,
    registry: Registry | None = None,
    delegations: Delegations | None = None,
    system_users: SystemUsers | None = None,
    consents: Consents | None = None,
    patience: float = 5.0,
    **settings: Any,
) -> AsyncIterator[Node]:
    """A started token server with connections of its own; ``settings`` are those of ``TokensConfig``."""
    config = TokensConfig(issuer=ISSUER, **settings)
    clock = clock or FixedClock(NOW)
    async with AsyncExitStack() as stack:
        database = Database(database_url)
        stack.push_async_callback(database.close)
        own_registry = PostgresRegistry(database)
        stack.push_async_callback(own_registry.close)
        crl_client = await stack.enter_async_context(httpx2.AsyncClient(transport=crls))
        keys = SigningKeys(database, MASTER_KEY, clock, config)
        cache = RegistryCache(registry or own_registry, config.cached_clients, patience=patience)
        service = TokenService(
            config,
            cache,
            Ledger(database, max_queue=config.max_queue, patience=patience),
            keys,
            Certificates(anchors or NoAnchors(), CrlSource(crl_client, clock, config.crl_max_age), config),
            clock,
            DelegationCache(delegations, registry or own_registry, cache, config.cached_clients)
            if delegations
            else None,
            SystemUserCache(system_users, config.cached_clients, patience=patience) if system_users else None,
            consents,
        )
        stack.push_async_callback(service.stop)
        await service.start()
        transport = httpx2.ASGITransport(app=app(service, TokenMetrics(CollectorRegistry())))
        http = await stack.enter_async_context(httpx2.AsyncClient(transport=transport, base_url=ISSUER))
        yield Node(service, cache, keys, http, database)


async def set_up_pki(database: Database, clock: Clock) -> tuple[Pki, httpx2.AsyncBaseTransport]:
    """A PKI that is set up, and the way to its CRLs."""
    numbers = iter(range(100, 1_000))
    pki = Pki(database, clock, MASTER_KEY, PKI_URL, new_key=lambda: key_number(next(numbers)))
    await pki.ensure()
    return pki, httpx2.ASGITransport(app=pki_app(pki))


async def events(database: Database, trace_id: str | None = None) -> Sequence[Mapping[str, Any]]:
    """What the token endpoint wrote in the audit trail, oldest first; of one trace, or all."""
    async with database.transaction() as connection:
        rows = await connection.execute(
            text(
                "SELECT outcome, reason, trace_id, actor, subject, facts FROM audit.event"
                " WHERE action = 'token:issue' AND (CAST(:trace_id AS text) IS NULL OR trace_id = :trace_id)"
                " ORDER BY id"
            ),
            {"trace_id": trace_id},
        )
        return [dict(row) for row in rows.mappings()]


async def used_grants(database: Database) -> int:
    """How many grants are claimed."""
    async with database.transaction() as connection:
        return int((await connection.execute(text("SELECT count(*) FROM tokens.used_grant"))).scalar_one())


def body_of(response: httpx2.Response) -> dict[str, Any]:
    """The JSON object in a response."""
    document = json.loads(response.content)
    assert isinstance(document, dict)
    return document

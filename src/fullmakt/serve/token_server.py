"""Puts the token server together, and says which Altinn it asks: the one in our own database, or another program."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import httpx2

from fullmakt.infra.database import Database
from fullmakt.infra.secrets import MasterKey
from fullmakt.jose.multi_buffer import MultiBuffer, MultiBufferUnavailableError
from fullmakt.kernel.clock import Clock
from fullmakt.maskinporten.selfservice.registry import PostgresRegistry
from fullmakt.maskinporten.tokens.certificates import Certificates
from fullmakt.maskinporten.tokens.config import TokensConfig
from fullmakt.maskinporten.tokens.delegation_cache import DelegationCache
from fullmakt.maskinporten.tokens.distant_altinn import DistantAltinn, OwnToken
from fullmakt.maskinporten.tokens.distant_consents import DistantConsents
from fullmakt.maskinporten.tokens.distant_system_users import DistantSystemUsers
from fullmakt.maskinporten.tokens.key_ring import KeyRing
from fullmakt.maskinporten.tokens.ledger import Ledger
from fullmakt.maskinporten.tokens.ports import Consents, Delegations, SystemUsers
from fullmakt.maskinporten.tokens.registry_cache import RegistryCache
from fullmakt.maskinporten.tokens.service import TokenService
from fullmakt.maskinporten.tokens.signing import SigningKeys
from fullmakt.maskinporten.tokens.system_user_cache import SystemUserCache
from fullmakt.serve.altinn import Registers
from fullmakt.serve.neighbours import DelegatedScopes
from fullmakt.serve.settings import Settings
from fullmakt.wire.altinn import consents as consents_wire
from fullmakt.wire.altinn.systemusers import LOOK_UP_SCOPE, VIRKSYS_SCOPE


@dataclass(frozen=True, slots=True)
class TokenServer:
    """The token server, wired and not yet started, and those it asks. ``system_users`` and ``consents`` are None where
    nobody keeps any; ``no_multi_buffer`` tells why tokens are signed one by one, where they need not be."""

    service: TokenService
    signing_keys: SigningKeys
    registry: PostgresRegistry
    delegated: Delegations
    system_users: SystemUsers | None
    consents: Consents | None
    no_multi_buffer: str | None


@dataclass(frozen=True, slots=True)
class _DistantAltinn:
    """An Altinn that is another program, asked on tokens of the token server's own."""

    settings: Settings
    database: Database
    clock: Clock
    http: httpx2.AsyncClient
    ring: Callable[[], KeyRing]

    def delegations(self, url: str) -> DistantAltinn:
        return DistantAltinn(url.rstrip("/"), self.http, self._token())

    def system_users(self, url: str) -> DistantSystemUsers:
        return DistantSystemUsers(
            url.rstrip("/"), self.http, self._token(scope=LOOK_UP_SCOPE), self._token(scope=VIRKSYS_SCOPE)
        )

    def consents(self, url: str) -> DistantConsents:
        return DistantConsents(url.rstrip("/"), self.http, self._token(scope=consents_wire.LOOK_UP_SCOPE))

    def _token(self, **scope: str) -> OwnToken:
        issuer, orgno = self.settings.issuer, self.settings.maskinporten.orgno
        return OwnToken(self.database, self.ring, self.clock, issuer=issuer, orgno=orgno, **scope)


def assemble_token_server(
    settings: Settings,
    config: TokensConfig,
    database: Database,
    clock: Clock,
    http: httpx2.AsyncClient,
    *,
    master_key: MasterKey,
    certificates: Certificates,
    registers: Registers,
    system_users: SystemUsers | None = None,
    consents: Consents | None = None,
) -> TokenServer:
    """Wire it. ``system_users`` and ``consents`` are those in our own database, for where the settings name no other
    Altinn."""
    distant = _DistantAltinn(settings, database, clock, http, lambda: service.ring)
    elsewhere = settings.maskinporten
    delegated: Delegations = DelegatedScopes(registers.delegations, database)
    if elsewhere.delegations_url is not None:
        delegated = distant.delegations(elsewhere.delegations_url)
    if elsewhere.systemusers_url is not None:
        system_users = distant.system_users(elsewhere.systemusers_url)
    if elsewhere.consents_url is not None:
        consents = distant.consents(elsewhere.consents_url)
    registry = PostgresRegistry(database)
    cache = RegistryCache(registry, config.cached_clients)
    multi_buffer, no_multi_buffer = _multi_buffer(settings.maskinporten.multi_buffer)
    signing_keys = SigningKeys(database, master_key, clock, config, multi_buffer)
    service = TokenService(
        config,
        cache,
        Ledger(database, max_queue=config.max_queue),
        signing_keys,
        certificates,
        clock,
        DelegationCache(delegated, registry, cache, config.cached_clients),
        SystemUserCache(system_users, config.cached_clients) if system_users is not None else None,
        consents,
    )
    return TokenServer(service, signing_keys, registry, delegated, system_users, consents, no_multi_buffer)


def _multi_buffer(wanted: str | Path) -> tuple[MultiBuffer | None, str | None]:
    """The library that the settings ask for, or why it can not be used."""
    if wanted == "off":
        return None, None
    try:
        return MultiBuffer.load(wanted if isinstance(wanted, Path) else None), None
    except MultiBufferUnavailableError as error:
        return None, str(error)

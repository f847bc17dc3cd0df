"""Puts Lånekassen's data source together: whose tokens it believes, and how it hears that a consent has ended."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import httpx2
from starlette.types import ASGIApp

from fullmakt.altinn.consents.standing import Standing as ConsentStanding
from fullmakt.client import AsyncMaskinportenClient, Credentials, MaskinportenError
from fullmakt.infra.database import Database
from fullmakt.kernel.clock import Clock
from fullmakt.kernel.identifiers import OrgNumber
from fullmakt.lanekassen.config import SERVICE, LanekassenConfig
from fullmakt.lanekassen.hearing import Hearing
from fullmakt.lanekassen.http import app
from fullmakt.lanekassen.keys import ApiKeys, generated_keys
from fullmakt.lanekassen.people import customers
from fullmakt.lanekassen.ports import NothingHeard
from fullmakt.lanekassen.service import BalanceService, Sources
from fullmakt.lanekassen.store import Consents, Journal, Lists
from fullmakt.provider import (
    ConsentListError,
    ConsentTokenVerifier,
    EndedConsents,
    KeySource,
    RemoteKeys,
    TokenVerifier,
)
from fullmakt.provider.consent_token import ISSUER
from fullmakt.provider.consent_verifier import JWKS_PATH
from fullmakt.serve.settings import ConfigError, Settings

LIST_SCOPE = "altinn:serviceowner/consents"
DEMO_CALLERS = (OrgNumber("910753614"), OrgNumber("312044005"), OrgNumber("312468018"))
"""Demo Bank, Demo Leverandør and Demo Fremmed, to whom Lånekassen has sent a key in the demo world."""


@dataclass(frozen=True, slots=True)
class Lanekassen:
    """The data source, wired and not yet started."""

    settings: Settings
    service: BalanceService
    sources: Sources
    hearing: Hearing | None

    def app(self) -> ASGIApp:
        """Its app."""
        return app(self.service)

    async def start(self) -> None:
        """Let in those of the demo world, each with a key that lies in the state folder, and begin to forget."""
        self.sources.consents.sweeping.begin()
        if self.hearing is not None:
            self.hearing.start()
        if self.settings.has_demo_world:
            for organisation, key in generated_keys(keys_folder(self.settings.state), DEMO_CALLERS).items():
                self.service.keys.add(organisation, key)

    async def stop(self) -> None:
        """Write what waits, and let go of connections."""
        if self.hearing is not None:
            await self.hearing.stop()
        await self.sources.journal.close()
        await self.sources.consents.close()
        if isinstance(self.sources.standing, ConsentStanding):
            await self.sources.standing.close()


def keys_folder(state: Path) -> Path:
    """Where generated API keys lie, ``<orgno>.key``."""
    return state / "lanekassen"


def assemble_lanekassen(
    settings: Settings,
    database: Database,
    clock: Clock,
    http: httpx2.AsyncClient,
    *,
    own_keys: KeySource | None,
    altinns_keys: KeySource,
) -> Lanekassen | None:
    """Wire it, where it is to be served. ``own_keys`` are our token server's, which are fetched when not at hand;
    ``altinns_keys`` our Altinn's, for when the settings name no other."""
    if not settings.has_lanekassen:
        return None
    section = settings.lanekassen
    other = section.altinn2_url
    if other is not None:
        altinns_keys = RemoteKeys(ISSUER, jwks_uri=f"{other.rstrip('/')}{JWKS_PATH}", clock=clock, http=http)
    journal = Journal(database)
    algorithms = {"RS256", settings.maskinporten.signing_alg}
    sources = Sources(
        tokens=TokenVerifier(settings.issuer, keys=own_keys, clock=clock, algorithms=algorithms),
        consent_tokens=ConsentTokenVerifier(other or settings.altinn2_url, keys=altinns_keys, clock=clock),
        standing=ConsentStanding(database) if other is None else NothingHeard(),
        consents=Consents(database, journal, clock),
        journal=journal,
    )
    keys = ApiKeys({OrgNumber(organisation): key.get_secret_value() for organisation, key in section.api_keys.items()})
    config = LanekassenConfig(
        url=settings.lanekassen_url,
        strict=section.strict,
        unknown_key_status=section.unknown_key_status,
        total_is_zero=section.total_is_zero,
        rate=section.requests_per_second,
        burst=section.burst,
        delay=section.delay / 1_000,
    )
    service = BalanceService(config, sources, keys, customers(), clock)
    return Lanekassen(settings, service, sources, _hearing(settings, sources.consents, database, clock, http))


def _hearing(
    settings: Settings, consents: Consents, database: Database, clock: Clock, http: httpx2.AsyncClient
) -> Hearing | None:
    """How it hears of ended consents from another Altinn; None where it does not."""
    section = settings.lanekassen
    altinn, api_key, file = section.altinn2_url, section.altinn2_api_key, section.altinn2_client_key
    if altinn is None or api_key is None or section.altinn2_client_id is None or file is None:
        return None
    try:
        jwk = json.loads(file.read_bytes())
        credentials = Credentials.from_jwk(settings.issuer, section.altinn2_client_id, jwk)
    except (OSError, ValueError, TypeError) as error:  # an InvalidKeyError is a ValueError
        raise ConfigError([f"lanekassen.altinn2_client_key: not a file with a private JWK: {file}"]) from error
    client = AsyncMaskinportenClient(credentials, clock=clock, http=http)

    async def token() -> str:
        try:
            return (await client.token(LIST_SCOPE)).value
        except MaskinportenError as error:
            raise ConsentListError(f"there is no token to read it with: {error}") from error

    ended = EndedConsents(altinn, SERVICE, api_key=api_key.get_secret_value(), auth=token, http=http)
    return Hearing(ended, consents, Lists(database), of=f"{altinn.rstrip('/')} {SERVICE}")

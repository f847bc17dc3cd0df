"""Puts Altinn's systems together: who is whose neighbour, and where each is mounted."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from starlette.types import ASGIApp

from fullmakt.altinn.decisions.config import DecisionsConfig
from fullmakt.altinn.decisions.service import DecisionPoint
from fullmakt.altinn.decisions.store import DecisionFeed, DecisionJournal
from fullmakt.altinn.delegations.declarations import Declarations
from fullmakt.altinn.delegations.service import DelegationsService
from fullmakt.altinn.exchange.config import ExchangeConfig
from fullmakt.altinn.exchange.http import app as exchange_app
from fullmakt.altinn.exchange.keys import AltinnKeys
from fullmakt.altinn.exchange.service import ExchangeService
from fullmakt.altinn.exchange.tokens import TokenCallers
from fullmakt.altinn.parties.http import app as parties_app
from fullmakt.altinn.parties.http_metadata import metadata_app
from fullmakt.altinn.parties.service import PartiesService
from fullmakt.altinn.resources.access_lists.service import AccessLists
from fullmakt.altinn.resources.service import ResourcesService
from fullmakt.infra.database import Database
from fullmakt.infra.secrets import MasterKey
from fullmakt.kernel.clock import Clock, NewId
from fullmakt.provider import TokenVerifier
from fullmakt.serve.settings import Settings, SystemName


class Registers:
    """What Altinn keeps: parties, resources, access lists, delegations. They need nobody outside.

    ``deletable`` lets resources be removed, as in test environments.
    """

    def __init__(self, database: Database, clock: Clock, new_id: NewId, *, deletable: bool) -> None:
        self.parties = PartiesService(database, clock, new_id)
        self.resources = ResourcesService(database, clock, subjects=self.parties, deletable=deletable)
        self.access_lists = AccessLists(database, clock, self.parties, self.resources)
        self.delegations = DelegationsService(database, clock, new_id, resources=self.resources)
        self.declarations = Declarations(self.delegations, parties=self.parties, resources=self.resources)


@dataclass(frozen=True, slots=True)
class Altinn:
    """Altinn's systems, wired and not yet started."""

    settings: Settings
    registers: Registers
    decisions: DecisionPoint
    journal: DecisionJournal
    exchange: ExchangeService
    callers: TokenCallers

    async def start(self) -> None:
        """Make what must be there."""
        if self.settings.serves("resourceregistry"):
            await self.registers.resources.ensure_platform_resources()

    async def stop(self) -> None:
        """Write what waits."""
        await self.journal.close()

    def mounts(self) -> Iterator[tuple[SystemName, str, ASGIApp]]:
        """Every system with its public URL and its app."""
        settings = self.settings
        yield "register", settings.parties_url, parties_app(self.registers.parties)
        yield "accessmanagement", f"{settings.delegations_url}/api/v1/meta", metadata_app()
        yield "authentication", settings.exchange_url, exchange_app(self.exchange, self.callers)


def assemble_altinn(
    settings: Settings,
    registers: Registers,
    database: Database,
    clock: Clock,
    new_id: NewId,
    master_key: MasterKey,
    verifier: TokenVerifier,
) -> Altinn:
    """Wire Altinn's systems; ``verifier`` is for Maskinporten's tokens."""
    parties, resources, delegations = registers.parties, registers.resources, registers.delegations
    config = _decisions_config(settings)
    journal = DecisionJournal(database, max_queue=config.max_queue)
    decisions = DecisionPoint(
        config,
        parties=parties,
        resources=resources,
        access_lists=registers.access_lists,
        delegations=delegations,
        feed=lambda: DecisionFeed(database),
        journal=journal,
        clock=clock,
    )
    exchange_config = ExchangeConfig(settings.exchange_url, collapse_arrays=settings.exchange.collapse_arrays)
    keys = AltinnKeys(database, master_key, clock, exchange_config.issuer)
    exchange = ExchangeService(exchange_config, database, keys, verifier, parties, resources, clock, new_id)
    return Altinn(settings, registers, decisions, journal, exchange, TokenCallers(exchange.tokens, verifier))


def _decisions_config(settings: Settings) -> DecisionsConfig:
    key = settings.decisions.subscription_key
    return DecisionsConfig(
        url=settings.decisions_url,
        subscription_keys=frozenset({key.get_secret_value()}) if key is not None else frozenset(),
        explain=settings.explains_decisions,
        strict_targets=settings.decisions.strict_targets,
    )

"""Puts the systems of one process together: which is whose neighbour is told here and nowhere else."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import httpx2
import structlog
from prometheus_client import CollectorRegistry

from fullmakt.altinn.parties.service import PartiesService
from fullmakt.infra.crl import CrlSource
from fullmakt.infra.database import Database
from fullmakt.infra.http import pass_trace_on
from fullmakt.infra.secrets import MasterKey
from fullmakt.infra.sms import Sender
from fullmakt.jose.certificates import PRODUCTION_POLICIES, TEST_POLICIES
from fullmakt.kernel.clock import Clock, NewId, new_uuid, system_clock
from fullmakt.maskinporten.selfservice.registry import PostgresRegistry
from fullmakt.maskinporten.selfservice.service import SelfService
from fullmakt.maskinporten.tokens.certificates import Certificates
from fullmakt.maskinporten.tokens.metrics import TokenMetrics
from fullmakt.maskinporten.tokens.ports import Consents, Delegations, SystemUsers
from fullmakt.maskinporten.tokens.service import TokenService
from fullmakt.maskinporten.tokens.signing import SigningKeys
from fullmakt.pki.service import Pki
from fullmakt.provider import TokenVerifier
from fullmakt.serve.altinn import Altinn, Registers, assemble_altinn
from fullmakt.serve.lanekassen import Lanekassen, assemble_lanekassen
from fullmakt.serve.look_ups import SystemUserLookUps
from fullmakt.serve.neighbours import TrustedIssuers, UploadedCertificates, read_anchors
from fullmakt.serve.own_keys import OwnAltinnKeys, OwnKeys
from fullmakt.serve.settings import Settings
from fullmakt.serve.sms import sender_of
from fullmakt.serve.token_server import assemble_token_server

_CRL_TIMEOUT = 5.0

_log = structlog.get_logger("fullmakt.serve")


@dataclass(frozen=True, slots=True)
class Assembly:
    """Every system of a process, wired and not yet started."""

    settings: Settings
    database: Database
    clock: Clock
    http: httpx2.AsyncClient
    registry: PostgresRegistry
    anchors: TrustedIssuers
    delegated: Delegations
    look_ups: SystemUsers | None
    consents: Consents | None
    metrics: CollectorRegistry
    token_metrics: TokenMetrics
    altinn: Altinn
    selfservice: SelfService
    sms: Sender | None
    signing_keys: SigningKeys
    tokens: TokenService
    verifier: TokenVerifier
    pki: Pki | None
    lanekassen: Lanekassen | None
    no_multi_buffer: str | None = None

    async def start(self) -> None:
        """Make what must be there, and begin."""
        if self.pki is not None:
            await self.pki.ensure()
        await self.altinn.start()
        if self.lanekassen is not None:
            await self.lanekassen.start()
        if self.settings.serves("maskinporten"):
            self._tell_how_tokens_are_signed()
            await self.tokens.start()

    def _tell_how_tokens_are_signed(self) -> None:
        """Log it where a library that would sign eight at a time is missing: as a warning when the settings name it,
        and to debug with alone where somebody tries the demo world out, in development."""
        if self.no_multi_buffer is None:
            return
        settings, log = self.settings, _log.info
        if isinstance(settings.maskinporten.multi_buffer, Path):
            log = _log.warning
        elif settings.in_development and settings.has_demo_world:
            log = _log.debug
        log("signing_one_by_one", cause=self.no_multi_buffer)

    async def stop(self) -> None:
        """Finish what is under way, and let go."""
        await self.tokens.stop()
        await self.close()

    async def close(self) -> None:
        """Let go of connections, for those who never started; whoever asked a question has had it written down."""
        await self.altinn.stop()
        if self.lanekassen is not None:
            await self.lanekassen.stop()
        await self.registry.close()
        await self.http.aclose()
        await self.database.close()

    @property
    def parties(self) -> PartiesService:
        """The register of parties."""
        return self.altinn.registers.parties

    @property
    def rights(self) -> Registers:
        """What Altinn keeps."""
        return self.altinn.registers

    @property
    def systems(self) -> dict[str, str]:
        """Public URL by system."""
        return self.settings.system_urls


def assemble(
    settings: Settings,
    database_url: str,
    *,
    clock: Clock = system_clock,
    new_id: NewId = new_uuid,
    http: httpx2.AsyncClient | None = None,
) -> Assembly:
    """Wire the systems of ``settings`` on the database at ``database_url``."""
    database = Database(database_url)
    master_key = (
        MasterKey.load(settings.master_key_file)
        if settings.master_key_file
        else MasterKey.load_or_create(settings.master_key_path)
    )
    http = http or httpx2.AsyncClient(timeout=_CRL_TIMEOUT, event_hooks={"request": [pass_trace_on]})
    config = settings.tokens_config()
    pki = Pki(database, clock, master_key, settings.pki_url) if settings.has_pki else None
    issuers = _trusted_issuers(settings, pki)
    certificates = Certificates(issuers, CrlSource(http, clock, config.crl_max_age), config)
    registers = Registers(database, clock, new_id, deletable=settings.in_development)
    server = assemble_token_server(
        settings, config, database, clock, http,
        master_key=master_key, certificates=certificates, registers=registers,
        system_users=SystemUserLookUps(registers.system_users, database), consents=registers.consents,
    )  # fmt: skip
    tokens = server.service
    own_keys = OwnKeys(tokens) if settings.serves("maskinporten") else None
    verifier = TokenVerifier(config.issuer, keys=own_keys, clock=clock)
    altinn = assemble_altinn(settings, registers, database, clock, new_id, master_key, verifier, certificates, http)
    sms = sender_of(settings, http, clock)
    selfservice = SelfService(
        database,
        clock,
        new_id,
        certificates=UploadedCertificates(certificates, clock),
        organisations=registers.parties,
        allow_ec_keys=config.allow_ec_keys,
        sms=sms,
    )
    metrics = CollectorRegistry()
    return Assembly(
        settings=settings,
        database=database,
        clock=clock,
        http=http,
        registry=server.registry,
        anchors=issuers,
        delegated=server.delegated,
        look_ups=server.system_users,
        consents=server.consents,
        metrics=metrics,
        token_metrics=TokenMetrics(metrics),
        altinn=altinn,
        selfservice=selfservice,
        sms=sms,
        signing_keys=server.signing_keys,
        tokens=tokens,
        verifier=verifier,
        pki=pki,
        lanekassen=assemble_lanekassen(
            settings, database, clock, http, own_keys=own_keys, altinns_keys=OwnAltinnKeys(altinn.keys)
        ),
        no_multi_buffer=server.no_multi_buffer,
    )


def _trusted_issuers(settings: Settings, pki: Pki | None) -> TrustedIssuers:
    section = settings.maskinporten
    policies = section.policies or (TEST_POLICIES if settings.in_development else PRODUCTION_POLICIES)
    return TrustedIssuers(read_anchors(section.trust_anchors, policies), pki)

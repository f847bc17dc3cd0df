"""Worlds in a line each, on the code that applies world files.

``world = World(database, folder)``; then ``bank = await world.client("bank", scopes=["fullmakt:whoami"])`` registers
the organisation, the prefix and the scope with their owner, the access, the client and its key, and ``bank.signer``
signs its grants.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cache
from itertools import count
from pathlib import Path
from typing import Any

from fullmakt.altinn.consents.declaring import Declaring
from fullmakt.altinn.consents.importing import Importing
from fullmakt.altinn.consents.keys.service import ApiKeys
from fullmakt.altinn.consents.ports import Neighbours
from fullmakt.altinn.consents.service import ConsentsService
from fullmakt.altinn.consents.srr.service import SrrService
from fullmakt.altinn.consents.srr.services import Services
from fullmakt.altinn.decisions.config import DecisionsConfig
from fullmakt.altinn.decisions.store import DecisionJournal
from fullmakt.altinn.parties.metadata.load import published
from fullmakt.altinn.parties.model import Organisation
from fullmakt.altinn.resources.service import ResourcesService
from fullmakt.altinn.systemusers.declarations import Declarations
from fullmakt.infra.database import Database
from fullmakt.infra.secrets import MasterKey
from fullmakt.jose.keys import LocalSigner
from fullmakt.kernel.clock import Clock, new_uuid, system_clock
from fullmakt.kernel.identifiers import OrgNumber, ScopeName
from fullmakt.maskinporten.selfservice.ports import CertificateRefusedError, CheckedCertificate
from fullmakt.maskinporten.selfservice.service import SelfService
from fullmakt.pki.service import Pki
from fullmakt.serve.altinn import Registers, decision_point
from fullmakt.serve.neighbours import KnownPackages
from fullmakt.serve.systemusers import assemble_system_users
from fullmakt.world import model
from fullmakt.world.files import WorldFiles
from fullmakt.world.host import world_of
from fullmakt.world.parse import parse
from fullmakt.world.parse_client import public_jwk

BANK = OrgNumber("910753614")
VENDOR = OrgNumber("312044005")
STRANGER = OrgNumber("312468018")
OWNER = OrgNumber("310943223")
"""Owns every prefix that no test gives to somebody else."""
DIGDIR = OrgNumber("991825827")

_NOTHING: Any = object()


@cache
def signer(number: int) -> LocalSigner:
    """The ``number``-th private key of this test run: making one takes a tenth of a second."""
    return LocalSigner.generate()


def _new_keys(first: int) -> Callable[[], LocalSigner]:
    """A maker of keys that differ from one another, and are the same in every test."""
    numbers = count(first)
    return lambda: signer(next(numbers))


class NoCertificates:
    """A ``CertificateCheck`` for worlds without a PKI."""

    async def check(self, x5c: Sequence[str]) -> CheckedCertificate:
        """Refuse."""
        raise CertificateRefusedError("this world trusts no issuer of certificates")


@dataclass(frozen=True, slots=True)
class ClientHandle:
    """A registered client and what it signs with; ``signer`` is None for one that authenticates by certificate."""

    client_id: str
    organisation: OrgNumber
    supplier: OrgNumber | None
    scopes: tuple[str, ...]
    signer: LocalSigner | None

    @property
    def key(self) -> LocalSigner:
        """The signer of a client that has one."""
        assert self.signer is not None
        return self.signer


class ConsentRegisters:
    """What owners and the operator see to of consents."""

    def __init__(self, database: Database, clock: Clock, neighbours: Neighbours, resources: ResourcesService) -> None:
        self.services = Services(database, clock, resources)
        self.srr = SrrService(database, clock, self.services)
        self.keys = ApiKeys(database, clock, new_uuid)
        self.service = ConsentsService(database, clock, new_uuid, neighbours)
        self.declaring = Declaring(self.service.work, neighbours, self.services)
        self.importing = Importing(self.service.work, self.service.migrating, neighbours, self.services)


class World:
    """A world under construction: each method declares something and whatever it needs, and applies it at once.

    ``folder`` is the state folder. ``pki`` turns certificates on (``await world.pki.ensure()`` first).
    """

    def __init__(
        self, database: Database, folder: Path, *, clock: Clock = system_clock, pki: Pki | None = None
    ) -> None:
        self.database, self.state, self.clock, self.pki = database, folder, clock, pki
        self.rights = Registers(database, clock, new_uuid, deletable=True)
        self.parties = self.rights.parties
        self.selfservice = SelfService(
            database, clock, new_uuid, certificates=NoCertificates(), organisations=self.parties, allow_ec_keys=True
        )
        journal = DecisionJournal(database)
        self.decisions = decision_point(DecisionsConfig(), self.rights, database, journal, clock)
        self.system_users = self._system_users()
        neighbours = Neighbours(self.parties, self.rights.resources, self.decisions)
        self.consent_registers = ConsentRegisters(database, clock, neighbours, self.rights.resources)
        self.files = WorldFiles(folder, _new_keys(0))
        self.service = world_of(self, self.files)
        self._new_key = _new_keys(1_000)

    def _system_users(self) -> Declarations:
        rights, database, clock = self.rights, self.database, self.clock
        return assemble_system_users(
            database,
            clock,
            new_uuid,
            parties=rights.parties,
            resources=rights.resources,
            delegations=rights.delegations,
            packages=KnownPackages(published()),
            decisions=self.decisions,
        ).declarations

    async def apply(self, world: model.World | str) -> None:
        """Apply entries, or the text of a world file."""
        declared = parse(world) if isinstance(world, str) else world
        await self.service.apply(await self.service.plan(declared))

    async def organisation(self, orgno: str, name: str | None = None, *, parent: str | None = None) -> OrgNumber:
        """An organisation; any nine digits will do."""
        number = OrgNumber(orgno)
        above = OrgNumber(parent) if parent else None
        await self.apply(model.World(organisations=(Organisation(number, name or f"Org {number}", parent=above),)))
        return number

    async def scope(self, name: str, *, owner: str = OWNER, **members: Any) -> ScopeName:
        """A scope with its prefix and its owner; ``members`` are those of ``world.model.Scope``."""
        scope = ScopeName(name)
        await self._ensure_organisations([owner])
        prefix = model.Prefix(scope.prefix, OrgNumber(owner))
        known = await self.service.current(model.World(prefixes=(prefix,)))
        declared = model.Scope(scope, **{"description": f"The scope {name}", **members})
        await self.apply(model.World(prefixes=() if known.prefixes else (prefix,), scopes=(declared,)))
        return scope

    async def access(self, scope: str, consumer: str) -> None:
        """An approved access to a scope that exists."""
        await self._ensure_organisations([consumer])
        await self.apply(model.World(accesses=(model.Access(ScopeName(scope), OrgNumber(consumer)),)))

    async def client(
        self,
        name: str,
        *,
        org: str = BANK,
        supplier: str | None = None,
        scopes: Iterable[str] = (),
        granted: bool = True,
        key: LocalSigner | None = _NOTHING,
        **members: Any,
    ) -> ClientHandle:
        """A client with its organisation, its scopes and (unless ``granted`` is false) access to them.

        It gets a key of its own; ``key`` is another one, or None for a client that authenticates by certificate.
        ``members`` are those of ``world.model.Client``.
        """
        names = tuple(sorted(map(ScopeName, scopes)))
        organisation, above = OrgNumber(org), OrgNumber(supplier) if supplier else None
        await self._ensure_organisations([each for each in (organisation, above) if each])
        await self._ensure_scopes(names, (above or organisation) if granted else None)
        if key is _NOTHING:
            key = self._new_key()
        client = model.Client(
            name=name,
            client_id=model.default_client_id(name),
            organisation=organisation,
            credentials=_credentials(key),
            client_name=name,
            description=name,
            supplier=above,
            scopes=names,
        )
        client = replace(client, **members)
        await self.apply(model.World(clients=(client,)))
        return ClientHandle(client.client_id, organisation, above, names, key)

    async def _ensure_organisations(self, orgnos: Iterable[str]) -> None:
        wanted = {OrgNumber(orgno) for orgno in orgnos}
        known = {
            party.subject.orgno
            for party in await self.parties.organisations(wanted)
            if isinstance(party.subject, Organisation)
        }
        for orgno in sorted(wanted - known):
            await self.organisation(orgno)

    async def _ensure_scopes(self, names: tuple[ScopeName, ...], consumer: OrgNumber | None) -> None:
        current = await self.service.current(model.World(scopes=tuple(model.Scope(name, "-") for name in names)))
        known = {scope.name for scope in current.scopes}
        for name in names:
            if name not in known:
                await self.scope(name)
            if consumer is not None:
                await self.access(name, consumer)


def _credentials(key: LocalSigner | None) -> model.Credentials:
    if key is None:
        return model.EnterpriseCertificate()
    return model.PublicKeys((public_jwk(key.public_jwk()),))


def small_pki(database: Database, clock: Clock = system_clock, base_url: str = "http://pki.test/pki") -> Pki:
    """A PKI over ``database``, its master key of no importance."""
    return Pki(database, clock, MasterKey(bytes(32)), base_url, new_key=_new_keys(2_000))

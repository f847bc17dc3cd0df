"""Altinn 2's consent services, rights registry and API keys, and consents, kept by ``fullmakt.altinn.consents``."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

from fullmakt.altinn.consents.declared import DeclaredConsent
from fullmakt.altinn.consents.declaring import Declaring
from fullmakt.altinn.consents.importing import Importing
from fullmakt.altinn.consents.keys.model import ApiKeyDeclaration
from fullmakt.altinn.consents.keys.service import ApiKeys
from fullmakt.altinn.consents.service import ConsentsService
from fullmakt.altinn.consents.srr.documents import Changes
from fullmakt.altinn.consents.srr.domains import parse_pattern
from fullmakt.altinn.consents.srr.model import (
    Condition,
    Draft,
    Entry,
    OperationStatus,
    Right,
    ServiceDeclaration,
    ServiceKey,
    Written,
)
from fullmakt.altinn.consents.srr.service import SrrService
from fullmakt.altinn.consents.srr.services import Services
from fullmakt.kernel.clock import NewId
from fullmakt.kernel.identifiers import OrgNumber
from fullmakt.world import model
from fullmakt.world.files import WorldFiles
from fullmakt.world.model import ConsentService, Kind, SrrEntry, World
from fullmakt.world.names import Names

OPERATOR = "operator"


class NotWrittenError(Exception):
    """An entry of the rights registry was not taken; the message says why."""


class ConsentRegisters(Protocol):
    """What Altinn's consents keep that owners and the operator see to."""

    @property
    def services(self) -> Services: ...

    @property
    def srr(self) -> SrrService: ...

    @property
    def keys(self) -> ApiKeys: ...

    @property
    def declaring(self) -> Declaring: ...

    @property
    def service(self) -> ConsentsService: ...

    @property
    def importing(self) -> Importing: ...


@dataclass(frozen=True, slots=True)
class _Owner:
    """The operator, who stands in for the owner of a service."""

    organisation: OrgNumber
    actor: str = OPERATOR


class ConsentsSection:
    """Services, entries, keys and consents, as a ``WorldSection``; ``new_id`` makes the secrets of keys."""

    kinds = (Kind.CONSENT_SERVICE, Kind.SRR, Kind.API_KEY, Kind.CONSENT)

    def __init__(self, registers: ConsentRegisters, files: WorldFiles, new_id: NewId) -> None:
        self._services = registers.services
        self._srr = registers.srr
        self._keys = registers.keys
        self._declaring = registers.declaring
        self._files = files
        self._new_id = new_id

    async def current(self, names: Names | None) -> World:
        """The named services with all their entries, the named keys whose secrets are here, and the named consents."""
        named = None if names is None else names.consent_services
        declared = [
            one for one in await self._services.declared() if named is None or (one.key.code, one.key.edition) in named
        ]
        entries = [entry for one in declared for entry in await self._entries(one.key)]
        keys = await self._keys.listed(None if names is None else names.api_keys)
        return World(
            consent_services=tuple(map(_service, declared)),
            srr_entries=tuple(_entry(entry) for entry in entries if len(entry.reportee) == 9),
            consents=tuple(await self._declaring.consents(None if names is None else names.consents)),
            api_keys=tuple([_key(one.declaration) for one in keys if names is None or await self._is_here(one.name)]),
        )

    async def apply(self, entry: model.Entry) -> None:
        """Declare it as the operator."""
        match entry:
            case ConsentService():
                key = ServiceKey(entry.code, entry.edition)
                declared = ServiceDeclaration(entry.resource, key, entry.uses_srr, entry.one_time, entry.min_level)
                await self._services.declare(declared, actor=OPERATOR)
            case SrrEntry():
                await self._apply_entry(entry)
            case model.ApiKey():
                secret = await asyncio.to_thread(self._files.ensure_api_key, entry.name, self._new_id())
                declaration = ApiKeyDeclaration(entry.name, entry.organisation, entry.domains, entry.service_owner)
                await self._keys.declare(declaration, secret=secret, actor=OPERATOR)
            case DeclaredConsent():
                await self._declaring.declare(entry)
            case _:
                raise TypeError(f"no {type(entry).__name__} is kept here")

    async def _apply_entry(self, entry: SrrEntry) -> None:
        key = ServiceKey(entry.code, entry.edition)
        owner = await self._owner(key)
        if owner is None:
            raise NotWrittenError(f"no registered resource stands for the service {key}")
        condition = _condition(entry)
        found = [one for one in await self._srr.entries(key, owner, entry.reportee) if one.right is Right.READ]
        if found:
            changes = Changes(valid_to=entry.valid_to, condition=condition)
            _require(await self._srr.change(found[0].id, changes, owner))
        else:
            draft = Draft(key, entry.reportee, Right.READ, entry.valid_to, condition)
            for written in await self._srr.add([draft], owner):
                _require(written)

    async def _entries(self, key: ServiceKey) -> Iterable[Entry]:
        owner = await self._owner(key)
        found = [] if owner is None else await self._srr.entries(key, owner)
        return [one for one in found if one.right is Right.READ]

    async def _owner(self, key: ServiceKey) -> _Owner | None:
        service = await self._services.find(key)
        return None if service is None or service.owner is None else _Owner(service.owner)

    async def _is_here(self, name: str) -> bool:
        secret = await asyncio.to_thread(self._files.api_key, name)
        return secret is not None and await self._keys.holds(name, secret)


def _require(written: Written) -> None:
    if written.status is not OperationStatus.OK:
        raise NotWrittenError(f"the entry was not taken: {written.status}")


def _service(declared: ServiceDeclaration) -> ConsentService:
    return ConsentService(
        declared.resource,
        declared.key.code,
        declared.key.edition,
        bool(declared.uses_srr),
        declared.one_time,
        declared.min_level,
    )


def _entry(entry: Entry) -> SrrEntry:
    condition = entry.condition or Condition()
    return SrrEntry(
        code=entry.service.code,
        edition=entry.service.edition,
        reportee=OrgNumber(entry.reportee),
        valid_to=entry.valid_to,
        handled_by=condition.handled_by,
        domains=tuple(sorted(map(str, condition.domains))),
        keep_session_alive=bool(condition.keep_session_alive),
    )


def _condition(entry: SrrEntry) -> Condition | None:
    if entry.handled_by is None and not entry.domains and not entry.keep_session_alive:
        return None
    domains = tuple(parse_pattern(one) for one in entry.domains)
    return Condition(entry.handled_by, entry.keep_session_alive or None, domains)


def _key(declared: ApiKeyDeclaration) -> model.ApiKey:
    return model.ApiKey(declared.name, declared.organisation, tuple(sorted(declared.domains)), declared.service_owner)

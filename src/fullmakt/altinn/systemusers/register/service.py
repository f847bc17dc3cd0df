"""The use cases of the system register."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from uuid import UUID

from fullmakt.altinn.systemusers import errors
from fullmakt.altinn.systemusers.documents import right_document
from fullmakt.altinn.systemusers.errors import DeletedSystemError, UnknownSystemError
from fullmakt.altinn.systemusers.model import Right, System, SystemDefinition
from fullmakt.altinn.systemusers.register import rules, store
from fullmakt.altinn.systemusers.register.documents import package_documents, proposal_document
from fullmakt.altinn.systemusers.register.model import (
    ANY_VERSION,
    ChangeType,
    Proposal,
    Registrant,
    SystemChange,
    Versions,
)
from fullmakt.altinn.systemusers.register.ports import Packages, Resources
from fullmakt.altinn.systemusers.register.work import Change, Work
from fullmakt.infra.altinn import ForbiddenError
from fullmakt.infra.database import Database
from fullmakt.kernel.clock import Clock, NewId
from fullmakt.kernel.identifiers import OrgNumber
from fullmakt.wire.altinn.problems import AltinnValidationError, ValidationFault


class RegisterService:
    """The system register. ``registrant`` is who asks; systems are named by id.

    What changes a system takes the versions that it may be of, ``match``; it is looked at last, when all else is well.
    """

    def __init__(
        self, database: Database, clock: Clock, new_id: NewId, *, resources: Resources, packages: Packages
    ) -> None:
        self._work = Work(database, clock)
        self._new_id = new_id
        self._resources = resources
        self._packages = packages
        self.tell_refusal = self._work.tell_refusal

    async def system(self, system_id: str) -> System | None:
        """The system, deleted or not; None when there never was one."""
        if not rules.may_be_an_id(system_id):
            return None
        async with self._work.reading() as connection:
            return await store.find(connection, system_id)

    async def systems_of_client(self, client_id: str) -> tuple[System, ...]:
        """The live systems that a client of Maskinporten's acts for, however its id is spelled: none, or one."""
        if "\x00" in client_id:
            return ()
        async with self._work.reading() as connection:
            found = await store.of_client(connection, client_id)
        return () if found is None else (found,)

    async def catalogue(self) -> list[System]:
        """Every live system."""
        async with self._work.reading() as connection:
            return await store.live(connection)

    async def systems_of(self, vendor: OrgNumber) -> list[System]:
        """The vendor's live systems."""
        async with self._work.reading() as connection:
            return await store.of_vendor(connection, vendor)

    async def own(self, registrant: Registrant, system_id: str) -> System:
        """A system of the registrant's, deleted or not.

        Raises:
            UnknownSystemError: there is none with the id.
            ForbiddenError: ``other_vendor``.
        """
        found = await self.system(system_id)
        if found is None:
            raise UnknownSystemError(system_id)
        _require_owner(registrant, found.vendor)
        return found

    async def changes(self, registrant: Registrant, system_id: str) -> list[SystemChange]:
        """The newest changes of a system of the registrant's, the last one first.

        Raises:
            UnknownSystemError, ForbiddenError: as ``own``.
        """
        found = await self.own(registrant, system_id)
        async with self._work.reading() as connection:
            return await store.changes(connection, found.internal_id)

    async def create(self, registrant: Registrant, proposal: Proposal) -> System:
        """Register a system.

        Raises:
            AltinnValidationError: a rule is broken: that of the vendor's form alone, or all others at once.
            ForbiddenError: ``other_vendor``; told before the others.
        """
        vendor = rules.vendor_of(proposal)
        if vendor is None:
            raise AltinnValidationError(errors.VENDOR_FORM)
        _require_owner(registrant, vendor)
        faults = [*rules.id_faults(proposal.id, vendor)]
        if await self.system(proposal.id) is not None:
            faults.append(errors.SYSTEM_ID_TAKEN)
        _require_none([*faults, *await self._faults(proposal)])
        system = System.of(rules.definition(proposal, vendor), UUID(self._new_id()))
        await self._work.make(Change(registrant, ChangeType.CREATE, proposal_document(proposal)), system)
        return system

    async def replace(
        self, registrant: Registrant, system_id: str, proposal: Proposal, match: Versions = ANY_VERSION
    ) -> System:
        """Give the system the definition that is proposed; the system as it is then.

        Raises:
            UnknownSystemError: there is none with the id, or the proposal names another vendor than the system's.
            ForbiddenError: ``other_vendor``.
            DeletedSystemError: it is deleted.
            AltinnValidationError: the proposal has another id, or breaks other rules.
            StaleVersionError: the system is not of a version that ``match`` lists.
        """
        found = await self.own(registrant, system_id)
        if rules.vendor_of(proposal) != found.vendor:
            raise UnknownSystemError(system_id)
        if proposal.id != system_id:
            raise AltinnValidationError(errors.SYSTEM_ID_MISMATCH)
        _require_live(found)
        _require_none(await self._faults(proposal, found))
        change = Change(registrant, ChangeType.UPDATE, proposal_document(proposal))
        definition = rules.definition(proposal, found.vendor)
        return await self._work.alter(change, system_id, match, lambda _: definition)

    async def replace_rights(
        self, registrant: Registrant, system_id: str, rights: Sequence[Right], match: Versions = ANY_VERSION
    ) -> System:
        """Give the system these rights and no others; the system as it is then.

        Raises:
            UnknownSystemError, ForbiddenError, DeletedSystemError, AltinnValidationError, StaleVersionError: as
                ``replace``.
        """
        _require_live(await self.own(registrant, system_id))
        _require_none(await self._right_faults(rights))
        change = Change(registrant, ChangeType.RIGHTS, [right_document(right) for right in rights])
        return await self._work.alter(change, system_id, match, lambda system: replace(system, rights=tuple(rights)))

    async def replace_packages(
        self, registrant: Registrant, system_id: str, urns: Sequence[str], match: Versions = ANY_VERSION
    ) -> System:
        """Give the system the access packages with these URNs and no others; the system as it is then.

        Raises:
            UnknownSystemError, ForbiddenError, DeletedSystemError, AltinnValidationError, StaleVersionError: as
                ``replace``.
        """

        def with_packages(system: System) -> SystemDefinition:
            _require_none(rules.package_faults(urns, self._packages.package, visible=system.visible))
            return replace(system, packages=names)

        names = rules.package_names(urns)
        await self.own(registrant, system_id)
        change = Change(registrant, ChangeType.PACKAGES, package_documents(names))
        return await self._work.alter(change, system_id, match, with_packages)

    async def delete(self, registrant: Registrant, system_id: str, match: Versions = ANY_VERSION) -> None:
        """Delete the system: its clients are free, its id is not. One that is deleted already stays so.

        Raises:
            UnknownSystemError, ForbiddenError, StaleVersionError: as ``replace``.
        """
        await self.own(registrant, system_id)
        await self._work.delete(Change(registrant, ChangeType.DELETE), system_id, match)

    async def _faults(self, proposal: Proposal, of: System | None = None) -> list[ValidationFault]:
        """What is wrong with a proposal, the id and the vendor aside, for a new system or for one that there is."""
        async with self._work.reading() as connection:
            taken = await store.taken(connection, proposal.client_ids, of.internal_id if of else None)
        return [
            *rules.redirect_faults(proposal.redirect_urls),
            *rules.client_faults(proposal.client_ids, taken),
            *await self._right_faults(proposal.rights),
            *rules.package_faults(proposal.packages, self._packages.package, visible=proposal.visible),
        ]

    async def _right_faults(self, rights: Sequence[Right]) -> list[ValidationFault]:
        identifiers = {identifier for right in rights for identifier in right.identifiers}
        return [*rules.right_faults(rights, await self._resources.resources(identifiers))]


def _require_owner(registrant: Registrant, vendor: OrgNumber) -> None:
    if not registrant.may_act_for(vendor):
        raise ForbiddenError("other_vendor", vendor=vendor)


def _require_live(system: System) -> None:
    if system.deleted:
        raise DeletedSystemError(system.id)


def _require_none(faults: Iterable[ValidationFault]) -> None:
    broken = tuple(faults)
    if broken:
        raise AltinnValidationError(*broken)

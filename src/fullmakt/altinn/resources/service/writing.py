"""Publishing resources (altinn-resource-registry.md §3, §4)."""

from __future__ import annotations

from fullmakt.altinn.resources.errors import (
    DeletionForbiddenError,
    ForeignScopesError,
    IdentifierMismatchError,
    InvalidResourceError,
    NotOwnerError,
    ResourceExistsError,
    UnknownResourceError,
)
from fullmakt.altinn.resources.model import Owner, StoredResource
from fullmakt.altinn.resources.rules.fields import Faults, field_faults, owner_orgno
from fullmakt.altinn.resources.rules.ownership import foreign_scopes, org_code_fault, owns
from fullmakt.altinn.resources.service.work import Change, Work
from fullmakt.altinn.resources.store import owners, policies, resources
from fullmakt.kernel.declarations import Outcome
from fullmakt.kernel.identifiers import OrgNumber
from fullmakt.kernel.text import is_storable
from fullmakt.wire.altinn.callers import Caller
from fullmakt.wire.altinn.resource_registry import ReferenceType, ResourceDocument


class Writing:
    """Changes to resources. ``deletable`` is where resources may be removed: in test environments."""

    def __init__(self, work: Work, *, deletable: bool) -> None:
        self._work = work
        self._deletable = deletable

    async def create(self, document: ResourceDocument, caller: Caller) -> None:
        """Publish a new resource.

        Raises:
            InvalidResourceError: fields break their rules.
            NotOwnerError: the caller does not act for the owner that the document names.
            ForeignScopesError: it refers to scopes that are not the caller's.
            ResourceExistsError: the identifier is taken, be it by a resource that its owner has removed.
        """
        identifier = document.identifier or ""
        async with self._work.changing("resource:create", identifier, caller.actor) as change:
            await self._check(change, document, caller, is_new=True)
            await _put(change, document, replace=False)

    async def update(self, identifier: str, document: ResourceDocument, caller: Caller) -> None:
        """Publish a new version of a resource. Who calls must own it as it is stored and as it is to be.

        Raises:
            UnknownResourceError: there is no such resource.
            IdentifierMismatchError: the document is another resource's.
            InvalidResourceError, NotOwnerError, ForeignScopesError: see ``create``.
        """
        async with self._work.changing("resource:update", identifier, caller.actor) as change:
            _, owner = await locked(change, identifier)
            if document.identifier != identifier:
                raise IdentifierMismatchError
            await self._check(change, document, caller, is_new=False, stored=owner)
            await _put(change, document, replace=True)

    async def delete(self, identifier: str, caller: Caller) -> None:
        """Remove a resource and its policy; their history stays.

        Raises:
            DeletionForbiddenError: not in this environment.
            UnknownResourceError: there is no such resource.
            NotOwnerError: it is somebody else's.
        """
        if not self._deletable:
            raise DeletionForbiddenError
        async with self._work.changing("resource:delete", identifier, caller.actor) as change:
            _, owner = await locked(change, identifier)
            await require_owner(change, caller, owner)
            moment = await change.begin(f"resource:{identifier}")
            await resources.delete(change.connection, identifier, moment.now, moment.change_id)
            await policies.put_subjects(change.connection, identifier, (), moment.now)

    async def declare(self, document: ResourceDocument, actor: str) -> Outcome:
        """Let the resource be as the operator's document says; the same again changes nothing.

        Raises:
            InvalidResourceError: fields break their rules.
        """
        identifier = document.identifier or ""
        async with self._work.changing("resource:declare", identifier, actor) as change:
            known = await resources.newest(change.connection, identifier) if is_storable(identifier) else None
            if known is not None and known.document == document.wire():
                return Outcome.UNCHANGED
            await _check_fields(change, document, is_new=known is None)
            await _put(change, document, replace=True)
            return Outcome.CREATED if known is None else Outcome.CHANGED

    async def _check(
        self, change: Change, document: ResourceDocument, caller: Caller, *, is_new: bool, stored: Owner | None = None
    ) -> None:
        await _check_fields(change, document, is_new=is_new)
        authority = document.has_competent_authority
        named = Owner(owner_orgno(authority), (authority.orgcode if authority else None) or "")
        for owner in (stored, named) if stored is not None else (named,):
            await require_owner(change, caller, owner)
        foreign = foreign_scopes(caller, document.references(ReferenceType.MASKINPORTEN_SCOPE))
        if foreign:
            raise ForeignScopesError(foreign)


async def locked(change: Change, identifier: str) -> tuple[StoredResource, Owner]:
    """The resource, kept from changing until the end of the use case, and its owner.

    Raises:
        UnknownResourceError: there is none.
    """
    found = await resources.lock(change.connection, identifier) if is_storable(identifier) else None
    if found is None:
        raise UnknownResourceError(identifier)
    return found


async def require_owner(change: Change, caller: Caller, owner: Owner) -> None:
    """The caller must act for the owner; who has no number in its resources may have one by its org code.

    Raises:
        NotOwnerError: it does not.
    """
    orgno = owner.orgno or await _registered_number(change, owner.code)
    if not owns(caller, orgno):
        raise NotOwnerError


async def _registered_number(change: Change, code: str) -> OrgNumber | None:
    return (await owners.org_codes(change.connection)).get(code.lower())


async def _check_fields(change: Change, document: ResourceDocument, *, is_new: bool) -> None:
    faults: Faults = field_faults(document, is_new=is_new)
    authority = document.has_competent_authority
    if authority is not None and (authority.orgcode or "").strip():
        fault = org_code_fault(authority, await owners.org_codes(change.connection))
        if fault is not None:
            faults.setdefault("HasCompetentAuthority.Orgcode", []).append(fault)
    if faults:
        raise InvalidResourceError(faults)


async def _put(change: Change, document: ResourceDocument, *, replace: bool) -> None:
    identifier = document.identifier or ""
    moment = await change.begin(f"resource:{identifier}")
    version_id = await resources.put(change.connection, document, moment.now, moment.change_id, replace=replace)
    if version_id is None:
        raise ResourceExistsError(identifier)
    change.facts["version_id"] = version_id

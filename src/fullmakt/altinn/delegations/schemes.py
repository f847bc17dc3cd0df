"""Delegation schemes, Altinn 2's way of telling which scopes are delegated together (altinn-authorization.md §13.3).

A scheme lives on as the ``DelegationSchemeId`` reference of a resource in the registry, and it is such resources that
are delegated.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import RowMapping, text

from fullmakt.altinn.delegations import changes, store
from fullmakt.altinn.delegations.errors import DelegationRefusedError
from fullmakt.altinn.delegations.model import Performer, Selection, StoredRight
from fullmakt.altinn.delegations.ports import Resources
from fullmakt.altinn.delegations.work import Change, Work
from fullmakt.kernel.identifiers import OrgNumber

_INSERT = text(
    "INSERT INTO delegations.scheme (scheme_id, owner, document, created, changed)"
    " VALUES (:scheme_id, :owner, CAST(:document AS jsonb), :now, :now)"
)
_SELECT = "SELECT scheme_id, owner, document FROM delegations.scheme"
_GET = text(f"{_SELECT} WHERE scheme_id = :scheme_id")
_LOCK = text(f"{_SELECT} WHERE scheme_id = :scheme_id FOR UPDATE")
_OF_OWNER = text(f"{_SELECT} WHERE owner = :owner ORDER BY created, scheme_id")
_UPDATE = text(
    "UPDATE delegations.scheme SET document = CAST(:document AS jsonb), changed = :now WHERE scheme_id = :scheme_id"
)
_DELETE = text("DELETE FROM delegations.scheme WHERE scheme_id = :scheme_id")


@dataclass(frozen=True, slots=True)
class Scheme:
    """A scheme: ``document`` holds scopes, titles and the rest as its owner sent them."""

    scheme_id: UUID
    owner: OrgNumber
    document: Mapping[str, Any]


class UnknownSchemeError(LookupError):
    """The owner has no such scheme."""


class Schemes:
    """Delegation schemes, each seen and changed by its owner alone."""

    def __init__(self, work: Work, resources: Resources) -> None:
        self._work = work
        self._resources = resources

    async def create(self, owner: OrgNumber, document: Mapping[str, Any], by: Performer) -> UUID:
        """A new scheme; its id."""
        async with self._work.changing() as change:
            scheme_id = change.fresh_id()
            values = {"scheme_id": scheme_id, "owner": str(owner), "document": json.dumps(document), "now": change.now}
            await change.connection.execute(_INSERT, values)
            _tell(change, by, "scheme:create", scheme_id)
            return scheme_id

    async def of(self, owner: OrgNumber) -> list[Scheme]:
        """The owner's schemes, oldest first."""
        async with self._work.database.transaction() as connection:
            return [_scheme(row) for row in (await connection.execute(_OF_OWNER, {"owner": str(owner)})).mappings()]

    async def get(self, owner: OrgNumber, scheme_id: UUID) -> Scheme:
        """One of the owner's schemes.

        Raises:
            UnknownSchemeError: there is none.
        """
        async with self._work.database.transaction() as connection:
            row = (await connection.execute(_GET, {"scheme_id": scheme_id})).mappings().first()
        return _owned(row, owner)

    async def change(self, owner: OrgNumber, scheme_id: UUID, document: Mapping[str, Any], by: Performer) -> None:
        """Replace what the scheme says.

        Raises:
            UnknownSchemeError: there is none.
        """
        async with self._work.changing() as change:
            row = (await change.connection.execute(_LOCK, {"scheme_id": scheme_id})).mappings().first()
            if _owned(row, owner).document == document:
                return
            values = {"scheme_id": scheme_id, "document": json.dumps(document), "now": change.now}
            await change.connection.execute(_UPDATE, values)
            _tell(change, by, "scheme:change", scheme_id)

    async def delete(self, owner: OrgNumber, scheme_id: UUID, by: Performer, *, delete_delegations: bool) -> None:
        """Remove the scheme, and the delegations of the owner's resources with it, if told to.

        Anybody may refer to a scheme; what is delegated of another's resource is not the owner's to take back.

        Raises:
            UnknownSchemeError: there is none.
            DelegationRefusedError: there are delegations, and they are not to go.
        """
        resources = await self._resources.resources_with_scope(None)
        of_scheme = [
            one.identifier for one in resources if one.owner_orgno == owner and _is(one.delegation_scheme_id, scheme_id)
        ]
        async with self._work.changing() as change:
            row = (await change.connection.execute(_LOCK, {"scheme_id": scheme_id})).mappings().first()
            _owned(row, owner)
            found = await store.api(change.connection, None, None, of_scheme) if of_scheme else ()
            if found and not delete_delegations:
                raise DelegationRefusedError("in_use", "the scheme has delegations")
            for selection in _selections(found):
                await changes.take(change, selection, by)
            await change.connection.execute(_DELETE, {"scheme_id": scheme_id})
            _tell(change, by, "scheme:delete", scheme_id)


def _selections(found: tuple[StoredRight, ...]) -> list[Selection]:
    """In the order of their givers, who are locked one after the other: two such withdrawals never wait in a ring."""
    ends = {(one.right.giver, one.right.receiver, one.right.resource) for one in found}
    return [Selection(giver, receiver, resource) for giver, receiver, resource in sorted(ends)]


def _is(reference: str | None, scheme_id: UUID) -> bool:
    return reference is not None and reference.lower() == str(scheme_id)


def _owned(row: RowMapping | None, owner: OrgNumber) -> Scheme:
    if row is None or row["owner"] != owner:
        raise UnknownSchemeError
    return _scheme(row)


def _scheme(row: RowMapping) -> Scheme:
    return Scheme(row["scheme_id"], OrgNumber(row["owner"]), row["document"])


def _tell(change: Change, by: Performer, action: str, scheme_id: UUID) -> None:
    change.tell(by.actor, action, str(scheme_id))

"""Use cases of lists themselves."""

from __future__ import annotations

from fullmakt.altinn.resources.access_lists import rules
from fullmakt.altinn.resources.access_lists.errors import InvalidListError, PreconditionFailedError, UnknownListError
from fullmakt.altinn.resources.access_lists.model import (
    ALWAYS,
    AccessList,
    Conditions,
    ListReference,
    ListsPage,
    NotModified,
)
from fullmakt.altinn.resources.access_lists.service.work import Change, Work, unmodified
from fullmakt.altinn.resources.access_lists.store import reading, writing


class Lists:
    """An owner's lists. ``actor`` is who asks, for the audit trail."""

    def __init__(self, work: Work) -> None:
        self._work = work

    async def page(self, owner: str, start: str = "", *, resource: str | None = None) -> ListsPage:
        """Twenty of the owner's lists by identifier, from ``start`` on; with their connection to ``resource``."""
        async with self._work.reading() as connection:
            found = await reading.page(connection, owner, start, rules.LISTS_PER_PAGE + 1, resource)
        items, rest = found[: rules.LISTS_PER_PAGE], found[rules.LISTS_PER_PAGE :]
        return ListsPage(tuple(items), rest[0].reference.identifier if rest else None)

    async def get(
        self, reference: ListReference, conditions: Conditions = ALWAYS, *, connected: bool = False
    ) -> AccessList | NotModified:
        """The list; with its connections when ``connected``.

        Raises:
            UnknownListError: there is no such list.
            PreconditionFailedError: it is not what ``conditions`` say.
        """
        find = reading.find_connected if connected else reading.find
        async with self._work.reading(reference) as connection:
            found = await find(connection, reference)
        if found is None:
            raise UnknownListError
        return NotModified(found) if unmodified(conditions, found) else found

    async def put(
        self, actor: str, reference: ListReference, name: str, description: str, conditions: Conditions = ALWAYS
    ) -> AccessList:
        """Make the list, or give it this name and description; what is so already keeps its version.

        Raises:
            InvalidListError: the identifier, the name or the description breaks its rule.
            PreconditionFailedError: it is not what ``conditions`` say.
        """
        require_valid(reference, name, description)
        async with self._work.making(actor, reference, conditions) as change:
            if await write(change, name, description):
                action = "access-list:create" if change.before is None else "access-list:change"
                return await change.done(action, name=name)
            return change.row

    async def delete(self, actor: str, reference: ListReference, conditions: Conditions = ALWAYS) -> AccessList | None:
        """Delete the list with all that is in it; None when it was not there.

        Raises:
            PreconditionFailedError: it is not what ``conditions`` say.
        """
        try:
            async with self._work.changing(actor, reference, conditions) as change:
                parties = await change.all_members()
                await writing.delete(change.connection, change.row.id)
                return await change.done("access-list:delete", parties)
        except UnknownListError:
            if rules.verdict(conditions, None, reading=False) is rules.Verdict.FAILED:
                raise PreconditionFailedError from None
            return None


def require_valid(reference: ListReference, name: str, description: str) -> None:
    """Raises:
    InvalidListError: the identifier, the name or the description breaks its rule.
    """
    faults = {
        "identifier": rules.identifier_fault(reference.identifier),
        "Name": rules.name_fault(name),
        "Description": rules.description_fault(description),
    }
    if any(faults.values()):
        raise InvalidListError({field: [fault] for field, fault in faults.items() if fault})


async def write(change: Change, name: str, description: str) -> bool:
    """Give the list that is held its name and description; False when it had them."""
    before = change.before
    if before is not None and (before.name, before.description) == (name, description):
        return False
    await writing.write(change.connection, change.row.id, name, description, change.now)
    return True

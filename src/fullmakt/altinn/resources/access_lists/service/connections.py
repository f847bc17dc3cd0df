"""Use cases of a list's connections to resources."""

from __future__ import annotations

from collections.abc import Collection

from fullmakt.altinn.resources.access_lists import rules
from fullmakt.altinn.resources.access_lists.errors import (
    InvalidListError,
    OthersResourceError,
    UnknownResourceError,
)
from fullmakt.altinn.resources.access_lists.model import (
    ALWAYS,
    AccessList,
    Conditions,
    Connection,
    ListReference,
    NotModified,
    Page,
)
from fullmakt.altinn.resources.access_lists.ports import Resources
from fullmakt.altinn.resources.access_lists.service.work import Work, page_unless_unmodified
from fullmakt.altinn.resources.access_lists.store import reading, writing


class Connections:
    """What a list's members may use. Writes answer with the connection, and the list in its version from then on."""

    def __init__(self, work: Work, resources: Resources) -> None:
        self._work = work
        self._resources = resources

    async def page(
        self, reference: ListReference, start: str = "", conditions: Conditions = ALWAYS
    ) -> Page[Connection] | NotModified:
        """A hundred connections by resource, from ``start`` on.

        Raises:
            UnknownListError: there is no such list.
            PreconditionFailedError: it is not what ``conditions`` say.
        """
        async with self._work.reading(reference) as connection:
            found = await reading.connections(connection, reference, start, rules.CONNECTIONS_PER_PAGE + 1)
        return page_unless_unmodified(found, rules.CONNECTIONS_PER_PAGE, conditions)

    async def put(
        self,
        actor: str,
        reference: ListReference,
        resource: str,
        actions: Collection[str],
        conditions: Conditions = ALWAYS,
        *,
        any_owner: bool = False,
    ) -> tuple[AccessList, Connection]:
        """Connect the list to a resource for ``actions`` (none: all of them), or change the connection's filter.

        ``any_owner`` lets the resource be another service owner's.

        Raises:
            InvalidListError: the filter breaks its rule.
            UnknownResourceError: there is no such resource.
            OthersResourceError: it is another's; audited.
            UnknownListError: there is no such list.
            PreconditionFailedError: it is not what ``conditions`` say.
        """
        require_valid_filter(actions)
        await self._require_own(actor, reference, resource, any_owner=any_owner)
        async with self._work.changing(actor, reference, conditions) as change:
            if await writing.connect(change.connection, change.row.id, resource, actions, change.now):
                members = await change.all_members()
                await change.done("access-list:connect", members, resource=resource, actions=sorted(set(actions)))
            return change.row, await writing.connection_to(change.connection, change.row.id, resource)

    async def delete(
        self, actor: str, reference: ListReference, resource: str, conditions: Conditions = ALWAYS
    ) -> tuple[AccessList, Connection | None]:
        """Undo the connection; None instead of it when there was none.

        Raises:
            UnknownListError: there is no such list.
            PreconditionFailedError: it is not what ``conditions`` say.
        """
        async with self._work.changing(actor, reference, conditions) as change:
            possible = resource.isprintable()
            removed = await writing.disconnect(change.connection, change.row.id, resource) if possible else None
            if removed is not None:
                await change.done("access-list:disconnect", await change.all_members(), resource=resource)
            return change.row, removed

    async def _require_own(self, actor: str, reference: ListReference, resource: str, *, any_owner: bool) -> None:
        found = (await self._resources.resources([resource])).get(resource) if resource.isprintable() else None
        if found is None:
            raise UnknownResourceError
        if not any_owner and not rules.may_connect(found, reference.owner, await self._resources.org_codes()):
            facts = {"resource": resource, "resource_owner": found.owner_code}
            await self._work.tell_refusal(actor, "access-list:connect", reference.key, "others_resource", facts)
            raise OthersResourceError


def require_valid_filter(actions: Collection[str]) -> None:
    """Raises:
    InvalidListError: there are too many actions, or one can be none.
    """
    fault = rules.actions_fault(actions)
    if fault is not None:
        raise InvalidListError({"ActionFilters": [fault]})

"""Use cases of the world file, which declares lists as a whole."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from fullmakt.altinn.resources.access_lists.errors import UnknownOwnerError, UnknownResourceError
from fullmakt.altinn.resources.access_lists.model import ALWAYS, DeclaredList, ListReference
from fullmakt.altinn.resources.access_lists.ports import Parties, Resources
from fullmakt.altinn.resources.access_lists.service.connections import require_valid_filter
from fullmakt.altinn.resources.access_lists.service.lists import require_valid, write
from fullmakt.altinn.resources.access_lists.service.members import exchange, identified, resolve
from fullmakt.altinn.resources.access_lists.service.work import Change, Work
from fullmakt.altinn.resources.access_lists.store import reading, writing
from fullmakt.kernel.declarations import Outcome
from fullmakt.wire.altinn.attributes import Attribute

_ALL = 2**31 - 1


class Declarations:
    """Declares lists, and tells what there is in the same terms."""

    def __init__(self, work: Work, parties: Parties, resources: Resources) -> None:
        self._work = work
        self._parties = parties
        self._resources = resources

    async def declare_list(
        self,
        owner: str,
        identifier: str,
        name: str,
        description: str = "",
        *,
        members: Collection[Attribute] = (),
        connections: Mapping[str, Collection[str]] | None = None,
        actor: str = "operator",
    ) -> Outcome:
        """Let there be this list, with these members and no others, connected to these resources and no others.

        ``connections`` maps resources to action filters (an empty one: all actions). What is so already is left alone;
        what is not becomes so in one new version.

        Raises:
            InvalidListError: identifier, name, description or a filter breaks its rule.
            UnknownOwnerError: ``owner`` is no service owner's code.
            UnknownPartyError: the register does not know one of the members.
            UnknownResourceError: there is no such resource.
        """
        reference, connections = ListReference(owner.lower(), identifier), connections or {}
        require_valid(reference, name, description)
        for actions in connections.values():
            require_valid_filter(actions)
        if reference.owner not in await self._resources.org_codes():
            raise UnknownOwnerError
        if connections and not (await self._resources.resources(connections)).keys() >= connections.keys():
            raise UnknownResourceError
        wanted = resolve(members, await self._parties.identify(members) if members else {})
        async with self._work.making(actor, reference, ALWAYS) as change:
            before = set() if change.before is None else await change.all_members()
            changed = await write(change, name, description)
            added, removed = await exchange(change, wanted)
            rewired = await _rewire(change, connections)
            if not (changed or added or removed or rewired):
                return Outcome.UNCHANGED
            concerned = before | wanted if rewired else added | removed
            await change.done(
                "access-list:declare", concerned, name=name, members=len(wanted), resources=[*connections]
            )
            return Outcome.CREATED if change.before is None else Outcome.CHANGED

    async def lists(self, references: Iterable[ListReference] | None = None) -> list[DeclaredList]:
        """Those of the lists that there are (None: all), with all that is in them."""
        async with self._work.reading() as connection:
            if references is None:
                references = await reading.every(connection)
            found = []
            for reference in references:
                connected = await reading.find_connected(connection, reference)
                joined = await reading.members(connection, reference, reading.FIRST, _ALL)
                if connected is not None and joined is not None:
                    found.append((connected, joined[1]))
        return [
            DeclaredList(
                reference=each.reference,
                name=each.name,
                description=each.description,
                members=await identified(self._parties, on_it),
                connections={connection.resource: connection.actions for connection in each.connections or ()},
            )
            for each, on_it in found
        ]


async def _rewire(change: Change, connections: Mapping[str, Collection[str]]) -> bool:
    """Let the list that is held have these connections and no others; False when it had them."""
    connection, list_id = change.connection, change.row.id
    rewired = await writing.disconnect_others(connection, list_id, connections)
    for resource, actions in connections.items():
        rewired |= await writing.connect(connection, list_id, resource, actions, change.now)
    return rewired

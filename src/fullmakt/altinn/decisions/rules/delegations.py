"""Which delegation, if any, gives a right: the chain that it stands on is looked at anew in every decision."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from uuid import UUID

from fullmakt.wire.altinn.delegations import MAX_LINKS, DelegatedRight

Chain = tuple[DelegatedRight, ...]
"""A delegation and those it stands on, up to the giver's own."""


def find_chain(
    rights: Iterable[DelegatedRight], receivers: Collection[UUID], actions: Iterable[str], instances: Collection[str]
) -> Chain | None:
    """The first delegation to one of ``receivers`` that holds, with its chain; None when there is none.

    ``actions`` are all to be covered, whatever their case. A delegation of one instance counts for that instance alone
    (§7).
    """
    wanted = frozenset(action.lower() for action in actions)
    if not wanted:
        return None
    by_id = {right.delegation_id: right for right in rights}
    for right in by_id.values():
        if right.receiver in receivers and _covers(right, wanted, instances):
            chain = _chain(right, by_id, wanted, instances)
            if chain is not None:
                return chain
    return None


def _covers(right: DelegatedRight, actions: frozenset[str], instances: Collection[str]) -> bool:
    if right.instance is not None and right.instance not in instances:
        return False
    return actions <= {action.lower() for action in right.actions}


def _chain(
    right: DelegatedRight, by_id: Mapping[UUID, DelegatedRight], actions: frozenset[str], instances: Collection[str]
) -> Chain | None:
    """The delegations that ``right`` stands on; None when one is gone, no longer covers it, or is not its giver's."""
    chain = [right]
    while right.passed_on_from is not None:
        above = by_id.get(right.passed_on_from)
        if (
            above is None
            or len(chain) >= MAX_LINKS
            or above in chain
            or above.receiver != right.given_by
            or (above.giver, above.resource) != (right.giver, right.resource)
            or not _covers(above, actions, instances)
        ):
            return None
        chain.append(above)
        right = above
    return tuple(chain) if right.given_by == right.giver else None

"""Giving, passing on and taking back, inside a use case's transaction.

Every change to what one party has given waits for the one before it (``store.lock_giver``): two equal delegations at
once become one, and a withdrawal finds all that stands on what it takes.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from fullmakt.altinn.delegations import rules, store
from fullmakt.altinn.delegations.errors import DelegationRefusedError, UnknownDelegationError
from fullmakt.altinn.delegations.model import Offer, Performer, Selection, StoredRight
from fullmakt.altinn.delegations.work import Change
from fullmakt.kernel.declarations import Outcome
from fullmakt.wire.altinn.delegations import DelegatedRight


async def give(change: Change, offer: Offer, by: Performer, *, exactly: bool = False) -> Outcome:
    """Let the offer stand. Actions already given are kept unless it is meant ``exactly``.

    Raises:
        DelegationRefusedError: it can not be passed on so.
        UnknownDelegationError: what it stands on is not in force.
    """
    await store.lock_giver(change.connection, offer.giver)
    given_by = await _given_by(change, offer)
    known = await store.same(change.connection, offer)
    if known is not None and _is_of_another(offer, known[2]):
        await _take(change, [known[0]], None, by)
        known = None
    if known is None:
        delegation_id = change.fresh_id()
        await store.insert(change.connection, delegation_id, offer, given_by, by, change.now)
        _tell(change, "delegation:create", by, delegation_id, offer, given_by)
        return Outcome.CREATED
    delegation_id, before, _ = known
    superfluous = before - offer.actions if exactly else frozenset()
    if superfluous:
        await _take(change, [delegation_id], superfluous, by)
    if offer.actions <= before:
        return Outcome.CHANGED if superfluous else Outcome.UNCHANGED
    await store.set_actions(change.connection, delegation_id, (before - superfluous) | offer.actions, change.now)
    _tell(change, "delegation:change", by, delegation_id, offer, given_by)
    return Outcome.CHANGED


async def _given_by(change: Change, offer: Offer) -> UUID:
    if offer.passed_on_from is None:
        return offer.giver
    links = await store.chain(change.connection, offer.passed_on_from)
    chain = rules.chain_to(links, offer.passed_on_from)
    if not chain or chain[-1].giver != offer.giver or any(_is_of_another(offer, link.created) for link in chain):
        raise UnknownDelegationError("what is to be passed on is not in force")
    fault = rules.passing_fault(chain, offer.receiver, offer.resource, offer.actions, offer.instance)
    if fault is not None:
        raise DelegationRefusedError(*fault)
    return chain[-1].receiver


def _is_of_another(offer: Offer, created: datetime) -> bool:
    """True for what was delegated of a resource of the same name that has been deleted since."""
    return offer.registered is not None and created < offer.registered


async def take(change: Change, selection: Selection, by: Performer) -> int:
    """Take back what the selection names, and what has been passed on of it; the number of delegations concerned."""
    await store.lock_giver(change.connection, selection.giver)
    found = await store.selected(change.connection, selection)
    meant = [one.right for one in found if _concerns(one.right, selection.actions)]
    if not meant:
        return 0
    return await _take(change, [right.delegation_id for right in meant], selection.actions, by)


async def take_all_but(change: Change, selection: Selection, kept: Collection[str], by: Performer) -> int:
    """Take back what the selection names, the actions ``kept`` excepted; the number of delegations concerned."""
    await store.lock_giver(change.connection, selection.giver)
    found = await store.selected(change.connection, selection)
    superfluous = {action for one in found for action in one.right.actions}.difference(kept)
    return await take(change, replace(selection, actions=superfluous), by) if superfluous else 0


async def _take(change: Change, delegation_ids: Iterable[UUID], actions: Collection[str] | None, by: Performer) -> int:
    """Down the whole tree: whoever gave on what is taken away has given what is no longer there."""
    tree = [one for one in await store.tree(change.connection, list(delegation_ids)) if _concerns(one.right, actions)]
    await store.take(change.connection, [one.right.delegation_id for one in tree], actions, change.now)
    for one in tree:
        right = one.right
        ended = actions is None or right.actions <= frozenset(actions)
        change.tell(
            by.actor,
            "delegation:withdraw" if ended else "delegation:narrow",
            str(right.delegation_id),
            *keys(one),
            **_facts(right, right.actions if actions is None else right.actions & frozenset(actions)),
        )
    return len(tree)


def _concerns(right: DelegatedRight, actions: Collection[str] | None) -> bool:
    return actions is None or not right.actions.isdisjoint(actions)


def keys(stored: StoredRight) -> tuple[str, ...]:
    """What the feed calls those whom a delegation concerns."""
    both = (f"to:{stored.right.receiver}", f"from:{stored.right.giver}")
    return (*both, f"supplier:{stored.api.supplier}") if stored.api else both


def _tell(change: Change, action: str, by: Performer, delegation_id: UUID, offer: Offer, given_by: UUID) -> None:
    right = DelegatedRight(
        delegation_id=delegation_id,
        giver=offer.giver,
        receiver=offer.receiver,
        resource=offer.resource,
        actions=offer.actions,
        instance=offer.instance,
        given_by=given_by,
        passed_on_from=offer.passed_on_from,
        created=change.now,
    )
    named = keys(StoredRight(right, by.actor, by.user_id, offer.api))
    change.tell(by.actor, action, str(delegation_id), *named, **_facts(right, right.actions))


def _facts(right: DelegatedRight, actions: Collection[str]) -> dict[str, object]:
    return {
        "giver": str(right.giver),
        "receiver": str(right.receiver),
        "resource": right.resource,
        "actions": sorted(actions),
        "given_by": str(right.given_by),
    }

"""What can be delegated, and passed on. Pure functions: a fault as reason and words, or None."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from uuid import UUID

from fullmakt.kernel.text import is_name
from fullmakt.wire.altinn.attributes import ACTION
from fullmakt.wire.altinn.delegations import MAX_LINKS as MAX_LINKS
from fullmakt.wire.altinn.delegations import DelegatedRight, RightsQuestion
from fullmakt.wire.altinn.policy import Effect, Policy
from fullmakt.wire.altinn.resources import MASKINPORTEN_SCHEMA, RegisteredResource

SCOPE_ACCESS = "ScopeAccess"
"""The one action of a resource of type MaskinportenSchema (altinn-authorization.md §9)."""
MAX_ACTIONS = 200

Fault = tuple[str, str]


def offer_fault(
    giver: UUID, receiver: UUID, resource: str, actions: Collection[str], instance: str | None
) -> Fault | None:
    """What is wrong with a delegation by itself."""
    if giver == receiver:
        return "to_oneself", "nobody delegates to itself"
    if not is_name(resource):
        return "invalid_resource", "a resource is named by its identifier"
    if not actions or len(actions) > MAX_ACTIONS:
        return "no_actions", f"a delegation names 1 to {MAX_ACTIONS} actions"
    if not all(map(is_name, actions)):
        return "invalid_action", "an action is a name without control characters"
    if instance is not None and not is_name(instance):
        return "invalid_instance", "an instance is named by its URN"
    return None


def passing_fault(
    chain: Sequence[DelegatedRight], receiver: UUID, resource: str, actions: Collection[str], instance: str | None
) -> Fault | None:
    """What is wrong with passing on the last of ``chain``, which begins with the giver's own delegation."""
    held = chain[-1]
    if held.resource != resource:
        return "other_resource", "what is passed on is a right on another resource"
    if held.instance is not None and held.instance != instance:
        return "other_instance", "what is passed on is a right on one instance alone"
    if not held.actions.issuperset(actions):
        return "not_held", "nobody passes on more than was given"
    if receiver == held.giver or any(receiver == link.receiver for link in chain):
        return "cycle", "the receiver stands in the chain already"
    if len(chain) >= MAX_LINKS:
        return "too_long", f"a right is passed on {MAX_LINKS - 1} times at the most"
    return None


def chain_to(links: Collection[DelegatedRight], delegation_id: UUID) -> list[DelegatedRight]:
    """The links from the giver's own delegation to ``delegation_id``, empty when one of them is not in force."""
    by_id = {link.delegation_id: link for link in links}
    chain: list[DelegatedRight] = []
    following: UUID | None = delegation_id
    while following is not None:
        link = by_id.pop(following, None)
        if link is None:
            return []
        chain.append(link)
        following = link.passed_on_from
    return chain[::-1]


def answers_to(
    questions: Collection[RightsQuestion], rights: Sequence[DelegatedRight]
) -> dict[RightsQuestion, tuple[DelegatedRight, ...]]:
    """To each question those of ``rights`` that it is about, and the links that they stand on, in the order of
    ``rights``."""
    places = {right.delegation_id: place for place, right in enumerate(rights)}
    given: dict[tuple[UUID, UUID, str], list[int]] = {}
    for place, right in enumerate(rights):
        given.setdefault((right.receiver, right.giver, right.resource), []).append(place)

    def answer(receivers: Collection[UUID], giver: UUID, resource: str) -> list[int]:
        told: set[int] = set()
        for receiver in receivers:
            for start in given.get((receiver, giver, resource), ()):
                place: int | None = start
                while place is not None and place not in told:
                    told.add(place)
                    above = rights[place].passed_on_from
                    place = None if above is None else places.get(above)
        return sorted(told)

    return {question: tuple(rights[place] for place in answer(*question)) for question in questions}


def carries_scopes(resource: RegisteredResource, permitted: Collection[str], delegated: datetime) -> bool:
    """True when an API delegation of ``resource`` made at ``delegated`` lets its receiver fetch tokens.

    ``permitted`` are the actions of the resource's policy, in whatever case it writes them. What was delegated of a
    resource that has been deleted since says nothing of the one that was registered in its place.
    """
    return (
        resource.resource_type == MASKINPORTEN_SCHEMA
        and any(action.lower() == SCOPE_ACCESS.lower() for action in permitted)
        and (resource.registered is None or delegated >= resource.registered)
    )


def permitted_actions(policy: Policy) -> frozenset[str]:
    """The actions that some rule permits to somebody."""
    return frozenset(
        match.value
        for rule in policy.rules
        if rule.effect is Effect.PERMIT
        for any_of in rule.target
        for all_of in any_of
        for match in all_of
        if match.attribute_id == ACTION
    )

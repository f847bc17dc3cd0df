"""What facts are remembered by: which are asked for together, and which changes make them others."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

FactKey = tuple[Any, ...]
"""A word for the kind of fact, and what it is about."""


def question_of(key: FactKey) -> FactKey:
    """The same for all facts that a neighbour tells in one answer."""
    match key:
        case ("identity", _):
            return ("identity",)
        case ("held", _, party):
            return ("held", party)
        case ("memberships", party, _):
            return ("memberships", party)
        case ("packages", _, giver):
            return ("packages", giver)
        case ("system-user", _):
            return ("system-user",)
        case ("rights", *_):
            return ("rights",)
    return key


def tags_of(key: FactKey, fact: Any) -> Iterable[str]:
    """The changes that make a fact another."""
    match key:
        case ("identity", _):
            return (f"party:{fact.identity.party_uuid}",)
        case ("held", holder, party):
            return (f"party:{holder}", f"party:{party}")
        case ("key-roles", person):
            # A sub-unit that comes under one of the organisations adds itself, and names only itself on the feed.
            return (f"party:{person}", "organisations")
        case ("memberships", party, _):
            return (f"member:{party}",)
        case ("packages", receiver, giver):
            # What came through a facilitator counts for as long as the register says that it holds that in the giver.
            return (f"from:{giver}", f"to:{receiver}", f"party:{giver}")
        case ("system", client_id, party):
            # An agent acts for the party for as long as its owner holds there what the agent was given.
            return (f"client:{client_id}", f"from:{party}", f"party:{party}")
        case ("system-user", uuid):
            return (f"systemuser:{uuid}", f"system:{fact.system_id}")
        case ("rights", receivers, giver, _):
            return (f"from:{giver}", *(f"to:{receiver}" for receiver in receivers))
    return ()


def tags_of_change(changed: str) -> Iterable[str]:
    """What a changed key of the feeds is a change to."""
    if changed.startswith("organisation:"):
        return (changed, "organisations")
    if changed.startswith("client:"):
        return (changed.lower(),)
    return (changed,)

"""The reverse questions: who can do this, what can they do, and on what (``fullmakt who-can``, AuthZEN's searches).

A search gathers candidates, all that can be permitted and some that are not, and decides about each as about any other
question; so it finds exactly what a decision permits.
"""

from __future__ import annotations

import asyncio
import itertools
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from uuid import UUID

from fullmakt.altinn.decisions.deciding import TOGETHER, decide_parts, receivers_of
from fullmakt.altinn.decisions.memory import Memory
from fullmakt.altinn.decisions.model import Decision
from fullmakt.altinn.decisions.ports import Delegations, Parties, PolicyIndex
from fullmakt.altinn.decisions.questions import subject_of
from fullmakt.altinn.decisions.rules.request import SUBJECT_IDS
from fullmakt.altinn.decisions.thin import acting_subjects
from fullmakt.wire.altinn import attributes as ids
from fullmakt.wire.altinn.attributes import Attribute
from fullmakt.wire.altinn.parties import PartyIdentity, PartyKind
from fullmakt.wire.altinn.xacml_json import Part, RequestAttribute, RequestCategory

MAX_LOOKED_AT = 1_000
"""Candidates that one page of a search decides about; what is left is for the next page."""

Asking = Callable[[str], Part]
"""The question about one candidate, by its name."""


@dataclass(frozen=True, slots=True)
class Neighbours:
    """Whom a search asks beside what decisions remember."""

    parties: Parties
    delegations: Delegations
    index: PolicyIndex


@dataclass(frozen=True, slots=True)
class Page:
    """The part of an answer that is wanted: at most ``limit`` of those whose names come after ``after``."""

    after: str = ""
    limit: int = 100


@dataclass(frozen=True, slots=True)
class Found:
    """One page of an answer, in the order of names.

    ``reasons`` counts the decisions by their reason. ``last`` is the name after which the next page begins, None when
    there is none; ``first`` says that nothing came before this one.
    """

    permitted: Mapping[str, Decision]
    looked_at: int
    reasons: Mapping[str, int]
    first: bool
    last: str | None


@dataclass(frozen=True, slots=True)
class Able:
    """Somebody who can: ``who`` names them as a subject is named; ``party`` is None for a system user.

    ``decision`` says by which rule or delegation; ``roles`` are the roles and packages that they hold in the party by
    the register, and the packages that it gave them.
    """

    who: Attribute
    party: PartyIdentity | None
    decision: Decision
    roles: tuple[Attribute, ...] = ()


@dataclass(frozen=True, slots=True)
class WhoCan:
    """Those who can; ``complete`` is false when there are so many to look at that some were not."""

    able: Sequence[Able]
    complete: bool


@dataclass(frozen=True, slots=True)
class Related:
    """Somebody who has to do with a party or a policy; ``identity`` is None for a system user."""

    identity: PartyIdentity | None
    roles: tuple[Attribute, ...] = ()


def part_of(subject: Iterable[Attribute], action: str, resource: str, party: UUID | None) -> Part:
    """A part of a request, of our own making."""
    named = [RequestAttribute(ids.RESOURCE, resource)]
    if party is not None:
        named.append(RequestAttribute(ids.PARTY_UUID, str(party)))
    return (
        RequestCategory(ids.SUBJECT_CATEGORY, tuple(RequestAttribute(one.id, one.value) for one in subject)),
        RequestCategory(ids.ACTION_CATEGORY, (RequestAttribute(ids.ACTION, action),)),
        RequestCategory(ids.RESOURCE_CATEGORY, tuple(named)),
    )


def name_of(party: PartyIdentity) -> Attribute:
    """How a party is named as a subject."""
    if party.kind is PartyKind.PERSON:
        return Attribute(ids.PERSON_UUID, str(party.party_uuid))
    return Attribute(ids.ORGANISATION, str(party.orgno))


async def who_can(
    action: str, resource: str, party: UUID, *, memory: Memory, neighbours: Neighbours
) -> tuple[list[Able], Found]:
    """Everybody who is permitted and has to do with the party or the policy, in the order of the register; and the
    decisions about them, and about those who are not permitted.

    Those who act for an organisation by a key role are not listed one by one: the organisation stands for them. Looked
    at are the first thousand; ``last`` names the last of them where there are more.
    """
    related = await _related(resource, party, memory, neighbours)
    candidates = dict(itertools.islice(related.items(), MAX_LOOKED_AT))
    parts = [part_of([name], action, resource, party) for name in candidates]
    decisions = [decision async for decision in decide_parts(parts, memory)]
    able = [
        Able(name, one.identity, decision, one.roles)
        for (name, one), decision in zip(candidates.items(), decisions, strict=True)
        if decision.permitted
    ]
    reasons = Counter(str(decision.reason) for decision in decisions)
    last = next(reversed(candidates)).urn if len(candidates) < len(related) else None
    return able, Found({one.who.urn: one.decision for one in able}, len(decisions), reasons, first=True, last=last)


async def permitted_subjects(
    wanted: str, asking: Asking, resource: str, party: UUID, page: Page, *, memory: Memory, neighbours: Neighbours
) -> Found:
    """Who is permitted, by their names of the attribute ``wanted``.

    Looked at are all who hold something in the party or were given something by it, those who act for one of them by a
    key role, and whom the policy names. A policy that is open to anybody is so to many more.
    """
    names: set[str] = set()
    if wanted == ids.SERVICE_OWNER:
        known = await memory.resource(resource)
        subjects = known.policy.subjects if known is not None and known.policy is not None else ()
        names = {one.value for one in subjects if one.id == wanted}
    else:
        related = await _related(resource, party, memory, neighbours)
        for who, one in related.items():
            names |= _named(who, one.identity, wanted)
        for person in await _acting_for(related.values(), neighbours):
            names |= _named(name_of(person), person, wanted)
    return await _look_at(names, asking, page, memory)


async def permitted_actions(
    subject: Sequence[Attribute], resource: str, party: UUID | None, memory: Memory
) -> dict[str, Decision]:
    """A decision for each action that the resource's policy names, of the first thousand of them by name."""
    actions = sorted(await _actions(resource, memory))[:MAX_LOOKED_AT]
    parts = [part_of(subject, action, resource, party) for action in actions]
    decisions = [decision async for decision in decide_parts(parts, memory)]
    return dict(zip(actions, decisions, strict=True))


async def permitted_among_actions(asking: Asking, resource: str, page: Page, memory: Memory) -> Found:
    """Those of the actions that the resource's policy names."""
    return await _look_at(await _actions(resource, memory), asking, page, memory)


async def permitted_resources(
    subject: list[RequestAttribute], asking: Asking, party: UUID, page: Page, *, memory: Memory, neighbours: Neighbours
) -> Found:
    """The resources on which ``subject`` is permitted to act for ``party``.

    Looked at are those whose policies name what the subject is, holds or was given, itself or by a key role; those
    whose policies permit whom they do not name; and those of which it was given something.

    Raises:
        RefusedQuestionError: the subject makes no sense.
    """
    resources = set(await neighbours.index.permitting_unnamed())
    for one in await acting_subjects(subject, party, memory):
        resources |= await _within_reach(one, party, memory, neighbours)
    return await _look_at(resources, asking, page, memory)


async def _within_reach(
    subject: list[RequestAttribute], party: UUID, memory: Memory, neighbours: Neighbours
) -> set[str]:
    """The resources whose policies name something of the subject's, and those of which it was given something."""
    who, called = await subject_of(subject, memory)
    receivers = await receivers_of(who, memory)
    urns = {one.urn for one in called}
    resources: set[str] = set()
    if receivers and who.uuid is not None:
        rights = (await memory.held(who.uuid, party)).held
        urns |= {one.urn for one in rights.roles}
        for both in await memory.packages_of(receivers, party):
            urns |= {f"{name}:{value}" for each in both for name, values in each.by_id.items() for value, _ in values}
        given = await neighbours.delegations.givers_to(receivers)
        resources = {right.resource for right in given if right.giver == party}
    for named in await neighbours.index.by_subjects(urns):
        resources.update(named.resources)
    return resources


async def represented(person: UUID, *, memory: Memory, neighbours: Neighbours) -> list[PartyIdentity]:
    """The parties that a person can act for in something: itself, its key-role organisations, those in which it or one
    of these holds something by the register, and those who gave it or one of these a right or an access package."""
    organisations = await memory.key_role_organisations(person)
    holders = (person, *organisations)
    found = dict.fromkeys(holders)
    for start in range(0, len(holders), TOGETHER):
        held = await asyncio.gather(*map(neighbours.parties.held_by, holders[start : start + TOGETHER]))
        found.update(dict.fromkeys(party.party_uuid for parties in held for party, _ in parties))
    found.update(dict.fromkeys(right.giver for right in await neighbours.delegations.givers_to(holders)))
    packages = await neighbours.delegations.delegated_packages(receivers=holders)
    found.update(dict.fromkeys(package.giver for package in packages))
    names = [Attribute(ids.PARTY_UUID, str(party)) for party in found]
    known = await memory.identities(names)
    return [known[name].identity for name in names if name in known]


async def _look_at(candidates: Iterable[str], asking: Asking, page: Page, memory: Memory) -> Found:
    """Decide about candidates in the order of their names, until the page is full or has looked at enough."""
    names = sorted(name for name in candidates if name > page.after)
    shown = names[: MAX_LOOKED_AT if page.limit else 0]
    permitted: dict[str, Decision] = {}
    reasons: Counter[str] = Counter()
    looked_at = 0
    async with aclosing(decide_parts([asking(name) for name in shown], memory)) as decisions:
        async for decision in decisions:
            reasons[str(decision.reason)] += 1
            if decision.permitted:
                permitted[shown[looked_at]] = decision
            looked_at += 1
            if len(permitted) == page.limit:
                break
    last = names[looked_at - 1] if 0 < looked_at < len(names) else None
    return Found(permitted, looked_at, reasons, first=not page.after, last=last)


async def _related(resource: str, party: UUID, memory: Memory, neighbours: Neighbours) -> dict[Attribute, Related]:
    """Those who have to do with the party, or are named by the policy, by their names as subjects."""
    found: dict[Attribute, Related] = {}
    for identity, held in await neighbours.parties.holders(party):
        found[name_of(identity)] = Related(identity, tuple(sorted(held.roles | held.packages)))
    given: dict[UUID, set[Attribute]] = {
        right.receiver: set() for right in await neighbours.delegations.rights_on(party, resource)
    }
    for package in await neighbours.delegations.delegated_packages(giver=party):
        given.setdefault(package.receiver, set()).add(Attribute(ids.ACCESS_PACKAGE, package.package))
    known = await memory.identities([Attribute(ids.PARTY_UUID, str(receiver)) for receiver in given])
    for receiver, packages in given.items():
        one = known.get(Attribute(ids.PARTY_UUID, str(receiver)))
        name = Attribute(ids.SYSTEM_USER, str(receiver)) if one is None else name_of(one.identity)
        before = found.get(name) or Related(None if one is None else one.identity)
        found[name] = Related(before.identity, (*before.roles, *sorted(packages.difference(before.roles))))
    for name, related in (await _named_by_policy(resource, memory)).items():
        found.setdefault(name, related)
    return found


async def _named_by_policy(resource: str, memory: Memory) -> dict[Attribute, Related]:
    known = await memory.resource(resource)
    subjects = sorted(known.policy.subjects) if known is not None and known.policy is not None else []
    found = {one: Related(None) for one in subjects if one.id == ids.SYSTEM_USER}
    identities = await memory.identities([one for one in subjects if one.id in SUBJECT_IDS])
    return found | {name_of(one.identity): Related(one.identity) for one in identities.values()}


async def _acting_for(related: Iterable[Related], neighbours: Neighbours) -> Sequence[PartyIdentity]:
    """The people who act by a key role for an organisation among ``related``."""
    identities = [one.identity for one in related if one.identity is not None]
    organisations = [one.party_uuid for one in identities if one.kind is PartyKind.ORGANISATION]
    return await neighbours.parties.key_role_people(organisations) if organisations else ()


def _named(who: Attribute, party: PartyIdentity | None, wanted: str) -> set[str]:
    """The name of somebody by the attribute asked for, if they have one such."""
    if who.id == wanted:
        return {who.value}
    if party is None:
        return set()
    is_organisation = party.kind is PartyKind.ORGANISATION
    names = {
        ids.PARTY_ID: party.party_id,
        ids.PARTY_UUID: party.party_uuid,
        ids.USER_ID: party.user_id,
        ids.ORGANISATION_OLD: party.orgno,
        ids.ORGANISATION_UUID: party.party_uuid if is_organisation else None,
    }
    name = names.get(wanted)
    return set() if name is None else {str(name)}


async def _actions(resource: str, memory: Memory) -> frozenset[str]:
    known = await memory.resource(resource)
    return known.policy.actions if known is not None and known.policy is not None else frozenset()

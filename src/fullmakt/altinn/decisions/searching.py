"""The reverse questions: who can do this, what can they do, and where (``fullmakt who-can``, AuthZEN's searches)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

from fullmakt.altinn.decisions.deciding import decide_part, receivers_of
from fullmakt.altinn.decisions.memory import Memory
from fullmakt.altinn.decisions.model import Decision
from fullmakt.altinn.decisions.ports import Delegations, Parties, PolicyIndex
from fullmakt.altinn.decisions.questions import subject_of
from fullmakt.wire.altinn import attributes as ids
from fullmakt.wire.altinn.attributes import Attribute
from fullmakt.wire.altinn.parties import PartyIdentity, PartyKind
from fullmakt.wire.altinn.xacml_json import Part, RequestAttribute, RequestCategory


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
    action: str, resource: str, party: UUID, *, memory: Memory, parties: Parties, delegations: Delegations
) -> list[Able]:
    """Everybody known by the register or by a delegation who is permitted, in the order of the register.

    Those who act for an organisation by a key role are not listed one by one: the organisation stands for them.
    """
    candidates: dict[Attribute, tuple[PartyIdentity | None, tuple[Attribute, ...]]] = {}
    for identity, held in await parties.holders(party):
        candidates[name_of(identity)] = (identity, tuple(sorted(held.roles | held.packages)))
    given: dict[UUID, set[Attribute]] = {
        right.receiver: set() for right in await delegations.rights_on(party, resource)
    }
    for package in await delegations.delegated_packages(giver=party):
        given.setdefault(package.receiver, set()).add(Attribute(ids.ACCESS_PACKAGE, package.package))
    known = await memory.identities([Attribute(ids.PARTY_UUID, str(receiver)) for receiver in given])
    for receiver, packages in given.items():
        found = known.get(Attribute(ids.PARTY_UUID, str(receiver)))
        name = Attribute(ids.SYSTEM_USER, str(receiver)) if found is None else name_of(found.identity)
        who, roles = candidates.get(name, (None if found is None else found.identity, ()))
        candidates[name] = (who, (*roles, *sorted(packages.difference(roles))))
    able: list[Able] = []
    for name, (who, roles) in candidates.items():
        decision = await decide_part(part_of([name], action, resource, party), memory, external=True)
        if decision.permitted:
            able.append(Able(name, who, decision, roles))
    return able


async def permitted_actions(
    subject: Sequence[Attribute], resource: str, party: UUID | None, memory: Memory
) -> dict[str, Decision]:
    """A decision for each action that the resource's policy names."""
    known = await memory.resource(resource)
    actions = sorted(known.policy.actions) if known is not None and known.policy is not None else []
    return {
        action: await decide_part(part_of(subject, action, resource, party), memory, external=True)
        for action in actions
    }


async def permitted_resources(
    subject: list[RequestAttribute],
    action: str,
    party: UUID,
    *,
    memory: Memory,
    index: PolicyIndex,
    delegations: Delegations,
) -> dict[str, Decision]:
    """The resources on which ``subject`` may do ``action`` for ``party``, each with its decision.

    Looked at are those whose policies name what the subject is or holds, and those of which it was given something; a
    resource that is open to whoever asks is not found.

    Raises:
        RefusedQuestionError: the subject makes no sense.
    """
    who, called = await subject_of(subject, memory)
    held = [] if who.uuid is None else [(await memory.held(who.uuid, party)).held]
    urns = {one.urn for one in called if one.id != ids.PERSON}
    urns |= {one.urn for rights in held for one in rights.roles | rights.packages}
    receivers = await receivers_of(who, memory)
    given = await delegations.givers_to(receivers) if receivers else ()
    candidates = {right.resource for right in given if right.giver == party}
    for named in await index.by_subjects(urns):
        candidates.update(named.resources)
    permitted: dict[str, Decision] = {}
    for resource in sorted(candidates):
        part = part_of([Attribute(one.id, one.value) for one in subject], action, resource, party)
        decision = await decide_part(part, memory, external=True)
        if decision.permitted:
            permitted[resource] = decision
    return permitted


async def represented(person: UUID, *, memory: Memory, delegations: Delegations) -> list[PartyIdentity]:
    """The parties that a person can act for in something: itself, its key-role organisations, who gave it rights."""
    organisations = await memory.key_role_organisations(person)
    given = await delegations.givers_to((person, *organisations))
    parties = dict.fromkeys([person, *organisations, *(right.giver for right in given)])
    names = [Attribute(ids.PARTY_UUID, str(party)) for party in parties]
    known = await memory.identities(names)
    return [known[name].identity for name in names if name in known]

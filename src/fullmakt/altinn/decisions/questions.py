"""A part of a request, and all that has to be known to decide it (altinn-authorization.md §6)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from fullmakt.altinn.decisions.errors import RefusedQuestionError
from fullmakt.altinn.decisions.memory import KnownParty, KnownResource, Memory
from fullmakt.altinn.decisions.model import AttributeSet, Question, Reason
from fullmakt.altinn.decisions.rules import CompiledPolicy
from fullmakt.altinn.decisions.rules.request import PARTY_IDS, SUBJECT_IDS, Asked, read_part, system_user_of
from fullmakt.wire.altinn import attributes as ids
from fullmakt.wire.altinn.attributes import Attribute
from fullmakt.wire.altinn.parties import PartyIdentity, PartyKind
from fullmakt.wire.altinn.xacml_json import Part, RequestAttribute

ROLE_IDS = frozenset({ids.ROLE_CODE, ids.ROLE_CCR, ids.ROLE_CRA, ids.ROLE, "urn:digitaltdodsbo:rolecode"})
_CONSENT_IDS = frozenset({ids.PARTY_TYPE, ids.ACCESS_LIST})


@dataclass(frozen=True, slots=True)
class Subject:
    """Who asks: a person, an organisation, both (a person at work), a system user, or somebody nobody knows.

    ``uuid`` is whom a delegation would be to: the person before the organisation (§7). ``ended`` is true of a system
    user that is deleted, or whose system is.
    """

    person: KnownParty | None = None
    organisation: KnownParty | None = None
    system_user: UUID | None = None
    ended: bool = False

    @property
    def known(self) -> KnownParty | None:
        """The one who acts."""
        return self.person or self.organisation

    @property
    def uuid(self) -> UUID | None:
        """See above."""
        known = self.person or self.organisation
        return self.system_user if known is None else known.identity.party_uuid

    @property
    def kind(self) -> str:
        """``person``, ``organization``, ``systemuser`` or ``unknown``."""
        known = self.known
        if known is not None:
            return known.identity.kind.value
        return "systemuser" if self.system_user is not None else "unknown"


@dataclass(frozen=True, slots=True)
class PreparedQuestion:
    """A question with its facts; ``question`` holds what the engine compares."""

    part: Part
    asked: Asked
    subject: Subject
    party: PartyIdentity | None
    """Whom the subject wants to act for."""
    known: KnownResource
    policy: CompiledPolicy
    question: Question

    def with_subject(self, more: AttributeSet) -> Question:
        """The question, for a subject that is more."""
        categories = dict(self.question.categories)
        categories[ids.SUBJECT_CATEGORY] = (*categories[ids.SUBJECT_CATEGORY], more)
        return Question(categories)


async def prepare(part: Part, memory: Memory, *, external: bool) -> PreparedQuestion:
    """Find out who and what a part of a request is about.

    Raises:
        RefusedQuestionError: it makes no sense, or there is no policy to decide it by.
    """
    asked = read_part(part, external=external)
    names = {Attribute(one.id, one.value) for one in asked.subject if one.id in SUBJECT_IDS}
    identities = await memory.identities(names | asked.party_names)
    subject = _subject(asked.subject, names, identities)
    if subject.system_user is not None and await memory.has_ended(subject.system_user):
        subject = replace(subject, ended=True)
    party = _party(asked.party_names, identities)
    known = await memory.resource(asked.identifier)
    policy = _policy(known)
    assert known is not None  # noqa: S101 - _policy has refused what is not registered
    sets = [_attributes(asked.subject), *_old_names(asked.subject)]
    sets += [known.as_subject for known in (subject.person, subject.organisation) if known is not None]
    sets += await _held(policy, subject, party, asked, memory)
    resource = [_attributes(asked.resource)]
    resource += [_attributes(asked.extra)] if asked.extra else []
    resource += [party.as_party] if party is not None else []
    categories: dict[str, Sequence[AttributeSet]] = {
        category: (_attributes(attributes),) for category, attributes in asked.others.items()
    }
    categories[ids.SUBJECT_CATEGORY] = sets
    categories[ids.RESOURCE_CATEGORY] = resource
    identity = party.identity if party is not None else None
    return PreparedQuestion(part, asked, subject, identity, known, policy, Question(categories))


async def subject_of(attributes: list[RequestAttribute], memory: Memory) -> tuple[Subject, list[Attribute]]:
    """Who is meant, and everything that they are called; for searches. An enterprise system is no party.

    Raises:
        RefusedQuestionError: it makes no sense.
    """
    attributes = [one for one in attributes if one.id == ids.ENTERPRISE_SYSTEM] or attributes
    names = {Attribute(one.id, one.value) for one in attributes if one.id in SUBJECT_IDS}
    subject = _subject(attributes, names, await memory.identities(names))
    own = [Attribute(one.id, one.value) for one in attributes]
    known = [one.as_subject for one in (subject.person, subject.organisation) if one is not None]
    sets = [*known, *_old_names(attributes)]
    also = [Attribute(name, value) for one in sets for name, values in one.by_id.items() for value, _ in values]
    return subject, [*own, *also]


async def party_of(names: Iterable[Attribute], memory: Memory) -> PartyIdentity | None:
    """The party meant; None when nobody knows.

    Raises:
        RefusedQuestionError: there is more than one.
    """
    wanted = {name for name in names if name.id in PARTY_IDS}
    known = _party(wanted, await memory.identities(wanted))
    return known.identity if known is not None else None


def _attributes(attributes: Iterable[RequestAttribute]) -> AttributeSet:
    return AttributeSet((one.id, one.value, one.data_type) for one in attributes)


def _policy(known: KnownResource | None) -> CompiledPolicy:
    if known is None:
        raise RefusedQuestionError(Reason.UNKNOWN_RESOURCE, "nobody has registered the resource")
    if known.policy is None:
        if known.fault:
            raise RefusedQuestionError(Reason.BROKEN_POLICY, f"the resource's policy can not be read: {known.fault}")
        raise RefusedQuestionError(Reason.NO_POLICY, "the resource has no policy")
    return known.policy


def _subject(
    attributes: list[RequestAttribute], names: Iterable[Attribute], identities: Mapping[Attribute, KnownParty]
) -> Subject:
    found: dict[PartyKind, KnownParty] = {}
    for name in names:
        known = identities.get(name)
        if known is None:
            if name.id == ids.PERSON:
                raise RefusedQuestionError(Reason.INVALID_SUBJECT, "Invalid person-id")
            continue
        kind = known.identity.kind
        if found.setdefault(kind, known).identity.party_uuid != known.identity.party_uuid:
            raise RefusedQuestionError(Reason.INVALID_SUBJECT, f"the subject names more than one {kind}")
    return Subject(found.get(PartyKind.PERSON), found.get(PartyKind.ORGANISATION), system_user_of(attributes))


def _party(names: set[Attribute], identities: Mapping[Attribute, KnownParty]) -> KnownParty | None:
    """Whom the subject wants to act for; None when nobody knows (§6, 4)."""
    parties = {identities[name].identity.party_uuid: identities[name] for name in names if name in identities}
    if not parties:
        return None
    if len(parties) > 1 or any(name not in identities for name in names):
        raise RefusedQuestionError(Reason.INVALID_PARTY, "the resource names more than one party")
    return next(iter(parties.values()))


def _old_names(attributes: Iterable[RequestAttribute]) -> list[AttributeSet]:
    """The old name of an organisation's number counts as the new one (§6, 7)."""
    old = [Attribute(ids.ORGANISATION, one.value) for one in attributes if one.id == ids.ORGANISATION_OLD]
    return [AttributeSet.of_strings(old)] if old else []


async def _held(
    policy: CompiledPolicy, subject: Subject, party: KnownParty | None, asked: Asked, memory: Memory
) -> list[AttributeSet]:
    """Roles, packages and lists, as far as the policy asks for such (§6, 8 and 9)."""
    sets: list[AttributeSet] = []
    wants_roles = subject.person is not None and not ROLE_IDS.isdisjoint(policy.mentions)
    wants_packages = ids.ACCESS_PACKAGE in policy.mentions
    holder = subject.uuid
    if party is not None and holder is not None and (wants_roles or wants_packages):
        if wants_packages:
            [packages] = await memory.packages_of([holder], party.identity.party_uuid)
            sets += packages
        if wants_roles:
            sets.append((await memory.held(holder, party.identity.party_uuid)).roles)
    asking = subject.organisation or subject.person
    if asked.alone and asking is not None and not _CONSENT_IDS.isdisjoint(policy.mentions):
        lists = await memory.memberships(asking.identity.party_uuid, None)
        named = [Attribute(ids.ACCESS_LIST, f"{one.owner}:{one.identifier}") for one in lists]
        sets.append(AttributeSet.of_strings([Attribute(ids.PARTY_TYPE, asking.identity.kind.value), *named]))
    return sets

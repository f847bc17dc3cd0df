"""A part of a request, and all that has to be known to decide it (altinn-authorization.md §6)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from fullmakt.altinn.decisions.errors import RefusedQuestionError
from fullmakt.altinn.decisions.memory import KnownResource, Memory
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
    """Who asks: a person, an organisation, both (a person at work), a system user, or somebody nobody knows."""

    person: PartyIdentity | None = None
    organisation: PartyIdentity | None = None
    system_user: UUID | None = None

    @property
    def uuid(self) -> UUID | None:
        """Whom a delegation would be to: the person before the organisation (§7)."""
        if self.system_user is not None:
            return self.system_user
        party = self.person or self.organisation
        return party.party_uuid if party else None

    @property
    def label(self) -> str:
        """What reasons and the audit trail call it."""
        if self.system_user is not None:
            return f"systemuser:{self.system_user}"
        if self.person is not None:
            return f"party:{self.person.party_uuid}"
        return f"organisation:{self.organisation.orgno}" if self.organisation is not None else "unknown"


@dataclass(frozen=True, slots=True)
class PreparedQuestion:
    """A question with its facts; ``question`` holds what the engine compares."""

    part: Part
    asked: Asked
    subject: Subject
    party: PartyIdentity | None
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
    party = _party(asked.party_names, identities)
    known = await memory.resource(asked.identifier)
    policy = _policy(known)
    assert known is not None  # noqa: S101 - _policy has refused what is not registered
    sets = [_attributes(asked.subject), AttributeSet.of_strings(_also_called(subject, asked.subject))]
    sets += await _held(policy, subject, party, asked, memory)
    added = [*asked.extra]
    if party is not None and not any(one.id == ids.PARTY_ID for one in (*asked.resource, *asked.extra)):
        added.append(RequestAttribute(ids.PARTY_ID, str(party.party_id)))
    categories: dict[str, Sequence[AttributeSet]] = {
        category: (_attributes(attributes),) for category, attributes in asked.others.items()
    }
    categories[ids.SUBJECT_CATEGORY] = sets
    categories[ids.RESOURCE_CATEGORY] = (_attributes(asked.resource), _attributes(added))
    return PreparedQuestion(part, asked, subject, party, known, policy, Question(categories))


async def subject_of(attributes: list[RequestAttribute], memory: Memory) -> tuple[Subject, list[Attribute]]:
    """Who is meant, and everything that they are called; for searches.

    Raises:
        RefusedQuestionError: it makes no sense.
    """
    names = {Attribute(one.id, one.value) for one in attributes if one.id in SUBJECT_IDS}
    subject = _subject(attributes, names, await memory.identities(names))
    own = [Attribute(one.id, one.value) for one in attributes]
    return subject, [*own, *_also_called(subject, attributes)]


async def party_of(names: Iterable[Attribute], memory: Memory) -> PartyIdentity | None:
    """The party meant; None when nobody knows.

    Raises:
        RefusedQuestionError: there is more than one.
    """
    wanted = {name for name in names if name.id in PARTY_IDS}
    return _party(wanted, await memory.identities(wanted))


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
    attributes: list[RequestAttribute], names: Iterable[Attribute], identities: Mapping[Attribute, PartyIdentity]
) -> Subject:
    found: dict[PartyKind, PartyIdentity] = {}
    for name in names:
        identity = identities.get(name)
        if identity is None:
            if name.id == ids.PERSON:
                raise RefusedQuestionError(Reason.INVALID_SUBJECT, "Invalid person-id")
            continue
        if found.setdefault(identity.kind, identity).party_uuid != identity.party_uuid:
            raise RefusedQuestionError(Reason.INVALID_SUBJECT, f"the subject names more than one {identity.kind}")
    return Subject(found.get(PartyKind.PERSON), found.get(PartyKind.ORGANISATION), system_user_of(attributes))


def _party(names: set[Attribute], identities: Mapping[Attribute, PartyIdentity]) -> PartyIdentity | None:
    """Whom the subject wants to act for; None when nobody knows (§6, 4)."""
    parties = {identities[name].party_uuid: identities[name] for name in names if name in identities}
    if not parties:
        return None
    if len(parties) > 1 or any(name not in identities for name in names):
        raise RefusedQuestionError(Reason.INVALID_PARTY, "the resource names more than one party")
    return next(iter(parties.values()))


def _also_called(subject: Subject, attributes: list[RequestAttribute]) -> Iterable[Attribute]:
    """The other names of a known subject (§6, 7); a national identity number is not one of them."""
    for one in attributes:
        if one.id == ids.ORGANISATION_OLD:
            yield Attribute(ids.ORGANISATION, one.value)
    if (person := subject.person) is not None:
        yield Attribute(ids.USER_ID, str(person.user_id))
        yield Attribute(ids.PERSON_UUID, str(person.party_uuid))
    if (organisation := subject.organisation) is not None:
        yield Attribute(ids.ORGANISATION, str(organisation.orgno))
        yield Attribute(ids.ORGANISATION_UUID, str(organisation.party_uuid))
    if (party := subject.person or subject.organisation) is not None:
        yield Attribute(ids.PARTY_ID, str(party.party_id))
        yield Attribute(ids.PARTY_UUID, str(party.party_uuid))


async def _held(
    policy: CompiledPolicy, subject: Subject, party: PartyIdentity | None, asked: Asked, memory: Memory
) -> list[AttributeSet]:
    """Roles, packages and lists, as far as the policy asks for such (§6, 8 and 9)."""
    sets: list[AttributeSet] = []
    wants_roles = subject.person is not None and not ROLE_IDS.isdisjoint(policy.mentions)
    wants_packages = ids.ACCESS_PACKAGE in policy.mentions
    if party is not None and subject.uuid is not None and (wants_roles or wants_packages):
        rights = await memory.held(subject.uuid, party.party_uuid)
        sets += [rights.roles] if wants_roles else []
        if wants_packages:
            sets += [rights.packages, await memory.packages(subject.uuid, party.party_uuid)]
    asking = subject.organisation or subject.person
    if asked.alone and asking is not None and not _CONSENT_IDS.isdisjoint(policy.mentions):
        lists = await memory.memberships(asking.party_uuid, None)
        named = [Attribute(ids.ACCESS_LIST, f"{one.owner}:{one.identifier}") for one in lists]
        sets.append(AttributeSet.of_strings([Attribute(ids.PARTY_TYPE, asking.kind.value), *named]))
    return sets

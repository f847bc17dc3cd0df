"""What a request says, before anybody is asked: its attributes in order, and what makes no sense (§6)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from uuid import UUID

from fullmakt.altinn.decisions.errors import RefusedQuestionError
from fullmakt.altinn.decisions.model import Reason
from fullmakt.wire.altinn import attributes as ids
from fullmakt.wire.altinn.attributes import Attribute
from fullmakt.wire.altinn.xacml_json import Part, RequestAttribute, RequestCategory

PARTY_IDS = frozenset(
    {
        ids.ORGANISATION,
        ids.ORGANISATION_OLD,
        ids.ORGANISATION_UUID,
        ids.PERSON,
        ids.PERSON_UUID,
        ids.PARTY_ID,
        ids.PARTY_UUID,
    }
)
"""Attributes that name a party."""
SUBJECT_IDS = PARTY_IDS | {ids.USER_ID}

_APP = "app_"


@dataclass(slots=True)
class Asked:
    """One part of a request. ``identifier`` is the resource's in the registry; ``extra`` what the request implies.

    ``instances`` are the spellings of the instance, none for the whole resource; ``alone`` says that the resource is
    named by its id and nothing else.
    """

    subject: list[RequestAttribute]
    actions: tuple[str, ...]
    resource: list[RequestAttribute]
    others: dict[str, list[RequestAttribute]]
    identifier: str
    extra: list[RequestAttribute] = field(default_factory=list)
    instances: frozenset[str] = frozenset()
    alone: bool = False

    @property
    def is_app(self) -> bool:
        """True for an app, which access lists do not gate."""
        return self.identifier.startswith(_APP)

    @property
    def party_names(self) -> set[Attribute]:
        """What the request calls the party."""
        return {Attribute(one.id, one.value) for one in (*self.resource, *self.extra) if one.id in PARTY_IDS}


def read_part(part: Part, *, external: bool) -> Asked:
    """Sort the attributes of a part, and add what follows from them.

    Raises:
        RefusedQuestionError: no resource, or two of them; a subject that makes no sense.
    """
    by_category: dict[str, list[RequestAttribute]] = {}
    for category in part:
        by_category.setdefault(category.category, []).extend(category.attributes)
    subject = by_category.pop(ids.SUBJECT_CATEGORY, [])
    resource = by_category.pop(ids.RESOURCE_CATEGORY, [])
    actions = dict.fromkeys(one.value for one in by_category.get(ids.ACTION_CATEGORY, ()) if one.id == ids.ACTION)
    _check_subject(subject, external=external)
    if not external and any(one.id == ids.PERSON for one in resource):
        raise RefusedQuestionError(Reason.INVALID_PARTY, "national identity numbers are not taken here")
    identifier, extra = _identifier(resource)
    asked = Asked(subject, tuple(actions), resource, by_category, identifier, extra)
    asked.alone = {one.id for one in resource} == {ids.RESOURCE} and not asked.is_app
    _add_instance(asked)
    return asked


def _check_subject(subject: list[RequestAttribute], *, external: bool) -> None:
    names = {one.id for one in subject}
    if not subject:
        raise RefusedQuestionError(Reason.INVALID_SUBJECT, "the request has no subject")
    if ids.SYSTEM_USER in names:
        if len(subject) > 1:
            raise RefusedQuestionError(Reason.INVALID_SUBJECT, "a system user is the only attribute of its subject")
        system_user_of(subject)
    if {ids.PERSON, ids.USER_ID} <= names:
        raise RefusedQuestionError(Reason.INVALID_SUBJECT, "a person is named by number or by user id, not by both")
    if external and ids.ORGANISATION in names and names & {ids.PERSON, ids.USER_ID}:
        raise RefusedQuestionError(Reason.INVALID_SUBJECT, "the subject is an organisation or a person, not both")
    if not external and ids.PERSON in names:
        raise RefusedQuestionError(Reason.INVALID_SUBJECT, "national identity numbers are not taken here")


def system_user_of(subject: Iterable[RequestAttribute]) -> UUID | None:
    """The system user that the subject is, None when it is none.

    Raises:
        RefusedQuestionError: not a UUID.
    """
    value = next((one.value for one in subject if one.id == ids.SYSTEM_USER), None)
    if value is None:
        return None
    try:
        return UUID(value)
    except ValueError as error:
        raise RefusedQuestionError(Reason.INVALID_SUBJECT, "a system user is named by a UUID") from error


def _values(attributes: Iterable[RequestAttribute], name: str) -> list[str]:
    return list(dict.fromkeys(one.value for one in attributes if one.id == name))


def _only(attributes: Iterable[RequestAttribute], name: str) -> str | None:
    values = _values(attributes, name)
    if len(values) > 1:
        raise RefusedQuestionError(Reason.INVALID_REQUEST, f"the resource has several values of {name}")
    return values[0] if values else None


def _identifier(resource: list[RequestAttribute]) -> tuple[str, list[RequestAttribute]]:
    """The id in the registry, and the other form of an app's name (§6, 1)."""
    identifier, org, app = (_only(resource, name) for name in (ids.RESOURCE, ids.SERVICE_OWNER, ids.APP))
    if identifier is None:
        if org is None or app is None:
            raise RefusedQuestionError(Reason.UNKNOWN_RESOURCE, "the request names no resource")
        identifier = f"{_APP}{org}_{app}"
        return identifier, [RequestAttribute(ids.RESOURCE, identifier)]
    parts = identifier.split("_")
    if not identifier.startswith(_APP) or len(parts) < 3:
        return identifier, []
    named = {ids.SERVICE_OWNER: (org, parts[1]), ids.APP: (app, parts[2])}
    if any(said not in (None, meant) for said, meant in named.values()):
        raise RefusedQuestionError(Reason.INVALID_REQUEST, "the request names two apps")
    return identifier, [RequestAttribute(name, meant) for name, (said, meant) in named.items() if said is None]


def _add_instance(asked: Asked) -> None:
    """An instance ``party/guid`` names the party, and is itself named in two more ways (§6, 2 and 3)."""
    instance = _only(asked.resource, ids.INSTANCE)
    spellings = set(_values(asked.resource, ids.RESOURCE_INSTANCE))
    if instance is not None:
        party, slash, guid = instance.partition("/")
        if not slash or not party or not guid:
            raise RefusedQuestionError(Reason.INVALID_REQUEST, "an instance is named by its party and its GUID")
        urn = f"{ids.INSTANCE}:{instance}"
        asked.extra += [RequestAttribute(ids.RESOURCE_INSTANCE, guid), RequestAttribute(ids.RESOURCE_INSTANCE, urn)]
        spellings |= {instance, guid, urn}
        if not _values(asked.resource, ids.PARTY_ID):
            asked.extra.append(RequestAttribute(ids.PARTY_ID, party, include=True))
        elif _only(asked.resource, ids.PARTY_ID) != party:
            raise RefusedQuestionError(Reason.INVALID_PARTY, "the instance is another party's")
    asked.instances = frozenset(spellings)


def echo_of(part: Part, asked: Asked) -> tuple[RequestCategory, ...]:
    """The attributes that the caller wants back; of those that were added, only a party by an instance (§5)."""
    included: dict[str, list[RequestAttribute]] = {}
    for category in part:
        for attribute in category.attributes:
            if attribute.include:
                included.setdefault(category.category, []).append(attribute)
    for attribute in asked.extra:
        if attribute.include:
            included.setdefault(ids.RESOURCE_CATEGORY, []).append(attribute)
    return tuple(RequestCategory(category, tuple(found)) for category, found in included.items())

"""Consents as Altinn 2 exports them (consent.md §4.17). Pure: read whole, or refused with what can not be read.

Names count in any case, and the published misspelling ``RequestResorces`` with them. Times are in UTC where they do not
say otherwise. Parties are UUIDs of the register; the URNs of Altinn 3's form (§4.3) will do too.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from fullmakt.altinn.consents.altinn2.asking import service_key
from fullmakt.altinn.consents.altinn3.wishes import (
    MAX_MESSAGE,
    MAX_METADATA,
    MAX_RIGHTS,
    MAX_TEXT,
    MAX_VALUE,
    party_name,
)
from fullmakt.altinn.consents.model import EventType
from fullmakt.altinn.consents.srr.model import ServiceKey
from fullmakt.kernel.text import is_storable
from fullmakt.wire.altinn.attributes import PARTY_UUID, Attribute
from fullmakt.wire.altinn.consents2 import read_time
from fullmakt.wire.altinn.problems import BindingError

MAX_EVENTS = 1_000
_YEARS = range(1971, 9_999)
_LANGUAGES = {1044: "nb", 2068: "nn", 1033: "en", 2057: "en"}
"""By Windows' language code identifiers (LCID)."""
_MESSAGES = {"nb": "nb", "nn": "nn", "en": "en", "no-nb": "nb", "no-nn": "nn"}
_KINDS = {
    "request": EventType.CREATED,
    "create": EventType.CREATED,
    "delegate": EventType.ACCEPTED,
    "accept": EventType.ACCEPTED,
    "reject": EventType.REJECTED,
    "use": EventType.USED,
    "delete": EventType.REVOKED,
    "revoke": EventType.REVOKED,
    "expire": EventType.EXPIRED,
}
"""``ConsentEventType``, also in the past tense: ``Delegate`` is published, the others are ours to guess."""


class UnreadableRecordError(ValueError):
    """The record is not what it has to be. ``name`` is the member, ``id`` that of the consent where it can be read."""

    def __init__(self, name: str, what: str) -> None:
        super().__init__(f"{name} {what}")
        self.name = name
        self.id: UUID | None = None


@dataclass(frozen=True, slots=True)
class RecordedEvent:
    """One thing that happened. ``language`` is empty where it is none of ours."""

    type: EventType
    at: dt.datetime
    language: str = ""
    template: str = ""


@dataclass(frozen=True, slots=True)
class Record:
    """A consent on its way here. ``services`` are what it is to, each with metadata; ``events`` the oldest first."""

    id: UUID
    giver: Attribute = field(repr=False)
    receiver: Attribute
    created_by: Attribute
    handled_by: Attribute | None
    required_delegator: Attribute | None = field(repr=False)
    created: dt.datetime
    valid_to: dt.datetime
    message: Mapping[str, str]
    services: tuple[tuple[ServiceKey, Mapping[str, str]], ...]
    events: tuple[RecordedEvent, ...]


def read_record(raw: object) -> Record:
    """The record in a JSON value.

    Raises:
        UnreadableRecordError: it is none.
    """
    members = _members("the record", raw)
    consent_id = _uuid("AuthorizationRequestId", members)
    try:
        receiver = _party("To", members)
        services = "RequestResources" if "requestresources" in members else "RequestResorces"
        return Record(
            id=consent_id,
            giver=_party("From", members),
            receiver=receiver,
            created_by=_optional_party("CreatedBy", members) or receiver,
            handled_by=_optional_party("HandledBy", members),
            required_delegator=_optional_party("RequiredDelegator", members),
            created=_time("Created", members),
            valid_to=_time("ValidTo", members),
            message=_message(members),
            services=tuple(_list(services, members, MAX_RIGHTS, _service)),
            events=tuple(sorted(_list("ConsentEvents", members, MAX_EVENTS, _event), key=lambda one: one.at)),
        )
    except UnreadableRecordError as error:
        error.id = consent_id
        raise


def _service(name: str, raw: object) -> tuple[ServiceKey, Mapping[str, str]]:
    members = _members(name, raw)
    code = members.get("servicecode")
    key = service_key(
        str(code) if isinstance(code, int) and not isinstance(code, bool) else code, members.get("serviceeditioncode")
    )
    if key is None:
        raise UnreadableRecordError(name, "names no service: ServiceCode and ServiceEditionCode")
    given = members.get("metadata") or {}
    if not isinstance(given, Mapping) or len(given) > MAX_METADATA:
        raise UnreadableRecordError(f"{name}.Metadata", f"is an object of at most {MAX_METADATA} members")
    inside = f"{name}.Metadata"
    metadata = {_fit(inside, word, MAX_TEXT): _value(inside, one) for word, one in given.items()}
    if len({one.lower() for one in metadata}) < len(metadata):
        raise UnreadableRecordError(f"{name}.Metadata", "has a key twice: they are alike but for capitals")
    return key, metadata


def _event(name: str, raw: object) -> RecordedEvent:
    members = _members(name, raw)
    said = members.get("consenteventtype")
    kinds = (kind for word, kind in _KINDS.items() if str(said).lower() in {word, f"{word}d", f"{word}ed"})
    kind = next(kinds, None)
    if not isinstance(said, str) or kind is None:
        raise UnreadableRecordError(f"{name}.ConsentEventType", "is none that is known, such as Delegate")
    language = members.get("eventlanguage")
    template = members.get("consenttemplate")
    return RecordedEvent(
        kind,
        _time("DelegatedDateTime", members),
        _LANGUAGES.get(language, "") if isinstance(language, int) else "",
        _fit(f"{name}.ConsentTemplate", template or "", MAX_TEXT),
    )


def _message(members: Mapping[str, Any]) -> Mapping[str, str]:
    raw = members.get("requestmessage")
    if not raw:
        return {}
    told = _members("RequestMessage", raw)
    return {
        _MESSAGES[language]: _fit("RequestMessage", text, MAX_MESSAGE)
        for language, text in told.items()
        if language in _MESSAGES and text
    }


def _members(name: str, raw: object) -> dict[str, Any]:
    if not isinstance(raw, Mapping):
        raise UnreadableRecordError(name, "is no object")
    members = {str(key).lower(): value for key, value in raw.items()}
    if len(members) < len(raw):
        raise UnreadableRecordError(name, "has a member twice: they are alike but for capitals")
    return members


def _list(name: str, members: Mapping[str, Any], most: int, read: Any) -> list[Any]:
    raw = members.get(name.lower())
    if not isinstance(raw, list) or not 0 < len(raw) <= most:
        raise UnreadableRecordError(name, f"is a list of 1 to {most}")
    return [read(f"{name}[{number}]", one) for number, one in enumerate(raw)]


def _uuid(name: str, members: Mapping[str, Any]) -> UUID:
    try:
        return UUID(_fit(name, members.get(name.lower()), MAX_TEXT))
    except ValueError:
        raise UnreadableRecordError(name, "is no UUID") from None


def _party(name: str, members: Mapping[str, Any]) -> Attribute:
    value = _fit(name, members.get(name.lower()), MAX_TEXT)
    try:
        return party_name(name, value) if ":" in value else Attribute(PARTY_UUID, str(UUID(value)))
    except (ValueError, BindingError):
        raise UnreadableRecordError(name, "is neither a party's UUID nor its URN") from None


def _optional_party(name: str, members: Mapping[str, Any]) -> Attribute | None:
    return _party(name, members) if members.get(name.lower()) else None


def _time(name: str, members: Mapping[str, Any]) -> dt.datetime:
    try:
        at = read_time(_fit(name, members.get(name.lower()), MAX_TEXT))
    except ValueError:
        raise UnreadableRecordError(name, "is no time (ISO 8601)") from None
    if at.year not in _YEARS:
        raise UnreadableRecordError(name, "is a time of no year that a consent can be of")
    return at


def _value(name: str, raw: object) -> str:
    number = isinstance(raw, int | float) and not isinstance(raw, bool)
    return _fit(name, str(raw) if number else "" if raw is None else raw, MAX_VALUE)


def _fit(name: str, raw: object, most: int) -> str:
    if not isinstance(raw, str) or len(raw) > most or not is_storable(raw):
        raise UnreadableRecordError(name, f"is no text of at most {most} characters")
    return raw

"""A request for consent as it is sent (consent.md §4.3, §4.4): read whole, or refused with what can not be read."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from fullmakt.altinn.consents.altinn3.rules import WantedRight
from fullmakt.altinn.consents.model import PortalViewMode
from fullmakt.altinn.consents.texts import MAX_URL
from fullmakt.infra.reading import list_of, object_of, optional_text_of, parse_uuid, text_of, unreadable
from fullmakt.kernel.text import is_storable
from fullmakt.wire.altinn import attributes as ids
from fullmakt.wire.altinn.attributes import RESOURCE, Attribute
from fullmakt.wire.altinn.problems import BindingError

MAX_TEXT = 255
MAX_VALUE = 1_000
MAX_MESSAGE = 5_000
MAX_RIGHTS = 50
MAX_ACTIONS = 20
MAX_METADATA = 50
_LANGUAGES = ("nb", "nn", "en")
_DIGITS = {ids.PERSON: re.compile(r"[0-9]{11}", re.ASCII), ids.ORGANISATION: re.compile(r"[0-9]{9}", re.ASCII)}
_UUIDS = frozenset({ids.PARTY_UUID, ids.PERSON_UUID, ids.ORGANISATION_UUID, ids.SYSTEM_USER})
_PARTY_ID = "urn:altinn:party:id"
_NUMBER = re.compile(r"[0-9]{1,10}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Wish:
    """What is asked for. ``giver``, ``receiver`` and ``required_delegator`` are names of parties, known or not."""

    id: UUID
    giver: Attribute
    receiver: Attribute
    required_delegator: Attribute | None
    valid_to: dt.datetime
    rights: tuple[WantedRight, ...]
    message: Mapping[str, str]
    redirect_url: str
    portal_view_mode: PortalViewMode
    notification_url: str


def read_wish(body: Mapping[str, Any]) -> Wish:
    """The request in a body whose own names are in lower case.

    Raises:
        BindingError: a member is missing that must be there, or is not what it should be.
    """
    if body.get("consentrights") is None:
        raise BindingError({"consentRights": ["The consentRights field is required."]})
    required = optional_text_of(body, "requiredDelegator")
    return Wish(
        id=parse_uuid("$.id", text_of(body, "id")),
        giver=party_name("from", text_of(body, "from")),
        receiver=party_name("to", text_of(body, "to")),
        required_delegator=party_name("requiredDelegator", required) if required else None,
        valid_to=_time("validTo", text_of(body, "validTo")),
        rights=tuple(list_of(body, "consentRights", _right, most=MAX_RIGHTS)),
        message=_message(body),
        redirect_url=_fit("redirectUrl", text_of(body, "redirectUrl"), MAX_URL),
        portal_view_mode=_portal_view_mode(body),
        notification_url=_fit("notificationUrl", optional_text_of(body, "notificationUrl"), MAX_URL),
    )


def party_name(path: str, urn: str) -> Attribute:
    """A party's URN, of any of the kinds that parse (§4.3).

    Raises:
        BindingError: it is malformed.
    """
    kind, _, value = urn.rpartition(":")
    kind = kind.lower()
    if kind in _DIGITS and _DIGITS[kind].fullmatch(value):
        return Attribute(kind, value)
    if kind == _PARTY_ID and _NUMBER.fullmatch(value):
        return Attribute(kind, value)
    if kind in _UUIDS:
        return Attribute(kind, str(parse_uuid(f"$.{path}", value[:MAX_TEXT])))
    raise unreadable(path, "a URN of a person or an organisation")


def _right(path: str, value: Any) -> WantedRight:
    members = object_of(path, value)
    metadata = members.get("metadata")
    resources = tuple(list_of(members, "resource", _resource, most=MAX_ACTIONS))
    if not resources:
        raise BindingError({f"$.{path}.resource": ["The resource field is required."]})
    return WantedRight(
        actions=tuple(dict.fromkeys(list_of(members, "action", _action, most=MAX_ACTIONS))),
        resources=resources,
        metadata={} if metadata is None else _metadata(f"{path}.metadata", metadata),
    )


def _action(path: str, value: Any) -> str:
    if not isinstance(value, str) or not value.strip():
        raise unreadable(path, "System.String")
    return _fit(path, value, MAX_TEXT)


def _resource(path: str, value: Any) -> str:
    members = object_of(path, value)
    if text_of(members, "type").lower() != RESOURCE:
        raise unreadable(f"{path}.type", RESOURCE)
    return _fit(path, text_of(members, "value"), MAX_TEXT)


def _metadata(path: str, value: Any) -> Mapping[str, str]:
    members = object_of(path, value)
    if len(members) > MAX_METADATA:
        raise unreadable(path, f"at most {MAX_METADATA} members")
    return {_fit(path, key, MAX_TEXT): _value(f"{path}.{key[:MAX_TEXT]}", members[key]) for key in members}


def _value(path: str, value: Any) -> str:
    """A value; a null, or nothing but blanks, is an empty one (AM-00007)."""
    if value is not None and not isinstance(value, str):
        raise unreadable(path, "System.String")
    value = value or ""
    return _fit(path, value, MAX_VALUE) if value.strip() else ""


def _message(body: Mapping[str, Any]) -> Mapping[str, str]:
    value = body.get("requestmessage")
    if value is None:
        return {}
    members = object_of("requestMessage", value)
    texts = {language: optional_text_of(members, language) for language in _LANGUAGES}
    return {language: _fit("requestMessage", text, MAX_MESSAGE) for language, text in texts.items() if text}


def _portal_view_mode(body: Mapping[str, Any]) -> PortalViewMode:
    said = optional_text_of(body, "portalViewMode").strip().lower()
    found = {mode.value.lower(): mode for mode in PortalViewMode}.get(said or "hide")
    if found is None:
        raise unreadable("portalViewMode", "Hide or Show")
    return found


def _time(path: str, value: str) -> dt.datetime:
    """A time; in UTC where it does not say otherwise."""
    try:
        at = dt.datetime.fromisoformat(value[:MAX_TEXT])
        return (at if at.tzinfo else at.replace(tzinfo=dt.UTC)).astimezone(dt.UTC)
    except (ValueError, OverflowError):
        raise unreadable(path, "System.DateTimeOffset") from None


def _fit(path: str, value: str, longest: int) -> str:
    if len(value) > longest or not is_storable(value):
        raise unreadable(path, f"text of at most {longest} characters")
    return value

"""What a client asks for (consent.md §2.2), as it is read from a body. Whether it can be had is another question."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from fullmakt.altinn.consents.altinn2.errors import RequestRefusedError
from fullmakt.altinn.consents.model import PortalViewMode
from fullmakt.altinn.consents.srr.model import ServiceKey
from fullmakt.kernel.text import is_line, is_prose
from fullmakt.wire.altinn.consents2 import LANGUAGES, ConsentError, ErrorCode, read_time

MAX_SERVICES = 20
MAX_PARAMETERS = 20
MAX_VALUE = 500
MAX_NAME = 255
MAX_MESSAGE = 4_000
MAX_URL = 2_048

_CODE = re.compile(r"[A-Za-z0-9]{1,20}", re.ASCII)
_EDITION = re.compile(r"[0-9]{1,9}", re.ASCII)
_MODES = {mode.value.lower(): mode for mode in PortalViewMode}


@dataclass(frozen=True, slots=True)
class AskedService:
    """A service edition, and values for its parameters as the client spells them."""

    key: ServiceKey
    metadata: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Asked:
    """A request for consent. Numbers are as they came; ``message`` is by ``nb``, ``nn`` and ``en``."""

    covered_by: str
    offered_by: str = field(repr=False)
    offered_by_name: str = field(repr=False)
    valid_to: datetime | None
    redirect_url: str
    services: tuple[AskedService, ...]
    handled_by: str = ""
    required_delegator: str = field(default="", repr=False)
    required_delegator_name: str = field(default="", repr=False)
    message: Mapping[str, str] = field(default_factory=dict)
    portal_view_mode: PortalViewMode = PortalViewMode.HIDE


def read_asked(body: Mapping[str, Any]) -> Asked:
    """The request in a body whose members' names are in lower case.

    ``requestServices`` is another name for ``RequestResources``; members that are not known are passed over.

    Raises:
        RequestRefusedError: a member is missing or not what it has to be.
    """
    return Asked(
        covered_by=_text(body, "CoveredBy", required=True),
        offered_by=_text(body, "OfferedBy", required=True),
        offered_by_name=_text(body, "OfferedByName", required=True),
        handled_by=_text(body, "HandledBy"),
        required_delegator=_text(body, "RequiredDelegator"),
        required_delegator_name=_text(body, "RequiredDelegatorName"),
        valid_to=_valid_to(body),
        redirect_url=_text(body, "RedirectUrl", required=True, most=MAX_URL),
        services=_services(body),
        message=_message(body.get("requestmessage")),
        portal_view_mode=_mode(_text(body, "PortalViewMode")),
    )


def service_key(code: object, edition: object) -> ServiceKey | None:
    """A service edition; None when the two name none. The edition may be a number or its digits."""
    if isinstance(edition, bool) or not isinstance(edition, int | str) or not isinstance(code, str):
        return None
    if not _CODE.fullmatch(code) or not _EDITION.fullmatch(str(edition)):
        return None
    return ServiceKey(code, int(edition))


def unreadable(name: str, what: str) -> RequestRefusedError:
    """What is said of a member that is not what it has to be."""
    return RequestRefusedError(ConsentError(ErrorCode.UNREADABLE, f"{name} {what}."))


def _text(body: Mapping[str, Any], name: str, *, required: bool = False, most: int = MAX_NAME) -> str:
    value = body.get(name.lower())
    if value is None or value == "":
        if required:
            raise unreadable(name, "is required")
        return ""
    if not isinstance(value, str) or len(value) > most or not is_line(value):
        raise unreadable(name, f"must be one line of text, of at most {most} characters")
    return value.strip()


def _valid_to(body: Mapping[str, Any]) -> datetime | None:
    text = _text(body, "ValidTo")
    try:
        return read_time(text) if text else None
    except ValueError:
        error = ConsentError(ErrorCode.VALID_TO, "ValidTo must be a time as ISO 8601 has it.")
        raise RequestRefusedError(error) from None


def _services(body: Mapping[str, Any]) -> tuple[AskedService, ...]:
    name = "RequestResources" if body.get("requestresources") is not None else "RequestServices"
    value = body.get(name.lower())
    if not isinstance(value, list) or not 0 < len(value) <= MAX_SERVICES:
        raise unreadable("RequestResources", f"must be a list of 1 to {MAX_SERVICES} services")
    found = tuple([_service(f"{name}[{number}]", one) for number, one in enumerate(value)])
    if len({one.key for one in found}) != len(found):
        raise unreadable(name, "must name each service once")
    return found


def _service(path: str, value: Any) -> AskedService:
    members = _members(path, value)
    key = service_key(members.get("servicecode"), members.get("serviceeditioncode"))
    if key is None:
        raise unreadable(path, "must have a ServiceCode and a ServiceEditionCode")
    return AskedService(key, _metadata(f"{path}.Metadata", members.get("metadata")))


def _metadata(path: str, value: Any) -> dict[str, str]:
    if value is None:
        return {}
    _members(path, value)  # no parameter stands twice, in different letters
    if len(value) > MAX_PARAMETERS:
        raise unreadable(path, f"must have at most {MAX_PARAMETERS} members")
    return {name: _value(path, one) for name, one in value.items()}


def _value(path: str, value: Any) -> str:
    """Numbers are kept as text (§2.2)."""
    if value is None:
        return ""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise unreadable(path, "must hold text and numbers alone")
    text = str(value)
    if len(text) > MAX_VALUE or not is_line(text):
        raise unreadable(path, f"must hold values of one line, of at most {MAX_VALUE} characters")
    return text.strip()


def _message(value: Any) -> dict[str, str]:
    if value is None:
        return {}
    members = _members("RequestMessage", value)
    strange = members.keys() - LANGUAGES.keys()
    if strange:
        raise unreadable("RequestMessage", f"must have no members but {', '.join(LANGUAGES)}")
    for text in members.values():
        if text is not None and not (isinstance(text, str) and len(text) <= MAX_MESSAGE and is_prose(text)):
            raise unreadable("RequestMessage", f"must hold texts of at most {MAX_MESSAGE} characters")
    return {LANGUAGES[name]: text for name, text in members.items() if text}


def _mode(text: str) -> PortalViewMode:
    if text and text.lower() not in _MODES:
        raise unreadable("PortalViewMode", "must be Show or Hide")
    return _MODES.get(text.lower(), PortalViewMode.HIDE)


def _members(path: str, value: Any) -> dict[str, Any]:
    """An object's members, their names in lower case."""
    if not isinstance(value, dict):
        raise unreadable(path, "must be an object")
    members = {name.lower(): member for name, member in value.items()}
    if len(members) != len(value):
        raise unreadable(path, "has a member twice, in different letters")
    return members

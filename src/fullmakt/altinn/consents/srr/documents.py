"""Entries as they are written on the wire, names to the letter (consent.md §3.2)."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from fullmakt.altinn.consents.srr.domains import InvalidPatternError, parse_pattern
from fullmakt.altinn.consents.srr.model import Condition, Draft, Entry, Named, OperationStatus, Right, ServiceKey
from fullmakt.infra.reading import list_of, object_of
from fullmakt.kernel.identifiers import InvalidIdentifierError, OrgNumber
from fullmakt.wire.altinn.problems import BindingError

Document = dict[str, Any]
_Read = TypeVar("_Read")

MAX_ITEMS = 1_000
"""Entries of one request."""
MAX_DOMAINS = 50
"""Domains of one entry."""

BAD_CONDITION = "450211"
"""Altinn's own code of a condition that is none (§3.3)."""
BAD_REPORTEE = "450210"
"""Altinn's own code of a ``Reportee`` that is none, where entries are asked for (§3.3)."""
BAD_ENTRY = "450212"
"""Ours: a member is missing, or is not what it should be."""
CHANGED_KEY = "450213"
"""Ours: what an entry is about can not be changed."""

_CODE = re.compile(r"[A-Za-z0-9]{1,20}", re.ASCII)
_DIGITS = re.compile(r"[0-9]{1,9}", re.ASCII)
_FRACTION = re.compile(r"(\.[0-9]{6})[0-9]+")
_MAX_TEXT = 64
_RIGHTS = {right.lower(): right for right in Right}
_RIGHTS_BY_NUMBER = {str(number): right for number, right in enumerate(Right)}


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with a request, by a code of Altinn's or of ours."""

    code: str
    message: str

    def document(self) -> Document:
        """As Altinn 2 writes errors since its release 21.8 (§2.2)."""
        return {"ErrorCode": self.code, "ErrorMessage": self.message}


class InvalidEntryError(ValueError):
    """The request can not be taken: 400."""

    def __init__(self, *faults: Fault) -> None:
        super().__init__("; ".join(fault.message for fault in faults))
        self.faults = faults


@dataclass(frozen=True, slots=True)
class Changes:
    """What an entry is to be changed to. ``service``, ``reportee`` and ``right`` are None where they are not said; when
    they are, they must be what the entry is about."""

    valid_to: dt.datetime
    condition: Condition | None
    service: ServiceKey | None = None
    reportee: str | None = None
    right: Right | None = None


def service_key(code: object, edition: object, path: str = "") -> ServiceKey:
    """A service edition.

    Raises:
        InvalidEntryError: it is named by something else than a code and a number.
    """
    number = str(edition) if isinstance(edition, int | str) and not isinstance(edition, bool) else ""
    if not isinstance(code, str) or not _CODE.fullmatch(code) or not _DIGITS.fullmatch(number):
        raise _bad(path, "a service is named by ServiceCode, letters and digits, and ServiceEditionCode, a number")
    return ServiceKey(code, int(number))


def drafts_of(body: Any) -> list[Draft]:
    """The entries of a POST.

    Raises:
        InvalidEntryError: it is no array of entries. Each fault is told with its place; nothing is taken.
    """
    return _each(body, _draft)


def names_of(body: Any) -> list[Named]:
    """What the entries are about that are to be removed, ``Reportee`` and ``Right``.

    Raises:
        InvalidEntryError: as above.
    """
    return _each(body, _named)


def changes_of(body: Any) -> Changes:
    """The object of a PUT.

    Raises:
        InvalidEntryError: it is none.
    """
    members = _object("", body)
    named = members.get("servicecode") is not None or members.get("serviceeditioncode") is not None
    return Changes(
        valid_to=_time("", members),
        condition=_condition("", members.get("condition")),
        service=service_key(members.get("servicecode"), members.get("serviceeditioncode")) if named else None,
        reportee=_text("", members, "Reportee") or None,
        right=_right("", members) if members.get("right") is not None else None,
    )


def entry_document(item: Entry | Draft, status: OperationStatus | None = None) -> Document:
    """An entry; with ``status`` in answers to what was written."""
    document: Document = {} if isinstance(item, Draft) else {"Id": item.id}
    document |= {
        "ServiceCode": item.service.code,
        "ServiceEditionCode": item.service.edition,
        "Reportee": item.reportee,
        "Right": str(item.right),
        "ValidTo": item.valid_to.isoformat(),
        "Condition": condition_document(item.condition) if item.condition is not None else None,
    }
    return document if status is None else {**document, "OperationStatus": str(status)}


def condition_document(condition: Condition) -> Document:
    """A condition, without what it does not say."""
    members = {
        "HandledBy": None if condition.handled_by is None else str(condition.handled_by),
        "IsRecipient": condition.is_recipient,
        "IsSender": condition.is_sender,
        "KeepSessionAlive": condition.keep_session_alive,
        "AllowedRedirectDomain": [str(one) for one in condition.domains] or None,
    }
    return {name: value for name, value in members.items() if value is not None}


def condition_of(document: Any) -> Condition | None:
    """A condition that was kept as ``condition_document`` writes it."""
    return _condition("", document)


def _each(body: Any, read: Callable[[str, Any], _Read]) -> list[_Read]:
    if not isinstance(body, list) or not 0 < len(body) <= MAX_ITEMS:
        raise _bad("", f"the body is an array of one to {MAX_ITEMS} entries")
    found: list[_Read] = []
    faults: list[Fault] = []
    for number, item in enumerate(body):
        try:
            found.append(read(f"[{number}]", item))
        except InvalidEntryError as error:
            faults += error.faults
    if faults:
        raise InvalidEntryError(*faults)
    return found


def _named(path: str, item: Any) -> Named:
    members = _object(path, item)
    return Named(_text(path, members, "Reportee"), _right(path, members))


def _draft(path: str, item: Any) -> Draft:
    members = _object(path, item)
    return Draft(
        service=service_key(members.get("servicecode"), members.get("serviceeditioncode"), path),
        reportee=_text(path, members, "Reportee"),
        right=_right(path, members),
        valid_to=_time(path, members),
        condition=_condition(path, members.get("condition")),
    )


def _object(path: str, value: Any) -> Mapping[str, Any]:
    try:
        return object_of(path, value)
    except BindingError as error:
        raise _bad(path, "an entry is a JSON object, and says nothing twice") from error


def _text(path: str, members: Mapping[str, Any], name: str) -> str:
    value = members.get(name.lower())
    if value is None:
        return ""
    if not isinstance(value, str) or len(value) > _MAX_TEXT or not value.isprintable():
        raise _bad(path, f"{name} is a text of at most {_MAX_TEXT} characters")
    return value.strip()


def _right(path: str, members: Mapping[str, Any]) -> Right:
    value = members.get("right")
    text = str(value).strip().lower() if isinstance(value, int | str) and not isinstance(value, bool) else ""
    right = _RIGHTS.get(text) or _RIGHTS_BY_NUMBER.get(text)
    if right is None:
        raise _bad(path, f"Right is one of {', '.join(Right)}")
    return right


def _time(path: str, members: Mapping[str, Any]) -> dt.datetime:
    """``ValidTo``: in UTC where it does not say otherwise."""
    value = members.get("validto")
    try:
        if not isinstance(value, str) or not 10 <= len(value) <= _MAX_TEXT:
            raise ValueError
        at = dt.datetime.fromisoformat(_FRACTION.sub(r"\1", value))
        return (at if at.tzinfo else at.replace(tzinfo=dt.UTC)).astimezone(dt.UTC)
    except (ValueError, OverflowError):
        raise _bad(path, "ValidTo is a time as ISO 8601 has it") from None


def _condition(path: str, value: Any) -> Condition | None:
    if value is None:
        return None
    members = _object(f"{path}.Condition", value)
    try:
        domains = list_of(members, "AllowedRedirectDomain", _domain, most=MAX_DOMAINS)
    except BindingError as error:
        raise _bad(path, f"AllowedRedirectDomain is a list of at most {MAX_DOMAINS}", BAD_CONDITION) from error
    except InvalidPatternError as error:
        raise _bad(path, f"AllowedRedirectDomain: {error}", BAD_CONDITION) from error
    return Condition(
        handled_by=_handled_by(path, members.get("handledby")),
        keep_session_alive=_flag(path, members, "KeepSessionAlive"),
        domains=tuple(dict.fromkeys(domains)),
        is_recipient=_flag(path, members, "IsRecipient"),
        is_sender=_flag(path, members, "IsSender"),
    )


def _domain(_path: str, value: Any) -> Any:
    if not isinstance(value, str):
        raise InvalidPatternError("not_a_text", str(value))
    return parse_pattern(value)


def _handled_by(path: str, value: Any) -> OrgNumber | None:
    if value is None or value == "":
        return None
    try:
        number = OrgNumber(value) if isinstance(value, str) else None
    except InvalidIdentifierError:
        number = None
    if number is None or not number.has_valid_check_digit:
        raise _bad(path, "HandledBy is an organisation number", BAD_CONDITION)
    return number


def _flag(path: str, members: Mapping[str, Any], name: str) -> bool | None:
    value = members.get(name.lower())
    if value is not None and not isinstance(value, bool):
        raise _bad(path, f"{name} is true or false", BAD_CONDITION)
    return value


def _bad(path: str, message: str, code: str = BAD_ENTRY) -> InvalidEntryError:
    return InvalidEntryError(Fault(code, f"{path}: {message}" if path else message))

"""How a request to one of Altinn's systems is read: members of the query by name in any case, bodies as strict JSON.

What can not be read is answered as Altinn's framework does: 400, fields to messages.
"""

from __future__ import annotations

import codecs
import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from uuid import UUID

from starlette.exceptions import HTTPException
from starlette.requests import Request

from fullmakt.infra.http import MAX_BODY_BYTES
from fullmakt.jose.strict_json import StrictJsonError, loads
from fullmakt.wire.altinn.attributes import Attribute
from fullmakt.wire.altinn.problems import BindingError

MAX_ENTRIES = 100
"""In a list of a body, unless told."""

_BOOLEANS = {"true": True, "false": False}
_SHOWN = 100
_LARGEST = 2**31 - 1


def not_valid(name: str, value: str) -> BindingError:
    """What is said of a member that can not be read."""
    return BindingError({name: [f"The value '{value[:_SHOWN]}' is not valid."]})


def parse_uuid(name: str, value: str) -> UUID:
    """A UUID from text.

    Raises:
        BindingError: it is none.
    """
    try:
        return UUID(value)
    except ValueError as error:
        raise not_valid(name, value) from error


class Query:
    """The query of a request, whatever the case of its names. A blank member counts as none."""

    def __init__(self, request: Request) -> None:
        self._members: dict[str, list[str]] = {}
        for name, value in request.query_params.multi_items():
            self._members.setdefault(name.lower(), []).append(value)

    @property
    def names(self) -> frozenset[str]:
        """What its members are called, in lower case."""
        return frozenset(self._members)

    def all(self, name: str) -> list[str]:
        """Every value of a member, blank ones too."""
        return self._members.get(name.lower(), [])

    def text(self, name: str) -> str | None:
        """The first value of a member."""
        return next((value for value in self.all(name) if value.strip()), None)

    def required(self, name: str) -> str:
        """A member that must be there.

        Raises:
            BindingError: it is not.
        """
        value = self.text(name)
        if value is None:
            raise BindingError({name: [f"The {name} field is required."]})
        return value

    def uuid(self, name: str) -> UUID:
        """A UUID that must be there.

        Raises:
            BindingError: it is not there, or no UUID.
        """
        return parse_uuid(name, self.required(name))

    def optional_uuid(self, name: str) -> UUID | None:
        """A UUID.

        Raises:
            BindingError: it is there and no UUID.
        """
        value = self.text(name)
        return None if value is None else parse_uuid(name, value)

    def number(self, name: str) -> int | None:
        """A whole number that 32 bits can hold.

        Raises:
            BindingError: it is none.
        """
        value = self.text(name)
        if value is None:
            return None
        digits = value.removeprefix("-")
        if not (digits.isascii() and digits.isdigit() and len(digits) <= 10 and int(digits) <= _LARGEST):
            raise not_valid(name, value)
        return int(value)

    def flag(self, name: str, *, default: bool = False) -> bool:
        """A member that is true or false.

        Raises:
            BindingError: it is neither.
        """
        value = self.text(name)
        if value is None:
            return default
        if value.lower() not in _BOOLEANS:
            raise not_valid(name, value)
        return _BOOLEANS[value.lower()]

    def time(self, name: str) -> dt.datetime | None:
        """A time; in UTC where it does not say otherwise.

        Raises:
            BindingError: it is none.
        """
        value = self.text(name)
        if value is None:
            return None
        try:
            at = dt.datetime.fromisoformat(value.replace(" ", "+"))  # an offset's plus that was not escaped
            return (at if at.tzinfo else at.replace(tzinfo=dt.UTC)).astimezone(dt.UTC)
        except (ValueError, OverflowError):
            raise not_valid(name, value) from None


async def json_body(request: Request) -> Any:
    """The body as JSON.

    Raises:
        BindingError: there is none, or it is not JSON that can be taken.
        HTTPException: 413, it is more than a mebibyte; 415, it is said to be something else.
    """
    sent = await _sent(request)
    if sent is None:
        raise BindingError({"": ["A non-empty request body is required."]})
    return _parsed(sent)


async def optional_json_body(request: Request) -> Any:
    """The same; None when there is no body.

    Raises:
        BindingError: it is not JSON that can be taken.
        HTTPException: see ``json_body``.
    """
    sent = await _sent(request)
    return None if sent is None else _parsed(sent)


async def body_of(request: Request) -> dict[str, Any]:
    """The JSON object that is sent, its members' names in lower case.

    Raises:
        BindingError: there is none, or it is not one that can be taken.
        HTTPException: see ``json_body``.
    """
    return object_of("", await json_body(request))


async def optional_body_of(request: Request) -> dict[str, Any] | None:
    """The JSON object that is sent, its members' names in lower case; None when there is no body, or null.

    Raises:
        BindingError: it is not one that can be taken.
        HTTPException: see ``json_body``.
    """
    value = await optional_json_body(request)
    return None if value is None else object_of("", value)


def object_of(path: str, value: Any) -> dict[str, Any]:
    """A JSON object, the names of its own members in lower case: letter case does not matter in them.

    Raises:
        BindingError: it is none, or says one thing twice, in different letters.
    """
    if not isinstance(value, dict):
        raise BindingError({_json_path(path): ["The JSON value could not be converted to an object."]})
    members = {name.lower(): member for name, member in value.items()}
    if len(members) != len(value):
        raise BindingError({_json_path(path): ["A member stands twice, in different letters."]})
    return members


def text_of(body: Mapping[str, Any], name: str) -> str:
    """A member that is text and must be there.

    Raises:
        BindingError: it is not there, or no text.
    """
    value = optional_text_of(body, name)
    if not value:
        raise BindingError({name: [f"The {name} field is required."]})
    return value


def optional_text_of(body: Mapping[str, Any], name: str) -> str:
    """A member that is text; empty when it is null or not there.

    Raises:
        BindingError: it is anything else.
    """
    value = body.get(name.lower())
    if value is not None and not isinstance(value, str):
        raise unreadable(name, "System.String")
    return value or ""


def list_of(
    body: Mapping[str, Any], name: str, parse: Callable[[str, Any], Any], *, most: int = MAX_ENTRIES
) -> Sequence[Any]:
    """A member that is a list, each entry read by ``parse(path, entry)``; empty when it is not there.

    Raises:
        BindingError: it is no list, or too long.
    """
    value = body.get(name.lower())
    if value is None:
        return []
    if not isinstance(value, list) or len(value) > most:
        raise unreadable(name, f"a list of at most {most}")
    return [parse(f"{name}[{number}]", entry) for number, entry in enumerate(value)]


def attribute_of(path: str, value: Any) -> Attribute:
    """``{"id": …, "value": …}``, or ``type`` for ``id``.

    Raises:
        BindingError: it is none.
    """
    members = object_of(path, value)
    name = "type" if "type" in members and "id" not in members else "id"
    try:
        return Attribute(text_of(members, name), text_of(members, "value"))
    except BindingError as error:
        raise BindingError(
            {f"{path}.{member.removeprefix('$.')}": text for member, text in error.errors.items()}
        ) from error


def unreadable(path: str, kind: str) -> BindingError:
    """What is said of a place in a body, ``data[2]``, where there is something else than ``kind``."""
    where = _json_path(path)
    return BindingError({where: [f"The JSON value could not be converted to {kind}. Path: {where}"]})


def _json_path(path: str) -> str:
    return f"$.{path}" if path else "$"


async def _sent(request: Request) -> bytes | None:
    kind = request.headers.get("content-type", "application/json").partition(";")[0].strip().lower()
    if kind not in {"application/json", "text/json"} and not kind.endswith("+json"):
        raise HTTPException(415)
    sent = await request.body()
    if len(sent) > MAX_BODY_BYTES:  # the app may take more, for other routes
        raise HTTPException(413)
    sent = sent.removeprefix(codecs.BOM_UTF8)
    return sent if sent.strip() else None


def _parsed(sent: bytes) -> Any:
    try:
        return loads(sent)
    except StrictJsonError as error:
        raise BindingError({"$": [f"The body is not JSON that can be taken: {error}"]}) from error

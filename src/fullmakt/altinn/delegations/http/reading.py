"""Reads what a caller asks for: query members by name in any case, bodies as strict JSON."""

from __future__ import annotations

import codecs
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from uuid import UUID

from starlette.requests import Request

from fullmakt.jose.strict_json import StrictJsonError, loads
from fullmakt.wire.altinn.attributes import Attribute
from fullmakt.wire.altinn.problems import BindingError

_BOOLEANS = {"true": True, "false": False}
_MAX_ATTRIBUTES = 100


class Query:
    """The query of a request. An empty member counts as none."""

    def __init__(self, request: Request) -> None:
        self._members: dict[str, list[str]] = {}
        for name, value in request.query_params.multi_items():
            self._members.setdefault(name.lower(), []).append(value)

    def text(self, name: str) -> str | None:
        """The first value of a member."""
        return next((value for value in self.all(name) if value.strip()), None)

    def all(self, name: str) -> list[str]:
        """Every value of a member."""
        return self._members.get(name.lower(), [])

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

    def flag(self, name: str, *, default: bool = False) -> bool:
        """A member that is true or false.

        Raises:
            BindingError: it is neither.
        """
        value = self.text(name)
        if value is None:
            return default
        if value.lower() not in _BOOLEANS:
            raise BindingError({name: [_not_valid(value)]})
        return _BOOLEANS[value.lower()]


def _not_valid(value: str) -> str:
    return f"The value '{value[:100]}' is not valid."


def parse_uuid(name: str, value: str) -> UUID:
    """A UUID from text.

    Raises:
        BindingError: it is none.
    """
    try:
        return UUID(value)
    except ValueError as error:
        raise BindingError({name: [_not_valid(value)]}) from error


async def body_of(request: Request) -> Mapping[str, Any]:
    """A JSON object, its members' names in lower case.

    Raises:
        BindingError: there is no body, or it is none that can be taken.
    """
    body = await optional_body_of(request)
    if body is None:
        raise BindingError({"": ["A non-empty request body is required."]})
    return body


async def optional_body_of(request: Request) -> Mapping[str, Any] | None:
    """A JSON object, its members' names in lower case; None when there is no body.

    Raises:
        BindingError: it is no JSON object that can be taken.
    """
    raw = (await request.body()).removeprefix(codecs.BOM_UTF8)
    if not raw.strip():
        return None
    try:
        value = loads(raw)
    except StrictJsonError as error:
        raise BindingError({"$": ["The JSON value could not be converted."]}) from error
    if value is None:
        return None
    if not isinstance(value, dict):
        raise BindingError({"$": ["The JSON value could not be converted."]})
    return lowered(value)


def lowered(value: Mapping[str, Any]) -> Mapping[str, Any]:
    """The same object, the names of its own members in lower case."""
    return {name.lower(): member for name, member in value.items()}


def text_of(body: Mapping[str, Any], name: str) -> str:
    """A member that is text and must be there.

    Raises:
        BindingError: it is not there, or no text.
    """
    value = body.get(name.lower())
    if value is None or value == "":
        raise BindingError({name: [f"The {name} field is required."]})
    if not isinstance(value, str):
        raise BindingError({f"$.{name}": ["The JSON value could not be converted to System.String."]})
    return value


def list_of(body: Mapping[str, Any], name: str, parse: Callable[[str, Any], Any]) -> Sequence[Any]:
    """A member that is a list, each entry read by ``parse(path, entry)``; empty when it is not there.

    Raises:
        BindingError: it is no list, or too long.
    """
    value = body.get(name.lower())
    if value is None:
        return []
    if not isinstance(value, list) or len(value) > _MAX_ATTRIBUTES:
        raise BindingError(
            {f"$.{name}": [f"The JSON value could not be converted to a list of at most {_MAX_ATTRIBUTES}."]}
        )
    return [parse(f"{name}[{number}]", entry) for number, entry in enumerate(value)]


def object_of(path: str, value: Any) -> Mapping[str, Any]:
    """A JSON object, its members' names in lower case.

    Raises:
        BindingError: it is none.
    """
    if not isinstance(value, dict):
        raise BindingError({f"$.{path}": ["The JSON value could not be converted."]})
    return lowered(value)


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

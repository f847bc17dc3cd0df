"""How requests are read. What can not be read is answered as Altinn's framework does: 400, fields to messages."""

from __future__ import annotations

import codecs
import datetime as dt
from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request

from fullmakt.infra.http import MAX_BODY_BYTES
from fullmakt.jose.strict_json import StrictJsonError, loads
from fullmakt.wire.altinn.problems import BindingError
from fullmakt.wire.altinn.resource_registry import ResourceDocument

_BOOLEANS = {"true": True, "false": False}


async def json_body(request: Request) -> Any:
    """The body as JSON.

    Raises:
        BindingError: it is none.
        HTTPException: 413 for more than a mebibyte, 415 for another content type.
    """
    kind = request.headers.get("content-type", "application/json").partition(";")[0].strip().lower()
    if kind not in {"application/json", "text/json"} and not kind.endswith("+json"):
        raise HTTPException(415)
    body = await request.body()
    if len(body) > MAX_BODY_BYTES:
        raise HTTPException(413)
    if not body.strip():
        raise BindingError({"": ["A non-empty request body is required."]})
    try:
        return loads(body.removeprefix(codecs.BOM_UTF8))
    except StrictJsonError as error:
        raise BindingError({"$": [f"The body is not JSON that can be taken: {error}"]}) from error


async def resource_body(request: Request) -> ResourceDocument:
    """The body as a resource.

    Raises:
        BindingError: it is none; each member that can not be read is named by its path, ``$.title.nb``.
        HTTPException: see ``json_body``.
    """
    body = await json_body(request)
    try:
        return ResourceDocument.model_validate(body)
    except ValidationError as error:
        faults: dict[str, list[str]] = {}
        for fault in error.errors(include_url=False, include_input=False, include_context=False):
            path = ".".join(("$", *(str(step) for step in fault["loc"])))
            faults.setdefault(path, []).append(f"The JSON value could not be converted: {fault['msg']}")
        raise BindingError(faults) from error


class Query:
    """The query's parameters, whatever the case of their names; of one that stands twice the first counts."""

    def __init__(self, request: Request) -> None:
        self._values: Mapping[str, str] = {
            name.lower(): value for name, value in reversed(request.query_params.multi_items())
        }

    def text(self, name: str) -> str | None:
        """The value, None when there is none or it is empty."""
        return self._values.get(name.lower()) or None

    def number(self, name: str) -> int | None:
        """A whole number.

        Raises:
            BindingError: it is none.
        """
        value = self.text(name)
        if value is None:
            return None
        digits = value.removeprefix("-")
        if not (digits.isascii() and digits.isdigit() and len(digits) <= 9):
            raise not_valid(name, value)
        return int(value)

    def flag(self, name: str, default: bool) -> bool:
        """A truth value.

        Raises:
            BindingError: it is none.
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


def not_valid(name: str, value: str) -> BindingError:
    """What a parameter says that can not be read."""
    return BindingError({name: [f"The value '{value[:100]}' is not valid."]})

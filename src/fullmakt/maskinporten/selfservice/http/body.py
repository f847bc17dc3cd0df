"""How bodies are read: JSON that says one thing only, and is not too deep."""

from __future__ import annotations

import codecs
import json
from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import HTTPException, Request, Response

from fullmakt.jose.strict_json import StrictJsonError, loads
from fullmakt.maskinporten.selfservice.errors import Fault, InvalidError
from fullmakt.provider.fastapi import BearerRoute


def read_json(body: bytes) -> Any:
    """Read a body; the byte order mark that Windows tools put before it is passed over.

    Raises:
        InvalidError: it is not JSON, or says one thing twice, or is nested too deep.
    """
    try:
        return loads(body.removeprefix(codecs.BOM_UTF8))
    except StrictJsonError as error:
        raise InvalidError(Fault(f"The body is not JSON that can be taken: {_why(error)}")) from error


def _why(error: StrictJsonError) -> str:
    cause = error.__cause__
    if isinstance(cause, json.JSONDecodeError):
        return f"{cause.msg}, line {cause.lineno} column {cause.colno}"
    if isinstance(cause, UnicodeDecodeError):
        return "it is not UTF-8"
    return str(error)


class _Request(Request):
    async def json(self) -> Any:
        try:
            return read_json(await self.body())
        except InvalidError as error:
            # FastAPI makes its own error of any other exception, and loses what was wrong.
            raise HTTPException(400, str(error)) from error


class JsonRoute(BearerRoute):
    """A route that asks for the token first, and then reads the body as ``read_json`` does."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The route's handler, reading strictly."""
        handle = super().get_route_handler()

        async def strict(request: Request) -> Response:
            return await handle(_Request(request.scope, request.receive))

        return strict

"""Altinn 2's routes for consent, and how they refuse (consent.md §2)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute

from fullmakt.altinn.consents.altinn2.errors import (
    NoConsentTokenError,
    NotAdmittedError,
    NotAuthenticatedError,
    RequestRefusedError,
    UnknownRequestError,
)
from fullmakt.altinn.consents.altinn2.http import metadata, owners, requests, tokens
from fullmakt.altinn.consents.altinn2.http.door import Admission
from fullmakt.altinn.consents.altinn2.http.rendering import answer
from fullmakt.altinn.consents.altinn2.service import Altinn2Consents
from fullmakt.infra.altinn import HANDLERS as OF_ALTINN
from fullmakt.infra.altinn import Handler
from fullmakt.wire.altinn.consents2 import TOKEN_REFUSED, ConsentError, ErrorCode
from fullmakt.wire.altinn.problems import BindingError

NOT_AUTHENTICATED = "The enterprise is not authenticated."
NOT_FOUND = "There is no such request."


def routes(service: Altinn2Consents, door: Admission, url: str, *, mask: bool = True) -> list[BaseRoute]:
    """The routes, under Altinn 2's base path, whose public URL is ``url``. ``mask`` hides the end of people's
    numbers."""
    return [
        *requests.routes(service, door, url, mask=mask),
        *tokens.routes(service, door),
        *owners.routes(service, door, url),
        *metadata.routes(service.signer, url),
    ]


async def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestRefusedError)  # noqa: S101 - it is registered for no other
    return answer(request, [one.document() for one in error.errors], "Errors", error.status)


async def _unreadable(request: Request, error: Exception) -> Response:
    assert isinstance(error, BindingError)  # noqa: S101 - as above
    told = [ConsentError(ErrorCode.UNREADABLE, text) for texts in error.errors.values() for text in texts]
    return answer(request, [one.document() for one in told], "Errors", 400)


async def _not_authenticated(_request: Request, _error: Exception) -> Response:
    return PlainTextResponse(NOT_AUTHENTICATED, 401, {"WWW-Authenticate": "Bearer"})


async def _not_admitted(_request: Request, error: Exception) -> Response:
    assert isinstance(error, NotAdmittedError)  # noqa: S101 - as above
    return PlainTextResponse(error.text, 403)


async def _no_token(_request: Request, _error: Exception) -> Response:
    return PlainTextResponse(TOKEN_REFUSED, 403, {"Cache-Control": "no-store"})


async def _unknown(_request: Request, _error: Exception) -> Response:
    return PlainTextResponse(NOT_FOUND, 404)


HANDLERS: Mapping[Any, Handler] = {
    **OF_ALTINN,
    RequestRefusedError: _refused,
    BindingError: _unreadable,
    NotAuthenticatedError: _not_authenticated,
    NotAdmittedError: _not_admitted,
    NoConsentTokenError: _no_token,
    UnknownRequestError: _unknown,
}
"""Exception handlers for the app that serves the routes."""

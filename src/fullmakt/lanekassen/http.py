"""The data source over HTTP (lanekassen-saldo.md §1, §2, §4, §7)."""

from __future__ import annotations

import asyncio
from http import HTTPStatus

import structlog
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.types import ASGIApp

from fullmakt.infra.group_commit import OverloadedError
from fullmakt.infra.http import SystemEdge, routed
from fullmakt.infra.routes import folded_route
from fullmakt.infra.unavailable import UnavailableError
from fullmakt.lanekassen import documents, rules
from fullmakt.lanekassen.errors import TEXTS, Refusal, RefusedError
from fullmakt.lanekassen.service import BalanceService
from fullmakt.lanekassen.throttle import RETRY_AFTER
from fullmakt.provider import IssuerUnavailableError

PATH = "/saldo/v1/Accounts"
REQUEST_ID = "X-Request-Id"
MAX_BODY = 64 * 1024
_JSON = ("application/problem+json", "application/json")

_log = structlog.get_logger("fullmakt.lanekassen")


def app(service: BalanceService) -> ASGIApp:
    """The system's app, to be mounted at its base path: ``GET /saldo/v1/Accounts``, in any case."""
    api = _Api(service)
    handlers = {
        HTTPException: _routing_error,
        IssuerUnavailableError: _unavailable,
        UnavailableError: _unavailable,
        OverloadedError: _overloaded,
    }
    inner = routed([folded_route(PATH, api.accounts)], handlers)
    return SystemEdge(inner, max_body=MAX_BODY, error=lambda status, _code, _text: _plain(status))


class _Api:
    def __init__(self, service: BalanceService) -> None:
        self._service = service

    async def accounts(self, request: Request) -> Response:
        config = self._service.config
        if config.delay:
            await asyncio.sleep(config.delay)
        try:
            call = rules.read_call(request.headers.getlist)
        except RefusedError as refused:
            _log.info("refused", reason=refused.refusal.reason, header=refused.refusal.facts["header"])
            return _refused(request, refused.refusal)
        answer = await self._service.owed(call)
        if isinstance(answer, Refusal):
            return _refused(request, answer)
        document = documents.accounts(answer, total_is_zero=config.total_is_zero)
        return JSONResponse(document, headers=_headers(request, {"Cache-Control": "no-store"}))


def _refused(request: Request, refusal: Refusal) -> Response:
    more = {"Retry-After": str(RETRY_AFTER)} if refusal.status == 429 else {}
    return _error(request, refusal.status, TEXTS[refusal.status], more)


def _error(request: Request, status: int, text: str, more: dict[str, str] | None = None) -> Response:
    """Text, or JSON where that is asked for."""
    headers = _headers(request, {"Cache-Control": "no-store", **(more or {})})
    accepted = request.headers.get("accept", "").lower()
    media_type = next((name for name in _JSON if name in accepted), None)
    if media_type is None:
        return PlainTextResponse(text, status, headers)
    document = {"status": status, "message": text, "requestId": rules.request_id_of(request.headers.getlist)}
    return JSONResponse(document, status, headers, media_type)


def _headers(request: Request, more: dict[str, str]) -> dict[str, str]:
    request_id = rules.request_id_of(request.headers.getlist)
    return more if request_id is None else {REQUEST_ID: request_id, **more}


async def _routing_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 - it is registered for no other
    return _error(request, error.status_code, HTTPStatus(error.status_code).phrase, dict(error.headers or {}))


async def _unavailable(request: Request, error: Exception) -> Response:
    """Nobody is let in while it can not be told whether they may be."""
    _log.warning("unavailable", error=f"{type(error).__name__}: {error}")
    return _error(request, 500, TEXTS[500], {"Retry-After": str(RETRY_AFTER)})


async def _overloaded(request: Request, _error_: Exception) -> Response:
    return _error(request, 429, TEXTS[429], {"Retry-After": str(RETRY_AFTER)})


def _plain(status: int) -> Response:
    return PlainTextResponse(TEXTS[500] if status == 500 else HTTPStatus(status).phrase, status)

"""Consent tokens, and what is done with consents that have been given (consent.md §2.8, §2.10)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from fullmakt.altinn.consents.altinn2.asking import service_key, unreadable
from fullmakt.altinn.consents.altinn2.callers import Enterprise
from fullmakt.altinn.consents.altinn2.errors import NoConsentTokenError, NotAdmittedError, RequestRefusedError
from fullmakt.altinn.consents.altinn2.http.door import Admission
from fullmakt.altinn.consents.altinn2.http.rendering import text_answer
from fullmakt.altinn.consents.altinn2.service import Altinn2Consents
from fullmakt.infra.reading import Query, body_of
from fullmakt.infra.routes import folded_route
from fullmakt.wire.altinn.consents2 import TOKEN_SCOPES, TOKEN_WRITE_SCOPES, read_time
from fullmakt.wire.altinn.problems import BindingError

BASE = "/api/authorization/token"


def routes(service: Altinn2Consents, door: Admission) -> list[BaseRoute]:
    """The routes, under Altinn 2's base path."""

    async def draw(request: Request, code: str | None) -> Response:
        try:
            by = await door.holder(request, "consent:token", *TOKEN_SCOPES)
        except NotAdmittedError as error:  # §2.8: one text for every failure, a wrong key among them
            raise NoConsentTokenError(error.reason) from error
        async with _noted(service, "consent:token", by):
            wanted = _code(code)
        return text_answer(request, await service.drawing.token(wanted, by))

    async def by_path(request: Request) -> Response:
        return await draw(request, request.path_params["code"])

    async def by_query(request: Request) -> Response:
        return await draw(request, Query(request).text("authcode"))

    async def give_up(request: Request) -> Response:
        by = await door.enterprise(request, "consent:give-up", *TOKEN_WRITE_SCOPES)
        async with _noted(service, "consent:give-up", by):
            code = _code(request.path_params["code"])
        await service.drawing.give_up(code, by)
        return Response(status_code=204)

    async def log_use(request: Request) -> Response:
        by = await door.enterprise(request, "consent:use", *TOKEN_WRITE_SCOPES)
        async with _noted(service, "consent:use", by):
            body = await body_of(request)
            key = service_key(body.get("servicecode"), body.get("serviceeditioncode"))
            if key is None:
                raise unreadable("ServiceCode and ServiceEditionCode", "must name a service together")
            used_at, code = _used_at(body.get("usagedatetime")), _code(request.path_params["code"])
        await service.drawing.log_use(code, key, used_at, by)
        return Response(status_code=204)

    return [
        folded_route(BASE, by_query),
        folded_route(f"{BASE}/{{code}}", by_path),
        folded_route(f"{BASE}/{{code}}", give_up, methods=["DELETE"]),
        folded_route(f"{BASE}/{{code}}/loguse", log_use, methods=["POST"]),
    ]


@asynccontextmanager
async def _noted(service: Altinn2Consents, action: str, by: Enterprise) -> AsyncIterator[None]:
    """A block that reads what an enterprise sends; what can not be read is kept in the audit trail."""
    try:
        yield
    except BindingError:
        await service.unread(action, "unreadable_request", by)
        raise
    except (RequestRefusedError, NoConsentTokenError) as error:
        await service.unread(action, error.reason, by)
        raise


def _code(text: str | None) -> UUID:
    try:
        return UUID(text or "")
    except ValueError:
        raise NoConsentTokenError("no_code") from None


def _used_at(value: object) -> datetime:
    try:
        if isinstance(value, str) and len(value) <= 40:
            return read_time(value)
    except ValueError:
        pass
    raise unreadable("UsageDateTime", "must be a time as ISO 8601 has it")

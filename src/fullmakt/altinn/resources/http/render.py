"""What goes out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import quote

import orjson
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from fullmakt.altinn.resources.errors import (
    DeletionForbiddenError,
    ForeignScopesError,
    IdentifierMismatchError,
    InvalidResourceError,
    NotOwnerError,
    PolicyNotAcceptedError,
    ResourceExistsError,
    TooManyCombinationsError,
    UnknownResourceError,
)
from fullmakt.altinn.resources.model import StoredResource
from fullmakt.altinn.resources.rules.fields import APP_PREFIX
from fullmakt.altinn.resources.rules.rights import MAX_COMBINATIONS
from fullmakt.infra.altinn import HANDLERS as SHARED
from fullmakt.infra.altinn import Handler
from fullmakt.infra.http import problem
from fullmakt.infra.telemetry import current_trace
from fullmakt.wire.altinn.attributes import APP, RESOURCE, SERVICE_OWNER, Attribute
from fullmakt.wire.altinn.problems import BindingError


def json_response(document: object, headers: Mapping[str, str] | None = None) -> Response:
    """200 with the document, indented as the real service does it."""
    body = orjson.dumps(document, option=orjson.OPT_INDENT_2)
    return Response(body, headers=dict(headers or {}), media_type="application/json")


def resource_document(stored: StoredResource) -> dict[str, Any]:
    """The resource as it was written, with what the registry adds."""
    return {
        **stored.document,
        "authorizationReference": [
            {"id": attribute.id, "value": attribute.value} for attribute in _reference(stored.identifier)
        ],
        "versionId": stored.version_id,
    }


def _reference(identifier: str) -> tuple[Attribute, ...]:
    """What a request for a decision names the resource by."""
    org, separator, app = identifier.removeprefix(APP_PREFIX).partition("_")
    if identifier.startswith(APP_PREFIX) and separator:
        return Attribute(SERVICE_OWNER, org), Attribute(APP, app)
    return (Attribute(RESOURCE, identifier),)


def attribute_document(attribute: Attribute) -> dict[str, str]:
    """``{"type", "value"}``."""
    return {"type": attribute.id, "value": attribute.value}


def urn_document(attribute: Attribute) -> dict[str, str]:
    """``{"type", "value", "urn"}``."""
    return {**attribute_document(attribute), "urn": attribute.urn}


def attribute_documents(attributes: Iterable[Attribute]) -> list[dict[str, str]]:
    """A list of ``{"type", "value"}``."""
    return [attribute_document(attribute) for attribute in attributes]


def page_document(data: Iterable[Mapping[str, Any]], following: str | None = None) -> dict[str, Any]:
    """A page, and the address of the next one if there is one."""
    return {"links": {"next": following} if following else {}, "data": list(data)}


def path_of(identifier: str) -> str:
    """The identifier as a step of a path."""
    return quote(identifier, safe="")


async def _not_found(_request: Request, _error: Exception) -> Response:
    return problem(404, "There is no such resource")


async def _invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, InvalidResourceError)  # noqa: S101 - it is registered for no other
    return await SHARED[BindingError](request, BindingError(error.faults))


async def _foreign_scopes(_request: Request, error: Exception) -> Response:
    assert isinstance(error, ForeignScopesError)  # noqa: S101 - it is registered for no other
    trace = current_trace.get()
    body = {
        "title": "Unauthorized",
        "status": 401,
        "detail": str(error),
        "traceId": trace.traceparent if trace else "",
        "errors": {"InvalidPrefix": list(error.scopes)},
    }
    return Response(orjson.dumps(body), 401, media_type="application/problem+json")


async def _not_owner(_request: Request, _error: Exception) -> Response:
    return Response(status_code=403)


async def _mismatch(_request: Request, _error: Exception) -> Response:
    return PlainTextResponse("Id in path does not match ID in resource", 400)


async def _exists(_request: Request, error: Exception) -> Response:
    return PlainTextResponse(str(error), 409)


async def _not_deletable(_request: Request, _error: Exception) -> Response:
    return PlainTextResponse("Delete operation is not allowed in PROD environment", 403)


async def _policy_refused(_request: Request, error: Exception) -> Response:
    return PlainTextResponse(str(error), 400)


async def _too_many(_request: Request, _error: Exception) -> Response:
    return problem(422, f"The policy comes to more than {MAX_COMBINATIONS} combinations; read the policy itself")


HANDLERS: Mapping[Any, Handler] = {
    **SHARED,
    UnknownResourceError: _not_found,
    InvalidResourceError: _invalid,
    ForeignScopesError: _foreign_scopes,
    NotOwnerError: _not_owner,
    IdentifierMismatchError: _mismatch,
    ResourceExistsError: _exists,
    DeletionForbiddenError: _not_deletable,
    PolicyNotAcceptedError: _policy_refused,
    TooManyCombinationsError: _too_many,
}
"""Exception handlers for an app with the registry's routes."""

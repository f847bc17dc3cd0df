"""What goes out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from fullmakt.altinn.resources.access_lists.errors import PreconditionFailedError, UnknownListError
from fullmakt.altinn.resources.access_lists.http.binding import PARTY_ID_URN
from fullmakt.altinn.resources.access_lists.http.conditions import validators
from fullmakt.altinn.resources.access_lists.model import AccessList, Connection, Grant, Member
from fullmakt.altinn.resources.http.render import json_response
from fullmakt.infra.altinn import HANDLERS as SHARED
from fullmakt.infra.altinn import Handler
from fullmakt.infra.http import problem
from fullmakt.wire.altinn.attributes import ORGANISATION, PARTY_UUID, RESOURCE


def tagged(of: AccessList, document: object) -> Response:
    """200 with the document and the list's validators."""
    return json_response(document, validators(of))


def not_modified(of: AccessList) -> Response:
    """304 with the list's validators."""
    return Response(status_code=304, headers=validators(of))


def list_document(each: AccessList, *, actions: bool = False) -> dict[str, Any]:
    """A list's info; its connections are in it when they were looked up, their filters only where ``actions``."""
    document: dict[str, Any] = {
        "urn": each.reference.urn,
        "identifier": each.reference.identifier,
        "name": each.name,
        "description": each.description,
        "createdAt": _time(each.created),
        "updatedAt": _time(each.updated),
    }
    if each.connections is not None:
        document["resourceConnections"] = [
            connection_document(connection, actions=actions) for connection in each.connections
        ]
    return document


def connection_document(connection: Connection, *, actions: bool = True) -> dict[str, Any]:
    """A connection; a filter of no actions is left out, which means all of them."""
    return {
        "resourceIdentifier": connection.resource,
        **({"actionFilters": list(connection.actions)} if actions and connection.actions else {}),
        "createdAt": _time(connection.created),
        "updatedAt": _time(connection.updated),
    }


def member_document(member: Member) -> dict[str, Any]:
    """A member with whatever identifiers it has."""
    identifiers = {PARTY_UUID: str(member.party)}
    if member.identity is not None:
        identifiers[PARTY_ID_URN] = str(member.identity.party_id)
        if member.identity.orgno is not None:
            identifiers[ORGANISATION] = member.identity.orgno
    return {"id": f"{PARTY_UUID}:{member.party}", "since": _time(member.since), "identifiers": identifiers}


def grant_document(grant: Grant) -> dict[str, Any]:
    """A membership as the decision point reads it (§14.1)."""
    return {
        "party": f"{PARTY_UUID}:{grant.party}",
        "resource": f"{RESOURCE}:{grant.resource}",
        "since": _time(grant.since),
        **({"actionFilters": list(grant.actions)} if grant.actions else {}),
    }


def page_document(links: Mapping[str, str], data: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """A page."""
    return {"links": links, "data": list(data)}


def _time(at: datetime) -> str:
    return at.astimezone(UTC).isoformat()


async def _not_found(_request: Request, _error: Exception) -> Response:
    return problem(404, "There is no such access list")


async def _precondition_failed(_request: Request, _error: Exception) -> Response:
    return problem(412, "The access list is not of the version that the request asks for")


HANDLERS: Mapping[Any, Handler] = {
    **SHARED,
    UnknownListError: _not_found,
    PreconditionFailedError: _precondition_failed,
}
"""Exception handlers for an app with the routes of access lists."""

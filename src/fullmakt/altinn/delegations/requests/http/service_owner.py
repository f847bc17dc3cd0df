"""A service owner's routes (altinn-authorization.md §15.1)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from fullmakt.altinn.delegations.http.render import json
from fullmakt.altinn.delegations.requests import rules
from fullmakt.altinn.delegations.requests.asking import Asked
from fullmakt.altinn.delegations.requests.documents import Documents
from fullmakt.altinn.delegations.requests.errors import BOTH_ASKED, INVALID_URN, NOTHING_ASKED
from fullmakt.altinn.delegations.requests.model import ServiceOwner
from fullmakt.altinn.delegations.requests.service import RequestsService
from fullmakt.infra.altinn import Callers, ForbiddenError, caller_of, require_scope
from fullmakt.infra.reading import body_of, object_of, parse_uuid, text_of
from fullmakt.infra.routes import folded_route
from fullmakt.wire.altinn.attributes import ORGANISATION, PERSON, Attribute
from fullmakt.wire.altinn.callers import Caller
from fullmakt.wire.altinn.problems import BindingError

READ = "altinn:serviceowner/delegationrequests.read"
WRITE = "altinn:serviceowner/delegationrequests.write"
BASE = "/api/v1/serviceowner/delegationrequests"

_URN = re.compile(rf"(?P<id>{PERSON}|{ORGANISATION}):(?P<number>[0-9]{{9}}|[0-9]{{11}})", re.ASCII | re.IGNORECASE)
_DIGITS = {PERSON: 11, ORGANISATION: 9}
_MAX_KEYS = 200


async def admitted(request: Request, service: RequestsService, callers: Callers, *scopes: str) -> Caller:
    """Who calls, with one of ``scopes``; whoever lacks them is refused, and that is remembered.

    Raises:
        InvalidCallerError: there is no token to believe.
        ForbiddenError: it has none of the scopes.
    """
    caller = await caller_of(request, callers)
    try:
        require_scope(caller, *scopes)
    except ForbiddenError as error:
        await service.refused(caller, "request:call", request.url.path, error)
        raise
    return caller


def owner_of(caller: Caller) -> ServiceOwner:
    """The service owner that calls.

    Raises:
        ForbiddenError: the token is no organisation's.
    """
    if caller.consumer is None:
        raise ForbiddenError("no_organisation")
    return ServiceOwner(caller.consumer, caller.org_code, caller.actor)


def routes(service: RequestsService, documents: Documents, callers: Callers) -> list[BaseRoute]:
    """The routes, under access management's base path."""

    async def owner(request: Request, scope: str) -> ServiceOwner:
        return owner_of(await admitted(request, service, callers, scope))

    async def draft(asked: Asked, by: ServiceOwner) -> Response:
        made = await service.draft_for(asked, by)
        return json(await documents.one(made, numbers=True), 202)

    async def urns(_request: Request) -> Response:
        return json([PERSON, ORGANISATION])

    async def resource(request: Request) -> Response:
        by = await owner(request, WRITE)
        body = await body_of(request)
        return await draft(_asked(body, resource=text_of(body, "resource"), path="/resource"), by)

    async def package(request: Request) -> Response:
        by = await owner(request, WRITE)
        body = await body_of(request)
        return await draft(_asked(body, package=text_of(body, "package"), path="/package"), by)

    async def either(request: Request) -> Response:
        by = await owner(request, WRITE)
        body = await body_of(request)
        resource, package = _reference(body, "resource"), _reference(body, "package")
        if resource is not None and package is not None:
            raise BOTH_ASKED.at("/resource", "/package")
        if resource is None and package is None:
            raise NOTHING_ASKED.at("/resource", "/package")
        path = "/resource/referenceId" if resource is not None else "/package"
        return await draft(_asked(body, resource=resource, package=package, path=path, either_way=True), by)

    async def status(request: Request) -> Response:
        by = await owner(request, READ)
        found = await service.of_service_owner(_id(request), by)
        return json(str(found.status))

    async def withdraw(request: Request) -> Response:
        by = await owner(request, WRITE)
        withdrawn = await service.withdraw_for(_id(request), by)
        return json(str(withdrawn.status))

    return [
        folded_route(f"{BASE}/_meta/urns/party", urns),
        folded_route(f"{BASE}/resource", resource, methods=["POST"]),
        folded_route(f"{BASE}/package", package, methods=["POST"]),
        folded_route(BASE, either, methods=["POST"]),
        folded_route(f"{BASE}/{{id}}/status", status),
        folded_route(f"{BASE}/{{id}}/withdraw", withdraw, methods=["PUT"]),
    ]


def _id(request: Request) -> UUID:
    return parse_uuid("id", request.path_params["id"])


def _asked(
    body: Mapping[str, Any],
    *,
    path: str,
    resource: str | None = None,
    package: str | None = None,
    either_way: bool = False,
) -> Asked:
    from_, to = _party(body, "from"), _party(body, "to")
    receiver, giver = (from_, "/from"), (to, "/to")
    if either_way and rules.who_asks(from_, to) != (from_, to):
        receiver, giver = giver, receiver
    return Asked(
        receiver=receiver,
        giver=giver,
        resources=(resource,) if resource is not None else (),
        package=package,
        right_keys=keys_of(body.get("rightkeys")) or () if resource is not None else (),
        path=path,
    )


def _party(body: Mapping[str, Any], name: str) -> Attribute:
    """``urn:altinn:person:identifier-no:…`` or ``urn:altinn:organization:identifier-no:…``."""
    found = _URN.fullmatch(text_of(body, name).strip())
    if found is None or len(found["number"]) != _DIGITS[found["id"].lower()]:
        raise INVALID_URN.at(f"/{name}")
    return Attribute(found["id"].lower(), found["number"])


def _reference(body: Mapping[str, Any], name: str) -> str | None:
    """What a member of the base route names: by ``referenceId`` or ``urn``, or by ``id`` alone."""
    value = body.get(name)
    if value is None:
        return None
    members = object_of(name, value)
    named = [members[one] for one in ("referenceid", "urn", "id") if members.get(one) not in (None, "")]
    if not named:
        return None
    if not isinstance(named[0], str):
        raise BindingError({f"$.{name}": ["The JSON value could not be converted to System.String."]})
    return named[0]


def keys_of(value: Any) -> list[str] | None:
    """Right keys in a body; None when there are none.

    Raises:
        BindingError: not a list of texts that a database can hold.
    """
    if value is None:
        return None
    good = isinstance(value, list) and len(value) <= _MAX_KEYS
    if not good or not all(isinstance(key, str) and 0 < len(key) <= 1000 and key.isprintable() for key in value):
        raise BindingError({"rightKeys": [f"Right keys are a list of at most {_MAX_KEYS} texts."]})
    return list(value)

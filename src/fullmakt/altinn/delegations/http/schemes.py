"""Delegation schemes over HTTP, an app of its own on Altinn 2's host (altinn-authorization.md §13.3).

The real service has turned it off; whoever serves it decides whether to.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp

from fullmakt.altinn.delegations import access
from fullmakt.altinn.delegations.errors import DelegationRefusedError
from fullmakt.altinn.delegations.http import render
from fullmakt.altinn.delegations.http.context import AccessManagement, Guarded, performer
from fullmakt.altinn.delegations.schemes import Scheme, Schemes, UnknownSchemeError
from fullmakt.infra.altinn import HANDLERS, ForbiddenError, require_scope
from fullmakt.infra.http import SystemEdge, problem, routed
from fullmakt.infra.reading import Query, body_of, list_of, object_of, parse_uuid, text_of
from fullmakt.kernel.identifiers import InvalidIdentifierError, OrgNumber, ScopeName
from fullmakt.kernel.text import is_name
from fullmakt.wire.altinn.callers import Caller
from fullmakt.wire.altinn.problems import BindingError

_SCOPE = "altinn:maskinporten/delegationschemes"
_LANGUAGES = frozenset({"nb_NO", "nn_NO", "en"})


def schemes_app(system: AccessManagement) -> ASGIApp:
    """The app, to be mounted at ``…/maskinporten-api``."""
    guarded = Guarded(system)
    routes = guarded.table(
        "/delegationSchemes",
        ("POST", "", create),
        ("GET", "", list_all),
        ("GET", "/{id}", get),
        ("PUT", "/{id}", change),
        ("DELETE", "/{id}", delete),
    )
    handlers = {**HANDLERS, UnknownSchemeError: _unknown}
    return SystemEdge(routed(routes, handlers))


async def create(system: AccessManagement, caller: Caller, request: Request) -> Response:
    """A new scheme: 200 with its id, a bare JSON string."""
    owner = _caller(caller, "write")
    document = await _document(caller, owner, request)
    return render.json(str(await _schemes(system).create(owner, document, performer(caller))))


async def list_all(system: AccessManagement, caller: Caller, request: Request) -> Response:
    """The caller's schemes."""
    return render.json([_rendered(one) for one in await _schemes(system).of(_caller(caller, "read"))])


async def get(system: AccessManagement, caller: Caller, request: Request) -> Response:
    """One of them."""
    owner = _caller(caller, "read")
    return render.json(_rendered(await _schemes(system).get(owner, parse_uuid("id", request.path_params["id"]))))


async def change(system: AccessManagement, caller: Caller, request: Request) -> Response:
    """Another text, other scopes: 204."""
    owner = _caller(caller, "edit")
    scheme_id = parse_uuid("id", request.path_params["id"])
    await _schemes(system).change(owner, scheme_id, await _document(caller, owner, request), performer(caller))
    return Response(status_code=204)


async def delete(system: AccessManagement, caller: Caller, request: Request) -> Response:
    """Away with it: 204; with delegations only by ``?deleteDelegations=true``, otherwise 400."""
    owner = _caller(caller, "delete")
    scheme_id = parse_uuid("id", request.path_params["id"])
    with_delegations = Query(request).flag("deleteDelegations")
    try:
        await _schemes(system).delete(owner, scheme_id, performer(caller), delete_delegations=with_delegations)
    except DelegationRefusedError as refusal:
        raise BindingError({"deleteDelegations": ["The scheme has delegations"]}) from refusal
    return Response(status_code=204)


def _schemes(system: AccessManagement) -> Schemes:
    return Schemes(system.service.work, system.resources)


def _caller(caller: Caller, action: str) -> OrgNumber:
    require_scope(caller, f"{_SCOPE}.{action}")
    if caller.consumer is None:
        raise ForbiddenError("not_an_organisation")
    return caller.consumer


def _rendered(scheme: Scheme) -> render.Document:
    return {"id": str(scheme.scheme_id), "owner_org": scheme.owner, **scheme.document}


async def _document(caller: Caller, owner: OrgNumber, request: Request) -> render.Document:
    """The scheme of the body, for its owner alone.

    Raises:
        ForbiddenError: it names another owner, or a scope whose prefix the token does not say is the owner's.
        BindingError: a member is missing, or is not what it should be.
    """
    body = await body_of(request)
    if text_of(body, "owner_org") != owner:
        raise ForbiddenError("not_the_owner")
    scopes = list_of(body, "scopes", _scope)
    titles = list_of(body, "title", _text)
    if not scopes:
        raise BindingError({"scopes": ["The scopes field is required."]})
    if not titles:
        raise BindingError({"title": ["The title field is required."]})
    document = {
        "scopes": list(dict.fromkeys(scopes)),
        "title": titles,
        "description": list_of(body, "description", _text),
        "default_language": _language("default_language", body.get("default_language", "nb_NO")),
        "delegation_source_config": {"required_security_level": _level(body.get("delegation_source_config"))},
    }
    for scope in scopes:
        if not access.owns_prefix(caller, scope):
            raise ForbiddenError("consumer_prefix", scope=scope)
    return document


def _scope(path: str, value: object) -> str:
    try:
        return ScopeName(value if isinstance(value, str) else "")
    except InvalidIdentifierError as error:
        raise BindingError({path: ["The value is not a scope"]}) from error


def _text(path: str, value: object) -> Mapping[str, str]:
    members = object_of(path, value)
    text = text_of(members, "value")
    if not is_name(text):
        raise BindingError({f"{path}.value": ["The value is one line of at most 255 characters"]})
    return {"code": _language(f"{path}.code", members.get("code")), "value": text}


def _language(path: str, value: Any) -> str:
    if not isinstance(value, str) or value not in _LANGUAGES:
        raise BindingError({path: [f"The value is one of {', '.join(sorted(_LANGUAGES))}"]})
    return value


def _level(config: Any) -> int:
    level = object_of("delegation_source_config", config or {}).get("required_security_level", 3)
    if not isinstance(level, int) or isinstance(level, bool) or not 0 <= level <= 4:
        raise BindingError({"delegation_source_config.required_security_level": ["The value is a level from 0 to 4"]})
    return level


async def _unknown(_request: Request, _error: Exception) -> Response:
    return problem(404, "The caller has no such scheme")

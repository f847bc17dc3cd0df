"""The look-up that Maskinporten uses before a supplier gets a consumer's token (altinn-authorization.md §12)."""

from __future__ import annotations

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from fullmakt.altinn.delegations import access
from fullmakt.altinn.delegations.http import render
from fullmakt.altinn.delegations.http.context import AccessManagement, Guarded
from fullmakt.infra.altinn import require_scope
from fullmakt.infra.reading import Query
from fullmakt.kernel.identifiers import InvalidIdentifierError, OrgNumber
from fullmakt.kernel.text import is_name
from fullmakt.wire.altinn import attributes as ids
from fullmakt.wire.altinn.callers import Caller
from fullmakt.wire.altinn.problems import BindingError

SCOPE = "altinn:maskinporten/delegations"
ADMIN_SCOPE = "altinn:maskinporten/delegations.admin"


def routes(guarded: Guarded) -> list[Route]:
    """Both paths."""
    paths = ("/api/v1/maskinporten/delegations", "/api/v1/admin/delegations/maskinportenschema")
    return [guarded.route(path, look_up) for path in paths]


async def look_up(system: AccessManagement, caller: Caller, request: Request) -> Response:
    """``GET ?supplierOrg=&consumerOrg=&scope=`` → 200 with an array."""
    require_scope(caller, SCOPE, ADMIN_SCOPE)
    query = Query(request)
    scope = query.text("scope")
    if not may_look_up(caller, scope):
        subject = f"for the scope: {scope}" if scope else "without specifying parameter: scope"
        await system.service.work.refused(
            caller.actor, "accessmanagement:lookup", request.url.path[:255], "consumer_prefix", scope=scope or ""
        )
        return _problem(403, f"Not authorized for lookup of delegations {subject}")
    numbers = {name: query.text(name) for name in ("supplierOrg", "consumerOrg")}
    if scope is None and not any(numbers.values()):
        return _problem(400, "Missing query parameters; provide at least one of: scope, supplierOrg, consumerOrg")
    if scope is not None and not is_name(scope):
        raise BindingError({"scope": ["Is not well formatted: the scope holds what no scope can"]})
    supplier, consumer = [await _organisation(system, name, number) for name, number in numbers.items()]
    found = await system.service.api_delegations(supplier=supplier, consumer=consumer, scope=scope)
    return render.json([render.api_delegation(one) for one in found])


def may_look_up(caller: Caller, scope: str | None) -> bool:
    """The ``.admin`` scope opens everything; without it ``scope`` must begin with a prefix that the caller owns."""
    if ADMIN_SCOPE in caller.scopes:
        return True
    return scope is not None and access.owns_prefix(caller, scope)


async def _organisation(system: AccessManagement, name: str, number: str | None) -> OrgNumber | None:
    """The organisation's number.

    Raises:
        BindingError: it is none, or nobody has it.
    """
    if number is None:
        return None
    try:
        orgno = OrgNumber(number)
    except InvalidIdentifierError:
        orgno = None
    if orgno is None or not orgno.has_valid_check_digit:
        raise BindingError({name: [f"{name} is not a valid organization number"]})
    if await system.party(ids.ORGANISATION, orgno) is None:
        raise BindingError({name: [f"The specified {name}: {orgno}, is not a valid organization number"]})
    return orgno


_TYPES = {
    403: "https://tools.ietf.org/html/rfc7231#section-6.5.3",
    400: "https://tools.ietf.org/html/rfc7231#section-6.5.1",
}


def _problem(status: int, title: str) -> Response:
    document = {"type": _TYPES[status], "title": title, "status": status}
    return Response(orjson.dumps(document), status, media_type="application/problem+json")

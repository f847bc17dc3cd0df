"""Altinn 2's routes, over the same requests (altinn-authorization.md §16.1).

A service of Altinn 2 is the resource ``se_<code>_<edition>``, as it was carried over to the resource registry.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import orjson
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from fullmakt.altinn.delegations.requests.asking import Asked
from fullmakt.altinn.delegations.requests.documents import Documents, Known, Urls, party
from fullmakt.altinn.delegations.requests.errors import UNKNOWN_REQUEST
from fullmakt.altinn.delegations.requests.http.pages import place_of, token_after, url_with
from fullmakt.altinn.delegations.requests.http.service_owner import READ, WRITE, admitted, owner_of
from fullmakt.altinn.delegations.requests.model import AccessRequest, Letter, RequestStatus, Selection, ServiceOwner
from fullmakt.altinn.delegations.requests.service import RequestsService
from fullmakt.infra.altinn import Callers
from fullmakt.infra.reading import Query, body_of, list_of, object_of, parse_uuid, text_of
from fullmakt.infra.routes import folded_route
from fullmakt.wire.altinn.attributes import ORGANISATION, PERSON, Attribute
from fullmakt.wire.altinn.parties import PartyIdentity
from fullmakt.wire.altinn.problems import AltinnValidationError, BindingError

BASE = "/api/serviceowner/delegationrequests"
STATUSES = {
    RequestStatus.DRAFT: "Created",
    RequestStatus.PENDING: "Unopened",
    RequestStatus.APPROVED: "Approved",
    RequestStatus.REJECTED: "Rejected",
    RequestStatus.WITHDRAWN: "Deleted",
}
_BY_NAME = {name.lower(): status for status, name in STATUSES.items()}
_SERVICE = re.compile(r"se_(?P<code>[A-Za-z0-9]{1,20})_(?P<edition>[0-9]{1,9})", re.ASCII)
_CODE = re.compile(r"[A-Za-z0-9]{1,20}", re.ASCII)
_CONDITION = re.compile(r"\s*(\w+)\s+eq\s+(?:'([^']*)'|(\d+))\s*", re.IGNORECASE)
_AND = re.compile(r"\s+and\s+", re.IGNORECASE)
_STATUS_MEMBER = re.compile(r"(?:request)?status(?:\[\d*\])?", re.IGNORECASE)
_OPERATIONS = ("Read", "Write")
"""What a service of Altinn 2 lets one do, when the request does not narrow it."""
_MAX_MESSAGE = 4000
_MAX_URL = 2000
_MAX_FILTER = 1000
"""Characters; the time that white space takes to read grows with its square."""


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What a list is narrowed to, as it was asked for."""

    covered_by: str | None = None
    offered_by: str | None = None
    code: str | None = None
    edition: str | None = None
    statuses: frozenset[RequestStatus] = frozenset()


def routes(service: RequestsService, documents: Documents, callers: Callers, urls: Urls) -> list[BaseRoute]:
    """The routes, under Altinn 2's base path."""

    async def owner(request: Request, scope: str) -> ServiceOwner:
        return owner_of(await admitted(request, service, callers, scope))

    async def create(request: Request) -> Response:
        by = await owner(request, WRITE)
        body = await body_of(request)
        made = await service.draft_for(_asked(body), by, _letter(body))
        (document,) = await rendered(request, [made])
        return _answer(request, document, 201, Location=f"{urls.altinn2}{BASE}/{made.request_id}")

    async def one(request: Request) -> Response:
        by = await owner(request, READ)
        with _known():
            found = await service.of_service_owner(parse_uuid("id", request.path_params["id"]), by)
        (document,) = await rendered(request, [found])
        return _answer(request, document)

    async def delete(request: Request) -> Response:
        by = await owner(request, WRITE)
        with _known():
            await service.withdraw_for(parse_uuid("id", request.path_params["id"]), by)
        return Response(status_code=204)

    async def listed(request: Request) -> Response:
        by = await owner(request, READ)
        wanted = _wanted(request)
        after = place_of("continuation", Query(request).text("continuation"))
        selection = await _selection(service, wanted, by)
        found = [] if selection is None else await service.page(selection, after)
        items = await rendered(request, found)
        if not _is_hal(request):
            return _answer(request, items)
        token = token_after(found)
        members = request.query_params.multi_items()
        links = {"self": {"href": f"{urls.altinn2}{BASE}"}}
        if token is not None:
            links["next"] = {"href": url_with(f"{urls.altinn2}{BASE}", members, "continuation", token)}
        return _answer(
            request, {"_links": links, "_embedded": {"delegationRequests": items}, "continuationtoken": token}
        )

    async def rendered(request: Request, requests: Sequence[AccessRequest]) -> list[dict[str, Any]]:
        known = await documents.parties_of(requests)
        hal = _is_hal(request)
        return [{**_document(one, known), **(_links(one, urls) if hal else {})} for one in requests]

    return [
        folded_route(BASE, create, methods=["POST"]),
        folded_route(BASE, listed),
        folded_route(f"{BASE}/{{id}}", one),
        folded_route(f"{BASE}/{{id}}", delete, methods=["DELETE"]),
    ]


@contextmanager
def _known() -> Iterator[None]:
    """Altinn 2 says of a request that there is none that it is not found."""
    try:
        yield
    except AltinnValidationError as error:
        if [fault.code for fault in error.faults] == [UNKNOWN_REQUEST.code]:
            raise HTTPException(404) from error
        raise


def _is_hal(request: Request) -> bool:
    """A client that lists ``application/json`` gets it bare."""
    return "application/json" not in request.headers.get("accept", "").lower()


def _answer(request: Request, document: Any, status: int = 200, **headers: str) -> Response:
    media_type = "application/hal+json" if _is_hal(request) else "application/json"
    return Response(orjson.dumps(document), status, headers, media_type)


def _asked(body: Mapping[str, Any]) -> Asked:
    services = list_of(body, "RequestResources", _service)
    if not services:
        raise BindingError({"RequestResources": ["The RequestResources field is required."]})
    resources = tuple(dict.fromkeys(resource for resource, _ in services))
    keys = [f"{resource}:{operation.lower()}" for resource, operations in services for operation in operations]
    return Asked(
        receiver=(Attribute(PERSON, _digits(body, "CoveredBy", 11)), "/CoveredBy"),
        giver=(Attribute(ORGANISATION, _digits(body, "OfferedBy", 9)), "/OfferedBy"),
        resources=resources,
        right_keys=keys if all(operations for _, operations in services) else (),
        path="/RequestResources",
    )


def _digits(body: Mapping[str, Any], name: str, length: int) -> str:
    text = text_of(body, name)
    if len(text) != length or not text.isascii() or not text.isdigit():
        raise BindingError({name: [f"The field {name} must be {length} digits."]})
    return text


def _service(path: str, value: Any) -> tuple[str, list[str]]:
    members = object_of(path, value)
    code, edition = text_of(members, "ServiceCode"), members.get("serviceeditioncode")
    edition = str(edition) if isinstance(edition, int | str) and not isinstance(edition, bool) else ""
    identifier = f"se_{code}_{edition}"
    if not _SERVICE.fullmatch(identifier):
        raise BindingError({path: ["A service is named by ServiceCode and ServiceEditionCode."]})
    operations = list_of(members, "Operations", _operation)
    return identifier, list(operations)


def _operation(path: str, value: Any) -> str:
    if not isinstance(value, str) or not _CODE.fullmatch(value):
        raise BindingError({path: ["An operation is a word, such as Read or Write."]})
    return value


def _letter(body: Mapping[str, Any]) -> Letter:
    url, message = _text(body, "RedirectUrl", _MAX_URL), _text(body, "RequestMessage", _MAX_MESSAGE)
    keep = body.get("keepsessionalive", False)
    if not isinstance(keep, bool):
        raise BindingError({"$.KeepSessionAlive": ["The JSON value could not be converted to System.Boolean."]})
    if url and not _is_web_address(url):
        raise BindingError({"RedirectUrl": ["The field RedirectUrl must be an http or https URL."]})
    return Letter(url, message, keep)


def _text(body: Mapping[str, Any], name: str, longest: int) -> str:
    value = body.get(name.lower())
    if value is None:
        return ""
    if not isinstance(value, str) or len(value) > longest or "\x00" in value:
        raise BindingError({name: [f"The field {name} must be text of at most {longest} characters."]})
    return value


def _is_web_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme in {"http", "https"} and bool(parts.hostname) and url.isprintable() and " " not in url


def _wanted(request: Request) -> _Wanted:
    """The list's query: members of its own, or an OData ``$filter`` of equalities joined by ``and``.

    Raises:
        BindingError: the filter can not be read, or a status is none.
    """
    query = Query(request)
    members = {name: query.text(name) or "" for name in query.names}
    conditions = {**members, **_odata(members.get("$filter", ""))}
    statuses = [value for name, value in conditions.items() if _STATUS_MEMBER.fullmatch(name) and value]
    unknown = [value for value in statuses if value.lower() not in _BY_NAME]
    if unknown:
        raise BindingError({"status": [f"The value '{unknown[0][:100]}' is not valid."]})
    return _Wanted(
        covered_by=conditions.get("coveredby") or None,
        offered_by=conditions.get("offeredby") or None,
        code=conditions.get("servicecode") or None,
        edition=conditions.get("serviceeditioncode") or None,
        statuses=frozenset(_BY_NAME[value.lower()] for value in statuses),
    )


def _odata(text: str) -> dict[str, str]:
    if len(text) > _MAX_FILTER:
        raise BindingError({"$filter": [f"A filter has at most {_MAX_FILTER} characters."]})
    conditions: dict[str, str] = {}
    for part in _AND.split(text) if text.strip() else []:
        found = _CONDITION.fullmatch(part)
        if found is None or found[1].lower() not in _FIELDS:
            raise BindingError({"$filter": [f"Only equalities of {', '.join(sorted(_FIELDS.values()))} are taken."]})
        conditions[found[1].lower()] = found[2] if found[2] is not None else found[3]
    return conditions


_FIELDS = {
    name.lower(): name for name in ("CoveredBy", "OfferedBy", "RequestStatus", "ServiceCode", "ServiceEditionCode")
}


async def _selection(service: RequestsService, wanted: _Wanted, by: ServiceOwner) -> Selection | None:
    """What to look for; None when nobody and nothing can be meant."""
    named = {
        side: Attribute(PERSON if len(number) == 11 else ORGANISATION, number)
        for side, number in (("receiver", wanted.covered_by), ("giver", wanted.offered_by))
        if number is not None
    }
    known: Mapping[Attribute, PartyIdentity] = await service.parties.identify(list(named.values())) if named else {}
    if not all(attribute in known for attribute in named.values()):
        return None
    sides: dict[str, UUID] = {side: known[attribute].party_uuid for side, attribute in named.items()}
    resource = None
    if wanted.code is not None:
        resource = f"se_{wanted.code}_{wanted.edition or '1'}"
        if not _SERVICE.fullmatch(resource):
            return None
    return Selection(
        receiver=sides.get("receiver"),
        giver=sides.get("giver"),
        owner=by.orgno,
        statuses=wanted.statuses,
        resource=resource,
    )


def _document(request: AccessRequest, known: Known) -> dict[str, Any]:
    wish, letter = request.wish, request.letter
    receiver, giver = known.get(party(wish.receiver)), known.get(party(wish.giver))
    return {
        "Guid": str(request.request_id),
        "RequestStatus": STATUSES[request.status],
        "CoveredBy": _number(receiver),
        "OfferedBy": _number(giver),
        "RedirectUrl": letter.redirect_url,
        "RequestMessage": letter.message,
        "KeepSessionAlive": letter.keep_session_alive,
        "Created": _moment(request.created.isoformat()),
        "LastChanged": _moment(request.changed.isoformat()),
        "RequestResources": [_requested(resource, wish.actions) for resource in wish.resources],
    }


def _number(known: PartyIdentity | None) -> str | None:
    return None if known is None else str(known.national_id or known.orgno)


def _moment(text: str) -> str:
    """``2020-01-31T08:00:00.00``: hundredths, and no time zone."""
    seconds, _, rest = text.partition("+")[0].partition(".")
    return f"{seconds}.{(rest + '00')[:2]}"


def _requested(resource: str, keys: frozenset[str]) -> dict[str, Any]:
    found = _SERVICE.fullmatch(resource)
    prefix = f"{resource}:"
    operations = [key.removeprefix(prefix).capitalize() for key in sorted(keys) if key.startswith(prefix)]
    return {
        # A request made by the newer routes may be for a resource that never was a service of Altinn 2.
        "ServiceCode": found["code"] if found else resource,
        "ServiceEditionCode": int(found["edition"]) if found else 1,
        "Operations": operations or list(_OPERATIONS),
    }


def _links(request: AccessRequest, urls: Urls) -> dict[str, Any]:
    return {
        "_links": {
            "self": {"href": f"{urls.altinn2}{BASE}/{request.request_id}"},
            "sendRequest": {"href": f"{urls.altinn2}/ui/DelegationRequest/send/{request.request_id}"},
        }
    }

"""The endpoint at which access management asks whether access lists let a party do something
(altinn-authorization.md §10). It belongs to the decision point's app."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from fullmakt.altinn.resources.access_lists.http.binding import party_urn, resource_urn
from fullmakt.altinn.resources.access_lists.http.gate import PlatformGate
from fullmakt.altinn.resources.access_lists.ports import PlatformTokens
from fullmakt.altinn.resources.access_lists.service import AccessLists
from fullmakt.altinn.resources.http.render import json_response
from fullmakt.infra.reading import body_of
from fullmakt.infra.routes import folded_route
from fullmakt.wire.altinn.attributes import ACTION
from fullmakt.wire.altinn.problems import BindingError

PATH = "/api/v1/accesslist/accessmanagement/authorization"


def authorization_route(service: AccessLists, platform: PlatformTokens | None) -> Route:
    """``POST`` with ``subject``, ``resource`` and ``action``, each of ``type`` and ``value``: 200 with the same and
    ``result``. For an app that has ``infra.altinn.HANDLERS``.

    The caller shows a ``PlatformAccessToken`` of issuer ``platform``; without ``platform`` none is believed.
    """

    gate = PlatformGate(service, platform)

    async def authorize(request: Request) -> Response:
        await gate.require_platform(request)
        body = await body_of(request)
        asked = {name: _attribute(body, name) for name in ("subject", "resource", "action")}
        party, resource = party_urn(_urn(asked["subject"])), resource_urn(_urn(asked["resource"]))
        faults = {
            "subject": party is None,
            "resource": resource is None,
            "action": asked["action"]["type"] != ACTION or not asked["action"]["value"],
        }
        if party is None or resource is None or faults["action"]:
            raise BindingError({name: ["The attribute is not valid."] for name, wrong in faults.items() if wrong})
        result = await service.look_up.authorize(party, resource, asked["action"]["value"])
        return json_response({**asked, "result": result})

    return folded_route(PATH, authorize, methods=["POST"])


def _attribute(body: dict[str, Any], name: str) -> dict[str, str]:
    match body.get(name):
        case {"type": str(kind), "value": str(value)}:
            return {"type": kind, "value": value}
    raise BindingError({name: ["An attribute has a type and a value."]})


def _urn(attribute: dict[str, str]) -> str:
    return f"{attribute['type']}:{attribute['value']}"

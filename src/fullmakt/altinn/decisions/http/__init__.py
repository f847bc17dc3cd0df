"""The decision point over HTTP (altinn-authorization.md §1; OpenID AuthZEN Authorization API 1.0).

Decisions are asked for by the thousand, so their endpoints are plain ASGI functions, found by their path in a
dictionary; the others are Starlette's.
"""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from fullmakt.altinn.decisions.errors import UnsettledError
from fullmakt.altinn.decisions.http.authzen import AuthZenEndpoints
from fullmakt.altinn.decisions.http.exchange import Endpoint, answer
from fullmakt.altinn.decisions.http.gateway import Gateway, GatewayRefusalError, gateway_refusal
from fullmakt.altinn.decisions.http.look_ups import LookUpEndpoints
from fullmakt.altinn.decisions.http.xacml import XacmlEndpoints
from fullmakt.altinn.decisions.service import DecisionPoint
from fullmakt.infra import altinn
from fullmakt.infra.altinn import Callers
from fullmakt.infra.group_commit import OverloadedError
from fullmakt.infra.http import SystemEdge, problem, routed
from fullmakt.infra.routes import folded_route


async def _busy(_request: Request, _error: Exception) -> Response:
    return problem(503, "The decision point is busy; ask again", {"Retry-After": "1"})


HANDLERS: dict[type[Exception], altinn.Handler] = {
    **altinn.HANDLERS,
    GatewayRefusalError: gateway_refusal,
    OverloadedError: _busy,
    UnsettledError: _busy,
}


def app(service: DecisionPoint, callers: Callers, more: tuple[Route, ...] = ()) -> ASGIApp:
    """The system's app, to be mounted at its base path; ``more`` are routes of neighbours that live below it."""
    config = service.config
    gateway = Gateway(config, callers, service)
    xacml, authzen = XacmlEndpoints(service, gateway), AuthZenEndpoints(service, gateway)
    look_ups = LookUpEndpoints(service, gateway)
    hot: dict[str, Endpoint] = {
        "/api/v1/authorize": xacml.authorize,
        "/api/v1/decision": xacml.decision,
        "/access/v1/evaluation": authzen.evaluation,
        "/access/v1/evaluations": authzen.evaluations,
        "/access/v1/search/subject": authzen.search_subject,
        "/access/v1/search/resource": authzen.search_resource,
        "/access/v1/search/action": authzen.search_action,
    }
    if config.explain:
        hot["/api/v1/explain"] = xacml.explain
    routes = [folded_route("/.well-known/authzen-configuration", authzen.metadata), *look_ups.routes, *more]
    rest = routed(routes, HANDLERS)

    async def dispatch(scope: Scope, receive: Receive, send: Send) -> None:
        path = scope["path"].removeprefix(scope.get("root_path", "")) if scope["type"] == "http" else ""
        endpoint = hot.get(path) or hot.get(path.lower().rstrip("/"))  # as ``infra.routes`` matches the others
        if endpoint is None:
            await rest(scope, receive, send)
        else:
            await answer(endpoint, scope, receive, send, HANDLERS)

    return SystemEdge(dispatch, max_body=config.max_body, error=lambda status, _code, text: problem(status, text))


__all__ = ["HANDLERS", "app"]

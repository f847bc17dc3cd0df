"""One route a path, whatever its methods: a method that is none gets told of all that are."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from fullmakt.infra.routes import folded_route

Endpoint = Callable[[Request], Awaitable[Response]]


def route(path: str, **endpoints: Endpoint) -> Route:
    """A route for ``path``; ``endpoints`` are named for their method."""

    async def endpoint(request: Request) -> Response:
        return await endpoints["GET" if request.method == "HEAD" else request.method](request)

    return folded_route(path, endpoint, methods=[*endpoints])

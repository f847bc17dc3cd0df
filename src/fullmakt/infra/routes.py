"""Paths as Altinn's gateway takes them: in any case, with or without a slash at the end."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Sequence

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route


def folded_route(
    path: str, endpoint: Callable[[Request], Awaitable[Response]], *, methods: Sequence[str] = ("GET",)
) -> Route:
    """A route whose path is matched so (altinn-authentication.md §1); its parameters keep their case.

    A letter is the same in another case, and no other: without ``re.ASCII``, ``ſ`` would pass for ``s``.
    """
    route = Route(path, endpoint, methods=list(methods))
    route.path_regex = re.compile(route.path_regex.pattern.removesuffix("$") + "/?$", re.ASCII | re.IGNORECASE)
    return route

"""Picks the system that answers a request, by host and path."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from urllib.parse import urlsplit

from starlette.types import ASGIApp, Receive, Scope, Send

_MANY_SLASHES = re.compile(r"//+")
_REMEMBERED = 1_024
"""Hosts and paths whose route is remembered: the few that nearly all requests go to."""
_DEFAULT_PORT = re.compile(r":(80|443)$", re.ASCII)


def _host(text: str) -> str:
    """A host as the router knows it: lower case, without a port that some scheme would take for granted."""
    return _DEFAULT_PORT.sub("", text.lower())


class Router:
    """An ASGI app over others, each at a public URL.

    The longest base path wins. A host that is nobody's gets what the ``default_host`` gets, so that ``127.0.0.1`` and
    ``localhost`` are the same on a developer's machine. Doubled slashes count as one: NAV's client makes them
    (maskinporten.md §1.2), and a redirect would break clients that follow none.
    """

    def __init__(self, apps: Mapping[str, ASGIApp], *, default_host: str, not_found: ASGIApp) -> None:
        self._not_found = not_found
        self._default_host = _host(default_host)
        self._hosts: dict[str, list[tuple[str, ASGIApp]]] = {}
        self._aliases: dict[tuple[str, str], str] = {}
        for url, app in apps.items():
            parts = urlsplit(url)
            self._hosts.setdefault(_host(parts.netloc), []).append((parts.path.rstrip("/"), app))
        self._find = lru_cache(maxsize=_REMEMBERED)(self._route)
        for table in self._hosts.values():
            table.sort(key=lambda row: -len(row[0]))

    def alias(self, url: str, path: str) -> None:
        """Serve what lies at ``path`` under the whole path of ``url`` too."""
        self._find.cache_clear()
        parts = urlsplit(url)
        self._aliases[_host(parts.netloc), parts.path] = path

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        host = b""
        for name, value in scope["headers"]:
            if name == b"host":
                host = value
                break
        app, path, base = self._find(host, scope["path"])
        await app({**scope, "path": path, "root_path": base}, receive, send)

    def _route(self, host_header: bytes, path: str) -> tuple[ASGIApp, str, str]:
        """The app for a request, the path as it is to see it, and its base path."""
        if "//" in path:
            path = _MANY_SLASHES.sub("/", path)
        host = _host(host_header.decode("latin-1"))
        if host not in self._hosts:
            host = self._default_host
        path = self._aliases.get((host, path), path)
        for base, app in self._hosts.get(host, ()):
            if path.startswith(base) and (len(path) == len(base) or path[len(base)] == "/"):
                return app, path, base
        return self._not_found, path, ""

"""What lies at the base URL itself: the portal's front page, health and metrics."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable
from urllib.parse import urlsplit

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from fullmakt.infra.sms import Inbox
from fullmakt.portal.app import app as portal_app
from fullmakt.portal.cards import system_cards
from fullmakt.portal.inbox import PATH as INBOX
from fullmakt.serve.assembly import Assembly
from fullmakt.serve.loopback import asked_from_here

Check = Callable[[], Awaitable[bool]]
"""Says whether a system can answer now."""


class Front:
    """The portal, and for operators ``/healthz``, ``/readyz`` and ``/metrics``.

    ``/readyz`` answers 200 or 503 to everybody, and tells which system it is for those who may see metrics: callers on
    this machine, or everybody with ``metrics.public``. For others, ``/metrics`` is not there.
    """

    def __init__(self, assembly: Assembly) -> None:
        settings = assembly.settings
        self._checks = _checks(assembly)
        self._portal = portal_app(system_cards(_shown(assembly)), self._checks, home=f"{settings.base_url}/")
        self._metrics = assembly.metrics
        self._public = settings.metrics.public
        self._base = urlsplit(settings.base_url).path
        self._answers = {f"{self._base}{path}".encode(): answer for path, answer in _OPERATIONS.items()}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        # By the path as it came: a proxy that keeps /metrics to itself lets //metrics and /%6detrics through.
        answer = self._answers.get(scope.get("raw_path", b""))
        response = await answer(self, scope) if answer else None
        app: ASGIApp = response or self._portal
        await app({**scope, "root_path": self._base}, receive, send)

    def _tells_all(self, scope: Scope) -> bool:
        return self._public or asked_from_here(scope)

    async def _health(self, _scope: Scope) -> Response:
        return JSONResponse({"status": "ok"})

    async def _readiness(self, scope: Scope) -> Response:
        systems = {name: await check() for name, check in self._checks.items()}
        ready = all(systems.values())
        told = {"ready": ready, "systems": systems} if self._tells_all(scope) else {"ready": ready}
        return JSONResponse(told, 200 if ready else 503)

    async def _all_metrics(self, scope: Scope) -> Response | None:
        if not self._tells_all(scope):
            return None
        return Response(generate_latest(_of_all_workers(self._metrics)), media_type=CONTENT_TYPE_LATEST)


_OPERATIONS: dict[str, Callable[[Front, Scope], Awaitable[Response | None]]] = {
    "/healthz": Front._health,
    "/readyz": Front._readiness,
    "/metrics": Front._all_metrics,
}
OPERATIONS = tuple(_OPERATIONS)
"""Paths under the base URL that answer even where a system lies at the base URL itself."""


def _shown(assembly: Assembly) -> dict[str, str]:
    """What the front page has a card for, by public URL: the systems, and the inbox where there is one."""
    inbox = {"inbox": f"{assembly.settings.base_url}{INBOX}"} if isinstance(assembly.sms, Inbox) else {}
    return {**assembly.systems, **inbox}


def _checks(assembly: Assembly) -> dict[str, Check]:
    """By system, whether it can answer now."""

    settings = assembly.settings

    async def tokens_ready() -> bool:
        return assembly.tokens.ready

    async def pki_ready() -> bool:
        return assembly.pki is not None and bool((await assembly.pki.anchors()).roots)

    checks: dict[str, Check] = {"database": assembly.database.ready}
    if settings.serves("maskinporten"):
        checks["maskinporten"] = tokens_ready
    if assembly.pki is not None and settings.serves("pki"):
        checks["pki"] = pki_ready
    return checks


def _of_all_workers(own: CollectorRegistry) -> CollectorRegistry:
    """This process's metrics, or those of all workers when they write to a common folder."""
    if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
        return own
    everybody = CollectorRegistry()
    MultiProcessCollector(everybody)  # type: ignore[no-untyped-call]
    return everybody

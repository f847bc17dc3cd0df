"""The ASGI app of one process: every system at its URL, one lifespan."""

from __future__ import annotations

import gc
import multiprocessing
import os
import signal
import threading
from collections.abc import Iterator
from urllib.parse import urlsplit

import structlog
from starlette.types import ASGIApp, Receive, Scope, Send

from fullmakt.infra.sms import Inbox
from fullmakt.infra.telemetry import configure_logging
from fullmakt.maskinporten.selfservice.http import app as selfservice_app
from fullmakt.maskinporten.tokens.http import app as tokens_app
from fullmakt.pki.http import app as pki_app
from fullmakt.portal.app import error_pages
from fullmakt.portal.inbox import PATH as INBOX
from fullmakt.portal.inbox import inbox_json, inbox_page
from fullmakt.serve.assembly import Assembly, assemble
from fullmakt.serve.examples import examples
from fullmakt.serve.front import OPERATIONS, Front
from fullmakt.serve.router import Router
from fullmakt.serve.settings import Settings, SystemName

WELL_KNOWN = ("oauth-authorization-server", "openid-configuration")
AUTHZEN = "authzen-configuration"

_log = structlog.get_logger("fullmakt.serve")


def create(assembly: Assembly) -> ASGIApp:
    """The app; its lifespan starts and stops the assembly."""
    settings = assembly.settings
    front = Front(assembly)
    apps = {url: app for system, url, app in _mounts(assembly) if settings.serves(system)}
    apps.setdefault(settings.base_url, front)
    # Each by itself too: a system may lie at the very URL of the whole, and an orchestrator still has to ask.
    apps.update({f"{settings.base_url}{path}": front for path in OPERATIONS})
    router = Router(apps, default_host=urlsplit(settings.base_url).netloc.lower(), not_found=front)
    _add_well_known(router, settings)
    _add_landings(router, settings)
    return _WithLifespan(router, assembly)


def _mounts(assembly: Assembly) -> Iterator[tuple[SystemName, str, ASGIApp]]:
    """Every system with its public URL and its app."""
    settings = assembly.settings
    yield "maskinporten", settings.issuer, tokens_app(assembly.tokens, assembly.token_metrics)
    yield "maskinporten", f"{settings.issuer}errors", error_pages(settings.issuer, home=f"{settings.base_url}/")
    yield (
        "selvbetjening",
        settings.selfservice_url,
        selfservice_app(
            assembly.selfservice,
            assembly.verifier,
            base_url=settings.selfservice_url,
            faithful_empty_lists=settings.selfservice.faithful_empty_lists,
        ),
    )
    if isinstance(assembly.sms, Inbox):
        yield (
            "selvbetjening",
            f"{settings.base_url}{INBOX}",
            inbox_page(assembly.sms, settings.base_url, settings.selfservice_url),
        )
        yield "selvbetjening", f"{settings.base_url}{INBOX}.json", inbox_json(assembly.sms)
    yield from assembly.altinn.mounts()
    if assembly.lanekassen is not None:
        yield "lanekassen", settings.lanekassen_url, assembly.lanekassen.app()
    yield "examples", f"{settings.base_url}/examples", examples(settings)
    if assembly.pki is not None:
        yield "pki", settings.pki_url, pki_app(assembly.pki)


def _add_well_known(router: Router, settings: Settings) -> None:
    """RFC 8414 §3.1 puts the well-known part between host and the issuer's path; OpenID Connect puts it after.

    AuthZEN puts it where RFC 8414 does.
    """
    for url, names in ((settings.issuer, WELL_KNOWN), (settings.decisions_url, (AUTHZEN,))):
        parts = urlsplit(url)
        path = parts.path.rstrip("/")
        host = f"{parts.scheme}://{parts.netloc}"
        for name in names if path else ():
            for end in ("", "/"):
                router.alias(f"{host}/.well-known/{name}{path}{end}", f"{path}/.well-known/{name}")


def _add_landings(router: Router, settings: Settings) -> None:
    """Who opens the bare URL of a system without a page of its own gets the front page, which tells what lies there."""
    home = urlsplit(settings.base_url)
    altinn = (settings.parties_url, settings.resources_url, settings.delegations_url, settings.decisions_url)
    for url in (settings.issuer, *altinn, settings.exchange_url, settings.lanekassen_url):
        parts = urlsplit(url)
        path = parts.path.rstrip("/")
        if parts.netloc == home.netloc and path != home.path:
            for end in ("", "/"):
                router.alias(f"{parts.scheme}://{parts.netloc}{path}{end}", f"{home.path}/")


class _WithLifespan:
    """Starts the assembly before the first request and stops it after the last one."""

    def __init__(self, router: Router, assembly: Assembly) -> None:
        self._router = router
        self._assembly = assembly

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            await self._router(scope, receive, send)
        elif scope["type"] == "lifespan":
            await self._lifespan(receive, send)

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        await receive()
        try:
            await self._assembly.start()
        except Exception as error:
            _log.exception("start_failed")
            await send({"type": "lifespan.startup.failed", "message": f"{type(error).__name__}: {error}"})
            return
        # What lives from here on lives as long as the process: the collector need not look at it again.
        gc.collect()
        gc.freeze()
        gc.set_threshold(20_000, 20, 20)  # a request makes a hundred objects, and next to none of them in cycles
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await self._assembly.stop()
        await send({"type": "lifespan.shutdown.complete"})


def in_worker(settings: Settings, database_url: str) -> ASGIApp:
    """The app for a worker process, which the process that looks after it hands what it knows."""
    configure_logging(json_lines=settings.logs_json, level=settings.log.level)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    return create(assemble(settings, database_url))


def _end_with_parent() -> None:
    """Stop in good order when the process that looks after this one is gone, instead of holding its port for ever."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os.kill(os.getpid(), signal.SIGTERM)

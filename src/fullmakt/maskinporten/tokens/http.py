"""The token server over HTTP: parse, call, render.

The token endpoint is a plain ASGI function: a framework's request object, form parser and response cost 20 to 100 µs a
token (performance.md). Source: maskinporten.md §1.2 to §1.5 and §6.1; RFC 6749 §5; RFC 8414.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import lru_cache
from time import perf_counter
from urllib.parse import unquote_plus

import structlog
from starlette.types import ASGIApp, Receive, Scope, Send

from fullmakt.infra.telemetry import current_trace
from fullmakt.kernel.trace import Trace
from fullmakt.maskinporten.tokens.config import TokensConfig
from fullmakt.maskinporten.tokens.metrics import TokenMetrics
from fullmakt.maskinporten.tokens.model import IssuedToken, Refusal
from fullmakt.maskinporten.tokens.service import TokenService
from fullmakt.wire.maskinporten.grant import GRANT_TYPE, TOKEN_CONTENT_TYPE
from fullmakt.wire.maskinporten.metadata import metadata_document

MAX_FORM_BYTES = 96 * 1024
"""An assertion of 64 KiB, percent-encoded here and there, and what else a client may send along."""
MAX_FIELDS = 50
_SHORT = 100
_FORM = b"application/x-www-form-urlencoded"

_log = structlog.get_logger("fullmakt.tokens")

Header = tuple[bytes, bytes]
_TOKEN_HEADERS: list[Header] = [
    (b"content-type", TOKEN_CONTENT_TYPE.encode()),
    (b"cache-control", b"no-store"),
    (b"pragma", b"no-cache"),
]


_NOT_POST = Refusal("invalid_request", {"detail": "The method must be POST"})


class _RequestError(Exception):
    """The request has no grant in it; ``refusal`` says why."""

    def __init__(self, refusal: Refusal) -> None:
        self.refusal = refusal


class _CallerGoneError(Exception):
    """The connection ended before the request did: what came of it is not to be acted on."""


def _invalid(detail: str) -> _RequestError:
    return _RequestError(Refusal("invalid_request", {"detail": detail}))


async def _read_body(receive: Receive) -> bytes:
    body = b""
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise _CallerGoneError
        part: bytes = message.get("body", b"")
        body += part
        if len(body) > MAX_FORM_BYTES:
            raise _invalid(f"The request is larger than {MAX_FORM_BYTES} bytes")
        if not message.get("more_body", False):
            return body


def _read_pairs(form: bytes) -> list[tuple[str, str]]:
    """The fields of a form (WHATWG URL §5.1). ``parse_qsl`` does the same at five times the cost."""
    parts = form.split(b"&", MAX_FIELDS)
    if len(parts) > MAX_FIELDS:
        raise _invalid(f"The form has more than {MAX_FIELDS} fields")
    try:
        pairs = [part.decode().partition("=") for part in parts if part]
        return [(_unquote(name), _unquote(value)) for name, _, value in pairs]
    except UnicodeDecodeError as error:
        raise _invalid("The form is not UTF-8") from error


def _unquote(text: str) -> str:
    if "%" not in text and "+" not in text:
        return text
    return _unquote_short(text) if len(text) <= _SHORT else unquote_plus(text, errors="strict")


@lru_cache(maxsize=256)
def _unquote_short(text: str) -> str:
    """Nearly every request has the same grant type in it, with its colons encoded."""
    return unquote_plus(text, errors="strict")


def read_assertion(query: bytes, body: bytes, content_type: bytes) -> str:
    """The assertion of a token request; form and query string count alike (§1.5).

    Raises:
        _RequestError: not a form, not one assertion, another grant type.
    """
    if body and content_type and content_type.partition(b";")[0].strip().lower() != _FORM:
        raise _invalid("Content-Type must be application/x-www-form-urlencoded")
    fields: dict[str, str] = {}
    for part in (query, body):
        for name, value in _read_pairs(part):
            if fields.setdefault(name, value) != value:
                raise _invalid(f"Parameter given twice with different values: {name[:40]}")
    grant_type = fields.get("grant_type")
    if not grant_type:
        raise _invalid("Missing parameter: grant_type")
    if grant_type != GRANT_TYPE:
        raise _RequestError(Refusal("unsupported_grant_type", {"grant_type": grant_type[:100]}))
    assertion = fields.get("assertion")
    if not assertion:
        raise _invalid("Missing parameter: assertion")
    return assertion


def render_refusal(refusal: Refusal, trace_id: str, config: TokensConfig) -> tuple[int, list[Header], bytes]:
    """Status, headers and body of a refusal (§6.1).

    On a developer's machine (``config.explain``) the body has one member more, ``explanation``.
    """
    entry = refusal.entry
    body: dict[str, object] = {
        "error": entry.error,
        "error_description": f"{refusal.description} (trace_id: {trace_id})",
    }
    if entry.code is not None:
        body["error_uri"] = f"{config.issuer}errors/{entry.code}"
    if config.explain:
        facts = {name: value for name, value in refusal.facts.items() if name != "pid"}
        body["explanation"] = {"reason": entry.reason, "facts": facts, "cause": entry.cause, "remedy": entry.remedy}
    headers = list(_TOKEN_HEADERS)
    if entry.status == 503:
        headers.append((b"retry-after", b"1"))
    return entry.status, headers, json.dumps(body, ensure_ascii=False, default=str).encode()


async def _send(send: Send, status: int, headers: list[Header], body: bytes, *, head: bool = False) -> None:
    """The answer; to a HEAD, without its body but with the length that it has (RFC 9110 §9.3.2)."""
    headers = [*headers, (b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": b"" if head else body})


def token_endpoint(service: TokenService, metrics: TokenMetrics) -> ASGIApp:
    """``POST /token`` as an ASGI app."""
    config = service.config

    async def answer(scope: Scope, receive: Receive, trace: Trace, content_type: bytes) -> IssuedToken | Refusal:
        try:
            body = await _read_body(receive)
            assertion = read_assertion(scope["query_string"], body, content_type)
        except _RequestError as error:
            return await service.refuse(error.refusal, trace.trace_id)
        return await service.issue(assertion, trace.trace_id)

    async def endpoint(scope: Scope, receive: Receive, send: Send) -> None:
        started = perf_counter()
        traceparent, content_type = None, b""
        for name, value in scope["headers"]:
            if name == b"traceparent":
                traceparent = value.decode("latin-1")
            elif name == b"content-type":
                content_type = value
        trace = Trace.continue_from(traceparent)
        current_trace.set(trace)
        traced = (b"traceparent", trace.traceparent.encode())
        if scope["method"] != "POST":
            _, headers, body = render_refusal(_NOT_POST, trace.trace_id, config)
            await _send(send, 405, [*headers, (b"allow", b"POST"), traced], body, head=scope["method"] == "HEAD")
            return
        try:
            result = await answer(scope, receive, trace, content_type)
        except _CallerGoneError:
            return
        except Exception:
            _log.exception("token_endpoint_failed")
            result = Refusal("server_error")
        if isinstance(result, IssuedToken):
            body = b'{"access_token":"' + result.access_token + result.reply_tail
            metrics.issued(perf_counter() - started)
            await _send(send, 200, [*_TOKEN_HEADERS, traced], body)
            return
        metrics.refused(result.reason, perf_counter() - started)
        _log.info("token_refused", reason=result.reason, code=result.entry.code)
        status, headers, body = render_refusal(result, trace.trace_id, config)
        await _send(send, status, [*headers, traced], body)

    return endpoint


def _document(make: Callable[[], tuple[bytes, bytes]]) -> ASGIApp:
    """A GET route for a JSON document; ``make`` returns its body and its Cache-Control."""

    async def endpoint(scope: Scope, receive: Receive, send: Send) -> None:
        method = scope["method"]
        if method not in ("GET", "HEAD"):
            await _send(send, 405, [(b"allow", b"GET, HEAD")], b"")
            return
        body, cache_control = make()
        headers = [(b"content-type", b"application/json"), (b"cache-control", cache_control)]
        await _send(send, 200, headers, body, head=method == "HEAD")

    return endpoint


def app(service: TokenService, metrics: TokenMetrics) -> ASGIApp:
    """The token server. Paths are relative to the issuer; serve mounts it there."""
    config = service.config
    document = metadata_document(config.issuer, sorted(config.grant_algorithms), service.details_types)
    metadata = json.dumps(document, indent=2).encode()
    jwks = _document(lambda: (service.jwks(), b"public, max-age=%d" % config.jwks_max_age))
    about = _document(lambda: (metadata, b"public, max-age=300"))
    routes: dict[str, ASGIApp] = {
        "/token": token_endpoint(service, metrics),
        "/jwk": jwks,
        "/jwks": jwks,
        "/.well-known/jwks.json": jwks,
        "/.well-known/oauth-authorization-server": about,
        "/.well-known/openid-configuration": about,
        "/health": _document(lambda: (b'{"status":"UP"}', b"no-store")),
    }

    async def dispatch(scope: Scope, receive: Receive, send: Send) -> None:
        route = routes.get(scope["path"].removeprefix(scope.get("root_path", "")))
        if route is None:
            await _send(send, 404, [(b"content-type", b"application/json")], b'{"error":"not_found"}')
            return
        await route(scope, receive, send)

    return dispatch

"""The middleware in front of any ASGI app."""

from __future__ import annotations

from typing import Any

import httpx2
import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route, WebSocketRoute
from starlette.testclient import TestClient, WebSocketDenialResponse
from starlette.websockets import WebSocket

from fullmakt.kernel.clock import FixedClock
from fullmakt.provider import RemoteKeys, StaticKeys, TokenVerifier
from fullmakt.provider.asgi import BearerMiddleware
from tests.support.fake_issuer import CONSUMER, ISSUER, FakeIssuer

METADATA = "https://api.example/.well-known/oauth-protected-resource"


async def who(request: Request) -> JSONResponse:
    return JSONResponse([request.state.token.consumer])


async def chat(websocket: WebSocket) -> None:
    await websocket.accept()
    await websocket.send_text(websocket.state.token.consumer)
    await websocket.close()


@pytest.fixture
def app(issuer: FakeIssuer, clock: FixedClock) -> Starlette:
    verifier = TokenVerifier(ISSUER, keys=StaticKeys([issuer.signer.public_jwk()]), clock=clock)
    guard = Middleware(
        BearerMiddleware,
        verifier,
        scopes=["provider:api.read"],
        consumers=[CONSUMER],
        realm="orders",
        resource_metadata=METADATA,
    )
    routes = [Route("/who", who, methods=["GET", "POST"]), WebSocketRoute("/chat", chat)]
    return Starlette(routes=routes, middleware=[guard])


async def get(app: Any, *authorization: str | bytes) -> httpx2.Response:
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app), base_url="https://api.example") as http:
        return await http.get("/who", headers=[(b"Authorization", _raw(value)) for value in authorization])


def _raw(value: str | bytes) -> bytes:
    return value.encode() if isinstance(value, str) else value


async def test_a_good_token_reaches_the_app(app: Starlette, issuer: FakeIssuer) -> None:
    response = await get(app, f"Bearer {issuer.mint()}")
    assert (response.status_code, response.json()) == (200, [CONSUMER])


async def test_no_token_is_challenged_without_an_error(app: Starlette) -> None:
    response = await get(app)
    assert response.status_code == 401
    assert response.headers["WWW-Authenticate"] == f'Bearer realm="orders", resource_metadata="{METADATA}"'
    assert response.json() == {"error_description": "Send an access token: Authorization: Bearer <token>"}


async def test_a_bad_token_is_challenged_with_what_is_wrong(app: Starlette, issuer: FakeIssuer) -> None:
    response = await get(app, f"Bearer {issuer.mint(exp=1)}")
    assert response.status_code == 401
    assert response.headers["WWW-Authenticate"] == (
        'Bearer realm="orders", error="invalid_token", error_description="The token has expired", '
        f'resource_metadata="{METADATA}"'
    )
    assert response.headers["Cache-Control"] == "no-store"
    assert response.json() == {"error": "invalid_token", "error_description": "The token has expired"}


@pytest.mark.parametrize(
    ("claims", "error"),
    [({"scope": "a:b"}, "insufficient_scope"), ({"consumer": {}}, "invalid_token")],
)
async def test_each_refusal_has_its_code(
    app: Starlette, issuer: FakeIssuer, claims: dict[str, Any], error: str
) -> None:
    response = await get(app, f"Bearer {issuer.mint(**claims)}")
    assert response.json()["error"] == error
    assert response.status_code == (403 if error == "insufficient_scope" else 401)


async def test_bytes_that_are_no_text_are_a_bad_token(app: Starlette) -> None:
    assert (await get(app, b"Bearer \xff\xfe")).status_code == 401


async def test_two_authorization_headers_are_refused(app: Starlette, issuer: FakeIssuer) -> None:
    assert (await get(app, f"Bearer {issuer.mint()}", f"Bearer {issuer.mint()}")).status_code == 400


async def test_a_refusal_does_not_wait_for_the_body(app: Starlette) -> None:
    sent: list[Any] = []

    async def receive() -> Any:
        raise AssertionError("the body was read")

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {"type": "http", "method": "POST", "path": "/who", "headers": [], "query_string": b""}
    await app(scope, receive, send)
    assert sent[0]["status"] == 401


async def test_an_issuer_that_is_out_is_told_as_503(issuer: FakeIssuer, clock: FixedClock) -> None:
    issuer.down = True
    verifier = TokenVerifier(ISSUER, keys=RemoteKeys(ISSUER, clock=clock, http=issuer.http()), clock=clock)
    response = await get(BearerMiddleware(Starlette(), verifier), f"Bearer {issuer.mint()}")
    assert (response.status_code, response.headers["Retry-After"]) == (503, "1")
    assert "WWW-Authenticate" not in response.headers


def test_a_websocket_with_a_token_is_opened(app: Starlette, issuer: FakeIssuer) -> None:
    with TestClient(app).websocket_connect("/chat", headers={"Authorization": f"Bearer {issuer.mint()}"}) as socket:
        assert socket.receive_text() == CONSUMER


def test_a_websocket_without_a_token_is_refused_with_http(app: Starlette) -> None:
    with pytest.raises(WebSocketDenialResponse) as refused, TestClient(app).websocket_connect("/chat"):
        pass
    assert refused.value.status_code == 401
    assert refused.value.headers["WWW-Authenticate"].startswith('Bearer realm="orders"')


async def test_a_websocket_is_closed_where_http_can_not_be_answered(app: Starlette) -> None:
    sent: list[Any] = []

    async def receive() -> Any:
        return {"type": "websocket.connect"}

    async def send(message: Any) -> None:
        sent.append(message)

    await app({"type": "websocket", "path": "/chat", "headers": []}, receive, send)
    assert sent == [{"type": "websocket.close", "code": 1008, "reason": "missing"}]


def test_the_apps_start_and_stop_pass_through(app: Starlette) -> None:
    with TestClient(app) as http:
        assert http.get("/who").status_code == 401

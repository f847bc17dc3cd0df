"""The clients: what they send and to where, and what they let go of."""

from __future__ import annotations

from collections.abc import Iterator

import httpx2
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route
from starlette.testclient import TestClient

from fullmakt.provider import (
    Attribute,
    DecisionClient,
    DecisionRefusedError,
    DecisionUnavailableError,
    Question,
    Subject,
    SyncDecisionClient,
)

URL = "https://pdp.test/authorization/"
KARI = Subject((Attribute("urn:altinn:userid", "20001"),))


class PermitAll:
    """A decision point without scruples, that remembers what it was sent."""

    def __init__(self) -> None:
        self.paths: list[str] = []
        self.headers: list[dict[str, str]] = []
        self.app = Starlette(routes=[Route("/moved/api/v1/authorize", _elsewhere, methods=["POST"])])
        for name in ("authorize", "decision"):
            self.app.router.routes.append(Route(f"/authorization/api/v1/{name}", self._decide, methods=["POST"]))

    async def _decide(self, request: Request) -> Response:
        self.paths.append(request.url.path)
        self.headers.append(dict(request.headers))
        document = (await request.json())["Request"]
        asked = document.get("MultiRequests", {"RequestReference": [1]})["RequestReference"]
        return JSONResponse({"response": [{"decision": "Permit"}] * len(asked)})

    def http(self) -> httpx2.AsyncClient:
        return httpx2.AsyncClient(transport=httpx2.ASGITransport(app=self.app))


async def _elsewhere(_request: Request) -> Response:
    return RedirectResponse("https://elsewhere.test/")


@pytest.fixture
def point() -> PermitAll:
    return PermitAll()


@pytest.fixture
def threads(point: PermitAll) -> Iterator[TestClient]:
    with TestClient(point.app, base_url="https://pdp.test") as http:
        yield http


async def later() -> str:
    return "a-token"


class Header(httpx2.Auth):
    """An Auth of the caller's own."""

    def auth_flow(self, request: httpx2.Request) -> Iterator[httpx2.Request]:  # type: ignore[override]
        request.headers["Authorization"] = "Bearer a-token"
        yield request


@pytest.mark.parametrize("auth", [lambda: "a-token", later, Header()])
async def test_tasks_send_a_token_and_the_subscription_key(point: PermitAll, auth: httpx2.Auth) -> None:
    client = DecisionClient(URL, auth=auth, subscription_key="the-key", http=point.http())
    assert await client.authorize(KARI, "read", "thing", 50001)
    assert point.paths == ["/authorization/api/v1/authorize"]
    (headers,) = point.headers
    assert headers["authorization"] == "Bearer a-token"
    assert headers["ocp-apim-subscription-key"] == "the-key"
    assert headers["content-type"] == headers["accept"] == "application/json"


@pytest.mark.parametrize("auth", [lambda: "a-token", Header()])
def test_threads_send_the_same(point: PermitAll, threads: TestClient, auth: httpx2.Auth) -> None:
    client = SyncDecisionClient(URL, auth=auth, subscription_key="the-key", http=threads)
    assert client.authorize(KARI, "read", "thing", 50001)
    (headers,) = point.headers
    assert headers["authorization"] == "Bearer a-token"
    assert headers["ocp-apim-subscription-key"] == "the-key"


def test_threads_wait_for_no_event_loop(threads: TestClient) -> None:
    client = SyncDecisionClient(URL, auth=later, http=threads)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="at once"):
        client.authorize(KARI, "read", "thing", 50001)


async def test_without_a_token_the_internal_endpoint_is_asked(point: PermitAll) -> None:
    client = DecisionClient(URL, subscription_key="the-key", http=point.http())
    assert await client.authorize(KARI, "read", "thing", 50001)
    assert point.paths == ["/authorization/api/v1/decision"]
    assert "authorization" not in point.headers[0]


async def test_several_questions_are_one_request(point: PermitAll) -> None:
    questions = [Question("read", "thing", 50001), Question("write", "thing", 50001)]
    assert all(await DecisionClient(URL, http=point.http()).authorize_each(KARI, questions))
    assert len(point.paths) == 1


async def test_nobody_is_sent_elsewhere(point: PermitAll) -> None:
    client = DecisionClient("https://pdp.test/moved", auth=later, http=point.http())
    with pytest.raises(DecisionRefusedError):
        await client.authorize(KARI, "read", "thing", 50001)


async def test_a_client_closes_what_it_opened_and_nothing_else(point: PermitAll, threads: TestClient) -> None:
    http = point.http()
    async with DecisionClient(URL, http=http) as lent:
        await lent.authorize(KARI, "read", "thing", 50001)
    assert not http.is_closed
    async with DecisionClient("http://127.0.0.1:1") as own:
        with pytest.raises(DecisionUnavailableError):
            await own.authorize(KARI, "read", "thing", 50001)
    with pytest.raises(RuntimeError, match="closed"):
        await own.authorize(KARI, "read", "thing", 50001)
    with SyncDecisionClient(URL, http=threads):
        pass
    assert not threads.is_closed
    with SyncDecisionClient(URL) as alone:
        pass
    with pytest.raises(RuntimeError, match="closed"):
        alone.authorize(KARI, "read", "thing", 50001)

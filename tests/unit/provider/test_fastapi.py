"""The FastAPI dependency."""

# Annotations are real ones here: FastAPI reads those of the nested handlers.
from typing import Annotated, Any

import httpx2
import pytest
from fastapi import APIRouter, Depends, FastAPI, Request

from fullmakt.kernel.clock import FixedClock
from fullmakt.provider import StaticKeys, TokenVerifier, VerifiedToken
from fullmakt.provider.fastapi import Bearer, BearerRoute, bearer
from tests.support.fake_issuer import CONSUMER, ISSUER, SUPPLIER, FakeIssuer, party


@pytest.fixture
def guard(issuer: FakeIssuer, clock: FixedClock) -> Bearer:
    verifier = TokenVerifier(ISSUER, keys=StaticKeys([issuer.signer.public_jwk()]), clock=clock)
    return bearer(verifier, scopes=["provider:api.read"], consumers=[CONSUMER], realm="orders")


@pytest.fixture(params=[True, False], ids=["before the body", "after the body"])
def app(guard: Bearer, request: pytest.FixtureRequest) -> FastAPI:
    api = FastAPI()
    if request.param:
        api.router.route_class = BearerRoute

    @api.post("/orders")
    async def orders(
        token: Annotated[VerifiedToken, Depends(guard)], order: dict[str, Any], request: Request
    ) -> dict[str, Any]:
        return {"consumer": token.consumer, "order": order, "state": getattr(request.state, "token", None) is token}

    return api


async def post(app: FastAPI, token: str | None, content: bytes = b'{"n": 1}') -> httpx2.Response:
    headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {})
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app), base_url="https://api.example") as http:
        return await http.post("/orders", content=content, headers=headers)


async def test_a_good_token_is_handed_to_the_handler(app: FastAPI, issuer: FakeIssuer) -> None:
    response = await post(app, issuer.mint())
    assert response.json() == {"consumer": CONSUMER, "order": {"n": 1}, "state": True}


async def test_each_refusal_has_its_status_and_challenge(app: FastAPI, issuer: FakeIssuer) -> None:
    missing = await post(app, None)
    assert (missing.status_code, missing.headers["WWW-Authenticate"]) == (401, 'Bearer realm="orders"')
    lacking = await post(app, issuer.mint(scope="a:b"))
    assert lacking.status_code == 403
    assert lacking.headers["WWW-Authenticate"] == (
        'Bearer realm="orders", error="insufficient_scope", '
        'error_description="The token lacks the scope provider:api.read", scope="provider:api.read"'
    )
    assert lacking.json()["detail"]["error"] == "insufficient_scope"
    stranger = await post(app, issuer.mint(consumer=party(SUPPLIER)))
    assert (stranger.status_code, stranger.json()["detail"]["error"]) == (403, "access_denied")


async def test_a_guarded_route_does_not_read_a_strangers_body(guard: Bearer) -> None:
    api = FastAPI()
    api.router.route_class = BearerRoute

    @api.post("/orders", dependencies=[Depends(guard)])
    async def orders(order: dict[str, Any]) -> None:
        """Not reached."""

    assert (await post(api, None, b"{not json")).status_code == 401


async def test_a_guard_on_an_included_router_is_asked_before_the_body_too(guard: Bearer, issuer: FakeIssuer) -> None:
    router = APIRouter(route_class=BearerRoute)

    @router.post("/orders")
    async def orders(order: dict[str, Any], request: Request) -> str:
        return str(request.state.token.consumer)

    api = FastAPI()
    api.include_router(router, dependencies=[Depends(guard)])
    assert (await post(api, None, b"{not json")).status_code == 401
    assert (await post(api, issuer.mint(), b"{not json")).status_code == 422
    assert (await post(api, issuer.mint())).json() == CONSUMER
    api.dependency_overrides[guard] = lambda: None
    assert (await post(api, None, b"{not json")).status_code == 422


async def test_a_test_may_put_another_guard_in_its_place(app: FastAPI, guard: Bearer, issuer: FakeIssuer) -> None:
    token = await TokenVerifier(ISSUER, keys=StaticKeys([issuer.signer.public_jwk()]), clock=issuer.clock).verify(
        issuer.mint()
    )
    app.dependency_overrides[guard] = lambda: token
    assert (await post(app, None)).json()["consumer"] == CONSUMER


def test_the_openapi_document_says_that_a_token_is_needed(app: FastAPI) -> None:
    document = app.openapi()
    assert document["paths"]["/orders"]["post"]["security"] == [{"Maskinporten": []}]
    assert document["components"]["securitySchemes"]["Maskinporten"]["bearerFormat"] == "JWT"

"""Whatever is sent, the answer is a 2xx or a 4xx in the right shape, and never a 500."""

from __future__ import annotations

import json
from typing import Any

import httpx2
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fullmakt.infra.database import Database
from fullmakt.jose.keys import LocalSigner
from fullmakt.wire.maskinporten.selfservice import (
    JWT_BEARER,
    ClientBody,
    JwkBody,
    OnBehalfOfBody,
    ScopeBody,
)
from tests.support.selfservice import PROVIDER, SUPPLYING, Api, client_body, declare_provider

KEY = LocalSigner.generate(kid="k1").public_jwk()
TEXTS = st.text() | st.sampled_from(
    ["", "\x00", "\ud800", "310000027", "provider:read", "MASKINPORTEN", "æ", "a" * 5000]
)
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | TEXTS | st.integers(min_value=2**63)
VALUES = st.recursive(SCALARS, lambda inner: st.lists(inner) | st.dictionaries(TEXTS, inner), max_leaves=12)


def near(good: dict[str, Any], *names: str) -> st.SearchStrategy[Any]:
    """Bodies that are nearly good: some members as they should be, some as they should not."""
    members = st.dictionaries(st.sampled_from([*good, *names, "unknown"]) | TEXTS, VALUES, max_size=4)
    return st.builds(lambda wrong, left_out: {**{k: v for k, v in good.items() if k != left_out}, **wrong},
                     members, st.sampled_from([None, *good]))  # fmt: skip


CLIENT = {
    "client_name": "n", "description": "d", "integration_type": "maskinporten", "grant_types": [JWT_BEARER],
    "application_type": "web", "token_endpoint_auth_method": "private_key_jwt", "scopes": ["provider:read"],
}  # fmt: skip
SCOPE = {"prefix": "provider", "subscope": "any", "description": "d"}
CLIENTS = near(CLIENT, *ClientBody.model_fields, "scope", "Description")
SCOPES = near(SCOPE, *ScopeBody.model_fields, "description#en", "long_description#nb")
KEYS = near(KEY, *JwkBody.model_fields, "d", "p", "k")
ROUTES: list[tuple[str, str, st.SearchStrategy[Any]]] = [
    ("POST", "/api/v1/clients", CLIENTS),
    ("PUT", "/api/v1/clients/c1", CLIENTS),
    ("POST", "/api/v1/altinn/admin/clients", near({**CLIENT, "client_orgno": PROVIDER})),
    ("POST", "/api/v1/scopes", SCOPES),
    ("PUT", "/api/v1/scopes?scope=provider:read", SCOPES),
    ("POST", "/api/v1/clients/c1/jwks", st.lists(KEYS, max_size=7) | st.fixed_dictionaries({"keys": VALUES})),
    ("PUT", "/api/v1/clients/c1/jwks/k1", KEYS),
    ("POST", "/api/v2/clients/c1/key", KEYS),
    ("POST", "/api/v1/clients/c1/keys/p12", near({"phone": "99999999"})),
    ("POST", "/api/v1/clients/c1/onbehalfof", near({"onbehalfof": "x"}, *OnBehalfOfBody.model_fields)),
]


@pytest.fixture
async def me(database: Database) -> httpx2.AsyncClient:
    api = Api(database)
    await declare_provider(api.service, "read")
    await api.service.operator.declare_client("c1", PROVIDER, client_body())
    return api.caller(PROVIDER, {*SUPPLYING, "idporten:dcr.altinn"})


async def send(client: httpx2.AsyncClient, method: str, path: str, content: bytes) -> None:
    response = await client.request(
        method, f"https://api.samarbeid.test{path}", content=content, headers={"Content-Type": "application/json"}
    )
    assert response.status_code in (200, 201, 400, 403, 409), response.text
    if response.status_code >= 400:
        body = response.json()
        assert body["status"] == response.status_code
        assert body["errors"]
        assert all(error["errorMessage"] for error in body["errors"])
        assert body["error"].startswith(", ")


MANY = settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])


@settings(MANY, max_examples=500)
@given(
    request=st.one_of([st.tuples(st.just(method), st.just(path), bodies | VALUES) for method, path, bodies in ROUTES])
)
async def test_any_json(me: httpx2.AsyncClient, request: tuple[str, str, Any]) -> None:
    method, path, body = request
    await send(me, method, path, json.dumps(body).encode())


@settings(MANY, max_examples=200)
@given(
    route=st.sampled_from([(method, path) for method, path, _ in ROUTES]),
    content=st.binary() | st.text().map(lambda text: text.encode("utf-8", "replace")),
)
async def test_any_bytes(me: httpx2.AsyncClient, route: tuple[str, str], content: bytes) -> None:
    await send(me, *route, content)


@settings(MANY, max_examples=200)
@given(
    path=st.sampled_from(
        ["/clients/{}", "/clients/{}/jwks", "/clients/c1/jwks/{}", "/clients/c1/onbehalfof/{}", "/scopes?scope={}",
         "/scopes/access?scope={}", "/scopes/access?consumer_orgno={}", "/scopes/all?prefix={}", "/organizations/{}",
         "/clients?client_orgno={}", "/clients?integration_type={}", "/scopes/access/for_consumer?consumer_org={}"]
    ),
    value=st.binary(max_size=40).map(lambda raw: "".join(f"%{byte:02x}" for byte in raw)),
)  # fmt: skip
async def test_any_path_and_query(me: httpx2.AsyncClient, path: str, value: str) -> None:
    response = await me.get(f"https://api.samarbeid.test/api/v1{path.format(value)}")
    assert response.status_code in (200, 400, 404)

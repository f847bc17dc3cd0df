"""Every error has the body of maskinporten.md §7.10, and every base path the same routes (§7.1)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection
from typing import Any

import httpx2
import pytest

from fullmakt.infra.database import Database
from fullmakt.kernel.clock import new_uuid
from fullmakt.kernel.identifiers import OrgNumber
from fullmakt.maskinporten.selfservice.http import app
from fullmakt.provider import IssuerUnavailableError, TokenVerifier
from tests.support.selfservice import ADMIN, CONSUMER, ISSUER, PROVIDER, Api, declare_provider, selfservice

JSON = {"Content-Type": "application/json"}
HOST = "https://api.samarbeid.test"
MIB = 1024 * 1024


@pytest.fixture
async def api(database: Database) -> Api:
    api = Api(database)
    await declare_provider(api.service, "read")
    return api


async def test_an_error_has_the_shape_of_the_real_ones(api: Api) -> None:
    trace = "0af7651916cd43dd8448eb211c80319c"
    response = await api.caller(CONSUMER).post(
        "/clients",
        json={"client_name": "", "scopes": [1], "access_token_lifetime": "x"},
        headers={"traceparent": f"00-{trace}-b7ad6b7169203331-01"},
    )
    messages = {
        "client_name": "client_name: must not be blank",
        "scopes.0": "scopes.0: Input should be a valid string",
        "access_token_lifetime": "access_token_lifetime: Input should be a valid integer, unable to parse string as an"
        " integer",
    }
    joined = "".join(f", {message}" for message in messages.values())
    assert response.status_code == 400
    assert response.headers["content-type"] == "application/json"
    assert response.json() == {
        "status": 400,
        "timestamp": "2026-11-21T12:00:00.123456000Z",
        "correlation_id": trace,
        "errors": [
            {"errorMessage": message, "isFieldError": True, "objectName": "Client", "fieldIdentifier": field}
            for field, message in messages.items()
        ],
        "error": joined,
        "error_description": joined,
    }


@pytest.mark.parametrize(
    "body",
    [
        b"", b"{", b"null", b"[]", b"7", b'"text"', b"\xff", b"[" * 100_000, b'{"a":' * 100_000,
        b'{"client_name": "\\ud800"}', b'{"client_name": "\\u0000"}', b'{"client_name": 1' + b"0" * 10_000 + b"}",
        b"{" + b" " * 10_000 + b"}", b'{"client_name": NaN}', b"\xef\xbb\xbf{}",
        b'{"client_name":"a","integration_type":"maskinporten","Description":7}',
    ],
    ids=range(16),
)  # fmt: skip
async def test_a_body_that_is_no_client_is_told(api: Api, body: bytes) -> None:
    me = api.caller(CONSUMER)
    for headers in (JSON, {}, {"Content-Type": "text/plain"}):
        response = await me.post("/clients", content=body, headers=headers)
        assert (response.status_code, response.json()["status"]) == (400, 400)
        assert all(error["errorMessage"] for error in response.json()["errors"])


@pytest.mark.parametrize(
    ("body", "headers", "message"),
    [
        (b'{"client_name":"a","client_name":"b"}', JSON, "a member name stands twice"),
        (b'{"a":' * 33 + b"1" + b"}" * 33, JSON, "nested deeper than 32"),
        (b'{"client_name":\n"a",}', JSON, "line 2 column"),
        (b'{"client_name":"\xf8"}', JSON, "it is not UTF-8"),
        (b'{"client_name": NaN}', {}, "NaN is not JSON"),
        (b'{"client_name":"a"}', {"Content-Type": "text/plain"}, "sent with Content-Type: application/json"),
        (b"", {}, "A JSON body is required"),
    ],
)
async def test_a_body_that_can_not_be_taken_for_one_thing_is_told_why(
    api: Api, body: bytes, headers: dict[str, str], message: str
) -> None:
    me = api.caller(CONSUMER)
    for path in ("/clients", "/scopes", "/clients/c1/jwks"):
        response = await me.post(path, content=body, headers=headers)
        assert (response.status_code, len(response.json()["errors"])) == (400, 1)
        assert message in response.json()["error_description"]
    assert (await me.get("/clients")).json() == []


async def test_what_windows_puts_before_a_text_is_passed_over(api: Api) -> None:
    body = b'\xef\xbb\xbf{"client_name":"a","description":"d","integration_type":"maskinporten"}'
    assert (await api.caller(CONSUMER).post("/clients", content=body, headers=JSON)).status_code == 200


async def test_a_json_body_needs_no_content_type(api: Api) -> None:
    body = b'{"client_name":"a","description":"d","integration_type":"maskinporten"}'
    assert (await api.caller(CONSUMER).post("/clients", content=body)).status_code == 200


async def in_pieces(size: int) -> AsyncIterator[bytes]:
    for _ in range(size // 65_536):
        yield b" " * 65_536


@pytest.mark.parametrize("path", ["/api/v1/clients", "/api/v2/clients/c1/key", "/clients/c1/jwks"])
async def test_a_body_that_is_too_large_is_refused(api: Api, path: str) -> None:
    me = api.caller(CONSUMER)
    for content in (b" " * (MIB + 1), in_pieces(2 * MIB)):
        response = await me.post(HOST + path, content=content, headers=JSON)
        assert (response.status_code, response.json()["status"]) == (413, 413)
        assert response.json()["errors"][0]["errorMessage"]


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("PATCH", "/clients", "GET, POST"),
        ("POST", "/clients/c1", "GET, PUT, DELETE"),
        ("GET", "/clients/c1/secret", "POST"),
        ("POST", "/scopes/all", "GET"),
        ("GET", "/altinn/admin/clients/c1", "PUT, DELETE"),
        ("GET", f"/scopes/access/{CONSUMER}", "PUT, DELETE"),
    ],
)
async def test_a_method_that_a_path_has_not_is_told_with_those_that_it_has(
    api: Api, method: str, path: str, allowed: str
) -> None:
    response = await api.caller(PROVIDER).request(method, path)
    assert (response.status_code, response.json()["status"]) == (405, 405)
    assert response.headers["Allow"] == allowed


async def test_a_path_that_is_not_there_is_not_found(api: Api) -> None:
    for path in ("/nothing", "/api/v3/clients", "/api/v1/", "/swagger-ui/other", "/clients/a/b/c/d"):
        response = await api.http.get(HOST + path)
        assert (response.status_code, response.json()["errors"][0]["errorMessage"]) == (404, "Not Found")


@pytest.mark.parametrize("base", ["", "/api/v1", "/external/api/v1"])
async def test_every_base_has_every_route_and_a_slash_at_the_end_changes_nothing(api: Api, base: str) -> None:
    me = api.caller(PROVIDER)
    body: dict[str, Any] = {"client_name": "n", "description": "d", "integration_type": "maskinporten"}
    for slash in ("", "/"):
        made = await me.post(f"{HOST}{base}/clients{slash}", json=body)
        assert made.status_code == 200
        client = f"{HOST}{base}/clients/{made.json()['client_id']}"
        for path in (client, f"{client}/jwks", f"{client}/onbehalfof"):
            assert (await me.get(f"{path}{slash}")).status_code == 200
        for path in ("/clients", "/scopes", "/scopes/all", "/scopes/access", "/scopes/access/all", "/prefix",
                     "/prefix/all", "/delegationsources", f"/organizations/{PROVIDER}"):  # fmt: skip
            assert (await me.get(f"{HOST}{base}{path}{slash}")).status_code == 200
        access = await me.put(f"{HOST}{base}/scopes/access/{CONSUMER}{slash}?scope=provider:read")
        assert access.status_code == 200
    for base_v2 in ("/api/v2", "/external/api/v2"):
        assert (await me.post(f"{HOST}{base_v2}/clients/nobody/key/")).status_code == 404


async def test_the_app_works_below_a_path_of_its_hosts(api: Api) -> None:
    async def mounted(scope: Any, receive: Any, send: Any) -> None:
        await api.app({**scope, "root_path": "/selvbetjening"}, receive, send)

    me = api.caller(PROVIDER)
    async with httpx2.AsyncClient(
        transport=httpx2.ASGITransport(mounted), base_url=f"{HOST}/selvbetjening", headers=me.headers
    ) as client:
        for path in ("/api/v1/scopes/", "/scopes", "/external/api/v1/scopes"):
            assert len((await client.get(path)).json()) == 1
        for path in ("/v3/api-docs.yaml", "/swagger-ui/index.html", "/", ""):
            assert (await client.get(path)).status_code == 200


async def test_a_database_that_does_not_answer_is_told_as_such(api: Api) -> None:
    nowhere = Api(Database("postgresql://nobody@/nothing?host=/nonexistent"))
    response = await nowhere.caller(CONSUMER).get("/clients")
    assert (response.status_code, response.json()["status"]) == (503, 503)
    assert response.headers["Retry-After"] == "5"


class NoKeys:
    """An issuer whose keys can not be had."""

    async def find(self, kid: str) -> None:
        raise IssuerUnavailableError("The issuer does not answer", retry_after=7)


async def test_an_issuer_that_does_not_answer_is_told_as_such(api: Api, database: Database) -> None:
    service = selfservice(database, api.clock)
    verifier = TokenVerifier(ISSUER, keys=NoKeys(), clock=api.clock)
    transport = httpx2.ASGITransport(app(service, verifier, base_url=HOST))
    async with httpx2.AsyncClient(transport=transport, base_url=HOST) as client:
        response = await client.get("/clients", headers={"Authorization": f"Bearer {api.token(CONSUMER)}"})
    assert (response.status_code, response.headers["Retry-After"]) == (503, "7")
    assert response.json()["errors"][0]["errorMessage"] == "The issuer does not answer"


async def test_a_header_sent_twice_is_nobodys_word(api: Api) -> None:
    token = f"Bearer {api.token(CONSUMER)}"
    response = await api.http.get("/clients", headers=[("Authorization", token), ("Authorization", token)])
    assert (response.status_code, response.json()["status"]) == (400, 400)


class Broken:
    """A register of organisations with a fault in it."""

    async def organisation_names(self, orgnos: Collection[OrgNumber]) -> dict[OrgNumber, str]:
        raise RuntimeError("a fault with a secret in it")


async def test_a_fault_of_ours_is_a_500_that_tells_nothing(api: Api) -> None:
    api.service.organisations = Broken()
    transport = httpx2.ASGITransport(api.app, raise_app_exceptions=False)
    async with httpx2.AsyncClient(transport=transport, base_url=HOST) as client:
        response = await client.get("/prefix/all")
    assert (response.status_code, response.json()["errors"][0]["errorMessage"]) == (500, "Internal error")
    assert "secret" not in response.text


async def test_a_caller_is_its_tokens_consumer_and_not_its_supplier(api: Api) -> None:
    response = await api.caller(CONSUMER, ADMIN, client_id=new_uuid()).get("/scopes/access/all")
    assert (response.status_code, response.json()) == (200, [])

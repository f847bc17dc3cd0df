"""Every route, asked by everybody: who gets through is decided by token, scope and ownership alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import httpx2
import pytest

from fullmakt.infra.database import Database
from fullmakt.infra.sms import Inbox
from fullmakt.jose.keys import LocalSigner
from fullmakt.kernel.clock import FixedClock
from fullmakt.maskinporten.selfservice.model import Caller
from fullmakt.wire.maskinporten.selfservice import OnBehalfOfBody
from tests.support.selfservice import (
    ADMIN,
    CONSUMER,
    PROVIDER,
    START,
    STRANGER,
    SUPPLIER,
    SUPPLYING,
    Api,
    client_body,
    declare_provider,
    grant,
    jwk_of,
)

KEY = LocalSigner.generate(kid="k1")
CLIENT = client_body().model_dump(exclude_none=True)
SCOPE = {"prefix": "provider", "subscope": "read", "description": "d"}


@dataclass(frozen=True)
class Row:
    """A route, the scope it takes, and a body that it accepts."""

    method: str
    path: str
    scope: str
    body: Any = None
    base: str = "/api/v1"


ON_CLIENTS = (
    Row("GET", "/clients/{client}", "idporten:dcr.read"),
    Row("PUT", "/clients/{client}", "idporten:dcr.write", CLIENT),
    Row("DELETE", "/clients/{client}", "idporten:dcr.write"),
    Row("GET", "/clients/{client}/jwks", "idporten:dcr.read"),
    Row("POST", "/clients/{client}/jwks", "idporten:dcr.write", [KEY.public_jwk()]),
    Row("PUT", "/clients/{client}/jwks", "idporten:dcr.modify", [KEY.public_jwk()]),
    Row("DELETE", "/clients/{client}/jwks", "idporten:dcr.write"),
    Row("GET", "/clients/{client}/jwks/k1", "idporten:dcr.read"),
    Row("PUT", "/clients/{client}/jwks/k1", "idporten:dcr.write", KEY.public_jwk()),
    Row("DELETE", "/clients/{client}/jwks/k1", "idporten:dcr.write"),
    Row("POST", "/clients/{client}/key", "idporten:dcr.write", KEY.public_jwk(), "/api/v2"),
    Row("POST", "/clients/{client}/keys/p12", "idporten:dcr.modify", {"phone": "+4799999999"}),
    Row("GET", "/clients/{client}/onbehalfof", "idporten:dcr.read"),
    Row("POST", "/clients/{client}/onbehalfof", "idporten:dcr.write", {"onbehalfof": "new"}),
    Row("GET", "/clients/{client}/onbehalfof/x", "idporten:dcr.read"),
    Row("PUT", "/clients/{client}/onbehalfof/x", "idporten:dcr/onbehalfof:write", {}),
    Row("DELETE", "/clients/{client}/onbehalfof/x", "idporten:dcr.write"),
)
ON_SCOPES = (
    Row("GET", "/scopes?scope=provider:read", "idporten:scopes.read"),
    Row("GET", "/scopes/scope?scope=provider:read", "idporten:scopes.read"),
    Row("PUT", "/scopes?scope=provider:read", "idporten:scopes.write", SCOPE),
    Row("DELETE", "/scopes?scope=provider:read", "idporten:scopes.write"),
    Row("POST", "/scopes", "idporten:scopes.write", {**SCOPE, "subscope": "new"}),
    Row("GET", "/scopes/access?scope=provider:read", "idporten:scopes.read"),
    Row("PUT", f"/scopes/access/{CONSUMER}?scope=provider:read", "idporten:scopes.write"),
    Row("DELETE", f"/scopes/access/{CONSUMER}?scope=provider:read", "idporten:scopes.write"),
)
ON_NOTHING = (
    Row("GET", "/clients", "idporten:dcr.read"),
    Row("POST", "/clients", "idporten:dcr.write", CLIENT),
    Row("GET", "/scopes", "idporten:scopes.read"),
    Row("GET", "/scopes/access", "idporten:scopes.read"),
    Row("GET", "/scopes/access/all", "idporten:scopes.write"),
    Row("GET", "/prefix", "idporten:scopes.read"),
    Row("GET", f"/scopes/access/for_consumer?consumer_org={CONSUMER}", "idporten:dcr.altinn"),
    Row("GET", "/altinn/admin/clients", "idporten:dcr.altinn"),
    Row("POST", "/altinn/admin/clients", "idporten:dcr.altinn", {**CLIENT, "client_orgno": CONSUMER}),
)
SECRET = Row("POST", "/clients/{client}/secret", "idporten:dcr.write")
GUARDED = (*ON_CLIENTS, *ON_SCOPES, *ON_NOTHING, SECRET)


def label(row: Row) -> str:
    return f"{row.method} {row.path}"


@pytest.fixture
async def api(database: Database) -> Api:
    api = Api(database, sms=Inbox(FixedClock(START)))
    operator = api.service.operator
    await declare_provider(api.service, "read")
    await grant(api.service, "provider:read", CONSUMER)
    for client_id, supplier in (("own", None), ("supplied", SUPPLIER)):
        await operator.declare_client(client_id, CONSUMER, client_body(), supplier=supplier)
        await operator.declare_keys(client_id, [jwk_of(KEY)])
        who = Caller(supplier or CONSUMER, "admin", SUPPLYING)
        await api.service.onbehalfof.add(who, client_id, OnBehalfOfBody(onbehalfof="x"))
    return api


async def ask(caller: httpx2.AsyncClient, row: Row, client: str = "own") -> httpx2.Response:
    url = f"https://api.samarbeid.test{row.base}{row.path.format(client=client)}"
    return (
        await caller.request(row.method, url, json=row.body)
        if row.body is not None
        else await caller.request(row.method, url)
    )


def refused(response: httpx2.Response, status: int) -> bool:
    body = response.json()
    return (
        response.status_code == body["status"] == status
        and all(error["errorMessage"] for error in body["errors"])
        and len(body["errors"]) > 0
    )


@pytest.mark.parametrize("row", ON_CLIENTS, ids=label)
async def test_an_organisation_has_its_own_clients_to_itself(api: Api, row: Row) -> None:
    assert (await ask(api.caller(CONSUMER, {row.scope}), row)).status_code == 200
    for stranger in (STRANGER, SUPPLIER, PROVIDER):
        assert refused(await ask(api.caller(stranger, {*SUPPLYING, row.scope}), row), 403)


@pytest.mark.parametrize("row", ON_CLIENTS, ids=label)
async def test_a_supplier_has_the_clients_it_administers_and_their_owner_looks_on(api: Api, row: Row) -> None:
    owner = await ask(api.caller(CONSUMER, {*SUPPLYING, row.scope}), row, "supplied")
    assert owner.status_code == (200 if row.method == "GET" else 403)
    assert refused(await ask(api.caller(SUPPLIER, {row.scope}), row, "supplied"), 403)
    assert refused(await ask(api.caller(STRANGER, {*SUPPLYING, row.scope}), row, "supplied"), 403)
    supplier = api.caller(SUPPLIER, {"idporten:dcr.supplier", row.scope})
    assert (await ask(supplier, row, "supplied")).status_code == 200


@pytest.mark.parametrize("row", [*ON_CLIENTS, SECRET], ids=label)
async def test_a_client_that_is_not_there_is_not_found(api: Api, row: Row) -> None:
    for nobody in ("nobody", "a%00b", "%F0%9F%98%80", "a" * 300):
        assert refused(await ask(api.caller(CONSUMER, {row.scope}), row, nobody), 404)


@pytest.mark.parametrize("row", ON_SCOPES, ids=label)
async def test_a_provider_has_its_scopes_to_itself(api: Api, row: Row) -> None:
    for stranger in (STRANGER, CONSUMER):
        assert refused(await ask(api.caller(stranger, {*SUPPLYING, row.scope}), row), 403)
    assert (await ask(api.caller(PROVIDER, {row.scope}), row)).status_code == 200


@pytest.mark.parametrize("row", ON_NOTHING, ids=label)
async def test_what_belongs_to_nobody_takes_its_scope_alone(api: Api, row: Row) -> None:
    assert (await ask(api.caller(STRANGER, {row.scope}), row)).status_code in (200, 201)


@pytest.mark.parametrize("row", GUARDED, ids=label)
async def test_no_route_opens_without_its_scope(api: Api, row: Row) -> None:
    other = {"idporten:dcr.read", "idporten:scopes.read", "idporten:dcr/onbehalfof:write"} - {row.scope}
    if row.scope == "idporten:dcr.altinn":
        other = set(ADMIN)
    elif row.scope.startswith("idporten:scopes"):
        other = {"idporten:dcr.write"}
    elif row.method == "GET":
        other = {"idporten:scopes.write"}
    elif "onbehalfof" in row.path:
        other = {"idporten:dcr.read"}
    for scopes in ({"provider:read"}, other):
        assert refused(await ask(api.caller(CONSUMER, scopes), row), 403)


@pytest.mark.parametrize("row", GUARDED, ids=label)
async def test_no_route_opens_without_a_good_token(api: Api, row: Row) -> None:
    expired = api.caller(CONSUMER, {row.scope}, lifetime=-11)
    forged = api.caller(CONSUMER, {row.scope})
    forged.headers["Authorization"] = forged.headers["Authorization"][:-4] + "AAAA"
    basic = api.caller(CONSUMER, {row.scope})
    basic.headers["Authorization"] = "Basic eDp5"
    for caller, told in ((api.http, ""), (basic, ""), (expired, 'error="invalid_token"'), (forged, "invalid_token")):
        response = await ask(caller, row)
        assert (response.status_code, response.content) == (401, b"")
        assert response.headers["WWW-Authenticate"].startswith("Bearer ")
        assert told in response.headers["WWW-Authenticate"]
        assert ("error" in response.headers["WWW-Authenticate"]) is bool(told)


async def test_every_guarded_route_is_in_the_tables_above(api: Api) -> None:
    document = (await api.http.get("https://api.samarbeid.test/openapi.json")).json()
    guarded = {
        (method.upper(), path)
        for path, operations in document["paths"].items()
        for method, operation in operations.items()
        if "security" in operation
    }
    places = {
        "{client}": "{client_id}",
        "/jwks/k1": "/jwks/{kid}",
        "/x": "/{value}",
        f"/{CONSUMER}": "/{consumer_orgno}",
    }
    asked = set()
    for row in GUARDED:
        path = row.base + row.path.partition("?")[0]
        for ours, theirs in places.items():
            path = path.replace(ours, theirs)
        asked.add((row.method, path))
    made_by_altinn = {one for one in guarded if one[1].startswith("/api/v1/altinn/admin/clients/")}
    assert guarded - made_by_altinn == asked

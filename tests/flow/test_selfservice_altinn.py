"""Altinn's runtime makes clients for service owners; it checks these status codes exactly (maskinporten.md §7.8)."""

from __future__ import annotations

from typing import Any

import pytest

from fullmakt.infra.database import Database
from fullmakt.jose.keys import LocalSigner
from fullmakt.maskinporten.selfservice.registry import PostgresRegistry
from tests.support.selfservice import ALTINN, CONSUMER, STRANGER, SUPPLIER, Api, declare_provider, grant

CLIENTS = "/altinn/admin/clients"
NEW = {
    "client_name": "altinnstudiooperator-owner-tt02-app",
    "client_orgno": CONSUMER,
    "description": "made by the runtime",
    "integration_type": "maskinporten",
    "scopes": ["provider:read"],
    "application_type": "web",
    "token_endpoint_auth_method": "private_key_jwt",
}


@pytest.fixture
async def api(database: Database) -> Api:
    api = Api(database)
    await declare_provider(api.service, "read")
    await grant(api.service, "provider:read", CONSUMER)
    return api


async def test_a_client_lives_its_life(api: Api, database: Database) -> None:
    altinn = api.caller(SUPPLIER, ALTINN, client_id="runtime")
    assert (await altinn.get(CLIENTS)).json() == []
    made = await altinn.post(CLIENTS, json=NEW)
    assert made.status_code == 201
    client = made.json()
    assert (client["client_orgno"], client["supplier_orgno"]) == (CONSUMER, SUPPLIER)
    assert (await altinn.get(CLIENTS)).json() == [client]
    path = f"{CLIENTS}/{client['client_id']}"
    assert (await altinn.get(path)).status_code == 405

    changed = await altinn.put(path, json={**client, "description": "changed", "supplier_orgno": STRANGER})
    assert (changed.status_code, changed.json()) == (200, {**client, "description": "changed"})

    key = {**LocalSigner.generate(kid="k1").public_jwk(), "x5c": ["c2VsZi1tYWRl"]}
    assert (await altinn.get(f"{path}/jwks")).json() == {"keys": []}
    posted = await altinn.post(f"{path}/jwks", json={"keys": [key]})
    assert (posted.status_code, posted.content) == (201, b"")
    (there,) = (await altinn.get(f"{path}/jwks")).json()["keys"]
    assert there["x5c"] == ["c2VsZi1tYWRl"]
    assert (await altinn.post(f"{path}/jwks", json=[])).status_code == 400
    registry = PostgresRegistry(database)
    registered = (await registry.clients([client["client_id"]]))[client["client_id"]]
    await registry.close()
    # It lives on its owner's accesses, and the certificate that the runtime made itself locks nothing.
    assert (registered.made_by_altinn, registered.scopes[0].access, registered.keys[0].certificate) == (
        True,
        True,
        None,
    )

    gone = await altinn.delete(path)
    assert (gone.status_code, gone.content) == (204, b"")
    assert (await altinn.delete(path)).status_code == 204
    assert (await altinn.get(CLIENTS)).json() == []


@pytest.mark.parametrize(
    ("more", "field"),
    [
        ({"client_orgno": None}, "client_orgno"),
        ({"client_orgno": "123"}, "client_orgno"),
        ({"supplier_orgno": SUPPLIER}, "supplier_orgno"),
        ({"scopes": ["idporten:dcr.altinn"]}, "scopes"),
        ({"integration_type": None}, "integration_type"),
        ({"client_name": None}, "client_name"),
    ],
)
async def test_a_client_that_breaks_a_rule_is_not_made(api: Api, more: dict[str, Any], field: str) -> None:
    altinn = api.caller(SUPPLIER, ALTINN)
    response = await altinn.post(CLIENTS, json={**NEW, **more})
    assert response.status_code == 400
    assert field in [error["fieldIdentifier"] for error in response.json()["errors"]]
    assert (await altinn.get(CLIENTS)).json() == []


async def test_an_id_is_given_once(api: Api) -> None:
    altinn = api.caller(SUPPLIER, ALTINN)
    assert (await altinn.post(CLIENTS, json={**NEW, "client_id": "mine"})).status_code == 201
    assert (await altinn.post(CLIENTS, json={**NEW, "client_id": "mine"})).status_code == 409


async def test_what_one_administrator_made_is_hidden_from_the_next(api: Api) -> None:
    made = (await api.caller(SUPPLIER, ALTINN, client_id="runtime-a").post(CLIENTS, json=NEW)).json()
    path = f"{CLIENTS}/{made['client_id']}"
    key = LocalSigner.generate().public_jwk()
    other = api.caller(SUPPLIER, ALTINN, client_id="runtime-b")
    assert (await other.get(CLIENTS)).json() == []
    unentitled = api.caller(SUPPLIER, client_id="runtime-a")
    for caller in (other, unentitled):
        assert (await caller.put(path, json=NEW)).status_code == 403
        assert (await caller.delete(path)).status_code == 403
        assert (await caller.get(f"{path}/jwks")).status_code == 403
        assert (await caller.post(f"{path}/jwks", json=[key])).status_code == 403
    assert (await unentitled.get(CLIENTS)).status_code == 403
    assert (await unentitled.post(CLIENTS, json=NEW)).status_code == 403
    assert (await other.get(f"{CLIENTS}/nobody/jwks")).status_code == 404


async def test_the_owner_sees_the_client_and_leaves_it_alone(api: Api) -> None:
    made = (await api.caller(SUPPLIER, ALTINN).post(CLIENTS, json=NEW)).json()
    owner = api.caller(CONSUMER)
    assert (await owner.get("/clients")).json() == [made]
    assert (await owner.delete(f"/clients/{made['client_id']}")).status_code == 403


@pytest.mark.parametrize("certificate", ["\x00", "", "-----BEGIN CERTIFICATE-----", "MII\x1b"])
async def test_what_can_be_no_certificate_is_refused_even_where_none_is_validated(api: Api, certificate: str) -> None:
    altinn = api.caller(SUPPLIER, ALTINN)
    made = (await altinn.post(CLIENTS, json=NEW)).json()
    path = f"{CLIENTS}/{made['client_id']}/jwks"
    response = await altinn.post(path, json=[{**LocalSigner.generate().public_jwk(), "x5c": [certificate]}])
    assert response.status_code == 400
    assert [error["fieldIdentifier"] for error in response.json()["errors"]] == ["keys.0.x5c.0"]
    assert (await altinn.get(path)).json() == {"keys": []}

"""An organisation manages its clients, as real tools do (maskinporten.md §7.3, §8.4)."""

from __future__ import annotations

import re
from typing import Any

import pytest

from fullmakt.infra.database import Database
from fullmakt.wire.maskinporten.selfservice import JWT_BEARER
from tests.support.selfservice import (
    ADMIN,
    ALTINN_ISSUER,
    CONSUMER,
    PROVIDER,
    STRANGER,
    SUPPLIER,
    SUPPLYING,
    Api,
    declare_provider,
    grant,
)

NEW = {
    "client_name": "DIG - okdata-team-x - test",
    "description": "made by a tool",
    "scopes": ["provider:read"],
    "token_endpoint_auth_method": "private_key_jwt",
    "grant_types": [JWT_BEARER],
    "integration_type": "maskinporten",
    "application_type": "web",
}
LOGIN = {"client_name": "login", "integration_type": "idporten", "redirect_uris": ["https://example.test/back"]}


@pytest.fixture
async def api(database: Database) -> Api:
    api = Api(database)
    await declare_provider(api.service, "read", "write")
    await grant(api.service, "provider:read", CONSUMER)
    return api


async def made(api: Api, **more: Any) -> dict[str, Any]:
    response = await api.caller(CONSUMER).post("/clients", json={**NEW, **more})
    assert response.status_code == 200, response.text
    client: dict[str, Any] = response.json()
    return client


async def test_a_client_is_made_read_changed_and_put_to_rest(api: Api) -> None:
    me = api.caller(CONSUMER)
    client = await made(api)
    assert client == {
        **NEW,
        "client_id": client["client_id"],
        "client_orgno": CONSUMER,
        "supplier_orgno": None,
        "active": True,
        "access_token_lifetime": 120,
        "refresh_token_lifetime": 600,
        "refresh_token_usage": "ONETIME",
        "authorization_lifetime": 7200,
        "redirect_uris": [],
        "post_logout_redirect_uris": [],
        "frontchannel_logout_uri": None,
        "frontchannel_logout_session_required": False,
        "sso_disabled": False,
        "code_challenge_method": "S256",
        "logo_uri": None,
        "client_uri": None,
        "onbehalfof": [],
        "created": "2026-11-21T12:00:00.123+00:00",
        "last_updated": "2026-11-21T12:00:00.123+00:00",
    }
    assert re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", client["client_id"])
    path = f"/clients/{client['client_id']}"
    assert (await me.get(path)).json() == client
    assert (await me.get("/clients")).json() == [client]

    api.clock.advance(seconds=60)
    # The portal sends back all that it got, the server's own members among it.
    changed = await me.put(path, json={**client, "description": "changed", "supplier_orgno": STRANGER, "scopes": []})
    assert changed.status_code == 200
    assert changed.json() == {
        **client, "description": "changed", "scopes": [], "last_updated": "2026-11-21T12:01:00.123+00:00",
    }  # fmt: skip

    gone = await me.delete(path)
    assert (gone.status_code, gone.content) == (200, b"")
    assert (await me.delete(path)).status_code == 200
    assert (await me.get("/clients")).json() == []
    assert [one["active"] for one in (await me.get("/clients?inactive=true")).json()] == [False]
    assert (await me.get(path)).json()["active"] is False
    assert (await me.post("/clients", json={**NEW, "client_id": client["client_id"]})).status_code == 409
    assert (await me.put(path, json={**NEW, "active": True})).json()["active"] is True


async def test_the_least_that_is_taken_is_enough(api: Api) -> None:
    least = {name: NEW[name] for name in NEW if name not in ("application_type", "scopes")}
    response = await api.caller(CONSUMER).post("/clients", json=least)
    assert response.status_code == 200
    assert response.json()["application_type"] == "web"


async def test_seed_4_spells_things_otherwise(api: Api) -> None:
    me = api.caller(CONSUMER)
    body = {name: value for name, value in NEW.items() if name not in ("scopes", "description")}
    body |= {"scope": ["provider:read"], "Description": "from seed 4", "integration_type": "altinn_virksys"}
    response = await me.post("/client", json=body)
    assert response.status_code == 200
    assert (response.json()["scopes"], response.json()["description"]) == (["provider:read"], "from seed 4")
    for value in ('"altinn_virksys"', "altinn_virksys", "ALTINN_VIRKSYS", "'altinn_virksys'"):
        found = await me.get("/clients", params={"integration_type": value})
        assert [one["client_id"] for one in found.json()] == [response.json()["client_id"]], value
    assert (await me.get("/clients?integration_type=krr")).json() == []
    assert (await me.get("/clients?integration_type=")).json() != []


async def test_numbers_may_come_as_strings_and_types_in_capitals(api: Api) -> None:
    client = await made(
        api, access_token_lifetime="3600", integration_type="MASKINPORTEN", grant_types=["jwt_bearer_token"],
        redirect_uris=None, unknown={"deep": [1]},
    )  # fmt: skip
    assert client["access_token_lifetime"] == 3600
    assert (client["integration_type"], client["grant_types"]) == ("maskinporten", [JWT_BEARER])
    assert "unknown" not in client


async def test_an_id_may_be_chosen_once(api: Api) -> None:
    assert (await made(api, client_id="oidc_mine"))["client_id"] == "oidc_mine"
    taken = await api.caller(STRANGER).post("/clients", json={**NEW, "scopes": [], "client_id": "oidc_mine"})
    assert taken.status_code == 409
    assert taken.json()["errors"] == [
        {
            "errorMessage": "A client with the id oidc_mine exists already",
            "isFieldError": True,
            "objectName": "Client",
            "fieldIdentifier": "client_id",
        }
    ]


@pytest.mark.parametrize(
    ("more", "field"),
    [
        ({"client_name": None}, "client_name"),
        ({"description": None}, "description"),
        ({"integration_type": None}, "integration_type"),
        ({"integration_type": "eformidling"}, "integration_type"),
        ({"application_type": "native"}, "application_type"),
        ({"grant_types": ["authorization_code"]}, "grant_types"),
        ({"token_endpoint_auth_method": "client_secret_basic"}, "token_endpoint_auth_method"),
        ({"client_id": "a b"}, "client_id"),
        ({"client_orgno": "12345678"}, "client_orgno"),
        ({"access_token_lifetime": 0}, "access_token_lifetime"),
        ({"access_token_lifetime": "long"}, "access_token_lifetime"),
        ({"scopes": ["provider:write"]}, "scopes"),
        ({"scopes": ["no:such"]}, "scopes"),
        ({"scopes": ["idporten:dcr.write"]}, "scopes"),
        ({"scopes": ["a\x00"]}, "scopes.0"),
    ],
)
async def test_a_field_that_breaks_its_rule_is_named_and_nothing_is_made(
    api: Api, more: dict[str, Any], field: str
) -> None:
    me = api.caller(CONSUMER)
    response = await me.post("/clients", json={**NEW, **more})
    assert response.status_code == 400
    (error,) = response.json()["errors"]
    assert (error["objectName"], error["fieldIdentifier"], error["isFieldError"]) == ("Client", field, True)
    assert (await me.get("/clients")).json() == []


async def test_the_type_of_a_client_never_changes(api: Api) -> None:
    client = await made(api)
    path = f"/clients/{client['client_id']}"
    response = await api.caller(CONSUMER).put(path, json={**NEW, "integration_type": "altinn_virksys"})
    assert (response.status_code, response.json()["errors"][0]["fieldIdentifier"]) == (400, "integration_type")


async def test_a_scope_that_was_lost_stays_and_can_not_be_added_anew(api: Api) -> None:
    me, path = api.caller(CONSUMER), f"/clients/{(await made(api))['client_id']}"
    assert (await api.caller(PROVIDER).delete(f"/scopes/access/{CONSUMER}?scope=provider:read")).status_code == 200
    assert (await me.put(path, json=NEW)).json()["scopes"] == ["provider:read"]
    assert (await me.put(path, json={**NEW, "scopes": []})).json()["scopes"] == []
    assert (await me.put(path, json=NEW)).status_code == 400


async def test_a_scope_for_suppliers_to_be_delegated_needs_no_access(api: Api) -> None:
    body = {"prefix": "provider", "subscope": "delegable", "description": "d", "delegation_source": ALTINN_ISSUER}
    assert (await api.caller(PROVIDER).post("/scopes", json=body)).status_code == 200
    response = await api.caller(SUPPLIER).post("/clients", json={**NEW, "scopes": ["provider:delegable"]})
    assert response.status_code == 200


async def test_a_krr_client_has_its_scopes_and_no_others(api: Api) -> None:
    client = await made(api, integration_type="krr", scopes=["provider:read"])
    assert client["scopes"] == ["krr:global/digitalpost.read", "krr:global/kontaktinformasjon.read"]


async def test_a_supplier_administers_its_customers_clients(api: Api) -> None:
    supplier, customer = api.caller(SUPPLIER, SUPPLYING), api.caller(CONSUMER)
    await grant(api.service, "provider:write", SUPPLIER)
    # The accesses that count are the supplier's own: provider:read is the customer's.
    refused = await supplier.post("/clients", json={**NEW, "client_orgno": CONSUMER})
    assert "has not been granted to 310000035" in refused.text
    response = await supplier.post("/clients", json={**NEW, "client_orgno": CONSUMER, "scopes": ["provider:write"]})
    client = response.json()
    assert (client["client_orgno"], client["supplier_orgno"]) == (CONSUMER, SUPPLIER)
    path = f"/clients/{client['client_id']}"
    for who in (supplier, customer):
        assert (await who.get("/clients")).json() == [client]
        assert (await who.get(path)).json() == client
    assert (await supplier.put(path, json={**client, "description": "x"})).status_code == 200
    assert (await customer.put(path, json=client)).status_code == 403
    assert (await api.caller(SUPPLIER, ADMIN).get(path)).status_code == 403
    assert (await api.caller(SUPPLIER, ADMIN).get("/clients")).json() == []
    own = await supplier.post("/clients", json={**NEW, "scopes": []})
    assert (own.json()["client_orgno"], own.json()["supplier_orgno"]) == (SUPPLIER, None)
    found = await supplier.get("/clients", params={"client_orgno": CONSUMER})
    assert [one["client_id"] for one in found.json()] == [client["client_id"]]
    assert (await supplier.get("/clients?client_orgno=12345678")).status_code == 400


async def test_only_altinn_makes_enterprise_systems_for_others(api: Api) -> None:
    body = {**NEW, "client_orgno": CONSUMER, "integration_type": "altinn_virksys"}
    refused = await api.caller(SUPPLIER, SUPPLYING).post("/clients", json=body)
    assert (refused.status_code, "Only Altinn" in refused.text) == (403, True)
    response = await api.caller(SUPPLIER, {*SUPPLYING, "idporten:dcr.altinn"}).post("/clients", json=body)
    # It lives on the vendor's accesses: provider:read is the vendor's.
    assert (response.status_code, response.json()["supplier_orgno"]) == (200, SUPPLIER)


async def test_another_organisations_client_takes_the_suppliers_scope(api: Api) -> None:
    response = await api.caller(SUPPLIER).post("/clients", json={**NEW, "client_orgno": CONSUMER})
    assert response.status_code == 403
    assert "idporten:dcr.supplier" in response.json()["error_description"]


async def test_a_login_clients_secret_is_told_once(api: Api) -> None:
    me = api.caller(CONSUMER)
    client = (await me.post("/clients", json=LOGIN)).json()
    first = client.pop("client_secret")
    assert len(first) == 43
    path = f"/clients/{client['client_id']}"
    assert (await me.get(path)).json() == client
    second = (await me.post(f"{path}/secret")).json()
    assert {**client, "client_secret": second["client_secret"]} == second
    assert second["client_secret"] != first
    assert "client_secret" not in (await me.put(path, json=LOGIN)).json()


async def test_a_secret_goes_with_the_method_that_used_it(api: Api, database: Database) -> None:
    me = api.caller(CONSUMER)
    path = f"/clients/{(await me.post('/clients', json=LOGIN)).json()['client_id']}"
    assert (await me.put(path, json={**LOGIN, "client_name": "same method"})).status_code == 200
    query = "SELECT count(*) FROM selfservice.client WHERE secret_sha256 IS NOT NULL"
    async with database.transaction() as connection:
        assert (await connection.exec_driver_sql(query)).scalar_one() == 1
    assert (await me.put(path, json={**LOGIN, "token_endpoint_auth_method": "private_key_jwt"})).status_code == 200
    async with database.transaction() as connection:
        assert (await connection.exec_driver_sql(query)).scalar_one() == 0
    assert (await me.post(f"{path}/secret")).status_code == 400


async def test_a_maskinporten_client_has_no_secret(api: Api) -> None:
    path = f"/clients/{(await made(api))['client_id']}"
    assert (await api.caller(CONSUMER).post(f"{path}/secret")).status_code == 400


async def test_an_onbehalfof_is_kept_under_its_client(api: Api) -> None:
    me = api.caller(CONSUMER, {"idporten:dcr/onbehalfof:write"})
    client = await made(api)
    path = f"/clients/{client['client_id']}/onbehalfof"
    sent = {"onbehalfof": "kommune", "display_name": "Kommunen", "orgno": STRANGER, "url": "https://example.test"}
    entry = {
        "onbehalfof": "kommune", "name": "Kommunen", "orgno": STRANGER, "organization_name": None, "description": None,
        "uri": "https://example.test", "logo_uri": None, "created": "2026-11-21T12:00:00.123+00:00",
        "last_updated": "2026-11-21T12:00:00.123+00:00",
    }  # fmt: skip
    assert (await me.post(path, json=sent)).json() == entry
    assert (await me.post(path, json=sent)).status_code == 409
    assert (await me.get(path)).json() == [entry]
    assert (await me.get(f"{path}/kommune")).json() == entry
    assert (await api.caller(CONSUMER).get(f"/clients/{client['client_id']}")).json()["onbehalfof"] == [entry]
    changed = await me.put(f"{path}/kommune", json={"name": "Byen"})
    assert changed.json() == {**entry, "name": "Byen", "orgno": None, "uri": None}
    assert (await me.put(f"{path}/other", json={})).status_code == 404
    misspelt = path.replace("onbehalfof", "onbehalof")
    assert len((await me.get(misspelt)).json()) == 1
    for wrong in ({}, {"onbehalfof": "a/b"}, {"onbehalfof": "x", "orgno": "1"}):
        assert (await me.post(path, json=wrong)).status_code == 400
    gone = await me.delete(f"{path}/kommune")
    assert (gone.status_code, gone.content) == (200, b"")
    assert (await me.delete(f"{path}/kommune")).status_code == 404
    assert (await me.get(path)).json() == []

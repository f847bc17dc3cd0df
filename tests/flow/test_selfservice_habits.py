"""What real administrators do, request by request, as their public code has it (maskinporten.md §7.3 to §7.10, §10)."""

from __future__ import annotations

import re

import pytest

from fullmakt.infra.database import Database
from fullmakt.jose.keys import LocalSigner
from fullmakt.wire.maskinporten.selfservice import JWT_BEARER
from tests.support.selfservice import ALTINN_ISSUER, CONSUMER, PROVIDER, Api, client_body, declare_provider, grant

HOST = "https://api.samarbeid.test"
RFC3339 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}(Z|[+-]\d\d:\d\d)")


@pytest.fixture
async def api(database: Database) -> Api:
    api = Api(database)
    await declare_provider(api.service, "register.read", "register.write")
    await declare_provider(api.service, "open.read", accessible_for_all=True)
    await grant(api.service, "provider:register.read", CONSUMER)
    return api


async def test_digdirator_provisions_a_client_and_keeps_the_keys_in_use(api: Api) -> None:
    """nais/digdirator: one token with three scopes; everything is listed, and matched by description."""
    me = api.caller(CONSUMER, {"idporten:dcr.write", "idporten:dcr.read", "idporten:scopes.write"})
    granted = {
        access["scope"] for access in (await me.get("/scopes/access/all")).json() if access["state"] == "APPROVED"
    }
    to_all = {scope["name"] for scope in (await me.get("/scopes/all?accessible_for_all=true")).json()}
    assert (granted, to_all) == ({"provider:register.read"}, {"provider:open.read"})

    wanted = {
        "client_name": "ARBEIDSPLATTFORM", "description": "dev-gcp:team:app", "integration_type": "maskinporten",
        "scopes": sorted(granted | to_all), "grant_types": [JWT_BEARER], "application_type": "web",
        "token_endpoint_auth_method": "private_key_jwt", "access_token_lifetime": 3600, "client_uri": "",
        "redirect_uris": None, "post_logout_redirect_uris": None, "sso_disabled": True,
    }  # fmt: skip
    made = (await me.post("/clients", json=wanted)).json()
    assert re.fullmatch(r"[0-9a-f-]+", made["client_id"])
    assert all(RFC3339.fullmatch(made[time]) for time in ("created", "last_updated"))
    (found,) = [
        client
        for client in (await me.get("/clients")).json()
        if (client["description"], client["integration_type"]) == (wanted["description"], "maskinporten")
    ]
    assert found["client_id"] == made["client_id"]

    jwks = f"/clients/{made['client_id']}/jwks"
    first, second = (LocalSigner.generate(kid=f"key-{number}").public_jwk() for number in range(2))
    assert (await me.post(jwks, json={"keys": [first]})).status_code == 200
    in_use = [key["kid"] for key in (await me.post(jwks, json={"keys": [first, second]})).json()["keys"]]
    assert in_use == ["key-0", "key-1"]

    updated = await me.put(f"/clients/{made['client_id']}", json={**wanted, "scopes": ["provider:open.read"]})
    assert (updated.status_code, updated.json()["scopes"]) == (200, ["provider:open.read"])
    gone = await me.delete(f"/clients/{made['client_id']}")
    assert (gone.status_code, gone.content) == (200, b"")
    assert (await me.get("/clients")).json() == []


async def test_digdirator_exposes_a_scope_and_its_consumers(api: Api) -> None:
    me = api.caller(PROVIDER, {"idporten:dcr.write", "idporten:dcr.read", "idporten:scopes.write"})
    body = {
        "prefix": "provider", "subscope": "team:app/thing.read", "description": "thing", "visibility": "PUBLIC",
        "token_type": "SELF_CONTAINED", "at_max_age": 30, "allowed_integration_types": ["maskinporten"],
        "delegation_source": ALTINN_ISSUER, "accessible_for_all": False,
    }  # fmt: skip
    made = await me.post("/scopes", json=body)
    assert made.status_code == 200
    name = made.json()["name"]
    params = {"scope": name}
    for _ in range(2):
        given = await me.put(f"/scopes/access/{CONSUMER}", params=params)
        assert (given.status_code, given.json()["state"]) == (200, "APPROVED")
    assert [one["consumer_orgno"] for one in (await me.get("/scopes/access", params=params)).json()] == [CONSUMER]
    assert (await me.delete(f"/scopes/access/{CONSUMER}", params=params)).json()["state"] == "DENIED"
    assert (await me.put("/scopes", params=params, json={**body, "description": "x"})).json()["description"] == "x"
    assert (await me.delete("/scopes", params=params)).json()["active"] is False
    assert (await me.put("/scopes", params=params, json={**body, "active": True})).json()["active"] is True


async def test_altinn_broker_rotates_its_own_key_with_nothing_but_dcr_write(api: Api) -> None:
    """Altinn/altinn-broker: the gateway's base path; old keys are sent back as they were got, the new one beside."""
    body = client_body(client_id="altinn-admin")
    old = LocalSigner.generate(kid="broker-20261001000000").public_jwk()
    me = api.caller(CONSUMER, {"idporten:dcr.write"}, client_id="altinn-admin")
    await me.post("/clients", json=body.model_dump(exclude_none=True))
    jwks = f"{HOST}/external/api/v1/clients/altinn-admin/jwks"
    assert (await me.post(jwks, json={"keys": [old]})).status_code == 200

    api.clock.advance(days=31)
    me = api.caller(CONSUMER, {"idporten:dcr.write"}, client_id="altinn-admin")
    before = (await me.get(jwks)).json()
    new = LocalSigner.generate(kid="broker-20261101000000").public_jwk()
    after = await me.post(jwks, json={"keys": [*before["keys"], new]})
    assert after.status_code == 200
    kept, added = after.json()["keys"]
    assert (kept["kid"], kept["created"], kept["exp"]) == (old["kid"], before["created"], before["keys"][0]["exp"])
    assert (added["kid"], added["exp"]) == (new["kid"], int(api.clock().timestamp()) + 365 * 24 * 3600)
    assert (await me.get(jwks)).json() == after.json()


async def test_okdata_makes_clients_and_takes_keys_away_one_by_one(api: Api) -> None:
    """oslokommune/okdata-maskinporten-api: one scope a token; keys are asked for before there are any; 4096 bits."""
    write, read = api.caller(CONSUMER, {"idporten:dcr.write"}), api.caller(CONSUMER, {"idporten:dcr.read"})
    made = await write.post(
        "/clients",
        json={
            "client_name": "DIG - okdata-team-x - test", "description": "x", "scopes": ["provider:register.read"],
            "token_endpoint_auth_method": "private_key_jwt", "grant_types": [JWT_BEARER],
            "integration_type": "maskinporten", "application_type": "web",
        },
    )  # fmt: skip
    jwks = f"/clients/{made.json()['client_id']}/jwks"
    assert ((await read.get(jwks)).status_code, (await read.get(jwks)).json()) == (200, {"keys": []})
    keys = [
        LocalSigner.generate(bits=4096 if number == 0 else 2048, kid=f"k{number}").public_jwk() for number in range(5)
    ]
    for number in range(1, 6):
        assert len((await write.post(jwks, json={"keys": keys[:number]})).json()["keys"]) == number
    too_many = await write.post(jwks, json={"keys": [*keys, LocalSigner.generate(kid="k5").public_jwk()]})
    assert (too_many.status_code, bool(too_many.json()["errors"][0]["errorMessage"])) == (400, True)

    assert [key["kid"] for key in (await write.post(jwks, json={"keys": keys[1:2]})).json()["keys"]] == ["k1"]
    last = await write.post(jwks, json={"keys": []})
    assert (last.status_code, bool(last.json()["errors"][0]["errorMessage"])) == (400, True)
    assert (await write.delete(jwks)).status_code == 200
    assert (await read.get(jwks)).json() == {"keys": []}


async def test_bekk_manages_accesses_with_slashes_at_the_end_and_no_body(api: Api) -> None:
    """bekk/maskinporten-management and Altinn's scripts: ``/scopes/access/?…``, a JSON content type and no JSON."""
    me = api.caller(PROVIDER, {"idporten:scopes.read", "idporten:scopes.write"})
    json = {"Content-Type": "application/json"}
    assert [scope["name"] for scope in (await me.get(f"{HOST}/scopes/")).json()] == [
        "provider:open.read", "provider:register.read", "provider:register.write",
    ]  # fmt: skip
    scope = "provider:register.write"
    for base in (HOST, f"{HOST}/api/v1"):
        assert (await me.put(f"{base}/scopes/access/{CONSUMER}/?scope={scope}", headers=json)).status_code == 200
        (access,) = (await me.get(f"{base}/scopes/access/?scope={scope}&consumer_orgno={CONSUMER}")).json()
        assert (access["state"], access["consumer_organization_name"]) == ("APPROVED", "CONSUMER AS")
        assert (await me.delete(f"{base}/scopes/access/{CONSUMER}?scope={scope}", headers=json)).status_code == 200

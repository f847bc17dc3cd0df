"""A provider makes scopes and gives access to them (maskinporten.md §7.7, §8.3)."""

from __future__ import annotations

from typing import Any

import pytest

from fullmakt.infra.database import Database
from fullmakt.kernel.identifiers import OrgNumber, ScopeName
from fullmakt.wire.maskinporten.selfservice import ScopeBody
from tests.support.selfservice import (
    ALTINN,
    ALTINN_ISSUER,
    CONSUMER,
    PROVIDER,
    STRANGER,
    SUPPLIER,
    SUPPLYING,
    Api,
    Names,
    declare_provider,
    grant,
)

AT = "2026-11-21T12:00:00.123+00:00"
NEW = {"prefix": "provider", "subscope": "register/v1.read", "description": "Read the register"}
NAME = "provider:register/v1.read"
SCOPE: dict[str, object] = {
    "name": NAME, "prefix": "provider", "subscope": "register/v1.read", "description": "Read the register",
    "long_description": None, "active": True, "visibility": "PUBLIC", "allowed_integration_types": [],
    "token_type": "SELF_CONTAINED", "delegation_source": None, "accessible_for_all": False, "at_max_age": 0,
    "authorization_max_lifetime": 0, "requires_user_consent": False, "requires_user_authentication": False,
    "requires_pseudonymous_tokens": False, "enforced_aud_for_access_token": None, "protected": False,
    "supports_european_businesses": False, "owner_orgno": PROVIDER, "created": AT, "last_updated": AT,
}  # fmt: skip
ACCESS = {
    "scope": NAME, "owner_orgno": PROVIDER, "owner_organization_name": "PROVIDER AS", "consumer_orgno": CONSUMER,
    "consumer_organization_name": "CONSUMER AS", "state": "APPROVED", "created": AT, "last_updated": AT,
    "prefix": None,
}  # fmt: skip


@pytest.fixture
async def api(database: Database) -> Api:
    api = Api(database)
    await declare_provider(api.service)
    return api


async def make(api: Api, **more: Any) -> dict[str, Any]:
    response = await api.caller(PROVIDER).post("/scopes", json={**NEW, **more})
    assert response.status_code == 200, response.text
    scope: dict[str, Any] = response.json()
    return scope


async def test_a_scope_is_made_read_changed_and_put_to_rest(api: Api) -> None:
    me = api.caller(PROVIDER)
    assert await make(api, name="something:else") == SCOPE
    assert (await me.get("/scopes")).json() == [SCOPE]
    for path in ("/scopes", "/scopes/scope", "/scopes/", "/scopes/scope/"):
        assert (await me.get(path, params={"scope": NAME})).json() == SCOPE
    assert (await me.get(f"/scopes?scope={NAME}")).json() == SCOPE, "unencoded, as PowerShell sends it"

    api.clock.advance(seconds=1)
    sent = {**SCOPE, "at_max_age": "500", "description#en": "Read it", "delegation_source": ALTINN_ISSUER}
    changed = {
        **SCOPE, "at_max_age": 500, "description#en": "Read it", "delegation_source": ALTINN_ISSUER,
        "last_updated": "2026-11-21T12:00:01.123+00:00",
    }  # fmt: skip
    assert (await me.put("/scopes", params={"scope": NAME}, json=sent)).json() == changed

    gone = await me.delete("/scopes", params={"scope": NAME})
    assert (gone.status_code, gone.json()) == (200, {**changed, "active": False})
    assert (await me.get("/scopes")).json() == []
    assert [scope["active"] for scope in (await me.get("/scopes?inactive=true")).json()] == [False]
    assert (await me.post("/scopes", json=NEW)).status_code == 409
    assert (await me.put("/scopes", params={"scope": NAME}, json=NEW)).json()["active"] is False
    woken = await me.put("/scopes", params={"scope": NAME}, json={**NEW, "active": True})
    assert woken.json()["active"] is True


@pytest.mark.parametrize(
    ("more", "status", "field"),
    [
        ({"prefix": None}, 400, "prefix"),
        ({"prefix": "nobodys"}, 400, "prefix"),
        ({"prefix": "other"}, 403, None),
        ({"subscope": None}, 400, "subscope"),
        ({"subscope": "a b"}, 400, "subscope"),
        ({"description": None}, 400, "description"),
        ({"description": " "}, 400, "description"),
        ({"long_description": "<b>"}, 400, "long_description"),
        ({"visibility": "INTERNAL"}, 400, "visibility"),
        ({"delegation_source": "https://elsewhere.test/"}, 400, "delegation_source"),
        ({"at_max_age": -1}, 400, "at_max_age"),
        ({"allowed_integration_types": ["x"]}, 400, "allowed_integration_types.0"),
        ({"long_description#en": "<"}, 400, None),
    ],
)
async def test_a_scope_that_may_not_be_is_not_made(
    api: Api, more: dict[str, Any], status: int, field: str | None
) -> None:
    await api.service.operator.declare_prefix("other", STRANGER)
    me = api.caller(PROVIDER)
    response = await me.post("/scopes", json={**NEW, **more})
    assert response.status_code == status
    assert response.json()["errors"][0]["fieldIdentifier"] == field
    assert (await me.get("/scopes?inactive=true")).json() == []


async def test_a_scopes_name_never_changes(api: Api) -> None:
    await make(api)
    response = await api.caller(PROVIDER).put("/scopes", params={"scope": NAME}, json={**NEW, "subscope": "other"})
    assert (response.status_code, response.json()["errors"][0]["fieldIdentifier"]) == (400, "subscope")


@pytest.mark.parametrize("name", ["provider:other", "no colon", "a:\x00", "", None])
async def test_a_scope_that_is_not_there_is_not_found(api: Api, name: str | None) -> None:
    me = api.caller(PROVIDER)
    params = {} if name is None else {"scope": name}
    expected = 404 if name else 400
    for response in (
        await me.get("/scopes/scope", params=params),
        await me.put("/scopes", params=params, json=NEW),
        await me.delete("/scopes", params=params),
        await me.put(f"/scopes/access/{CONSUMER}", params=params),
        await me.delete(f"/scopes/access/{CONSUMER}", params=params),
    ):
        assert response.status_code == expected


async def test_access_is_given_seen_from_both_sides_and_taken(api: Api) -> None:
    provider, consumer = api.caller(PROVIDER), api.caller(CONSUMER, {"idporten:scopes.write"})
    await make(api)
    path = f"/scopes/access/{CONSUMER}"
    for headers in ({}, {"Content-Type": "application/json"}):
        given = await provider.put(path, params={"scope": NAME}, headers=headers)
        assert (given.status_code, given.json()) == (200, ACCESS)
        api.clock.advance(seconds=1)
    for query in ("", f"?scope={NAME}", f"?consumer_orgno={CONSUMER}", f"/?scope={NAME}&consumer_orgno={CONSUMER}"):
        assert (await provider.get(f"/scopes/access{query}")).json() == [ACCESS]
    assert (await provider.get(f"/scopes/access?consumer_orgno={STRANGER}")).json() == []
    assert (await consumer.get("/scopes/access/all")).json() == [ACCESS]
    assert (await consumer.get("/scopes/access")).json() == []

    denied = {**ACCESS, "state": "DENIED", "last_updated": "2026-11-21T12:00:02.123+00:00"}
    taken = await provider.delete(path, params={"scope": NAME})
    assert (taken.status_code, taken.json()) == (200, denied)
    assert (await provider.get("/scopes/access")).json() == [denied]
    again = await provider.put(path, params={"scope": NAME})
    assert again.json()["state"] == "APPROVED"
    assert (await provider.delete(f"/scopes/access/{STRANGER}", params={"scope": NAME})).status_code == 404


async def test_accesses_outlive_their_scope(api: Api) -> None:
    provider, consumer = api.caller(PROVIDER), api.caller(CONSUMER)
    await make(api)
    await provider.put(f"/scopes/access/{CONSUMER}", params={"scope": NAME})
    await provider.delete("/scopes", params={"scope": NAME})
    for caller, path in ((provider, "/scopes/access"), (consumer, "/scopes/access/all")):
        assert (await caller.get(path)).json() == []
        assert (await caller.get(f"{path}?inactive=true")).json() == [ACCESS]


@pytest.mark.parametrize(
    "orgno", ["12345678", "1234567890", "abcdefghi", "all", "0192:310000027", "%00", "３１００００027"]
)
async def test_a_malformed_orgno_is_told(api: Api, orgno: str) -> None:
    await make(api)
    me = api.caller(PROVIDER, SUPPLYING)
    for response in (
        await me.put(f"/scopes/access/{orgno}", params={"scope": NAME}),
        await me.delete(f"/scopes/access/{orgno}", params={"scope": NAME}),
        await me.get("/scopes/access", params={"consumer_orgno": orgno}),
        await me.get("/scopes/access/for_consumer", params={"consumer_org": orgno}),
    ):
        assert response.status_code == 400
        assert response.json()["errors"][0]["isFieldError"] is True


async def test_altinn_sees_what_a_vendor_may_be_given(api: Api) -> None:
    await make(api)
    await make(api, subscope="denied")
    await make(api, subscope="open", accessible_for_all=True)
    await make(api, subscope="open-private", accessible_for_all=True, visibility="PRIVATE")
    provider = api.caller(PROVIDER)
    for name in (NAME, "provider:denied"):
        await provider.put(f"/scopes/access/{CONSUMER}", params={"scope": name})
    await provider.delete(f"/scopes/access/{CONSUMER}", params={"scope": "provider:denied"})
    path = f"/scopes/access/for_consumer?consumer_org={CONSUMER}"
    for scopes in (SUPPLYING, ALTINN):
        altinn = api.caller(SUPPLIER, scopes)
        assert (await altinn.get(path)).json() == [ACCESS]
        assert (await altinn.get(f"{path}&include_open=true")).json() == [{**ACCESS, "scope": "provider:open"}, ACCESS]
    assert (await api.caller(SUPPLIER).get(path)).status_code == 403


async def test_everybody_may_look_up_public_scopes(api: Api) -> None:
    await make(api)
    await make(api, subscope="private", visibility="PRIVATE")
    await make(api, subscope="asleep", active=False)
    await make(api, subscope="open", accessible_for_all=True)
    await make(api, subscope="delegable", delegation_source=ALTINN_ISSUER)
    await make(api, subscope="login", allowed_integration_types=["idporten"])
    internal = {"prefix": "provider", "subscope": "internal", "description": "d", "visibility": "INTERNAL"}
    await api.service.operator.declare_scope(ScopeBody.model_validate(internal))

    async def found(query: str = "") -> list[str]:
        response = await api.http.get(f"/scopes/all{query}")
        assert response.status_code == 200
        return [scope["subscope"] for scope in response.json()]

    everything = ["delegable", "login", "open", "register/v1.read"]
    assert await found() == everything
    assert await found("/") == everything
    assert await found("?inactive=true") == sorted([*everything, "asleep"])
    assert await found("?prefix=provider&accessible_for_all=true") == ["open"]
    assert await found("?accessible_for_all=") == everything
    assert await found("?delegated_sources=true") == ["delegable"]
    assert await found("?delegated_sources=false") == ["login", "open", "register/v1.read"]
    assert await found("?integration_type=MASKINPORTEN") == ["delegable", "open", "register/v1.read"]
    assert await found("?integration_type=idporten&prefix=provider") == everything
    for nobody in ("nobody", "%00", "a:b"):
        assert await found(f"?prefix={nobody}") == []
    assert (await api.http.get("/scopes/all?integration_type=nothing")).status_code == 400
    assert (await api.http.get("/scopes/all?inactive=perhaps")).status_code == 400


async def test_everybody_may_look_up_prefixes_delegation_sources_and_organisations(api: Api) -> None:
    await api.service.operator.declare_prefix("asleep", STRANGER, active=False)
    provider = {
        "prefix": "provider", "owner_orgno": PROVIDER, "organization_name": "PROVIDER AS", "active": True,
        "created": AT, "last_updated": AT,
    }  # fmt: skip
    assert (await api.http.get("/prefix/all")).json() == [provider]
    assert len((await api.http.get("/prefix/all?inactive=true")).json()) == 2
    assert (await api.caller(PROVIDER, {"idporten:scopes.read"}).get("/prefix")).json() == [provider]
    assert (await api.caller(STRANGER).get("/prefix")).json() == []
    assert (await api.http.get("/delegationsources")).json() == [
        {"name": "altinn", "issuer": ALTINN_ISSUER, "created": AT, "last_updated": AT, "lastUpdated": AT}
    ]
    assert (await api.http.get(f"/organizations/{PROVIDER}")).json() == {"orgnr": PROVIDER, "name": "PROVIDER AS"}
    assert (await api.http.get("/organizations/999999999")).status_code == 404
    assert (await api.http.get("/organizations/1")).status_code == 400


async def test_a_prefix_at_rest_takes_no_new_scopes(api: Api) -> None:
    await api.service.operator.declare_prefix("provider", PROVIDER, active=False)
    response = await api.caller(PROVIDER).post("/scopes", json=NEW)
    assert (response.status_code, response.json()["errors"][0]["fieldIdentifier"]) == (400, "prefix")


async def test_empty_lists_can_be_errors_as_the_real_service_has_them(database: Database) -> None:
    api = Api(database, faithful_empty_lists=True)
    me = api.caller(STRANGER)
    for path in ("/scopes", "/prefix", "/scopes/access", "/scopes/access/all"):
        response = await me.get(path)
        assert response.status_code == 404
        assert f"Organization {STRANGER} does not have any" in response.json()["error_description"]
    await declare_provider(api.service, "read")
    await api.service.operator.declare_access(ScopeName("provider:read"), STRANGER)
    assert (await me.get("/scopes/access/all")).status_code == 200


async def test_the_names_in_a_list_are_looked_up_together(api: Api) -> None:
    me = api.caller(PROVIDER)
    await me.post("/scopes", json=NEW)
    for number in range(20):
        await grant(api.service, NAME, OrgNumber(f"3100001{number:02}"))
    names = api.service.organisations
    assert isinstance(names, Names)
    names.asked = 0
    listed = (await me.get("/scopes/access")).json()
    assert [(each["owner_organization_name"], each["consumer_organization_name"]) for each in listed] == [
        ("PROVIDER AS", None)
    ] * 20
    assert names.asked == 1

"""The OpenAPI document is published, is one, and is true."""

from __future__ import annotations

import re
from typing import Any

import jsonschema_rs
import pytest
import yaml  # type: ignore[import-untyped]

from fullmakt.infra.database import Database
from fullmakt.infra.sms import Inbox
from fullmakt.jose.keys import LocalSigner
from fullmakt.kernel.clock import FixedClock
from tests.support.selfservice import CONSUMER, PROVIDER, START, Api, client_body, declare_provider, jwk_of

HOST = "https://api.samarbeid.test"


@pytest.fixture
async def api(database: Database) -> Api:
    api = Api(database)
    await declare_provider(api.service, "read")
    await api.service.operator.declare_client("c1", PROVIDER, client_body(scopes=["provider:read"]))
    await api.service.operator.declare_keys("c1", [jwk_of(LocalSigner.generate(kid="k1"))])
    return api


async def document(api: Api) -> dict[str, Any]:
    found: dict[str, Any] = (await api.http.get(f"{HOST}/openapi.json")).json()
    return found


async def test_the_document_is_at_the_real_services_path_too(api: Api) -> None:
    response = await api.http.get(f"{HOST}/v3/api-docs.yaml")
    assert response.headers["content-type"].startswith("application/yaml")
    assert yaml.safe_load(response.text) == await document(api)
    assert (await api.http.get(f"{HOST}/v3/api-docs")).json() == await document(api)


async def test_a_page_for_people_lists_every_operation_and_loads_nothing(api: Api) -> None:
    found = await document(api)
    for path in ("/swagger-ui/index.html", "/swagger-ui/", "/"):
        response = await api.http.get(f"{HOST}{path}")
        assert (response.status_code, response.headers["content-type"]) == (200, "text/html; charset=utf-8")
        assert response.headers["content-security-policy"].startswith("default-src 'none'; style-src 'sha256-")
        assert set(re.findall(r'(?:href|src)="([^"]*)"', response.text)) == {
            f"{HOST}/v3/api-docs.yaml",
            f"{HOST}/v3/api-docs",
        }
        for shown, operations in found["paths"].items():
            for method in operations:
                assert f"<td>{method.upper()}</td><td><code>{shown}</code></td>" in response.text


async def test_one_set_of_paths_is_shown(api: Api) -> None:
    found = await document(api)
    assert {path.split("/")[1] for path in found["paths"]} == {"api"}
    assert "/api/v1/clients/{client_id}/jwks/{kid}" in found["paths"]
    assert "/api/v2/clients/{client_id}/key" in found["paths"]
    assert not [path for path in found["paths"] if "onbehalof" in path or path.startswith("/api/v1/client/")]
    assert found["servers"] == [{"url": HOST}]


async def test_public_operations_are_those_without_a_token(api: Api) -> None:
    found = await document(api)
    public = {
        path for path, operations in found["paths"].items() if "security" not in operations.get("get", {"security": 1})
    }
    assert public == {
        "/api/v1/scopes/all",
        "/api/v1/prefix/all",
        "/api/v1/delegationsources",
        "/api/v1/organizations/{orgnr}",
    }


@pytest.mark.parametrize(
    ("path", "template"),
    [
        ("/clients", None),
        ("/clients/c1", "/clients/{client_id}"),
        ("/clients/c1/jwks", "/clients/{client_id}/jwks"),
        ("/clients/c1/jwks/k1", "/clients/{client_id}/jwks/{kid}"),
        ("/clients/c1/onbehalfof", "/clients/{client_id}/onbehalfof"),
        ("/scopes", None),
        ("/scopes?scope=provider:read", "/scopes"),
        ("/scopes/all", None),
        ("/scopes/access", None),
        ("/prefix", None),
        ("/delegationsources", None),
        (f"/organizations/{PROVIDER}", "/organizations/{orgnr}"),
        ("/clients/nobody", "/clients/{client_id}"),
    ],
)
async def test_answers_keep_the_schemas_that_are_published(api: Api, path: str, template: str | None) -> None:
    me, found = api.caller(PROVIDER), await document(api)
    await me.put(f"/scopes/access/{CONSUMER}?scope=provider:read")
    await me.post("/clients/c1/onbehalfof", json={"onbehalfof": "x"})
    response = await me.get(path)
    responses = found["paths"][f"/api/v1{template or path}"]["get"]["responses"]
    declared = responses.get(str(response.status_code), responses["default"])
    schema = declared["content"]["application/json"]["schema"]
    jsonschema_rs.validate({**schema, "components": found["components"]}, response.json())


async def test_no_status_is_published_that_is_never_answered(api: Api) -> None:
    found = await document(api)
    statuses = {
        status
        for operations in found["paths"].values()
        for operation in operations.values()
        for status in operation["responses"]
    }
    assert statuses == {"200", "201", "204", "401", "default"}


async def test_every_form_of_a_body_that_is_taken_is_published(api: Api) -> None:
    found, me = await document(api), api.caller(PROVIDER)
    key = LocalSigner.generate(kid="k1").public_jwk()
    operation = found["paths"]["/api/v1/clients/{client_id}/jwks"]["post"]
    schema = {**operation["requestBody"]["content"]["application/json"]["schema"], "components": found["components"]}
    for body in ([key], {"keys": [key]}):
        jsonschema_rs.validate(schema, body)
        assert (await me.post("/clients/c1/jwks", json=body)).status_code == 200
    for body in ({}, key, {"keys": [{**key, "use": "enc"}]}, [{**key, "kid": "a b"}]):
        assert not jsonschema_rs.is_valid(schema, body)
        assert (await me.post("/clients/c1/jwks", json=body)).status_code == 400
    consumer = found["paths"]["/api/v1/scopes/access/{consumer_orgno}"]["put"]["parameters"][0]
    assert (consumer["name"], consumer["schema"]["pattern"]) == ("consumer_orgno", "^[0-9]{9}$")


async def test_a_key_file_is_published_as_it_is_answered(database: Database) -> None:
    api = Api(database, sms=Inbox(FixedClock(START)))
    await api.service.operator.declare_client("c1", PROVIDER, client_body())
    found, me = await document(api), api.caller(PROVIDER)
    operation = found["paths"]["/api/v1/clients/{client_id}/keys/p12"]["post"]
    answer = await me.post("/clients/c1/keys/p12", json={"phone": "+4799999999"})
    assert list(operation["responses"]["200"]["content"]) == [answer.headers["content-type"]]
    assert all(name in answer.headers for name in operation["responses"]["200"]["headers"])
    schema = {**operation["requestBody"]["content"]["application/json"]["schema"], "components": found["components"]}
    for phone in ("+4799999999", "+4799999999\n", "99999999", "+47 99999999"):
        status = (await me.post("/clients/c1/keys/p12", json={"phone": phone})).status_code
        assert jsonschema_rs.is_valid(schema, {"phone": phone}) is (status == 200)
    for asked, status in (({}, 400), (None, 400)):
        refused = await me.post("/clients/c1/keys/p12", json=asked)
        assert refused.status_code == status
        error = operation["responses"]["default"]["content"]["application/json"]["schema"]
        jsonschema_rs.validate({**error, "components": found["components"]}, refused.json())

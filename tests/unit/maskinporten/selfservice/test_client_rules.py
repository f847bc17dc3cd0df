"""Which members a client may have (maskinporten.md §7.3)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from fullmakt.maskinporten.selfservice.errors import InvalidError
from fullmakt.maskinporten.selfservice.model import ClientAttributes
from fullmakt.maskinporten.selfservice.rules import clients
from fullmakt.wire.maskinporten.selfservice import JWT_BEARER, ClientBody, IntegrationType


def attributes(integration_type: IntegrationType = "maskinporten", **members: Any) -> ClientAttributes:
    body = ClientBody.model_validate({"client_name": "n", "description": "d", **members})
    return clients.attributes_of(body, integration_type)


def fields_at_fault(integration_type: IntegrationType = "maskinporten", **members: Any) -> list[str | None]:
    with pytest.raises(InvalidError) as caught:
        attributes(integration_type, **members)
    return [fault.field for fault in caught.value.faults]


def test_a_maskinporten_client_needs_no_more_than_a_name_and_a_description() -> None:
    assert attributes() == ClientAttributes(
        client_name="n",
        description="d",
        active=True,
        application_type="web",
        grant_types=(JWT_BEARER,),
        token_endpoint_auth_method="private_key_jwt",
        access_token_lifetime=120,
        refresh_token_lifetime=600,
        refresh_token_usage="ONETIME",
        authorization_lifetime=7200,
        code_challenge_method="S256",
    )


@pytest.mark.parametrize(
    ("application_type", "method"), [("web", "client_secret_basic"), ("browser", "none"), ("native", "none")]
)
def test_a_login_client_gets_the_method_of_its_application_type(application_type: str, method: str) -> None:
    made = attributes("idporten", application_type=application_type)
    assert made.token_endpoint_auth_method == method
    assert made.grant_types == ("authorization_code", "refresh_token")


@pytest.mark.parametrize("integration_type", ["maskinporten", "krr", "altinn_virksys", "eformidling"])
@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("application_type", "browser"),
        ("application_type", "native"),
        ("token_endpoint_auth_method", "client_secret_basic"),
        ("token_endpoint_auth_method", "none"),
        ("grant_types", ["authorization_code"]),
        ("grant_types", [JWT_BEARER, "refresh_token"]),
        ("grant_types", []),
        ("redirect_uris", ["https://example.test/"]),
        ("post_logout_redirect_uris", ["https://example.test/"]),
        ("description", None),
        ("description", "  "),
    ],
)
def test_machine_clients_take_one_combination_alone(
    integration_type: IntegrationType, member: str, value: object
) -> None:
    assert fields_at_fault(integration_type, **{member: value}) == [member]


@pytest.mark.parametrize("integration_type", ["idporten", "api_klient", "ansattporten"])
@pytest.mark.parametrize(
    ("members", "fits"),
    [
        ({"token_endpoint_auth_method": "client_secret_post"}, True),
        ({"token_endpoint_auth_method": "private_key_jwt"}, True),
        ({"token_endpoint_auth_method": "none"}, False),
        ({"application_type": "browser", "token_endpoint_auth_method": "client_secret_basic"}, False),
        ({"application_type": "native", "token_endpoint_auth_method": "none"}, True),
        ({"grant_types": ["authorization_code"]}, True),
        ({"grant_types": ["implicit"]}, False),
        ({"grant_types": ["jwt_bearer_token"]}, False),
        ({"redirect_uris": ["https://example.test/back"]}, True),
        ({"redirect_uris": ["no.scheme/back"]}, False),
        ({"redirect_uris": ["https://[bad"]}, False),
        ({"redirect_uris": ["https://example.test/a b"]}, False),
        ({"description": None}, True),
    ],
)
def test_login_clients_take_those_of_their_kind(
    integration_type: IntegrationType, members: dict[str, Any], fits: bool
) -> None:
    if fits:
        attributes(integration_type, **members)
    else:
        assert len(fields_at_fault(integration_type, **members)) == 1


def test_all_faults_are_told_at_once() -> None:
    at_fault = fields_at_fault(description=None, token_endpoint_auth_method="none", grant_types=["implicit"])
    assert at_fault == ["description", "token_endpoint_auth_method", "grant_types"]


def test_a_replacement_goes_back_to_the_defaults_but_wakes_nobody() -> None:
    before = replace(attributes(access_token_lifetime=1000), active=False)
    body = ClientBody.model_validate({"client_name": "n", "description": "d"})
    after = clients.attributes_of(body, "maskinporten", before)
    assert (after.access_token_lifetime, after.active) == (120, False)
    awake = ClientBody.model_validate({"client_name": "n", "description": "d", "active": True})
    assert clients.attributes_of(awake, "maskinporten", before).active


def test_values_that_stand_twice_are_kept_once() -> None:
    assert attributes(grant_types=["jwt_bearer_token", JWT_BEARER]).grant_types == (JWT_BEARER,)


@pytest.mark.parametrize("integration_type", sorted(clients.MANAGED_TYPES))
def test_some_types_are_registered_by_the_operator(integration_type: str) -> None:
    body = ClientBody.model_validate({"client_name": "n", "integration_type": integration_type})
    assert clients.integration_type_of(body, operator=True) == integration_type
    with pytest.raises(InvalidError, match="by the operator"):
        clients.integration_type_of(body)


def test_a_client_needs_a_type() -> None:
    with pytest.raises(InvalidError, match="integration_type is required"):
        clients.integration_type_of(ClientBody(client_name="n"))


@pytest.mark.parametrize(
    ("text", "good"),
    [("a", True), ("oidc_x.y-Z", True), ("", False), (".", False), ("a/b", False), ("a" * 256, False), ("æ", False)],
)
def test_an_id_is_letters_digits_and_a_few_signs(text: str, good: bool) -> None:
    assert clients.is_client_id(text) is good

"""What comes in is read generously, and nothing gets in that can not be stored (maskinporten.md §7.3, §7.7)."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from pydantic import ValidationError

from fullmakt.wire.maskinporten.selfservice import (
    JWT_BEARER,
    ClientBody,
    DelegationSourceDocument,
    JwkBody,
    JwksBody,
    OnBehalfOfBody,
    ScopeBody,
)


def client(**members: Any) -> ClientBody:
    return ClientBody.model_validate({"client_name": "n", **members})


@pytest.mark.parametrize(
    ("sent", "member", "read"),
    [
        ({"integration_type": "MASKINPORTEN"}, "integration_type", "maskinporten"),
        ({"Description": "seed 4"}, "description", "seed 4"),
        ({"scope": ["a:b"]}, "scopes", ["a:b"]),
        ({"access_token_lifetime": "3600"}, "access_token_lifetime", 3600),
        ({"access_token_lifetime": ""}, "access_token_lifetime", None),
        ({"sso_disabled": "true"}, "sso_disabled", True),
        ({"redirect_uris": None}, "redirect_uris", None),
        ({"grant_types": ["jwt_bearer_token"]}, "grant_types", [JWT_BEARER]),
        ({"refresh_token_usage": "reuse"}, "refresh_token_usage", "REUSE"),
        ({"logo_uri": ""}, "logo_uri", None),
        ({"created": "yesterday", "jwks_uri": 1}, "active", None),
    ],
)
def test_a_client_is_read_as_real_clients_send_it(sent: dict[str, Any], member: str, read: object) -> None:
    assert getattr(client(**sent), member) == read


@pytest.mark.parametrize(
    ("sent", "member"),
    [
        ({"client_name": None}, "client_name"),
        ({"client_name": ""}, "client_name"),
        ({"client_name": "a\x00b"}, "client_name"),
        ({"client_name": "a\ud800b"}, "client_name"),
        ({"client_name": "a" * 256}, "client_name"),
        ({"client_name": 7}, "client_name"),
        ({"description": "\x1b[31m"}, "description"),
        ({"access_token_lifetime": 0}, "access_token_lifetime"),
        ({"access_token_lifetime": 2**31}, "access_token_lifetime"),
        ({"access_token_lifetime": 10**400}, "access_token_lifetime"),
        ({"access_token_lifetime": True}, "access_token_lifetime"),
        ({"access_token_lifetime": 1.5}, "access_token_lifetime"),
        ({"access_token_lifetime": float("nan")}, "access_token_lifetime"),
        ({"integration_type": "openid"}, "integration_type"),
        ({"scopes": "a:b"}, "scopes"),
        ({"scopes": [1]}, "scopes"),
        ({"active": "perhaps"}, "active"),
        ({"grant_types": [None]}, "grant_types"),
    ],
)
def test_what_breaks_a_rule_is_told_by_member(sent: dict[str, Any], member: str) -> None:
    with pytest.raises(ValidationError) as caught:
        client(**sent)
    assert {error["loc"][0] for error in caught.value.errors()} == {member}


def test_a_key_set_may_be_a_bare_array() -> None:
    assert JwksBody.model_validate([{"kty": "RSA"}]) == JwksBody.model_validate(
        {"keys": [{"kty": "RSA"}], "created": 1}
    )
    malformed: tuple[object, ...] = (None, 1, "keys", {}, {"keys": None}, {"keys": {}}, [1])
    for wrong in malformed:
        with pytest.raises(ValidationError):
            JwksBody.model_validate(wrong)


@pytest.mark.parametrize("exp", [True, -1, 1.5, "soon", 2**53 + 1, [1]])
def test_an_expiry_is_whole_seconds(exp: object) -> None:
    with pytest.raises(ValidationError):
        JwkBody.model_validate({"kty": "RSA", "exp": exp})


def test_the_older_names_of_an_onbehalfof_are_read() -> None:
    read = OnBehalfOfBody.model_validate({"onbehalfof": "x", "display_name": "n", "url": "https://example.test"})
    assert (read.name, read.uri) == ("n", "https://example.test")


def scope(**members: Any) -> ScopeBody:
    return ScopeBody.model_validate({"description": "d", **members})


def test_texts_in_further_languages_are_kept_by_the_names_of_their_members() -> None:
    texts = {"description#en": "Read", "long_description#nn-NO": "Lese og lære"}
    assert scope(**texts, **{"description#": "x", "description#english": "x", "name": "y"}).translations == texts


@pytest.mark.parametrize(
    "sent",
    [
        {"long_description": "<script>"},
        {"long_description": "a\x00"},
        {"description#en": 1},
        {"long_description#en": "<b>"},
        {"description#en": "\ud800"},
        {"description#en": "a" * 256},
        {"long_description#en": "a" * 4001},
        {f"description#aa-{number:03}": "a" for number in range(101)},
        {"at_max_age": -1},
        {"visibility": "SECRET"},
        {"token_type": "JWT"},
        {"allowed_integration_types": ["none"]},
    ],
)
def test_a_scope_that_breaks_a_rule_is_refused(sent: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        scope(**sent)


def test_a_scope_is_read_as_the_portal_sends_it() -> None:
    read = scope(
        visibility="private", allowed_integration_types=["MASKINPORTEN"], at_max_age="0", authorization_max_age=60,
        long_description="Lån, å lese: «nei»".replace("«", '"').replace("»", '"'), delegation_source="",
    )  # fmt: skip
    assert (read.visibility, read.allowed_integration_types, read.at_max_age) == ("PRIVATE", ["maskinporten"], 0)
    assert (read.authorization_max_lifetime, read.delegation_source) == (60, None)


def test_times_are_written_in_utc_with_milliseconds() -> None:
    at = dt.datetime(2021, 9, 15, 10, 20, 43, 354999, tzinfo=dt.timezone(dt.timedelta(hours=2)))
    document = DelegationSourceDocument(name="n", issuer="i", created=at, last_updated=at, lastUpdated=at)
    assert document.model_dump(mode="json")["lastUpdated"] == "2021-09-15T08:20:43.354+00:00"

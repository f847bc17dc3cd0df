"""Maskinporten's refusals as exceptions, each with what to do next."""

from __future__ import annotations

import pytest

from fullmakt.client.errors import (
    AccessDeniedError,
    AuthorizationDetailsError,
    ClientAuthenticationError,
    InvalidGrantError,
    InvalidScopeError,
    MaskinportenError,
    NotDelegatedError,
    ReplayedGrantError,
    TemporarilyUnavailableError,
    error_from,
)
from fullmakt.wire.altinn.systemusers import Cause
from fullmakt.wire.maskinporten.errors import CATALOGUE, CONSENT_REASONS

TRACE = "0af7651916cd43dd8448eb211c80319c"
KINDS = {
    "malformed_assertion": InvalidGrantError,
    "own_delegation": InvalidGrantError,
    "replayed": ReplayedGrantError,
    "client_not_found": ClientAuthenticationError,
    "wrong_audience": ClientAuthenticationError,
    "invalid_certificate": ClientAuthenticationError,
    "expired_key": ClientAuthenticationError,
    "wrong_certificate_owner": ClientAuthenticationError,
    "invalid_x5c": ClientAuthenticationError,
    "invalid_signature": ClientAuthenticationError,
    "expired_assertion": ClientAuthenticationError,
    "unknown_kid": ClientAuthenticationError,
    "key_required": ClientAuthenticationError,
    "issued_in_future": InvalidGrantError,
    "invalid_scope": InvalidScopeError,
    "scope_not_for_maskinporten": InvalidScopeError,
    "no_access": AccessDeniedError,
    "not_delegated": NotDelegatedError,
    "unknown_authorization_details_type": AuthorizationDetailsError,
    "unknown_authorization_details_field": AuthorizationDetailsError,
    "invalid_authorization_details": AuthorizationDetailsError,
    **{cause.value: AuthorizationDetailsError for cause in Cause},
    **dict.fromkeys(CONSENT_REASONS.values(), AuthorizationDetailsError),
    "consent_for_another_receiver": AuthorizationDetailsError,
    "temporarily_unavailable": TemporarilyUnavailableError,
}
FACTS = {"scopes": "a:b", "scope": "a:b", "consumer": "310000027", "supplier": "310000035", "detail": "something",
         "owner": "314168267", "missing": "skatt", "vendor": "310000035", "client_id": "a-client",
         "id": "77ed8698-e619-4066-9eb4-5c1eb3f165a1", "receiver": "310000027"}  # fmt: skip


@pytest.mark.parametrize("reason", KINDS)
def test_every_refusal_in_the_catalogue_becomes_its_own_kind_of_error(reason: str) -> None:
    entry = CATALOGUE[reason]
    text = entry.text.format_map(FACTS)
    uri = f"https://test.maskinporten.no/errors/{entry.code}" if entry.code else None
    error = error_from(entry.status, entry.error, f"{text} (trace_id: {TRACE})", uri)
    assert type(error) is KINDS[reason]
    assert (error.status, error.error, error.code, error.description) == (entry.status, entry.error, entry.code, text)
    assert (error.trace_id, error.reason, error.remedy) == (TRACE, reason, entry.remedy)


def test_an_error_says_what_happened_and_what_to_do() -> None:
    text = "Consumer has not been granted access to the scope a:b."
    error = error_from(403, "forbidden", f"{text} (trace_id: {TRACE})", "https://maskinporten.no/errors/MP-250")
    assert str(error) == (
        f"MP-250 forbidden: {text} (trace_id: {TRACE}) "
        "Ask the owner of the scope for access. A supplier must say for whom it asks, with `consumer_org`."
    )


def test_the_code_settles_it_when_the_words_have_changed() -> None:
    error = error_from(400, "invalid_grant", "Nytt ord", "https://maskinporten.no/errors/MP-012")
    assert type(error) is ReplayedGrantError
    assert error.reason == "replayed"


def test_a_code_that_is_not_in_the_catalogue_is_kept() -> None:
    error = error_from(400, "invalid_grant", "New", "https://maskinporten.no/errors/MP-199")
    assert (type(error), error.code, error.reason) == (ClientAuthenticationError, "MP-199", None)


def test_the_id_of_older_responses_is_found_too() -> None:
    uuid = "5f0c1f0e-1c1d-4f53-9a0e-2f8c8e1c7b11"
    assert error_from(400, "invalid_grant", f"No (correlation id: {uuid})", None).trace_id == uuid


def test_an_error_that_nobody_knows_is_still_an_error_with_a_remedy() -> None:
    error = error_from(418, "teapot", "", "not a uri")
    assert (type(error), error.code, error.trace_id) == (MaskinportenError, None, None)
    assert error.remedy in str(error)

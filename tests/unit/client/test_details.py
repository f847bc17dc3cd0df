"""The helpers that make an element of ``authorization_details`` (maskinporten.md §5)."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from fullmakt.client import AuthorizationDetailsError, TokenRequest, consent, system_user, virksys
from fullmakt.client.errors import error_from
from fullmakt.kernel.identifiers import InvalidIdentifierError
from fullmakt.maskinporten.tokens import rules
from fullmakt.wire.altinn.consents import Cause as ConsentCause
from fullmakt.wire.altinn.systemusers import Cause
from fullmakt.wire.maskinporten.errors import CATALOGUE, CONSENT_REASONS
from tests.support.tokens import PID

TYPES = ("urn:altinn:systemuser", "urn:altinn:virksys", "urn:altinn:consent")
CONSENT = "77ed8698-e619-4066-9eb4-5c1eb3f165a1"
PERSON = f"urn:altinn:person:identifier-no:{PID}"
ORGANISATION = "urn:altinn:organization:identifier-no:314168267"
URI = "https://test.maskinporten.no/errors/MP-303"


@pytest.mark.parametrize("org", ["314168267", "0192:314168267"])
def test_a_system_user_is_asked_for_by_its_owner(org: str) -> None:
    organisation = {"authority": "iso6523-actorid-upis", "ID": "0192:314168267"}
    assert system_user(org) == {"type": "urn:altinn:systemuser", "systemuser_org": organisation}
    assert system_user(org, "a ref") == {**system_user(org), "externalRef": "a ref"}


def test_a_virksomhetstoken_is_asked_for_by_its_party() -> None:
    assert virksys("999888777") == {"type": "urn:altinn:virksys", "part": "0192:999888777"}
    assert virksys("0192:999888777", hjelper="888666555", rettigheit=iter(["skatt"])) == {
        "type": "urn:altinn:virksys", "part": "0192:999888777", "hjelper": "0192:888666555", "rettigheit": ["skatt"],
    }  # fmt: skip


@pytest.mark.parametrize(
    ("giver", "urn"), [(PID, PERSON), (PERSON, PERSON), ("314168267", ORGANISATION), (ORGANISATION, ORGANISATION)]
)
@pytest.mark.parametrize("written", [CONSENT, CONSENT.upper(), UUID(CONSENT)], ids=["text", "upper case", "UUID"])
def test_a_consent_is_asked_for_by_its_id_and_its_giver(giver: str, urn: str, written: UUID | str) -> None:
    assert consent(written, giver) == {"type": "urn:altinn:consent", "id": CONSENT, "from": urn}


@pytest.mark.parametrize(
    "giver", ["", "31416826", f"{PID}0", f"{PID[:-1]}{(int(PID[-1]) + 1) % 10}", f"x:{PID}", f"{ORGANISATION}0",
              f"urn:altinn:person:identifier-no:{PID[:-1]}", "urn:altinn:party:uuid:77ed8698"],
)  # fmt: skip
def test_a_giver_that_is_none_is_neither_sent_nor_repeated(giver: str) -> None:
    with pytest.raises(InvalidIdentifierError) as wrong:
        consent(CONSENT, giver)
    assert PID[:9] not in str(wrong.value)


def test_a_consents_id_is_a_uuid() -> None:
    with pytest.raises(ValueError, match="a consent's id is a UUID"):
        consent("x", PID)


@pytest.mark.parametrize("element", [
    consent(CONSENT, PID), consent(CONSENT, "314168267"),
    system_user("314168267"), system_user("314168267", "ref"), virksys("999888777"),
    virksys("999888777", hjelper="888666555", rettigheit=["skatt", "mva"]),
])  # fmt: skip
def test_the_token_server_takes_what_they_make(element: dict[str, Any]) -> None:
    asked = rules.read_details([element], TYPES)
    assert not hasattr(asked, "reason"), asked


@pytest.mark.parametrize("org", ["", "31416826", "9908:314168267", "0192:314168267:ER//987654321:1", "0192:x", "0192:"])
def test_what_is_no_organisation_is_not_sent(org: str) -> None:
    for make in (system_user, virksys, lambda org: virksys("999888777", hjelper=org)):
        with pytest.raises(InvalidIdentifierError):
            make(org)


@pytest.mark.parametrize("rights", [[], "skatt"])
def test_rights_are_listed(rights: Any) -> None:
    with pytest.raises(ValueError, match="rettigheit is a list"):
        virksys("999888777", rettigheit=rights)


def test_one_element_may_be_asked_with_as_it_is() -> None:
    alone = TokenRequest.of("a:b", authorization_details=system_user("314168267"))
    assert alone == TokenRequest.of("a:b", authorization_details=[system_user("314168267")])
    assert alone.claims["authorization_details"] == [system_user("314168267")]
    assert alone != TokenRequest.of("a:b", authorization_details=system_user("314168267", "ref"))


@pytest.mark.parametrize("cause", list(Cause))
def test_the_error_carries_the_cause(cause: Cause) -> None:
    entry = CATALOGUE[cause.value]
    facts = {"owner": "314168267", "vendor": "310000035", "client_id": "a-client", "scopes": "a:b", "missing": "c"}
    error = error_from(400, entry.error, f"{entry.text.format_map(facts)} (trace_id: 0af7)", URI)
    assert isinstance(error, AuthorizationDetailsError)
    assert (error.code, error.cause, error.remedy) == ("MP-303", cause, entry.remedy)


@pytest.mark.parametrize("cause", list(ConsentCause))
def test_the_error_carries_why_a_consent_can_not_be_drawn(cause: ConsentCause) -> None:
    entry = CATALOGUE[CONSENT_REASONS[cause]]
    text = entry.text.format(id=CONSENT, receiver="314168267")
    error = error_from(400, entry.error, f"{text} (trace_id: 0af7)", URI)
    assert isinstance(error, AuthorizationDetailsError)
    assert (error.code, error.consent_cause, error.cause, error.remedy) == ("MP-303", cause, None, entry.remedy)


@pytest.mark.parametrize("error", ["invalid_altinn_customer_configuration", "invalid_grant"])
def test_words_that_nobody_knows_have_no_cause(error: str) -> None:
    unknown = error_from(400, error, "Systembruker ikke funnet (trace_id: 0af7)", URI)
    assert isinstance(unknown, AuthorizationDetailsError)
    assert unknown.cause is None
    assert unknown.consent_cause is None
    assert unknown.remedy

"""Who a verified token speaks for, in every way that an issuer or a library may have written it."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fullmakt.kernel.identifiers import OrgNumber
from fullmakt.wire.altinn.attributes import Attribute
from fullmakt.wire.altinn.callers import Caller, InvalidCallerError, caller_from_claims

CONSUMER, SUPPLIER = OrgNumber("910753614"), OrgNumber("991825827")
SYSTEM_USER = "a545ca29-7fb8-4810-a2f2-0be171cb2a26"
PARTY = "0f6cd9a1-2f9b-4a70-9c1f-0d2d8f6c9e11"


def party(orgno: str, icd: str = "0192") -> dict[str, str]:
    return {"authority": "iso6523-actorid-upis", "ID": f"{icd}:{orgno}"}


def system_user(**changes: Any) -> dict[str, Any]:
    return {
        "type": "urn:altinn:systemuser",
        "systemuser_org": party(CONSUMER),
        "systemuser_id": [SYSTEM_USER],
        "system_id": "991825827_smartcloud",
        **changes,
    }


MASKINPORTEN = {
    "iss": "https://maskinporten.test/",
    "scope": "altinn:resourceregistry/resource.write altinn:maskinporten/delegations",
    "client_id": "0e0f2a54-6a2c-4f59-9c29-9f8a0d1ab001",
    "consumer": party(CONSUMER),
    "supplier": party(SUPPLIER),
    "consumer_prefix": ["skd", "demo"],
}


def test_maskinportens_own_token_speaks_for_its_consumer() -> None:
    assert caller_from_claims(MASKINPORTEN) == Caller(
        scopes=frozenset({"altinn:resourceregistry/resource.write", "altinn:maskinporten/delegations"}),
        consumer=CONSUMER,
        supplier=SUPPLIER,
        consumer_prefixes=("skd", "demo"),
        client_id="0e0f2a54-6a2c-4f59-9c29-9f8a0d1ab001",
        auth_level=3,
    )


def test_the_exchanged_token_speaks_for_the_same_consumer_and_names_the_service_owner() -> None:
    claims = {**MASKINPORTEN, "urn:altinn:org": "digdir", "urn:altinn:orgNumber": CONSUMER, "urn:altinn:authlevel": 3,
              "urn:altinn:authenticatemethod": "maskinporten"}  # fmt: skip
    caller = caller_from_claims(claims)
    assert (caller.consumer, caller.org_code, caller.auth_level) == (CONSUMER, "digdir", 3)
    assert caller.urns == (Attribute("urn:altinn:authenticatemethod", "maskinporten"),)
    assert caller.actor == SUPPLIER


@pytest.mark.parametrize("authlevel", [4, "4"])
@pytest.mark.parametrize("number", [20001234, "20001234"])
def test_a_person_is_known_by_user_party_and_uuid(authlevel: object, number: object) -> None:
    claims = {"scope": "altinn:portal/enduser", "urn:altinn:userid": number, "urn:altinn:partyid": number,
              "urn:altinn:party:uuid": PARTY, "urn:altinn:authlevel": authlevel}  # fmt: skip
    caller = caller_from_claims(claims)
    assert (caller.user_id, caller.party_id, caller.party_uuid) == (20001234, 20001234, UUID(PARTY))
    assert caller.auth_level == 4
    assert caller.actor == f"party:{PARTY}"


@pytest.mark.parametrize(
    "details",
    [
        system_user(),
        [system_user()],
        json.dumps(system_user()),
        system_user(systemuser_id=SYSTEM_USER),
        system_user(systemuser_org={"authority": "iso6523-actorid-upis", "id": f"0192:{CONSUMER}"}),
        [{"type": "other"}, system_user()],
    ],
)
def test_a_system_user_is_found_however_the_array_was_written(details: object) -> None:
    caller = caller_from_claims({**MASKINPORTEN, "consumer": party(SUPPLIER), "authorization_details": details})
    assert caller.system_user == UUID(SYSTEM_USER)
    assert caller.system_user_org == CONSUMER
    assert caller.consumer == SUPPLIER
    assert caller.actor == f"systemuser:{SYSTEM_USER}"


@pytest.mark.parametrize(
    "consumer", [party(CONSUMER), party(CONSUMER, "9908"), json.dumps(party(CONSUMER)), party(f"{CONSUMER}:ER//1:1")]
)
def test_a_consumer_is_read_in_every_form_that_is_written(consumer: object) -> None:
    assert caller_from_claims({"consumer": consumer}).consumer == CONSUMER


def test_an_older_token_names_its_organisation_by_number_alone() -> None:
    assert caller_from_claims({"urn:altinn:orgNumber": CONSUMER}).consumer == CONSUMER


@pytest.mark.parametrize(
    ("prefixes", "expected"), [("skd", ("skd",)), (["skd"], ("skd",)), ([], ()), (["a", "b"], ("a", "b"))]
)
def test_a_prefix_may_stand_alone_or_in_a_list(prefixes: object, expected: tuple[str, ...]) -> None:
    assert caller_from_claims({"consumer_prefix": prefixes}).consumer_prefixes == expected


def test_who_says_nothing_may_do_nothing() -> None:
    caller = caller_from_claims({})
    assert caller == Caller(scopes=frozenset())
    assert caller.auth_level == 0


@pytest.mark.parametrize(
    "claims",
    [
        {"consumer": "910753614"},
        {"consumer": {"authority": "iso6523-actorid-upis", "ID": "910753614"}},
        {"consumer": {"authority": "other", "ID": "0192:910753614"}},
        {"consumer": party(CONSUMER, "0007")},
        {"consumer": party("91075361")},
        {"consumer": party("910753614\n")},
        {"consumer": ["0192:910753614"]},
        {"consumer": 910753614},
        {"supplier": {}},
        {"urn:altinn:orgNumber": "12345"},
        {"urn:altinn:org": "skd\x00"},
        {"urn:altinn:org": ["skd", "nav"]},
        {"client_id": "a\nb"},
        {"client_id": "x" * 5000},
        {"scope": 7},
        {"consumer_prefix": [None]},
        {"consumer_prefix": ["a"] * 101},
        {"urn:altinn:userid": True},
        {"urn:altinn:userid": -1},
        {"urn:altinn:userid": 2**31},
        {"urn:altinn:partyid": "1e3"},
        {"urn:altinn:partyid": "٣"},
        {"urn:altinn:partyid": 1.5},
        {"urn:altinn:party:uuid": "no uuid"},
        {"urn:altinn:party:uuid": 7},
        {"urn:altinn:authlevel": 5},
        {"urn:altinn:authlevel": "high"},
        {"authorization_details": system_user(systemuser_id=[])},
        {"authorization_details": system_user(systemuser_id=["x"])},
        {"authorization_details": system_user(systemuser_org="0192:910753614")},
        {"authorization_details": [system_user(), system_user()]},
        {"authorization_details": "not JSON"},
        {"authorization_details": "[1]"},
    ],
)
def test_a_claim_that_can_not_be_understood_is_never_passed_over(claims: dict[str, Any]) -> None:
    with pytest.raises(InvalidCallerError) as refused:
        caller_from_claims(claims)
    assert refused.value.reason == "bad_claim"


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
_names = st.sampled_from(
    ["scope", "consumer", "supplier", "client_id", "consumer_prefix", "authorization_details", "urn:altinn:userid",
     "urn:altinn:partyid", "urn:altinn:party:uuid", "urn:altinn:authlevel", "urn:altinn:orgNumber", "urn:altinn:org",
     "urn:x"]
)  # fmt: skip


@given(st.dictionaries(_names, _json | st.builds(party, st.text()) | st.builds(system_user, systemuser_id=_json)))
def test_whatever_the_claims_say_there_is_a_caller_or_a_refusal(claims: dict[str, Any]) -> None:
    try:
        caller = caller_from_claims(claims)
    except InvalidCallerError:
        return
    texts = [caller.actor, caller.client_id or "", caller.org_code or "", *caller.consumer_prefixes]
    assert all("\x00" not in text for text in [*texts, *(value for _, value in caller.urns)])

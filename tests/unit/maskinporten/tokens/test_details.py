"""Rich authorization requests, rule by rule (maskinporten.md §5.1, §5.2, §6.2)."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fullmakt.maskinporten.tokens import rules
from fullmakt.maskinporten.tokens.config import TokensConfig
from fullmakt.maskinporten.tokens.model import (
    Enrichment,
    Refusal,
    SystemUserAsked,
    UnverifiedGrant,
    VirksysAsked,
)
from fullmakt.wire.altinn.systemusers import (
    Cause,
    NoSystemUser,
    SystemUserQuestion,
    SystemUserRecord,
    VirksysAnswer,
    VirksysQuestion,
)
from fullmakt.wire.maskinporten.errors import CATALOGUE
from tests.support.tokens import CLIENT_ID, ISSUER, ORGNO, PID, SCOPE, SUPPLIER, claims_of, registered_client

CONFIG = TokensConfig(issuer=ISSUER)
OWNER = "314168267"
TYPES = ("urn:altinn:systemuser", "urn:altinn:virksys")
ORGANISATION = {"authority": "iso6523-actorid-upis", "ID": f"0192:{OWNER}"}
SYSTEM_USER = {"type": "urn:altinn:systemuser", "systemuser_org": ORGANISATION}
VIRKSYS = {"type": "urn:altinn:virksys", "part": "0192:999888777"}
ENTERPRISE_SYSTEM = registered_client(integration_type="altinn_virksys", client_name="Turboskatt")
DESCRIPTION = re.compile(r"[ !#-\[\]-~]*", re.ASCII)
"""What RFC 6749 §5.2 lets ``error_description`` hold."""


def grant_of(**changes: Any) -> UnverifiedGrant:
    grant = rules.read_grant(claims_of(**changes), CONFIG)
    assert isinstance(grant, UnverifiedGrant), grant
    return grant


def refusal_of(verdict: object) -> Refusal:
    assert isinstance(verdict, Refusal), verdict
    return verdict


# -- what is supported ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("system_users", "consents", "virksys", "types"),
    [
        (False, False, True, ()),
        (True, False, False, TYPES[:1]),
        (True, False, True, TYPES),
        (False, True, True, ("urn:altinn:consent",)),
        (True, True, True, ("urn:altinn:systemuser", "urn:altinn:consent", "urn:altinn:virksys")),
    ],
)
def test_what_is_supported_is_what_there_is_an_altinn_to_ask_about_and_the_form_of_the_seed_has_a_switch(
    system_users: bool, consents: bool, virksys: bool, types: tuple[str, ...]
) -> None:
    config = replace(CONFIG, virksys=virksys)
    assert rules.supported_details(config, system_users=system_users, consents=consents) == types


# -- what a grant may ask for -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("element", "read"),
    [
        (SYSTEM_USER, SystemUserAsked(OWNER)),
        ({**SYSTEM_USER, "externalRef": "my ref æ"}, SystemUserAsked(OWNER, "my ref æ")),
        ({**SYSTEM_USER, "externalRef": ""}, SystemUserAsked(OWNER)),
        ({**SYSTEM_USER, "externalRef": None}, SystemUserAsked(OWNER)),
        (VIRKSYS, VirksysAsked("0192:999888777")),  # no modulus 11: the seed's numbers would fail it
        ({**VIRKSYS, "hjelper": None, "rettigheit": None}, VirksysAsked("0192:999888777")),
        (
            {**VIRKSYS, "hjelper": "0192:888666555", "rettigheit": ["skatt", "merverdiavgift", "skatt"]},
            VirksysAsked("0192:999888777", "0192:888666555", ("skatt", "merverdiavgift")),
        ),
    ],
)
def test_both_forms_are_read(element: dict[str, Any], read: object) -> None:
    assert rules.read_details([element], TYPES) == read


@pytest.mark.parametrize("details", [[], [1], [SYSTEM_USER, SYSTEM_USER], [[SYSTEM_USER]], [None]])
def test_one_object_and_no_more_is_asked_with(details: list[Any]) -> None:
    refusal = refusal_of(rules.read_details(details, TYPES))
    assert (refusal.reason, refusal.entry.code) == ("malformed_assertion", "MP-011")


@pytest.mark.parametrize(
    ("element", "supported", "detail"),
    [
        ({}, TYPES, "there is no type; supported: urn:altinn:systemuser, urn:altinn:virksys"),
        ({"type": "x"}, TYPES, "x is not supported; supported: urn:altinn:systemuser, urn:altinn:virksys"),
        (VIRKSYS, TYPES[:1], "urn:altinn:virksys is not supported; supported: urn:altinn:systemuser"),
        (SYSTEM_USER, (), "urn:altinn:systemuser is not supported; supported: none"),
        ({"type": "URN:altinn:x"}, TYPES[:1], "URN:altinn:x is not supported; supported: urn:altinn:systemuser"),
        ({"type": TYPES[0].upper()}, (), "URN:ALTINN:SYSTEMUSER is not supported; supported: none"),
        ({"type": ["x"]}, TYPES[:1], "[?x?] is not supported; supported: urn:altinn:systemuser"),
        ({"type": f"\n{PID}"}, TYPES[:1], "?? is not supported; supported: urn:altinn:systemuser"),
        ({"type": "x" * 55 + PID}, (), "x" * 55 + "? is not supported; supported: none"),
    ],
)  # fmt: skip
def test_an_unknown_type_is_named_and_those_that_are_known(
    element: dict[str, Any], supported: tuple[str, ...], detail: str
) -> None:
    refusal = refusal_of(rules.read_details([element], supported))
    assert (refusal.reason, refusal.entry.code) == ("unknown_authorization_details_type", "MP-301")
    assert refusal.description == f"Unknown authorization details type: {detail}"


@pytest.mark.parametrize(
    ("element", "named"),
    [
        ({**SYSTEM_USER, "systemuser_id": ["x"]}, "systemuser_id"),
        ({**SYSTEM_USER, "externalref": "x"}, "externalref (is it externalRef?)"),
        ({"type": TYPES[0], "systemuserorg": ORGANISATION}, "systemuserorg (is it systemuser_org?)"),
        ({**SYSTEM_USER, "b": 1, "a": 1}, "a, b"),
        ({**SYSTEM_USER, **dict.fromkeys("abcdefg")}, "a, b, c, d, e and 2 more"),
        (
            {**SYSTEM_USER, "systemuser_org": {**ORGANISATION, "id": "x"}},
            "systemuser_org.id (is it systemuser_org.ID?)",
        ),
        ({**VIRKSYS, "systemuser_org": ORGANISATION}, "systemuser_org"),
        ({**VIRKSYS, "Part": "x"}, "Part (is it part?)"),
        ({**VIRKSYS, PID: "x", '"': "x"}, "?, ?"),
    ],
)
def test_unknown_members_are_named_before_values_are_looked_at(element: dict[str, Any], named: str) -> None:
    refusal = refusal_of(rules.read_details([element], TYPES))
    assert (refusal.reason, refusal.entry.code) == ("unknown_authorization_details_field", "MP-302")
    assert refusal.description == f"Unknown fields in the authorization details: {named}"


@pytest.mark.parametrize(
    ("element", "member"),
    [
        ({"type": TYPES[0]}, "systemuser_org"),
        ({**SYSTEM_USER, "systemuser_org": f"0192:{OWNER}"}, "systemuser_org"),
        ({**SYSTEM_USER, "systemuser_org": {}}, "systemuser_org.authority"),
        ({**SYSTEM_USER, "systemuser_org": {**ORGANISATION, "authority": "ISO6523-ACTORID-UPIS"}},
         "systemuser_org.authority"),
        ({**SYSTEM_USER, "systemuser_org": {**ORGANISATION, "ID": OWNER}}, "systemuser_org.ID"),
        ({**SYSTEM_USER, "systemuser_org": {**ORGANISATION, "ID": f"0192:{OWNER}\n"}}, "systemuser_org.ID"),
        ({**SYSTEM_USER, "systemuser_org": {**ORGANISATION, "ID": f"9908:{OWNER}"}}, "systemuser_org.ID"),
        ({**SYSTEM_USER, "systemuser_org": {**ORGANISATION, "ID": "0192:31416826"}}, "systemuser_org.ID"),
        ({**SYSTEM_USER, "systemuser_org": {**ORGANISATION, "ID": f"0192:{PID}"}}, "systemuser_org.ID"),
        ({**SYSTEM_USER, "externalRef": 1}, "externalRef"),
        ({**SYSTEM_USER, "externalRef": "x" * 256}, "externalRef"),
        ({**SYSTEM_USER, "externalRef": "a\x00b"}, "externalRef"),
        ({"type": TYPES[1]}, "part"),
        ({**VIRKSYS, "part": "999888777"}, "part"),
        ({**VIRKSYS, "part": ORGANISATION}, "part"),
        ({**VIRKSYS, "hjelper": "0192:1"}, "hjelper"),
        ({**VIRKSYS, "rettigheit": "skatt"}, "rettigheit"),
        ({**VIRKSYS, "rettigheit": []}, "rettigheit"),
        ({**VIRKSYS, "rettigheit": [1]}, "rettigheit"),
        ({**VIRKSYS, "rettigheit": ["to ord"]}, "rettigheit"),
        ({**VIRKSYS, "rettigheit": ["x"] * 101}, "rettigheit"),
    ],
)  # fmt: skip
def test_a_bad_value_is_named_by_its_member_and_never_repeated(element: dict[str, Any], member: str) -> None:
    refusal = refusal_of(rules.read_details([element], TYPES))
    assert (refusal.reason, refusal.entry.code) == ("invalid_authorization_details", "MP-303")
    assert refusal.facts["member"] == member
    assert refusal.description.startswith(f"Invalid authorization details values {member}: ")
    assert PID not in str(refusal)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=8,
)
MEMBERS = st.sampled_from(["systemuser_org", "externalRef", "part", "hjelper", "rettigheit", "type", "x"])


@given(st.sampled_from(TYPES), st.dictionaries(MEMBERS | st.text(max_size=5), JSON, max_size=5))
def test_whatever_is_sent_is_read_or_refused_in_words_that_may_be_sent(kind: str, members: dict[str, Any]) -> None:
    verdict = rules.read_details([{"type": kind, **members}], TYPES)
    if isinstance(verdict, Refusal):
        assert DESCRIPTION.fullmatch(verdict.description)


# -- who may ask ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", TYPES)
def test_details_are_not_combined_with_consumer_org(kind: str) -> None:
    grant = grant_of(consumer_org=SUPPLIER, authorization_details=[{"type": kind}])
    refusal = refusal_of(rules.check_claim_syntax(grant, CONFIG))
    assert (refusal.reason, refusal.entry.code) == ("details_with_consumer_org", "MP-011")
    assert refusal.description.startswith(
        "Invalid assertion. Invalid parameter value: consumer_org can not be combined"
    )
    assert ("can not pass the API scope on to an operator" in refusal.description) is (kind == "urn:altinn:virksys")


def test_what_else_is_wrong_beside_consumer_org_is_seen_too() -> None:
    grant = grant_of(consumer_org=SUPPLIER, authorization_details=[{"type": "x"}], pid=PID[:-1] + "0")
    assert refusal_of(rules.check_claim_syntax(grant, CONFIG)).facts["where"] == "pid"
    grant = grant_of(consumer_org=SUPPLIER, authorization_details=[{"type": "x"}])
    assert rules.check_claim_syntax(grant, CONFIG) is None


def test_a_system_user_is_asked_for_with_the_clients_owner_as_the_vendor() -> None:
    client = registered_client(supplier_orgno=SUPPLIER)
    question = rules.details_question(SystemUserAsked(OWNER, "ref"), client, grant_of())
    assert question == SystemUserQuestion(CLIENT_ID, ORGNO, OWNER, "ref")


def test_rights_are_asked_for_with_every_scope_and_what_narrows_them() -> None:
    details = VirksysAsked("0192:999888777", "0192:888666555", ("skatt",))
    question = rules.details_question(details, ENTERPRISE_SYSTEM, grant_of(scope="a:b c:d"))
    assert question == VirksysQuestion(CLIENT_ID, ORGNO, "0192:999888777", ("a:b", "c:d"), "0192:888666555", ("skatt",))


@pytest.mark.parametrize("kind", ["maskinporten", "krr", "eformidling"])
def test_a_virksomhetstoken_is_for_enterprise_systems_alone(kind: str) -> None:
    client = registered_client(integration_type=kind)
    refusal = refusal_of(rules.details_question(VirksysAsked("0192:999888777"), client, grant_of()))
    assert (refusal.entry.code, refusal.facts["supported"]) == ("MP-301", ["urn:altinn:systemuser"])
    assert refusal.description.endswith(f"integration_type altinn_virksys, and the client has {kind}")


# -- what comes of it -------------------------------------------------------------------------------------------------

USER = UUID("0d2f8f0e-3b3c-4c1a-9e0a-1f6f2d6d8a55")
RECORD = SystemUserRecord(
    USER, "Accounting", f'{ORGNO}_"accounting"', OWNER, datetime(2025, 5, 5, tzinfo=UTC), ORGNO, "a ref"
)
SYSTEM_USER_QUESTION = SystemUserQuestion(CLIENT_ID, ORGNO, OWNER, "a ref")
VIRKSYS_QUESTION = VirksysQuestion(CLIENT_ID, ORGNO, f"0192:{OWNER}", (SCOPE, "c:d"), "0192:888666555", ("skatt",))


def members(text: bytes | str) -> dict[str, Any]:
    """What an enrichment adds, as the object that it would make alone."""
    text = text.decode() if isinstance(text, bytes) else text
    assert text.startswith(",")
    document = json.loads("{" + text[1:] + "}")
    assert isinstance(document, dict)
    return document


def test_a_system_user_stands_in_the_token_to_the_letter() -> None:
    enrichment = rules.enrich(registered_client(client_name="x"), SYSTEM_USER_QUESTION, RECORD)
    assert isinstance(enrichment, Enrichment)
    assert members(enrichment.claims) == {
        "authorization_details": [
            {
                "type": "urn:altinn:systemuser",
                "systemuser_org": ORGANISATION,
                "systemuser_id": [str(USER)],
                "system_id": f'{ORGNO}_"accounting"',
            }
        ]
    }
    assert members(enrichment.facts) == {
        "systemuser_id": str(USER), "system_id": f'{ORGNO}_"accounting"', "owner": OWNER,
    }  # fmt: skip


def test_rights_stand_in_the_token_as_in_the_seed() -> None:
    answer = VirksysAnswer("0192:999888777", "0192:888666555", ("merverdiavgift", "skatt"))
    enrichment = rules.enrich(ENTERPRISE_SYSTEM, VIRKSYS_QUESTION, answer)
    assert isinstance(enrichment, Enrichment)
    said = {"part": "0192:999888777", "hjelper": "0192:888666555", "rettigheit": ["merverdiavgift", "skatt"]}
    assert members(enrichment.claims) == {
        "client_name": "Turboskatt", "authorization_details": [{"type": "urn:altinn:virksys", **said}],
    }  # fmt: skip
    assert members(enrichment.facts) == said


def test_a_party_that_is_its_own_helper_has_none() -> None:
    enrichment = rules.enrich(ENTERPRISE_SYSTEM, VIRKSYS_QUESTION, VirksysAnswer("0192:999888777", None, ("skatt",)))
    assert isinstance(enrichment, Enrichment)
    assert "hjelper" not in members(enrichment.claims)["authorization_details"][0]


OF_RIGHTS = [
    Cause.SCOPE_WITHOUT_RESOURCE,
    Cause.NOTHING_PERMITTED,
    Cause.RIGHT_MISSING,
    Cause.NOBODY_ACTS,
    Cause.OTHER_HELPER,
]


@pytest.mark.parametrize(
    ("question", "cause"),
    [
        *[(VIRKSYS_QUESTION, cause) for cause in Cause],
        *[(SYSTEM_USER_QUESTION, cause) for cause in Cause if cause not in OF_RIGHTS],
    ],
)
def test_each_cause_has_a_name_of_its_own_in_one_and_the_same_error(
    question: SystemUserQuestion | VirksysQuestion, cause: Cause
) -> None:
    refusal = refusal_of(rules.enrich(registered_client(), question, NoSystemUser(cause)))
    assert refusal.reason == cause.value
    entry = refusal.entry
    assert (entry.status, entry.error, entry.code) == (400, "invalid_altinn_customer_configuration", "MP-303")
    assert DESCRIPTION.fullmatch(refusal.description)
    assert "a ref" not in refusal.description


@pytest.mark.parametrize("cause", OF_RIGHTS)
def test_a_system_user_is_not_missing_for_want_of_a_right(cause: Cause) -> None:
    refusal = refusal_of(rules.enrich(registered_client(), SYSTEM_USER_QUESTION, NoSystemUser(cause)))
    assert (refusal.reason, refusal.description) == (
        "no_system_user", f"Organisation {OWNER} has no system user for the system with the client id {CLIENT_ID}",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("rights", "missing", "told"),
    [
        (("a", "b", "c"), ("c", "a"), "a, c"),
        (("a", "b"), (), "a, b"),
        (("a",), ("another",), "a"),
        (("bæ",), ("bæ",), "b?"),
        (tuple("abcdefg"), tuple("abcdefg"), "a, b, c, d, e"),
    ],
)
def test_the_rights_that_are_missing_are_named(rights: tuple[str, ...], missing: tuple[str, ...], told: str) -> None:
    question = replace(VIRKSYS_QUESTION, rettigheit=rights)
    refusal = refusal_of(rules.enrich(ENTERPRISE_SYSTEM, question, NoSystemUser(Cause.RIGHT_MISSING, missing)))
    assert refusal.facts["missing"] == told
    assert refusal.description.startswith(f"The system has no right to {told} for organisation {OWNER}")
    assert DESCRIPTION.fullmatch(refusal.description)


def test_no_right_is_missing_of_none_that_were_named() -> None:
    question = replace(VIRKSYS_QUESTION, rettigheit=None)
    refusal = refusal_of(rules.enrich(ENTERPRISE_SYSTEM, question, NoSystemUser(Cause.RIGHT_MISSING, ("x",))))
    assert refusal.reason == "nothing_permitted"


def test_no_two_causes_say_the_same() -> None:
    entries = [CATALOGUE[cause.value] for cause in Cause]
    assert len({entry.text for entry in entries}) == len({entry.cause for entry in entries}) == len(entries)


def test_the_facts_hold_what_was_asked() -> None:
    no = NoSystemUser(Cause.OTHER_REFERENCE)
    assert refusal_of(rules.enrich(registered_client(), SYSTEM_USER_QUESTION, no)).facts == {
        "client_id": CLIENT_ID, "vendor": ORGNO, "owner": OWNER, "externalRef": "a ref",
    }  # fmt: skip
    assert refusal_of(rules.enrich(ENTERPRISE_SYSTEM, VIRKSYS_QUESTION, no)).facts == {
        "client_id": CLIENT_ID, "vendor": ORGNO, "owner": OWNER, "scopes": f"{SCOPE} c:d",
        "hjelper": "0192:888666555", "rettigheit": ["skatt"],
    }  # fmt: skip

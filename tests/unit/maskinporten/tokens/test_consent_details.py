"""Consents in rich authorization requests, rule by rule (maskinporten.md §5.3; consent.md §4.9, §4.10)."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from itertools import combinations
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fullmakt.kernel.identifiers import OrgNumber
from fullmakt.maskinporten.tokens import rules
from fullmakt.maskinporten.tokens.config import TokensConfig
from fullmakt.maskinporten.tokens.model import ConsentAsked, Enrichment, Refusal, UnverifiedGrant
from fullmakt.wire.altinn.consents import Cause, ConsentQuestion, ConsentRight, FoundConsent, NoConsent
from fullmakt.wire.maskinporten.errors import CATALOGUE, CONSENT_REASONS
from tests.support.tokens import ISSUER, ORGNO, PID, SUPPLIER, claims_of, registered_client

CONFIG = TokensConfig(issuer=ISSUER)
TYPE = "urn:altinn:consent"
TYPES = (TYPE,)
ID = "77ed8698-e619-4066-9eb4-5c1eb3f165a1"
PERSON = f"urn:altinn:person:identifier-no:{PID}"
ORGANISATION = "urn:altinn:organization:identifier-no:314168267"
CONSENT = {"type": TYPE, "id": ID, "from": PERSON}
DESCRIPTION = re.compile(r"[ !#-\[\]-~]*", re.ASCII)
"""What RFC 6749 §5.2 lets ``error_description`` hold."""


def grant_of(**changes: Any) -> UnverifiedGrant:
    grant = rules.read_grant(claims_of(**changes), CONFIG)
    assert isinstance(grant, UnverifiedGrant), grant
    return grant


def refusal_of(verdict: object) -> Refusal:
    assert isinstance(verdict, Refusal), verdict
    return verdict


# -- what a grant may ask for -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("giver", [PERSON, ORGANISATION], ids=["a person's", "an organisation's"])
@pytest.mark.parametrize("written", [ID, ID.upper()], ids=["lower case", "upper case"])
def test_a_consent_is_asked_for_by_its_id_and_its_giver(giver: str, written: str) -> None:
    assert rules.read_details([{**CONSENT, "id": written, "from": giver}], TYPES) == ConsentAsked(UUID(ID), giver)


@pytest.mark.parametrize("count", [0, 2])
def test_exactly_one_consent_is_asked_for(count: int) -> None:
    refusal = refusal_of(rules.read_details([CONSENT] * count, TYPES))
    assert (refusal.reason, refusal.entry.code) == ("malformed_assertion", "MP-011")


@pytest.mark.parametrize(
    ("element", "detail"),
    [
        ({**CONSENT, "to": ORGANISATION}, "to"),
        ({**CONSENT, "validTo": "2030-01-01T00:00:00Z"}, "validTo"),
        ({**CONSENT, "From": PERSON}, "From (is it from?)"),
        ({"type": TYPE, "ID": ID, "from": PERSON}, "ID (is it id?)"),
        ({**CONSENT, "consent_id": ID}, "consent_id"),
    ],
    ids=["to", "validTo", "another case of from", "another case of id", "the earlier proposal's"],
)
def test_an_unknown_member_is_mp_302(element: dict[str, Any], detail: str) -> None:
    refusal = refusal_of(rules.read_details([element], TYPES))
    assert refusal.entry.code == "MP-302"
    assert refusal.facts["detail"] == detail


@pytest.mark.parametrize(
    ("element", "member"),
    [
        ({"type": TYPE, "from": PERSON}, "id"),
        ({"type": TYPE, "id": ID}, "from"),
        *[
            ({**CONSENT, "id": value}, "id")
            for value in (5, ["x"], "", "x", ID[:-1], f"{{{ID}}}", ID.replace("-", ""), f"urn:uuid:{ID}", f"{ID}\n")
        ],
        *[
            ({**CONSENT, "from": value}, "from")
            for value in (
                5, [PERSON], "", PID, "314168267", f"{PERSON[:-1]}{(int(PID[-1]) + 1) % 10}", f"{PERSON}0",
                f"{ORGANISATION}0", "urn:altinn:party:uuid:77ed8698-e619-4066-9eb4-5c1eb3f165a1",
                f"urn:altinn:person:identifier-no: {PID}", f"URN:ALTINN:PERSON:IDENTIFIER-NO:{PID}", f"{PERSON}\n",
            )
        ],
    ],
    ids=lambda value: re.sub(r"[^a-z]+", " ", str(value))[-40:],
)  # fmt: skip
def test_a_bad_value_is_mp_303_and_named_by_its_member(element: dict[str, Any], member: str) -> None:
    refusal = refusal_of(rules.read_details([element], TYPES))
    assert (refusal.reason, refusal.entry.code) == ("invalid_authorization_details", "MP-303")
    assert refusal.facts["member"] == member
    assert DESCRIPTION.fullmatch(refusal.description)
    assert not re.search(r"[0-9]{9}", refusal.description), "nobody's number is repeated"


@given(st.dictionaries(st.sampled_from(["id", "from"]), st.text() | st.integers() | st.none() | st.lists(st.text())))
def test_whatever_is_in_the_members_it_is_read_or_refused(members: dict[str, Any]) -> None:
    verdict = rules.read_details([{"type": TYPE, **members}], TYPES)
    assert isinstance(verdict, Refusal)
    assert DESCRIPTION.fullmatch(verdict.description)


def test_a_consent_at_the_top_of_the_grant_is_mp_011() -> None:
    refusal = refusal_of(rules.read_grant(claims_of(**CONSENT), CONFIG))
    assert (refusal.reason, refusal.entry.code) == ("malformed_assertion", "MP-011")
    assert refusal.facts["problem"] == "unknown claim; it belongs inside authorization_details"
    assert refusal_of(rules.read_grant(claims_of(type="x"), CONFIG)).facts["problem"] == "unknown claim"


# -- who it was given to ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("claims", "receiver"), [({}, ORGNO), ({"consumer_org": SUPPLIER}, SUPPLIER), ({"consumer_org": ORGNO}, ORGNO)]
)
def test_the_receiver_is_whom_the_token_is_for(claims: dict[str, Any], receiver: str) -> None:
    asked = ConsentAsked(UUID(ID), PERSON)
    question = rules.details_question(asked, registered_client(supplier_orgno="310943223"), grant_of(**claims))
    assert question == ConsentQuestion(UUID(ID), PERSON, OrgNumber(receiver))


def test_a_consent_goes_with_consumer_org() -> None:
    grant = grant_of(authorization_details=[CONSENT], consumer_org=SUPPLIER)
    assert rules.check_claim_syntax(grant, CONFIG) is None


# -- what Altinn says of it -------------------------------------------------------------------------------------------

QUESTION = ConsentQuestion(UUID(ID), PERSON, OrgNumber(ORGNO))
FOUND = FoundConsent(
    id=UUID(ID),
    giver=PERSON,
    receiver=OrgNumber(ORGNO),
    handled_by=OrgNumber(SUPPLIER),
    consented=datetime(2026, 1, 15, 10, 34, 39, 676924, tzinfo=UTC),
    valid_to=datetime(2027, 1, 20, 10, 34, 34, tzinfo=UTC),
    rights=(
        ConsentRight("inntekt", metadata={"inntektsaar": "2024", "navn": 'B"anken Æ'}),
        ConsentRight("saldo"),
    ),
)


def members(text: str | bytes) -> Mapping[str, Any]:
    text = text.decode() if isinstance(text, bytes) else text
    assert text.startswith(",")
    document = json.loads("{" + text[1:] + "}")
    assert isinstance(document, dict)
    return document


def test_a_consent_stands_in_the_token_to_the_letter() -> None:
    enrichment = rules.enrich(registered_client(), QUESTION, FOUND)
    assert isinstance(enrichment, Enrichment)
    resource = {"type": "urn:altinn:resource"}
    assert members(enrichment.claims) == {
        "authorization_details": [
            {
                "type": TYPE,
                "id": ID,
                "from": PERSON,
                "to": {"authority": "iso6523-actorid-upis", "ID": f"0192:{ORGNO}"},
                "consented": "2026-01-15T10:34:39.676924+00:00",
                "validTo": "2027-01-20T10:34:34+00:00",
                "consentRights": [
                    {
                        "action": ["consent"],
                        "resource": [{**resource, "value": "inntekt"}],
                        "metadata": {"inntektsaar": "2024", "navn": 'B"anken Æ'},
                    },
                    {"action": ["consent"], "resource": [{**resource, "value": "saldo"}]},
                ],
            }
        ]
    }
    assert members(enrichment.facts) == {"consent_id": ID, "resources": ["inntekt", "saldo"]}


def test_the_supplier_that_handles_a_consent_draws_it_for_its_receiver_alone() -> None:
    asked = ConsentQuestion(UUID(ID), PERSON, OrgNumber(SUPPLIER))
    refusal = refusal_of(rules.enrich(registered_client(), asked, FOUND))
    assert (refusal.reason, refusal.entry.code) == ("consent_for_another_receiver", "MP-303")
    assert ORGNO not in refusal.description


@pytest.mark.parametrize("cause", list(Cause))
def test_each_cause_is_mp_303_with_a_name_and_words_of_its_own(cause: Cause) -> None:
    refusal = refusal_of(rules.enrich(registered_client(), QUESTION, NoConsent((cause,))))
    entry = refusal.entry
    assert (entry.reason, entry.status, entry.error, entry.code) == (
        CONSENT_REASONS[cause], 400, "invalid_grant", "MP-303",
    )  # fmt: skip
    assert refusal.description.startswith("Invalid authorization details values ")
    assert f"({cause.value})" in refusal.description
    assert ID in refusal.description
    assert refusal.facts == {"id": ID, "receiver": ORGNO, "causes": {cause.value: cause.meaning}}
    assert DESCRIPTION.fullmatch(refusal.description)


def test_no_two_causes_say_the_same() -> None:
    entries = [CATALOGUE[CONSENT_REASONS[cause]] for cause in Cause]
    assert len({entry.text for entry in entries}) == len({entry.cause for entry in entries}) == len(entries)


@pytest.mark.parametrize("causes", list(combinations(Cause, 2)), ids=str)
def test_of_several_causes_the_gravest_is_told_and_all_are_kept(causes: tuple[Cause, ...]) -> None:
    refusal = refusal_of(rules.enrich(registered_client(), QUESTION, NoConsent(causes)))
    gravest = next(cause for cause in CONSENT_REASONS if cause in causes)
    assert refusal.reason == CONSENT_REASONS[gravest]
    assert refusal.facts["causes"].keys() == {cause.value for cause in causes}


@pytest.mark.parametrize("cause", [cause for cause in Cause if cause is not Cause.NOT_FOUND])
def test_whoever_a_consent_was_not_given_to_learns_no_more_of_it(cause: Cause) -> None:
    alone = refusal_of(rules.enrich(registered_client(), QUESTION, NoConsent((Cause.NOT_FOUND,))))
    refusal = refusal_of(rules.enrich(registered_client(), QUESTION, NoConsent((cause, Cause.NOT_FOUND))))
    assert (refusal.reason, refusal.description) == (alone.reason, alone.description)


def test_no_persons_number_is_kept_or_shown() -> None:
    shown = [repr(rules.read_details([CONSENT], TYPES)), repr(QUESTION), repr(FOUND)]
    for answer in (NoConsent((Cause.OTHER_GIVER,)), FOUND):
        made = rules.enrich(registered_client(), QUESTION, answer)
        shown.append(made.facts if isinstance(made, Enrichment) else f"{made.facts}{made.description}")
    assert not [text for text in shown if PID in text]

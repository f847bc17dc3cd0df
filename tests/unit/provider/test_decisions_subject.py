"""Whom a token speaks for: one identity, and what goes along (altinn-authorization.md §11)."""

from __future__ import annotations

from typing import Any

import pytest

from fullmakt.kernel.clock import FixedClock
from fullmakt.provider import (
    Attribute,
    InvalidSubjectError,
    StaticKeys,
    Subject,
    TokenVerifier,
    subject_of,
    thin_subject,
)
from fullmakt.wire.altinn import attributes as ids
from tests.support.fake_issuer import CONSUMER, FakeIssuer

PERSON = "4a6ef2d7-2c1e-4f3a-9e0a-8a5a3f6f4a11"
SYSTEM_USER = "a545ca29-7fb8-4810-a2f2-0be171cb2a26"
PARTY = {"authority": "iso6523-actorid-upis", "ID": "0192:910753614"}
DETAILS = [{"type": "urn:altinn:systemuser", "systemuser_id": [SYSTEM_USER], "systemuser_org": PARTY}]


def sent(**claims: Any) -> list[tuple[str, str]]:
    return [(one.id, one.value) for one in subject_of(claims).attributes]


@pytest.mark.parametrize(
    ("claims", "who"),
    [
        (
            {ids.PERSON_UUID: PERSON, ids.USER_ID: 20001, ids.PARTY_ID: 50101, "consumer": PARTY},
            Attribute(ids.PERSON_UUID, PERSON),
        ),
        ({ids.USER_ID: 20001, ids.PARTY_ID: 50101, ids.PARTY_UUID: PERSON}, Attribute(ids.USER_ID, "20001")),
        ({ids.USER_ID: "20001"}, Attribute(ids.USER_ID, "20001")),
        ({ids.PARTY_ID: 50101, "consumer": PARTY}, Attribute(ids.PARTY_ID, "50101")),
        ({"authorization_details": DETAILS, "consumer": PARTY}, Attribute(ids.SYSTEM_USER, SYSTEM_USER)),
        ({"consumer": PARTY}, Attribute(ids.ORGANISATION, "910753614")),
        ({"urn:altinn:orgNumber": "910753614"}, Attribute(ids.ORGANISATION, "910753614")),
        ({ids.PARTY_UUID: PERSON}, Attribute(ids.PARTY_UUID, PERSON)),
    ],
)
def test_a_token_speaks_for_one(claims: dict[str, Any], who: Attribute) -> None:
    assert subject_of(claims).attributes == (who,)


def test_a_system_user_comes_alone() -> None:
    claims = {"authorization_details": DETAILS, "consumer": PARTY, "scope": "a:b", "jti": "1", "urn:x": "y"}
    assert sent(**claims) == [(ids.SYSTEM_USER, SYSTEM_USER)]


def test_urns_scopes_and_the_tokens_id_go_along() -> None:
    claims = {
        "consumer": PARTY,
        "scope": "b:c a:b",
        "jti": "the-id",
        "iss": "https://issuer.test/",
        ids.SERVICE_OWNER: "ttd",
        ids.AUTH_LEVEL: "3",
        "urn:altinn:authenticatemethod": "maskinporten",
    }
    assert sent(**claims) == [
        (ids.ORGANISATION, "910753614"),
        (ids.SERVICE_OWNER, "ttd"),
        (ids.AUTH_LEVEL, "3"),
        ("urn:altinn:authenticatemethod", "maskinporten"),
        ("urn:scope", "a:b b:c"),
        ("urn:altinn:sessionid", "the-id"),
    ]


def test_the_session_comes_before_the_tokens_id() -> None:
    assert sent(consumer=PARTY, jti="the-id", sid="the-session")[-1] == ("urn:altinn:sessionid", "the-session")


async def test_a_thin_token_speaks_for_the_enterprise_system_of_its_client(
    issuer: FakeIssuer, clock: FixedClock
) -> None:
    verifier = TokenVerifier(issuer.issuer, keys=StaticKeys([issuer.signer.public_jwk()]), clock=clock)
    subject = thin_subject(await verifier.verify(issuer.mint()))
    assert subject.attributes == (
        Attribute("urn:altinn:virksys:id", "the-client"),
        Attribute(ids.ORGANISATION, str(CONSUMER)),
    )
    assert subject.level == 3


@pytest.mark.parametrize(
    ("claims", "level", "is_owner"),
    [
        ({ids.USER_ID: 1, ids.AUTH_LEVEL: 4}, 4, False),
        ({ids.USER_ID: 1, ids.AUTH_LEVEL: "2"}, 2, False),
        ({ids.USER_ID: 1}, 0, False),
        ({"consumer": PARTY}, 3, False),
        ({"consumer": PARTY, ids.SERVICE_OWNER: "ttd"}, 3, True),
        ({ids.SERVICE_OWNER: "ttd"}, 0, True),
    ],
)
def test_the_level_is_the_tokens_and_maskinportens_own_is_three(
    claims: dict[str, Any], level: int, is_owner: bool
) -> None:
    subject = subject_of(claims)
    assert (subject.level, subject.is_service_owner) == (level, is_owner)


@pytest.mark.parametrize(
    "claims",
    [
        {},
        {"scope": "a:b", "urn:x": "y"},
        {"consumer": "910753614"},
        {ids.USER_ID: "kari"},
        {ids.USER_ID: 1, ids.AUTH_LEVEL: 9},
        {"consumer": PARTY, "authorization_details": [{"type": "urn:altinn:systemuser"}]},
    ],
)
def test_a_token_that_speaks_for_nobody_is_no_subject(claims: dict[str, Any]) -> None:
    with pytest.raises(InvalidSubjectError):
        subject_of(claims)


def test_a_subject_has_an_attribute() -> None:
    with pytest.raises(InvalidSubjectError):
        Subject(())

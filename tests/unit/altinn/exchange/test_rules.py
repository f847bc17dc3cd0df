"""What an Altinn token says, by the token that it is made from."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fullmakt.altinn.exchange import rules
from fullmakt.altinn.exchange.errors import ScopeRefusedError, TokenRefusedError
from fullmakt.altinn.exchange.model import KeyTimes, signer_at, valid_at
from fullmakt.kernel.identifiers import NationalId, OrgNumber
from fullmakt.wire.altinn.callers import caller_from_claims
from fullmakt.wire.altinn.parties import PartyIdentity, PartyKind

NOW = dt.datetime(2026, 11, 21, 12, 0, tzinfo=dt.UTC)
SECONDS = int(NOW.timestamp())
DIGDIR, SKD = OrgNumber("991825827"), OrgNumber("974761076")
CODES = {"digdir": DIGDIR, "skd": SKD}
CONSUMER = {"authority": "iso6523-actorid-upis", "ID": f"0192:{SKD}"}
PERSON = PartyIdentity(
    party_id=50001234,
    party_uuid=UUID("0f6cd9a1-2f9b-4a70-9c1f-0d2d8f6c9e11"),
    kind=PartyKind.PERSON,
    name="Rar Kum",
    user_id=20001234,
    national_id=NationalId("05895199925"),
)


def exchanged(
    scope: str, claims: Mapping[str, Any] | None = None, *, orgno: OrgNumber = SKD, test: bool = False
) -> dict[str, Any]:
    return rules.from_maskinporten({"scope": scope, "consumer": CONSUMER, **(claims or {})}, orgno, CODES, test=test)


def test_an_organisations_claims_are_copied_and_altinns_added() -> None:
    incoming = {
        "aud": "https://platform.test", "iss": "https://maskinporten.test/", "client_amr": "private_key_jwt",
        "sid": "old", "iat": 1, "nbf": 1, "exp": 2, "jti": "kept", "client_id": "kept too", "token_type": "Bearer",
        "supplier": {"authority": "iso6523-actorid-upis", "ID": "0192:310943223"}, "delegation_source": "https://a/",
        "consumer_prefix": ["skd"],
    }  # fmt: skip
    assert exchanged("altinn:serviceowner/instances.read", incoming) == {
        "scope": "altinn:serviceowner/instances.read",
        "consumer": CONSUMER,
        "jti": "kept",
        "client_id": "kept too",
        "token_type": "Bearer",
        "supplier": {"authority": "iso6523-actorid-upis", "ID": "0192:310943223"},
        "delegation_source": "https://a/",
        "consumer_prefix": ["skd"],
        "urn:altinn:org": "skd",
        "urn:altinn:orgNumber": SKD,
        "urn:altinn:authenticatemethod": "maskinporten",
        "urn:altinn:authlevel": 3,
    }


@pytest.mark.parametrize(
    ("scope", "orgno", "test", "code"),
    [
        ("altinn:serviceowner", SKD, False, "skd"),
        ("skd:x altinn:serviceowner/instances.read", SKD, True, "skd"),
        ("altinn:serviceowner", DIGDIR, False, "digdir"),
        ("altinn:serviceowner", DIGDIR, True, "ttd"),
        ("altinn:resourceregistry/resource.write", SKD, False, None),
        ("altinn:serviceowner", OrgNumber("310943223"), False, None),
    ],
)
def test_a_service_owner_is_named_by_its_code_when_its_scope_is_one_of_service_owners(
    scope: str, orgno: OrgNumber, test: bool, code: str | None
) -> None:
    assert exchanged(scope, orgno=orgno, test=test).get("urn:altinn:org") == code


def test_no_provider_says_who_somebody_is_to_altinn() -> None:
    claims = exchanged("skd:x", {"urn:altinn:org": "nav", "urn:altinn:userid": "1", "URN:altinn:party:uuid": "x"})
    assert {name for name in claims if name.lower().startswith("urn:")} == {
        "urn:altinn:orgNumber",
        "urn:altinn:authenticatemethod",
        "urn:altinn:authlevel",
    }


@pytest.mark.parametrize(("collapse", "written"), [(True, {"type": "t"}), (False, [{"type": "t"}])])
def test_an_array_of_one_is_written_as_its_element_unless_that_is_turned_off(collapse: bool, written: object) -> None:
    issue = rules.Issue("https://altinn.test/", NOW, uuid4(), collapse)
    finished = issue.finish({"authorization_details": [{"type": "t"}], "two": [1, 2], "none": []})
    assert finished["authorization_details"] == written
    assert (finished["two"], finished["none"]) == ([1, 2], [])


def test_a_token_lasts_for_thirty_minutes() -> None:
    finished = rules.Issue("https://altinn.test/", NOW, PERSON.party_uuid).finish({})
    assert finished == {
        "iss": "https://altinn.test/",
        "sid": str(PERSON.party_uuid),
        "nbf": SECONDS,
        "iat": SECONDS,
        "exp": SECONDS + 1800,
    }


def test_a_persons_claims_name_user_party_and_level() -> None:
    incoming = {"scope": "openid altinn:portal/enduser", "pid": str(PERSON.national_id), "acr": "idporten-loa-high",
                "amr": ["BankID"], "sub": "x", "at_hash": "y", "aud": "z", "iss": "https://idporten.test"}  # fmt: skip
    claims = rules.from_idporten(incoming, PERSON)
    assert not {"sub", "at_hash", "aud", "iss"} & claims.keys()
    assert claims["urn:altinn:authenticatemethod"] == "BankID"
    caller = caller_from_claims(claims)
    assert (caller.user_id, caller.party_id, caller.party_uuid) == (20001234, 50001234, PERSON.party_uuid)
    assert caller.auth_level == 4


@pytest.mark.parametrize(
    ("acr", "level"),
    [("idporten-loa-low", 0), ("idporten-loa-substantial", 3), ("idporten-loa-high", 4), ("Level3", 3), ("Level4", 4)],
)
def test_the_level_is_read_from_acr(acr: str, level: int) -> None:
    assert rules.level_of(acr) == level


@pytest.mark.parametrize("acr", ["", "high", "Level9", "selfregistered-email", "Level٤"])
def test_an_acr_that_says_no_level_is_refused(acr: str) -> None:
    with pytest.raises(TokenRefusedError):
        rules.level_of(acr)


@pytest.mark.parametrize(
    ("scope", "taken"),
    [
        ("openid altinn:instances.read", True),
        ("skatteetaten:mvameldinginnsending", True),
        ("openid profile", False),
        ("xaltinn:instances.read", False),
        ("", False),
    ],
)
def test_a_persons_token_must_be_meant_for_altinn(scope: str, taken: bool) -> None:
    if taken:
        rules.check_idporten_scopes({"scope": scope})
    else:
        with pytest.raises(ScopeRefusedError):
            rules.check_idporten_scopes({"scope": scope})


@given(st.uuids(), st.integers(min_value=0, max_value=3 * 720))
def test_a_session_can_be_refreshed_for_twelve_hours_and_never_beyond(fresh: UUID, minutes: int) -> None:
    session = rules.session_id(NOW, fresh)
    assert session.version == 7
    later = NOW + dt.timedelta(minutes=minutes)
    claims = {"sid": str(session), "scope": "s", "exp": 1}
    if minutes >= 720:
        with pytest.raises(TokenRefusedError):
            rules.refreshed(claims, later)
    else:
        renewed = rules.refreshed(claims, later)
        assert renewed["exp"] == min(int(later.timestamp()) + 1800, SECONDS + 720 * 60)
        assert (renewed["scope"], renewed["sid"]) == ("s", str(session))


@pytest.mark.parametrize("sid", [None, 7, "x", "3f1d0e9c-1111-4222-8333-444455556666"])
def test_a_token_of_no_session_is_not_refreshed(sid: object) -> None:
    with pytest.raises(TokenRefusedError):
        rules.refreshed({"sid": sid}, NOW)


def key(name: str, hours_ago: float, *, lasts: float = 24 * 365) -> KeyTimes:
    begins = NOW - dt.timedelta(hours=hours_ago)
    return KeyTimes(name, begins, begins + dt.timedelta(hours=lasts))


@pytest.mark.parametrize(
    ("keys", "published", "signs"),
    [
        ([], [], None),
        ([key("A", 0)], ["A"], "A"),
        ([key("A", 100), key("B", 47)], ["A", "B"], "A"),
        ([key("A", 100), key("B", 49)], ["A", "B"], "B"),
        ([key("A", 20), key("B", 10)], ["A", "B"], "B"),
        ([key("A", 100, lasts=99), key("B", 1)], ["B"], "B"),
        ([key("A", 1), key("B", -1)], ["A"], "A"),
    ],
)
def test_a_certificate_is_published_for_two_days_before_its_key_signs(
    keys: list[KeyTimes], published: list[str], signs: str | None
) -> None:
    assert [one.thumbprint for one in valid_at(NOW, keys)] == published
    signer = signer_at(NOW, keys)
    assert (signer.thumbprint if signer else None) == signs

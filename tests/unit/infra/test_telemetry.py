"""What must never be logged is taken out of what is."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fullmakt.infra.telemetry import _redact_event, redact

PAYLOAD = "eyJpc3MiOiJ4In0"


@pytest.mark.parametrize(
    "header", ['{"alg":"RS256"}', '{ "alg": "RS256" }', '{\n  "alg": "RS256"\n}', '{\r\n"alg":1}', '{\t"a":1}']
)
@pytest.mark.parametrize("rest", [f".{PAYLOAD}.c2ln", f".{PAYLOAD}.", f".{PAYLOAD}"])
def test_a_token_is_taken_out_however_its_header_was_written(header: str, rest: str) -> None:
    token = base64.urlsafe_b64encode(header.encode()).decode().rstrip("=") + rest
    assert redact(f"before {token} after") == "before [token] after"


def test_a_national_identity_number_is_taken_out_and_longer_numbers_are_not() -> None:
    assert redact("pid=05895199925, 20261121120000") == "pid=[national id], 20261121120000"


@pytest.mark.parametrize(
    "identifier",
    [
        "58FFFCB0EC49873398049B322E0A98614ADB37DC",
        "7f3b0c52-9a1e-4d6f-8b2a-12345678901f",
        "0af7651916cd43dd8448eb2c80319c1a",
        "0af7651916cd43dd8448eb05895199925c",
    ],
)
def test_eleven_digits_in_the_middle_of_a_hexadecimal_identifier_are_nobodys_number(identifier: str) -> None:
    assert redact(f"serial {identifier}.") == f"serial {identifier}."


def test_a_number_beside_letters_is_taken_out() -> None:
    assert redact("fnr05895199925 a05895199925") == "fnr[national id] a[national id]"


def test_a_private_key_is_taken_out_even_when_its_end_is_missing() -> None:
    begin = "-----BEGIN PRIVATE KEY-----"
    assert redact(f"a {begin}\nMIIE\n-----END PRIVATE KEY----- b") == "a [private key] b"
    assert redact(f"a {begin}\nMIIE") == "a [private key]"


@pytest.mark.parametrize("text", ["maskinporten.example.no", "newark.example.com", "GET /token 400 MP-011"])
def test_other_text_stays(text: str) -> None:
    assert redact(text) == text


def test_a_token_is_taken_out_wherever_it_stands_in_a_dotted_text() -> None:
    token = f"eyJhbGciOiJSUzI1NiJ9.{PAYLOAD}.c2ln"
    assert redact(f"a.b.{token}.rest") == "a.b.[token].rest"
    assert redact(f"Bearer{token}. And {token}") == "Bearer[token]. And [token]"


def test_a_long_text_is_looked_at_once() -> None:
    text = "eyA" * 300_000  # took minutes when each letter could begin a token
    assert redact(text) == text
    assert redact(f"{text}.x") == "[token]"


def logged(**facts: Any) -> dict[str, Any]:
    return dict(_redact_event(None, "info", facts))


def test_what_lies_deep_inside_a_fact_is_taken_out_too() -> None:
    token = f"eyJhbGciOiJSUzI1NiJ9.{PAYLOAD}.c2ln"
    assert logged(event="x", facts={"list": [{"why": f"not {token}"}, ("05895199925",)], "client_secret": ["s"]}) == {
        "event": "x",
        "facts": {"list": [{"why": "not [token]"}, ["[national id]"]], "client_secret": "[redacted]"},
    }


def test_numbers_exceptions_and_bytes_are_looked_at_as_they_would_be_written() -> None:
    seen = logged(person=5_895_199_925, other=15_895_199_925, error=ValueError("05895199925"), raw=b"05895199925")
    assert seen == {
        "person": 5_895_199_925,  # ten digits
        "other": "[national id]",
        "error": "[national id]",
        "raw": "b'[national id]'",
    }


NESTED = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | st.just("05895199925"),
    lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.just("05895199925"), inner),
)


@given(NESTED)
def test_no_national_identity_number_is_left_at_any_depth(fact: object) -> None:
    assert "05895199925" not in repr(logged(fact=fact))

"""What must never be logged is taken out of what is."""

from __future__ import annotations

import base64

import pytest

from fullmakt.infra.telemetry import redact

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


def test_a_private_key_is_taken_out_even_when_its_end_is_missing() -> None:
    begin = "-----BEGIN PRIVATE KEY-----"
    assert redact(f"a {begin}\nMIIE\n-----END PRIVATE KEY----- b") == "a [private key] b"
    assert redact(f"a {begin}\nMIIE") == "a [private key]"


@pytest.mark.parametrize("text", ["maskinporten.example.no", "newark.example.com", "GET /token 400 MP-011"])
def test_other_text_stays(text: str) -> None:
    assert redact(text) == text

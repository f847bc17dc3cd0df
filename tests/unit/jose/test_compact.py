"""A compact JWS is taken apart when it is one, and refused without a word of it repeated when it is not."""

from __future__ import annotations

import base64
import contextlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fullmakt.jose.compact import (
    MAX_JWT_BYTES,
    MalformedJwtError,
    b64url_decode,
    b64url_encode,
    parse_compact,
)

HEADER, PAYLOAD, SIGNATURE = b'{"alg":"RS256","kid":"k"}', b'{"iss":"me"}', b"\x00\xff signature"
BASE64URL = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
OBJECTS = st.dictionaries(st.text(), st.integers() | st.text() | st.lists(st.booleans()), max_size=4)


def compact(header: bytes = HEADER, payload: bytes = PAYLOAD, signature: bytes = SIGNATURE) -> bytes:
    return b".".join(map(b64url_encode, (header, payload, signature)))


@given(st.binary())
def test_base64url_comes_back_as_it_was_and_is_as_the_standard_library_writes_it(data: bytes) -> None:
    encoded = b64url_encode(data)
    assert b64url_decode(encoded) == data
    assert encoded == base64.urlsafe_b64encode(data).rstrip(b"=")


@given(st.binary(max_size=50))
def test_any_bytes_are_base64url_or_refused(segment: bytes) -> None:
    allowed = set(segment) <= set(BASE64URL.encode()) and len(segment) % 4 != 1
    try:
        decoded = b64url_decode(segment)
    except MalformedJwtError:
        assert not allowed
    else:
        assert allowed
        assert len(decoded) == len(segment) * 3 // 4


@pytest.mark.parametrize(
    "segment",
    [b"A", b"AAAAA", b"AA==", b"AAA=", b"=", b"A+AA", b"A/AA", b" AAA", b"AAA\n", b"AA.A", b"AA\x00A", "Å".encode()],
)
def test_padding_white_space_and_the_other_alphabet_are_no_base64url(segment: bytes) -> None:
    with pytest.raises(MalformedJwtError, match="not base64url without padding"):
        b64url_decode(segment)


@given(OBJECTS, OBJECTS, st.binary())
def test_what_was_put_together_comes_apart(header: dict[str, Any], payload: dict[str, Any], signature: bytes) -> None:
    raw = compact(json.dumps(header).encode(), json.dumps(payload).encode(), signature)
    for token in (raw, raw.decode()):
        jws = parse_compact(token)
        assert jws.unverified_header == header
        assert jws.unverified_payload == payload
        assert jws.signature == signature
        assert jws.signing_input + b"." + b64url_encode(signature) == raw
        assert jws.header_segment == raw.split(b".")[0]


@given(st.binary() | st.text() | st.lists(st.text(BASE64URL), max_size=5).map(".".join))
def test_anything_is_a_jws_or_refused(token: str | bytes) -> None:
    with contextlib.suppress(MalformedJwtError):
        jws = parse_compact(token)
        assert isinstance(jws.unverified_header, dict)
        assert isinstance(jws.unverified_payload, dict)


@given(st.data())
def test_a_jws_with_a_byte_changed_is_another_one_or_refused(data: st.DataObject) -> None:
    raw = bytearray(compact())
    raw[data.draw(st.integers(0, len(raw) - 1))] ^= data.draw(st.integers(1, 255))
    with contextlib.suppress(MalformedJwtError):
        assert parse_compact(bytes(raw)).signing_input + b"." in bytes(raw)


@pytest.mark.parametrize(
    ("token", "problem"),
    [
        (b"", "three parts, not 1"),
        (b"a.b", "three parts, not 2"),
        (b"a.b.c.d", "three parts, not 4"),
        (b"a.b.c.d.e", "three parts, not 5"),
        ("a.b.ø", "a JWT is ASCII"),
        ("\ud800.b.c", "a JWT is ASCII"),
        (b"..", "header or payload"),
        (compact(header=b""), "header or payload"),
        (compact(header=b"[]"), "not a JSON object"),
        (compact(payload=b"null"), "not a JSON object"),
        (compact(header=b'{"alg":"none","alg":"RS256"}'), "stands twice"),
        (compact(payload=b'{"exp":1,"exp":2}'), "stands twice"),
        (compact(payload=b'{"exp":NaN}'), "NaN is not JSON"),
        (compact(payload=b'{"a":' + b"[" * 40 + b"]" * 40 + b"}"), "nested deeper"),
        (compact(payload=b'{"a":"\\ud800"}'), "header or payload"),
        (compact(payload=b'{"a":"\xff"}'), "header or payload"),
        (compact() + b"=", "not base64url"),
        (compact() + b"\n", "not base64url"),
        (b" " + compact(), "not base64url"),
    ],
)
def test_what_is_no_jws_is_refused_and_the_reason_told(token: str | bytes, problem: str) -> None:
    with pytest.raises(MalformedJwtError, match=problem):
        parse_compact(token)


def test_an_empty_signature_parses_for_its_reader_to_refuse() -> None:
    assert parse_compact(compact(signature=b"")).signature == b""


def test_the_length_is_bounded_before_anything_is_read() -> None:
    room = MAX_JWT_BYTES - len(compact(signature=b""))
    longest = compact(signature=b"") + b"A" * (room - room % 4)
    assert len(parse_compact(longest).signature) > 48_000
    with pytest.raises(MalformedJwtError, match=f"at most {MAX_JWT_BYTES} bytes"):
        parse_compact(longest + b"AAAA")


@pytest.mark.parametrize("length", [10, 1_000])
def test_a_header_seen_before_is_the_same_again_short_or_long(length: int) -> None:
    token = compact(header=json.dumps({"kid": "k" * length}).encode())
    assert parse_compact(token) == parse_compact(token)


@given(st.text(min_size=12))
def test_the_message_never_repeats_the_token(secret: str) -> None:
    with pytest.raises(MalformedJwtError) as refused:
        parse_compact(compact(payload=json.dumps([secret]).encode()))
    assert secret not in str(refused.value)

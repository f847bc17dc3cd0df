"""Things in the forms in which people have them."""

from __future__ import annotations

import contextlib
import datetime as dt
import json
from urllib.parse import quote_plus

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PublicFormat,
    pkcs12,
)
from hypothesis import example, given
from hypothesis import strategies as st

from fullmakt.cli.inspection.reading import Jwk, Jwks, Jwt, KeyStore, PublicPem, UnreadableError, recognise
from fullmakt.maskinporten.selfservice import key_file
from tests.support import certificates as make
from tests.support.tokens import claims_of, key_number, sign

LEAF = make.root().leaf()
KEY = make.rsa_key("leaf")
GRANT = sign(claims_of())


@pytest.mark.parametrize(
    "text",
    [
        GRANT,
        f"  {GRANT}\n",
        f"Bearer {GRANT}",
        f"Authorization: bearer {GRANT}",
        json.dumps({"access_token": GRANT, "token_type": "Bearer"}),
        json.dumps({"assertion": GRANT}),
        f"grant_type=urn%3Aietf&assertion={quote_plus(GRANT)}",
        f"curl -sS --data-urlencode 'assertion={GRANT}' http://localhost/token",
    ],
)
def test_a_jwt_is_found_in_what_people_copy(text: str) -> None:
    assert recognise(text.encode()) == Jwt(GRANT)


@pytest.mark.parametrize(
    "text", ["eyJhbGci.x.y.z.w", "eyJhbGciOi\nJSUzI1NiJ9.e30.", GRANT[:40] + "=", "ewogImFsZyI6MX0.."]
)
def test_what_is_almost_a_jwt_is_left_for_the_rules_to_judge(text: str) -> None:
    assert recognise(text.encode()) == Jwt(text)


def test_the_name_of_a_file_that_is_not_there_is_no_jwt() -> None:
    with pytest.raises(UnreadableError, match="nor a file of that name"):
        recognise(b"910753614-seid2.chain.pem")


def test_keys_are_recognised_one_by_one_and_in_sets() -> None:
    jwk = key_number(1).public_jwk()
    assert recognise(json.dumps(jwk).encode()) == Jwk(jwk)
    assert recognise(json.dumps({"keys": [jwk]}).encode()) == Jwks([jwk])
    assert recognise(json.dumps([jwk]).encode()) == Jwks([jwk])


def test_pem_is_told_by_its_labels() -> None:
    public = KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    assert recognise(public) == PublicPem(public)
    certificate = LEAF.public_bytes(Encoding.PEM)
    assert recognise(certificate * 2) == KeyStore("PEM", (LEAF, LEAF))
    private = key_number(1).to_pem()
    both = recognise(certificate + private)
    assert isinstance(both, KeyStore)
    assert both.certificates == (LEAF,)
    assert both.key is not None
    assert both.key.public_jwk()["n"] == key_number(1).public_jwk()["n"]


def test_der_is_a_certificate() -> None:
    assert recognise(LEAF.public_bytes(Encoding.DER)) == KeyStore("DER", (LEAF,))


def _pkcs12(password: bytes | None, *more: x509.Certificate) -> bytes:
    encryption = BestAvailableEncryption(password) if password else NoEncryption()
    return pkcs12.serialize_key_and_certificates(b"leaf", KEY, LEAF, more, encryption)


def test_a_key_file_of_self_services_is_known_by_the_name_of_its_key() -> None:
    made = key_file.make("changeit", dt.datetime(2026, 11, 21, tzinfo=dt.UTC), dt.timedelta(days=1))
    store = recognise(made.content, "changeit")
    assert isinstance(store, KeyStore)
    assert store.kid == made.kid
    other = recognise(_pkcs12(b"changeit"), "changeit")
    assert isinstance(other, KeyStore)
    assert other.kid is None


def test_pkcs12_opens_with_its_password() -> None:
    root = make.root().certificate
    store = recognise(_pkcs12(b"changeit", root), "changeit")
    assert isinstance(store, KeyStore)
    assert (store.form, store.certificates) == ("PKCS#12", (LEAF, root))
    assert store.key is not None
    assert isinstance(recognise(_pkcs12(None)), KeyStore)


@pytest.mark.parametrize(
    ("password", "hint"), [(None, "give its password with --password"), ("wrong one", "the password is wrong")]
)
def test_pkcs12_that_does_not_open_says_what_it_wants(password: str | None, hint: str) -> None:
    with pytest.raises(UnreadableError, match=hint):
        recognise(_pkcs12(b"changeit"), password)


def test_an_encrypted_private_key_wants_its_password() -> None:
    pem = key_number(1).to_pem(b"secret words")
    with pytest.raises(UnreadableError, match="password is wrong"):
        recognise(pem)
    assert isinstance(recognise(pem, "secret words"), KeyStore)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"hello", "neither a JWT"),
        (b"", "neither a JWT"),
        (b"\xff\xfe", "neither text"),
        (b"0\x82\x01\x02garbage", "neither a certificate in DER nor PKCS#12"),
        (b"{}", "neither a JWK"),
        (b'{"kty":"RSA","kty":"EC"}', "stands twice"),
        (b'["' + b"[" * 50_000, "can not be read"),
        (b"-----BEGIN X509 CRL-----", "PEM of another kind: X509 CRL"),
        (b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----", "certificate in PEM that can not be read"),
        (b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----", "private key in PEM that can not be opened"),
        (b"x" * 1_048_577, "more than 1048576 bytes"),
    ],
)
def test_anything_else_is_said_to_be_unreadable(data: bytes, message: str) -> None:
    with pytest.raises(UnreadableError, match=message):
        recognise(data)


@given(st.binary(max_size=400))
@example(b"0\x80\x02\x01\x03")
@example(b"-----BEGIN -----")
def test_any_bytes_are_something_or_unreadable(data: bytes) -> None:
    with contextlib.suppress(UnreadableError):
        recognise(data, "password")

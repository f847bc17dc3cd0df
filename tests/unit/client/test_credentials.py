"""Keys and certificates, in the forms that people have them."""

from __future__ import annotations

import base64
import datetime as dt

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import pkcs12
from cryptography.x509.oid import NameOID

from fullmakt.client import Credentials
from fullmakt.jose.keys import InvalidKeyError, LocalSigner
from fullmakt.maskinporten.selfservice import key_file
from tests.support.fake_issuer import ISSUER, key

PASSWORD = b"changeit"


def certificate(signer: LocalSigner, name: str) -> x509.Certificate:
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    start = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    builder = (
        x509.CertificateBuilder().subject_name(subject).issuer_name(subject).public_key(signer.native.public_key())
    )
    dated = builder.serial_number(1).not_valid_before(start).not_valid_after(start + dt.timedelta(days=365))
    return dated.sign(signer.native, hashes.SHA256())


LEAF, ISSUING = certificate(key("leaf"), "leaf"), certificate(key("issuing"), "issuing")


def pkcs12_file(leaf: x509.Certificate | None) -> bytes:
    native = key("leaf").native
    assert isinstance(native, rsa.RSAPrivateKey)
    encryption = serialization.BestAvailableEncryption(PASSWORD)
    return pkcs12.serialize_key_and_certificates(b"e-seal", native if leaf else None, leaf, [ISSUING], encryption)


def x5c(*certificates: x509.Certificate) -> tuple[str, ...]:
    return tuple(base64.b64encode(one.public_bytes(serialization.Encoding.DER)).decode() for one in certificates)


def pem(*certificates: x509.Certificate) -> bytes:
    return b"".join(one.public_bytes(serialization.Encoding.PEM) for one in certificates)


def test_a_registered_key_comes_as_a_jwk_with_its_kid() -> None:
    credentials = Credentials.from_jwk(ISSUER, "the-client", key("client-key").private_jwk())
    assert (credentials.signer.kid, credentials.certificates) == ("client-key", ())


def test_a_registered_key_comes_as_pem_too() -> None:
    credentials = Credentials.from_pem(ISSUER, "c", key=key("leaf").to_pem(PASSWORD), kid="mine", password=PASSWORD)
    assert credentials.signer.kid == "mine"


def test_an_enterprise_certificate_comes_as_pkcs12() -> None:
    credentials = Credentials.from_pkcs12(ISSUER, "c", p12=pkcs12_file(LEAF), password=PASSWORD)
    assert credentials.certificates == x5c(LEAF, ISSUING)


def test_an_enterprise_certificate_comes_as_pem_with_its_chain() -> None:
    credentials = Credentials.from_pem(ISSUER, "c", key=key("leaf").to_pem(), certificates=pem(LEAF, ISSUING))
    assert credentials.certificates == x5c(LEAF, ISSUING)


def test_a_certificate_of_another_key_is_refused() -> None:
    with pytest.raises(InvalidKeyError, match="not that of the key"):
        Credentials.from_pem(ISSUER, "c", key=key("leaf").to_pem(), certificates=pem(ISSUING, LEAF))


@pytest.mark.parametrize("password", [b"wrong", None])
def test_a_wrong_password_is_told(password: bytes | None) -> None:
    with pytest.raises(InvalidKeyError, match="password"):
        Credentials.from_pkcs12(ISSUER, "c", p12=pkcs12_file(LEAF), password=password)


def test_a_key_file_of_self_services_is_a_registered_key() -> None:
    made = key_file.make(PASSWORD.decode(), dt.datetime(2026, 11, 21, tzinfo=dt.UTC), dt.timedelta(days=1))
    credentials = Credentials.from_pkcs12(ISSUER, "c", p12=made.content, password=PASSWORD)
    assert (credentials.signer.kid, credentials.certificates) == (made.kid, ())


@pytest.mark.parametrize("leaf", [LEAF, None], ids=["with its certificate", "alone"])
def test_a_pkcs12_file_is_a_registered_key_when_its_name_is_told(leaf: x509.Certificate | None) -> None:
    native = key("leaf").native
    assert isinstance(native, rsa.RSAPrivateKey)
    encryption = serialization.BestAvailableEncryption(PASSWORD)
    file = pkcs12.serialize_key_and_certificates(b"mine", native, leaf, None, encryption)
    credentials = Credentials.from_pkcs12(ISSUER, "c", p12=file, password=PASSWORD, kid="mine")
    assert (credentials.signer.kid, credentials.certificates) == ("mine", ())


def test_a_pkcs12_file_without_a_key_is_refused() -> None:
    with pytest.raises(InvalidKeyError, match="no private key"):
        Credentials.from_pkcs12(ISSUER, "c", p12=pkcs12_file(None), password=PASSWORD)


def test_what_is_no_certificate_is_refused() -> None:
    with pytest.raises(InvalidKeyError, match="not PEM certificates"):
        Credentials.from_pem(ISSUER, "c", key=key("leaf").to_pem(), certificates=b"hello")


def test_credentials_do_not_show_their_key() -> None:
    assert repr(Credentials(ISSUER, "c", key("leaf"))) == (
        "Credentials(issuer='https://issuer.test/', client_id='c', metadata_url=None)"
    )

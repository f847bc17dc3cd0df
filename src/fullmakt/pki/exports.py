"""Certificates and keys in the file formats that clients read: PEM, PKCS#12, a Java trust store.

Source: maskinporten.md §2.7.
"""

from __future__ import annotations

from collections.abc import Iterable

from cryptography import x509
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding
from cryptography.hazmat.primitives.serialization.pkcs12 import (
    PKCS12Certificate,
    serialize_java_truststore,
    serialize_key_and_certificates,
)

from fullmakt.pki.errors import InvalidRequestError
from fullmakt.pki.model import Authority, IssuedCertificate

MIN_PASSWORD = 6
"""Java's keytool refuses shorter ones."""


def der(certificate: x509.Certificate) -> bytes:
    """A certificate in DER, as ``.cer`` files hold it."""
    return certificate.public_bytes(Encoding.DER)


def pem_bundle(certificates: Iterable[x509.Certificate]) -> bytes:
    """The certificates in PEM, one after the other."""
    return b"".join(certificate.public_bytes(Encoding.PEM) for certificate in certificates)


def pkcs12(issued: IssuedCertificate, password: str) -> bytes:
    """A PKCS#12 key store of the private key, the leaf and its chain, as Buypass and Commfides hand them out.

    The entry's alias is the organisation number.

    Raises:
        InvalidRequestError: the password is shorter than ``MIN_PASSWORD``.
    """
    return serialize_key_and_certificates(
        issued.record.orgno.encode(),
        issued.key.native,
        issued.leaf,
        issued.chain[1:],
        BestAvailableEncryption(check_password(password)),
    )


def java_trust_store(authorities: Iterable[Authority], password: str) -> bytes:
    """A trust store of CA certificates that Java reads, each under its CA's name.

    It is PKCS#12 with Oracle's trusted-key-usage attribute, without which Java does not take an entry for a trusted
    certificate. ``KeyStore.getInstance("JKS")`` reads it too (the JDK tells the formats apart by their first bytes).

    Raises:
        InvalidRequestError: the password is shorter than ``MIN_PASSWORD``.
    """
    entries = [PKCS12Certificate(authority.certificate, authority.profile.name.encode()) for authority in authorities]
    return serialize_java_truststore(entries, BestAvailableEncryption(check_password(password)))


def check_password(password: str) -> bytes:
    """The password as bytes.

    Raises:
        InvalidRequestError: it is shorter than ``MIN_PASSWORD`` or has characters that can not be typed.
    """
    if len(password) < MIN_PASSWORD or not password.isprintable():
        raise InvalidRequestError(f"a password has at least {MIN_PASSWORD} printable characters")
    return password.encode()

"""A certificate that a key signs for itself: the ``x5c`` beside a signing key in a key set (RFC 7517 §4.7)."""

from __future__ import annotations

import secrets
from datetime import datetime

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.x509.oid import NameOID

from fullmakt.jose.keys import LocalSigner


def self_signed_certificate(signer: LocalSigner, name: str, not_before: datetime, not_after: datetime) -> bytes:
    """DER of a certificate for ``signer`` with common name ``name`` (cut to the 64 characters that X.520 allows)."""
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name[:64])])
    key = signer.native
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(secrets.randbits(159))
        .not_valid_before(not_before)
        .not_valid_after(not_after)
        .sign(key, hashes.SHA256())
    )
    return certificate.public_bytes(serialization.Encoding.DER)

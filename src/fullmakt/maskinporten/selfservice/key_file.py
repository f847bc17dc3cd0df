"""A key pair in a PKCS#12 file, made on the server (maskinporten.md §8.6, the third way).

The private key is in this process for as long as it takes to make the file. Python can not wipe its strings and bytes,
and what encrypts takes no others; so nothing here keeps, logs or raises anything that holds a key or a password, and
they go with the frame that made them.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption
from cryptography.hazmat.primitives.serialization.pkcs12 import serialize_key_and_certificates
from cryptography.x509.oid import NameOID

from fullmakt.jose.keys import LocalSigner, PublicKey

KEY_BITS = 2048
_EXPONENT = 65_537
_SKEW = dt.timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class KeyFile:
    """The public half, by the name it is registered under (its RFC 7638 thumbprint), and the file with both halves."""

    kid: str
    public_key: PublicKey
    content: bytes = field(repr=False)


def make(password: str, now: dt.datetime, lifetime: dt.timedelta) -> KeyFile:
    """Make a key pair and the file: AES-256, the entry's alias the ``kid``.

    It takes a tenth of a second of processor time and more: call it off the event loop. There is a self-signed
    certificate in the file too, which says nothing but is what Java and .NET look for beside a private key.
    """
    key = rsa.generate_private_key(_EXPONENT, KEY_BITS)
    signer = LocalSigner.from_native(key)
    content = serialize_key_and_certificates(
        signer.kid.encode(),
        key,
        _certificate(key, signer.kid, now, lifetime),
        None,
        BestAvailableEncryption(password.encode()),
    )
    return KeyFile(signer.kid, signer.public, content)


def _certificate(key: rsa.RSAPrivateKey, kid: str, now: dt.datetime, lifetime: dt.timedelta) -> x509.Certificate:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, kid)])
    builder = x509.CertificateBuilder(
        name, name, key.public_key(), x509.random_serial_number(), now - _SKEW, now + lifetime
    )
    return builder.sign(key, hashes.SHA256())

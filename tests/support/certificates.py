"""X.509 by hand: CAs, leaves and CRLs with any fault one likes, in the shape of the Norwegian issuers.

Independent of the product's own PKI, so that the two can be held against each other.
"""

from __future__ import annotations

import base64
import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

NOW = dt.datetime(2026, 11, 21, 12, 0, tzinfo=dt.UTC)
ORGNO = "910753614"
NAME = "Skarpnes og Ula"
POLICY = "2.16.578.1.29.913.200.1.0"
CRL_URL = "http://crl.example/issuing.crl"

PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey
Extension = tuple[x509.ExtensionType, bool]


@cache
def rsa_key(name: str, bits: int = 2048) -> rsa.RSAPrivateKey:
    """One key for each name in a test run; making them is slow."""
    del name
    return rsa.generate_private_key(public_exponent=65537, key_size=bits)


@cache
def ec_key(name: str, curve: str = "P-256") -> ec.EllipticCurvePrivateKey:
    """The same for elliptic curves."""
    del name
    return ec.generate_private_key(ec.SECP256R1() if curve == "P-256" else ec.SECP384R1())


@cache
def ed25519_key() -> ed25519.Ed25519PrivateKey:
    return ed25519.Ed25519PrivateKey.generate()


def distinguished_name(**attributes: str) -> x509.Name:
    """A subject from attribute names: ``C``, ``O``, ``CN``, ``serial_number``, ``organization_identifier``."""
    oids = {
        "C": NameOID.COUNTRY_NAME,
        "O": NameOID.ORGANIZATION_NAME,
        "CN": NameOID.COMMON_NAME,
        "serial_number": NameOID.SERIAL_NUMBER,
        "organization_identifier": NameOID.ORGANIZATION_IDENTIFIER,
    }
    return x509.Name([x509.NameAttribute(oids[name], value) for name, value in attributes.items()])


SEID1 = distinguished_name(C="NO", O=NAME, CN=NAME, serial_number=ORGNO)
SEID2 = distinguished_name(C="NO", O=NAME, CN=NAME, organization_identifier=f"NTRNO-{ORGNO}")


def key_usage(*used: str) -> x509.KeyUsage:
    names = ("digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement",
             "key_cert_sign", "crl_sign", "encipher_only", "decipher_only")  # fmt: skip
    return x509.KeyUsage(**{name: name in used for name in names})


def policies(*oids: str) -> x509.CertificatePolicies:
    return x509.CertificatePolicies([x509.PolicyInformation(x509.ObjectIdentifier(oid), None) for oid in oids])


def distribution_points(*urls: str) -> x509.CRLDistributionPoints:
    return x509.CRLDistributionPoints(
        [x509.DistributionPoint([x509.UniformResourceIdentifier(url)], None, None, None) for url in urls]
    )


@dataclass(frozen=True)
class Ca:
    """A CA's certificate and its key."""

    certificate: x509.Certificate
    key: PrivateKey

    def ca(self, name: str, **changes: Any) -> Ca:
        """A CA below this one."""
        return _ca(name, self, **changes)

    def leaf(self, **changes: Any) -> x509.Certificate:
        """An enterprise certificate, a good one but for ``changes`` (fields of ``Leaf``)."""
        return replace(Leaf(self), **changes).build()

    def crl(
        self,
        *revoked: x509.Certificate,
        this_update: dt.datetime = NOW - dt.timedelta(hours=1),
        next_update: dt.datetime | None = NOW + dt.timedelta(hours=23),
        extensions: Sequence[Extension] = (),
        key: PrivateKey | None = None,
    ) -> x509.CertificateRevocationList:
        """A CRL of this CA, signed with ``key`` when it is to be a forged one."""
        builder = x509.CertificateRevocationListBuilder().issuer_name(self.certificate.subject)
        builder = builder.last_update(this_update).next_update(next_update or this_update)
        for certificate in revoked:
            entry = x509.RevokedCertificateBuilder().serial_number(certificate.serial_number)
            builder = builder.add_revoked_certificate(entry.revocation_date(this_update).build())
        for extension, critical in extensions:
            builder = builder.add_extension(extension, critical)
        return builder.sign(key or self.key, hashes.SHA256())


def root(name: str = "Root", **changes: Any) -> Ca:
    """A self-signed CA."""
    return _ca(name, None, **changes)


def _ca(
    name: str,
    issuer: Ca | None,
    *,
    key: PrivateKey | None = None,
    valid: tuple[dt.datetime, dt.datetime] = (NOW - dt.timedelta(days=3650), NOW + dt.timedelta(days=3650)),
    usage: x509.KeyUsage | None = None,
    is_ca: bool = True,
    path_length: int | None = None,
) -> Ca:
    key = key or rsa_key(name)
    subject = distinguished_name(C="NO", O="Test", CN=name)
    issuer_key = issuer.key if issuer else key
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.certificate.subject if issuer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(valid[0])
        .not_valid_after(valid[1])
        .add_extension(x509.BasicConstraints(is_ca, path_length), critical=True)
        .add_extension(usage or key_usage("key_cert_sign", "crl_sign"), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()), critical=False)
        .sign(issuer_key, hashes.SHA256())
    )
    return Ca(certificate, key)


@dataclass(frozen=True)
class Leaf:
    """How an enterprise certificate is made. ``extensions`` maps a name to an extension; None leaves a default out."""

    issuer: Ca
    subject: x509.Name = SEID2
    key: PrivateKey | ed25519.Ed25519PrivateKey = field(default_factory=lambda: rsa_key("leaf"))
    valid: tuple[dt.datetime, dt.datetime] = (NOW - dt.timedelta(days=1), NOW + dt.timedelta(days=3 * 365))
    extensions: Mapping[str, Extension | None] = field(default_factory=dict)
    signed_by: PrivateKey | None = None

    def build(self) -> x509.Certificate:
        issuer_key = self.issuer.key.public_key()
        extensions: dict[str, Extension | None] = {
            "usage": (key_usage("digital_signature", "content_commitment"), True),
            "policies": (policies(POLICY), False),
            "crl": (distribution_points(CRL_URL), False),
            "ski": (x509.SubjectKeyIdentifier.from_public_key(self.key.public_key()), False),
            "aki": (x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key), False),
            **self.extensions,
        }
        builder = (
            x509.CertificateBuilder()
            .subject_name(self.subject)
            .issuer_name(self.issuer.certificate.subject)
            .public_key(self.key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(self.valid[0])
            .not_valid_after(self.valid[1])
        )
        for extension in extensions.values():
            if extension is not None:
                builder = builder.add_extension(*extension)
        return builder.sign(self.signed_by or self.issuer.key, hashes.SHA256())


def x5c(*certificates: x509.Certificate) -> list[str]:
    """The header, as a client writes it."""
    return [base64.b64encode(certificate.public_bytes(Encoding.DER)).decode() for certificate in certificates]

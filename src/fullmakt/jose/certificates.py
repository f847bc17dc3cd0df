"""Enterprise certificates as a grant carries them: the ``x5c`` header, the organisation number, the policies.

Sources: RFC 7515 §4.1.6 (``x5c``), RFC 5280, maskinporten.md §2.1 and §2.5.
"""

from __future__ import annotations

import base64
import re
import warnings
from collections.abc import Iterable
from enum import StrEnum

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtensionOID, NameOID

from fullmakt.kernel.identifiers import OrgNumber

MAX_CERTIFICATES = 10
"""More than any real chain has; each costs parsing and perhaps a signature to check."""

PRODUCTION_POLICIES = (
    "2.16.578.1.26.1.3.2",
    "2.16.578.1.26.1.3.5",
    "2.16.578.1.29.13.1.1.0",
    "2.16.578.1.29.13.200.*",
    "2.16.578.1.29.13.210.*",
    "2.16.578.1.29.13.220.*",
)
"""Buypass Class 3 and Commfides, as maskinporten.md §2.5 lists them for production."""

TEST_POLICIES = (
    "2.16.578.1.26.1.0.3.2",
    "2.16.578.1.26.1.3.2",
    "2.16.578.1.26.1.3.5",
    "2.16.578.1.29.13.1.1.0",
    "2.16.578.1.29.913.1.1.0",
    "2.16.578.1.29.913.200.*",
    "2.16.578.1.29.913.210.*",
    "2.16.578.1.29.913.220.*",
    "2.16.578.1.1.1.1.100",
)
"""Their test twins and Digdir's internal test CA."""

UNREADABLE = (
    ValueError,
    TypeError,
    x509.DuplicateExtension,
    x509.InvalidVersion,
    x509.UnsupportedGeneralNameType,
    UnsupportedAlgorithm,
)
"""What the X.509 library raises for bytes that are no proper certificate; it parses late, so almost anywhere."""

_MAX_ATTRIBUTE = 512
_NINE_DIGITS = re.compile(r"[0-9]{9}", re.ASCII)
_ENDS_IN_ORGNO = re.compile(r".+-\W*([0-9]{9})", re.ASCII)


_NO_WHITE_SPACE = str.maketrans("", "", " \t\r\n")


class MalformedX5cError(ValueError):
    """The ``x5c`` header is not an array of base64 DER certificates (MP-123)."""


class Rejection(StrEnum):
    """Why a certificate was refused."""

    MALFORMED = "malformed"
    CHAIN_TOO_LONG = "chain_too_long"
    NOT_YET_VALID = "not_yet_valid"
    EXPIRED = "expired"
    SELF_SIGNED = "self_signed"
    CRITICAL_EXTENSION = "critical_extension"
    KEY_USAGE_MISSING = "key_usage_missing"
    CA_CERTIFICATE = "ca_certificate"
    WEAK_KEY = "weak_key"
    UNSUPPORTED_KEY = "unsupported_key"
    UNTRUSTED = "untrusted"
    POLICY = "policy"
    NO_ORGANISATION_NUMBER = "no_organisation_number"
    REVOKED = "revoked"
    CRL_MISSING = "crl_missing"
    CRL_STALE = "crl_stale"
    CRL_UNTRUSTED = "crl_untrusted"


class CertificateRejectedError(ValueError):
    """The certificate is not one to trust (MP-120).

    ``reason`` is for programs. The message has the facts that were compared; it is printable text and never repeats
    the subject, which may name a person.
    """

    def __init__(self, reason: Rejection, message: str) -> None:
        super().__init__(message)
        self.reason = reason


def parse_x5c(value: object) -> tuple[x509.Certificate, ...]:
    """Read the ``x5c`` header: the leaf first, then what the client sent along, each certificate once.

    Nothing about the certificates is checked but that they parse. White space in the base64 is passed over:
    ``@vtfk/maskinporten-auth``, which is in use, leaves the carriage returns of a PEM file in.

    Raises:
        MalformedX5cError: not a non-empty array of standard base64 strings of one DER certificate each.
        CertificateRejectedError: ``chain_too_long``, more than ``MAX_CERTIFICATES``.
    """
    if not isinstance(value, list) or not value:
        raise MalformedX5cError("x5c is an array of base64 strings, the leaf certificate first")
    if len(value) > MAX_CERTIFICATES:
        message = f"x5c holds {len(value)} certificates: {MAX_CERTIFICATES} is the most"
        raise CertificateRejectedError(Rejection.CHAIN_TOO_LONG, message)
    # A dict keeps the first of equals in its place: a loop costs nothing and the leaf stays the leaf.
    return tuple(dict.fromkeys(_load(entry, position) for position, entry in enumerate(value)))


def _load(entry: object, position: int) -> x509.Certificate:
    if not isinstance(entry, str):
        raise MalformedX5cError(f"x5c[{position}] is not a string")
    try:
        der = base64.b64decode(entry.translate(_NO_WHITE_SPACE), validate=True)
    except ValueError as error:
        raise MalformedX5cError(f"x5c[{position}] is not base64 (RFC 7515 §4.1.6: not base64url)") from error
    try:
        with warnings.catch_warnings():
            # The library warns of what RFC 5280 forbids and it still reads, a serial number below 1 for one.
            warnings.simplefilter("error")
            return x509.load_der_x509_certificate(der)
    except (*UNREADABLE, Warning) as error:
        raise MalformedX5cError(f"x5c[{position}] is not a DER certificate") from error


def encode_x5c(certificates: Iterable[x509.Certificate]) -> list[str]:
    """The ``x5c`` header for a chain, leaf first (RFC 7515 §4.1.6)."""
    return [base64.b64encode(certificate.public_bytes(Encoding.DER)).decode() for certificate in certificates]


def organisation_number(subject: x509.Name) -> OrgNumber | None:
    """The organisation number in a subject, None when there is none (maskinporten.md §2.5, first hit wins).

    ``serialNumber`` of nine digits (SEID 1); ``O`` that ends in ``- 123456789``; ``organizationIdentifier``
    ``NTRNO-123456789`` or ``PSDNO-FSA-123456789`` or bare (SEID 2).
    """
    for oid, patterns in (
        (NameOID.SERIAL_NUMBER, (_NINE_DIGITS,)),
        (NameOID.ORGANIZATION_NAME, (_ENDS_IN_ORGNO,)),
        (NameOID.ORGANIZATION_IDENTIFIER, (_NINE_DIGITS, _ENDS_IN_ORGNO)),
    ):
        for attribute in subject.get_attributes_for_oid(oid):
            value = attribute.value
            # The length bounds the second pattern, which backtracks.
            if not isinstance(value, str) or len(value) > _MAX_ATTRIBUTE:
                continue
            for pattern in patterns:
                if match := pattern.fullmatch(value):
                    return OrgNumber(match[match.lastindex or 0])
    return None


def policy_oids(certificate: x509.Certificate) -> tuple[str, ...]:
    """The policies a certificate claims, in its order; none when it has no such extension."""
    try:
        policies = certificate.extensions.get_extension_for_class(x509.CertificatePolicies).value
    except x509.ExtensionNotFound:
        return ()
    return tuple(policy.policy_identifier.dotted_string for policy in policies)


def policy_matches(oid: str, allowed: Iterable[str]) -> bool:
    """True when ``oid`` is on the list, to the letter or under an entry's trailing ``*``."""
    return any(oid == entry or (entry.endswith("*") and oid.startswith(entry[:-1])) for entry in allowed)


def crl_urls(certificate: x509.Certificate) -> tuple[str, ...]:
    """The http and https addresses of the certificate's CRL distribution points; LDAP ones are left out."""
    try:
        points = certificate.extensions.get_extension_for_class(x509.CRLDistributionPoints).value
    except x509.ExtensionNotFound:
        return ()
    names = (name for point in points for name in point.full_name or ())
    urls = (name.value for name in names if isinstance(name, x509.UniformResourceIdentifier))
    return tuple(url for url in urls if url.lower().startswith(("http://", "https://")))


def has_distribution_points(certificate: x509.Certificate) -> bool:
    """True when the certificate says that there is a CRL to look it up in, wherever that lies."""
    return any(extension.oid == ExtensionOID.CRL_DISTRIBUTION_POINTS for extension in certificate.extensions)


def printable(name: x509.Name) -> str:
    """A distinguished name fit for a message, a log and a database: one line, no control characters, bounded."""
    text = name.rfc4514_string()
    return "".join(character if character.isprintable() else "?" for character in text[:300])

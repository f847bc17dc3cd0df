"""Certificate authorities, the certificates they issue, and how a certificate is named."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from cryptography import x509

from fullmakt.jose.certificates import encode_x5c
from fullmakt.jose.keys import LocalSigner
from fullmakt.kernel.identifiers import OrgNumber
from fullmakt.pki.errors import InvalidRequestError

Seid = Literal[1, 2]
"""Which generation of the Norwegian profile: 1 names the organisation in ``serialNumber``, 2 in
``organizationIdentifier``."""

_SERIAL = re.compile(r"[0-9A-F]{1,40}", re.ASCII)


class Environment(StrEnum):
    """Which hierarchy: ``test``, which is trusted, or its twin ``production``, whose certificates must be refused."""

    TEST = "test"
    PRODUCTION = "production"


@dataclass(frozen=True, slots=True)
class AuthorityProfile:
    """A CA as it is designed: its name in URLs, its common name, and the policy it issues under (None for a root)."""

    environment: Environment
    kind: Literal["root", "seid1", "seid2"]
    common_name: str
    policy: str | None = None

    @property
    def name(self) -> str:
        """``test-seid2``, for instance: the key in the database and the file name in URLs."""
        return f"{self.environment}-{self.kind}"

    @property
    def issuer(self) -> str:
        """The name of the CA that signs this one; a root signs itself."""
        return f"{self.environment}-root"

    @property
    def is_root(self) -> bool:
        """True for the top of a hierarchy."""
        return self.kind == "root"


@dataclass(frozen=True, slots=True)
class Authority:
    """A CA as it exists: its design and its certificate."""

    profile: AuthorityProfile
    certificate: x509.Certificate


@dataclass(frozen=True, slots=True)
class CertificateRecord:
    """What is remembered of a certificate. ``serial`` is upper-case hexadecimal, as ``openssl`` prints it."""

    serial: str
    authority: str
    orgno: OrgNumber
    subject: str
    not_before: dt.datetime
    not_after: dt.datetime
    issued_at: dt.datetime
    revoked_at: dt.datetime | None = None


@dataclass(frozen=True, slots=True)
class IssuedCertificate:
    """A fresh certificate with its private key, which exists nowhere else.

    ``chain`` goes from the leaf by its issuing CA to the root.
    """

    record: CertificateRecord
    chain: tuple[x509.Certificate, ...]
    key: LocalSigner

    @property
    def leaf(self) -> x509.Certificate:
        """The organisation's certificate."""
        return self.chain[0]

    @property
    def x5c(self) -> list[str]:
        """The header of a grant: the leaf and its issuing CA. Most real clients send ``x5c[:1]``."""
        return encode_x5c(self.chain[:-1])


@dataclass(frozen=True, slots=True)
class PublishedCrl:
    """The list that a CA has published: DER, its number, and the span of time that it speaks for."""

    authority: str
    number: int
    der: bytes
    this_update: dt.datetime
    next_update: dt.datetime


def format_serial(number: int) -> str:
    """Upper-case hexadecimal of whole bytes."""
    digits = f"{number:X}"
    return digits.zfill(len(digits) + len(digits) % 2)


def parse_serial(text: str) -> str:
    """Read a serial number in hexadecimal, with or without ``0x``, colons, blanks and leading zeros.

    Raises:
        InvalidRequestError: not hexadecimal, or longer than the 20 bytes of RFC 5280 §4.1.2.2.
    """
    digits = re.sub(r"[:\s]", "", text[:200]).upper().removeprefix("0X")
    if not _SERIAL.fullmatch(digits):
        raise InvalidRequestError("a serial number is at most 40 hexadecimal digits, as openssl prints it")
    return format_serial(int(digits, 16))

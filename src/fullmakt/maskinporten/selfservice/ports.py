"""What self-service asks of its neighbours."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from fullmakt.jose.keys import PublicKey
from fullmakt.kernel.identifiers import OrgNumber


@dataclass(frozen=True, slots=True)
class CheckedCertificate:
    """An enterprise certificate that held: whose it is, its key, and the leaf in DER."""

    orgno: OrgNumber
    public_key: PublicKey
    leaf: bytes


class CertificateRefusedError(ValueError):
    """The certificate does not hold; the message says why, for whoever sent it."""


class CertificateCheck(Protocol):
    """Judges the ``x5c`` of a key at upload."""

    async def check(self, x5c: Sequence[str]) -> CheckedCertificate:
        """Validate the chain (base64 DER, leaf first) against the trust anchors, revocation included.

        Raises:
            CertificateRefusedError: it does not hold.
        """
        ...


class OrganisationNames(Protocol):
    """Knows what organisations are called."""

    async def organisation_names(self, orgnos: Collection[OrgNumber]) -> Mapping[OrgNumber, str]:
        """The names in Enhetsregisteret of those organisations that it has, looked up together."""
        ...

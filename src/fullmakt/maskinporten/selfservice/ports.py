"""What self-service asks of its neighbours."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from fullmakt.jose.keys import PublicKey
from fullmakt.kernel.identifiers import OrgNumber


class VerifiedToken(Protocol):
    """What an access token says, once it is verified."""

    @property
    def consumer(self) -> OrgNumber: ...

    @property
    def client_id(self) -> str: ...

    @property
    def scopes(self) -> frozenset[str]: ...


class TokenVerifier(Protocol):
    """Verifies access tokens of our own token server; ``fullmakt.provider.TokenVerifier`` is one.

    Raises ``fullmakt.provider.BearerError`` for a token that is no good.
    """

    async def verify(self, token: str) -> VerifiedToken: ...


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

    async def organisation_name(self, orgno: OrgNumber) -> str | None:
        """The name in Enhetsregisteret; None when there is no such organisation."""
        ...

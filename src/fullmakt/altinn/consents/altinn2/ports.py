"""What Altinn 2's form of consent asks of its neighbours, beside what the model asks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from fullmakt.altinn.consents.keys.model import ApiKey
from fullmakt.kernel.identifiers import OrgNumber


class ApiKeys(Protocol):
    """The API keys that were given out."""

    async def holder(self, secret: str) -> ApiKey | None:
        """The key with that secret; None when there is none, or it was taken back."""
        ...


@dataclass(frozen=True, slots=True)
class BadCertificate:
    """A certificate that is not to be believed, and why, as the audit trail keeps it."""

    why: Mapping[str, Any]


class EnterpriseCertificates(Protocol):
    """Says whose an enterprise certificate is."""

    async def organisation_of(self, x5c: Sequence[str]) -> OrgNumber | BadCertificate:
        """The organisation, or why the certificate is not to be believed. ``x5c`` is the leaf, and what may help
        to find the path from it, in base64 of DER (RFC 7515 §4.1.6).

        Raises:
            UnavailableError: it can not be told now.
        """
        ...


class Signer(Protocol):
    """Altinn's key, as far as tokens of Altinn 2's are concerned."""

    async def sign_as_altinn2(self, claims: Mapping[str, Any]) -> str:
        """A compact JWT with these claims; ``kid`` and ``x5t`` name the certificate."""
        ...

    async def altinn2_keys(self) -> Sequence[Mapping[str, Any]]:
        """The published keys as JWKs, the one that signs first."""
        ...

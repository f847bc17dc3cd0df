"""What Lånekassen asks of others, beside what the SDK does for it."""

from __future__ import annotations

from typing import Protocol
from uuid import UUID

from fullmakt.provider import Consent


class ConsentTokens(Protocol):
    """Verifies consent tokens, as ``ConsentTokenVerifier`` does."""

    async def verify(self, token: str | None) -> Consent:
        """The consent.

        Raises:
            NoConsentError: the token is not to be believed.
            IssuerUnavailableError: Altinn's keys are not known.
        """
        ...


class Standing(Protocol):
    """Knows at once what the owner's list would tell later: that a consent has ended before its time."""

    async def has_ended(self, consent_id: UUID) -> bool:
        """True when it was revoked, given up or used up.

        Raises:
            UnavailableError: that can not be told now.
        """
        ...


class NothingHeard:
    """For a source that hears of ended consents by the owner's list alone."""

    async def has_ended(self, _consent_id: UUID) -> bool:
        """Never told."""
        return False

"""The verifiers of Altinn 2's consent tokens: key looked up, token judged. The judgement is in ``consent_token``."""

from __future__ import annotations

from typing import Generic, TypeVar

from fullmakt.kernel.clock import Clock, system_clock
from fullmakt.provider import consent_token
from fullmakt.provider.consent_model import Consent
from fullmakt.provider.key_cache import DAY, KeyCacheLimits
from fullmakt.provider.keys import KeySource, SyncKeySource
from fullmakt.provider.remote import RemoteKeys

JWKS_PATH = "/api/metadata/jwk"
DEFAULT_LEEWAY = 5.0
"""Seconds that Altinn's clock may be ahead of the data source's."""

Keys = TypeVar("Keys", KeySource, SyncKeySource)


class _Verifier(Generic[Keys]):
    """What the two verifiers have in common.

    altinn: Altinn 2's base URL, such as ``https://www.altinn.no``; its keys lie below it.
    issuer: the ``iss`` that tokens must have; Altinn's test environment has the same.
    keys: where Altinn's keys are from; by default its published ones.
    leeway: seconds that Altinn's clock may be ahead.
    jwks_max_age: seconds that keys are kept at most, whatever Altinn says.
    """

    def __init__(
        self,
        altinn: str,
        *,
        issuer: str = consent_token.ISSUER,
        keys: Keys | None = None,
        clock: Clock = system_clock,
        leeway: float = DEFAULT_LEEWAY,
        jwks_max_age: float = DAY,
    ) -> None:
        self._issuer = issuer
        self._leeway = leeway
        self._clock = clock
        self._keys: Keys | RemoteKeys = keys or RemoteKeys(
            issuer,
            jwks_uri=f"{altinn.rstrip('/')}{JWKS_PATH}",
            limits=KeyCacheLimits(max_age=jwks_max_age),
            clock=clock,
        )


class ConsentTokenVerifier(_Verifier[KeySource]):
    """Verifies consent tokens, for asyncio."""

    async def verify(self, token: str | None) -> Consent:
        """Verify a consent token, quotes around it or not. What it is good for, ``require_consent`` says.

        Raises:
            NoConsentError: there is no token, or it is not to be believed; ``cause`` says why.
            IssuerUnavailableError: Altinn's keys are not known.
        """
        presented = consent_token.read(token, self._issuer)
        key = await self._keys.find(presented.kid)
        return consent_token.accept(presented, key, self._leeway, self._clock())


class SyncConsentTokenVerifier(_Verifier[SyncKeySource]):
    """``ConsentTokenVerifier`` for threads: same arguments, same rules, same errors."""

    def verify(self, token: str | None) -> Consent:
        """As ``ConsentTokenVerifier.verify``."""
        presented = consent_token.read(token, self._issuer)
        key = self._keys.find_sync(presented.kid)
        return consent_token.accept(presented, key, self._leeway, self._clock())

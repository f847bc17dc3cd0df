"""The verifiers: key looked up, token judged. All the judgement is in ``rules``, for asyncio and threads alike."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Generic, TypeVar

from fullmakt.kernel.clock import Clock, system_clock
from fullmakt.provider import rules
from fullmakt.provider.key_cache import DAY, KeyCacheLimits
from fullmakt.provider.keys import KeySource, SyncKeySource
from fullmakt.provider.remote import RemoteKeys
from fullmakt.provider.verified_token import VerifiedToken

DEFAULT_LEEWAY = 10.0
"""Seconds that the clocks of issuer and API may differ, as in Altinn's exchange (maskinporten.md §3.6)."""

Keys = TypeVar("Keys", KeySource, SyncKeySource)


class _Verifier(Generic[Keys]):
    """What the two verifiers have in common.

    issuer: the ``iss`` that tokens must have, letter for letter; Maskinporten's ends in a slash.
    audience: what ``aud`` must hold. Without it ``aud`` is not read, as most of Maskinporten's APIs go by scope alone;
        an API that has its consumers ask for ``resource`` should set it.
    keys: where the issuer's keys are from; by default its published ones.
    leeway: seconds that clocks may differ.
    jwks_max_age: seconds that keys are kept at most, whatever the issuer says; Digdir advises about a day.
    algorithms: those that tokens may be signed with; Maskinporten uses RS256.
    """

    def __init__(
        self,
        issuer: str,
        *,
        audience: str | None = None,
        keys: Keys | None = None,
        clock: Clock = system_clock,
        leeway: float = DEFAULT_LEEWAY,
        jwks_max_age: float = DAY,
        algorithms: Collection[str] = rules.ALGORITHMS,
    ) -> None:
        self._expected = rules.Expected(issuer, audience, leeway, frozenset(algorithms))
        self._keys: Keys | RemoteKeys = keys or RemoteKeys(
            issuer, limits=KeyCacheLimits(max_age=jwks_max_age), clock=clock
        )
        self._clock = clock

    @property
    def issuer(self) -> str:
        """The issuer whose tokens this verifies."""
        return self._expected.issuer


class TokenVerifier(_Verifier[KeySource]):
    """Verifies access tokens from one issuer, for asyncio."""

    async def verify(
        self, token: str | None, *, scopes: Iterable[str] = (), consumers: Collection[str] | None = None
    ) -> VerifiedToken:
        """Verify a token (alone, without the word ``Bearer``), and that it may do what this request needs.

        scopes: all of them must be in the token. consumers: organisation numbers, one of which must be its consumer.

        Raises:
            MissingTokenError: there is no token.
            InvalidTokenError: the token is not to be believed; ``reason`` says why.
            InsufficientScopeError: it lacks one of ``scopes``.
            ConsumerNotAllowedError: its consumer is not among ``consumers``.
            IssuerUnavailableError: the issuer's keys are not known.
        """
        presented = rules.read(token, self._expected)
        key = await self._keys.find(presented.kid)
        verified = rules.accept(presented, key, self._expected, self._clock())
        return rules.permit(verified, scopes=scopes, consumers=consumers)


class SyncTokenVerifier(_Verifier[SyncKeySource]):
    """``TokenVerifier`` for threads: same arguments, same rules, same errors."""

    def verify(
        self, token: str | None, *, scopes: Iterable[str] = (), consumers: Collection[str] | None = None
    ) -> VerifiedToken:
        """As ``TokenVerifier.verify``."""
        presented = rules.read(token, self._expected)
        key = self._keys.find_sync(presented.kid)
        verified = rules.accept(presented, key, self._expected, self._clock())
        return rules.permit(verified, scopes=scopes, consumers=consumers)

"""One verifier for an API that trusts several issuers: Maskinporten and Altinn, or two environments of either.

trusted = TrustedIssuers(
    TokenVerifier("https://maskinporten.no/"),
    TokenVerifier("https://platform.altinn.no/authentication/api/v1/openid/"),
)
token = await trusted.verify(text, scopes=["provider:api.read"])
token.issuer  # which of them vouches for it
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Generic, Protocol, TypeVar

from fullmakt.provider import rules
from fullmakt.provider.verified_token import VerifiedToken
from fullmakt.provider.verifier import SyncTokenVerifier, TokenVerifier


class Verifier(Protocol):
    """What puts a token to the test: a ``TokenVerifier`` or ``TrustedIssuers``."""

    async def verify(
        self, token: str | None, *, scopes: Iterable[str] = (), consumers: Collection[str] | None = None
    ) -> VerifiedToken:
        """As ``TokenVerifier.verify``."""
        ...


OneIssuer = TypeVar("OneIssuer", TokenVerifier, SyncTokenVerifier)


class _Trusted(Generic[OneIssuer]):
    """Each verifier has its own keys, audience and leeway; a token is put to the one whose issuer it names.

    Raises:
        ValueError: there is no verifier, or two are of one issuer.
    """

    def __init__(self, *verifiers: OneIssuer) -> None:
        self._by_issuer: dict[str, OneIssuer] = {verifier.issuer: verifier for verifier in verifiers}
        if not verifiers or len(self._by_issuer) < len(verifiers):
            raise ValueError("name at least one issuer, and none twice")

    @property
    def issuers(self) -> tuple[str, ...]:
        """The issuers whose tokens are taken, in the order given."""
        return tuple(self._by_issuer)

    def _verifier(self, token: str | None) -> OneIssuer:
        return self._by_issuer[rules.issuer_of(token, self._by_issuer)]


class TrustedIssuers(_Trusted[TokenVerifier]):
    """Verifies tokens of several issuers, for asyncio; wherever a ``TokenVerifier`` is taken, so is this."""

    async def verify(
        self, token: str | None, *, scopes: Iterable[str] = (), consumers: Collection[str] | None = None
    ) -> VerifiedToken:
        """As ``TokenVerifier.verify``; ``wrong_issuer`` is the reason for a token of nobody who is trusted."""
        return await self._verifier(token).verify(token, scopes=scopes, consumers=consumers)


class SyncTrustedIssuers(_Trusted[SyncTokenVerifier]):
    """``TrustedIssuers`` for threads."""

    def verify(
        self, token: str | None, *, scopes: Iterable[str] = (), consumers: Collection[str] | None = None
    ) -> VerifiedToken:
        """As ``TrustedIssuers.verify``."""
        return self._verifier(token).verify(token, scopes=scopes, consumers=consumers)

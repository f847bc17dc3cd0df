"""Verifies Altinn's own tokens, and tells who holds a token, whoever of the trusted issuers made it."""

from __future__ import annotations

import hashlib
import re
from collections import OrderedDict
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from fullmakt.altinn.exchange.errors import TokenRefusedError
from fullmakt.altinn.exchange.ports import MaskinportenVerifier
from fullmakt.infra.unavailable import NeighbourUnavailableError
from fullmakt.jose.compact import MalformedJwtError, parse_compact
from fullmakt.kernel.clock import Clock
from fullmakt.provider import BearerError, IssuerUnavailableError
from fullmakt.provider.keys import KeySource
from fullmakt.wire.altinn.callers import Caller, InvalidCallerError, caller_from_claims

LEEWAY = timedelta(seconds=10)
"""By which the clocks of issuer and API may differ (altinn-authentication.md §5)."""
_REMEMBERED = 4_096
"""Tokens whose caller is remembered."""
_REMEMBERED_FOR = 10.0
"""Seconds."""
_ORG_CODE = re.compile(r"[a-z]{2,20}", re.ASCII)


class AltinnTokens:
    """Verifies the RS256 tokens of one issuer: signature, issuer and time; the audience is never looked at (§5).

    Maskinporten's verifier would not do, since a person's token names no ``consumer``.
    """

    def __init__(self, issuer: str, keys: KeySource, clock: Clock) -> None:
        self._issuer = issuer
        self._keys = keys
        self._clock = clock

    @property
    def issuer(self) -> str:
        """The issuer whose tokens this verifies."""
        return self._issuer

    async def claims(self, token: str) -> Mapping[str, Any]:
        """The token's claims.

        Raises:
            TokenRefusedError: it is not to be believed, and why.
        """
        return await _verified(token, lambda issuer: issuer == self._issuer, self._keys, self._clock)


class PlatformTokens:
    """Verifies ``PlatformAccessToken``, by which the platform's own components know each other (§1)."""

    def __init__(self, keys: KeySource, clock: Clock) -> None:
        self._keys = keys
        self._clock = clock

    async def issuer_of(self, token: str) -> str:
        """Who issued it: ``platform``, or an org code.

        Raises:
            InvalidCallerError: the token is not to be believed.
        """
        try:
            claims = await _verified(token, is_platform_issuer, self._keys, self._clock)
        except TokenRefusedError as error:
            raise InvalidCallerError(error.reason) from error
        return str(claims["iss"])


def is_platform_issuer(issuer: object) -> bool:
    """True for ``platform`` and org codes; never for the issuer of anybody's token, which is a URL."""
    return isinstance(issuer, str) and _ORG_CODE.fullmatch(issuer) is not None


async def _verified(token: str, trusted: Callable[[object], bool], keys: KeySource, clock: Clock) -> Mapping[str, Any]:
    try:
        jws = parse_compact(token)
    except MalformedJwtError as error:
        raise TokenRefusedError("malformed") from error
    header, claims = jws.unverified_header, jws.unverified_payload
    kid = header.get("kid")
    if not trusted(claims.get("iss")):
        raise TokenRefusedError("wrong_issuer")
    if header.get("alg") != "RS256" or not isinstance(kid, str) or "crit" in header:
        raise TokenRefusedError("bad_header")
    key = await keys.find(kid)
    if key is None:
        raise TokenRefusedError("unknown_kid")
    if not key.verify("RS256", jws.signing_input, jws.signature):
        raise TokenRefusedError("bad_signature")
    _check_times(claims, clock())
    return claims


def _check_times(claims: Mapping[str, Any], now: datetime) -> None:
    seconds, leeway = now.timestamp(), LEEWAY.total_seconds()
    if _time(claims, "exp") <= seconds - leeway:
        raise TokenRefusedError("expired")
    if "nbf" in claims and _time(claims, "nbf") > seconds + leeway:
        raise TokenRefusedError("not_yet_valid")


def _time(claims: Mapping[str, Any], name: str) -> float:
    value = claims.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TokenRefusedError("bad_claim")
    return value


class TokenCallers:
    """``infra.altinn.Callers``: takes Altinn's own tokens and Maskinporten's, as every newer service does (§5).

    Who asks for decisions shows the same token a thousand times: what was verified is remembered for ten seconds, and
    never beyond the token's own end. A signing key that is withdrawn is believed for as long.
    """

    def __init__(self, altinn: AltinnTokens, maskinporten: MaskinportenVerifier, clock: Clock) -> None:
        self._altinn = altinn
        self._maskinporten = maskinporten
        self._clock = clock
        self._remembered: OrderedDict[bytes, tuple[float, Caller]] = OrderedDict()

    async def identify(self, token: str) -> Caller:
        """The caller.

        Raises:
            InvalidCallerError: the token is not to be believed.
            NeighbourUnavailableError: the issuer's keys are not to be had now, so that nobody can tell.
        """
        now, key = self._clock().timestamp(), hashlib.sha256(token.encode(errors="replace")).digest()
        until, known = self._remembered.get(key, (0.0, None))
        if known is not None and now < until:
            return known
        claims = await self._verified_claims(token)
        caller = caller_from_claims(claims)
        self._remembered[key] = min(now + _REMEMBERED_FOR, float(claims["exp"])), caller
        self._remembered.move_to_end(key)
        if len(self._remembered) > _REMEMBERED:
            self._remembered.popitem(last=False)
        return caller

    async def _verified_claims(self, token: str) -> Mapping[str, Any]:
        try:
            return await self._claims(token)
        except TokenRefusedError as error:
            raise InvalidCallerError(error.reason) from error
        except IssuerUnavailableError as error:
            raise NeighbourUnavailableError("the issuer's keys are not to be had") from error
        except BearerError as error:
            raise InvalidCallerError(str(error.reason)) from error

    async def _claims(self, token: str) -> Mapping[str, Any]:
        try:
            issuer = parse_compact(token).unverified_payload.get("iss")
        except MalformedJwtError as error:
            raise TokenRefusedError("malformed") from error
        if issuer == self._altinn.issuer:
            return await self._altinn.claims(token)
        return (await self._maskinporten.verify(token)).claims

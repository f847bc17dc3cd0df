"""Where a verifier has the issuer's public keys from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Protocol

from fullmakt.jose.certificates import CertificateRejectedError, MalformedX5cError, parse_x5c
from fullmakt.jose.keys import InvalidKeyError, PublicKey

MAX_KEYS = 100
"""Keys read from one JWKS; Maskinporten publishes two or three."""
_TO_BASE64URL = str.maketrans("+/", "-_")


class KeySource(Protocol):
    """Finds the issuer's keys, for ``TokenVerifier``."""

    async def find(self, kid: str) -> PublicKey | None:
        """The issuer's key with this id, None when it has no such key.

        Raises:
            IssuerUnavailableError: no keys are known and none can be fetched.
        """
        ...


class SyncKeySource(Protocol):
    """Finds the issuer's keys, for ``SyncTokenVerifier``."""

    def find_sync(self, kid: str) -> PublicKey | None:
        """As ``KeySource.find``, for threads."""
        ...


class StaticKeys:
    """Keys that were handed over once, as JWKs: for tests, and for networks that can not reach the issuer."""

    def __init__(self, jwks: Iterable[Mapping[str, Any]]) -> None:
        self._keys = usable_keys(list(jwks))

    async def find(self, kid: str) -> PublicKey | None:
        """The key with this id, if it is one of those handed over."""
        return self._keys.get(kid)

    def find_sync(self, kid: str) -> PublicKey | None:
        """As ``find``, for threads."""
        return self._keys.get(kid)


def usable_keys(jwks: object) -> dict[str, PublicKey]:
    """The signature keys of a JWKS's ``keys`` member by ``kid``; the first of a name counts.

    Whatever can not be used is passed over, as RFC 7517 §5 asks: other key types, other uses, keys without a name.
    Altinn writes the numbers in ordinary base64 (altinn-authentication.md §3); they are read all the same. A key
    without numbers is that of its first certificate (RFC 7517 §4.7), which nobody need vouch for: the key set does.
    """
    found: dict[str, PublicKey] = {}
    for jwk in jwks[:MAX_KEYS] if isinstance(jwks, list) else ():
        if not isinstance(jwk, Mapping) or jwk.get("use", "sig") != "sig" or not isinstance(jwk.get("kid"), str):
            continue
        try:
            found.setdefault(jwk["kid"], PublicKey.from_jwk(_with_numbers(jwk)))
        except (InvalidKeyError, MalformedX5cError, CertificateRejectedError):
            continue
    return found


def _with_numbers(jwk: Mapping[str, Any]) -> dict[str, Any]:
    if "x5c" not in jwk or "n" in jwk or "x" in jwk:
        return {**jwk, **_numbers(jwk)}
    return {**PublicKey.from_certificate(parse_x5c(jwk["x5c"])[0]).to_jwk(), **jwk}


def _numbers(jwk: Mapping[str, Any]) -> dict[str, str]:
    """An RSA key's numbers in base64url, from either alphabet."""
    numbers = {name: jwk.get(name) for name in ("n", "e")}
    return {
        name: value.rstrip("=").translate(_TO_BASE64URL) for name, value in numbers.items() if isinstance(value, str)
    }

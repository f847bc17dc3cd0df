"""Which keys a client may have (maskinporten.md §7.4)."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from cryptography import x509

from fullmakt.jose.keys import (
    EC_ALGORITHMS,
    PRIVATE_MEMBERS,
    RSA_ALGORITHMS,
    InvalidKeyError,
    PublicKey,
    is_key_id,
)
from fullmakt.maskinporten.selfservice.errors import Fault, InvalidError
from fullmakt.maskinporten.selfservice.model import ClientKey
from fullmakt.wire.maskinporten.selfservice import JwkBody

OBJECT = "Jwk"
MAX_KEYS = 5
MAX_KEY_LIFE = 365 * 24 * 3600
"""Seconds from the posting of a key to its death, at the most."""

_NOT_SECRET = "send the public half only, and make a new key, for this one is no longer secret"


@dataclass(frozen=True, slots=True)
class SentKey:
    """A key that keeps the rules, before anybody looked at its certificate. ``expires`` is in epoch seconds."""

    kid: str
    alg: str | None
    public_key: PublicKey
    expires: int
    x5c: tuple[str, ...] | None

    @property
    def jwk(self) -> dict[str, Any]:
        """The bare JWK."""
        return self.public_key.to_jwk()


def read_keys(bodies: Sequence[JwkBody], now: int, *, allow_ec: bool) -> list[SentKey]:
    """Read a whole key set as of ``now`` (epoch seconds).

    Raises:
        InvalidError: none or more than five keys, one ``kid`` twice, or a key that breaks a rule; all faults at once.
    """
    if not bodies:
        raise InvalidError(Fault("At least one key is required: use DELETE to remove the last one", "Jwks", "keys"))
    require_room(len(bodies))
    faults: list[Fault] = []
    keys: list[SentKey] = []
    for index, body in enumerate(bodies):
        try:
            keys.append(read_key(body, now, allow_ec=allow_ec, at=f"keys[{index}]."))
        except InvalidError as error:
            faults += error.faults
    InvalidError.raise_for(faults)
    if len({key.kid for key in keys}) != len(keys):
        raise InvalidError.field("Jwks", "keys", "Every key must have a kid of its own")
    return keys


def require_room(count: int) -> None:
    """Hold the number of keys on a client to five.

    Raises:
        InvalidError: there are more.
    """
    if count > MAX_KEYS:
        raise InvalidError.field("Jwks", "keys", f"A client can have at most {MAX_KEYS} keys")


def read_key(body: JwkBody, now: int, *, allow_ec: bool, at: str = "") -> SentKey:
    """Read one key; ``at`` stands before the names of faulty members.

    Raises:
        InvalidError: with every fault that can be told before the numbers are read, or with what is wrong with those.
    """
    InvalidError.raise_for(_shape_faults(body, now, allow_ec, at))
    try:
        public_key = PublicKey.from_jwk(body.model_dump(include={"kty", "n", "e", "crv", "x", "y"}, exclude_none=True))
    except InvalidKeyError as error:
        raise InvalidError.field(OBJECT, f"{at}{'n' if body.kty == 'RSA' else 'x'}", str(error)) from error
    limit = now + MAX_KEY_LIFE
    return SentKey(
        kid=body.kid or "",
        alg=body.alg,
        public_key=public_key,
        expires=min(body.exp, limit) if body.exp is not None else limit,
        x5c=tuple(body.x5c) if body.x5c else None,
    )


def _shape_faults(body: JwkBody, now: int, allow_ec: bool, at: str) -> Iterator[Fault]:
    private = sorted(PRIVATE_MEMBERS & (body.model_extra or {}).keys())
    if private:
        yield Fault(f"The key holds private members ({', '.join(private)}): {_NOT_SECRET}", OBJECT, f"{at}{private[0]}")
    algorithms = {"RSA": RSA_ALGORITHMS, "EC": EC_ALGORITHMS if allow_ec else frozenset[str]()}.get(body.kty)
    if not algorithms:
        yield Fault("kty must be RSA", OBJECT, f"{at}kty")
    elif body.alg is not None and body.alg not in algorithms:
        yield Fault(f"alg must be one of {', '.join(sorted(algorithms))}", OBJECT, f"{at}alg")
    if body.use != "sig":
        yield Fault("use is required and must be sig", OBJECT, f"{at}use")
    if not is_key_id(body.kid):
        yield Fault("kid is required and may hold letters, digits and . _ -", OBJECT, f"{at}kid")
    if body.exp is not None and body.exp <= now:
        yield Fault("exp has passed", OBJECT, f"{at}exp")


def read_pem_key(pem: str, kid: str, now: int, *, allow_ec: bool) -> SentKey:
    """Read a PEM public key, or the key of a PEM certificate, which the registered key is then not locked to, and
    which it does not outlive.

    ``kid`` is what we call it, for PEM has no name of its own.

    Raises:
        InvalidError: it is neither, or a key that breaks a rule, or the certificate has expired.
    """
    if "PRIVATE KEY" in pem:
        raise InvalidError(Fault(f"this is a private key: {_NOT_SECRET}", OBJECT))
    try:
        public_key = PublicKey.from_pem(pem.encode())
    except UnicodeEncodeError as error:
        raise InvalidError(Fault("this is not a PEM public key or certificate", OBJECT)) from error
    except InvalidKeyError as error:
        raise InvalidError(Fault(str(error), OBJECT)) from error
    expires = min(now + MAX_KEY_LIFE, _end_of_certificate(pem, now))
    if public_key.algorithms == RSA_ALGORITHMS:
        return SentKey(kid, "RS256", public_key, expires, None)
    if allow_ec:
        return SentKey(kid, "ES256", public_key, expires, None)
    raise InvalidError(Fault("the key must be an RSA key", OBJECT))


def named_as_before(key: SentKey, registered: Sequence[ClientKey]) -> SentKey:
    """A key from PEM; with the ``kid`` that we made for it if it was registered from PEM before."""
    spki = key.public_key.to_der()
    for one in registered:
        if one.spki == spki and one.alg == key.alg and one.x5c is None and _is_made_by_us(one.kid):
            return replace(key, kid=one.kid)
    return key


def _is_made_by_us(kid: str) -> bool:
    try:
        return str(UUID(kid)) == kid
    except ValueError:
        return False


def _end_of_certificate(pem: str, now: int) -> int:
    """When a PEM certificate expires, in epoch seconds; never, for what is none."""
    if "BEGIN CERTIFICATE" not in pem:
        return sys.maxsize
    end = x509.load_pem_x509_certificate(pem.encode()).not_valid_after_utc
    if end.timestamp() <= now:
        raise InvalidError(
            Fault(f"the certificate expired on {end:%Y-%m-%d}: send one that is valid, or its public key alone", OBJECT)
        )
    return int(end.timestamp())

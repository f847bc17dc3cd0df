"""The keys that sign Altinn's tokens: kept in PostgreSQL, sealed, each with a certificate of its own."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from cryptography.hazmat.primitives.serialization import load_pem_private_key
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from fullmakt.altinn.exchange.errors import KeyNotWithdrawnError
from fullmakt.altinn.exchange.model import KeyTimes, signer_at, valid_at
from fullmakt.infra.audit import AuditEvent, record
from fullmakt.infra.database import Database
from fullmakt.infra.secrets import MasterKey
from fullmakt.jose.compact import b64url_encode
from fullmakt.jose.keys import LocalSigner, PublicKey, is_key_id
from fullmakt.jose.self_signed import self_signed_certificate
from fullmakt.kernel.clock import Clock
from fullmakt.kernel.single_flight import SingleFlight

CERTIFICATE_LIFETIME = timedelta(days=2 * 365)
RENEW_BEFORE = timedelta(days=30)
"""A certificate that ends sooner than this is followed by a new one, so that there is always one to sign with."""
_READ_EVERY = timedelta(seconds=1)
"""How old a node's picture of the keys may be."""

_INSERT = text(
    "INSERT INTO exchange.signing_key (thumbprint, sealed, certificate, not_before, not_after)"
    " VALUES (:thumbprint, :sealed, :certificate, :not_before, :not_after)"
)
_TIMES = text("SELECT thumbprint, not_before, not_after FROM exchange.signing_key WHERE withdrawn_at IS NULL")
_SEALED = text("SELECT thumbprint, sealed, certificate FROM exchange.signing_key WHERE thumbprint = ANY(:thumbprints)")
_WITHDRAW = text(
    "UPDATE exchange.signing_key SET withdrawn_at = :now WHERE thumbprint = :thumbprint AND withdrawn_at IS NULL"
)
_LOCK = text("SELECT pg_advisory_xact_lock(hashtextextended('exchange.signing_key', 0))")


@dataclass(frozen=True, slots=True)
class OpenKey:
    """A key ready for use: ``header`` is the JOSE header of its tokens, ``jwk`` what is published of it.

    ``x5t`` is base64url of its certificate's SHA-1, by which tokens of Altinn 2's name it, both as ``kid`` and ``x5t``
    (consent.md §2.9).
    """

    signer: LocalSigner
    public: PublicKey
    header: bytes
    jwk: Mapping[str, Any]
    x5t: str

    def sign(self, claims: Mapping[str, Any]) -> str:
        """A compact JWT."""
        return self._signed(claims, self.header)

    def sign_as_altinn2(self, claims: Mapping[str, Any]) -> str:
        """A compact JWT that names its key as Altinn 2's tokens do."""
        header = {"alg": self.signer.alg, "kid": self.x5t, "x5t": self.x5t, "typ": "JWT"}
        return self._signed(claims, _compact(header))

    @property
    def altinn2_jwk(self) -> Mapping[str, Any]:
        """What is published of it for those tokens."""
        return {**self.jwk, "kid": self.x5t, "x5t": self.x5t}

    def _signed(self, claims: Mapping[str, Any], header: bytes) -> str:
        return self.signer.sign(_compact(claims), header).decode()


@dataclass(frozen=True, slots=True)
class Ring:
    """The keys as they were read at ``read_at``: those published, by thumbprint, and the one that signs."""

    read_at: datetime
    keys: Mapping[str, OpenKey]
    signer: OpenKey


class AltinnKeys:
    """Makes, keeps and rotates the keys, and follows what other nodes do with them within a second."""

    def __init__(
        self, database: Database, master_key: MasterKey, clock: Clock, issuer: str, *, bits: int = 2048
    ) -> None:
        self._database = database
        self._master_key = master_key
        self._clock = clock
        self._issuer = issuer
        self._bits = bits
        self._opened: dict[str, OpenKey] = {}
        self._ring: Ring | None = None
        self._flights: SingleFlight[Ring] = SingleFlight()

    async def ring(self) -> Ring:
        """The keys now; makes one when there is none that lasts. Of many nodes that ask at once, one makes it."""
        ring = self._ring
        if ring is not None and abs(self._clock() - ring.read_at) < _READ_EVERY:
            return ring
        return await self._flights.run_async("ring", self._read)

    async def find(self, kid: str) -> PublicKey | None:
        """The published key of that name: a ``KeySource`` for verifiers in the same process."""
        key = (await self.ring()).keys.get(kid)
        return key.public if key else None

    async def altinn2_keys(self) -> list[Mapping[str, Any]]:
        """What is published for tokens of Altinn 2's: the key that signs first, then the others (consent.md §2.9)."""
        ring = await self.ring()
        others = [key for key in ring.keys.values() if key is not ring.signer]
        return [key.altinn2_jwk for key in (ring.signer, *others)]

    async def sign_as_altinn2(self, claims: Mapping[str, Any]) -> str:
        """A token of Altinn 2's with these claims, ``iss`` among them."""
        return (await self.ring()).signer.sign_as_altinn2(claims)

    async def rotate(self, *, withdraw: str | None = None, trace_id: str = "") -> str:
        """Publish a new key, which signs 48 hours from now; returns its thumbprint.

        ``withdraw`` names one that was compromised: no node publishes it any more, nor believes what it signed.

        Raises:
            KeyNotWithdrawnError: there is no key of that name; nothing was done.
        """
        now = self._clock()
        async with self._database.transaction() as connection:
            await connection.execute(_LOCK)
            thumbprint = await self._add(connection, now, trace_id)
            if withdraw is not None:
                await self._withdraw(connection, withdraw, now, trace_id)
        self._ring = None
        return thumbprint

    async def _read(self) -> Ring:
        now = self._clock()
        async with self._database.transaction() as connection:
            times = await _times(connection)
            if _ends_soon(now, times):
                await connection.execute(_LOCK)
                times = await _times(connection)
                if _ends_soon(now, times):
                    await self._add(connection, now, "")
                    times = await _times(connection)
            published = valid_at(now, times)
            keys = await self._open(connection, [key.thumbprint for key in published])
        signs = signer_at(now, published)
        assert signs is not None  # noqa: S101 - one was made if there was none
        ring = Ring(now, keys, keys[signs.thumbprint])
        self._ring = ring
        return ring

    async def _withdraw(self, connection: AsyncConnection, thumbprint: str, now: datetime, trace_id: str) -> None:
        found = is_key_id(thumbprint)  # PostgreSQL could not hold any text
        if found:
            done = await connection.execute(_WITHDRAW, {"thumbprint": thumbprint, "now": now})
            found = done.rowcount == 1
        if not found:
            raise KeyNotWithdrawnError(f"there is no signing key {thumbprint!r} to withdraw")
        await self._record(connection, now, "withdraw", thumbprint, trace_id)

    async def _add(self, connection: AsyncConnection, now: datetime, trace_id: str) -> str:
        signer = LocalSigner.generate(bits=self._bits)
        not_before = now.replace(microsecond=0)  # a certificate counts whole seconds
        not_after = not_before + CERTIFICATE_LIFETIME
        certificate = self_signed_certificate(signer, self._issuer, not_before, not_after)
        thumbprint = _thumbprint(certificate).hex().upper()
        row = {
            "thumbprint": thumbprint,
            "sealed": self._master_key.seal(signer.to_pem(), _context(thumbprint)),
            "certificate": certificate,
            "not_before": not_before,
            "not_after": not_after,
        }
        await connection.execute(_INSERT, row)
        await self._record(connection, now, "create", thumbprint, trace_id)
        return thumbprint

    async def _open(self, connection: AsyncConnection, thumbprints: Sequence[str]) -> dict[str, OpenKey]:
        new = [thumbprint for thumbprint in thumbprints if thumbprint not in self._opened]
        if new:
            for row in (await connection.execute(_SEALED, {"thumbprints": new})).mappings():
                self._opened[row["thumbprint"]] = self._open_one(row["sealed"], row["certificate"])
        self._opened = {thumbprint: self._opened[thumbprint] for thumbprint in thumbprints}
        return dict(self._opened)

    def _open_one(self, sealed: bytes, certificate: bytes) -> OpenKey:
        digest = _thumbprint(certificate)
        kid = digest.hex().upper()
        pem = self._master_key.open(sealed, _context(kid))
        # The seal says that nobody has changed the key since we made it: no need to prove that it is one.
        signer = LocalSigner.from_native(load_pem_private_key(pem, None, unsafe_skip_rsa_key_validation=True), kid)
        x5t = b64url_encode(digest).decode()
        header = {"alg": signer.alg, "kid": kid, "x5t": x5t, "typ": "JWT"}
        numbers = signer.public.to_jwk()
        jwk = {"kty": "RSA", "use": "sig", "kid": kid, "e": numbers["e"], "n": numbers["n"],
               "x5c": [base64.b64encode(certificate).decode()]}  # fmt: skip
        return OpenKey(signer, signer.public, _compact(header), jwk, x5t)

    async def _record(self, connection: AsyncConnection, at: datetime, verb: str, kid: str, trace_id: str) -> None:
        event = AuditEvent(at, "exchange", f"signing_key:{verb}", "done", trace_id, "operator", kid)
        await record(connection, event)


async def _times(connection: AsyncConnection) -> list[KeyTimes]:
    return [KeyTimes(**row) for row in (await connection.execute(_TIMES)).mappings()]


def _ends_soon(now: datetime, times: Sequence[KeyTimes]) -> bool:
    return all(key.not_after - now < RENEW_BEFORE for key in valid_at(now, times))


def _compact(document: Mapping[str, Any]) -> bytes:
    return json.dumps(document, separators=(",", ":")).encode()


def _thumbprint(certificate: bytes) -> bytes:
    """SHA-1, as RFC 7515 §4.1.7 has it: a name, on whose strength nothing rests."""
    return hashlib.sha1(certificate, usedforsecurity=False).digest()


def _context(thumbprint: str) -> str:
    return f"exchange.signing_key:{thumbprint}"

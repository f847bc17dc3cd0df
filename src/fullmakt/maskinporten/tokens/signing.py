"""The keys that sign access tokens: made, published ahead of their first use, and kept for a while after their last.

A verifier may cache the key set for as long as its ``Cache-Control`` says. A new key is therefore published that long
before it signs, and an old one stays published until every token that it signed has expired and every cache that could
ask for it is gone (maskinporten.md §1.4).
"""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from fullmakt.infra import feed
from fullmakt.infra.audit import AuditEvent, record
from fullmakt.infra.database import Database
from fullmakt.infra.secrets import MasterKey
from fullmakt.jose.keys import LocalSigner, Signer
from fullmakt.jose.self_signed import self_signed_certificate
from fullmakt.kernel.clock import Clock
from fullmakt.maskinporten.tokens.config import TokensConfig
from fullmakt.wire.maskinporten.registry import TOPIC

CHANGE_KEY = "signing-keys"
"""What the feed says when there is a new key."""
LEAD_MARGIN = timedelta(seconds=60)
"""Added to the time for which verifiers may cache, for those who fetched in the moment of publication."""
LONGEST_TOKEN = timedelta(days=1)

_INSERT = text(
    "INSERT INTO tokens.signing_key (kid, alg, sealed, certificate, publish_from, sign_from)"
    " VALUES (:kid, :alg, :sealed, :certificate, :publish_from, :sign_from)"
)
_ALL = text(
    "SELECT kid, alg, sealed, certificate, publish_from, sign_from FROM tokens.signing_key ORDER BY sign_from, kid"
)
_LOCK = text("SELECT pg_advisory_xact_lock(hashtextextended('tokens.signing_key', 0))")


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A key and its times: in the key set from ``publish_from``, signing from ``sign_from`` until the next one does."""

    signer: Signer
    jwk: dict[str, Any]
    publish_from: datetime
    sign_from: datetime


class KeyRing:
    """The signing keys as this process knows them, oldest first."""

    def __init__(self, keys: Sequence[SigningKey], *, retire_after: timedelta) -> None:
        self._keys = tuple(keys)
        self._retire_after = retire_after

    def signer_at(self, now: datetime) -> Signer:
        """The key that signs at ``now``."""
        started = [key for key in self._keys if key.sign_from <= now]
        return (started[-1] if started else self._keys[0]).signer

    def published_at(self, now: datetime) -> list[SigningKey]:
        """The keys in the key set at ``now``, oldest first."""
        return [
            key
            for key, successor in zip(self._keys, (*self._keys[1:], None), strict=True)
            if key.publish_from <= now and (successor is None or now < successor.sign_from + self._retire_after)
        ]

    def jwks(self, now: datetime) -> bytes:
        """The key set to publish, as JSON (§1.4)."""
        return json.dumps({"keys": [key.jwk for key in self.published_at(now)]}, separators=(",", ":")).encode()


class SigningKeys:
    """Makes, keeps and rotates the signing keys in PostgreSQL, sealed under the master key."""

    def __init__(self, database: Database, master_key: MasterKey, clock: Clock, config: TokensConfig) -> None:
        self._database = database
        self._master_key = master_key
        self._clock = clock
        self._config = config

    @property
    def lead(self) -> timedelta:
        """How long a key is published before it signs."""
        return timedelta(seconds=self._config.jwks_max_age) + LEAD_MARGIN

    async def ring(self) -> KeyRing:
        """All keys; makes the first one when there is none. Many nodes may ask at once: one key comes of it."""
        async with self._database.transaction() as connection:
            rows = (await connection.execute(_ALL)).mappings().all()
            if not rows:
                await connection.execute(_LOCK)
                rows = (await connection.execute(_ALL)).mappings().all()
            if not rows:
                now = self._clock()
                await self._add(connection, publish_from=now, sign_from=now, trace_id="")
                rows = (await connection.execute(_ALL)).mappings().all()
        keys = [SigningKey(self._open(row), self._jwk(row), row["publish_from"], row["sign_from"]) for row in rows]
        return KeyRing(keys, retire_after=self.lead + LONGEST_TOKEN)

    async def rotate(self, *, at_once: bool = False, trace_id: str = "") -> SigningKey:
        """Add a key that signs when every cache that follows ``Cache-Control`` has it.

        ``at_once`` lets it sign immediately: for a compromise, at the cost of verifiers that have not fetched it yet.
        """
        now = self._clock()
        async with self._database.transaction() as connection:
            await connection.execute(_LOCK)
            sign_from = now if at_once else now + self.lead
            row = await self._add(connection, publish_from=now, sign_from=sign_from, trace_id=trace_id)
            await feed.publish(connection, TOPIC, [CHANGE_KEY])
        return SigningKey(self._open(row), self._jwk(row), now, sign_from)

    async def _add(
        self, connection: AsyncConnection, *, publish_from: datetime, sign_from: datetime, trace_id: str
    ) -> dict[str, Any]:
        signer = LocalSigner.generate(bits=self._config.signing_key_bits, ec_key=self._config.signing_alg == "ES256")
        certificate = self_signed_certificate(
            signer, self._config.issuer, publish_from, publish_from + timedelta(days=3 * 365)
        )
        row = {
            "kid": signer.kid,
            "alg": signer.alg,
            "sealed": self._master_key.seal(signer.to_pem(), _context(signer.kid)),
            "certificate": certificate,
            "publish_from": publish_from,
            "sign_from": sign_from,
        }
        await connection.execute(_INSERT, row)
        facts = {"alg": signer.alg, "sign_from": sign_from.isoformat()}
        await record(
            connection,
            AuditEvent(
                publish_from, "tokens", "signing_key:create", "done", trace_id, "operator", signer.kid, "", facts
            ),
        )
        return row

    def _open(self, row: Any) -> LocalSigner:
        return LocalSigner.from_pem(self._master_key.open(row["sealed"], _context(row["kid"])), row["kid"])

    def _jwk(self, row: Any) -> dict[str, Any]:
        jwk = self._open(row).public_jwk()
        return {**jwk, "x5c": [base64.b64encode(row["certificate"]).decode()]}


def _context(kid: str) -> str:
    return f"tokens.signing_key:{kid}"

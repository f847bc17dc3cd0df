"""The keys that sign access tokens: made, kept and rotated in PostgreSQL, and followed by every node."""

from __future__ import annotations

import base64
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from cryptography.hazmat.primitives.serialization import load_pem_private_key
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from fullmakt.infra import feed
from fullmakt.infra.audit import AuditEvent, record
from fullmakt.infra.database import Database, DatabaseUnavailableError, answered_within
from fullmakt.infra.secrets import MasterKey
from fullmakt.jose.keys import LocalSigner, is_key_id
from fullmakt.jose.multi_buffer import MultiBuffer
from fullmakt.jose.self_signed import self_signed_certificate
from fullmakt.kernel.clock import Clock
from fullmakt.kernel.single_flight import SingleFlight
from fullmakt.maskinporten.tokens.config import TokensConfig
from fullmakt.maskinporten.tokens.key_ring import KeyRing, Rota, SigningKey, Turn
from fullmakt.maskinporten.tokens.rules import LONGEST_TOKEN
from fullmakt.wire.maskinporten.registry import TOPIC

CHANGE_KEY = "signing-keys"
"""What the feed says when there is a new key."""
LEAD_MARGIN = timedelta(seconds=60)
"""Added to the time for which verifiers may cache, for those who fetched in the moment of publication."""

_INSERT = text(
    "INSERT INTO tokens.signing_key (kid, alg, sealed, certificate, publish_from, sign_from)"
    " VALUES (:kid, :alg, :sealed, :certificate, :publish_from, :sign_from)"
)
_TURNS = text("SELECT kid, publish_from, sign_from, withdrawn_at FROM tokens.signing_key")
_SEALED = text("SELECT kid, sealed, certificate FROM tokens.signing_key WHERE kid = ANY(:kids)")
_WITHDRAW = text("UPDATE tokens.signing_key SET withdrawn_at = coalesce(withdrawn_at, :now) WHERE kid = :kid")
_SIGN_NOW = text("UPDATE tokens.signing_key SET sign_from = :now WHERE kid = :kid")
_LOCK = text("SELECT pg_advisory_xact_lock(hashtextextended('tokens.signing_key', 0))")


class KeyNotWithdrawnError(Exception):
    """The key can not be withdrawn; the message says why, and what to do."""


class SigningKeys:
    """Makes, keeps and rotates the signing keys in PostgreSQL, sealed under the master key.

    A key never changes: what has been opened once is kept. With ``multi_buffer`` it signs by eights.
    """

    def __init__(
        self,
        database: Database,
        master_key: MasterKey,
        clock: Clock,
        config: TokensConfig,
        multi_buffer: MultiBuffer | None = None,
    ) -> None:
        self._database = database
        self._master_key = master_key
        self._clock = clock
        self._config = config
        self._multi_buffer = multi_buffer
        self._opened: dict[str, tuple[LocalSigner, dict[str, Any]]] = {}

    @property
    def lead(self) -> timedelta:
        """How long a key is published before it signs."""
        return timedelta(seconds=self._config.jwks_max_age) + LEAD_MARGIN

    async def ring(self) -> KeyRing:
        """The keys in use; makes the first one when there is none. Many nodes may ask at once: one key comes of it."""
        now = self._clock()
        async with self._database.transaction() as connection:
            rota = await self._rota(connection)
            if not rota.signers:
                await connection.execute(_LOCK)
                rota = await self._rota(connection)
            if not rota.signers:
                await self._add(connection, publish_from=now, sign_from=now, trace_id="")
                rota = await self._rota(connection)
            turns = rota.in_use(now)
            opened = await self._open_new(connection, [turn.kid for turn in turns])
        return KeyRing(rota, {turn.kid: SigningKey(turn, *opened[turn.kid]) for turn in turns})

    async def rotate(self, *, at_once: bool = False, withdraw: str | None = None, trace_id: str = "") -> Turn:
        """Add a key that signs when every cache that follows ``Cache-Control`` has it.

        ``at_once`` lets it sign immediately: for a compromise, at the cost of verifiers that have not fetched it yet.
        ``withdraw`` names the key that was compromised, to be taken back in the same transaction.

        Raises:
            KeyNotWithdrawnError: there is no key of that name; nothing was done.
        """
        now = self._clock()
        async with self._database.transaction() as connection:
            await connection.execute(_LOCK)
            publish_from = (await self._rota(connection)).next_after(now)
            sign_from = now if at_once else publish_from + self.lead
            turn = await self._add(connection, publish_from=publish_from, sign_from=sign_from, trace_id=trace_id)
            if withdraw is not None:
                signs = await self._withdraw(connection, withdraw, now, trace_id)
                turn = signs if signs.kid == turn.kid else turn
            await feed.publish(connection, TOPIC, [CHANGE_KEY])
        return turn

    async def withdraw(self, kid: str, *, trace_id: str = "") -> Turn:
        """Take a key back: no node signs with it again, nor publishes it. Returns the one that signs from now on.

        When it was the one that signed, the first of those that wait takes over at once, known or not to verifiers.

        Raises:
            KeyNotWithdrawnError: there is no such key, or no other to sign.
        """
        async with self._database.transaction() as connection:
            await connection.execute(_LOCK)
            signs = await self._withdraw(connection, kid, self._clock(), trace_id)
            await feed.publish(connection, TOPIC, [CHANGE_KEY])
        return signs

    async def _withdraw(self, connection: AsyncConnection, kid: str, now: datetime, trace_id: str) -> Turn:
        if not await self._mark_withdrawn(connection, kid, now):
            raise KeyNotWithdrawnError(f"there is no signing key {kid!r}: `fullmakt keys list` names them")
        rota = await self._rota(connection)
        if not rota.signers:
            raise KeyNotWithdrawnError(
                f"without {kid} there is none to sign: `fullmakt keys rotate --at-once --withdraw {kid}` makes another"
            )
        signs = rota.signer_at(now)
        if signs.sign_from > now:
            await connection.execute(_SIGN_NOW, {"kid": signs.kid, "now": now})
            signs = replace(signs, sign_from=now)
        await self._record(connection, now, "withdraw", kid, trace_id, {"signs": signs.kid})
        return signs

    async def _mark_withdrawn(self, connection: AsyncConnection, kid: str, now: datetime) -> bool:
        if not is_key_id(kid):  # nor could PostgreSQL hold any text
            return False
        return (await connection.execute(_WITHDRAW, {"kid": kid, "now": now})).rowcount == 1

    async def _rota(self, connection: AsyncConnection) -> Rota:
        rows = (await connection.execute(_TURNS)).mappings().all()
        return Rota([Turn(**row) for row in rows], retire_after=self.lead + timedelta(seconds=LONGEST_TOKEN))

    async def _add(
        self, connection: AsyncConnection, *, publish_from: datetime, sign_from: datetime, trace_id: str
    ) -> Turn:
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
        await self._record(connection, publish_from, "create", signer.kid, trace_id, facts)
        return Turn(signer.kid, publish_from, sign_from)

    async def _record(
        self, connection: AsyncConnection, at: datetime, verb: str, kid: str, trace_id: str, facts: dict[str, Any]
    ) -> None:
        event = AuditEvent(at, "tokens", f"signing_key:{verb}", "done", trace_id, "operator", kid, "", facts)
        await record(connection, event)

    async def _open_new(
        self, connection: AsyncConnection, kids: Sequence[str]
    ) -> dict[str, tuple[LocalSigner, dict[str, Any]]]:
        """Open the keys that are not yet, and let go of those that are no longer used."""
        opened = {kid: self._opened[kid] for kid in kids if kid in self._opened}
        new = [kid for kid in kids if kid not in opened]
        if new:
            for row in (await connection.execute(_SEALED, {"kids": new})).mappings():
                signer = self._open(row["kid"], row["sealed"])
                x5c = [base64.b64encode(row["certificate"]).decode()]
                opened[signer.kid] = (signer, {**signer.public_jwk(), "x5c": x5c})
        self._opened = opened
        return opened

    def _open(self, kid: str, sealed: bytes) -> LocalSigner:
        pem = self._master_key.open(sealed, _context(kid))
        # Nobody has changed the numbers since we chose them, the seal says. To prove that they make an RSA key would
        # keep the whole process waiting, other threads included: 35 ms with 2048 bits, 300 with 4096.
        signer = LocalSigner.from_native(load_pem_private_key(pem, None, unsafe_skip_rsa_key_validation=True), kid)
        if self._multi_buffer is not None:
            signer.use(self._multi_buffer)
        return signer


class CurrentRing:
    """The key ring that a node signs with, read anew after the feed has told of a change.

    A change that was heard of counts until a reading that began after it has come back; one that failed is made again
    by the next who asks.
    """

    def __init__(self, read: Callable[[], Coroutine[Any, Any, KeyRing]], *, patience: float = 5.0) -> None:
        self._read_ring = read
        self._patience = patience
        self._ring: KeyRing | None = None
        self._heard = 1
        self._followed = 0
        self._flights: SingleFlight[None] = SingleFlight()

    def hear(self, changed: Sequence[str]) -> None:
        """Take note of changes on the feed."""
        if CHANGE_KEY in changed or feed.EVERYTHING in changed:
            self._heard += 1

    @property
    def loaded(self) -> bool:
        """True when it has been read once."""
        return self._ring is not None

    @property
    def stale(self) -> bool:
        """True when there is, or may be, a newer one."""
        return self._followed != self._heard

    @property
    def ring(self) -> KeyRing:
        """The ring as it was read last.

        Raises:
            DatabaseUnavailableError: it has never been read.
        """
        if self._ring is None:
            raise DatabaseUnavailableError("no signing keys yet")
        return self._ring

    async def renew(self) -> None:
        """Read it until it is not stale; all who ask at once share a reading.

        Raises:
            DatabaseUnavailableError: it can not be read now.
        """
        while self.stale:
            await self._flights.run_async("ring", self._read)

    async def _read(self) -> None:
        heard = self._heard
        # The first time there may be a key to make, which takes as long as it takes.
        self._ring = await (answered_within(self._patience, self._read_ring()) if self.loaded else self._read_ring())
        self._followed = heard


def _context(kid: str) -> str:
    return f"tokens.signing_key:{kid}"

"""Where a grant is claimed, once, and every decision is written down: one statement for all who ask at the same time.

A decision enters with the version of the registry that it was made on. The statement writes nothing when the registry
has moved on, claims each grant that nobody has claimed before, and records a ``token:issue`` event for each decision
whose claim it made, or that has none to make. A token leaves only after this returned (performance.md, rules 2 to 4).
Claims go in in their own order, so that two nodes with the same ones wait for each other in turn instead of in a
circle. Why one statement: docs/decisions/0002.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Any

import psycopg
from sqlalchemy import text

from fullmakt.infra.database import Database, DatabaseUnavailableError, answered_within
from fullmakt.wire.maskinporten.registry import TOPIC

BATCH = 32
"""Decisions in one statement at the most; those beyond it make up the next."""

_COMMIT = f"""
WITH registry AS (
    SELECT coalesce((SELECT version FROM feed.version WHERE topic = '{TOPIC}'), 0) AS version
), decision AS (
    SELECT d.* FROM registry, unnest(
        %b::bytea[], %b::bigint[], %b::text[], %b::text[], %b::text[], %b::text[], %b::text[]
    ) AS d (claim, expires_at, reason, trace_id, actor, subject, facts)
    WHERE registry.version = %b
), claimed AS (
    INSERT INTO tokens.used_grant (claim, expires_at)
    SELECT claim, expires_at FROM decision WHERE claim IS NOT NULL ORDER BY claim
    ON CONFLICT DO NOTHING RETURNING claim
), recorded AS (
    INSERT INTO audit.event (at, system, action, outcome, reason, trace_id, actor, subject, facts)
    SELECT %b, 'tokens', 'token:issue', CASE WHEN reason = '' THEN 'permit' ELSE 'deny' END,
        reason, trace_id, actor, subject, facts::jsonb
    FROM decision WHERE claim IS NULL OR claim IN (SELECT claim FROM claimed)
)
SELECT (SELECT version FROM registry), ARRAY(SELECT claim FROM claimed)
"""  # noqa: S608 - the topic is a constant

_CANCELLED_WITHIN = 0.5
"""Seconds in which a PostgreSQL that lives lets go of a statement."""
SLICE = 5_000
"""Claims that are forgotten in one transaction at the most."""
_TURN = text("SELECT pg_try_advisory_xact_lock(hashtextextended('tokens.used_grant', 0))")
_FORGET = text(
    "DELETE FROM tokens.used_grant WHERE ctid = ANY(ARRAY("
    "SELECT ctid FROM tokens.used_grant WHERE expires_at < :now LIMIT :slice))"
)


class OverloadedError(Exception):
    """More decisions wait to be written than this process takes on."""


class Verdict(Enum):
    """What became of a decision that was handed in."""

    WRITTEN = "written"
    REPLAYED = "replayed"
    STALE = "stale"
    """The registry has changed since; nothing was written."""


@dataclass(slots=True)
class Decision:
    """A decision to be written. ``claim`` is 16 bytes that stand for the grant, None when there is nothing to claim.

    ``expires_at`` is the second from which the claim may be forgotten; ``reason`` is empty for a permit; ``facts`` is
    JSON.
    """

    claim: bytes | None
    expires_at: int
    version: int
    reason: str
    trace_id: str
    actor: str
    subject: str
    facts: str
    at: datetime


Waiting = tuple[Decision, asyncio.Future[Verdict]]
"""A decision, and where its verdict goes."""

_OUTAGES = (psycopg.OperationalError, psycopg.InterfaceError, psycopg.errors.ReadOnlySqlTransaction)
"""PostgreSQL is gone, going, full, or no longer the primary. Any other error is a fault of ours."""


def next_batch(waiting: Sequence[Waiting]) -> tuple[list[Waiting], list[Waiting]]:
    """Up to 32 decisions made on one version of the registry, no claim twice; and the rest, in its order."""
    version = waiting[0][0].version
    batch: list[Waiting] = []
    rest: list[Waiting] = []
    claims: set[bytes] = set()
    for item in waiting:
        decision = item[0]
        if len(batch) < BATCH and decision.version == version and decision.claim not in claims:
            batch.append(item)
            if decision.claim is not None:
                claims.add(decision.claim)
        else:
            rest.append(item)
    return batch, rest


class Ledger:
    """Gathers decisions and writes them, 32 at a time, on a connection of its own.

    Nobody waits for a batch to fill: what has come while a statement was under way makes the next one. A statement
    that takes longer than ``patience`` seconds is given up.
    """

    def __init__(self, database: Database, *, max_queue: int = 2_000, patience: float = 5.0) -> None:
        self._database = database
        self._max_queue = max_queue
        self._patience = patience
        self._waiting: list[Waiting] = []
        self._connection: psycopg.AsyncConnection[Any] | None = None
        self._writer: asyncio.Task[None] | None = None
        self._leaving: set[asyncio.Task[None]] = set()

    @property
    def idle(self) -> bool:
        """True when nobody waits for a verdict."""
        return self._writer is None

    def write(self, decision: Decision) -> asyncio.Future[Verdict]:
        """Have one decision written and its grant claimed; the verdict comes when that is durable.

        The future raises DatabaseUnavailableError when PostgreSQL does not answer; the claim may or may not have been
        made.

        Raises:
            OverloadedError: too many wait already.
        """
        if len(self._waiting) >= self._max_queue:
            raise OverloadedError
        future: asyncio.Future[Verdict] = asyncio.get_running_loop().create_future()
        self._waiting.append((decision, future))
        if self._writer is None:
            self._writer = asyncio.create_task(self._write_waiting())
        return future

    async def _write_waiting(self) -> None:
        own, loop = asyncio.current_task(), asyncio.get_running_loop()
        while self._waiting and self._writer is own:
            batch, self._waiting = next_batch(self._waiting)
            timer = loop.call_later(self._patience, self._give_up, batch)
            try:
                await self._write_batch(batch)
            except Exception as error:  # whatever it is, those who wait must hear of it
                if self._writer is own:
                    await self._drop_connection()
                _fail(batch, error)
            finally:
                timer.cancel()
        if self._writer is own:
            self._writer = None

    async def _write_batch(self, batch: list[Waiting]) -> None:
        if self._connection is None:
            self._connection = await self._database.raw_connection()
        decisions = [decision for decision, _ in batch]
        cursor = await self._connection.cursor(binary=True).execute(
            _COMMIT,
            (
                [d.claim for d in decisions], [d.expires_at for d in decisions], [d.reason for d in decisions],
                [d.trace_id for d in decisions], [d.actor for d in decisions], [d.subject for d in decisions],
                [d.facts for d in decisions], decisions[0].version, decisions[0].at,
            ),
            prepare=True,
        )  # fmt: skip
        row = await cursor.fetchone()
        if row is None:
            raise DatabaseUnavailableError("no answer")
        version, claimed = row[0], set(row[1])
        for decision, future in batch:
            if future.done():
                continue  # the caller has gone
            if version != decision.version:
                future.set_result(Verdict.STALE)
            elif decision.claim is None or decision.claim in claimed:
                future.set_result(Verdict.WRITTEN)
            else:
                future.set_result(Verdict.REPLAYED)

    def _give_up(self, batch: list[Waiting]) -> None:
        """Leave a statement, its connection and those who wait for it to themselves: others are written on another."""
        writer, connection = self._writer, self._connection
        self._writer = self._connection = None
        if writer is not None:
            leaving = asyncio.create_task(self._abandon(batch, writer, connection))
            self._leaving.add(leaving)
            leaving.add_done_callback(self._leaving.discard)
        if self._waiting:
            self._writer = asyncio.create_task(self._write_waiting())

    async def _abandon(
        self, batch: list[Waiting], writer: asyncio.Task[None], connection: psycopg.AsyncConnection[Any] | None
    ) -> None:
        """Cancel a statement, and answer those who wait for it: as soon as that is done, so that they can try again.

        A server that neither answers nor closes the connection keeps psycopg for ten seconds; they do not wait as long.
        """
        writer.cancel()
        await asyncio.wait([writer], timeout=_CANCELLED_WITHIN)
        _fail(batch, DatabaseUnavailableError(f"no answer within {self._patience:g} s"))
        await asyncio.wait([writer])
        if connection is not None:
            await connection.close()

    async def forget_expired(self, now: int, *, slice_size: int = SLICE) -> int:
        """Delete one slice of the claims that may be forgotten at ``now`` (seconds); returns how many.

        One node does at a time; for the others there is nothing to do.

        Raises:
            DatabaseUnavailableError: PostgreSQL does not answer.
        """
        return await answered_within(self._patience, self._forget_expired(now, slice_size))

    async def _forget_expired(self, now: int, slice_size: int) -> int:
        async with self._database.transaction() as connection:
            if not (await connection.execute(_TURN)).scalar_one():
                return 0
            return (await connection.execute(_FORGET, {"now": now, "slice": slice_size})).rowcount

    async def _drop_connection(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.close()

    async def close(self) -> None:
        """Write what waits, then close the connection."""
        while self._writer is not None:
            await asyncio.wait([self._writer])
        if self._leaving:
            await asyncio.wait(self._leaving)
        await self._drop_connection()


def _fail(batch: list[Waiting], error: Exception) -> None:
    if isinstance(error, _OUTAGES):
        outage = DatabaseUnavailableError(type(error).__name__)
        outage.__cause__ = error
        error = outage
    for _, future in batch:
        if not future.done():
            future.set_exception(error)

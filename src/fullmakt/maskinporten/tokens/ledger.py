"""Where a grant is claimed, once, and every decision is written down: one statement for all who ask at the same time.

A decision enters with the version of the registry that it was made on. The statement writes nothing when the registry
has moved on, claims each grant that nobody has claimed before, and records an event for every decision: ``token:issue``
as decided, or refused as ``replayed`` when the claim was taken. A token leaves only after this returned
(performance.md, rules 2 to 4). Claims go in in their own order, so that two nodes with the same ones wait for each
other in turn instead of in a circle. Why one statement: docs/decisions/0002.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Any

import psycopg

from fullmakt.infra.database import DatabaseUnavailableError
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
    FROM (
        SELECT d.*, CASE WHEN d.claim IS NULL OR c.claim IS NOT NULL THEN d.reason ELSE 'replayed' END AS final
        FROM decision d LEFT JOIN claimed c USING (claim)
    ) AS e (claim, expires_at, decided, trace_id, actor, subject, facts, reason)
)
SELECT (SELECT version FROM registry), ARRAY(SELECT claim FROM claimed)
"""  # noqa: S608 - the topic is a constant

_FORGET = """
DELETE FROM tokens.used_grant WHERE ctid = ANY(ARRAY(
    SELECT ctid FROM tokens.used_grant WHERE expires_at < %s LIMIT %s
))
"""


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

_OUTAGES = (psycopg.Error, TimeoutError, DatabaseUnavailableError)


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

    def __init__(
        self,
        connect: Callable[[], Awaitable[psycopg.AsyncConnection[Any]]],
        *,
        max_queue: int = 2_000,
        patience: float = 5.0,
    ) -> None:
        self._connect = connect
        self._max_queue = max_queue
        self._patience = patience
        self._waiting: list[Waiting] = []
        self._connection: psycopg.AsyncConnection[Any] | None = None
        self._writer: asyncio.Task[None] | None = None

    async def write(self, decision: Decision) -> Verdict:
        """Write one decision and claim its grant.

        Raises:
            OverloadedError: too many wait already.
            DatabaseUnavailableError: PostgreSQL does not answer. The claim may or may not have been made.
        """
        if len(self._waiting) >= self._max_queue:
            raise OverloadedError
        future: asyncio.Future[Verdict] = asyncio.get_running_loop().create_future()
        self._waiting.append((decision, future))
        if self._writer is None:
            self._writer = asyncio.create_task(self._write_waiting())
        return await future

    async def _write_waiting(self) -> None:
        try:
            while self._waiting:
                batch, self._waiting = next_batch(self._waiting)
                try:
                    async with asyncio.timeout(self._patience):
                        await self._write_batch(batch)
                except Exception as error:  # whatever it is, those who wait must hear of it
                    await self._drop_connection()
                    fault = DatabaseUnavailableError(type(error).__name__) if isinstance(error, _OUTAGES) else error
                    for _, future in batch:
                        if not future.done():
                            future.set_exception(fault)
        finally:
            self._writer = None

    async def _write_batch(self, batch: list[Waiting]) -> None:
        if self._connection is None:
            self._connection = await self._connect()
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

    async def forget_expired(self, now: int, *, slice_size: int = 5_000) -> int:
        """Delete one slice of claims whose grants have expired; returns how many. Runs on a connection of its own."""
        connection = await self._connect()
        try:
            return (await connection.execute(_FORGET, (now, slice_size))).rowcount
        except psycopg.Error as error:
            raise DatabaseUnavailableError(type(error).__name__) from error
        finally:
            await connection.close()

    async def _drop_connection(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.close()

    async def close(self) -> None:
        """Write what waits, then close the connection."""
        if self._writer is not None:
            await asyncio.wait([self._writer])
        await self._drop_connection()

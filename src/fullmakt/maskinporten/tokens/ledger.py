"""Where a grant is claimed, once, and every decision is written down: one statement for all who ask at the same time.

A decision enters with the version of the registry that it was made on. The statement writes nothing when the registry
has moved on, claims each grant that nobody has claimed before, and records a ``token:issue`` event for each decision
whose claim it made, or that has none to make. A token leaves only after this returned (performance.md, rules 2 to 4).
Claims go in in their own order, so that two nodes with the same ones wait for each other in turn instead of in a
circle. Why one statement: docs/decisions/0002. How they are gathered: ``infra/group_commit.py``.
"""

from __future__ import annotations

from collections.abc import Container, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum

import orjson
from sqlalchemy import text

from fullmakt.infra import group_commit
from fullmakt.infra.database import Database, DatabaseUnavailableError, answered_within
from fullmakt.infra.group_commit import BATCH, Connection, GroupCommit
from fullmakt.maskinporten.tokens.drafts import Draft
from fullmakt.maskinporten.tokens.model import Standing, Watched
from fullmakt.wire.maskinporten.registry import TOPIC

# %s: the common table expressions that end in ``decision``, and the claims of which what they watch has changed.
_STATEMENT = f"""
WITH registry AS (
    SELECT coalesce((SELECT version FROM feed.version WHERE topic = '{TOPIC}'), 0) AS version
), altinn AS (
    SELECT coalesce(sum(version), 0)::bigint AS version FROM feed.version WHERE topic = ANY(%%b::text[])
), %s, claimed AS (
    INSERT INTO tokens.used_grant (claim, expires_at)
    SELECT claim, expires_at FROM decision WHERE claim IS NOT NULL ORDER BY claim
    ON CONFLICT DO NOTHING RETURNING claim
), recorded AS (
    INSERT INTO audit.event (at, system, action, outcome, reason, trace_id, actor, subject, facts)
    SELECT %%b, 'tokens', 'token:issue', CASE WHEN reason = '' THEN 'permit' ELSE 'deny' END,
        reason, trace_id, actor, subject, facts
    FROM decision WHERE claim IS NULL OR claim IN (SELECT claim FROM claimed)
)
SELECT (SELECT version FROM registry), (SELECT version FROM altinn), ARRAY(SELECT claim FROM claimed), %s
"""  # noqa: S608 - the topic is a constant
_FIELDS = "decode(d.claim, 'hex') AS claim, d.expires_at, d.reason, d.trace_id, d.actor, d.subject, d.facts"
_COLUMNS = "claim text, expires_at bigint, reason text, trace_id text, actor text, subject text, facts jsonb"
_HOLDS = "registry.version = %b AND altinn.version = coalesce(%b::bigint, altinn.version)"

_COMMIT = _STATEMENT % (
    f"""decision AS (
    SELECT {_FIELDS} FROM registry, altinn, json_to_recordset(%b::text::json) AS d ({_COLUMNS}) WHERE {_HOLDS}
)""",  # noqa: S608
    "ARRAY[]::bytea[]",
)
# The case keeps PostgreSQL from going through the whole feed for a batch: it is one look-up in an index a decision.
_COMMIT_WATCHED = _STATEMENT % (
    f"""made AS MATERIALIZED (
    SELECT {_FIELDS}, CASE WHEN d.topic IS NULL THEN false ELSE EXISTS (
        SELECT FROM feed.change c WHERE c.topic = d.topic AND c.version > d.since AND c.key = d.key
    ) END AS moved
    FROM registry, altinn,
        json_to_recordset(%b::text::json) AS d ({_COLUMNS}, topic text, key text, since bigint)
    WHERE {_HOLDS}
), decision AS (
    SELECT * FROM made WHERE NOT moved
)""",  # noqa: S608
    "ARRAY(SELECT claim FROM made WHERE moved)",
)

SLICE = 5_000
"""Claims that are forgotten in one transaction at the most."""
_TURN = text("SELECT pg_try_advisory_xact_lock(hashtextextended('tokens.used_grant', 0))")
_FORGET = text(
    "DELETE FROM tokens.used_grant WHERE ctid = ANY(ARRAY("
    "SELECT ctid FROM tokens.used_grant WHERE expires_at < :now LIMIT :slice))"
)


class Verdict(Enum):
    """What became of a decision that was handed in."""

    WRITTEN = "written"
    REPLAYED = "replayed"
    STALE = "stale"
    """What it rests on has changed since; nothing was written."""


@dataclass(slots=True)
class Decision:
    """A decision to be written. ``claim`` is 16 bytes that stand for the grant, None when there is nothing to claim.

    ``expires_at`` is the second from which the claim may be forgotten; ``reason`` is empty for a permit; ``facts`` is
    JSON. ``standing`` is there for a decision that rests on what Altinn said. ``draft`` is the token, signed as soon as
    the decision is durable, before anybody is told. The tokens of a batch are signed together: the processor may do
    several at once, and even where it can not, a signature that takes turns with other work finds the caches cold,
    which costs 10 to 15 µs a token (measured 2026-11-21).
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
    standing: Standing | None = None
    watched: Watched | None = None
    draft: Draft | None = None


Result = Verdict | bytes
"""What became of a decision, or the token that it was about."""

Waiting = group_commit.Waiting[Decision, Result]


def next_batch(waiting: Sequence[Waiting]) -> tuple[list[Waiting], list[Waiting]]:
    """Up to 32 decisions made on one version of the registry, of which all that rest on Altinn do so on the same.

    No claim twice; and the rest, in its order.
    """
    version = waiting[0][0].version
    standing: Standing | None = None
    batch: list[Waiting] = []
    rest: list[Waiting] = []
    claims: set[bytes] = set()
    for item in waiting:
        decision = item[0]
        agrees = decision.version == version and (
            decision.standing is None or standing is None or decision.standing == standing
        )
        if len(batch) < BATCH and agrees and decision.claim not in claims:
            batch.append(item)
            if decision.standing is not None:
                standing = decision.standing
            if decision.claim is not None:
                claims.add(decision.claim)
        else:
            rest.append(item)
    return batch, rest


def _verdict(decision: Decision, claimed: Container[bytes], moved: Container[bytes]) -> Verdict:
    if decision.claim is None or decision.claim in claimed:
        return Verdict.WRITTEN
    return Verdict.STALE if decision.claim in moved else Verdict.REPLAYED


def _rows(items: Sequence[Decision]) -> list[dict[str, object]]:
    """What the statement reads of each decision."""
    rows: list[dict[str, object]] = [
        {
            "claim": d.claim.hex() if d.claim is not None else None, "expires_at": d.expires_at,
            "reason": d.reason, "trace_id": d.trace_id, "actor": d.actor, "subject": d.subject,
            "facts": orjson.Fragment(d.facts),
        }
        for d in items
    ]  # fmt: skip
    for row, d in zip(rows, items, strict=True):
        if d.watched is not None:
            row |= {"topic": d.watched.topic, "key": d.watched.key, "since": d.watched.version}
    return rows


class Ledger(GroupCommit[Decision, Result]):
    """Gathers decisions and writes them, up to 32 at a time; ``write`` gives the verdict on one."""

    def __init__(self, database: Database, *, max_queue: int = 2_000, patience: float = 5.0) -> None:
        super().__init__(database, max_queue=max_queue, patience=patience)

    def next_batch(self, waiting: list[Waiting]) -> tuple[list[Waiting], list[Waiting]]:
        """As the function of that name."""
        return next_batch(waiting)

    async def write_items(self, connection: Connection, items: Sequence[Decision]) -> list[Result]:
        """One statement for all of them."""
        first = items[0]
        standing = next((d.standing for d in items if d.standing is not None), None)
        topics, rests_on = (list(standing.topics), standing.version) if standing is not None else ([], None)
        # One document costs a third of seven arrays, which psycopg puts together item by item.
        document = orjson.dumps(_rows(items)).decode()
        statement = _COMMIT if all(d.watched is None for d in items) else _COMMIT_WATCHED
        cursor = await connection.cursor(binary=True).execute(
            statement, (topics, document, first.version, rests_on, first.at), prepare=True
        )
        row = await cursor.fetchone()
        if row is None:
            raise DatabaseUnavailableError("no answer")
        registry, altinn, claimed, moved = row[0], row[1], set(row[2]), set(row[3])
        if registry != first.version or (rests_on is not None and altinn != rests_on):
            return [Verdict.STALE] * len(items)
        verdicts = [_verdict(d, claimed, moved) for d in items]
        written = zip(items, verdicts, strict=True)
        Draft.sign_all(d.draft for d, verdict in written if verdict is Verdict.WRITTEN and d.draft is not None)
        return [
            verdict if verdict is not Verdict.WRITTEN or d.draft is None else d.draft.sign()
            for d, verdict in zip(items, verdicts, strict=True)
        ]

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

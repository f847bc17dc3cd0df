"""What receivers, givers and owners read by the page."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from uuid import UUID

from fullmakt.altinn.consents import feed_store, store
from fullmakt.altinn.consents.feed_store import FIRST, Wanted
from fullmakt.altinn.consents.model import Consent, ConsentEvent, EventType, Status
from fullmakt.altinn.consents.work import Work
from fullmakt.kernel.ordered_ids import first_id_at

LAG = dt.timedelta(seconds=300)
"""Younger events are held back: one that was made a little earlier might yet be committed (§4.6)."""
_MOMENT = dt.timedelta(microseconds=1)
MOST = 1_000
"""Requests in a giver's list."""


class Feeds:
    """Reads, each in a transaction of its own."""

    def __init__(self, work: Work) -> None:
        self._work = work

    async def events(
        self,
        receiver: UUID,
        limit: int,
        *,
        after: UUID | None = None,
        created_after: dt.datetime | None = None,
        created_before: dt.datetime | None = None,
        types: Collection[EventType] = (),
        consent_id: UUID | None = None,
    ) -> list[ConsentEvent]:
        """The first ``limit`` events after the one with the id ``after``, oldest first.

        ``created_after`` is the first moment that counts, ``created_before`` the first that does not.
        """
        wanted = Wanted(
            receiver,
            after=after or FIRST,
            from_id=FIRST if created_after is None else _edge(created_after),
            to_id=first_id_at(self._work.clock() - LAG + _MOMENT),
            types=types,
            consent_id=consent_id,
        )
        if created_before is not None:
            wanted = replace(wanted, to_id=min(wanted.to_id, _edge(created_before)))
        async with self._work.database.transaction() as connection:
            return await feed_store.events(connection, wanted, limit)

    async def of_giver(self, giver: UUID) -> list[Consent]:
        """The newest thousand consents that the party was asked for, newest first."""
        async with self._work.database.transaction() as connection:
            return await feed_store.of_giver(connection, giver, MOST)

    async def count(self, giver: UUID, status: Status | None) -> int:
        """How many requests the giver's list shows, of those whose time is not over."""
        async with self._work.database.transaction() as connection:
            named = None if status is None else status.value
            return await feed_store.count(connection, giver, named, self._work.clock())

    async def histories(self, consent_ids: Collection[UUID]) -> Mapping[UUID, Sequence[ConsentEvent]]:
        """What has happened to each of the consents."""
        async with self._work.database.transaction() as connection:
            return await store.events(connection, consent_ids)

    async def of_resources(
        self,
        resources: Collection[str],
        limit: int,
        *,
        after: tuple[dt.datetime, UUID] | None = None,
        statuses: Collection[Status] = (Status.ACCEPTED, Status.REVOKED),
    ) -> list[Consent]:
        """The first ``limit`` consents on ``resources`` that were given, after the one that changed last ``after``."""
        async with self._work.database.transaction() as connection:
            return await feed_store.of_resources(
                connection,
                resources,
                [one.value for one in statuses],
                self._work.clock(),
                after or (dt.datetime.min.replace(tzinfo=dt.UTC), FIRST),
                limit,
            )


def _edge(at: dt.datetime) -> UUID:
    """The first id that what was made at ``at`` can have; of times before 1970, the first of all."""
    return FIRST if at.year < 1970 else first_id_at(at)

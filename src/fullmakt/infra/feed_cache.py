"""What a process remembers of a neighbour's data, and up to which version of the change feed it holds.

Whoever decides on what is in here hands the version on to the statement that writes the decision down, which does so
only if the feed has not moved on; when it has, the cache catches up and the request is decided anew. So a stale entry
can cost time but never a wrong answer. Why: docs/decisions/0002 and 0003.
"""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections import OrderedDict
from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import Generic, TypeVar

from fullmakt.infra.database import answered_within
from fullmakt.infra.feed import EVERYTHING, Changes
from fullmakt.infra.unavailable import UnavailableError

Key = TypeVar("Key", bound=Hashable)
Entry = TypeVar("Entry")

MAX_GROUP = 500
"""Keys asked for in one query."""


class FeedCache(ABC, Generic[Key, Entry]):
    """The entries used last, at most ``capacity`` of them. A subclass says where they are from and what a change means.

    ``on_change`` is told the changed keys of the feed before the version moves on to where they are known, so that
    whoever reads the version can not miss them. The source has ``patience`` seconds for each answer.
    """

    def __init__(self, capacity: int, *, patience: float = 5.0) -> None:
        self.on_change: Callable[[Sequence[str]], None] = _ignore
        self.entries: OrderedDict[Key, Entry] = OrderedDict()
        self.version = 0
        self._capacity = capacity
        self._patience = patience
        self._wanted: dict[Key, asyncio.Future[Entry | None]] = {}
        self._loading: asyncio.Task[None] | None = None
        self._catching_up: asyncio.Task[Sequence[str]] | None = None

    @abstractmethod
    async def fetch(self, keys: Sequence[Key]) -> Mapping[Key, Entry]:
        """Those of ``keys`` that exist, as of one moment.

        Raises:
            UnavailableError: the source can not be read now.
        """

    @abstractmethod
    async def changes_since(self, version: int) -> Changes:
        """What changed after ``version``.

        Raises:
            UnavailableError: the feed can not be read now.
        """

    @abstractmethod
    def forget(self, changed: Sequence[str]) -> None:
        """Take out of ``entries`` what these keys of the feed concern; ``EVERYTHING`` is not among them."""

    @property
    def moment(self) -> Hashable:
        """What an answer must have been read on to be kept: the version, and whatever else moves entries out."""
        return self.version

    def get(self, key: Key) -> Entry | None:
        """The entry when it is remembered; never waits."""
        entry = self.entries.get(key)
        if entry is not None:
            self.entries.move_to_end(key)
        return entry

    async def load(self, key: Key) -> Entry | None:
        """The entry, asked for together with all others that are wanted in the same turn of the event loop."""
        future = self._wanted.get(key)
        if future is None:
            future = self._wanted[key] = asyncio.get_running_loop().create_future()
            if self._loading is None:
                self._loading = asyncio.create_task(self._load_wanted())
        return await asyncio.shield(future)

    async def _load_wanted(self) -> None:
        try:
            while self._wanted:
                batch = dict(list(self._wanted.items())[:MAX_GROUP])
                for key in batch:
                    del self._wanted[key]
                try:
                    await self._load(batch)
                except Exception as error:  # whatever it is, those who wait must hear of it
                    for future in batch.values():
                        if not future.done():
                            future.set_exception(error)
        finally:
            self._loading = None

    async def _load(self, batch: dict[Key, asyncio.Future[Entry | None]]) -> None:
        while True:
            moment = self.moment
            found = await answered_within(self._patience, self.fetch(list(batch)), otherwise=UnavailableError)
            if moment == self.moment:
                break  # else the feed moved while the query ran, and what it read may be from before
        for key, future in batch.items():
            entry = found.get(key)
            if entry is not None:
                self.entries[key] = entry
            if not future.done():
                future.set_result(entry)
        while len(self.entries) > self._capacity:
            self.entries.popitem(last=False)

    async def catch_up(self) -> Sequence[str]:
        """Forget what the feed says has changed. Returns the changed keys; concurrent calls share one reading."""
        if self._catching_up is None:
            self._catching_up = asyncio.create_task(self._catch_up())
        return await asyncio.shield(self._catching_up)

    async def _catch_up(self) -> Sequence[str]:
        try:
            changes = await answered_within(self._patience, self.changes_since(self.version))
            if EVERYTHING in changes.keys:
                self.entries.clear()
            else:
                self.forget(changes.keys)
            self.on_change(changes.keys)
            self.version = changes.version
            return changes.keys
        finally:
            self._catching_up = None


def _ignore(_changed: Sequence[str]) -> None:
    """Nobody else wants to know."""

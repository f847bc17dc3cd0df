"""Hears from Altinn which consents have ended, where that is another program (lanekassen-saldo.md §6)."""

from __future__ import annotations

import httpx2
import structlog

from fullmakt.lanekassen.store import Consents, Lists
from fullmakt.lanekassen.sweeping import MINUTE, Sweeping
from fullmakt.provider import ConsentListError, EndedConsents

_log = structlog.get_logger("fullmakt.lanekassen")


class Hearing:
    """Reads the owner's list to its end each minute, from ``start`` on, and has what is new on it forgotten.

    ``of`` names the list. How far it has been read is kept, so that a start reads on from there; several nodes may
    read, and what one of them reads again does no harm. While the list can not be read, what is remembered counts.
    """

    def __init__(self, ended: EndedConsents, consents: Consents, lists: Lists, *, of: str) -> None:
        self._ended = ended
        self._consents = consents
        self._lists = lists
        self._of = of
        self._polling = Sweeping(self.hear, every=MINUTE)

    def start(self) -> None:
        """Begin to read."""
        self._polling.begin()

    async def stop(self) -> None:
        """End it."""
        await self._polling.stop()
        await self._ended.aclose()

    async def hear(self) -> None:
        """Read on to the list's end. That it can not be read is a line in the log, and the next turn tries again."""
        if self._ended.continuation is None:
            self._ended.continuation = await self._lists.place(self._of)
        before = self._ended.continuation
        try:
            await self._ended.tell(self._consents)
        except ConsentListError as error:
            _log.warning("ended_consents_not_read", cause=str(error), status=error.status)
            if error.status == httpx2.codes.BAD_REQUEST:  # what was kept says nothing to that Altinn any more
                self._ended.continuation = None
                await self._lists.forget(self._of)
                return
        after = self._ended.continuation
        if after is not None and after != before:
            await self._lists.keep(self._of, after)

"""Sends what receivers are told (``notifications``), by a task of its own, until they have taken it."""

from __future__ import annotations

import asyncio
import contextlib

import orjson
import structlog

from fullmakt.altinn.consents import notifications
from fullmakt.altinn.consents.notifications import Notification
from fullmakt.altinn.consents.ports import Notifier
from fullmakt.infra.database import Database
from fullmakt.infra.unavailable import UnavailableError
from fullmakt.kernel.clock import Clock

_AT_ONCE = 20
_HEADERS = {"content-type": "application/cloudevents+json; charset=utf-8"}
_log = structlog.get_logger("fullmakt.consents")


class Sending:
    """The outbox. Several nodes may send: a message is claimed by one of them, and by another if that one dies."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._task: asyncio.Task[None] | None = None

    def start(self, notifier: Notifier, *, every: float = 2.0) -> None:
        """Send what is due, and look again ``every`` so many seconds."""
        self._task = asyncio.create_task(self._go_on(notifier, every))

    async def stop(self) -> None:
        """Begin nothing more; what is under way is cut off, and sent again."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

    async def send_due(self, notifier: Notifier) -> int:
        """Send what is due now, each message once; how many there were."""
        async with self._database.transaction() as connection:
            claimed = await notifications.claim(connection, self._clock(), _AT_ONCE)
        for outcome in await asyncio.gather(*(self._send(one, notifier) for one in claimed)):
            one, told, done = outcome
            async with self._database.transaction() as connection:
                await notifications.settle(connection, one, told, self._clock(), done=done)
        return len(claimed)

    async def _send(self, one: Notification, notifier: Notifier) -> tuple[Notification, str, bool]:
        """What an attempt came to. A receiver that says 410 wants no more of it."""
        try:
            status = await notifier.send(one.url, orjson.dumps(one.event), _HEADERS)
        except OSError as error:
            return one, type(error).__name__, False
        return one, str(status), 200 <= status < 300 or status == 410

    async def _go_on(self, notifier: Notifier, every: float) -> None:
        while True:
            try:
                sent = await self.send_due(notifier)
            except UnavailableError:
                sent = 0  # the database will be back
            except Exception:
                _log.exception("notifications_not_sent")
                sent = 0
            if sent < _AT_ONCE:
                await asyncio.sleep(every)

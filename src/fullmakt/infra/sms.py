"""Text messages: what sends them, a real gateway over HTTP, and an inbox for development.

A text may hold a password. So nothing here logs one, no error tells what was in it, and no ``repr`` shows it.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

import httpx2

from fullmakt.kernel.clock import Clock

MAX_KEPT = 100
"""Texts that an inbox holds; the oldest makes room for the next."""
_NEVER_ARRIVED = (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout, httpx2.InvalidURL)
_BROKEN = (httpx2.NetworkError, httpx2.RemoteProtocolError, httpx2.ConnectTimeout)
"""The connection, not the gateway: worth a second try, which the reference keeps from being a second text."""
_OF_A_PROXY = frozenset({httpx2.codes.BAD_GATEWAY, httpx2.codes.GATEWAY_TIMEOUT})
"""What is answered for a gateway that had the text, perhaps, and did not answer (RFC 9110 §15.6.3, §15.6.5)."""


class SmsNotSentError(Exception):
    """The text was not taken; the message says why, and holds neither the text nor the number.

    ``perhaps`` is true when it may have been sent all the same: the gateway had it, and did not answer.
    """

    def __init__(self, why: str, *, perhaps: bool = False) -> None:
        super().__init__(why)
        self.perhaps = perhaps


class Sender(Protocol):
    """Sends text messages."""

    async def send(self, to: str, text: str, reference: str) -> None:
        """Send ``text`` to the number ``to`` (E.164: ``+4799999999``); ``reference`` is the message's own id.

        Raises:
            SmsNotSentError: it was not taken.
        """
        ...


class HttpGateway:
    """A gateway that takes ``{"from", "to", "text", "reference"}`` as JSON by POST, and answers 2xx when it has it.

    ``token`` goes as a bearer token; ``sender`` is who the text is from, as the telephone shows it. The reference is
    sent as ``Idempotency-Key`` too, and a broken connection is tried once more under the same. ``timeout`` is in
    seconds, for both tries together.
    """

    def __init__(
        self, client: httpx2.AsyncClient, url: str, token: str | None, sender: str, timeout: float = 10
    ) -> None:
        self._client = client
        self._url = url
        self._authorization = {"Authorization": f"Bearer {token}"} if token else {}
        self._sender = sender
        self._timeout = timeout

    async def send(self, to: str, text: str, reference: str) -> None:
        """Hand the text over.

        Raises:
            SmsNotSentError: the gateway can not be reached, or answers otherwise than 2xx.
        """
        message = {"from": self._sender, "to": to, "text": text, "reference": reference}
        perhaps = False
        try:
            async with asyncio.timeout(self._timeout):
                try:
                    status = await self._post(message)
                except _BROKEN as error:
                    perhaps = not isinstance(error, _NEVER_ARRIVED)
                    status = await self._post(message)
        except (TimeoutError, httpx2.HTTPError, httpx2.InvalidURL) as error:
            perhaps = perhaps or not isinstance(error, _NEVER_ARRIVED)
            raise SmsNotSentError(f"the gateway does not answer ({type(error).__name__})", perhaps=perhaps) from None
        if not 200 <= status < 300:
            # A first try that broke may have brought the text, whatever is said to the second.
            raise SmsNotSentError(f"the gateway answers {status}", perhaps=perhaps or status in _OF_A_PROXY)

    async def _post(self, message: dict[str, str]) -> int:
        headers = {**self._authorization, "Idempotency-Key": message["reference"]}
        # Streamed and not read: what a gateway says beside the status is of no use, and may be of any length.
        async with self._client.stream(
            "POST", self._url, json=message, headers=headers, follow_redirects=False
        ) as response:
            return response.status_code


@dataclass(frozen=True, slots=True)
class TextMessage:
    """A text that somebody was sent."""

    at: datetime
    to: str
    text: str = field(repr=False)
    reference: str


class Inbox:
    """A sender for development: texts go nowhere, and can be read here. They live in this process's memory alone."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._texts: deque[TextMessage] = deque(maxlen=MAX_KEPT)

    async def send(self, to: str, text: str, reference: str) -> None:
        """Keep the text; one that comes again under its reference is the one that is here."""
        if all(one.reference != reference for one in self._texts):
            self._texts.append(TextMessage(self._clock(), to, text, reference))

    @property
    def texts(self) -> Sequence[TextMessage]:
        """The last hundred, the newest first."""
        return tuple(reversed(self._texts))

"""What sends text messages in this process."""

from __future__ import annotations

import httpx2

from fullmakt.infra.sms import HttpGateway, Inbox, Sender
from fullmakt.kernel.clock import Clock
from fullmakt.serve.settings import Settings


def sender_of(settings: Settings, http: httpx2.AsyncClient, clock: Clock) -> Sender | None:
    """The gateway of the settings; without one an inbox on a developer's machine, and elsewhere nothing."""
    if settings.sms.url is not None:
        token = settings.sms.token
        return HttpGateway(http, settings.sms.url, token.get_secret_value() if token else None, settings.sms.sender)
    return Inbox(clock) if settings.has_inbox else None

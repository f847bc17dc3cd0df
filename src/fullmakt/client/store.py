"""What the clients of one set of credentials have in common."""

from __future__ import annotations

from collections.abc import Generator
from typing import Protocol

from fullmakt.client.access_token import AccessToken
from fullmakt.client.cache import DEFAULT_REFRESH_MARGIN, TokenCache
from fullmakt.client.credentials import Credentials
from fullmakt.client.errors import TemporarilyUnavailableError
from fullmakt.client.exchange import Exchange, Reply, Step
from fullmakt.client.grant import TokenRequest
from fullmakt.kernel.clock import Clock, NewId, new_uuid, system_clock
from fullmakt.kernel.single_flight import SingleFlight


class Conversation(Protocol):
    """A way to a token, without I/O."""

    def token(self, request: TokenRequest) -> Generator[Step, Reply, AccessToken]:
        """Fetch a token.

        Raises:
            MaskinportenError: no token, of the class that says why.
        """
        ...


class TokenStore:
    """What a client knows and is doing: its cache, its conversation with the server, its fetches under way.

    Shared by everything that asks for tokens with the same credentials, whether from threads or from tasks.
    """

    def __init__(
        self,
        credentials: Credentials,
        *,
        clock: Clock = system_clock,
        new_id: NewId = new_uuid,
        refresh_margin: float = DEFAULT_REFRESH_MARGIN,
    ) -> None:
        self.cache = TokenCache(refresh_margin)
        self.exchange: Conversation = Exchange(credentials, clock, new_id)
        self.flight: SingleFlight[AccessToken] = SingleFlight()
        self.clock = clock

    def fresh(self, request: TokenRequest) -> AccessToken | None:
        """The token at hand, if it need not be replaced yet."""
        return self.cache.fresh(request, self.clock())

    def make_do(self, request: TokenRequest, error: TemporarilyUnavailableError) -> AccessToken:
        """What is left of the old token, while no new one is to be had; raises ``error`` if nothing is left."""
        token = self.cache.still_usable(request, self.clock())
        if token is None:
            raise error
        return token

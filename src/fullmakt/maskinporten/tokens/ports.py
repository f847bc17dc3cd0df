"""What the token server asks of its neighbours."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from fullmakt.infra.feed import Changes
from fullmakt.jose.chains import TrustAnchors
from fullmakt.wire.maskinporten.registry import RegisteredClient


class Registry(Protocol):
    """Clients and scopes, as the self-service API keeps them."""

    async def clients(self, client_ids: Sequence[str]) -> Mapping[str, RegisteredClient]:
        """The clients that exist among ``client_ids``, deactivated ones included.

        Raises:
            DatabaseUnavailableError: the registry can not be read now.
        """
        ...

    async def changes_since(self, version: int) -> Changes:
        """What changed after ``version`` on the feed topic ``wire.maskinporten.registry.TOPIC``.

        Raises:
            DatabaseUnavailableError: the feed can not be read now.
        """
        ...


class Anchors(Protocol):
    """The certificate authorities that enterprise certificates must lead to."""

    async def anchors(self) -> TrustAnchors:
        """The anchors in force now."""
        ...

"""What the token server asks of its neighbours."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
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

    async def accesses(self, consumers: Collection[str], scopes: Collection[str]) -> frozenset[tuple[str, str]]:
        """The pairs of a consumer's organisation number and a scope that it may have: granted, or its own.

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


class Delegations(Protocol):
    """Who has delegated which scopes to whom, as Altinn keeps it (maskinporten.md §4.3).

    ``topics`` are those of the change feed, in the token server's own database, on which everything that could change
    an answer is announced; none when Altinn is elsewhere, and its answers must not be remembered.
    """

    @property
    def topics(self) -> Sequence[str]: ...

    async def delegated_scopes(self, pairs: Collection[tuple[str, str]]) -> Mapping[tuple[str, str], frozenset[str]]:
        """The scopes delegated, by supplier and consumer; a pair without any may be left out.

        Raises:
            DatabaseUnavailableError: Altinn does not answer. That is never the same as “not delegated”.
        """
        ...

    async def changes_since(self, version: int) -> Changes:
        """What changed in ``topics`` after ``version``, which is the sum of their versions; to be asked by one reader.

        Raises:
            DatabaseUnavailableError: the feed can not be read now.
        """
        ...


class Anchors(Protocol):
    """The certificate authorities that enterprise certificates must lead to."""

    async def anchors(self) -> TrustAnchors:
        """The anchors in force now."""
        ...

"""What the token server asks of its neighbours."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Protocol

from fullmakt.infra.feed import Changes
from fullmakt.jose.chains import TrustAnchors
from fullmakt.wire.altinn.consents import ConsentQuestion, FoundConsent, NoConsent
from fullmakt.wire.altinn.systemusers import (
    NoSystemUser,
    SystemUserQuestion,
    SystemUserRecord,
    VirksysAnswer,
    VirksysQuestion,
)
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
            UnavailableError: Altinn does not answer. That is never the same as “not delegated”.
        """
        ...

    async def changes_since(self, version: int) -> Changes:
        """What changed in ``topics`` after ``version``, which is the sum of their versions; to be asked by one reader.

        Raises:
            DatabaseUnavailableError: the feed can not be read now.
        """
        ...


class SystemUsers(Protocol):
    """Who has let which enterprise system act for them, as Altinn keeps it (maskinporten.md §5.1, §5.2).

    ``topics`` are those of the change feed, in the token server's own database, on which everything that could change
    a system user is announced; ``virksys_topics`` those that an answer to ``virksys`` rests on. There are none when
    Altinn is elsewhere, and its answers must not be remembered.
    """

    @property
    def topics(self) -> Sequence[str]: ...

    @property
    def virksys_topics(self) -> Sequence[str]: ...

    async def system_users(
        self, questions: Collection[SystemUserQuestion]
    ) -> Mapping[SystemUserQuestion, SystemUserRecord | NoSystemUser]:
        """The system user that each question asks for, or why there is none, where that is told at once.

        What there is none to is left out, to be asked about by itself: nobody waits for another one's no.

        Raises:
            UnavailableError: Altinn does not answer. That is never the same as “none”.
        """
        ...

    async def why_none(self, question: SystemUserQuestion) -> NoSystemUser | None:
        """Why there is no system user to a question that was left out; None when that is because of no answer.

        Raises:
            UnavailableError: Altinn does not answer.
        """
        ...

    async def virksys(self, question: VirksysQuestion) -> VirksysAnswer | NoSystemUser:
        """What the decision point permits the system for the party, or why nothing.

        Raises:
            UnavailableError: Altinn does not answer.
        """
        ...

    async def changes_since(self, version: int) -> Changes:
        """What changed in ``topics`` after ``version``, which is the sum of their versions; to be asked by one reader.

        Raises:
            DatabaseUnavailableError: the feed can not be read now.
        """
        ...

    async def virksys_version(self) -> int:
        """The sum of the versions of ``virksys_topics`` now.

        Raises:
            DatabaseUnavailableError: the feed can not be read now.
        """
        ...


class Consents(Protocol):
    """What people and organisations have consented to, as Altinn keeps it (maskinporten.md §5.3; consent.md §4.9).

    ``topic`` is that of the change feed, in the token server's own database, on which every change of a consent is
    announced with the key ``consent:<uuid>``; None when Altinn is elsewhere.
    """

    @property
    def topic(self) -> str | None: ...

    async def look_up(self, question: ConsentQuestion) -> FoundConsent | NoConsent:
        """The consent as it stands now, or every cause why it can not be drawn.

        Raises:
            UnavailableError: Altinn does not answer. That is never the same as “none”.
        """
        ...

    async def version(self) -> int:
        """The version of ``topic`` now; 0 without one.

        Raises:
            DatabaseUnavailableError: the feed can not be read now.
        """
        ...


class Anchors(Protocol):
    """The certificate authorities that enterprise certificates must lead to."""

    async def anchors(self) -> TrustAnchors:
        """The anchors in force now."""
        ...

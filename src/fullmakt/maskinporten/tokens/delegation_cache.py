"""What this process remembers of suppliers that ask for consumers.

An entry stands on two feeds: the registry's, for what the consumer has been granted, and Altinn's, for what it has
delegated. The version is the latter's; changes of the former are passed on by the registry's cache, before it moves on.
"""

from __future__ import annotations

from collections.abc import Collection, Hashable, Sequence

from fullmakt.infra.feed import EVERYTHING, Changes
from fullmakt.infra.feed_cache import FeedCache
from fullmakt.maskinporten.tokens.model import ActingFor, Refusal, Standing, TokenPlan
from fullmakt.maskinporten.tokens.ports import Delegations, Registry
from fullmakt.maskinporten.tokens.registry_cache import ClientEntry, RegistryCache

Question = tuple[str, str, tuple[str, ...]]
"""A supplier, a consumer, and the scopes asked for."""

_MAX_PLANS = 64


async def look_up(
    registry: Registry, delegations: Delegations, questions: Collection[Question]
) -> dict[Question, ActingFor]:
    """What the registry and Altinn say to each question.

    Raises:
        UnavailableError: one of them does not answer.
    """
    consumers = {consumer for _, consumer, _ in questions}
    names = {name for _, _, scopes in questions for name in scopes}
    granted = await registry.accesses(consumers, names)
    delegated = await delegations.delegated_scopes({(supplier, consumer) for supplier, consumer, _ in questions})
    return {
        (supplier, consumer, scopes): ActingFor(
            supplier,
            consumer,
            granted=frozenset(name for name in scopes if (consumer, name) in granted),
            delegated=delegated.get((supplier, consumer), frozenset()).intersection(scopes),
        )
        for supplier, consumer, scopes in questions
    }


class DelegationEntry:
    """The facts, and what each client of the supplier gets on them."""

    __slots__ = ("acting", "plans")

    def __init__(self, acting: ActingFor) -> None:
        self.acting = acting
        self.plans: dict[tuple[ClientEntry, str], TokenPlan | Refusal] = {}

    def remember(self, question: tuple[ClientEntry, str], plan: TokenPlan | Refusal) -> None:
        """Keep the answer for a client, as it is now registered, and the way it authenticates."""
        if len(self.plans) >= _MAX_PLANS:
            self.plans.clear()
        self.plans[question] = plan


class DelegationCache(FeedCache[Question, DelegationEntry]):
    """The questions asked last. Without topics to follow, nothing is remembered."""

    def __init__(
        self,
        delegations: Delegations,
        registry: Registry,
        registry_cache: RegistryCache,
        capacity: int,
        *,
        patience: float = 5.0,
    ) -> None:
        super().__init__(capacity if delegations.topics else 0, patience=patience)
        self._delegations = delegations
        self._registry = registry
        self._registry_cache = registry_cache

    @property
    def standing(self) -> Standing:
        """What the entries rest on now."""
        return Standing(tuple(self._delegations.topics), self.version)

    @property
    def moment(self) -> Hashable:
        """The versions of both feeds."""
        return self.version, self._registry_cache.version

    async def fetch(self, keys: Sequence[Question]) -> dict[Question, DelegationEntry]:
        """Both answers to each question."""
        found = await look_up(self._registry, self._delegations, keys)
        return {question: DelegationEntry(acting) for question, acting in found.items()}

    async def changes_since(self, version: int) -> Changes:
        """What changed at Altinn's."""
        return await self._delegations.changes_since(version)

    def forget(self, changed: Sequence[str]) -> None:
        """A delegation concerns its supplier; whatever else may have changed concerns everybody."""
        suppliers = {key.removeprefix("supplier:") for key in changed if key.startswith("supplier:")}
        if any(not key.startswith(("supplier:", "from:", "to:")) for key in changed):
            self.entries.clear()
        self._drop([question for question in self.entries if question[0] in suppliers])

    def hear_of_registry(self, changed: Sequence[str]) -> None:
        """The registry has changed: forget the consumers and scopes that it names."""
        if EVERYTHING in changed:
            self.entries.clear()
        named = {key.partition(":")[2] for key in changed if key.startswith(("scope:", "organisation:"))}
        if named:
            self._drop([one for one in self.entries if one[1] in named or not named.isdisjoint(one[2])])

    def _drop(self, questions: Sequence[Question]) -> None:
        for question in questions:
            del self.entries[question]

"""The decision point's use cases. No answer leaves before it is written down, on facts that were then current."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Iterable, Sequence
from functools import lru_cache
from typing import Any, TypeVar
from uuid import UUID

import orjson

from fullmakt.altinn.decisions.config import DecisionsConfig
from fullmakt.altinn.decisions.deciding import decide_part
from fullmakt.altinn.decisions.errors import RefusedQuestionError, UnsettledError
from fullmakt.altinn.decisions.explaining import Explanation, explain_part
from fullmakt.altinn.decisions.memory import FactMemory, Memory, PolicyMemory
from fullmakt.altinn.decisions.model import Decision, Outcome, Reason, Status
from fullmakt.altinn.decisions.ports import (
    AccessLists,
    ChangeFeed,
    Delegations,
    Journal,
    JournalEntry,
    Parties,
    PolicyIndex,
    Resources,
)
from fullmakt.altinn.decisions.questions import party_of
from fullmakt.altinn.decisions.searching import (
    Able,
    part_of,
    permitted_actions,
    permitted_resources,
    represented,
    who_can,
)
from fullmakt.infra.audit import clean_text
from fullmakt.infra.telemetry import current_trace
from fullmakt.kernel.clock import Clock
from fullmakt.wire.altinn.attributes import Attribute
from fullmakt.wire.altinn.parties import HeldRights, PartyIdentity
from fullmakt.wire.altinn.xacml_json import (
    DecisionRequest,
    Part,
    RequestAttribute,
    UndecidableRequestError,
)

_ATTEMPTS = 20
"""How often a decision is made anew because its facts changed meanwhile."""
_BREATH = 50
"""Parts of a request that are decided in a row before others get their turn."""

_MAX_LISTED = 100
"""Values of a list that the trail holds."""

_NAME = 300
"""Characters of what the trail takes for a name."""

_T = TypeVar("_T")
Answer = tuple[_T, Sequence[Decision]]
"""An answer, and the decisions in it, to be written down."""


class DecisionPoint:
    """May somebody do something on behalf of somebody, and why.

    It is given its neighbours, where to read their change feeds (a reader for each of its two memories), and where to
    write decisions down.
    """

    def __init__(
        self,
        config: DecisionsConfig,
        *,
        parties: Parties,
        resources: Resources,
        policy_index: PolicyIndex,
        access_lists: AccessLists,
        delegations: Delegations,
        feed: Callable[[], ChangeFeed],
        journal: Journal,
        clock: Clock,
    ) -> None:
        self.config = config
        self._parties = parties
        self._delegations = delegations
        self._policy_index = policy_index
        self._journal = journal
        self._clock = clock
        self._memory = Memory(
            PolicyMemory(resources, feed(), config.cached_policies, strict_targets=config.strict_targets),
            FactMemory(parties, access_lists, delegations, feed(), config.cached_facts),
        )

    async def decide(self, request: DecisionRequest, *, actor: str = "", external: bool = True) -> list[Decision]:
        """One decision for each part of the request, in order; a single Indeterminate if any part makes no sense (§4).

        ``actor`` is who asks, for the audit trail. ``external`` takes national identity numbers.

        Raises:
            OverloadedError, UnsettledError: ask again later.
            DatabaseUnavailableError: a neighbour or the trail can not be reached.
        """

        async def work() -> Answer[list[Decision]]:
            decisions = await self._decide(request, external=external)
            return decisions, decisions

        return await self._settled(work, actor)

    async def decide_each(
        self, parts: Sequence[Part], *, actor: str = "", last: Callable[[Decision], bool] = lambda _: False
    ) -> list[Decision]:
        """A decision for each part, whatever the others come to, up to the first of which ``last`` is true."""

        async def work() -> Answer[list[Decision]]:
            decisions: list[Decision] = []
            for part in parts:
                decisions.append(await self._decide_part(part))
                if last(decisions[-1]):
                    break
                if len(decisions) % _BREATH == 0:
                    await asyncio.sleep(0)
            return decisions, decisions

        return await self._settled(work, actor)

    async def may(
        self, subject: Sequence[Attribute], action: str, resource: str, party: UUID, *, actor: str = ""
    ) -> Decision:
        """May ``subject`` do ``action`` on ``resource`` for ``party``? For the checks of other systems."""

        async def work() -> Answer[Decision]:
            decision = await self._decide_part(part_of(subject, action, resource, party))
            return decision, [decision]

        return await self._settled(work, actor)

    async def delegable_actions(
        self, subject: Sequence[Attribute], resource: str, party: UUID | None, *, actor: str = ""
    ) -> dict[str, Decision]:
        """For each action that the resource's policy names: may ``subject`` do it for ``party``, and so give it on?"""

        async def work() -> Answer[dict[str, Decision]]:
            decisions = await permitted_actions(subject, resource, party, self._memory)
            return decisions, list(decisions.values())

        return await self._settled(work, actor)

    async def explain(self, request: DecisionRequest, *, actor: str = "", external: bool = True) -> list[Explanation]:
        """How each part of the request is decided, and why. It is written down like any decision.

        Raises:
            UndecidableRequestError: a multi-request that refers to what is not there.
        """
        parts = request.parts()

        async def work() -> Answer[list[Explanation]]:
            explained = [await explain_part(part, self._memory, external=external) for part in parts]
            return [explanation for explanation, _ in explained], [decision for _, decision in explained]

        return await self._settled(work, actor)

    async def who_can(self, action: str, resource: str, party: UUID, *, actor: str = "") -> list[Able]:
        """Everybody who may do ``action`` on ``resource`` for ``party``, each with the decision that says by what."""

        async def work() -> Answer[list[Able]]:
            able = await who_can(
                action, resource, party, memory=self._memory, parties=self._parties, delegations=self._delegations
            )
            return able, [one.decision for one in able]

        return await self._settled(work, actor)

    async def resources_for(
        self, subject: list[RequestAttribute], action: str, party: UUID, *, actor: str = ""
    ) -> dict[str, Decision]:
        """The resources on which ``subject`` may do ``action`` for ``party``.

        Raises:
            RefusedQuestionError: the subject makes no sense.
        """

        async def work() -> Answer[dict[str, Decision]]:
            permitted = await permitted_resources(
                subject,
                action,
                party,
                memory=self._memory,
                index=self._policy_index,
                delegations=self._delegations,
            )
            return permitted, list(permitted.values())

        return await self._settled(work, actor)

    async def identify_party(self, names: Iterable[Attribute]) -> PartyIdentity | None:
        """The party that is meant; None when nobody knows, or more than one is."""

        async def work() -> Answer[PartyIdentity | None]:
            with contextlib.suppress(RefusedQuestionError):
                return await party_of(names, self._memory), ()
            return None, ()

        return await self._settled(work, "")

    async def held(self, holder: UUID, party: UUID) -> HeldRights:
        """What ``holder`` holds in ``party`` by the register."""

        async def work() -> Answer[HeldRights]:
            return (await self._memory.held(holder, party)).held, ()

        return await self._settled(work, "")

    async def represented_by(self, person: UUID) -> list[PartyIdentity]:
        """The parties that a person can act for in something, itself first."""

        async def work() -> Answer[list[PartyIdentity]]:
            return await represented(person, memory=self._memory, delegations=self._delegations), ()

        return await self._settled(work, "")

    async def policy_subjects(self, resource: str) -> frozenset[Attribute] | None:
        """What the rules of a resource's policy name as subjects; None when there is no policy."""

        async def work() -> Answer[frozenset[Attribute] | None]:
            known = await self._memory.resource(resource)
            return (known.policy.subjects if known is not None and known.policy is not None else None), ()

        return await self._settled(work, "")

    async def undecidable(self, message: str, *, actor: str = "") -> Decision:
        """The answer to what is no request, written down: Indeterminate."""

        async def work() -> Answer[Decision]:
            facts = {"message": message}
            decision = Decision(Outcome.INDETERMINATE, Reason.INVALID_REQUEST, Status.SYNTAX_ERROR, facts)
            return decision, [decision]

        return await self._settled(work, actor)

    async def _decide(self, request: DecisionRequest, *, external: bool) -> list[Decision]:
        try:
            parts = request.parts()
        except UndecidableRequestError as error:
            status = Status.PROCESSING_ERROR if external else Status.SYNTAX_ERROR
            return [Decision(Outcome.INDETERMINATE, Reason.INVALID_REQUEST, status, {"message": str(error)})]
        decisions: list[Decision] = []
        for number, part in enumerate(parts, 1):
            decision = await self._decide_part(part, external=external)
            if len(parts) > 1 and decision.outcome is Outcome.INDETERMINATE:
                return [decision]
            decisions.append(decision)
            if number % _BREATH == 0:
                await asyncio.sleep(0)
        return decisions

    async def _decide_part(self, part: Part, *, external: bool = True) -> Decision:
        return await decide_part(part, self._memory, external=external)

    async def _settled(self, work: Callable[[], Awaitable[Answer[_T]]], actor: str) -> _T:
        """Do the work until the facts that it was done on are still current when it is written down."""
        trace = current_trace.get()
        trace_id = trace.trace_id if trace else ""
        for _ in range(_ATTEMPTS):
            version = self._memory.version  # before any fact is read, so that none is older
            answer, decisions = await work()
            events = tuple([_event(decision, trace_id, actor) for decision in decisions])
            if await self._journal.write(JournalEntry(version, self._clock(), events)):  # none: still if it holds
                return answer
            await self._memory.catch_up()
        raise UnsettledError("the facts of the decision are changing too fast")


@lru_cache(maxsize=8_192)
def _clean_name(text: str) -> str:
    """What one decision names, the next names too."""
    return clean_text(text)


def _clean(text: str) -> str:
    """Names are remembered; what is longer than a name is not, or callers could fill the memory with it."""
    return _clean_name(text) if len(text) <= _NAME else clean_text(text)


def _cleaned(value: Any) -> Any:
    """Facts for the trail; a UUID is nothing to clean."""
    if isinstance(value, str):
        return _clean(value)
    if isinstance(value, dict):
        return {name: _cleaned(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_cleaned(one) for one in value[:_MAX_LISTED]]
    return value


def _event(decision: Decision, trace_id: str, actor: str) -> bytes:
    """A decision as the audit trail holds it."""
    facts = decision.facts
    asked = f"{','.join(facts.get('action', ())[:5])} {facts.get('resource', '')}".strip()
    event: dict[str, Any] = {
        "outcome": "permit" if decision.permitted else "deny",
        "reason": decision.reason,
        "trace_id": trace_id,
        "actor": _clean(actor),
        "subject": _clean(asked[:_NAME]),
        "facts": {"decision": decision.outcome, **{name: _cleaned(value) for name, value in facts.items()}},
    }
    return orjson.dumps(event)

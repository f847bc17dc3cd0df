"""The decision point's use cases. No answer leaves before it is written down, on facts that were then current."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from functools import lru_cache
from typing import Any, TypeVar
from uuid import UUID

import orjson

from fullmakt.altinn.decisions.config import DecisionsConfig
from fullmakt.altinn.decisions.deciding import decide_part
from fullmakt.altinn.decisions.errors import UnsettledError
from fullmakt.altinn.decisions.memory import FactMemory, Memory, PolicyMemory
from fullmakt.altinn.decisions.model import Decision, Outcome, Reason, Status
from fullmakt.altinn.decisions.ports import (
    AccessLists,
    ChangeFeed,
    Delegations,
    Journal,
    JournalEntry,
    Parties,
    Resources,
)
from fullmakt.infra.audit import clean_facts, clean_text
from fullmakt.infra.telemetry import current_trace
from fullmakt.kernel.clock import Clock
from fullmakt.wire.altinn import attributes as ids
from fullmakt.wire.altinn.attributes import Attribute
from fullmakt.wire.altinn.xacml_json import (
    DecisionRequest,
    Part,
    RequestAttribute,
    RequestCategory,
    UndecidableRequestError,
)

_ATTEMPTS = 20
"""How often a decision is made anew because its facts changed meanwhile."""
_BREATH = 50
"""Parts of a request that are decided in a row before others get their turn."""

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
        access_lists: AccessLists,
        delegations: Delegations,
        feed: Callable[[], ChangeFeed],
        journal: Journal,
        clock: Clock,
    ) -> None:
        self.config = config
        self._parties = parties
        self._delegations = delegations
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

    async def may(
        self, subject: Sequence[Attribute], action: str, resource: str, party: UUID, *, actor: str = ""
    ) -> Decision:
        """May ``subject`` do ``action`` on ``resource`` for ``party``? For the checks of other systems."""

        async def work() -> Answer[Decision]:
            decision = await self._decide_part(_part(subject, action, resource, party))
            return decision, [decision]

        return await self._settled(work, actor)

    async def delegable_actions(
        self, subject: Sequence[Attribute], resource: str, party: UUID, *, actor: str = ""
    ) -> dict[str, Decision]:
        """For each action that the resource's policy names: may ``subject`` do it for ``party``, and so give it on?"""

        async def work() -> Answer[dict[str, Decision]]:
            known = await self._memory.resource(resource)
            actions = sorted(known.policy.actions) if known is not None and known.policy is not None else []
            decisions = {action: await self._decide_part(_part(subject, action, resource, party)) for action in actions}
            return decisions, list(decisions.values())

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
            if not decisions or await self._journal.write(JournalEntry(version, self._clock(), events)):
                return answer
            await self._memory.catch_up()
        raise UnsettledError("the facts of the decision are changing too fast")


def _part(subject: Sequence[Attribute], action: str, resource: str, party: UUID) -> Part:
    return (
        RequestCategory(ids.SUBJECT_CATEGORY, tuple([RequestAttribute(one.id, one.value) for one in subject])),
        RequestCategory(ids.ACTION_CATEGORY, (RequestAttribute(ids.ACTION, action),)),
        RequestCategory(
            ids.RESOURCE_CATEGORY,
            (RequestAttribute(ids.RESOURCE, resource), RequestAttribute(ids.PARTY_UUID, str(party))),
        ),
    )


_clean = lru_cache(maxsize=8_192)(clean_text)


def _event(decision: Decision, trace_id: str, actor: str) -> bytes:
    """A decision as the audit trail holds it."""
    facts = decision.facts
    asked = f"{','.join(facts.get('action', ())[:5])} {facts.get('resource', '')}".strip()
    event: dict[str, Any] = {
        "outcome": "permit" if decision.permitted else "deny",
        "reason": decision.reason,
        "trace_id": trace_id,
        "actor": _clean(actor),
        "subject": _clean(asked[:300]),
        "facts": {"decision": decision.outcome, **clean_facts(facts)},
    }
    return orjson.dumps(event)

"""The decision point's use cases. No answer leaves before it is written down, on facts that were then current."""

from __future__ import annotations

import contextlib
from collections.abc import Awaitable, Callable, Collection, Iterable, Sequence
from contextlib import aclosing
from typing import Any, TypeVar
from uuid import UUID

from fullmakt.altinn.decisions.config import DecisionsConfig
from fullmakt.altinn.decisions.deciding import decide_part, decide_parts
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
    SystemUsers,
)
from fullmakt.altinn.decisions.questions import party_of, subject_of
from fullmakt.altinn.decisions.searching import (
    Asking,
    Found,
    Neighbours,
    Page,
    WhoCan,
    part_of,
    permitted_actions,
    permitted_among_actions,
    permitted_resources,
    permitted_subjects,
    represented,
    who_can,
)
from fullmakt.altinn.decisions.trail import Refusal, Search, Told, event_of
from fullmakt.infra.telemetry import current_trace
from fullmakt.kernel.clock import Clock
from fullmakt.wire.altinn.attributes import Attribute
from fullmakt.wire.altinn.parties import HeldRights, PartyIdentity
from fullmakt.wire.altinn.xacml_json import DecisionRequest, Part, RequestAttribute, UndecidableRequestError

_ATTEMPTS = 20
"""How often a decision is made anew because its facts changed meanwhile."""

_T = TypeVar("_T")
Answer = tuple[_T, Sequence[Told]]
"""An answer, and what the trail is told of it."""


class DecisionPoint:
    """May somebody do something on behalf of somebody, and why.

    It is given its neighbours, where to read their change feeds (a reader for each of its two memories), and where to
    write decisions down. Without ``system_users`` no client is that of an enterprise system.
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
        system_users: SystemUsers | None = None,
    ) -> None:
        self.config = config
        self._neighbours = Neighbours(parties, delegations, policy_index)
        self._journal = journal
        self._clock = clock
        self._memory = Memory(
            PolicyMemory(resources, feed(), config.cached_policies, strict_targets=config.strict_targets),
            FactMemory(parties, access_lists, delegations, feed(), config.cached_facts, system_users=system_users),
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
            async with aclosing(decide_parts(parts, self._memory)) as made:
                async for decision in made:
                    decisions.append(decision)
                    if last(decision):
                        break
            return decisions, decisions

        return await self._settled(work, actor)

    async def may(
        self, subject: Sequence[Attribute], action: str, resource: str, party: UUID | None, *, actor: str = ""
    ) -> Decision:
        """May ``subject`` do ``action`` on ``resource`` for ``party``, or, with None, on its own behalf?

        For the checks of other systems. On its own behalf it is asked by what it is, and the lists it is on (§6, 8).
        """

        async def work() -> Answer[Decision]:
            decision = await decide_part(part_of(subject, action, resource, party), self._memory, external=True)
            return decision, [decision]

        return await self._settled(work, actor)

    async def delegable_actions(
        self, subject: Sequence[Attribute], resource: str, party: UUID | None, *, actor: str = ""
    ) -> dict[str, Decision]:
        """For each action that the resource's policy names: may ``subject`` do it for ``party``, and so give it on?"""

        async def work() -> Answer[dict[str, Decision]]:
            decisions = await permitted_actions(subject, resource, party, self._memory)
            return decisions, [Search.of_actions(decisions, resource, party)]

        return await self._settled(work, actor)

    async def delegable_actions_on(
        self, subject: Sequence[Attribute], resources: Collection[str], party: UUID | None, *, actor: str = ""
    ) -> dict[str, dict[str, Decision]]:
        """``delegable_actions`` on each of ``resources``, on one state of the facts and written down together."""

        async def work() -> Answer[dict[str, dict[str, Decision]]]:
            found = {name: await permitted_actions(subject, name, party, self._memory) for name in resources}
            return found, [Search.of_actions(decisions, name, party) for name, decisions in found.items()]

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

    async def who_can(self, action: str, resource: str, party: UUID, *, actor: str = "") -> WhoCan:
        """Everybody who may do ``action`` on ``resource`` for ``party``, each with the decision that says by what: of
        the first thousand who have to do with either."""
        asked = {"searched": "subject", "action": [action], "resource": resource, "party": party}

        async def work() -> Answer[WhoCan]:
            able, found = await who_can(action, resource, party, memory=self._memory, neighbours=self._neighbours)
            return WhoCan(able, complete=found.last is None), [Search.of(asked, found)]

        return await self._settled(work, actor)

    async def subjects_for(
        self, wanted: str, action: str, resource: str, party: UUID, asking: Asking, page: Page, *, actor: str = ""
    ) -> Found:
        """Who may do ``action`` on ``resource`` for ``party``, by their names of the attribute ``wanted``.

        ``asking`` makes the question about a name, in this search and in those below.
        """
        asked = {"searched": "subject", "type": wanted, "action": [action], "resource": resource, "party": party}

        async def work() -> Answer[Found]:
            found = await permitted_subjects(
                wanted, asking, resource, party, page, memory=self._memory, neighbours=self._neighbours
            )
            return found, [Search.of(asked, found)]

        return await self._settled(work, actor)

    async def resources_for(
        self,
        subject: list[RequestAttribute],
        action: str,
        party: UUID,
        asking: Asking,
        page: Page,
        *,
        actor: str = "",
    ) -> Found:
        """The resources on which ``subject`` may do ``action`` for ``party``.

        Raises:
            RefusedQuestionError: the subject makes no sense.
        """
        asked = {"searched": "resource", "action": [action], "party": party}

        async def work() -> Answer[Found]:
            found = await permitted_resources(
                subject, asking, party, page, memory=self._memory, neighbours=self._neighbours
            )
            who, _ = await subject_of(subject, self._memory)
            return found, [Search.of({"subject": who.uuid, **asked}, found)]

        return await self._settled(work, actor)

    async def actions_for(
        self,
        subject: list[RequestAttribute],
        resource: str,
        party: UUID,
        asking: Asking,
        page: Page,
        *,
        actor: str = "",
    ) -> Found:
        """What ``subject`` may do with ``resource`` for ``party``, of all that the resource's policy names.

        Raises:
            RefusedQuestionError: the subject makes no sense.
        """
        asked = {"searched": "action", "resource": resource, "party": party}

        async def work() -> Answer[Found]:
            who, _ = await subject_of(subject, self._memory)
            found = await permitted_among_actions(asking, resource, page, self._memory)
            return found, [Search.of({"subject": who.uuid, **asked}, found)]

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
            return await represented(person, memory=self._memory, neighbours=self._neighbours), ()

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

    async def refused(self, actor: str, endpoint: str, reason: str, /, **facts: Any) -> None:
        """Keep in the audit trail that a caller was not let in to ``endpoint``."""

        async def work() -> Answer[None]:
            return None, [Refusal(endpoint, reason, facts)]

        await self._settled(work, actor)

    async def _decide(self, request: DecisionRequest, *, external: bool) -> list[Decision]:
        try:
            parts = request.parts()
        except UndecidableRequestError as error:
            status = Status.PROCESSING_ERROR if external else Status.SYNTAX_ERROR
            return [Decision(Outcome.INDETERMINATE, Reason.INVALID_REQUEST, status, {"message": str(error)})]
        decisions: list[Decision] = []
        async with aclosing(decide_parts(parts, self._memory, external=external)) as made:
            async for decision in made:
                if len(parts) > 1 and decision.outcome is Outcome.INDETERMINATE:
                    return [decision]
                decisions.append(decision)
        return decisions

    async def _settled(self, work: Callable[[], Awaitable[Answer[_T]]], actor: str) -> _T:
        """Do the work until the facts that it was done on are still current when it is written down."""
        trace = current_trace.get()
        trace_id = trace.trace_id if trace else ""
        for _ in range(_ATTEMPTS):
            version = self._memory.version  # before any fact is read, so that none is older
            answer, told = await work()
            events = tuple([event_of(one, trace_id, actor) for one in told])
            if await self._journal.write(JournalEntry(version, self._clock(), events)):  # none: still if it holds
                return answer
            await self._memory.catch_up()
        raise UnsettledError("the facts of the decision are changing too fast")

"""The decision algorithm (altinn-authorization.md §7, §10): rules, then delegations, then access lists."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

from fullmakt.altinn.decisions.errors import RefusedQuestionError
from fullmakt.altinn.decisions.memory import Memory
from fullmakt.altinn.decisions.model import AttributeSet, Decision, Evaluation, Outcome, Reason, Status
from fullmakt.altinn.decisions.questions import PreparedQuestion, Subject
from fullmakt.altinn.decisions.rules.delegations import Chain, find_chain
from fullmakt.altinn.decisions.rules.request import echo_of
from fullmakt.altinn.decisions.thin import candidates_of
from fullmakt.wire.altinn import attributes as ids
from fullmakt.wire.altinn.parties import PartyKind
from fullmakt.wire.altinn.resources import Membership
from fullmakt.wire.altinn.xacml_json import Part

_REASONS = {
    Outcome.PERMIT: Reason.RULE,
    Outcome.DENY: Reason.DENIED_BY_RULE,
    Outcome.NOT_APPLICABLE: Reason.NO_RIGHT,
    Outcome.INDETERMINATE: Reason.BROKEN_POLICY,
}


TOGETHER = 50
"""Questions whose facts are asked for together, and that are decided in a row before others get their turn."""


async def decide_parts(
    parts: Sequence[Part], memory: Memory, *, external: bool = True
) -> AsyncGenerator[Decision, None]:
    """A decision for each part, in order.

    Parts are decided side by side, so that the facts of many, where they are not remembered, are asked for in as many
    questions as for one.
    """
    for start in range(0, len(parts), TOGETHER):
        group = [decide_part(part, memory, external=external) for part in parts[start : start + TOGETHER]]
        for decision in [await group[0]] if len(group) == 1 else await asyncio.gather(*group):
            yield decision


async def decide_part(part: Part, memory: Memory, *, external: bool) -> Decision:
    """Decide one part of a request. What makes no sense is Indeterminate, with the status of its endpoint (§7)."""
    decision, _ = await decided(part, memory, external=external)
    return decision


async def decided(part: Part, memory: Memory, *, external: bool) -> tuple[Decision, PreparedQuestion | None]:
    """The decision, and the question that it answers; None when the part makes no sense.

    An enterprise system may do what any of its system users may.
    """
    try:
        candidates = await candidates_of(part, memory, external=external)
    except RefusedQuestionError as error:
        return refused(error, external=external), None
    first, *others = candidates.questions
    prepared, decision = first, await decide(first, memory)
    for other in others:
        if decision.permitted:
            break
        prepared, decision = other, await decide(other, memory)
    if candidates.facts:
        decision = replace(decision, facts={**decision.facts, **candidates.facts})
    return decision, prepared


def refused(error: RefusedQuestionError, *, external: bool) -> Decision:
    """The answer to a question that makes no sense."""
    status = Status.PROCESSING_ERROR if external else Status.SYNTAX_ERROR
    return Decision(Outcome.INDETERMINATE, error.reason, status, {"message": error.message})


async def decide(prepared: PreparedQuestion, memory: Memory) -> Decision:
    """Decide on known facts. A system user that has ended may do nothing, whatever it still has been given."""
    facts = _facts(prepared)
    if prepared.subject.ended:
        echo = echo_of(prepared.part, prepared.asked)
        return Decision(Outcome.NOT_APPLICABLE, Reason.SYSTEM_USER_ENDED, Status.OK, facts, echo=echo)
    evaluation = prepared.policy.evaluate(prepared.question)
    if evaluation.outcome is Outcome.NOT_APPLICABLE and evaluation.matched and prepared.party is not None:
        receivers = await receivers_of(prepared.subject, memory)
        evaluation = await _by_packages(prepared, evaluation, receivers, memory)
        if evaluation.outcome is Outcome.NOT_APPLICABLE:
            chain = await _delegated(prepared, receivers, memory)
            if chain is not None:
                facts |= chain_facts(chain)
                return await _gated(prepared, Reason.DELEGATION, facts, memory)
    if evaluation.applied:
        facts["rules"] = [rule.rule_id for rule in evaluation.applied[:20]]
    if evaluation.outcome is Outcome.PERMIT:
        return await _gated(prepared, Reason.RULE, facts, memory, evaluation)
    return Decision(
        evaluation.outcome,
        _reason(evaluation),
        evaluation.status,
        facts | ({"fault": evaluation.fault} if evaluation.fault else {}),
        echo=echo_of(prepared.part, prepared.asked) if _echoes(evaluation) else (),
    )


def _reason(evaluation: Evaluation) -> Reason:
    if evaluation.outcome is Outcome.NOT_APPLICABLE and not evaluation.matched:
        return Reason.NO_SUCH_RIGHT
    if evaluation.status is Status.MISSING_ATTRIBUTE:
        return Reason.MISSING_ATTRIBUTE
    return _REASONS[evaluation.outcome]


def _echoes(evaluation: Evaluation) -> bool:
    """What no rule asked for, and what could not be decided, comes back without the attributes (§5)."""
    return evaluation.matched and evaluation.outcome is not Outcome.INDETERMINATE


def _facts(prepared: PreparedQuestion) -> dict[str, Any]:
    party = prepared.party
    return {
        "subject": prepared.subject.uuid,
        "subject_kind": prepared.subject.kind,
        "action": list(prepared.asked.actions),
        "resource": prepared.asked.identifier,
        "party": party.party_uuid if party is not None else None,
        "policy": prepared.policy.policy_id,
    }


async def receivers_of(subject: Subject, memory: Memory) -> tuple[UUID, ...]:
    """Those to whom a right may have been given so that ``subject`` has it: itself, then its key-role organisations."""
    if subject.uuid is None:
        return ()
    if subject.person is None:
        return (subject.uuid,)
    return (subject.uuid, *await memory.key_role_organisations(subject.uuid))


async def _by_packages(
    prepared: PreparedQuestion, evaluation: Evaluation, receivers: Iterable[UUID], memory: Memory
) -> Evaluation:
    """The packages that the subject's key-role organisations hold, or were given, are the subject's too."""
    async for packages in borrowed_packages(prepared, receivers, memory):
        found = prepared.policy.evaluate(prepared.with_subject(packages))
        if found.outcome is not Outcome.NOT_APPLICABLE:
            return found
    return evaluation


async def borrowed_packages(
    prepared: PreparedQuestion, receivers: Iterable[UUID], memory: Memory
) -> AsyncIterator[AttributeSet]:
    """What the subject's key-role organisations hold in the party, and were given by it, as far as a rule asks."""
    party = prepared.party
    if party is None or ids.ACCESS_PACKAGE not in prepared.policy.mentions:
        return
    organisations = [one for one in receivers if one not in (prepared.subject.uuid, party.party_uuid)]
    for both in await memory.packages_of(organisations, party.party_uuid):
        for packages in both:
            if packages.keys:
                yield packages


async def _delegated(prepared: PreparedQuestion, receivers: tuple[UUID, ...], memory: Memory) -> Chain | None:
    """The delegation that gives the right. Its giver has it for as long as the policy has a rule for it, as is known
    when this is asked."""
    party, asked = prepared.party, prepared.asked
    if party is None or not receivers:
        return None
    rights = await memory.rights(receivers, party.party_uuid, asked.identifier)
    return find_chain(rights, receivers, asked.actions, asked.instances) if rights else None


def chain_facts(chain: Chain) -> dict[str, Any]:
    """A delegation and what it stands on, for those who ask why."""
    return {
        "delegation": chain[0].delegation_id,
        "received_by": chain[0].receiver,
        "chain": [{"id": link.delegation_id, "from": link.given_by, "to": link.receiver} for link in chain],
    }


async def _gated(
    prepared: PreparedQuestion,
    reason: Reason,
    facts: dict[str, Any],
    memory: Memory,
    evaluation: Evaluation | None = None,
) -> Decision:
    """A permit, if the party may use the resource at all (§10). A delegation inherits the policy's obligations."""
    echo = echo_of(prepared.part, prepared.asked)
    obligations = evaluation.obligations if evaluation is not None else prepared.policy.obligations
    if prepared.known.resource.access_list_enabled and not prepared.asked.is_app:
        closed, why = await gate(prepared, memory)
        facts |= why
        if closed is not None:
            return Decision(Outcome.DENY, closed, Status.OK, facts, echo=echo)
    return Decision(Outcome.PERMIT, reason, Status.OK, facts, obligations, echo)


async def gate(prepared: PreparedQuestion, memory: Memory) -> tuple[Reason | None, Mapping[str, Any]]:
    """Why the party may not use a resource that is for those on its access lists; None when it may."""
    party = prepared.party
    if party is None or party.kind is not PartyKind.ORGANISATION:
        return Reason.PARTY_IS_NO_ORGANISATION, {}
    memberships = await memory.memberships(party.party_uuid, prepared.asked.identifier)
    if not memberships:
        return Reason.NOT_ON_ACCESS_LIST, {}
    through = [one for one in memberships if all(_allows(one, action) for action in prepared.asked.actions)]
    lists = {"access_lists": [f"{one.owner}:{one.identifier}" for one in (through or memberships)[:20]]}
    return (None if through else Reason.ACCESS_LIST_LACKS_ACTION), lists


def _allows(membership: Membership, action: str) -> bool:
    return membership.actions is None or action in membership.actions

"""The whole of a decision, for those who ask why (``fullmakt explain``, and the API in development)."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from fullmakt.altinn.decisions.deciding import borrowed_packages, chain_facts, decided, gate, receivers_of
from fullmakt.altinn.decisions.memory import Memory
from fullmakt.altinn.decisions.model import NO_ATTRIBUTES, Decision, Outcome, Question
from fullmakt.altinn.decisions.questions import PreparedQuestion
from fullmakt.altinn.decisions.rules.delegations import find_chain
from fullmakt.altinn.decisions.rules.explaining import explain_rules
from fullmakt.wire.altinn import attributes as ids
from fullmakt.wire.altinn.attributes import Attribute
from fullmakt.wire.altinn.delegations import DelegatedRight
from fullmakt.wire.altinn.xacml_json import Part

Explanation = dict[str, Any]
"""JSON: ``decision``, ``status``, ``reason``, ``facts``, ``obligations``; ``rules`` with what each asked for and what
the subject had; ``held``; ``packages`` that were given, or come with a key role; ``delegations`` with why each counts
or not; ``access_list``."""


async def explain_part(part: Part, memory: Memory, *, external: bool) -> tuple[Explanation, Decision]:
    """Decide one part, and tell how."""
    decision, prepared = await decided(part, memory, external=external)
    if prepared is None:
        return _outline(decision), decision
    return {
        **_outline(decision),
        "rules": [asdict(rule) for rule in explain_rules(prepared.policy, await _question(prepared, memory))],
        "held": await _held(prepared, memory),
        "packages": await _packages(prepared, memory),
        "delegations": await _delegations(prepared, memory),
        "access_list": await _access_list(prepared, memory),
    }, decision


def _outline(decision: Decision) -> Explanation:
    return {
        "decision": decision.outcome,
        "status": decision.status,
        "reason": decision.reason,
        "facts": dict(decision.facts),
        "obligations": [
            {
                "id": one.obligation_id,
                "values": [
                    {"attribute": each.attribute_id, "category": each.category, "value": each.value}
                    for each in one.assignments
                ],
            }
            for one in decision.obligations
        ],
    }


async def _question(prepared: PreparedQuestion, memory: Memory) -> Question:
    """The question as it was decided: with the packages of a key-role organisation when it took those."""
    if prepared.policy.evaluate(prepared.question).outcome is Outcome.NOT_APPLICABLE:
        async for packages in borrowed_packages(prepared, await receivers_of(prepared.subject, memory), memory):
            question = prepared.with_subject(packages)
            if prepared.policy.evaluate(question).outcome is not Outcome.NOT_APPLICABLE:
                return question
    return prepared.question


async def _packages(prepared: PreparedQuestion, memory: Memory) -> list[dict[str, Any]]:
    """Access packages that a rule asks for, and that the party gave the subject or one of its key-role organisations,
    or that one of those holds by the register."""
    party, wanted = prepared.party, prepared.policy.subjects
    if party is None or ids.ACCESS_PACKAGE not in prepared.policy.mentions:
        return []
    told = []
    for holder in await receivers_of(prepared.subject, memory):
        given = await memory.packages(holder, party.party_uuid)
        held = (
            (await memory.held(holder, party.party_uuid)).packages if holder != prepared.subject.uuid else NO_ATTRIBUTES
        )
        for packages, is_given in ((given, True), (held, False)):
            for name, _ in packages.by_id.get(ids.ACCESS_PACKAGE, ()):
                if Attribute(ids.ACCESS_PACKAGE, name) in wanted:
                    told.append({"package": name, "holder": str(holder), "given": is_given})
    return told


async def _held(prepared: PreparedQuestion, memory: Memory) -> dict[str, str]:
    """What the subject holds in the party by the register, and which role of the register gives it."""
    uuid, party = prepared.subject.uuid, prepared.party
    if uuid is None or party is None:
        return {}
    held = (await memory.held(uuid, party.party_uuid)).held
    via = {attribute.urn: role for attribute, role in held.via}
    return {one.urn: via.get(one.urn, "") for one in sorted(held.roles | held.packages)}


async def _delegations(prepared: PreparedQuestion, memory: Memory) -> list[dict[str, Any]]:
    party = prepared.party
    receivers = await receivers_of(prepared.subject, memory)
    if party is None or not receivers:
        return []
    rights = await memory.rights(receivers, party.party_uuid, prepared.asked.identifier)
    told = []
    for right in rights:
        others = [one for one in rights if one is not right]
        chain = find_chain([right, *others], {right.receiver}, prepared.asked.actions, prepared.asked.instances)
        holds = chain is not None and chain[0] is right
        told.append(
            {
                "id": str(right.delegation_id),
                "from": str(right.given_by),
                "to": str(right.receiver),
                "actions": sorted(right.actions),
                "instance": right.instance,
                "counts": holds and right.receiver in receivers,
                "why": _why(right, prepared, receivers=right.receiver in receivers, holds=holds),
                **(chain_facts(chain) if chain is not None and holds else {}),
            }
        )
    return told


def _why(right: DelegatedRight, prepared: PreparedQuestion, *, receivers: bool, holds: bool) -> str:
    if not receivers:
        return "it is to somebody else, who passed it on"
    if right.instance is not None and right.instance not in prepared.asked.instances:
        return "it is for another instance"
    if not {action.lower() for action in prepared.asked.actions} <= {action.lower() for action in right.actions}:
        return "it does not hold the action"
    return "it holds" if holds else "what it stands on was withdrawn, or no longer holds the action"


async def _access_list(prepared: PreparedQuestion, memory: Memory) -> dict[str, Any] | None:
    """None for a resource that is open to everybody."""
    if not prepared.known.resource.access_list_enabled or prepared.asked.is_app:
        return None
    closed, facts = await gate(prepared, memory)
    return {"open": closed is None, "reason": closed, **facts}

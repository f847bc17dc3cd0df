"""What is wrong with a policy: reasons to refuse it, and things that its author would want to know.

A refusal is Altinn's own (altinn-resource-registry.md §5). A warning is ours: the policy is taken, and decides as it
says, but some of it can not mean what it looks like.
"""

from __future__ import annotations

from collections.abc import Collection

from fullmakt.altinn.resources.rules.policy_check import names, reach, shape
from fullmakt.altinn.resources.rules.policy_check.acceptance import refusal
from fullmakt.altinn.resources.rules.policy_check.findings import Findings, PolicyReport, Warned
from fullmakt.altinn.resources.rules.targets import alternatives, combinations
from fullmakt.wire.altinn.attributes import Attribute
from fullmakt.wire.altinn.policy import Policy

__all__ = ["PolicyReport", "Warned", "check", "refusal"]


def check(policy: Policy, resource: str, known_subjects: Collection[Attribute] = ()) -> PolicyReport:
    """Everything there is to warn of in the policy of ``resource``.

    ``known_subjects`` are the roles and packages that somebody can hold; where there are none of a kind, no name of
    that kind is held to be unknown. The time is linear in the policy's length.
    """
    findings = Findings()
    asked = [alternatives(rule) for rule in policy.rules]
    shape.check(policy, asked, findings)
    names.check(policy, resource, known_subjects, findings)
    reach.check(policy, asked, findings)
    return PolicyReport(
        rules=len(policy.rules),
        combinations=sum(map(combinations, asked)),
        warnings=findings.in_order(),
        counts=findings.counts(),
    )

"""Which policies may permit something to somebody whom none of their subjects names."""

from __future__ import annotations

from typing import Any

import pytest

from fullmakt.altinn.resources.rules.rights import permits_unnamed
from fullmakt.wire.altinn.policy import parse_policy
from tests.support.policies import policy_xml

DAGL = "urn:altinn:rolecode=dagl"
PATTERN = {"attribute": "urn:altinn:org", "value": "t.*", "function": "string-regexp-match"}
FOLDED = {"attribute": "urn:altinn:rolecode", "value": "DAGL", "function": "string-equal-ignore-case"}


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        ({"rules": []}, False),
        ({"rules": [{"action": ["read"], "subject": [DAGL]}]}, False),
        ({"rules": [{"action": ["read"], "subject": [FOLDED]}]}, False),
        ({"rules": [{"action": ["read"], "subject": [[DAGL, PATTERN]]}]}, False),
        ({"rules": [{"action": ["read"]}]}, True),
        ({"rules": [{"no_target": True}]}, True),
        ({"rules": [{"action": ["read"], "subject": [DAGL, PATTERN]}]}, True),
        ({"rules": [{"action": ["read"], "effect": "Deny"}, {"action": ["read"], "subject": [DAGL]}]}, False),
        ({"rules": [{"action": ["read"], "effect": "Deny", "subject": [DAGL]}]}, False),
        (
            {
                "combining": "permit-unless-deny",
                "rules": [{"action": ["read"], "effect": "Deny", "subject": [DAGL]}],
            },
            True,
        ),
    ],
    ids=[
        "no rule",
        "a role",
        "a role in any case",
        "a role and a pattern together",
        "no subject",
        "no target",
        "a role or a pattern",
        "a rule that denies everybody",
        "a rule that denies a role",
        "whatever is not denied",
    ],
)
def test_a_policy_may_permit_those_that_it_does_not_name(policy: dict[str, Any], expected: bool) -> None:
    assert permits_unnamed(parse_policy(policy_xml("thing", policy))) is expected

"""The policy of a consent resource: who may ask, and who may give (consent.md §4.13)."""

from __future__ import annotations

from typing import Any

import pytest

from fullmakt.altinn.resources.policies import consent_policy
from fullmakt.altinn.resources.rules.policy_check import check, refusal
from fullmakt.wire.altinn.policy import Literal, Policy, parse_policy
from fullmakt.wire.altinn.xacml_names import MINIMUM_LEVEL


def subjects(policy: Policy, action: str) -> list[str]:
    """Who may do ``action``, as URNs."""
    return [
        f"{one[0].attribute_id}={one[0].value}"
        for rule in policy.rules
        if [one[0].value for one in rule.target[2]] == [action]
        for one in rule.target[0]
    ]


def test_every_organisation_may_ask_and_the_named_may_give() -> None:
    policy = parse_policy(consent_policy("ttd_1_1", roles=["priv"], packages=["tilgangsstyrer"], min_level=3))
    assert refusal(policy, "ttd_1_1") is None
    assert check(policy, "ttd_1_1").counts == {}
    assert subjects(policy, "requestconsent") == ["urn:altinn:partytype=organization"]
    assert subjects(policy, "consent") == ["urn:altinn:rolecode=priv", "urn:altinn:accesspackage=tilgangsstyrer"]
    level = policy.obligations[0].assignments[0]
    assert isinstance(level.expression, Literal)
    assert (level.category, level.expression.value) == (MINIMUM_LEVEL, "3")


def test_those_on_the_lists_alone_may_ask_where_there_are_lists() -> None:
    policy = parse_policy(consent_policy("ttd_1_1", roles=["dagl"], lists=["ttd:banker"], action="read"))
    assert refusal(policy, "ttd_1_1") is None
    assert subjects(policy, "requestconsent") == ["urn:altinn:access-list=ttd:banker"]
    assert subjects(policy, "read") == ["urn:altinn:rolecode=dagl"]
    assert policy.obligations == ()


@pytest.mark.parametrize(
    "said",
    [
        {"roles": ()},
        {"roles": ("",)},
        {"roles": ("priv",), "lists": ("",)},
        {"roles": ("priv",), "action": ""},
        {"roles": ("priv",), "min_level": 5},
        {"roles": ("priv",), "min_level": -1},
    ],
)
def test_a_policy_by_which_nobody_may_give_is_not_made(said: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"consent resource|authentication level"):
        consent_policy("ttd_1_1", **said)

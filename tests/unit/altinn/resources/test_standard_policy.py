"""Policies that are made, not written."""

from __future__ import annotations

from typing import Any

import pytest

from fullmakt.altinn.resources.policies import platform_resources, standard_policy
from fullmakt.altinn.resources.rules.fields import field_faults
from fullmakt.altinn.resources.rules.policy_check import check, refusal
from fullmakt.wire.altinn.attributes import ROLE_CCR, ROLE_CODE, SERVICE_OWNER
from fullmakt.wire.altinn.policy import Literal, parse_policy
from fullmakt.wire.altinn.xacml_names import MINIMUM_LEVEL, MINIMUM_LEVEL_ORG


def test_roles_packages_and_the_owner_may_do_what_is_said() -> None:
    xml = standard_policy(
        "skd-scope",
        roles=("apiadm", "urn:altinn:external-role:ccr:daglig-leder"),
        packages=("maskinporten-administrator",),
        actions=("ScopeAccess",),
        min_level=4,
        org_code="skd",
    )
    policy = parse_policy(xml)
    assert refusal(policy, "skd-scope") is None
    assert check(policy, "skd-scope").counts == {}
    people, organisation = policy.rules
    assert [(one[0].attribute_id, one[0].value) for one in people.target[0]] == [
        (ROLE_CODE, "apiadm"),
        (ROLE_CCR, "daglig-leder"),
        ("urn:altinn:accesspackage", "maskinporten-administrator"),
    ]
    assert [(one[0].attribute_id, one[0].value) for one in organisation.target[0]] == [(SERVICE_OWNER, "skd")]
    assigned = [one.assignments[0] for one in policy.obligations]
    levels = [(one.category, one.expression.value) for one in assigned if isinstance(one.expression, Literal)]
    assert levels == [(MINIMUM_LEVEL, "4"), (MINIMUM_LEVEL_ORG, "3")]


def test_the_same_is_the_same_to_the_byte() -> None:
    said: dict[str, Any] = {"roles": ("dagl",), "actions": ("read",), "min_level": 3}
    assert standard_policy("some-thing", **said) == standard_policy("some-thing", **said)


@pytest.mark.parametrize(
    "said",
    [
        {"roles": (), "actions": ("read",)},
        {"roles": ("dagl",), "actions": ()},
        {"roles": ("",), "actions": ("read",)},
        {"roles": ("urn:altinn:rolecode:",), "actions": ("read",)},
        {"roles": ("dagl",), "actions": ("",)},
        {"roles": ("dagl",), "actions": ("read",), "min_level": 5},
        {"roles": ("dagl",), "actions": ("read",), "min_level": -1},
        {"roles": ("da\x00gl",), "actions": ("read",)},
    ],
)
def test_a_policy_for_nobody_or_nothing_is_not_made(said: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"policy names|authentication level|XML compatible"):
        standard_policy("some-thing", **said)


def test_the_platform_s_own_resources_break_no_rule() -> None:
    made = platform_resources()
    assert len(made) == 6
    for one in made:
        identifier = one.document.identifier or ""
        policy = parse_policy(one.policy)
        assert field_faults(one.document, is_new=True) == {}
        assert refusal(policy, identifier) is None
        assert check(policy, identifier).counts == {}

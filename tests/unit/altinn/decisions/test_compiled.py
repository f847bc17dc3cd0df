"""Large policies, strict targets, and what a compiled policy tells of itself."""

from __future__ import annotations

from fullmakt.altinn.decisions.model import AttributeSet, Outcome, Question
from fullmakt.altinn.decisions.rules import CompiledPolicy, compile_policy
from fullmakt.wire.altinn import attributes as ids
from fullmakt.wire.altinn.attributes import Attribute
from fullmakt.wire.altinn.policy import Effect, Match, Policy, Rule, parse_policy
from fullmakt.wire.altinn.xacml_names import STRING, STRING_EQUAL
from tests.support.policies import combining_uri, policy_xml
from tests.support.work import lines_executed


def match(category: str, attribute: str, value: str) -> Match:
    return Match(STRING_EQUAL, value, STRING, attribute, category, STRING)


def large(count: int) -> CompiledPolicy:
    resource = ((match(ids.RESOURCE_CATEGORY, ids.RESOURCE, "thing"),),)
    rules = [
        Rule(
            f"r{number}",
            Effect.PERMIT,
            (
                resource,
                ((match(ids.ACTION_CATEGORY, ids.ACTION, f"a{number % 100}"),),),
                ((match(ids.SUBJECT_CATEGORY, ids.ROLE_CODE, f"role{number}"),),),
            ),
        )
        for number in range(count)
    ]
    return compile_policy(Policy("p", "1", combining_uri("deny-overrides"), tuple(rules)))


def question(action: str, *roles: str) -> Question:
    return Question(
        {
            ids.SUBJECT_CATEGORY: (AttributeSet.of_strings(Attribute(ids.ROLE_CODE, role) for role in roles),),
            ids.ACTION_CATEGORY: (AttributeSet.of_strings([Attribute(ids.ACTION, action)]),),
            ids.RESOURCE_CATEGORY: (AttributeSet.of_strings([Attribute(ids.RESOURCE, "thing")]),),
        }
    )


def test_a_decision_does_not_grow_with_the_number_of_rules() -> None:
    small, huge = large(100), large(100_000)
    roles = [f"role{number}" for number in (3, 103, 99_903)]
    assert huge.evaluate(question("a3", *roles)).outcome is Outcome.PERMIT
    assert [rule.rule_id for rule in huge.evaluate(question("a3", *roles)).applied] == ["r3", "r103", "r99903"]
    assert huge.evaluate(question("a4", *roles)).outcome is Outcome.NOT_APPLICABLE
    work = lines_executed(lambda: huge.evaluate(question("a3", "role99903")))
    assert work == lines_executed(lambda: small.evaluate(question("a3", "role3")))


def test_a_rule_with_thousands_of_alternatives_takes_a_bounded_place() -> None:
    rule = {
        "action": [f"a{number}" for number in range(100)],
        "subject": [f"{ids.ROLE_CODE}=role{number}" for number in range(1_000)],
    }
    policy = compile_policy(parse_policy(policy_xml("thing", {"rules": [rule, {**rule, "effect": "Deny"}]})))
    assert policy.evaluate(question("a99", "role999")).outcome is Outcome.DENY
    assert policy.evaluate(question("a99", "role1000")).outcome is Outcome.NOT_APPLICABLE
    assert len(policy.actions) == 100
    assert len(policy.subjects) == 1_000


def test_strict_targets_want_every_block_met() -> None:
    rule = {"action": ["read"], "any_of": [[f"{ids.ROLE_CODE}=a"], [f"{ids.ROLE_CODE}=b"]]}
    parsed = parse_policy(policy_xml("thing", {"rules": [rule]}))
    loose, strict = compile_policy(parsed), compile_policy(parsed, strict_targets=True)
    for roles, by_loose, by_strict in (
        (("a", "b"), Outcome.PERMIT, Outcome.PERMIT),
        (("a",), Outcome.PERMIT, Outcome.NOT_APPLICABLE),
        (("b",), Outcome.PERMIT, Outcome.NOT_APPLICABLE),
        ((), Outcome.NOT_APPLICABLE, Outcome.NOT_APPLICABLE),
    ):
        asked = question("read", *roles)
        assert (loose.evaluate(asked).outcome, strict.evaluate(asked).outcome) == (by_loose, by_strict)


def test_a_policy_tells_what_it_compares() -> None:
    rules = [{"action": ["read"], "subject": [f"{ids.ROLE_CODE}=dagl"], "condition": {"attribute": "x", "value": "y"}}]
    policy = compile_policy(parse_policy(policy_xml("thing", {"level": 2, "rules": rules})))
    assert policy.mentions == {ids.ROLE_CODE, "x"}
    assert policy.subjects == {Attribute(ids.ROLE_CODE, "dagl")}
    assert policy.actions == {"read"}
    assert policy.obligations[0].assignments[0].value == "2"

"""What the check of a policy warns of, rule by rule; it takes a hundred thousand of them."""

from __future__ import annotations

from functools import partial

import pytest

from fullmakt.altinn.resources.rules.policy_check import check, refusal
from fullmakt.wire.altinn.attributes import (
    ACCESS_PACKAGE,
    ACTION,
    ACTION_CATEGORY,
    RESOURCE,
    RESOURCE_CATEGORY,
    ROLE_CODE,
    SUBJECT_CATEGORY,
    Attribute,
)
from fullmakt.wire.altinn.policy import Policy, parse_policy
from fullmakt.wire.altinn.xacml_names import INTEGER, MINIMUM_LEVEL, STRING, STRING_EQUAL
from tests.support.resources import any_of, match, policy_xml, rule_xml
from tests.support.work import growth

ID = "skd-finans-scope"
KNOWN = {Attribute(ROLE_CODE, "dagl"), Attribute(ROLE_CODE, "lede"), Attribute(ACCESS_PACKAGE, "skatt")}
FIRST = "urn:oasis:names:tc:xacml:1.0:rule-combining-algorithm:first-applicable"
PERMIT_OVERRIDES = "urn:oasis:names:tc:xacml:3.0:rule-combining-algorithm:permit-overrides"
DENY_OVERRIDES = "urn:oasis:names:tc:xacml:3.0:rule-combining-algorithm:deny-overrides"
DENY_UNLESS = "urn:oasis:names:tc:xacml:3.0:rule-combining-algorithm:deny-unless-permit"
PERMIT_UNLESS = "urn:oasis:names:tc:xacml:3.0:rule-combining-algorithm:permit-unless-deny"

Told = list[tuple[str, str | None]]


def _told(*rules: str, combining: str = DENY_OVERRIDES, more: str = "") -> Told:
    report = check(parse_policy(policy_xml(*rules, combining=combining, more=more)), ID, KNOWN)
    return [(warned.code, warned.rule_id) for warned in report.warnings]


def _role(value: str, function: str = STRING_EQUAL, attribute: str = ROLE_CODE) -> str:
    return match(attribute, value, SUBJECT_CATEGORY, function=function)


def _rule(rule_id: str, *parts: str, effect: str = "Permit") -> str:
    return f'<Rule RuleId="{rule_id}" Effect="{effect}"><Target>{"".join(parts)}</Target></Rule>'


HERE = any_of(match(RESOURCE, ID, RESOURCE_CATEGORY))
READ = any_of(match(ACTION, "read", ACTION_CATEGORY))
DAGL = any_of(_role("dagl"))
READ_AND_WRITE = any_of(match(ACTION, "read", ACTION_CATEGORY) + match(ACTION, "write", ACTION_CATEGORY))


def test_nothing_is_said_of_a_good_policy() -> None:
    report = check(parse_policy(policy_xml(rule_xml(roles=("dagl", "lede"), actions=("read", "write")))), ID, KNOWN)
    assert (report.rules, report.combinations, list(report.warnings), report.counts) == (1, 4, [], {})


@pytest.mark.parametrize(
    ("rule", "codes"),
    [
        (_rule("r", HERE, READ), ["no-subject"]),
        (_rule("r", HERE, READ, effect="Deny"), []),
        (_rule("r", DAGL, HERE), ["no-action"]),
        (_rule("r", any_of(_role("kongen")), HERE, READ), ["unknown-subject"]),
        (_rule("r", any_of(_role("kongen", attribute=ACCESS_PACKAGE)), HERE, READ), ["unknown-subject"]),
        (_rule("r", any_of(_role("991825827", attribute="urn:altinn:org")), HERE, READ), []),
        (_rule("r", any_of(_role("kongen", attribute="urn:altinn:role")), HERE, READ), []),  # nothing is known of these
        (_rule("r", any_of(_role("DAGL")), HERE, READ), ["wrong-case", "never-met"]),
        (_rule("r", any_of(_role("DAGL"), _role("dagl")), HERE, READ), ["wrong-case"]),
        (_rule("r", any_of(_role(" dagl")), HERE, READ), ["white-space"]),
        (_rule("r", any_of(_role("")), HERE, READ), ["empty-value", "unknown-subject"]),
        (_rule("r", DAGL, HERE, any_of(match(ACTION, "", ACTION_CATEGORY))), ["empty-value"]),
        (_rule("r", any_of(_role("dagl", "urn:x:equal")), HERE, READ), ["unknown-function", "never-met"]),
        (
            _rule("r", DAGL, HERE, any_of(match(ACTION, "read", ACTION_CATEGORY, DataType=INTEGER))),
            ["type-mismatch", "never-met"],
        ),
        (
            _rule("r", DAGL, HERE, any_of(match(ACTION, "1", ACTION_CATEGORY, data_type=INTEGER, DataType=INTEGER))),
            ["type-mismatch", "never-met"],
        ),
        (_rule("r", DAGL, HERE, READ_AND_WRITE), ["never-met"]),
        (_rule("r", any_of(_role("dagl") + _role("lede")), HERE, READ), []),  # one may hold both
    ],
)
def test_a_rule_by_itself(rule: str, codes: list[str]) -> None:
    assert sorted(code for code, _ in _told(rule)) == sorted(codes)


@pytest.mark.parametrize(
    ("rules", "combining", "told"),
    [
        # the same twice
        ([_rule("a", DAGL, HERE, READ), _rule("b", DAGL, HERE, READ)], DENY_OVERRIDES, [("redundant", "b")]),
        ([_rule("a", DAGL, HERE, READ), _rule("b", DAGL, HERE, READ)], FIRST, [("unreachable", "b")]),
        # one says more than the other, wherever it stands
        (
            [_rule("a", DAGL, HERE, READ), _rule("b", DAGL, HERE)],
            DENY_OVERRIDES,
            [("redundant", "a"), ("no-action", "b")],
        ),
        ([_rule("a", DAGL, HERE, READ), _rule("b", DAGL, HERE)], FIRST, [("no-action", "b")]),
        (
            [_rule("a", any_of(_role("dagl") + _role("lede")), HERE, READ), _rule("b", DAGL, HERE, READ)],
            DENY_OVERRIDES,
            [("redundant", "a")],
        ),
        # half of it is said elsewhere
        ([_rule("a", DAGL, HERE, READ), rule_xml(rule_id="b", actions=("read", "write"))], DENY_OVERRIDES, [
            ("redundant", "a")
        ]),
        ([rule_xml(rule_id="a", actions=("read", "write")), rule_xml(rule_id="b", actions=("write", "sign"))],
         DENY_OVERRIDES, []),
        # two rules together say all of a third
        (
            [
                rule_xml(rule_id="a", actions=("read",)),
                rule_xml(rule_id="b", actions=("write",)),
                rule_xml(rule_id="c", actions=("read", "write")),
            ],
            DENY_OVERRIDES,
            [("redundant", "c")],
        ),
        # yes and no
        (
            [_rule("a", DAGL, HERE, READ), _rule("b", DAGL, HERE, READ, effect="Deny")],
            DENY_OVERRIDES,
            [("unreachable", "a"), ("contradiction", "b")],
        ),
        (
            [_rule("a", DAGL, HERE, READ), _rule("b", DAGL, HERE, READ, effect="Deny")],
            PERMIT_OVERRIDES,
            [("contradiction", "b"), ("unreachable", "b")],
        ),
        (
            [_rule("a", DAGL, HERE, READ, effect="Deny"), _rule("b", DAGL, HERE, READ)],
            FIRST,
            [("contradiction", "a"), ("unreachable", "b")],
        ),
        (
            [_rule("a", DAGL, HERE, READ), _rule("b", HERE, READ, effect="Deny")],
            DENY_OVERRIDES,
            [("unreachable", "a")],
        ),
        (
            [_rule("a", HERE, READ), _rule("b", DAGL, HERE, READ, effect="Deny")],
            DENY_OVERRIDES,
            [("no-subject", "a")],
        ),
        ([_rule("a", DAGL, HERE, READ, effect="Deny")], DENY_UNLESS, [("no-effect", "a")]),
        ([_rule("a", DAGL, HERE, READ)], PERMIT_UNLESS, [("no-effect", "a")]),
        # whatever the case, and as it is written
        (
            [rule_xml(rule_id="a"), _rule("b", DAGL, HERE, READ, effect="Deny")],
            DENY_OVERRIDES,
            [],
        ),
        (
            [_rule("a", DAGL, HERE, READ), rule_xml(rule_id="b", effect="Deny")],
            DENY_OVERRIDES,
            [("unreachable", "a")],
        ),
        # a rule that depends on more than its target goes before nobody
        (
            [
                _rule("a", DAGL, HERE, READ),
                rule_xml(
                    rule_id="b",
                    effect="Deny",
                    more=f'<Condition><Apply FunctionId="{STRING_EQUAL}"><AttributeValue DataType="{STRING}">x'
                    f'</AttributeValue><AttributeValue DataType="{STRING}">y</AttributeValue></Apply></Condition>',
                ),
            ],
            DENY_OVERRIDES,
            [],
        ),
        (
            [
                _rule("a", DAGL, HERE, READ),
                _rule("b", any_of(_role("dagl").replace("false", "true")), HERE, READ, effect="Deny"),
            ],
            DENY_OVERRIDES,
            [("contradiction", "b")],
        ),
        ([_rule("a", DAGL, HERE, READ), _rule("a", any_of(_role("lede")), HERE, READ)], DENY_OVERRIDES, [
            ("repeated-rule-id", "a"),
            ("repeated-rule-id", "a"),
        ]),
        ([rule_xml()], "urn:nobody:knows", [("unknown-algorithm", None)]),
        ([], DENY_OVERRIDES, [("no-rules", None)]),
    ],
)  # fmt: skip
def test_rules_side_by_side(rules: list[str], combining: str, told: Told) -> None:
    assert _told(*rules, combining=combining) == told


def _obligation(value: str, *, data_type: str = INTEGER, on: str = "Permit", category: str = MINIMUM_LEVEL) -> str:
    return (
        f'<ObligationExpressions><ObligationExpression ObligationId="o" FulfillOn="{on}">'
        f'<AttributeAssignmentExpression AttributeId="a" Category="{category}"><AttributeValue'
        f' DataType="{data_type}">{value}</AttributeValue></AttributeAssignmentExpression>'
        "</ObligationExpression></ObligationExpressions>"
    )


@pytest.mark.parametrize(
    ("obligation", "codes"),
    [
        (_obligation("3"), []),
        (_obligation("5"), ["obligation-value"]),
        (_obligation("high"), ["obligation-value"]),
        (_obligation("3", data_type=STRING), ["obligation-type"]),
        (_obligation("3", on="Deny"), ["obligation-on-deny"]),
        (_obligation("3", category="urn:else"), ["obligation-category"]),
    ],
)
def test_an_obligation(obligation: str, codes: list[str]) -> None:
    assert [code for code, _ in _told(rule_xml(), more=obligation)] == codes
    assert [code for code, _ in _told(rule_xml(more=obligation))] == codes


def test_functions_of_a_condition_are_looked_up_however_deep() -> None:
    condition = (
        f'<Condition><Apply FunctionId="{STRING_EQUAL}"><Apply FunctionId="urn:x:nothing"/>'
        '<Function FunctionId="urn:x:more"/></Apply></Condition>'
    )
    assert [code for code, _ in _told(rule_xml(more=condition))] == ["unknown-function", "unknown-function"]


def test_a_policy_s_own_target_is_uncommon_and_another_resource_s_is_wrong() -> None:
    elsewhere = policy_xml(rule_xml()).replace(
        b"<Target/>", f"<Target>{any_of(match(RESOURCE, 'other', RESOURCE_CATEGORY))}</Target>".encode()
    )
    report = check(parse_policy(elsewhere), ID, KNOWN)
    assert [warned.code for warned in report.warnings] == ["policy-target", "other-resource"]


@pytest.mark.parametrize(
    ("rules", "resource", "reason"),
    [
        ([rule_xml()], ID, None),
        ([], ID, None),
        ([rule_xml("other")], ID, "Policy not accepted: Contains rules for a different registry resource"),
        ([rule_xml("Skd-finans-scope")], ID, "Policy not accepted: Contains rules for a different registry resource"),
        (
            [_rule("r", DAGL, READ)],
            ID,
            "Policy not accepted: Contains rule without reference to registry resource id",
        ),
        (
            ['<Rule RuleId="r" Effect="Deny"/>'],
            ID,
            "Policy not accepted: Contains rule without reference to registry resource id",
        ),
        (
            [_rule("r", DAGL, READ)],
            "app_skd",
            "Policy not accepted: Contains rule without reference to registry resource id",
        ),
    ],
)
def test_a_policy_is_about_its_resource_alone(rules: list[str], resource: str, reason: str | None) -> None:
    assert refusal(parse_policy(policy_xml(*rules)), resource) == reason


def test_where_there_is_no_register_no_role_is_unknown() -> None:
    assert check(parse_policy(policy_xml(rule_xml(roles=("kongen",)))), ID).counts == {}


def test_a_hundred_warnings_of_a_kind_are_told_and_all_are_counted() -> None:
    rules = [_rule(f"r{number}", HERE, any_of(match(ACTION, f"a{number}", ACTION_CATEGORY))) for number in range(150)]
    report = check(parse_policy(policy_xml(*rules)), ID)
    assert (len(report.warnings), report.counts) == (100, {"no-subject": 150})


def _every_other_redundant(count: int) -> Policy:
    rules = [
        rule_xml(rule_id=f"r{number}", roles=("dagl", "lede"), actions=(f"a{number // 2}",)) for number in range(count)
    ]
    return parse_policy(policy_xml(*rules), max_bytes=2**28)


def test_a_hundred_thousand_rules_are_checked() -> None:
    report = check(_every_other_redundant(100_000), ID, KNOWN)
    assert (report.rules, report.combinations) == (100_000, 200_000)
    assert report.counts == {"redundant": 50_000}


def test_the_check_grows_no_faster_than_the_policy() -> None:
    assert growth(lambda count: partial(check, _every_other_redundant(count), ID, KNOWN), 1_000) < 2.1


def test_rules_of_very_many_alternatives_are_counted_and_not_compared() -> None:
    def alternatives(count: int) -> Policy:
        names = [f"n{number}" for number in range(count)]
        return parse_policy(
            policy_xml(*(rule_xml(rule_id=f"r{number}", roles=names, actions=names) for number in "abc"))
        )

    report = check(alternatives(2_000), ID)
    assert (report.combinations, report.counts) == (12_000_000, {})
    assert growth(lambda count: partial(check, alternatives(count), ID), 1_000) < 2.1

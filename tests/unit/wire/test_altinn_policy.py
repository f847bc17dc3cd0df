"""XACML policies: read whatever their dress, never with a DOCTYPE, and written so that they are read back the same."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fullmakt.wire.altinn.attributes import ACTION, ACTION_CATEGORY, RESOURCE_CATEGORY, ROLE_CODE, SUBJECT_CATEGORY
from fullmakt.wire.altinn.policy import (
    MAX_BYTES,
    Apply,
    Assignment,
    Designator,
    Effect,
    Expression,
    FunctionName,
    InvalidPolicyError,
    Literal,
    Match,
    Obligation,
    Policy,
    Rule,
    parse_policy,
    write_policy,
)
from fullmakt.wire.altinn.xacml_names import INTEGER, MINIMUM_LEVEL, STRING, STRING_EQUAL, STRING_EQUAL_IGNORE_CASE
from tests.support.resources import DENY_OVERRIDES, NAMESPACE, any_of, match, policy_xml, rule_xml
from tests.support.work import growth

ALTINN = f"""<?xml version="1.0" encoding="utf-8"?>
<!-- as Altinn's tools write them -->
<xacml:Policy xmlns:xacml="{NAMESPACE}" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"
    PolicyId="urn:altinn:policyid:1" Version="1.0" RuleCombiningAlgId="{DENY_OVERRIDES}">
  <xacml:Target/>
  <xacml:Rule RuleId="urn:altinn:resource:my-resource:ruleid:1" Effect="Permit">
    <xacml:Description> who may read </xacml:Description>
    <xacml:Target>
      <xacml:AnyOf><xacml:AllOf>
        <xacml:Match MatchId="{STRING_EQUAL_IGNORE_CASE}">
          <xacml:AttributeValue DataType="{STRING}">dagl</xacml:AttributeValue>
          <xacml:AttributeDesignator AttributeId="urn:altinn:rolecode" Category="{SUBJECT_CATEGORY}"
            DataType="{STRING}" MustBePresent="false"/>
        </xacml:Match>
      </xacml:AllOf></xacml:AnyOf>
    </xacml:Target>
    <xacml:Condition>
      <xacml:Apply FunctionId="{STRING_EQUAL}">
        <xacml:Description>passed over</xacml:Description>
        <xacml:AttributeDesignator AttributeId="a" Category="c" DataType="{STRING}" MustBePresent="1"/>
        <xacml:AttributeValue DataType="{STRING}"> b </xacml:AttributeValue>
      </xacml:Apply>
    </xacml:Condition>
  </xacml:Rule>
  <xacml:ObligationExpressions>
    <xacml:ObligationExpression ObligationId="urn:altinn:obligation:authenticationLevel1" FulfillOn="Permit">
      <xacml:AttributeAssignmentExpression AttributeId="urn:altinn:obligation1-assignment1"
          Category="{MINIMUM_LEVEL}">
        <xacml:AttributeValue DataType="{INTEGER}">2</xacml:AttributeValue>
      </xacml:AttributeAssignmentExpression>
    </xacml:ObligationExpression>
  </xacml:ObligationExpressions>
</xacml:Policy>
"""


def test_a_policy_of_altinn_s_is_read_whole() -> None:
    policy = parse_policy(ALTINN.encode())
    assert (policy.policy_id, policy.version, policy.rule_combining) == ("urn:altinn:policyid:1", "1.0", DENY_OVERRIDES)
    [rule] = policy.rules
    assert (rule.rule_id, rule.effect, rule.description, rule.line) == (
        "urn:altinn:resource:my-resource:ruleid:1",
        Effect.PERMIT,
        "who may read",
        6,
    )
    role = Match(STRING_EQUAL_IGNORE_CASE, "dagl", STRING, ROLE_CODE, SUBJECT_CATEGORY, STRING)
    assert rule.target == (((role,),),)
    assert rule.condition == Apply(STRING_EQUAL, (Designator("a", "c", STRING, True), Literal(" b ", STRING)))
    level = Assignment("urn:altinn:obligation1-assignment1", Literal("2", INTEGER), MINIMUM_LEVEL)
    assert policy.obligations == (Obligation("urn:altinn:obligation:authenticationLevel1", Effect.PERMIT, (level,)),)


@pytest.mark.parametrize(
    "dressed",
    [
        ALTINN.encode("utf-8-sig"),
        ALTINN.replace('encoding="utf-8"', 'encoding="utf-16"').encode("utf-16"),
        ALTINN.replace("<xacml:", "<x:").replace("</xacml:", "</x:").replace("xmlns:xacml", "xmlns:x").encode(),
        ALTINN.replace("<xacml:", "<").replace("</xacml:", "</").replace("xmlns:xacml", "xmlns").encode(),
        ALTINN.replace("\n", "\r\n").encode(),
        ALTINN.replace("<xacml:Target/>", "<?pi x?><xacml:PolicyDefaults/><xacml:Target/><!-- -->").encode(),
    ],
    ids=["bom", "utf-16", "prefix", "default namespace", "windows", "comments"],
)
def test_the_dress_does_not_matter(dressed: bytes) -> None:
    assert parse_policy(dressed) == parse_policy(ALTINN.encode())


BOMB = "<!DOCTYPE lolz [<!ENTITY a 'ha'>{}]>".format(
    "".join(f"<!ENTITY {chr(98 + n)} '{f'&{chr(97 + n)};' * 10}'>" for n in range(9))
)


@pytest.mark.parametrize(
    "declared",
    [
        "<!DOCTYPE Policy>",
        '<!DOCTYPE Policy SYSTEM "file:///etc/passwd">',
        '<!DOCTYPE Policy PUBLIC "x" "http://127.0.0.1:9/policy.dtd">',
        '<!DOCTYPE p [<!ENTITY e SYSTEM "file:///etc/passwd">]>',
        '<!DOCTYPE p [<!ENTITY % e SYSTEM "http://127.0.0.1:9/">%e;]>',
        BOMB,
    ],
    ids=["bare", "system", "public", "external entity", "parameter entity", "bomb"],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_a_doctype_is_refused_before_it_is_read(declared: str, encoding: str) -> None:
    xml = f'<?xml version="1.0" encoding="{encoding}"?>{declared}<Policy a="&i;">&i;</Policy></no-xml>'.encode(encoding)
    with pytest.raises(InvalidPolicyError, match="a policy has no DOCTYPE"):
        parse_policy(xml)


def _nested_apply(depth: int) -> str:
    inner = f'<AttributeValue DataType="{STRING}">x</AttributeValue>'
    begin, end = '<Apply FunctionId="f">', "</Apply>"
    return f"<Condition>{begin * depth}{inner}{end * depth}</Condition>"


@pytest.mark.parametrize(
    ("xml", "message", "line"),
    [
        (b"", "not well-formed XML", 1),
        (b"\x00\x01", "not well-formed XML", 1),
        (b"<Policy>\n<Rule>", "not well-formed XML", 2),
        (b"<p>&e;</p>", "not well-formed XML", 1),
        (b"<a>" * 300 + b"</a>" * 300, "not well-formed XML", 1),
        (b"<?xml version='1.0' encoding='nope'?><a/>", "not well-formed XML", 1),
        (b"<Policy/>", "'Policy' in the namespace ''", 1),
        (f'<PolicySet xmlns="{NAMESPACE}"/>'.encode(), "it is a policy set", 1),
        (f'<Request xmlns="{NAMESPACE}"/>'.encode(), "it is a request", 1),
        (f'<Policy xmlns="{NAMESPACE}"/>'.encode(), "Policy has no PolicyId", 1),
        (policy_xml("<Rule/>"), "Rule has no RuleId", 2),
        (policy_xml('<Rule RuleId="r" Effect="permit"/>'), "Effect is Permit or Deny", 2),
        (policy_xml('<Rule RuleId="r" Effect="Deny"><Target/><Target/></Rule>'), "Target stands twice in a Rule", 2),
        (policy_xml("<VariableDefinition/>"), "VariableDefinition is not taken in a Policy", 2),
        (policy_xml('<x:Rule xmlns:x="other"/>'), "{other}Rule is not taken in a Policy", 2),
        (policy_xml(rule_xml(more="<Condition/>")), "a Condition holds one expression", 2),
        (policy_xml(rule_xml(more=_nested_apply(40))), "Apply is nested deeper than 32", 2),
        (policy_xml(rule_xml(more="<Condition><VariableReference/></Condition>")), "is not an expression", 2),
        (policy_xml('<Rule RuleId="r" Effect="Deny"><Target><AnyOf/></Target></Rule>'), "at least one AllOf", 2),
        (
            policy_xml('<Rule RuleId="r" Effect="Deny"><Target><AnyOf><AllOf/></AnyOf></Target></Rule>'),
            "at least one Match",
            2,
        ),
        (
            policy_xml('<Rule RuleId="r" Effect="Deny"><Target><Match/></Target></Rule>'),
            "Match is not taken in a Target",
            2,
        ),
        (policy_xml(rule_xml().replace("AttributeDesignator", "AttributeSelector")), "a Match compares one", 2),
        (policy_xml(rule_xml().replace("false", "perhaps")), "MustBePresent is true or false", 2),
        (policy_xml(rule_xml().replace("dagl<", "<b/><")), "an AttributeValue holds text alone", 2),
        (
            policy_xml(more="<ObligationExpressions><ObligationExpression/></ObligationExpressions>"),
            "ObligationExpression has no ObligationId",
            1,
        ),
        (
            policy_xml(
                more='<ObligationExpressions><ObligationExpression ObligationId="o" FulfillOn="Permit">'
                '<AttributeAssignmentExpression AttributeId="a"/></ObligationExpression></ObligationExpressions>'
            ),
            "holds one expression",
            1,
        ),
    ],
)
def test_what_is_no_policy_is_refused_with_its_line(xml: bytes, message: str, line: int) -> None:
    with pytest.raises(InvalidPolicyError) as refused:
        parse_policy(xml)
    assert message in refused.value.message
    expected = line + 1 if xml.startswith(b'<?xml version="1.0" encoding="utf-8"?>\n') and line == 1 else line
    assert refused.value.line == expected


def test_a_policy_of_more_than_ten_mebibytes_is_not_read() -> None:
    with pytest.raises(InvalidPolicyError, match=f"at most {MAX_BYTES} bytes"):
        parse_policy(b"<" * (MAX_BYTES + 1))


def test_ten_mebibytes_of_policy_are_read() -> None:
    rules = [rule_xml(rule_id=f"r{number}") for number in range(MAX_BYTES // len(rule_xml(rule_id="r99999")) - 1)]
    xml = policy_xml(*rules)
    assert MAX_BYTES * 0.99 < len(xml) <= MAX_BYTES
    assert len(parse_policy(xml).rules) == len(rules)


def test_a_hundred_thousand_rules_are_read() -> None:
    rules = [f'<Rule RuleId="r{number}" Effect="Permit"/>' for number in range(100_000)]
    assert len(parse_policy(policy_xml(*rules)).rules) == 100_000


def test_reading_grows_no_faster_than_the_policy() -> None:
    def reading(count: int) -> Callable[[], object]:
        return partial(parse_policy, policy_xml(*(rule_xml(rule_id=f"r{number}") for number in range(count))))

    assert growth(reading, 500) < 2.1


def test_a_value_keeps_its_white_space_and_its_cdata() -> None:
    xml = policy_xml(rule_xml(roles=(" dagl\n", "<![CDATA[a<b]]>", "")))
    assert [all_of[0].value for all_of in parse_policy(xml).rules[0].target[0]] == [" dagl\n", "a<b", ""]


def test_an_all_of_may_mix_categories() -> None:
    mixed = match("r", "x", RESOURCE_CATEGORY) + match(ACTION, "read", ACTION_CATEGORY)
    [rule] = parse_policy(policy_xml(rule_xml().replace("<Target>", f"<Target>{any_of(mixed)}"))).rules
    assert [one.category for one in rule.target[0][0]] == [RESOURCE_CATEGORY, ACTION_CATEGORY]


_NAME = st.text(st.characters(categories=["L", "N"], include_characters=":-_#"), min_size=1, max_size=12)
_TEXT = st.text(st.characters(exclude_categories=["Cc", "Cs", "Cn"], exclude_characters="￾￿"), max_size=12)
_LITERAL = st.builds(Literal, _TEXT, _NAME)
_DESIGNATOR = st.builds(Designator, _NAME, _NAME, _NAME, st.booleans(), st.none() | _NAME)
_EXPRESSION: st.SearchStrategy[Expression] = st.recursive(
    _LITERAL | _DESIGNATOR | st.builds(FunctionName, _NAME),
    lambda inner: st.builds(Apply, _NAME, st.lists(inner, max_size=3).map(tuple)),
    max_leaves=6,
)
_MATCH = st.builds(Match, _NAME, _TEXT, _NAME, _NAME, _NAME, _NAME, st.booleans())


def _some(strategy: st.SearchStrategy[object], *, least: int = 0) -> st.SearchStrategy[tuple[object, ...]]:
    return st.lists(strategy, min_size=least, max_size=3).map(tuple)


_TARGET = _some(_some(_some(_MATCH, least=1), least=1))
_OBLIGATIONS = _some(
    st.builds(
        Obligation,
        _NAME,
        st.sampled_from(Effect),
        _some(st.builds(Assignment, _NAME, _EXPRESSION, st.none() | _NAME, st.none() | _NAME)),
    )
)
_DESCRIPTION = _NAME | st.just("")
_RULE = st.builds(Rule, _NAME, st.sampled_from(Effect), _TARGET, st.none() | _EXPRESSION, _OBLIGATIONS, _DESCRIPTION)
_POLICY = st.builds(Policy, _NAME, _NAME, _NAME, _some(_RULE), _TARGET, _OBLIGATIONS, _DESCRIPTION)


@given(_POLICY)
def test_what_is_written_is_read_back(policy: Policy) -> None:
    assert parse_policy(write_policy(policy)) == policy


@given(st.binary(max_size=300), st.integers(0, 2))
def test_any_bytes_are_a_policy_or_refused(data: bytes, place: int) -> None:
    xml = (data, policy_xml() + data, policy_xml()[:150] + data + policy_xml()[150:])[place]
    with suppress(InvalidPolicyError):
        assert parse_policy(xml) == parse_policy(policy_xml())

"""The indexed engine gives every answer that walking all rules gives."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from fullmakt.altinn.decisions.model import AttributeSet, Question
from fullmakt.altinn.decisions.rules import compile_policy
from fullmakt.wire.altinn.policy import Apply, Designator, Effect, Literal, Match, Policy, Rule
from fullmakt.wire.altinn.xacml_names import ANY_URI, COMBINING_ALGORITHMS, INTEGER, STRING
from tests.support.reference_engine import ACTION, F1, RESOURCE, SUBJECT, Asked, evaluate

ENVIRONMENT = "urn:oasis:names:tc:xacml:3.0:attribute-category:environment"
CATEGORIES = [SUBJECT, SUBJECT, RESOURCE, RESOURCE, ACTION, ENVIRONMENT]
FUNCTIONS = [
    f"{F1}string-equal",
    "urn:oasis:names:tc:xacml:3.0:function:string-equal-ignore-case",
    f"{F1}string-equal",
    "urn:oasis:names:tc:xacml:3.0:function:string-equal-ignore-case",
    f"{F1}anyURI-equal",
    f"{F1}integer-equal",
    f"{F1}string-is-in",
    f"{F1}string-regexp-match",
    "urn:unknown:function",
]
values = st.sampled_from(["a", "A", "b", "1", "01"])
types = st.sampled_from([STRING, STRING, STRING, STRING, ANY_URI, INTEGER])
ids = st.sampled_from(["x", "y"])


@st.composite
def matches(draw: Any) -> Match:
    function = draw(st.sampled_from(FUNCTIONS))
    value, data_type = draw(values), draw(types)
    if function.endswith("regexp-match"):
        value = draw(st.sampled_from(["a.*", "(a*)*"]))
    return Match(
        function=function,
        value=value,
        data_type=data_type,
        attribute_id=draw(ids),
        category=draw(st.sampled_from(CATEGORIES)),
        designated_type=data_type if draw(st.integers(0, 9)) else draw(types),
        must_be_present=draw(st.integers(0, 9)) == 0,
    )


targets = st.lists(
    st.lists(st.lists(matches(), min_size=1, max_size=2).map(tuple), min_size=1, max_size=3).map(tuple), max_size=3
).map(tuple)


@st.composite
def ordinary_targets(draw: Any) -> tuple[Any, ...]:
    """As policies are written: a block for each category, strings alone, some alternatives of several matches."""
    blocks = []
    for category in (SUBJECT, RESOURCE, ACTION):
        one = st.builds(
            Match,
            function=st.sampled_from(FUNCTIONS[:2]),
            value=st.sampled_from(["a", "A", "b"]),
            data_type=st.just(STRING),
            attribute_id=ids,
            category=st.just(category),
            designated_type=st.just(STRING),
        )
        alternatives = st.lists(st.lists(one, min_size=1, max_size=2).map(tuple), min_size=1, max_size=2)
        if draw(st.integers(0, 5)):
            blocks.append(tuple(draw(alternatives)))
    return tuple(blocks)


@st.composite
def conditions(draw: Any) -> Apply | None:
    if draw(st.integers(0, 3)):
        return None
    designator = Designator(draw(ids), draw(st.sampled_from(CATEGORIES)), STRING)
    inner: Designator | Apply = designator
    if draw(st.booleans()):
        inner = Apply(f"{F1}string-one-and-only", (designator,))
    return Apply(f"{F1}string-equal", (Literal(draw(values), STRING), inner))


@st.composite
def policies(draw: Any) -> Policy:
    rules = [
        Rule(
            f"r{number}",
            draw(st.sampled_from(Effect)),
            target=draw(st.one_of(targets, ordinary_targets(), ordinary_targets())),
            condition=draw(conditions()),
        )
        for number in range(draw(st.integers(0, 5)))
    ]
    algorithm = draw(st.sampled_from([*COMBINING_ALGORITHMS, "urn:unknown:algorithm"]))
    target = draw(targets) if draw(st.integers(0, 9)) == 0 else ()
    return Policy("p", "1.0", algorithm, tuple(rules), target)


ordinary_requests = st.fixed_dictionaries(
    {
        category: st.lists(st.tuples(ids, st.sampled_from(["a", "b"]), st.just(STRING)), max_size=2)
        for category in (SUBJECT, RESOURCE, ACTION)
    }
)
requests = ordinary_requests | st.dictionaries(
    st.sampled_from(CATEGORIES), st.lists(st.tuples(ids, values, types), max_size=4), max_size=4
)


def question(asked: Asked) -> Question:
    return Question({category: (AttributeSet(attributes),) for category, attributes in asked.items()})


@settings(max_examples=600, deadline=None)
@given(policies(), st.lists(requests, min_size=1, max_size=5))
def test_the_index_changes_no_answer(policy: Policy, asked: list[Asked]) -> None:
    compiled = compile_policy(policy)
    for request in asked:
        found = compiled.evaluate(question(request))
        decision, status, applied = evaluate(policy, request)
        assert (found.outcome, found.status.rpartition(":")[2]) == (decision, status), (found, request)
        if not found.fault or found.applied:
            assert [rule.rule_id for rule in found.applied] == applied


@settings(max_examples=150, deadline=None)
@given(policies(), requests, requests)
def test_attributes_from_several_sources_count_as_one(policy: Policy, one: Asked, other: Asked) -> None:
    compiled = compile_policy(policy)
    names = {*one, *other}
    together = {name: [*one.get(name, ()), *other.get(name, ())] for name in names}
    apart = Question({name: (AttributeSet(one.get(name, ())), AttributeSet(other.get(name, ()))) for name in names})
    assert compiled.evaluate(apart) == compiled.evaluate(question(together))

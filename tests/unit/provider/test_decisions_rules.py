"""How questions are put, and which answers are a yes (altinn-authorization.md §11)."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fullmakt.kernel.sans_io import drive
from fullmakt.provider import (
    Attribute,
    DecisionError,
    DecisionReason,
    DecisionRefusedError,
    DecisionResult,
    DecisionUnavailableError,
    NationalId,
    NotPermittedError,
    OrgNumber,
    Outcome,
    Question,
    Subject,
    UnreadableDecisionError,
)
from fullmakt.provider.decisions_rules import ask, request_document
from fullmakt.wire.altinn import attributes as ids
from fullmakt.wire.altinn.xacml_json import read_request

URL = "https://pdp.test/api/v1/authorize"
ACME = OrgNumber("910753614")
KARI = Subject((Attribute(ids.USER_ID, "20001"),), level=3)
READ = Question("read", "thing", ACME)
WRITE = Question("write", "thing", ACME)
LEVEL = "urn:altinn:minimum-authenticationlevel"


def result(decision: str = "Permit", *, echo: Sequence[tuple[str, str]] = (), **obligations: str) -> dict[str, Any]:
    """One result as Altinn writes it; ``level`` and ``org`` are the obligations."""
    return written(decision, echo, obligations)


def written(decision: str, echo: Sequence[tuple[str, str]], levels: Mapping[str, str]) -> dict[str, Any]:
    categories = {"level": LEVEL, "org": f"{LEVEL}-org"}
    return {
        "decision": decision,
        "status": {"statusCode": {"value": "urn:oasis:names:tc:xacml:1.0:status:ok", "statusCode": None}},
        "obligations": [
            {"id": name, "attributeAssignment": [{"attributeId": "a", "value": value, "category": categories[name]}]}
            for name, value in levels.items()
        ]
        or None,
        "category": [{"categoryId": "c", "attribute": [{"attributeId": one, "value": value} for one, value in echo]}]
        if echo
        else None,
    }


def answered(*results: Any, subject: Subject = KARI, questions: Sequence[Question] = (READ,)) -> list[DecisionResult]:
    return asked(httpx2.Response(200, json={"response": list(results)}), subject, questions)


def asked(
    response: httpx2.Response | Exception, subject: Subject = KARI, questions: Sequence[Question] = (READ,)
) -> list[DecisionResult]:
    def perform(_request: httpx2.Request) -> httpx2.Response:
        if isinstance(response, Exception):
            raise response
        return response

    return drive(ask(URL, {}, subject, questions), perform)


def reasons(results: Sequence[DecisionResult]) -> list[str]:
    return [one.reason.value for one in results]


@pytest.mark.parametrize(
    ("decision", "reason"),
    [("Permit", "permitted"), ("Deny", "denied"), ("NotApplicable", "no_right"), ("Indeterminate", "undecidable")],
)
def test_permit_alone_is_a_yes(decision: str, reason: str) -> None:
    (one,) = answered(result(decision))
    assert (one.outcome, one.reason, bool(one), one.permitted) == (
        Outcome(decision), reason, decision == "Permit", decision == "Permit"
    )  # fmt: skip
    assert one.status == "urn:oasis:names:tc:xacml:1.0:status:ok"


@pytest.mark.parametrize(
    ("levels", "level", "is_owner", "reason"),
    [
        ({"level": "3"}, 3, False, "permitted"),
        ({"level": "3"}, 2, False, "level_too_low"),
        ({"level": "4", "org": "2"}, 2, False, "level_too_low"),
        ({"level": "4", "org": "2"}, 2, True, "permitted"),
        ({"level": "4", "org": "3"}, 2, True, "level_too_low"),
        ({"level": "2", "org": "4"}, 2, True, "permitted"),
        ({"org": "4"}, 2, True, "level_too_low"),
        ({"org": "4"}, 2, False, "permitted"),
        ({"level": "four"}, 4, False, "unreadable_level"),
        ({"level": "²"}, 4, False, "unreadable_level"),
        ({"level": "-1"}, 4, False, "unreadable_level"),
        ({}, 0, False, "permitted"),
    ],
)
def test_a_permit_holds_for_who_has_proved_well_enough_who_it_is(
    levels: dict[str, str], level: int, is_owner: bool, reason: str
) -> None:
    subject = Subject(KARI.attributes, level, is_owner)
    assert reasons(answered(written("Permit", (), levels), subject=subject)) == [reason]


def test_the_level_that_would_do_is_told() -> None:
    (one,) = answered(result(level="4"))
    assert (one.required_level, one.obligations) == (4, {LEVEL: "4"})


def test_two_levels_that_contradict_each_other_are_no_yes() -> None:
    both = result(level="2")
    both["obligations"] += result(level="4")["obligations"]
    assert reasons(answered(both)) == ["unreadable_level"]


def test_names_are_read_in_any_case() -> None:
    document = {
        "Response": [
            {
                "Decision": "Permit",
                "Obligations": [{"AttributeAssignment": [{"Category": LEVEL, "Value": "4"}]}],
            }
        ]
    }
    assert reasons(asked(httpx2.Response(200, json=document))) == ["level_too_low"]


def test_one_question_wants_exactly_one_result() -> None:
    assert reasons(answered()) == ["not_one_result"]
    assert reasons(answered(result(), result())) == ["not_one_result"]


def test_several_questions_want_as_many_results() -> None:
    both = (READ, WRITE)
    assert reasons(answered(result(), result("NotApplicable"), questions=both)) == ["permitted", "no_right"]
    assert reasons(answered(result(), questions=both)) == ["not_one_result", "not_one_result"]
    assert reasons(answered(result(), result(), result(), questions=both)) == ["not_one_result", "not_one_result"]


def test_one_indeterminate_answers_every_question() -> None:
    assert reasons(answered(result("Indeterminate"), questions=(READ, WRITE))) == ["undecidable", "undecidable"]


def test_results_that_tell_of_another_question_are_no_yes() -> None:
    echoes = [[(ids.ACTION, "write"), (ids.RESOURCE, "thing")], [(ids.ACTION, "write"), (ids.RESOURCE, "thing")]]
    results = [result(echo=echo) for echo in echoes]
    assert reasons(answered(*results, questions=(READ, WRITE))) == ["another_question", "permitted"]


def test_what_the_decision_point_adds_to_an_echo_is_passed_over() -> None:
    assert reasons(answered(result(echo=[(ids.ACTION, "read"), (ids.PARTY_ID, "50001")]))) == ["permitted"]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b"{}",
        b'{"response": {}}',
        b'{"response": [1]}',
        b'{"response": [{"decision": "Perhaps"}]}',
        b'{"response": [{"decision": "Permit"}], "Response": [{"decision": "Deny"}]}',
        b'{"response": [{"decision": "Permit", "obligations": {}}]}',
        b'{"response": [{"decision": "Permit", "obligations": [{"attributeAssignment": [7]}]}]}',
        b'{"response": [{"decision": "Permit", "status": 200}]}',
        b'{"response": [{"decision": ["Permit"]}]}',
    ],
)
def test_what_is_no_answer_is_no_decision(body: bytes) -> None:
    with pytest.raises(UnreadableDecisionError):
        asked(httpx2.Response(200, content=body))


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.sampled_from(["Permit", "2", LEVEL]) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["response", "decision", "obligations", "status", "category", "attributeAssignment"]), inner
        )
    ),
    max_leaves=12,
)


@given(_json)
def test_any_answer_is_a_result_or_an_error_of_ours(document: Any) -> None:
    try:
        (one,) = asked(httpx2.Response(200, content=json.dumps({"response": document}).encode()))
    except DecisionError:
        return
    if one:
        assert one.outcome is Outcome.PERMIT


@pytest.mark.parametrize("status", [201, 204, 301, 400, 401, 403, 404, 413])
def test_any_other_status_is_a_refusal(status: int) -> None:
    with pytest.raises(DecisionRefusedError) as caught:
        asked(httpx2.Response(status, json={"response": [result()]}))
    assert (caught.value.status, caught.value.reason) == (status, "refused")


@pytest.mark.parametrize(("told", "understood"), [("7", 7), ("soon", None), ("", None), ("-1", None)])
@pytest.mark.parametrize("status", [429, 500, 502, 503])
def test_a_decision_point_that_is_out_may_be_asked_again(status: int, told: str, understood: int | None) -> None:
    with pytest.raises(DecisionUnavailableError) as caught:
        asked(httpx2.Response(status, headers={"Retry-After": told}))
    assert (caught.value.status, caught.value.retry_after) == (status, understood)


@pytest.mark.parametrize("error", [httpx2.ConnectError("x"), httpx2.ReadTimeout("x"), httpx2.DecodingError("x")])
def test_no_answer_is_no_decision(error: Exception) -> None:
    with pytest.raises(DecisionUnavailableError, match=type(error).__name__):
        asked(error)


def test_an_address_that_is_none_is_no_decision() -> None:
    with pytest.raises(DecisionRefusedError):
        asked(httpx2.UnsupportedProtocol("x"))
    with pytest.raises(DecisionRefusedError):
        drive(ask("https://pdp.test:port", {}, KARI, [READ]), lambda _: httpx2.Response(200))


def test_nothing_is_asked_when_there_is_no_question() -> None:
    assert asked(AssertionError("nothing should be sent"), questions=()) == []


def test_one_question_is_an_ordinary_request() -> None:
    assert request_document(KARI, [READ]) == {
        "Request": {
            "AccessSubject": [{"Id": "s", "Attribute": [{"AttributeId": "urn:altinn:userid", "Value": "20001"}]}],
            "Action": [
                {
                    "Id": "a",
                    "Attribute": [{"AttributeId": "urn:oasis:names:tc:xacml:1.0:action:action-id", "Value": "read"}],
                }
            ],
            "Resource": [
                {
                    "Id": "r",
                    "Attribute": [
                        {"AttributeId": "urn:altinn:resource", "Value": "thing"},
                        {"AttributeId": "urn:altinn:organization:identifier-no", "Value": "910753614"},
                    ],
                }
            ],
        }
    }


_questions = st.builds(
    Question,
    st.sampled_from(["read", "write", "sign"]),
    st.sampled_from(["thing", "other", None]),
    st.sampled_from([ACME, 50001, UUID(int=7), NationalId("05895199925"), Attribute("urn:x", "y"), None]),
)


@given(st.lists(_questions, min_size=1, max_size=12))
def test_a_request_asks_for_each_question_in_its_turn(questions: list[Question]) -> None:
    parts = read_request(request_document(KARI, questions)).parts()
    understood = [
        (
            [one.value for category in part if category.category == ids.ACTION_CATEGORY for one in category.attributes],
            [
                Attribute(one.id, one.value)
                for category in part
                if category.category == ids.RESOURCE_CATEGORY
                for one in category.attributes
            ],
        )
        for part in parts
    ]
    assert understood == [([one.action], list(one.resource_attributes)) for one in questions]


def test_a_party_is_not_named_by_any_text() -> None:
    for party in ("910753614", True, 1.5):
        with pytest.raises(TypeError, match="party"):
            _ = Question("read", "thing", party).resource_attributes  # type: ignore[arg-type]


def test_a_refusal_is_one_that_an_api_can_answer_with() -> None:
    permitted, refused = answered(result(), result("Deny"), questions=(READ, WRITE))
    assert permitted.require() is permitted
    with pytest.raises(NotPermittedError) as caught:
        refused.require()
    assert (caught.value.status, caught.value.result.reason) == (403, DecisionReason.DENIED)
    assert caught.value.body()["error"] == "access_denied"


def test_people_are_left_out_of_what_is_printed() -> None:
    question = Question("read", "thing", NationalId("05895199925"))
    subject = Subject((Attribute(ids.PERSON, "05895199925"),))
    assert "05895199925" not in f"{question} {subject}"

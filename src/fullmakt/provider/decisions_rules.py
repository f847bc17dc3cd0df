"""The rules of whoever enforces decisions: how a question is put, and which answers are a yes. No I/O.

Sources: altinn-authorization.md §2 to §5 (the documents) and §11 (the rules). Members of answers are read in any case,
as .NET's clients read them.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from typing import Any, NamedTuple

import httpx2

from fullmakt.jose.strict_json import StrictJsonError, loads_object
from fullmakt.provider.decisions_errors import (
    DecisionRefusedError,
    DecisionUnavailableError,
    UnreadableDecisionError,
)
from fullmakt.provider.decisions_model import DecisionReason, DecisionResult, Question, Subject
from fullmakt.wire.altinn import attributes as ids
from fullmakt.wire.altinn.attributes import Attribute
from fullmakt.wire.altinn.xacml_json import Outcome
from fullmakt.wire.altinn.xacml_names import MINIMUM_LEVEL, MINIMUM_LEVEL_ORG

_NO = {
    Outcome.DENY: DecisionReason.DENIED,
    Outcome.NOT_APPLICABLE: DecisionReason.NO_RIGHT,
    Outcome.INDETERMINATE: DecisionReason.UNDECIDABLE,
}
_TRANSIENT = frozenset({408, 425, 429})


class _Result(NamedTuple):
    """One result as it came. ``obligations`` is None where two of them contradict each other."""

    outcome: Outcome
    status: str | None
    obligations: Mapping[str, str] | None
    echo: tuple[Attribute, ...]


def ask(
    url: str, headers: Mapping[str, str], subject: Subject, questions: Sequence[Question]
) -> Generator[httpx2.Request, httpx2.Response, list[DecisionResult]]:
    """Put the questions in one request: an answer to each, in their order.

    Raises:
        DecisionUnavailableError, DecisionRefusedError, UnreadableDecisionError: there is no decision.
    """
    if not questions:
        return []
    document = request_document(subject, questions)
    try:
        response = yield httpx2.Request("POST", url, json=document, headers={"Accept": "application/json", **headers})
    except (httpx2.InvalidURL, httpx2.UnsupportedProtocol) as error:
        raise DecisionRefusedError(f"{url!r} is not a URL that can be called") from error
    except (httpx2.TransportError, httpx2.DecodingError) as error:
        raise DecisionUnavailableError(f"no answer from {url} ({type(error).__name__})") from error
    _check_status(url, response)
    return judge(_read(url, response.content), subject, questions)


def request_document(subject: Subject, questions: Sequence[Question]) -> dict[str, Any]:
    """The request: an ordinary one for one question, for several a multi-request in which what is equal stands once."""
    subjects = [_category("s", subject.attributes)]
    if len(questions) == 1:
        (question,) = questions
        action = Attribute(ids.ACTION, question.action)
        return {
            "Request": {
                "AccessSubject": subjects,
                "Action": [_category("a", (action,))],
                "Resource": [_category("r", question.resource_attributes)],
            }
        }
    actions: dict[str, str] = {}
    resources: dict[tuple[Attribute, ...], str] = {}
    references = [
        {
            "ReferenceId": [
                "s",
                actions.setdefault(question.action, f"a{len(actions)}"),
                resources.setdefault(question.resource_attributes, f"r{len(resources)}"),
            ]
        }
        for question in questions
    ]
    return {
        "Request": {
            "AccessSubject": subjects,
            "Action": [_category(name, (Attribute(ids.ACTION, one),), echo=True) for one, name in actions.items()],
            "Resource": [_category(name, one, echo=True) for one, name in resources.items()],
            "MultiRequests": {"RequestReference": references},
        }
    }


def _category(name: str, attributes: Sequence[Attribute], *, echo: bool = False) -> dict[str, Any]:
    asked_back = {"IncludeInResult": True} if echo else {}
    return {"Id": name, "Attribute": [{"AttributeId": one.id, "Value": one.value, **asked_back} for one in attributes]}


def _check_status(url: str, response: httpx2.Response) -> None:
    """A decision is always 200, and nothing else is one."""
    status = response.status_code
    if status == httpx2.codes.OK:
        return
    if status in _TRANSIENT or status >= httpx2.codes.INTERNAL_SERVER_ERROR:
        told = response.headers.get("retry-after", "")
        retry_after = int(told) if told.isascii() and told.isdigit() and len(told) < 10 else None
        raise DecisionUnavailableError(f"{url} answered {status}", status=status, retry_after=retry_after)
    raise DecisionRefusedError(f"{url} answered {status}", status=status)


def _read(url: str, body: bytes) -> list[_Result]:
    try:
        results = _member(loads_object(body), "response")
        if not isinstance(results, list):
            raise TypeError("response is no list")
        return [_result(one) for one in results]
    except (StrictJsonError, ValueError, TypeError) as error:
        raise UnreadableDecisionError(f"the answer of {url} is no decision", status=200) from error


def _result(result: Any) -> _Result:
    code = _member(_member(result, "status") or {}, "statuscode")
    status = _member(code or {}, "value")
    return _Result(
        Outcome(_member(result, "decision")),
        status if isinstance(status, str) else None,
        _obligations(_member(result, "obligations")),
        tuple(_echo(_member(result, "category"))),
    )


def _obligations(obligations: Any) -> Mapping[str, str] | None:
    found: dict[str, str] = {}
    for obligation in _list(obligations):
        for assignment in _list(_member(obligation, "attributeassignment")):
            category, value = _member(assignment, "category"), _member(assignment, "value")
            if category is not None and found.setdefault(str(category), str(value)) != str(value):
                return None
    return found


def _echo(categories: Any) -> list[Attribute]:
    return [
        Attribute(str(_member(attribute, "attributeid")), str(_member(attribute, "value")))
        for category in _list(categories)
        for attribute in _list(_member(category, "attribute"))
    ]


def _list(value: Any) -> list[Any]:
    if value is None:
        return []
    if not isinstance(value, list):
        raise TypeError("not a list")
    return value


def _member(value: Any, name: str) -> Any:
    if not isinstance(value, Mapping):
        raise TypeError("not an object")
    found = [member for key, member in value.items() if key.lower() == name]
    if len(found) > 1:
        raise ValueError("a member stands twice, in different case")
    return found[0] if found else None


def judge(results: Sequence[_Result], subject: Subject, questions: Sequence[Question]) -> list[DecisionResult]:
    """What the results mean for each question. One Indeterminate alone means that no part could be decided (§4)."""
    if len(results) == 1 and results[0].outcome is Outcome.INDETERMINATE:
        return [_judged(results[0], subject)] * len(questions)
    if len(results) != len(questions):
        return [DecisionResult(DecisionReason.NOT_ONE_RESULT)] * len(questions)
    return [
        _judged(result, subject) if _answers(result, question) else DecisionResult(DecisionReason.ANOTHER_QUESTION)
        for result, question in zip(results, questions, strict=True)
    ]


def _answers(result: _Result, question: Question) -> bool:
    """Results come in the order of the questions (§4); what is echoed must not say otherwise."""
    asked = {Attribute(ids.ACTION, question.action), *question.resource_attributes}
    meant = {attribute.id for attribute in asked}
    return all(attribute in asked for attribute in result.echo if attribute.id in meant)


def _judged(result: _Result, subject: Subject) -> DecisionResult:
    if result.outcome is not Outcome.PERMIT:
        return DecisionResult(_NO[result.outcome], result.outcome, result.status)
    if result.obligations is None:
        return DecisionResult(DecisionReason.UNREADABLE_LEVEL, result.outcome, result.status)
    levels = {name: result.obligations.get(name) for name in (MINIMUM_LEVEL, MINIMUM_LEVEL_ORG)}
    if not all(level is None or (level.isascii() and level.isdigit() and len(level) < 10) for level in levels.values()):
        reason, required = DecisionReason.UNREADABLE_LEVEL, None
    else:
        required = _required(levels, subject)
        met = required is None or subject.level >= required
        reason = DecisionReason.PERMITTED if met else DecisionReason.LEVEL_TOO_LOW
    return DecisionResult(reason, result.outcome, result.status, required, result.obligations)


def _required(levels: Mapping[str, str | None], subject: Subject) -> int | None:
    """The level that people must have; a service owner may have that of service owners instead, if that is less."""
    of_people, of_owners = levels[MINIMUM_LEVEL], levels[MINIMUM_LEVEL_ORG]
    asked = [of_people, of_owners] if subject.is_service_owner else [of_people]
    return min((int(level) for level in asked if level is not None), default=None)

"""What can go wrong when Altinn is asked for consents, by meaning (consent.md §2.2, §2.8, §4.16)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx2

from fullmakt.client.access_token import MAX_RESPONSE_BYTES
from fullmakt.client.retry import TRANSIENT, retry_after
from fullmakt.jose.strict_json import StrictJsonError, loads

_MAX_PROBLEMS = 100
_SEVERAL = "STD-00001"
_VALIDATION = "STD-00000"


@dataclass(frozen=True, slots=True)
class ConsentProblem:
    """One fault that Altinn names: ``AM-00006``, ``AM.VLD-00022``, or Altinn 2's ``40332``, in Altinn's words.

    ``details`` is what else it says, such as the ``key`` of a parameter; it may name people.
    """

    code: str
    title: str
    details: Mapping[str, Any] = field(default_factory=dict, repr=False, hash=False)


class ConsentError(Exception):
    """Altinn did not do what it was asked.

    status: the answer's; None without one. problems: what it names as wrong. trace_id: what its support asks for.
    """

    def __init__(
        self,
        text: str,
        *,
        status: int | None = None,
        problems: tuple[ConsentProblem, ...] = (),
        trace_id: str | None = None,
        retry_after: float | None = None,
    ) -> None:
        named = "; ".join(f"{problem.code} {problem.title}".strip() for problem in problems)
        super().__init__(f"{text}: {named}" if named else text)
        self.status = status
        self.problems = problems
        self.trace_id = trace_id
        self.retry_after = retry_after

    @property
    def codes(self) -> tuple[str, ...]:
        """The code of each problem."""
        return tuple(problem.code for problem in self.problems)


class ConsentRefusedError(ConsentError):
    """What was asked for can not be had as it was asked for: ``problems`` say why."""


class ConsentForbiddenError(ConsentError):
    """The caller may not: its token, its scope, its API key, its organisation, or the owner of the service says no.

    Of an Altinn 2 token that is not given, it is all that is said: unanswered, declined, ended and unknown look alike.
    """


class ConsentNotFoundError(ConsentError):
    """There is no such consent, or it is not the caller's to see."""


class ConsentUnavailableError(ConsentError):
    """Altinn can not be reached, or can not answer just now; ``retry_after`` is in seconds, if it said."""


class UnexpectedConsentResponseError(ConsentError):
    """An answer that is none of Altinn's: check the URL, and the proxies on the way."""


def refusal_of(response: httpx2.Response) -> ConsentError:
    """The error that a response other than a success stands for. Its URL may name a consent, and is not repeated."""
    status = response.status_code
    document = _document(response)
    problems = _problems(document)
    trace_id = document.get("traceId") if isinstance(document, dict) else None
    told: dict[str, Any] = {
        "status": status,
        "problems": problems,
        "trace_id": trace_id if isinstance(trace_id, str) else None,
        "retry_after": retry_after(response.headers),
    }
    text = f"Altinn answered {status}"
    if status in (httpx2.codes.UNAUTHORIZED, httpx2.codes.FORBIDDEN):
        return ConsentForbiddenError(text, **told)
    if status == httpx2.codes.NOT_FOUND:
        return ConsentNotFoundError(text, **told)
    if status in TRANSIENT or (status >= httpx2.codes.INTERNAL_SERVER_ERROR and not problems):
        return ConsentUnavailableError(text, **told)
    if problems or status == httpx2.codes.BAD_REQUEST:
        return ConsentRefusedError(text, **told)
    return UnexpectedConsentResponseError(text, **told)


def _document(response: httpx2.Response) -> Any:
    try:
        return loads(response.content[:MAX_RESPONSE_BYTES])
    except StrictJsonError:
        return None


def _problems(document: object) -> tuple[ConsentProblem, ...]:
    """Altinn 3's problem, each of its several, each of its validation errors; or Altinn 2's array."""
    if isinstance(document, list):
        return tuple(each for one in document[:_MAX_PROBLEMS] for each in _old_problem(one))
    if not isinstance(document, dict):
        return ()
    code = document.get("code")
    inner = {_SEVERAL: "problems", _VALIDATION: "validationErrors"}.get(code) if isinstance(code, str) else None
    within = document.get(inner) if inner is not None else None
    if isinstance(within, list) and within:
        return tuple(each for one in within[:_MAX_PROBLEMS] if isinstance(one, dict) for each in _problems(one))
    return (_problem(document, "code", "title"),) if isinstance(code, str) else ()


def _old_problem(document: object) -> tuple[ConsentProblem, ...]:
    known = isinstance(document, dict) and isinstance(document.get("ErrorCode"), str)
    return (_problem(document, "ErrorCode", "ErrorMessage"),) if known and isinstance(document, dict) else ()


def _problem(document: Mapping[str, Any], code: str, title: str) -> ConsentProblem:
    text = document.get(title)
    # Altinn 2's words name the number that was sent, which is nobody's business in a log.
    shown = text if isinstance(text, str) and title == "title" else ""
    return ConsentProblem(document[code], shown, {name: value for name, value in document.items() if name != code})

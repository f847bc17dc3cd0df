"""Altinn 3's problems about consents: codes, statuses and shape (consent.md §4.16)."""

from __future__ import annotations

from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

from fullmakt.altinn.consents.rules import Reason
from fullmakt.wire.altinn.consents import Cause
from fullmakt.wire.altinn.problems import AltinnProblemError, ProblemKind


def _kind(number: int, text: str, status: int = 400) -> ProblemKind:
    return ProblemKind(f"AM-{number:05}", status, text)


def _of_cause(cause: Cause) -> ProblemKind:
    return ProblemKind(cause.value, cause.status, cause.meaning)


NOT_FOUND = _of_cause(Cause.NOT_FOUND)
REVOKED = _of_cause(Cause.REVOKED)
OTHER_GIVER = _of_cause(Cause.OTHER_GIVER)
EXPIRED = _of_cause(Cause.EXPIRED)
NOT_ACCEPTED = _of_cause(Cause.NOT_ACCEPTED)
NOT_AUTHORIZED = _kind(0, "Not authorized for consent request", 403)
WRONG_STATUS = _kind(2, "Consent has a status from which it can not be accepted")
UNKNOWN_ORGANISATION = _kind(3, "Unknown organization")
UNKNOWN_PERSON = _kind(4, "Unknown person")
INVALID_RESOURCE = _kind(5, "Invalid consent resource")
UNKNOWN_METADATA = _kind(6, "Unknown consent metadata")
METADATA_VALUE_MISSING = _kind(7, "Consent metadata without a value")
METADATA_MISSING = _kind(8, "Missing consent metadata")
RESOURCES_DIFFER = _kind(9, "Invalid combination of resources: their templates differ")
NOT_REVOCABLE = _kind(10, "Consent can not be revoked")
NOT_REJECTABLE = _kind(15, "Consent can not be rejected")
ID_EXISTS = _kind(16, "The id is that of another consent request")
_VALIDATION = ProblemKind("STD-00000", 400, "One or more validation errors occurred.")
_SEVERAL = ProblemKind("STD-00001", 500, "Multiple problems occurred.")

FAULTS = {
    "AM.VLD-00022": "The time must be in the future.",
    "AM.VLD-00023": "The list must not be empty.",
    "AM.VLD-00027": "The redirect URL is not a valid absolute URL.",
    "AM.VLD-00050": "The page size must be from 1 to 1000.",
    "AM.VLD-00051": "The range of dates is not valid.",
    "AM.VLD-00052": "The event type is not valid.",
    "AM.VLD-00053": "The continuation token is not valid.",
    "STD.VLD-00000": "The field is required.",
}
"""Texts of broken rules, by their codes."""


class ConsentProblemError(AltinnProblemError):
    """A problem in the shape that consents have it in."""

    def document(self, trace_id: str) -> dict[str, Any]:
        """The body."""
        kind = self.kind
        return {
            "type": f"urn:altinn:error:{kind.code}",
            "title": kind.text,
            "status": kind.status,
            "code": kind.code,
            "traceId": trace_id,
            "statusDescription": HTTPStatus(kind.status).phrase,
            **self.extensions,
        }


class _SeveralProblemsError(ConsentProblemError):
    """More than one thing is wrong: HTTP 500, as in the real one, with every problem in ``problems``."""

    def __init__(self, problems: Sequence[ConsentProblemError]) -> None:
        super().__init__(_SEVERAL)
        self.problems = tuple(problems)

    def document(self, trace_id: str) -> dict[str, Any]:
        """The body."""
        return {**super().document(trace_id), "problems": [one.document(trace_id) for one in self.problems]}


def invalid(*faults: tuple[str, str]) -> ConsentProblemError:
    """Broken rules, each by its code and where."""
    told = [{"code": code, "title": FAULTS[code], "paths": [path]} for code, path in faults]
    return ConsentProblemError(_VALIDATION, validationErrors=told)


def one_of(problems: Sequence[ConsentProblemError]) -> ConsentProblemError:
    """The one problem, or one that holds them all."""
    return problems[0] if len(problems) == 1 else _SeveralProblemsError(problems)


def not_drawn(causes: Sequence[Cause]) -> ConsentProblemError:
    """Why a consent can not be drawn."""
    return one_of([ConsentProblemError(_of_cause(one)) for one in causes])


_BY_REASON = {
    Reason.NOT_FOUND: NOT_FOUND,
    Reason.OTHER_PERSON: NOT_AUTHORIZED,
    Reason.NOT_AUTHORIZED: NOT_AUTHORIZED,
    Reason.GATE_CLOSED: NOT_AUTHORIZED,
    Reason.NOT_PENDING: WRONG_STATUS,
    Reason.NOT_ACCEPTED: NOT_ACCEPTED,
    Reason.ENDED: REVOKED,
}


def of_reason(reason: Reason, **instead: ProblemKind) -> ConsentProblemError:
    """The problem for a refusal; ``instead`` names, by reason, problems that this operation has of its own."""
    if reason is Reason.EXPIRED:
        return invalid(("AM.VLD-00022", "ValidTo"))
    return ConsentProblemError(instead.get(reason.name, _BY_REASON[reason]))

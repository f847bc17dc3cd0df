"""Altinn's errors as they stand on the wire (altinn-authentication.md §6)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

_BAD_REQUEST = "https://tools.ietf.org/html/rfc9110#section-15.5.1"
_SEVERAL = "One or more validation errors occurred."


@dataclass(frozen=True, slots=True)
class ProblemKind:
    """One entry of an API's error list: ``code`` such as ``AM-00022``, the HTTP status, and its text."""

    code: str
    status: int
    text: str


class AltinnProblemError(Exception):
    """The request is answered with problem details. ``extensions`` are further members of the document."""

    def __init__(self, kind: ProblemKind, **extensions: Any) -> None:
        super().__init__(kind.text)
        self.kind = kind
        self.extensions = extensions

    def document(self, trace_id: str) -> dict[str, Any]:
        """The body: both ``title`` and ``detail`` hold the text, as readers of either generation expect."""
        kind = self.kind
        return {
            "type": f"urn:altinn:error:{kind.code}",
            "title": kind.text,
            "status": kind.status,
            "detail": kind.text,
            "code": kind.code,
            "traceId": trace_id,
            **self.extensions,
        }


@dataclass(frozen=True, slots=True)
class ValidationFault:
    """One broken rule: its code (``RR.VLD-00002``), its text, and where (``/$QUERY/include``, ``/data``)."""

    code: str
    text: str
    paths: Sequence[str] = ()
    extensions: Mapping[str, Any] = field(default_factory=dict)


class AltinnValidationError(Exception):
    """The request breaks one or more rules: 400 with code ``STD-00000``."""

    status = 400

    def __init__(self, *faults: ValidationFault) -> None:
        super().__init__("; ".join(fault.text for fault in faults))
        self.faults = faults

    def document(self, trace_id: str) -> dict[str, Any]:
        """The body."""
        return {
            "type": _BAD_REQUEST,
            "title": HTTPStatus(self.status).phrase,
            "status": self.status,
            "detail": _SEVERAL,
            "code": "STD-00000",
            "traceId": trace_id,
            "validationErrors": [
                {"code": fault.code, "detail": fault.text, "paths": list(fault.paths), **fault.extensions}
                for fault in self.faults
            ],
        }


class BindingError(Exception):
    """What can not be read as what the API takes: the web framework's own form, fields to messages."""

    status = 400

    def __init__(self, errors: Mapping[str, Sequence[str]]) -> None:
        super().__init__("; ".join(message for messages in errors.values() for message in messages))
        self.errors = {name: list(messages) for name, messages in errors.items()}

    def document(self, trace_id: str) -> dict[str, Any]:
        """The body."""
        return {
            "type": _BAD_REQUEST,
            "title": _SEVERAL,
            "status": self.status,
            "traceId": trace_id,
            "errors": self.errors,
        }

"""The codes that Altinn's systems answer with when they refuse (``AUTH-00011``, ``AM.VLD-00012``, in Altinn 2's form
``40332``), and their texts."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from types import ModuleType
from typing import Any

from fullmakt.altinn.consents.altinn3 import problems as of_consents
from fullmakt.altinn.consents.srr import documents as of_srr
from fullmakt.altinn.delegations import errors as of_delegations
from fullmakt.altinn.delegations.http import problems as of_access_management
from fullmakt.altinn.delegations.requests import errors as of_requests
from fullmakt.altinn.resources.access_lists import errors as of_access_lists
from fullmakt.altinn.systemusers import errors as of_system_users
from fullmakt.cli.rights.reasons import Meaning, catalogue
from fullmakt.wire.altinn.consents2 import ErrorCode
from fullmakt.wire.altinn.problems import AltinnValidationError, ProblemKind, ValidationFault

_ALTINN2: Mapping[str, tuple[int, str, str]] = {
    **{
        code.value: (code.status, text, "consents in Altinn 2's form")
        for code, text in {
            ErrorCode.NO_SUCH_PARTY: "The number is not valid, or the name does not match it.",
            ErrorCode.UNREADABLE: "The request, or a member of it, is not what it has to be.",
            ErrorCode.VALID_TO: "ValidTo is missing, or not in the future.",
            ErrorCode.SERVICE: "There is no such service that can be consented to.",
            ErrorCode.METADATA: "Metadata of the service is missing or empty.",
            ErrorCode.TEMPLATES: "The services do not share a template.",
            ErrorCode.MESSAGE: "The template has a message of its own.",
            ErrorCode.REDIRECT: "RedirectUrl can not be sent to, or is not on a domain that is allowed.",
            ErrorCode.NOT_LISTED: "CoveredBy is not in SRR for every service.",
            ErrorCode.SUPPLIER: "HandledBy may not act for CoveredBy.",
            ErrorCode.RECEIVER: "CoveredBy is not the caller.",
            ErrorCode.ANSWERED: "The request has been answered.",
            ErrorCode.NOT_ALLOWED: "CoveredBy may not ask for consent to the service.",
            ErrorCode.NOT_SERVED: "The server can not answer now.",
        }.items()
    },
    of_srr.BAD_REPORTEE: (400, "Reportee is not a number of an organisation or a person.", "SRR"),
    of_srr.BAD_CONDITION: (400, "A condition of the entry is not one.", "SRR"),
    of_srr.BAD_ENTRY: (400, "A member of the entry is missing, or is not what it has to be.", "SRR"),
    of_srr.CHANGED_KEY: (400, "What an entry is about can not be changed.", "SRR"),
}
"""Status, text and API of the codes without letters."""
_CODE = re.compile(rf"\b(?:[A-Z]{{2,5}}(?:\.VLD)?-[0-9]{{5}}|{'|'.join(sorted(_ALTINN2))})\b", re.ASCII | re.IGNORECASE)
_APIS: Mapping[ModuleType, str] = {
    of_system_users: "systems and system users",
    of_access_management: "access management",
    of_delegations: "access management",
    of_requests: "requests for access",
    of_access_lists: "access lists",
    of_consents: "consents",
}


@dataclass(frozen=True, slots=True)
class Code:
    """One code as one API means it. ``meaning`` is None where there is no more to say than its text."""

    code: str
    status: int
    text: str
    api: str
    meaning: Meaning | None = None

    def document(self) -> dict[str, Any]:
        """JSON."""
        meaning = {} if self.meaning is None else self.meaning.document()
        return {"code": self.code, "status": self.status, "text": self.text, "of": self.api, **meaning}


def codes_in(text: str) -> list[Code]:
    """What the first of Altinn's codes in ``text`` stands for: nothing, one meaning, or several."""
    found = _CODE.search(text)
    return list(codes().get(found[0].upper(), ())) if found else []


@cache
def codes() -> Mapping[str, tuple[Code, ...]]:
    """Every code that an API has in its list of errors."""
    meanings = catalogue()["codes"]
    found: dict[str, list[Code]] = {
        code: [Code(code, status, text, api, meanings.get(code))] for code, (status, text, api) in _ALTINN2.items()
    }
    for module, api in _APIS.items():
        for value in vars(module).values():
            match value:
                case ProblemKind():
                    status = value.status
                case ValidationFault() | of_requests.Fault():
                    status = AltinnValidationError.status
                case _:
                    continue
            known = Code(value.code, status, value.text, api, meanings.get(value.code))
            if known not in found.setdefault(value.code, []):
                found[value.code].append(known)
    for code, text in of_consents.FAULTS.items():
        known = Code(code, AltinnValidationError.status, text, _APIS[of_consents], meanings.get(code))
        found.setdefault(code, []).append(known)
    return {code: tuple(known) for code, known in sorted(found.items())}

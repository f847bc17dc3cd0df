"""The codes that Altinn's systems answer with when they refuse (``AUTH-00011``, ``AM.VLD-00012``), and their texts."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from types import ModuleType
from typing import Any

from fullmakt.altinn.consents.altinn3 import problems as of_consents
from fullmakt.altinn.delegations import errors as of_delegations
from fullmakt.altinn.delegations.http import problems as of_access_management
from fullmakt.altinn.delegations.requests import errors as of_requests
from fullmakt.altinn.resources.access_lists import errors as of_access_lists
from fullmakt.altinn.systemusers import errors as of_system_users
from fullmakt.cli.rights.reasons import Meaning, catalogue
from fullmakt.wire.altinn.problems import AltinnValidationError, ProblemKind, ValidationFault

_CODE = re.compile(r"\b[A-Z]{2,5}(?:\.VLD)?-[0-9]{5}\b", re.ASCII | re.IGNORECASE)
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
    found: dict[str, list[Code]] = {}
    for module, api in _APIS.items():
        for value in vars(module).values():
            match value:
                case ProblemKind():
                    status = value.status
                case ValidationFault() | of_requests.Fault():
                    status = AltinnValidationError.status
                case _:
                    continue
            known = Code(value.code, status, value.text, api, catalogue()["codes"].get(value.code))
            if known not in found.setdefault(value.code, []):
                found[value.code].append(known)
    return {code: tuple(meanings) for code, meanings in sorted(found.items())}

"""Requests of old, made by a link alone (consent.md §2.7): read, and not kept. Pure."""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from fullmakt.altinn.consents.altinn2.asking import (
    MAX_MESSAGE,
    MAX_PARAMETERS,
    MAX_SERVICES,
    MAX_URL,
    MAX_VALUE,
    AskedService,
    service_key,
    unreadable,
)
from fullmakt.altinn.consents.altinn2.errors import RequestRefusedError
from fullmakt.altinn.consents.srr.model import ServiceKey
from fullmakt.kernel.text import is_line, is_prose
from fullmakt.wire.altinn.consents2 import ConsentError, ErrorCode, read_time

_PAGE_LANGUAGES = {"nb-no": "nb", "nn-no": "nn", "en": "en"}
_MAX_MEMBERS = MAX_SERVICES * MAX_PARAMETERS
_DIGEST = re.compile(r"[0-9a-f]{64}", re.ASCII | re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Link:
    """A request in a link. ``offered_by`` and ``user_token`` are empty where the link leaves open who is asked."""

    services: tuple[AskedService, ...]
    covered_by: str
    redirect_url: str
    valid_to: datetime
    message: str
    offered_by: str = field(default="", repr=False)
    language: str = ""
    user_token: str = field(default="", repr=False)

    def is_for(self, national_id: str) -> bool:
        """False when the link is for somebody else: ``UserToken`` is the hexadecimal SHA-256 of the person's number."""
        digest = hashlib.sha256(national_id.encode()).hexdigest()
        return not self.user_token or hmac.compare_digest(digest.encode(), self.user_token.lower().encode())


def read_link(members: Iterable[tuple[str, str]]) -> Link:
    """The request in the members of a link's query.

    Raises:
        RequestRefusedError: a member is missing, stands twice, or is not what it has to be.
    """
    given: dict[str, str] = {}
    for name, value in members:
        if name.lower() in given or len(given) >= _MAX_MEMBERS:
            raise unreadable("The link", "has a member twice, or too many")
        given[name.lower()] = value
    keys = _keys(_text(given, "Resources", MAX_VALUE))
    user_token = _text(given, "UserToken", 64, required=False)
    if user_token and not _DIGEST.fullmatch(user_token):
        raise unreadable("UserToken", "must be a SHA-256 in hexadecimal digits")
    if _text(given, "ResponseType", 10).lower() != "code":
        raise unreadable("ResponseType", "must be code")
    language = given.get("languagecode", "")
    return Link(
        services=tuple([AskedService(key, _metadata(given, key)) for key in keys]),
        covered_by=_text(given, "CoveredBy", 11),
        redirect_url=_text(given, "RedirectUrl", MAX_URL),
        valid_to=_valid_to(_text(given, "ValidToDate", 40)),
        message=_text(given, "DelegationContext", MAX_MESSAGE, prose=True),
        offered_by=_text(given, "OfferedBy", 11, required=False),
        language=_PAGE_LANGUAGES.get(language.lower(), ""),
        user_token=user_token,
    )


def _text(given: dict[str, str], name: str, most: int, *, required: bool = True, prose: bool = False) -> str:
    value = given.get(name.lower(), "")
    if required and not value.strip():
        raise unreadable(name, "is required")
    if len(value) > most or not (is_prose if prose else is_line)(value):
        raise unreadable(name, f"must be text of at most {most} characters")
    return value


def _keys(text: str) -> list[ServiceKey]:
    """``4629_2.4630_2``."""
    keys = [service_key(*one.rpartition("_")[::2]) for one in text.split(".")[: MAX_SERVICES + 1]]
    found = [key for key in keys if key is not None]
    if len(found) != len(keys) or len(found) > MAX_SERVICES or len(set(found)) != len(found):
        raise unreadable("Resources", f"must name 1 to {MAX_SERVICES} services, each once")
    return found


def _metadata(given: dict[str, str], key: ServiceKey) -> dict[str, str]:
    """``4629_2_inntektsaar``; the names come in lower case, and the service spells them as it will."""
    prefix = f"{key}_".lower()
    found = {name.removeprefix(prefix): value for name, value in given.items() if name.startswith(prefix)}
    if len(found) > MAX_PARAMETERS or any(len(one) > MAX_VALUE or not is_line(one) for one in found.values()):
        raise unreadable(f"{key}", f"must have at most {MAX_PARAMETERS} parameters, each one line")
    return found


def _valid_to(text: str) -> datetime:
    try:
        return read_time(text)
    except ValueError:
        error = ConsentError(ErrorCode.VALID_TO, "ValidToDate must be a time, as 2019-09-30 10:30:00.")
        raise RequestRefusedError(error) from None

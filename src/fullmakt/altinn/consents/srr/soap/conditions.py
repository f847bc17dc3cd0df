"""A condition as one text: ``AllowedRedirectDomain:*.a.example;https://b.example,KeepSessionAlive,HandledBy:310149942``
(consent.md §3.3). Its fields stand between commas, domains between semicolons; letter case does not matter in names.
"""

from __future__ import annotations

from typing import Any

from fullmakt.altinn.consents.srr.documents import BAD_CONDITION, Document, Fault, InvalidEntryError
from fullmakt.altinn.consents.srr.model import Condition

MAX_CONDITION = 20_000
"""Characters of a condition: as many domains as an entry may have, each as long as it may be, and the rest."""

_DOMAINS = "AllowedRedirectDomain"
_HANDLED_BY = "HandledBy"
_FLAGS = ("KeepSessionAlive", "IsRecipient", "IsSender")
_NAMES = {name.lower(): name for name in (_DOMAINS, _HANDLED_BY, *_FLAGS)}
_BOOLEANS = {"": True, "true": True, "false": False}


def condition_document_of(path: str, text: str) -> Document | None:
    """The condition as the REST form has it, for ``documents`` to judge; None for a text that is blank.

    Raises:
        InvalidEntryError: it has a field that there is not, that stands twice, or that has no value where it needs one.
    """
    if not text.strip():
        return None
    if len(text) > MAX_CONDITION:
        raise _bad(path, f"Condition is a text of at most {MAX_CONDITION} characters")
    members: Document = {}
    for field in text.split(","):
        head, _, value = field.partition(":")
        name = _NAMES.get(head.strip().lower())
        if name is None:
            raise _bad(path, f"a field of Condition is one of {', '.join(_NAMES.values())}")
        if name in members:
            raise _bad(path, f"Condition says {name} twice")
        members[name] = _value(path, name, value.strip())
    return members


def _value(path: str, name: str, text: str) -> Any:
    if name in _FLAGS:
        if text.lower() not in _BOOLEANS:
            raise _bad(path, f"{name} stands alone, or is true or false")
        return _BOOLEANS[text.lower()]
    if not text:  # nothing at all would allow every domain
        raise _bad(path, f"{name} has no value")
    return [one.strip() for one in text.removesuffix(";").split(";")] if name == _DOMAINS else text


def condition_text(condition: Condition) -> str:
    """The condition as one text; a flag that is false is left out, as it says no more than none."""
    fields = []
    if condition.domains:
        fields.append(f"{_DOMAINS}:{';'.join(map(str, condition.domains))}")
    flags = zip(_FLAGS, (condition.keep_session_alive, condition.is_recipient, condition.is_sender), strict=True)
    fields += [name for name, stands in flags if stands]
    if condition.handled_by is not None:
        fields.append(f"{_HANDLED_BY}:{condition.handled_by}")
    return ",".join(fields)


def _bad(path: str, message: str) -> InvalidEntryError:
    return InvalidEntryError(Fault(BAD_CONDITION, f"{path}: {message}"))

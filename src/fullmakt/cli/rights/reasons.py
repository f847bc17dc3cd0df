"""What reasons mean in words: the catalogue ``reasons.toml``."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

_FIELD = re.compile(r"\{([a-z_.]+)\}")


@dataclass(frozen=True, slots=True)
class Meaning:
    """``words`` is a sentence; ``remedy`` says what to do, and is empty where nothing is wrong."""

    words: str
    remedy: str = ""

    def document(self) -> dict[str, str]:
        """JSON."""
        return {"words": self.words, "remedy": self.remedy}


@cache
def catalogue() -> Mapping[str, Mapping[str, Any]]:
    """The file's tables: meanings by reason in ``decisions``, ``refusals``, ``exchange`` and ``balances``, by Altinn's
    own code in ``codes``; templates by system and action in ``asked``."""
    tables = tomllib.loads(files(__package__).joinpath("reasons.toml").read_text(encoding="utf-8"))
    templates = tables.pop("asked")
    meanings = {family: {name: Meaning(**one) for name, one in table.items()} for family, table in tables.items()}
    return {**meanings, "asked": templates}


_FAMILIES = {
    "decisions": ("decisions", "refusals"),
    "delegations": ("refusals",),
    "resources": ("refusals",),
    "access-lists": ("refusals",),
    "systemusers": ("refusals",),
    "consents": ("refusals",),
    "exchange": ("exchange",),
    "codes": ("codes",),
    "lanekassen": ("balances",),
}
"""Where a system's reasons are looked for."""


def meaning_of(system: str, reason: str) -> Meaning | None:
    """What a reason in an audit event of ``system`` means; None for one that is not in the catalogue."""
    for family in _FAMILIES.get(system, ()):
        found = catalogue()[family].get(reason)
        if found is not None:
            return found  # type: ignore[no-any-return]
    return None


def meanings_named(reason: str) -> dict[str, Meaning]:
    """What a reason means, by the family that it is of; most names are of one."""
    return {
        family: meanings[reason] for family, meanings in catalogue().items() if family != "asked" and reason in meanings
    }


def sentence(
    system: str, action: str, about: Mapping[str, str], facts: Mapping[str, Any], tell: Callable[[Any], str]
) -> str | None:
    """What an audit event tells; None when there is no template for it, or a fact is missing.

    ``about`` holds ``actor`` and ``subject``; ``tell`` puts a value in words.
    """
    templates = catalogue()["asked"].get(system, {}).get(action, ())
    values = {**about, **{f"facts.{name}": value for name, value in facts.items()}}
    for template in [templates] if isinstance(templates, str) else templates:
        if not any(values.get(name) in (None, "", []) for name in _FIELD.findall(template)):
            return _FIELD.sub(lambda one: tell(values[one[1]]), template)
    return None

"""Which members a scope may have, and what they are when nobody says (maskinporten.md §7.7)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import fields, replace

from fullmakt.kernel.identifiers import InvalidIdentifierError, ScopeName
from fullmakt.maskinporten.selfservice.errors import InvalidError
from fullmakt.maskinporten.selfservice.model import Scope, ScopeAttributes
from fullmakt.wire.maskinporten.selfservice import ScopeBody

OBJECT = "Scope"
_PREFIX = re.compile(r"[a-z0-9æøå_-]{1,100}")


def is_prefix(text: str) -> bool:
    """True for a prefix that scopes can have."""
    return _PREFIX.fullmatch(text) is not None


def name_of(body: ScopeBody) -> ScopeName:
    """The name of a scope that is being made: prefix and subscope. A ``name`` in the body counts for nothing.

    Raises:
        InvalidError: one of them is missing, or they make no scope.
    """
    for field in ("prefix", "subscope"):
        if getattr(body, field) is None:
            raise InvalidError.field(OBJECT, field, f"{field} is required")
    if not is_prefix(body.prefix or ""):
        raise InvalidError.field(OBJECT, "prefix", "prefix may hold lower-case letters, digits, - and _")
    try:
        return ScopeName(f"{body.prefix}:{body.subscope}")
    except InvalidIdentifierError as error:
        raise InvalidError.field(OBJECT, "subscope", str(error)) from error


def require_same_name(body: ScopeBody, scope: Scope) -> None:
    """Prefix and subscope never change; leaving them out is fine.

    Raises:
        InvalidError: the body names others.
    """
    for field, current in (("prefix", scope.name.prefix), ("subscope", scope.name.subscope)):
        if getattr(body, field) not in (None, current):
            raise InvalidError.field(OBJECT, field, f"{field} can not be changed")


def attributes_of(
    body: ScopeBody,
    delegation_sources: Iterable[str],
    current: ScopeAttributes | None = None,
    *,
    operator: bool = False,
) -> ScopeAttributes:
    """The attributes that a body gives a scope. An ``active`` that is left out of a replacement stays as it was.

    Raises:
        InvalidError: a delegation source that is none, or a visibility for the operator alone.
    """
    if body.delegation_source is not None and body.delegation_source not in delegation_sources:
        raise InvalidError.field(
            OBJECT, "delegation_source", "delegation_source must be an issuer of /delegationsources"
        )
    stays_internal = current is not None and current.visibility == "INTERNAL"
    if body.visibility == "INTERNAL" and not (operator or stays_internal):
        raise InvalidError.field(OBJECT, "visibility", "visibility must be PUBLIC or PRIVATE")
    defaults = ScopeAttributes(
        body.description, translations=body.translations, active=current.active if current else True
    )
    names = {field.name for field in fields(ScopeAttributes)} & set(ScopeBody.model_fields)
    said = {name: value for name in names if (value := getattr(body, name)) is not None}
    if body.allowed_integration_types is not None:
        said["allowed_integration_types"] = tuple(dict.fromkeys(body.allowed_integration_types))
    return replace(defaults, **said)

"""The organisations and the ``authorization_details`` of a verified token, in every way that an issuer writes them.

Libraries that Altinn is built on write an array of one as its element, and an object as JSON in a string
(altinn-authentication.md §2.1, §2.2; maskinporten.md §5.1, §5.2).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from fullmakt.kernel.identifiers import InvalidIdentifierError, Iso6523, OrgNumber

SYSTEM_USER_TYPE = "urn:altinn:systemuser"
ENTERPRISE_TYPE = "urn:altinn:virksys"

_REGISTERS = frozenset({"0192", "9908"})
"""Enhetsregisteret's ICD, and the older one for the same numbers."""
_MAX_TEXT = 4096
_MAX_LIST = 1000


class BadClaimError(ValueError):
    """A claim is there and can not be understood."""


@dataclass(frozen=True, slots=True)
class SystemUserDetails:
    """The system user that a token is for. ``organisation`` owns it: the customer, or the helper whose agent it is.

    ``system_id`` is its system's id in the system register.
    """

    id: UUID
    organisation: OrgNumber | None
    system_id: str | None


@dataclass(frozen=True, slots=True)
class EnterpriseDetails:
    """What a virksomhetstoken says: the enterprise system has ``rettigheit`` for ``part``, by way of ``hjelper``.

    ``rettigheit`` are identifiers in the resource registry; ``hjelper`` is None where the party itself gave them.
    """

    part: OrgNumber
    hjelper: OrgNumber | None
    rettigheit: frozenset[str]


def details_of(claims: Mapping[str, Any]) -> tuple[Mapping[str, Any], ...]:
    """The elements of ``authorization_details``: none, one that stands alone, or a list.

    Raises:
        BadClaimError: they are no objects.
    """
    value = claims.get("authorization_details")
    details = [] if value is None else value if isinstance(value, list) else [value]
    return tuple(_object(detail) for detail in details)


def system_user_of(claims: Mapping[str, Any]) -> SystemUserDetails | None:
    """The system user; a token names one at the most.

    Raises:
        BadClaimError: there are two, or what is said of it can not be understood.
    """
    detail = _only(claims, SYSTEM_USER_TYPE)
    if detail is None:
        return None
    ids = detail.get("systemuser_id")
    first = (ids[0] if ids else None) if isinstance(ids, list) else ids
    organisation = detail.get("systemuser_org")
    return SystemUserDetails(
        id=_uuid(first),
        organisation=None if organisation is None else organisation_of(organisation),
        system_id=None if detail.get("system_id") is None else _text(detail["system_id"]),
    )


def enterprise_of(claims: Mapping[str, Any]) -> EnterpriseDetails | None:
    """What a virksomhetstoken says; None when the token is none.

    Raises:
        BadClaimError: there are two such elements, or one that can not be understood.
    """
    detail = _only(claims, ENTERPRISE_TYPE)
    if detail is None:
        return None
    rights, helper = detail.get("rettigheit"), detail.get("hjelper")
    listed = [] if rights is None else rights if isinstance(rights, list) else [rights]
    if len(listed) > _MAX_LIST:
        raise BadClaimError("rettigheit")
    return EnterpriseDetails(
        part=_number(detail.get("part")),
        hjelper=None if helper is None else _number(helper),
        rettigheit=frozenset(_text(right) for right in listed),
    )


def organisation_of(value: object) -> OrgNumber:
    """The number in ``{"authority": "iso6523-actorid-upis", "ID": "0192:910753614"}``, or in that as JSON text.

    Raises:
        BadClaimError: there is none in it.
    """
    party = _object(value)
    identifier = next((party[name] for name in party if name.lower() == "id"), None)
    if party.get("authority") != Iso6523.AUTHORITY:
        raise BadClaimError("authority")
    return _number(identifier)


def _only(claims: Mapping[str, Any], kind: str) -> Mapping[str, Any] | None:
    found = [detail for detail in details_of(claims) if detail.get("type") == kind]
    if len(found) > 1:
        raise BadClaimError("authorization_details")
    return found[0] if found else None


def _number(identifier: object) -> OrgNumber:
    try:
        parsed = Iso6523.parse(_text(identifier))
        if parsed.icd in _REGISTERS:
            return OrgNumber(parsed.value)
    except InvalidIdentifierError as error:
        raise BadClaimError("organisation") from error
    raise BadClaimError("organisation")


def _object(value: object) -> Mapping[str, Any]:
    if isinstance(value, str) and len(value) <= _MAX_TEXT:
        try:
            value = json.loads(value)
        except (ValueError, RecursionError) as error:
            raise BadClaimError("object") from error
    if not isinstance(value, Mapping):
        raise BadClaimError("object")
    return value


def _text(value: object) -> str:
    """Printable alone: it goes on into logs and databases."""
    if not isinstance(value, str) or not 0 < len(value) <= _MAX_TEXT or not value.isprintable():
        raise BadClaimError("text")
    return value


def _uuid(value: object) -> UUID:
    try:
        return UUID(value)  # type: ignore[arg-type]
    except (ValueError, TypeError, AttributeError) as error:
        raise BadClaimError("uuid") from error

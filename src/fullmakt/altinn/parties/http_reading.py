"""Reads what a caller of the metadata API asks for."""

from __future__ import annotations

from uuid import UUID

from starlette.requests import Request

from fullmakt.altinn.parties.metadata import documents
from fullmakt.wire.altinn.problems import BindingError

_PARTY_TYPES = {
    "organisasjon": documents.ORGANISATION_TYPE,
    "organization": documents.ORGANISATION_TYPE,
    "organisation": documents.ORGANISATION_TYPE,
    "person": documents.PERSON_TYPE,
}
_BOOLEANS = {"true": True, "false": False}


def id_of(request: Request) -> UUID:
    """The id in the path.

    Raises:
        BindingError: it is no UUID.
    """
    try:
        return UUID(request.path_params["id"])
    except ValueError as error:
        raise BindingError({"id": ["The value is not valid."]}) from error


def required(request: Request, name: str) -> str:
    """A query member that must be there.

    Raises:
        BindingError: it is missing or empty.
    """
    value = request.query_params.get(name)
    if not value:
        raise BindingError({name: [f"The {name} field is required."]})
    return value


def flag(request: Request, name: str, *, default: bool = False) -> bool:
    """A query member that is true or false.

    Raises:
        BindingError: it is neither.
    """
    value = request.query_params.get(name)
    if value is None:
        return default
    if value.lower() not in _BOOLEANS:
        raise BindingError({name: ["The value is not valid."]})
    return _BOOLEANS[value.lower()]


def party_type(name: str | None) -> str | None:
    """``Organisasjon`` or ``Person``, by its Norwegian or English name; None when there is none.

    Raises:
        BindingError: another name.
    """
    if not name:
        return None
    if name.lower() not in _PARTY_TYPES:
        raise BindingError({"typeName": ["Try organization, organisasjon or person."]})
    return _PARTY_TYPES[name.lower()]

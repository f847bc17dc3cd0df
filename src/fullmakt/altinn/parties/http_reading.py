"""Reads what a caller of the metadata API asks for."""

from __future__ import annotations

from uuid import UUID

from starlette.requests import Request

from fullmakt.altinn.parties.metadata import documents
from fullmakt.infra.reading import parse_uuid
from fullmakt.wire.altinn.problems import BindingError

_PARTY_TYPES = {
    "organisasjon": documents.ORGANISATION_TYPE,
    "organization": documents.ORGANISATION_TYPE,
    "organisation": documents.ORGANISATION_TYPE,
    "person": documents.PERSON_TYPE,
}


def id_of(request: Request) -> UUID:
    """The id in the path.

    Raises:
        BindingError: it is no UUID.
    """
    return parse_uuid("id", request.path_params["id"])


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

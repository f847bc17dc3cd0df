"""What comes in about system users: texts trimmed, printable, and of a length that can be kept
(altinn-authentication.md §1, §6)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from starlette.requests import Request

from fullmakt.altinn.systemusers import errors
from fullmakt.altinn.systemusers.model import Right
from fullmakt.altinn.systemusers.requests import rules
from fullmakt.infra.opaque import unwrapped
from fullmakt.infra.reading import Query, list_of, object_of, optional_text_of, parse_uuid
from fullmakt.kernel.identifiers import OrgNumber
from fullmakt.wire.altinn.attributes import ACCESS_PACKAGE, Attribute
from fullmakt.wire.altinn.problems import AltinnProblemError, BindingError

MAX_TEXT = 255
MAX_URL = 2_048
_MAX_NAMED = 100
_LARGEST = 2**63 - 1


def query(request: Request, name: str) -> str | None:
    """A member of the query; None when it is not there, or blank.

    Raises:
        BindingError: it is too long, or not printable.
    """
    value = Query(request).text(name)
    return None if value is None else _fit(name, value.strip())


def required_query(request: Request, name: str) -> str:
    """A member of the query that must be there.

    Raises:
        BindingError: it is not, or it is too long, or not printable.
    """
    return _fit(name, Query(request).required(name).strip())


def package_names(request: Request, name: str) -> list[str]:
    """The access packages in a member of the query, given by name or URN, repeated or separated by commas.

    Raises:
        BindingError: there are more than a hundred.
    """
    found = [part.strip() for value in Query(request).all(name) for part in value.split(",") if part.strip()]
    if len(found) > _MAX_NAMED:
        raise BindingError({name: [f"At most {_MAX_NAMED} can be named."]})
    return [_package_name(one) for one in found]


def path_uuid(request: Request, name: str) -> UUID:
    """A UUID in the path.

    Raises:
        BindingError: it is none.
    """
    return parse_uuid(name, request.path_params[name])


def path_text(request: Request, name: str) -> str:
    """A text in the path.

    Raises:
        BindingError: it is too long, or not printable.
    """
    return _fit(name, request.path_params[name])


def orgno_of(text: str) -> OrgNumber:
    """An organisation number.

    Raises:
        AltinnProblemError: AUTH-00000, it is none.
    """
    number = rules.organisation_number(text)
    if number is None:
        raise AltinnProblemError(errors.UNKNOWN_ORGANISATION)
    return number


def place_of(request: Request) -> int:
    """Where the page begins that the request's token asks for: after the entry with that number (§8.2).

    Raises:
        BindingError: it is no token of ours.
    """
    token = Query(request).text("token")
    try:
        place = 0 if token is None else unwrapped(token)
    except ValueError as error:
        raise _bad_token() from error
    if type(place) is not int or not 0 <= place <= _LARGEST:
        raise _bad_token()
    return place


def _bad_token() -> BindingError:
    return BindingError({"token": ["The value is not valid."]})


def _fit(name: str, value: str, longest: int = MAX_TEXT) -> str:
    if len(value) > longest or not value.isprintable():
        raise BindingError({name: [f"The field {name} must be printable text of at most {longest} characters."]})
    return value


def text(body: Mapping[str, Any], name: str, longest: int = MAX_TEXT) -> str:
    """A member that is a text, without the blanks around it; empty when it is null or missing.

    Raises:
        BindingError: it is no text, too long, or not printable.
    """
    return _fit(name, optional_text_of(body, name).strip(), longest)


def required_text(body: Mapping[str, Any], name: str) -> str:
    """A member that is a text and must be there.

    Raises:
        BindingError: it is not, or it is too long, or not printable.
    """
    value = text(body, name)
    if not value:
        raise BindingError({name: [f"The {name} field is required."]})
    return value


def rights(body: Mapping[str, Any], name: str) -> tuple[Right, ...] | None:
    """A list of rights, each once; None when the member is null or missing.

    Raises:
        BindingError: it is none.
    """
    return None if body.get(name.lower()) is None else tuple(dict.fromkeys(list_of(body, name, _right)))


def _right(path: str, value: Any) -> Right:
    entry = object_of(path, value)
    resource = tuple(list_of(entry, "resource", _attribute))
    if not resource:
        raise BindingError({f"{path}.resource": ["The resource field is required."]})
    return Right(resource, text(entry, "action") or None)


def _attribute(path: str, value: Any) -> Attribute:
    entry = object_of(path, value)
    return Attribute(required_text(entry, "id"), required_text(entry, "value"))


def packages(body: Mapping[str, Any], name: str) -> tuple[str, ...] | None:
    """The names in a list of access packages, each once; None when the member is null or missing.

    Raises:
        BindingError: it is no list of ``{"urn": …}``.
    """
    return None if body.get(name.lower()) is None else tuple(dict.fromkeys(list_of(body, name, _package)))


def _package(path: str, value: Any) -> str:
    return _package_name(required_text(object_of(path, value), "urn"))


def _package_name(urn: str) -> str:
    """What is no URN of a package is kept as it is: no package is called so."""
    return urn.removeprefix(f"{ACCESS_PACKAGE}:")

"""Where one page ends and the next begins (§13)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import quote, urlencode
from uuid import UUID

from starlette.requests import Request

from fullmakt.infra.opaque import opaque, unwrapped
from fullmakt.infra.reading import Query
from fullmakt.wire.altinn.problems import BindingError

PATH = "/api/v1/access-lists"


class Place(NamedTuple):
    """The version of the list that paging began with, and what the page begins with."""

    version: int
    start: str


class Links:
    """Makes addresses below the system's public URL."""

    def __init__(self, base_url: str) -> None:
        self._base_url = base_url.rstrip("/")

    def to(self, *path: str, **query: str) -> str:
        """``{base}/api/v1/access-lists/…?…``."""
        return f"{self._base_url}{PATH}/{'/'.join(quote(part, safe='') for part in path)}?{urlencode(query)}"


def token_of_place(version: int, start: str) -> str:
    """A token that ``place`` reads."""
    return opaque({"Version": version, "ContinueFrom": start})


def place(request: Request) -> Place | None:
    """Where the page begins that the request's token asks for; None for the first.

    Raises:
        BindingError: it is no token of ours.
    """
    match _token(request):
        case None:
            return None
        case {"Version": int(version), "ContinueFrom": str(start)} if start.isprintable():
            return Place(version, start)
    raise _bad_token()


def party_of(place: Place | None) -> UUID | None:
    """The member that the page begins with.

    Raises:
        BindingError: it is no token of ours.
    """
    try:
        return None if place is None else UUID(place.start)
    except ValueError:
        raise _bad_token() from None


def identifier(request: Request) -> str | None:
    """The identifier of the list that the page begins with; None for the first page.

    Raises:
        BindingError: it is no token of ours.
    """
    match _token(request):
        case None:
            return None
        case str(start) if start.isprintable():
            return start
    raise _bad_token()


def links(following: str | None) -> Mapping[str, str]:
    """The ``links`` of a page."""
    return {} if following is None else {"next": following}


def _token(request: Request) -> Any:
    token = Query(request).text("token")
    if token is None:
        return None
    try:
        found = unwrapped(token)
    except ValueError:
        found = None
    if found is None:
        raise _bad_token()
    return found


def _bad_token() -> BindingError:
    return BindingError({"token": ["The value is not valid."]})

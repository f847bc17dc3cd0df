"""A page of a list, and the opaque word for where the next one begins."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from urllib.parse import urlencode
from uuid import UUID

from fullmakt.altinn.delegations.requests.model import AccessRequest, Place
from fullmakt.infra.opaque import opaque, unwrapped
from fullmakt.wire.altinn.problems import BindingError


def token_after(requests: Sequence[AccessRequest]) -> str | None:
    """What stands for the place after the last of a page; None after an empty one."""
    if not requests:
        return None
    last = requests[-1]
    return opaque([last.created.isoformat(), str(last.request_id)])


def place_of(name: str, token: str | None) -> Place | None:
    """The place that a token stands for; None without one.

    Raises:
        BindingError: it is none of ours.
    """
    if token is None:
        return None
    try:
        match unwrapped(token):
            case [str(created), str(request_id)]:
                place = Place(dt.datetime.fromisoformat(created), UUID(request_id))
                if place.created.tzinfo is not None:
                    return place
    except ValueError:
        pass
    raise BindingError({name: ["The continuation token is not valid."]})


def url_with(url: str, members: Sequence[tuple[str, str]], name: str, token: str) -> str:
    """``url`` with the query ``members`` and, in place of what it had, the token under ``name``."""
    kept = [(other, value) for other, value in members if other.lower() != name.lower()]
    return f"{url}?{urlencode([*kept, (name, token)])}"

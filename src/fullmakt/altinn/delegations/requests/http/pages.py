"""A page of a list, and the opaque word for where the next one begins."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from urllib.parse import urlencode
from uuid import UUID

from fullmakt.altinn.delegations.requests.model import AccessRequest, Place
from fullmakt.jose.compact import MalformedJwtError, b64url_decode, b64url_encode
from fullmakt.wire.altinn.problems import BindingError


def token_after(requests: Sequence[AccessRequest]) -> str | None:
    """What stands for the place after the last of a page; None after an empty one."""
    if not requests:
        return None
    last = requests[-1]
    return b64url_encode(f"{last.created.isoformat()} {last.request_id}".encode()).decode()


def place_of(name: str, token: str | None) -> Place | None:
    """The place that a token stands for; None without one.

    Raises:
        BindingError: it is none of ours.
    """
    if token is None:
        return None
    try:
        created, _, request_id = b64url_decode(token.encode("ascii")).decode().partition(" ")
        moment = dt.datetime.fromisoformat(created)
        place = Place(moment, UUID(request_id))
    except (MalformedJwtError, ValueError) as error:
        raise BindingError({name: ["The continuation token is not valid."]}) from error
    if moment.tzinfo is None:
        raise BindingError({name: ["The continuation token is not valid."]})
    return place


def url_with(url: str, members: Sequence[tuple[str, str]], name: str, token: str) -> str:
    """``url`` with the query ``members`` and, in place of what it had, the token under ``name``."""
    kept = [(other, value) for other, value in members if other.lower() != name.lower()]
    return f"{url}?{urlencode([*kept, (name, token)])}"

"""What comes in, as what the use cases take."""

from __future__ import annotations

import codecs
import re
from typing import Any
from uuid import UUID

from starlette.exceptions import HTTPException
from starlette.requests import Request

from fullmakt.infra.http import MAX_BODY_BYTES
from fullmakt.jose.strict_json import StrictJsonError, loads_object
from fullmakt.wire.altinn.attributes import ORGANISATION, PARTY_ID, PARTY_UUID, RESOURCE, Attribute
from fullmakt.wire.altinn.problems import BindingError

PARTY_ID_URN = "urn:altinn:party:id"
"""What this API calls a party id; elsewhere it is ``urn:altinn:partyid``."""

_ORGANISATION = re.compile(rf"{ORGANISATION}:([0-9]{{9}})", re.ASCII)
_PARTY_UUID = re.compile(
    rf"{PARTY_UUID}:([0-9a-f]{{8}}(?:-[0-9a-f]{{4}}){{3}}-[0-9a-f]{{12}})", re.ASCII | re.IGNORECASE
)
_PARTY_ID = re.compile(rf"{PARTY_ID_URN}:([0-9]{{1,10}})", re.ASCII)
_RESOURCE = re.compile(rf"{RESOURCE}:(\S{{1,255}})")
_LARGEST_PARTY_ID = 2**31 - 1
_INCLUDES = frozenset({"resources", "resource-actions", "members"})


def party_urn(urn: str) -> Attribute | None:
    """The party that a URN of one of the three forms names (§10); None when it has none of them."""
    if organisation := _ORGANISATION.fullmatch(urn):
        return Attribute(ORGANISATION, organisation[1])
    if party_uuid := _PARTY_UUID.fullmatch(urn):
        return Attribute(PARTY_UUID, str(UUID(party_uuid[1])))
    if (party_id := _PARTY_ID.fullmatch(urn)) and int(party_id[1]) <= _LARGEST_PARTY_ID:
        return Attribute(PARTY_ID, str(int(party_id[1])))
    return None


def resource_urn(urn: str) -> str | None:
    """The identifier in ``urn:altinn:resource:<identifier>``; None when it is no such URN."""
    found = _RESOURCE.fullmatch(urn)
    return found[1] if found and found[1].isprintable() else None


def query(request: Request, name: str) -> list[str]:
    """The values of a parameter, whatever the case of its name; ``name`` is in lower case."""
    return [value for given, value in request.query_params.multi_items() if given.lower() == name]


def includes(request: Request) -> frozenset[str]:
    """The values of ``include``, repeated or separated by commas.

    Raises:
        BindingError: one of them is none that there is.
    """
    given = {part.strip() for value in query(request, "include") for part in value.split(",")} - {""}
    if not given <= _INCLUDES:
        raise BindingError({"include": [f"Invalid value: '{value[:60]}'" for value in sorted(given - _INCLUDES)]})
    return frozenset(given)


async def body_of(request: Request) -> dict[str, Any]:
    """The JSON object that is sent, its names in lower case: letter case does not matter in them (§1).

    Raises:
        BindingError: it is none.
        HTTPException: 413, it is more than a mebibyte; 415, it is said to be something else.
    """
    content_type = request.headers.get("content-type", "application/json").partition(";")[0].strip().lower()
    if content_type not in {"application/json", "text/json"} and not content_type.endswith("+json"):
        raise HTTPException(415)
    sent = await request.body()
    if len(sent) > MAX_BODY_BYTES:  # the app may take more, for other routes
        raise HTTPException(413)
    try:
        body = loads_object(sent.removeprefix(codecs.BOM_UTF8))
    except StrictJsonError:
        raise BindingError({"$": ["The body is not a JSON object."]}) from None
    return {name.lower(): value for name, value in body.items()}


def text_of(body: dict[str, Any], name: str) -> str:
    """The body's member ``name``, a text; empty when it is null or missing.

    Raises:
        BindingError: it is anything else.
    """
    value = body.get(name)
    if value is not None and not isinstance(value, str):
        raise _unreadable(f"$.{name}", "System.String")
    return value or ""


def members_of(body: dict[str, Any]) -> list[Attribute]:
    """The parties in ``data``.

    Raises:
        BindingError: there is no list, or not of party URNs alone.
    """
    data = body.get("data")
    if not isinstance(data, list):
        raise BindingError({"$": ["Expected property 'data' with an array."]})
    parties = []
    for number, urn in enumerate(data):
        party = party_urn(urn) if isinstance(urn, str) else None
        if party is None:
            raise _unreadable(f"$.data[{number}]", "PartyUrn")
        parties.append(party)
    return parties


def actions_of(body: dict[str, Any]) -> list[str]:
    """The actions of ``actionFilters``; none when it is null or missing.

    Raises:
        BindingError: it is no list of texts.
    """
    actions = body.get("actionfilters")
    if actions is None:
        return []
    if not isinstance(actions, list) or not all(isinstance(action, str) for action in actions):
        raise _unreadable("$.actionFilters", "System.Collections.Generic.IReadOnlyList`1[System.String]")
    return actions


def _unreadable(path: str, kind: str) -> BindingError:
    return BindingError({path: [f"The JSON value could not be converted to {kind}. Path: {path}"]})

"""What comes in, as what the use cases take."""

from __future__ import annotations

import re
from typing import Any
from uuid import UUID

from starlette.requests import Request

from fullmakt.infra.reading import Query, unreadable
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


def includes(request: Request) -> frozenset[str]:
    """The values of ``include``, repeated or separated by commas.

    Raises:
        BindingError: one of them is none that there is.
    """
    given = {part.strip() for value in Query(request).all("include") for part in value.split(",")} - {""}
    if not given <= _INCLUDES:
        raise BindingError({"include": [f"Invalid value: '{value[:60]}'" for value in sorted(given - _INCLUDES)]})
    return frozenset(given)


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
            raise unreadable(f"data[{number}]", "PartyUrn")
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
        raise unreadable("actionFilters", "System.Collections.Generic.IReadOnlyList`1[System.String]")
    return actions

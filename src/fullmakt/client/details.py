"""What to put in ``authorization_details``: one element, for a system user, an enterprise system or a consent.

Source: maskinporten.md §5; RFC 9396.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from fullmakt.kernel.identifiers import InvalidIdentifierError, Iso6523, NationalId, OrgNumber
from fullmakt.wire.altinn.attributes import ORGANISATION, PERSON
from fullmakt.wire.altinn.consents import CONSENT_TYPE
from fullmakt.wire.altinn.token_details import ENTERPRISE_TYPE, SYSTEM_USER_TYPE


def system_user(org: str, external_ref: str | None = None) -> dict[str, Any]:
    """A token for the system user that ``org`` has approved: its owner, which for an agent is the agent itself.

    org: nine digits, or with the register before them, ``0192:310000043``. external_ref: the vendor's own reference,
    when the system user was asked for with one.

    Raises:
        InvalidIdentifierError: ``org`` is no organisation number.
    """
    element: dict[str, Any] = {
        "type": SYSTEM_USER_TYPE,
        "systemuser_org": {"authority": Iso6523.AUTHORITY, "ID": _iso6523(org)},
    }
    return element if external_ref is None else {**element, "externalRef": external_ref}


def virksys(part: str, *, hjelper: str | None = None, rettigheit: Iterable[str] | None = None) -> dict[str, Any]:
    """A virksomhetstoken for ``part``, with the rights that the enterprise system has been given for it.

    part, hjelper: organisations, as in ``system_user``. hjelper: the agent that the party must be a client of.
    rettigheit: the rights that the token must have, and no others.

    Raises:
        InvalidIdentifierError: ``part`` or ``hjelper`` is no organisation number.
        ValueError: ``rettigheit`` is empty, or one text instead of several.
    """
    element: dict[str, Any] = {"type": ENTERPRISE_TYPE, "part": _iso6523(part)}
    if hjelper is not None:
        element["hjelper"] = _iso6523(hjelper)
    if rettigheit is not None:
        rights = [] if isinstance(rettigheit, str) else list(rettigheit)
        if not rights:
            raise ValueError("rettigheit is a list with at least one right; leave it out to have all there are")
        element["rettigheit"] = rights
    return element


def consent(id: UUID | str, from_: str) -> dict[str, Any]:  # noqa: A002 - the protocol's own name
    """A token that carries the consent ``id``, which ``from_`` has given to the client's organisation.

    For a supplier it was given to ``consumer_org``. ``from_`` is as ``party_urn`` has it.

    Raises:
        InvalidIdentifierError: ``from_`` is no person and no organisation.
        ValueError: ``id`` is no UUID.
    """
    try:
        consent_id = UUID(str(id))
    except ValueError:
        raise ValueError("a consent's id is a UUID") from None
    return {"type": CONSENT_TYPE, "id": str(consent_id), "from": party_urn(from_)}


def party_urn(party: str) -> str:
    """The URN of a person by eleven digits, or of an organisation by nine; one that is a URN already is kept.

    Raises:
        InvalidIdentifierError: it is neither.
    """
    kind, _, number = party.rpartition(":")
    if kind == PERSON or (not kind and len(number) == 11):
        return f"{PERSON}:{NationalId(number)}"
    if kind in ("", ORGANISATION) and len(number) == 9:
        return f"{ORGANISATION}:{OrgNumber(number)}"
    raise InvalidIdentifierError("a party is eleven digits, nine digits, or the URN of a person or an organisation")


def _iso6523(org: str) -> str:
    if ":" not in org:
        return OrgNumber(org).iso6523
    if org.count(":") != 1:
        raise InvalidIdentifierError(f"an organisation is nine digits, or 0192: and nine digits, not {org[:20]!r}")
    return Iso6523.parse(org).orgno.iso6523

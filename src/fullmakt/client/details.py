"""What to put in ``authorization_details``: one element, for a system user or for an enterprise system.

Source: maskinporten.md §5.1, §5.2; RFC 9396.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from fullmakt.kernel.identifiers import InvalidIdentifierError, Iso6523, OrgNumber
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


def _iso6523(org: str) -> str:
    if ":" not in org:
        return OrgNumber(org).iso6523
    if org.count(":") != 1:
        raise InvalidIdentifierError(f"an organisation is nine digits, or 0192: and nine digits, not {org[:20]!r}")
    return Iso6523.parse(org).orgno.iso6523

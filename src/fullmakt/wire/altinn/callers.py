"""Who calls an Altinn API: an organisation by its Maskinporten token, or a person, a system user or an organisation by
Altinn's own (altinn-authentication.md §2, §5)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from fullmakt.kernel.identifiers import InvalidIdentifierError, OrgNumber
from fullmakt.wire.altinn.attributes import AUTH_LEVEL, PARTY_ID, PARTY_UUID, SERVICE_OWNER, USER_ID, Attribute
from fullmakt.wire.altinn.token_details import BadClaimError, SystemUserDetails, organisation_of, system_user_of

ORG_NUMBER = "urn:altinn:orgNumber"
"""Altinn's claim for the consumer; note the capital N."""
AUTH_METHOD = "urn:altinn:authenticatemethod"
ORGANISATION_LEVEL = 3
"""The authentication level of an organisation that Maskinporten vouches for (§2.1)."""

_OWN_FIELDS = frozenset({ORG_NUMBER, SERVICE_OWNER, USER_ID, PARTY_ID, PARTY_UUID, AUTH_LEVEL})
_MAX_TEXT = 4096
_MAX_LIST = 100
_LARGEST_ID = 2**31 - 1


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls, signature, issuer and time of the token checked.

    ``consumer`` is the organisation acted for, ``supplier`` who calls on its behalf; ``org_code`` a service owner's
    (``urn:altinn:org``); ``consumer_prefixes`` the scope prefixes the consumer owns. ``user_id``, ``party_id`` and
    ``party_uuid`` are a person's, with the authentication level 0 to 4. ``urns`` are the token's other ``urn:`` claims.
    """

    scopes: frozenset[str]
    consumer: OrgNumber | None = None
    supplier: OrgNumber | None = None
    org_code: str | None = None
    consumer_prefixes: tuple[str, ...] = ()
    client_id: str | None = None
    user_id: int | None = None
    party_id: int | None = None
    party_uuid: UUID | None = None
    auth_level: int = 0
    system_user: UUID | None = None
    system_user_org: OrgNumber | None = None
    urns: tuple[Attribute, ...] = field(default=(), repr=False)

    @property
    def actor(self) -> str:
        """What the audit trail calls it: never a person's number."""
        if self.system_user is not None:
            return f"systemuser:{self.system_user}"
        if self.party_uuid is not None and self.consumer is None:
            return f"party:{self.party_uuid}"
        return str(self.supplier or self.consumer or self.client_id or "")


class InvalidCallerError(Exception):
    """The token is not to be believed. ``reason`` is machine-readable; the API answers 401 with an empty body."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def caller_from_claims(claims: Mapping[str, Any]) -> Caller:
    """Who a verified token speaks for, be it Maskinporten's own or Altinn's; what either writes is read.

    Libraries that Altinn is built on write an array of one as its element, an object as JSON in a string, and a number
    as text; all of these are taken (§2.1, §5). A claim that is there and can not be understood is never passed over.

    Raises:
        InvalidCallerError: ``bad_claim``.
    """
    consumer = _organisation(claims, "consumer") or _bare_number(claims)
    system_user = _system_user(claims)
    return Caller(
        scopes=frozenset(scope for text in _texts(claims, "scope") for scope in text.split()),
        consumer=consumer,
        supplier=_organisation(claims, "supplier"),
        org_code=_text(claims, SERVICE_OWNER),
        consumer_prefixes=_texts(claims, "consumer_prefix"),
        client_id=_text(claims, "client_id"),
        user_id=_number(claims, USER_ID, _LARGEST_ID),
        party_id=_number(claims, PARTY_ID, _LARGEST_ID),
        party_uuid=_uuid(claims.get(PARTY_UUID)),
        auth_level=_level(claims, consumer),
        system_user=system_user.id if system_user is not None else None,
        system_user_org=system_user.organisation if system_user is not None else None,
        urns=tuple(_urns(claims)),
    )


def _bad_claim() -> InvalidCallerError:
    return InvalidCallerError("bad_claim")


def _texts(claims: Mapping[str, Any], name: str) -> tuple[str, ...]:
    """The claim as a list of texts, empty when it is not there; fit for logs and databases."""
    value = claims.get(name)
    values = [] if value is None else value if isinstance(value, list) else [value]
    for text in values:
        if not isinstance(text, str) or len(text) > _MAX_TEXT or not text.isprintable():
            raise _bad_claim()
    if len(values) > _MAX_LIST:
        raise _bad_claim()
    return tuple(values)


def _text(claims: Mapping[str, Any], name: str) -> str | None:
    texts = _texts(claims, name)
    if len(texts) > 1:
        raise _bad_claim()
    return (texts[0] or None) if texts else None


def _number(claims: Mapping[str, Any], name: str, most: int) -> int | None:
    value = claims.get(name)
    if value is None:
        return None
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= 10:
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= most:
        raise _bad_claim()
    return value


def _uuid(value: object) -> UUID | None:
    if value is None:
        return None
    try:
        return UUID(value)  # type: ignore[arg-type]
    except (ValueError, TypeError, AttributeError) as error:
        raise _bad_claim() from error


def _level(claims: Mapping[str, Any], consumer: OrgNumber | None) -> int:
    """0 to 4. Maskinporten's own tokens name none, and count for as much as when they have been exchanged."""
    level = _number(claims, AUTH_LEVEL, 4)
    if level is not None:
        return level
    return ORGANISATION_LEVEL if consumer is not None else 0


def _organisation(claims: Mapping[str, Any], name: str) -> OrgNumber | None:
    value = claims.get(name)
    try:
        return None if value is None else organisation_of(value)
    except BadClaimError as error:
        raise _bad_claim() from error


def _bare_number(claims: Mapping[str, Any]) -> OrgNumber | None:
    number = _text(claims, ORG_NUMBER)
    if number is None:
        return None
    try:
        return OrgNumber(number)
    except InvalidIdentifierError as error:
        raise _bad_claim() from error


def _system_user(claims: Mapping[str, Any]) -> SystemUserDetails | None:
    try:
        return system_user_of(claims)
    except BadClaimError as error:
        raise _bad_claim() from error


def _urns(claims: Mapping[str, Any]) -> Iterable[Attribute]:
    """The other claims of which a policy may speak: texts and numbers with a URN for a name."""
    for name, value in claims.items():
        if not name.startswith("urn:") or name in _OWN_FIELDS or not name.isprintable():
            continue
        for one in value[:_MAX_LIST] if isinstance(value, list) else [value]:
            if isinstance(one, str | int) and not isinstance(one, bool):
                text = str(one)
                if len(text) <= _MAX_TEXT and text.isprintable():
                    yield Attribute(name, text)

"""What an Altinn token says, worked out from the token it is made from. Pure: claims in, claims out.

Source: altinn-authentication.md §2 (exchange), §4 (refresh).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from fullmakt.altinn.exchange.errors import ScopeRefusedError, TokenRefusedError
from fullmakt.kernel.identifiers import OrgNumber
from fullmakt.wire.altinn.attributes import AUTH_LEVEL, PARTY_ID, PARTY_UUID, SERVICE_OWNER, USER_ID
from fullmakt.wire.altinn.callers import AUTH_METHOD, ORG_NUMBER, ORGANISATION_LEVEL
from fullmakt.wire.altinn.parties import PartyIdentity

LIFETIME = timedelta(minutes=30)
LONGEST_SESSION = timedelta(minutes=720)
"""A token may be refreshed for this long, and no longer, after the exchange."""
_TIMES = frozenset({"iat", "nbf", "exp"})
_NOT_FROM_MASKINPORTEN = frozenset({"aud", "iss", "client_amr", "sid"}) | _TIMES
_NOT_FROM_IDPORTEN = frozenset({"aud", "iss", "at_hash", "sid", "sub"}) | _TIMES
_SERVICE_OWNER_SCOPE = "altinn:serviceowner"
_PARTNER_SCOPES = frozenset(
    {
        "skatteetaten:formueinntekt/skattemelding",
        "skatteetaten:mvameldinginnsending",
        "skatteetaten:mvameldingvalidering",
    }
)
_LEVELS = {"idporten-loa-low": 0, "idporten-loa-substantial": 3, "idporten-loa-high": 4}


@dataclass(frozen=True, slots=True)
class Issue:
    """What every token of ours is given: who issues it, when, and its session's id."""

    issuer: str
    now: datetime
    sid: UUID
    collapse: bool = True

    def finish(self, claims: Mapping[str, Any], expires: datetime | None = None) -> dict[str, Any]:
        """``claims`` with the issuer's own after them; ``expires`` is 30 minutes from now unless given."""
        seconds = int(self.now.timestamp())
        until = int((expires or self.now + LIFETIME).timestamp())
        collapsed = {name: _single(value) for name, value in claims.items()} if self.collapse else dict(claims)
        return {**collapsed, "iss": self.issuer, "sid": str(self.sid), "nbf": seconds, "iat": seconds, "exp": until}


def _single(value: Any) -> Any:
    return value[0] if isinstance(value, list) and len(value) == 1 else value


def from_maskinporten(
    claims: Mapping[str, Any], consumer: OrgNumber, org_codes: Mapping[str, OrgNumber], *, test: bool
) -> dict[str, Any]:
    """The claims of an organisation's token (§2.1); ``test`` makes Digdir the test service owner ``ttd``."""
    kept = {name: value for name, value in claims.items() if name not in _NOT_FROM_MASKINPORTEN and not _is_ours(name)}
    code = _code_of(consumer, org_codes) if _SERVICE_OWNER_SCOPE in str(claims.get("scope", "")) else None
    if test and code == "digdir":
        code = "ttd"
    return {
        **kept,
        **({SERVICE_OWNER: code} if code is not None else {}),
        ORG_NUMBER: str(consumer),
        AUTH_METHOD: "maskinporten",
        AUTH_LEVEL: ORGANISATION_LEVEL,
    }


def _is_ours(name: str) -> bool:
    """No provider says who somebody is to Altinn: such a claim of theirs would pass for one of ours."""
    return name.lower().startswith("urn:altinn:")


def _code_of(orgno: OrgNumber, org_codes: Mapping[str, OrgNumber]) -> str | None:
    return next((code for code, number in org_codes.items() if number == orgno), None)


def check_idporten_scopes(claims: Mapping[str, Any]) -> None:
    """A person's token must be meant for Altinn, or for a partner whose forms lie there (§2.3).

    Raises:
        ScopeRefusedError: none of its scopes is.
    """
    scopes = str(claims.get("scope", "")).split()
    if not any(scope.startswith("altinn:") or scope in _PARTNER_SCOPES for scope in scopes):
        raise ScopeRefusedError


def level_of(acr: str) -> int:
    """The authentication level, 0 to 4; older values end in it (``Level3``).

    Raises:
        TokenRefusedError: the value is none of ID-porten's.
    """
    level = _LEVELS.get(acr)
    if level is None and acr[-1:] in {"0", "1", "2", "3", "4"}:
        level = int(acr[-1])
    if level is None:
        raise TokenRefusedError("bad_acr")
    return level


def from_idporten(claims: Mapping[str, Any], person: PartyIdentity) -> dict[str, Any]:
    """The claims of a person's token (§2.3).

    Raises:
        TokenRefusedError: the person has no user, or ``acr`` says no level.
    """
    if person.user_id is None:
        raise TokenRefusedError("no_user")
    kept = {name: value for name, value in claims.items() if name not in _NOT_FROM_IDPORTEN and not _is_ours(name)}
    return {
        **kept,
        **person_claims(person),
        AUTH_METHOD: _method(claims.get("amr")),
        AUTH_LEVEL: level_of(str(claims.get("acr", ""))),
    }


def person_claims(person: PartyIdentity) -> dict[str, Any]:
    """How Altinn names a person."""
    return {
        "nameid": str(person.user_id),
        USER_ID: str(person.user_id),
        "urn:altinn:username": "",
        PARTY_ID: person.party_id,
        PARTY_UUID: str(person.party_uuid),
    }


def _method(amr: object) -> str:
    if isinstance(amr, list):
        amr = amr[0] if amr else None
    return amr if isinstance(amr, str) and amr else "NotDefined"


def session_id(now: datetime, fresh: UUID) -> UUID:
    """A session's id that tells when it began: a UUID of version 7 (RFC 9562 §5.7), with the chance of ``fresh``."""
    milliseconds = int(now.timestamp() * 1000)
    chance = fresh.int & ((1 << 80) - 1) & ~(0xF << 76 | 0b11 << 62)
    return UUID(int=milliseconds << 80 | 0x7 << 76 | 0b10 << 62 | chance)


def refreshed(claims: Mapping[str, Any], now: datetime) -> dict[str, Any]:
    """The same claims with 30 new minutes, of which none lies beyond the session's end (§4).

    Raises:
        TokenRefusedError: the session has ended, or the token tells of none.
    """
    ends = _session_began(claims.get("sid")) + LONGEST_SESSION
    if ends <= now:
        raise TokenRefusedError("session_ended")
    seconds = int(now.timestamp())
    until = int(min(now + LIFETIME, ends).timestamp())
    return {**claims, "nbf": seconds, "iat": seconds, "exp": until}


def _session_began(sid: object) -> datetime:
    try:
        session = UUID(sid) if isinstance(sid, str) else None
    except ValueError:
        session = None
    if session is None or session.version != 7:
        raise TokenRefusedError("no_session")
    return datetime.fromtimestamp((session.int >> 80) / 1000, UTC)

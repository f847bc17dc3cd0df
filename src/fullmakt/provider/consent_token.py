"""Is this consent token one to believe? Pure: token, key and time in, a ``Consent`` or a ``NoConsentError`` out.

Source: consent.md §2.8 and §2.9 (the token of Altinn 2's form, and how a data source validates it), RFC 7515 §4.1.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from fullmakt.jose.compact import MalformedJwtError, UnverifiedJws, parse_compact
from fullmakt.jose.keys import PublicKey
from fullmakt.kernel.identifiers import InvalidIdentifierError, NationalId, OrgNumber
from fullmakt.provider.consent_model import Consent, ConsentCause, ConsentForm, NoConsentError, Party
from fullmakt.wire.altinn.consents import ConsentRight

ALGORITHM = "RS256"
ISSUER = "altinn.no"


@dataclass(frozen=True, slots=True)
class PresentedConsent:
    """A consent token that can be read and says which key is to have signed it. Not verified."""

    kid: str
    jws: UnverifiedJws


def read(text: str | None, issuer: str) -> PresentedConsent:
    """Read a token as far as can be done without a key; the quotes in which Altinn hands it out are taken off.

    Raises:
        NoConsentError: ``consent_missing``, ``…_malformed``, ``…_algorithm``, ``…_wrong_issuer``, ``…_unknown_kid``.
    """
    token = _unquoted(text or "")
    if not token:
        raise NoConsentError(ConsentCause.MISSING, "No consent token is sent")
    try:
        jws = parse_compact(token)
    except MalformedJwtError as error:
        raise NoConsentError(ConsentCause.MALFORMED, f"The consent token is not a signed JWT: {error}") from error
    header = jws.unverified_header
    if header.get("alg") != ALGORITHM:
        raise NoConsentError(ConsentCause.ALGORITHM, f"The consent token must be signed with {ALGORITHM}")
    if "crit" in header or str(header.get("typ", "JWT")).upper() != "JWT":
        raise NoConsentError(ConsentCause.MALFORMED, "The JWT is of another kind than a consent token")
    if jws.unverified_payload.get("iss") != issuer:
        raise NoConsentError(ConsentCause.WRONG_ISSUER, f"The consent token is not issued by {issuer}")
    kid = header.get("kid", header.get("x5t"))
    if not isinstance(kid, str):
        raise NoConsentError(ConsentCause.UNKNOWN_KID, "The consent token does not say which key signed it (kid)")
    return PresentedConsent(kid, jws)


def accept(presented: PresentedConsent, key: PublicKey | None, leeway: float, now: dt.datetime) -> Consent:
    """Verify the signature with ``key``, then the token's time and shape.

    ``leeway`` is how many seconds Altinn's clock may be ahead. A token that has expired gets none: it lives for half a
    minute and is fetched for one call, so that what comes later was kept by somebody.

    Raises:
        NoConsentError: any of the causes that ``read`` leaves over. What the consent is good for is
            ``require_consent``'s to say.
    """
    if key is None:
        raise NoConsentError(ConsentCause.UNKNOWN_KID, "Altinn has no key with the consent token's kid")
    jws = presented.jws
    if not key.verify(ALGORITHM, jws.signing_input, jws.signature):
        raise NoConsentError(ConsentCause.BAD_SIGNATURE, "The consent token's signature does not fit its content")
    claims = jws.unverified_payload  # verified, from here on
    if _time(claims, "exp") <= now:
        raise NoConsentError(ConsentCause.EXPIRED, "The consent token has expired")
    if _time(claims, "nbf" if "nbf" in claims else "iat") > now + dt.timedelta(seconds=leeway):
        raise NoConsentError(ConsentCause.NOT_YET_VALID, "The consent token is not valid yet")
    return Consent(
        form=ConsentForm.ALTINN2,
        id=_uuid(claims, "AuthorizationCode"),
        giver=_party(claims, "OfferedBy"),
        receiver=_party(claims, "CoveredBy"),
        handled_by=_organisation(claims, "HandledBy") if claims.get("HandledBy") is not None else None,
        given_at=_time(claims, "DelegatedDate") if "DelegatedDate" in claims else None,
        valid_to=_valid_to(claims),
        rights=tuple(_rights(_services(claims))),
    )


def _unquoted(text: str) -> str:
    """Altinn answers with a JSON string, whose quotes clients regularly forget to take off (§2.8)."""
    text = text.strip()
    return text[1:-1] if len(text) > 1 and text[0] == text[-1] == '"' else text


def _rights(services: Iterable[str]) -> Iterator[ConsentRight]:
    """``5498_1``, then ``5498_1_Navn=Banken AS`` for each of its metadata.

    Two rights to one service are told apart where the service, or a key of its metadata, comes again; so no right is
    ever read with values of another one's.
    """
    rights: list[tuple[str, dict[str, str]]] = []
    latest: dict[str, dict[str, str]] = {}
    for service, said in map(_entry, services):
        if not said or service not in latest or said.keys() <= latest[service].keys():
            latest[service] = {}
            rights.append((service, latest[service]))
        latest[service].update(said)
    return (ConsentRight(service, metadata=metadata) for service, metadata in rights)


def _entry(text: str) -> tuple[str, Mapping[str, str]]:
    """The service, and what is said of it, if anything."""
    code, edition, said = (*text.split("_", 2), "", "")[:3]
    name, is_metadata, value = said.partition("=")
    if not (code and edition) or (said and not (name and is_metadata)):
        raise _bad_claim("Services")
    return f"{code}_{edition}", {name: value} if said else {}


def _services(claims: Mapping[str, Any]) -> list[str]:
    """``Services``, by its older name too; one service may stand alone."""
    value = claims.get("Services", claims.get("ServiceCodes"))
    services = [value] if isinstance(value, str) else value
    if not isinstance(services, list) or not services or not all(isinstance(entry, str) for entry in services):
        raise _bad_claim("Services")
    return services


def _valid_to(claims: Mapping[str, Any]) -> dt.datetime:
    """Data sources' documents call it ``ValidTo``; of two, the earlier one counts."""
    named = [name for name in ("ValidToDate", "ValidTo") if name in claims]
    return min((_time(claims, name) for name in named), default=None) or _time(claims, "ValidToDate")


def _time(claims: Mapping[str, Any], name: str) -> dt.datetime:
    value = claims.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _bad_claim(name)
    try:
        return dt.datetime.fromtimestamp(value, dt.UTC)
    except (OverflowError, ValueError, OSError) as error:  # infinite, or beyond the year 9999
        raise _bad_claim(name) from error


def _party(claims: Mapping[str, Any], name: str) -> Party:
    text = claims.get(name)
    return _organisation(claims, name) if isinstance(text, str) and len(text) == 9 else _person(claims, name)


def _organisation(claims: Mapping[str, Any], name: str) -> OrgNumber:
    try:
        return OrgNumber(_text(claims, name))
    except InvalidIdentifierError as error:
        raise _bad_claim(name) from error


def _person(claims: Mapping[str, Any], name: str) -> NationalId:
    try:
        return NationalId(_text(claims, name))
    except InvalidIdentifierError as error:
        raise _bad_claim(name) from error


def _text(claims: Mapping[str, Any], name: str) -> str:
    value = claims.get(name)
    if not isinstance(value, str):
        raise _bad_claim(name)
    return value


def _uuid(claims: Mapping[str, Any], name: str) -> UUID:
    try:
        return UUID(_text(claims, name))
    except ValueError as error:
        raise _bad_claim(name) from error


def _bad_claim(name: str) -> NoConsentError:
    return NoConsentError(
        ConsentCause.BAD_CLAIM, f"The consent token's claim {name} is missing or has a value it can not have"
    )

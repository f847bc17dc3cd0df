"""Does this consent let this caller have this? Pure, for both of Altinn's forms.

Sources: consent.md §2.9 and §4.11 (validation by a data source), lanekassen-saldo.md §5 (the order of the checks).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping
from uuid import UUID

from fullmakt.kernel.identifiers import InvalidIdentifierError, NationalId, OrgNumber
from fullmakt.provider.consent_model import Consent, ConsentCause, ConsentForm, NoConsentError, Party
from fullmakt.provider.verified_token import VerifiedToken
from fullmakt.wire.altinn.attributes import ORGANISATION, PERSON
from fullmakt.wire.altinn.consents import CONSENT_ACTION, CONSENT_TYPE, ConsentRight
from fullmakt.wire.altinn.token_details import BadClaimError, organisation_of

_NONE = "There is no consent to this for this caller"


def consent_of(token: VerifiedToken) -> Consent | None:
    """The consent that Maskinporten's token carries, Altinn 3's form; None when it carries none.

    Raises:
        NoConsentError: ``consent_not_one`` for a token with several, ``consent_bad_claim`` when it can not be read.
    """
    elements = [element for element in token.authorization_details if element.get("type") == CONSENT_TYPE]
    if len(elements) > 1:
        raise NoConsentError(ConsentCause.NOT_ONE, "The token carries more than one consent")
    try:
        return _read(elements[0]) if elements else None
    except (BadClaimError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise NoConsentError(ConsentCause.BAD_CLAIM, "The token's consent can not be read") from error


def require_consent(
    consent: Consent | None,
    token: VerifiedToken,
    giver: str,
    *,
    services: Collection[str],
    now: dt.datetime,
    metadata: Mapping[str, str] | None = None,
) -> ConsentRight:
    """Hold a consent that has been verified against what a request needs, and get the right that permits it.

    token: Maskinporten's, verified, of the very request.
    giver: the national identity number or organisation number whose data are asked for.
    services: the source's own, by every name: ``{"5498_1", "lanekassen_5498_1"}``.
    metadata: what one right must say, as in ``{"inntektsaar": "2024"}``; keys are the same in any case, values are not.

    Raises:
        NoConsentError: the first of the checks that fails, in this order: there is one; it is to ``services``, and with
            ``metadata``; its receiver is the token's consumer; its giver is ``giver``; it has not lapsed; the supplier
            that fetched it, if any, is the token's.
    """
    if consent is None:
        raise NoConsentError(ConsentCause.MISSING, _NONE)
    right = _right(consent, services, metadata or {})
    if consent.receiver != token.consumer:
        raise NoConsentError(ConsentCause.OTHER_RECEIVER, _NONE)
    if consent.giver != giver:
        raise NoConsentError(ConsentCause.OTHER_GIVER, _NONE)
    if consent.valid_to <= now:
        raise NoConsentError(ConsentCause.LAPSED, _NONE)
    if consent.handled_by is not None and consent.handled_by != token.supplier:
        raise NoConsentError(ConsentCause.OTHER_SUPPLIER, _NONE)
    return right


def _right(consent: Consent, services: Collection[str], metadata: Mapping[str, str]) -> ConsentRight:
    rights = [right for right in consent.rights if right.resource in services and CONSENT_ACTION in right.actions]
    if not rights:
        raise NoConsentError(ConsentCause.OTHER_SERVICE, _NONE)
    wanted = {(key.lower(), value) for key, value in metadata.items()}
    for right in rights:
        if wanted <= {(key.lower(), value) for key, value in right.metadata.items()}:
            return right
    raise NoConsentError(ConsentCause.NOT_COVERED, _NONE)


def _read(element: Mapping[str, object]) -> Consent:
    rights = element["consentRights"]
    if not isinstance(rights, list) or not rights:
        raise ValueError("no rights")
    given = element.get("consented")
    return Consent(
        form=ConsentForm.ALTINN3,
        id=UUID(_text(element["id"])),
        giver=_party(_text(element["from"])),
        receiver=organisation_of(element["to"]),
        handled_by=None,
        given_at=None if given is None else _moment(given),
        valid_to=_moment(element["validTo"]),
        rights=tuple([ConsentRight.read(right) for right in rights]),
    )


def _party(urn: str) -> Party:
    kind, _, number = urn.rpartition(":")
    kinds: Mapping[str, type[NationalId] | type[OrgNumber]] = {PERSON: NationalId, ORGANISATION: OrgNumber}
    try:
        return kinds[kind](number)
    except InvalidIdentifierError as error:
        raise ValueError("not a person or an organisation") from error


def _moment(value: object) -> dt.datetime:
    at = dt.datetime.fromisoformat(_text(value))
    if at.tzinfo is None:
        raise ValueError("a time without an offset")
    return at


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError("not text")
    return value

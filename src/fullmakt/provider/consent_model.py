"""A consent as a data source sees it, whichever of Altinn's forms it came in, and what is raised when there is none."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeAlias
from uuid import UUID

from fullmakt.kernel.identifiers import NationalId, OrgNumber
from fullmakt.provider.errors import BearerError, Reason
from fullmakt.wire.altinn.consents import ConsentRight

Party: TypeAlias = NationalId | OrgNumber


class ConsentForm(StrEnum):
    """What vouches for a consent."""

    ALTINN2 = "altinn2"
    """A token of Altinn's own, beside Maskinporten's (consent.md §2.9)."""
    ALTINN3 = "altinn3"
    """Maskinporten's token itself, in its ``authorization_details`` (§4.10)."""


@dataclass(frozen=True, slots=True)
class Consent:
    """What ``giver`` has let ``receiver`` have until ``valid_to``.

    ``id`` is Altinn 2's ``AuthorizationCode`` or Altinn 3's ``id``; a consent that moves from one to the other keeps
    it. A right's ``resource`` is the service as Altinn 2 writes it, ``5498_1``, or the resource's identifier.
    ``handled_by`` is the supplier that fetched Altinn 2's token; in Altinn 3's form the token's own ``supplier`` says
    who that is. Personal data are left out of ``repr``.
    """

    form: ConsentForm
    id: UUID
    giver: Party = field(repr=False)
    receiver: Party
    handled_by: OrgNumber | None
    given_at: dt.datetime | None
    valid_to: dt.datetime
    rights: tuple[ConsentRight, ...] = field(hash=False)


class ConsentCause(StrEnum):
    """Why a consent does not hold, for machines: log it, count it, branch on it. New members may be added."""

    MISSING = "consent_missing"
    MALFORMED = "consent_malformed"
    ALGORITHM = "consent_algorithm"
    WRONG_ISSUER = "consent_wrong_issuer"
    UNKNOWN_KID = "consent_unknown_kid"
    BAD_SIGNATURE = "consent_bad_signature"
    EXPIRED = "consent_token_expired"
    """The token's thirty seconds are over; the consent may stand."""
    NOT_YET_VALID = "consent_token_not_yet_valid"
    BAD_CLAIM = "consent_bad_claim"
    NOT_ONE = "consent_not_one"
    """An access token with more than one consent, so that it is anybody's guess which one counts."""
    OTHER_SERVICE = "consent_other_service"
    NOT_COVERED = "consent_metadata_not_covered"
    OTHER_RECEIVER = "consent_other_receiver"
    OTHER_GIVER = "consent_other_giver"
    LAPSED = "consent_lapsed"
    OTHER_SUPPLIER = "consent_other_supplier"
    ENDED = "consent_ended"
    """Revoked, given up, or used up."""


class NoConsentError(BearerError):
    """The caller has no consent to what it asks for. 403; ``cause`` says why, for the API's own log.

    The description is the same for every cause but those that the caller's own token shows: whether there is a consent
    of somebody to something is nobody else's to learn.
    """

    status = 403
    error = "access_denied"

    def __init__(self, cause: ConsentCause, description: str) -> None:
        self.cause = cause
        super().__init__(Reason.NO_CONSENT, description)

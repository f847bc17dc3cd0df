"""What holds in Altinn 2's form alone: names that must fit, statuses, parameters, redirects, who sees what. Pure."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Mapping
from datetime import datetime
from urllib.parse import urlencode

from fullmakt.altinn.consents.model import Consent, Form, Status
from fullmakt.altinn.consents.texts import encoded_twice, with_query
from fullmakt.wire.altinn.consents2 import DECLINED, ConsentError, ErrorCode, RequestStatus, local_time
from fullmakt.wire.altinn.parties import PartyIdentity, PartyKind

_STATUSES = {
    Status.ACCEPTED: RequestStatus.ACCEPTED,
    Status.REVOKED: RequestStatus.ACCEPTED,  # that it ended shows only where it is drawn (§2.4)
    Status.REJECTED: RequestStatus.REJECTED,
}


def request_status(consent: Consent) -> RequestStatus:
    """How a request stands (§2.4); ``None`` when it was withdrawn."""
    if consent.status is Status.CREATED:
        return RequestStatus.UNOPENED if consent.opened_at is None else RequestStatus.OPENED
    return _STATUSES.get(consent.status, RequestStatus.NONE)


def is_name_of(name: str, party: PartyIdentity) -> bool:
    """True when ``name`` is the party's, in any case: an organisation's name, or a person's surname (§2.2).

    The register has a person's names in one; the surname is the last of them, as the population register files
    "von der Lippe" under "Lippe".
    """
    given, registered = _folded(name), _folded(party.name)
    if not given or not registered:
        return False
    return given == (registered[-1:] if party.kind is PartyKind.PERSON else registered)


def _folded(name: str) -> list[str]:
    return unicodedata.normalize("NFKC", name).casefold().split()


def no_such_party(number: str) -> ConsentError:
    """What is said of a number that is none, of one that is nobody's, and of a name that is another's: the same, so
    that nobody learns who exists."""
    shown = number if number.isascii() and number.isalnum() and len(number) <= 20 else "given"
    return ConsentError(
        ErrorCode.NO_SUCH_PARTY,
        f"The number {shown} is not a valid national identity number or organization number, or the name does not"
        " match it.",
    )


def parameters(
    defined: Mapping[str, bool], given: Mapping[str, str], service: str
) -> Iterator[tuple[str, str] | ConsentError]:
    """The values of the parameters that a service has defined, each with the service's own spelling of its name.

    ``defined`` tells of each whether it may be empty, or left out (§2.2: a switch of the service's). What the service
    has not defined is passed over.
    """
    values = {name.lower(): value for name, value in given.items()}
    for name, optional in defined.items():
        value = values.get(name.lower(), "")
        if value or optional:
            yield name, value
        else:
            yield ConsentError(ErrorCode.METADATA, f"The metadata {name} of the service {service} is missing or empty.")


def is_seen_by(consent: Consent, organisation: PartyIdentity, on_behalf_of: PartyIdentity | None = None) -> bool:
    """True when an organisation may know of a request: it is to receive the consent, or handles it, or is asked for it.

    A supplier that acts ``on_behalf_of`` a receiver sees what it has asked for that receiver, and nothing that another
    supplier has. A withdrawn request is nobody's any more.
    """
    if consent.form is not Form.ALTINN2 or consent.status is Status.DELETED:
        return False
    own = organisation.party_uuid
    if on_behalf_of is not None:
        return consent.handled_by == own and consent.receiver == on_behalf_of.party_uuid
    return own in {consent.receiver, consent.handled_by, consent.giver}


def accepted_url(consent: Consent) -> str:
    """Where the browser goes after a yes (§2.6)."""
    return with_query(consent.redirect_url, urlencode({"AuthorizationCode": str(consent.id), "Status": "OK"}))


def declined_url(consent: Consent) -> str:
    """Where it goes after a no."""
    return with_query(consent.redirect_url, f"{_failed(DECLINED)}&FailedAuthorizationCode={consent.id}")


def failed_url(consent: Consent, message: str, code: str, at: datetime) -> str:
    """Where it goes when something went wrong here; ``code`` and ``at`` are what to ask us about."""
    failed = f"{_failed(message)}&FailedAuthorizationCode={consent.id}&{_error(code, at)}"
    return with_query(consent.redirect_url, failed)


def link_url(redirect_url: str, code: str | None) -> str:
    """Where it goes after a request that was a link (§2.7): with a code after a yes, with None after a no."""
    if code is None:
        return with_query(redirect_url, _failed(DECLINED))
    return with_query(redirect_url, urlencode({"AuthorizationCode": code, "Status": "OK"}))


def link_failed_url(redirect_url: str, message: str, code: str, at: datetime) -> str:
    """Where it goes after such a request when something went wrong here."""
    return with_query(redirect_url, f"{_failed(message)}&{_error(code, at)}")


def _error(code: str, at: datetime) -> str:
    return urlencode({"ErrorCode": code, "Timestamp": local_time(at)})


def _failed(message: str) -> str:
    return f"Status=Failed&ErrorMessage={encoded_twice(message)}"

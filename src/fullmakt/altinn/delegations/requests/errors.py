"""The validation errors of requests, by Altinn's codes (altinn-authorization.md §15.2)."""

from __future__ import annotations

from dataclasses import dataclass

from fullmakt.wire.altinn.problems import AltinnValidationError, ValidationFault


@dataclass(frozen=True, slots=True)
class Fault:
    """One of them: its code and its text."""

    code: str
    text: str

    def at(self, *paths: str) -> AltinnValidationError:
        """The error to raise; ``paths`` tell which parts of the request are meant (``/resource``, ``/$QUERY/id``)."""
        return AltinnValidationError(ValidationFault(self.code, self.text, paths))


UNKNOWN_PACKAGE = Fault("AM.VLD-00011", "The access package does not exist.")
UNKNOWN_RESOURCE = Fault("AM.VLD-00012", "The resource does not exist.")
UNKNOWN_REQUEST = Fault("AM.VLD-00035", "The request does not exist.")
WRONG_STATUS = Fault("AM.VLD-00036", "The request's status does not allow this.")
NOTHING_ASKED = Fault("AM.VLD-00038", "Either a resource or an access package must be asked for.")
NO_CONNECTION = Fault("AM.VLD-00041", "There is no connection between the two parties.")
WRONG_PARTY = Fault("AM.VLD-00044", "This is for the other party of the request to do.")
SELF_REQUEST = Fault("AM.VLD-00045", "A party can not ask itself for access.")
BOTH_ASKED = Fault("AM.VLD-00046", "A resource and an access package can not be asked for at once.")
NOT_ASSIGNABLE = Fault("AM.VLD-00048", "The access package can not be given to others.")
NOT_DELEGABLE = Fault("AM.VLD-00049", "The resource can not be delegated.")

INVALID_URN = Fault(
    "AMSO.VLD-00001",
    "A party is urn:altinn:person:identifier-no or urn:altinn:organization:identifier-no with a number.",
)
UNKNOWN_PARTY = Fault("AMSO.VLD-00002", "The party does not exist.")
OWNERS_UNKNOWN_RESOURCE = Fault("AMSO.VLD-00003", "The resource does not exist.")
OWNERS_UNKNOWN_PACKAGE = Fault("AMSO.VLD-00004", "The access package does not exist.")
OTHERS_RESOURCE = Fault("AMSO.VLD-00006", "The resource belongs to another service owner.")

"""What Altinn's codes mean to the person whose answer was not taken (altinn-authentication.md §6.1)."""

from __future__ import annotations

from collections.abc import Mapping


def _(message: str) -> str:
    """Mark a text for translation; it is translated where it is shown."""
    return message


_NO_REQUEST = _("There is no such request any more.")
_OTHER_PARTY = _("The request is for another organisation.")
_NOT_ALLOWED = _("This person may not answer for the organisation.")
_OTHERWISE = _("Altinn did not take the answer.")

_MEANINGS: Mapping[str, str] = {
    "AUTH-00001": _("The system no longer needs a service that is asked for, or the service can not be given away."),
    "AUTH-00002": _("What was to be given could no longer be given."),
    "AUTH-00004": _("The organisation has such a system user already."),
    "AUTH-00010": _NO_REQUEST,
    "AUTH-00011": _("The system is no longer in the register."),
    "AUTH-00013": _("The request has been answered meanwhile, or its time is up. This is how it stands now."),
    "AUTH-00014": _("It could not be found out whether this person can give what is asked for."),
    "AUTH-00015": _("The system user is no more."),
    "AUTH-00016": _("This person has no role by which to give what is asked for."),
    "AUTH-00018": _("This person has not been given what is asked for, and can not give it on."),
    "AUTH-00019": _("The service is for those whom its owner has listed, and the organisation is not among them."),
    "AUTH-00020": _("The service asks for a higher level of login than this person's."),
    "AUTH-00030": _NO_REQUEST,
    "AUTH-00041": _OTHER_PARTY,
    "AUTH-00042": _OTHER_PARTY,
    "AUTH-00043": _NOT_ALLOWED,
    "AUTH-00044": _NOT_ALLOWED,
    "AUTH-00050": _("It could not be found out whether this person can give the access packages."),
    "AUTH-00053": _("This person does not hold the access packages that are asked for, and can not give them."),
    "AUTH-00063": _("The system no longer needs an access package that is asked for."),
    "AUTH-00069": _("The service is for organisations on an access list, and this one is not on it."),
    "AUTH-00070": _("The service can not be given to others."),
    "AUTH-00071": _("The service is an API that is given to others by its scopes, and not to system users."),
}


def meaning(code: str) -> str:
    """The code in words, to be translated."""
    return _MEANINGS.get(code, _OTHERWISE)

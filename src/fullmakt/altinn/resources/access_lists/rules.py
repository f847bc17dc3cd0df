"""Decisions on access lists."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from enum import Enum, auto

from fullmakt.altinn.resources.access_lists.model import AccessList, Authorization, Conditions, Grant
from fullmakt.kernel.identifiers import OrgNumber
from fullmakt.kernel.text import is_storable
from fullmakt.wire.altinn.callers import Caller
from fullmakt.wire.altinn.resources import RegisteredResource

READ_SCOPE = "altinn:resourceregistry/accesslist.read"
WRITE_SCOPE = "altinn:resourceregistry/accesslist.write"
ADMIN_SCOPE = "altinn:resourceregistry/resource.admin"
PDP_SCOPE = "altinn:resourceregistry/pdp:accesslist.read"
READERS = (READ_SCOPE, WRITE_SCOPE, ADMIN_SCOPE, PDP_SCOPE)
WRITERS = (WRITE_SCOPE, ADMIN_SCOPE)

LISTS_PER_PAGE = 20
MEMBERS_PER_PAGE = 100
CONNECTIONS_PER_PAGE = 100
MAX_MEMBERS = 100
"""In one request (§10); a list may have any number."""
MAX_IDENTIFIER = 255
MAX_NAME = 500
MAX_DESCRIPTION = 5_000
MAX_ACTIONS = 100
MAX_ACTION = 255
"""Characters, and actions in a filter. The last five are ours; the real service has none of them."""


class Verdict(Enum):
    """What a request's conditions come to."""

    PROCEED = auto()
    NOT_MODIFIED = auto()
    FAILED = auto()


def verdict(conditions: Conditions, found: AccessList | None, *, reading: bool) -> Verdict:
    """Whether a request may be carried out on the list that was found (§12, RFC 9110 §13.2.2).

    Of a list that is not there ``If-Match`` never holds, nor has it been modified since any time. Dates are compared by
    the second, as HTTP writes them.
    """
    if found is None:
        holds = conditions.match is None and conditions.modified_since is None
        return Verdict.PROCEED if holds else Verdict.FAILED
    changed_at = found.updated.replace(microsecond=0)
    if conditions.match is not None and not conditions.match.hold(found.version):
        return Verdict.FAILED
    if conditions.page_of is not None and conditions.page_of != found.version:
        return Verdict.FAILED
    if conditions.unmodified_since is not None and changed_at > conditions.unmodified_since:
        return Verdict.FAILED
    same = conditions.none_match is not None and conditions.none_match.hold(found.version)
    if same or (conditions.modified_since is not None and changed_at <= conditions.modified_since):
        return Verdict.NOT_MODIFIED if reading else Verdict.FAILED
    return Verdict.PROCEED


def owner_code(owner: str, org_codes: Mapping[str, OrgNumber]) -> str | None:
    """The org code that the path means, letter case aside; None when it is nobody's."""
    code = owner.lower()
    return code if code in org_codes else None


def may_act_for(caller: Caller, owner: str, org_codes: Mapping[str, OrgNumber], *, writing: bool) -> bool:
    """True when the caller is the owner, or is exempt from having to be (§8). ``owner`` is a registered org code."""
    exempt = {ADMIN_SCOPE} if writing else {ADMIN_SCOPE, PDP_SCOPE}
    if not caller.scopes.isdisjoint(exempt):
        return True
    if caller.org_code is not None and caller.org_code.lower() == owner:
        return True
    return caller.consumer is not None and caller.consumer == org_codes[owner]


def may_connect(resource: RegisteredResource, owner: str, org_codes: Mapping[str, OrgNumber]) -> bool:
    """True when the resource is the list owner's own, by code or by organisation number."""
    if resource.owner_code.lower() == owner:
        return True
    return resource.owner_orgno is not None and resource.owner_orgno == org_codes.get(owner)


def authorization(grants: Iterable[Grant], action: str) -> Authorization:
    """Whether any of a party's lists allows the action on the resource that they are connected to."""
    if any(not grant.actions or action in grant.actions for grant in grants):
        return Authorization.AUTHORIZED
    return Authorization.NOT_AUTHORIZED


def identifier_fault(identifier: str) -> str | None:
    """Why the text can not be a list's identifier, None when it can."""
    if not identifier.isprintable() or not identifier.strip():
        return "The identifier must be of printable characters."
    return _too_long("identifier", identifier, MAX_IDENTIFIER)


def name_fault(name: str) -> str | None:
    """Why the text can not be a list's name, None when it can."""
    if not name.strip():
        return "The Name field is required."
    return _text_fault("name", name, MAX_NAME)


def description_fault(description: str) -> str | None:
    """Why the text can not be a list's description, None when it can."""
    return _text_fault("description", description, MAX_DESCRIPTION)


def actions_fault(actions: Collection[str]) -> str | None:
    """Why these can not be a connection's action filter, None when they can."""
    if len(actions) > MAX_ACTIONS:
        return f"A filter has at most {MAX_ACTIONS} actions."
    if not all(action.strip() and action.isprintable() and len(action) <= MAX_ACTION for action in actions):
        return f"An action is of 1 to {MAX_ACTION} printable characters."
    return None


def _text_fault(field: str, text: str, longest: int) -> str | None:
    if not is_storable(text):
        return f"The {field} holds a character that can not be stored."
    return _too_long(field, text, longest)


def _too_long(field: str, text: str, longest: int) -> str | None:
    return f"The {field} is longer than {longest} characters." if len(text) > longest else None

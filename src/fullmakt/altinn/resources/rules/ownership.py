"""Who may change a resource (altinn-resource-registry.md §4, Rights)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from fullmakt.kernel.identifiers import OrgNumber
from fullmakt.wire.altinn.callers import Caller
from fullmakt.wire.altinn.resource_registry import CompetentAuthority

WRITE_SCOPE = "altinn:resourceregistry/resource.write"
ADMIN_SCOPE = "altinn:resourceregistry/resource.admin"


def is_admin(caller: Caller) -> bool:
    """True for who may change everybody's resources."""
    return ADMIN_SCOPE in caller.scopes


def owns(caller: Caller, owner: OrgNumber | None) -> bool:
    """True when the caller acts for the owner; what has no owner's number is the admin's alone."""
    return is_admin(caller) or (owner is not None and caller.consumer == owner)


def org_code_fault(authority: CompetentAuthority, org_codes: Mapping[str, OrgNumber]) -> str | None:
    """Why a resource can not be published under the org code that it names, None when it can.

    Not in the original: without it, anybody could publish in the name of another's org code, or of one that somebody
    else gets later, which is what access lists and service-owner rules go by.
    """
    registered = org_codes.get((authority.orgcode or "").lower())
    if registered is None:
        return f"The orgcode {authority.orgcode} is not a registered service owner's"
    if authority.organization and registered != authority.organization:
        return f"The orgcode {authority.orgcode} belongs to another organization"
    return None


def foreign_scopes(caller: Caller, scopes: Iterable[str]) -> tuple[str, ...]:
    """The scopes whose prefix is not the caller's: API resources may be published for one's own scopes only."""
    if is_admin(caller):
        return ()
    return tuple(scope for scope in scopes if scope.partition(":")[0] not in caller.consumer_prefixes)

"""Who may change a resource (altinn-resource-registry.md §4, Rights)."""

from __future__ import annotations

from collections.abc import Iterable

from fullmakt.kernel.identifiers import OrgNumber
from fullmakt.wire.altinn.callers import Caller

WRITE_SCOPE = "altinn:resourceregistry/resource.write"
ADMIN_SCOPE = "altinn:resourceregistry/resource.admin"


def is_admin(caller: Caller) -> bool:
    """True for who may change everybody's resources."""
    return ADMIN_SCOPE in caller.scopes


def owns(caller: Caller, owner: OrgNumber | None) -> bool:
    """True when the caller acts for the owner; what has no owner's number is the admin's alone."""
    return is_admin(caller) or (owner is not None and caller.consumer == owner)


def foreign_scopes(caller: Caller, scopes: Iterable[str]) -> tuple[str, ...]:
    """The scopes whose prefix is not the caller's: API resources may be published for one's own scopes only."""
    if is_admin(caller):
        return ()
    return tuple(scope for scope in scopes if scope.partition(":")[0] not in caller.consumer_prefixes)

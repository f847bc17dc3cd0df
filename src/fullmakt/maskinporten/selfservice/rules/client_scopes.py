"""Which scopes may be put on a client (maskinporten.md §7.6)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from fullmakt.maskinporten.selfservice.errors import Fault
from fullmakt.maskinporten.selfservice.model import ScopeStanding
from fullmakt.maskinporten.selfservice.rules.clients import KRR_SCOPES, LOGIN_SCOPES, LOGIN_TYPES, OBJECT
from fullmakt.wire.maskinporten.selfservice import IntegrationType

_ADMIN_SCOPES = ("idporten:dcr", "idporten:scopes")
"""Nobody gives itself the right to administer: Digdir hands such clients out."""


def wanted_scopes(given: Iterable[str] | None, integration_type: IntegrationType) -> tuple[str, ...]:
    """The scopes that a client is to have, each once, in order; those of krr are fixed."""
    if integration_type == "krr":
        return KRR_SCOPES
    return tuple(sorted(set(given or ())))


def scope_faults(
    added: Sequence[str],
    standings: Mapping[str, ScopeStanding],
    integration_type: IntegrationType,
    counted_orgno: str,
    caller_orgno: str,
) -> Iterator[Fault]:
    """What is wrong with adding these scopes to a client that lives on ``counted_orgno``'s accesses.

    Only what is new is judged: a scope that was deactivated, or whose access was withdrawn, stays on the client, so
    that it works again when its owner changes its mind (§4.1).
    """
    for name in added:
        problem = _problem(name, standings.get(name), integration_type, counted_orgno, caller_orgno)
        if problem is not None:
            yield Fault(f"The scope {name} {problem}", OBJECT, "scopes")


def _problem(
    name: str, standing: ScopeStanding | None, integration_type: IntegrationType, counted_orgno: str, caller_orgno: str
) -> str | None:
    if name.startswith(_ADMIN_SCOPES):
        return "is handed out by the operator"
    if integration_type == "krr" or (integration_type in LOGIN_TYPES and name in LOGIN_SCOPES):
        return None
    if standing is None:
        return "does not exist"
    if not standing.active:
        return "is not active"
    if standing.allowed_integration_types and integration_type not in standing.allowed_integration_types:
        return f"is not allowed for {integration_type} clients"
    open_to_all = standing.accessible_for_all or standing.delegation_source is not None
    if open_to_all or standing.approved or standing.owner_orgno == caller_orgno:
        return None
    return f"has not been granted to {counted_orgno}"

"""Who may do what (maskinporten.md §7.2, §7.3): by the scopes of the token, and by whose the thing is."""

from __future__ import annotations

from enum import Enum

from fullmakt.kernel.identifiers import OrgNumber
from fullmakt.maskinporten.selfservice.errors import DeniedError
from fullmakt.maskinporten.selfservice.model import Caller, Client, Scope, ScopePrefix

DCR_READ = "idporten:dcr.read"
DCR_MODIFY = "idporten:dcr.modify"
DCR_WRITE = "idporten:dcr.write"
DCR_SUPPLIER = "idporten:dcr.supplier"
DCR_ALTINN = "idporten:dcr.altinn"
ONBEHALFOF_WRITE = ("idporten:dcr/onbehalfof:write", "idporten:dcr/onbehalfof.write")
SCOPES_READ = "idporten:scopes.read"
SCOPES_WRITE = "idporten:scopes.write"


class Right(Enum):
    """Something a token may allow, with the scopes of which one is enough. Writing includes reading (§7.2)."""

    READ_CLIENTS = (DCR_READ, DCR_WRITE)
    CHANGE_CLIENTS = (DCR_WRITE, DCR_MODIFY)
    MAKE_CLIENTS = (DCR_WRITE,)
    READ_ONBEHALFOF = (DCR_READ, DCR_WRITE, *ONBEHALFOF_WRITE)
    CHANGE_ONBEHALFOF = (DCR_WRITE, DCR_MODIFY, *ONBEHALFOF_WRITE)
    READ_SCOPES = (SCOPES_READ, SCOPES_WRITE)
    CHANGE_SCOPES = (SCOPES_WRITE,)
    LOOK_INTO_OTHERS = (DCR_SUPPLIER, DCR_ALTINN)
    ADMINISTER_FOR_ALTINN = (DCR_ALTINN,)


def require(caller: Caller, right: Right) -> None:
    """Demand one of the right's scopes.

    Raises:
        DeniedError: the token has none of them.
    """
    if caller.scopes.isdisjoint(right.value):
        raise DeniedError("missing_scope", f"The token lacks the scope {' or '.join(right.value)}")


def require_reader(caller: Caller, client: Client) -> None:
    """Demand that the client is the caller's own, or one that it administers as supplier.

    Raises:
        DeniedError: it is neither.
    """
    if caller.orgno != client.client_orgno and not _administers(caller, client):
        raise DeniedError("foreign_client", "The client belongs to another organisation")


def require_writer(caller: Caller, client: Client) -> None:
    """Demand that the caller administers the client, or that the client lives on the caller's own accesses.

    A customer reads what a supplier made for it, and changes nothing: the client lives on the supplier's accesses
    (§4.2), which a key of the customer's own would let it use.

    Raises:
        DeniedError: otherwise.
    """
    require_reader(caller, client)
    own = caller.orgno == client.counted_orgno and not client.made_by_altinn
    if not own and not _administers(caller, client):
        raise DeniedError("administered_by_supplier", "The client is administered by its supplier")


def _administers(caller: Caller, client: Client) -> bool:
    return caller.orgno == client.supplier_orgno and DCR_SUPPLIER in caller.scopes


def require_maker(caller: Caller, client: Client) -> None:
    """Demand that this very client made the client at hand, by way of the Altinn admin endpoints (§7.8).

    Raises:
        DeniedError: another made it.
    """
    if not client.made_by_altinn or client.created_by_client_id != caller.client_id:
        raise DeniedError("made_by_another", "The client was not made by this administrator")


def supplier_of_new_client(
    caller: Caller, client_orgno: OrgNumber, integration_type: str, *, altinn: frozenset[str]
) -> OrgNumber | None:
    """Who a new client's supplier is: nobody when it is the caller's own, else the caller.

    ``altinn_virksys`` for another is for Altinn alone, told by its organisation number or by ``idporten:dcr.altinn``:
    such a client lives on its owner's accesses, and every supplier can name any owner.

    Raises:
        DeniedError: the client is another organisation's, and the caller may not make such a one.
    """
    if client_orgno == caller.orgno:
        return None
    if DCR_SUPPLIER not in caller.scopes:
        raise DeniedError(
            "not_a_supplier", f"client_orgno is another organisation than the caller, which takes {DCR_SUPPLIER}"
        )
    if integration_type == "altinn_virksys" and caller.orgno not in altinn and DCR_ALTINN not in caller.scopes:
        raise DeniedError("not_altinn", "Only Altinn makes altinn_virksys clients for other organisations")
    return caller.orgno


def require_prefix_owner(caller: Caller, prefix: ScopePrefix) -> None:
    """Demand that the prefix is the caller's.

    Raises:
        DeniedError: it is another's.
    """
    if prefix.owner_orgno != caller.orgno:
        raise DeniedError("foreign_prefix", f"The prefix {prefix.prefix} belongs to another organisation")


def require_scope_owner(caller: Caller, scope: Scope) -> None:
    """Demand that the scope is the caller's.

    Raises:
        DeniedError: it is another's.
    """
    if scope.owner_orgno != caller.orgno:
        raise DeniedError("foreign_scope", f"The scope {scope.name} belongs to another organisation")

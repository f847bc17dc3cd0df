"""What the client must be and have: active, the key or certificate that signed, the scopes, and access to them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fullmakt.maskinporten.tokens.model import Refusal, UnverifiedGrant
from fullmakt.wire.maskinporten.grant import INTEGRATION_TYPES_WITH_GRANT
from fullmakt.wire.maskinporten.registry import RegisteredClient, RegisteredKey, RegisteredScope


def client_not_found(grant: UnverifiedGrant) -> Refusal:
    """Step 5: nobody has that client id."""
    return Refusal("client_not_found", {"client_id": grant.client_id, "found": False})


def check_client(client: RegisteredClient, grant: UnverifiedGrant) -> Refusal | None:
    """Step 5: active, and of a type that gets its tokens here."""
    if not client.active:
        return Refusal("client_not_found", {"client_id": grant.client_id, "found": True, "active": False})
    if client.integration_type not in INTEGRATION_TYPES_WITH_GRANT:
        return Refusal("client_not_found", {"client_id": grant.client_id, "integration_type": client.integration_type})
    return None


def choose_key(
    client: RegisteredClient, keys: Mapping[str, RegisteredKey], header: Mapping[str, Any], now: float
) -> RegisteredKey | Refusal | None:
    """Step 7, before the signature: the registered key, or None for the certificate path.

    A client with keys must name one of them (an ``x5c`` beside it is not looked at); a client without keys signs with
    an enterprise certificate, unless its type demands a key (§8.5: otherwise any certificate of the organisation would
    be a master key to every one of its systems).
    """
    kid = header.get("kid")
    if keys:
        if kid is None:
            return Refusal("key_required", {"client_id": client.client_id, "registered_keys": len(keys)})
        key = keys.get(kid) if isinstance(kid, str) else None
        if key is None:
            return Refusal("unknown_kid", {"client_id": client.client_id, "kid": str(kid)[:100]})
        if key.expires_at <= now:
            return Refusal("expired_key", {"client_id": client.client_id, "kid": key.kid, "expired_at": key.expires_at})
        if key.alg is not None and key.alg != header["alg"]:
            return Refusal("invalid_signature", {"kid": key.kid, "alg": header["alg"], "registered_alg": key.alg})
        return key
    if client.integration_type == "altinn_virksys":
        return Refusal("key_required", {"client_id": client.client_id, "integration_type": "altinn_virksys"})
    if "x5c" in header:
        return None
    if kid is not None:
        return Refusal("unknown_kid", {"client_id": client.client_id, "kid": str(kid)[:100], "registered_keys": 0})
    return Refusal("invalid_x5c", {"problem": "neither kid nor x5c in the header"})


def check_certificate_owner(client: RegisteredClient, orgno: str) -> Refusal | None:
    """Step 7, certificate path: the certificate is the client owner's (§2.5 rule 7: the customer's, always)."""
    if orgno != client.client_orgno:
        return Refusal("wrong_certificate_owner", {"certificate": orgno, "client": client.client_orgno})
    return None


def check_scopes(client: RegisteredClient, scopes: tuple[str, ...]) -> tuple[RegisteredScope, ...] | Refusal:
    """Steps 11 and 12: all on the client, all active, all meant for its type; every offender is named."""
    registered = {scope.name: scope for scope in client.scopes}
    wrong = [name for name in scopes if name not in registered or not registered[name].active]
    if wrong:
        inactive = [name for name in wrong if name in registered]
        return Refusal(
            "invalid_scope", {"scopes": ",".join(wrong), "client_id": client.client_id, "inactive": inactive}
        )
    asked = tuple(registered[name] for name in scopes)
    for scope in asked:
        if scope.allowed_integration_types and client.integration_type not in scope.allowed_integration_types:
            return Refusal(
                "scope_not_for_maskinporten",
                {"scope": scope.name, "integration_type": client.integration_type,
                 "allowed": list(scope.allowed_integration_types)},
            )  # fmt: skip
    return asked


def check_consumer_org(
    client: RegisteredClient, scopes: tuple[RegisteredScope, ...], consumer_org: str | None
) -> Refusal | None:
    """Step 13, the part about the supplier (§4.3).

    A client that names its own organisation acts on its own behalf, unless the scope is one that is delegated. Asking
    for another organisation needs a delegation in Altinn, which this server can not yet look up.
    """
    if consumer_org is None:
        return None
    if consumer_org == client.client_orgno:
        if any(scope.delegation_source for scope in scopes):
            return Refusal("own_delegation", {"consumer_org": consumer_org})
        return None
    for scope in scopes:
        if not scope.delegation_source:
            return Refusal(
                "not_delegated",
                {"consumer": consumer_org, "scope": scope.name, "supplier": client.client_orgno,
                 "problem": "the scope has no delegation_source"},
            )  # fmt: skip
    return Refusal("unsupported_consumer_org", {"consumer_org": consumer_org})


def check_access(client: RegisteredClient, scopes: tuple[RegisteredScope, ...]) -> Refusal | None:
    """Step 13, the part about access (§4.1 rule 4)."""
    for scope in scopes:
        if not scope.access and not scope.accessible_for_all:
            return Refusal(
                "no_access",
                {"scope": scope.name, "consumer": access_holder(client), "delegable": bool(scope.delegation_source)},
            )
    return None


def access_holder(client: RegisteredClient) -> str:
    """The organisation whose access counts (§4.2): a supplier that declares its customers does not inherit theirs."""
    if client.supplier_orgno and not client.made_by_altinn and client.integration_type != "altinn_virksys":
        return client.supplier_orgno
    return client.client_orgno

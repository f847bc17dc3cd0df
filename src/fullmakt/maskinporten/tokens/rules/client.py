"""What the client must be and have: active, the key or certificate that signed, the scopes, and access to them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fullmakt.maskinporten.tokens.model import ActingFor, Refusal, UnverifiedGrant
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
    """Step 13, what can be told of ``consumer_org`` without asking Altinn (§4.3).

    A client that names its own organisation acts on its own behalf, unless the scope is one that is delegated. To act
    for another needs scopes that are delegated, all of them through the same source.
    """
    if consumer_org is None:
        return None
    if consumer_org == client.client_orgno:
        if any(scope.delegation_source for scope in scopes):
            return Refusal("own_delegation", {"consumer_org": consumer_org})
        return None
    facts = {"consumer": consumer_org, "supplier": access_holder(client)}
    for scope in scopes:
        if not scope.delegation_source:
            return Refusal(
                "not_delegated", {**facts, "scope": scope.name, "problem": "the scope has no delegation_source"}
            )
        if scope.delegation_source != scopes[0].delegation_source:
            return Refusal(
                "not_delegated",
                {**facts, "scope": scope.name, "problem": "the scopes have different delegation sources"},
            )
    return None


def acts_for_another(client: RegisteredClient, consumer_org: str | None) -> bool:
    """True when Altinn is to be asked whether the client may act for ``consumer_org``."""
    return consumer_org is not None and consumer_org != client.client_orgno


def check_access(
    client: RegisteredClient, scopes: tuple[RegisteredScope, ...], acting: ActingFor | None = None
) -> Refusal | None:
    """Step 13, the part about access (§4.1 rule 4): the consumer's, whoever asks for it."""
    holder = acting.consumer if acting is not None else access_holder(client)
    for scope in scopes:
        access = scope.name in acting.granted if acting is not None else scope.access
        if not access and not scope.accessible_for_all:
            return Refusal(
                "no_access", {"scope": scope.name, "consumer": holder, "delegable": bool(scope.delegation_source)}
            )
    return None


def check_delegation(scopes: tuple[RegisteredScope, ...], acting: ActingFor) -> Refusal | None:
    """Step 13, the part about the delegation (§4.1 rule 5)."""
    for scope in scopes:
        if scope.name not in acting.delegated:
            return Refusal(
                "not_delegated", {"consumer": acting.consumer, "scope": scope.name, "supplier": acting.supplier}
            )
    return None


def access_holder(client: RegisteredClient) -> str:
    """The organisation whose access counts (§4.2): a supplier that declares its customers does not inherit theirs."""
    if client.supplier_orgno and not client.made_by_altinn and client.integration_type != "altinn_virksys":
        return client.supplier_orgno
    return client.client_orgno

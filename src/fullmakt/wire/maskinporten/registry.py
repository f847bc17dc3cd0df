"""What the token server needs to know of a client, in one document.

The self-service API owns clients, keys, scopes and accesses; the token server asks it for this. Times are seconds since
1970 UTC. Source: maskinporten.md §4.1, §7.3, §7.4, §7.7.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RegisteredKey:
    """A key on a client: SubjectPublicKeyInfo in DER, what it was registered for, and when it dies.

    ``certificate`` is the leaf in DER when the key was registered with ``x5c`` and is locked to it; ``x5c`` is what it
    was registered with, since a chain may need an intermediate of its own.
    """

    kid: str
    der: bytes
    alg: str | None
    expires_at: float
    certificate: bytes | None = None
    x5c: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RegisteredScope:
    """A scope on a client, with what decides whether *this* client's organisation may have it.

    ``access`` is True when the organisation that counts (§4.2) has an APPROVED access, or owns the prefix.
    """

    name: str
    active: bool
    access: bool
    accessible_for_all: bool
    allowed_integration_types: tuple[str, ...]
    delegation_source: str | None
    at_max_age: int
    enforced_audience: str | None


@dataclass(frozen=True, slots=True)
class RegisteredClient:
    """An active or deactivated client with its keys, its scopes and the organisations it acts for.

    ``consumer_prefixes`` are the scope prefixes that ``client_orgno`` owns.
    """

    client_id: str
    active: bool
    integration_type: str
    client_orgno: str
    supplier_orgno: str | None
    made_by_altinn: bool
    access_token_lifetime: int
    keys: tuple[RegisteredKey, ...]
    scopes: tuple[RegisteredScope, ...]
    consumer_prefixes: tuple[str, ...]
    client_name: str = ""


TOPIC = "maskinporten.registry"
"""The topic of the change feed on which the registry announces its changes, with keys ``client:<client_id>``,
``scope:<name>`` (the scope itself, or anybody's access to it), ``organisation:<orgno>`` (its prefixes)."""

"""What the registry holds, as values. Times are aware UTC; lifetimes are seconds; ``orgno`` is nine digits."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from fullmakt.kernel.identifiers import OrgNumber, ScopeName
from fullmakt.wire.maskinporten.selfservice import (
    JWT_BEARER,
    AccessState,
    ApplicationType,
    AuthMethod,
    CodeChallengeMethod,
    GrantType,
    IntegrationType,
    RefreshTokenUsage,
    TokenType,
    Visibility,
)


@dataclass(frozen=True, slots=True)
class Caller:
    """The organisation that asks, as its access token tells: ``consumer``, ``scope`` and ``client_id``."""

    orgno: OrgNumber
    client_id: str
    scopes: frozenset[str]

    @property
    def name(self) -> str:
        """How the audit trail names it."""
        return f"{self.orgno} {self.client_id}"


@dataclass(frozen=True, slots=True)
class ClientAttributes:
    """What may be set on a client, again and again (§7.3)."""

    client_name: str
    description: str | None = None
    active: bool = True
    application_type: ApplicationType = "web"
    grant_types: tuple[GrantType, ...] = (JWT_BEARER,)
    token_endpoint_auth_method: AuthMethod = "private_key_jwt"
    access_token_lifetime: int = 120
    refresh_token_lifetime: int = 600
    refresh_token_usage: RefreshTokenUsage = "ONETIME"
    authorization_lifetime: int = 7200
    redirect_uris: tuple[str, ...] = ()
    post_logout_redirect_uris: tuple[str, ...] = ()
    frontchannel_logout_uri: str | None = None
    frontchannel_logout_session_required: bool = False
    sso_disabled: bool = False
    code_challenge_method: CodeChallengeMethod = "S256"
    logo_uri: str | None = None
    client_uri: str | None = None

    @property
    def has_secret(self) -> bool:
        """True when the client authenticates with a secret that we made."""
        return self.token_endpoint_auth_method.startswith("client_secret")


@dataclass(frozen=True, slots=True)
class OnBehalfOf:
    """An organisation that a login client acts for (§7.5)."""

    value: str
    name: str | None
    orgno: str | None
    organization_name: str | None
    description: str | None
    uri: str | None
    logo_uri: str | None
    created: dt.datetime
    last_updated: dt.datetime


@dataclass(frozen=True, slots=True)
class Client:
    """A client, in the field's other word an integration."""

    client_id: str
    client_orgno: OrgNumber
    supplier_orgno: OrgNumber | None
    integration_type: IntegrationType
    made_by_altinn: bool
    created_by_client_id: str
    attributes: ClientAttributes
    scopes: tuple[str, ...]
    created: dt.datetime
    last_updated: dt.datetime
    has_keys: bool = False
    onbehalfof: tuple[OnBehalfOf, ...] = ()

    @property
    def counted_orgno(self) -> OrgNumber:
        """The organisation whose accesses this client lives on (§4.2).

        A supplier can declare any customer, so what it makes lives on its own accesses; what Altinn makes, on the
        customer's, for Altinn is trusted to know it.
        """
        if self.made_by_altinn or self.integration_type == "altinn_virksys" or self.supplier_orgno is None:
            return self.client_orgno
        return self.supplier_orgno


@dataclass(frozen=True, slots=True)
class ClientKey:
    """A public key on a client. ``expires`` is in epoch seconds.

    ``jwk`` holds the bare numbers; ``spki`` the same key in DER; ``certificate`` the leaf (DER) that locks the key.
    """

    kid: str
    alg: str | None
    jwk: Mapping[str, Any]
    spki: bytes
    expires: int
    created: dt.datetime
    last_updated: dt.datetime
    x5c: tuple[str, ...] | None = None
    certificate: bytes | None = None


@dataclass(frozen=True, slots=True)
class ScopeAttributes:
    """What may be set on a scope, again and again (§7.7). ``translations``: texts by names like ``description#en``."""

    description: str
    long_description: str | None = None
    translations: Mapping[str, str] = field(default_factory=dict)
    active: bool = True
    visibility: Visibility = "PUBLIC"
    allowed_integration_types: tuple[IntegrationType, ...] = ()
    token_type: TokenType = "SELF_CONTAINED"
    delegation_source: str | None = None
    accessible_for_all: bool = False
    at_max_age: int = 0
    authorization_max_lifetime: int = 0
    requires_user_consent: bool = False
    requires_user_authentication: bool = False
    requires_pseudonymous_tokens: bool = False
    enforced_aud_for_access_token: str | None = None
    protected: bool = False
    supports_european_businesses: bool = False


@dataclass(frozen=True, slots=True)
class Scope:
    """A scope; its owner is the owner of its prefix."""

    name: ScopeName
    owner_orgno: OrgNumber
    attributes: ScopeAttributes
    created: dt.datetime
    last_updated: dt.datetime


@dataclass(frozen=True, slots=True)
class ScopeAccess:
    """An organisation's access to a scope."""

    scope: ScopeName
    owner_orgno: OrgNumber
    consumer_orgno: OrgNumber
    state: AccessState
    created: dt.datetime
    last_updated: dt.datetime


@dataclass(frozen=True, slots=True)
class ScopePrefix:
    """The first part of scope names, given to an organisation by the operator."""

    prefix: str
    owner_orgno: OrgNumber
    active: bool
    created: dt.datetime
    last_updated: dt.datetime


@dataclass(frozen=True, slots=True)
class DelegationSource:
    """A system in which consumers delegate scopes to suppliers."""

    issuer: str
    name: str
    created: dt.datetime
    last_updated: dt.datetime


@dataclass(frozen=True, slots=True)
class ScopeStanding:
    """How a scope stands to the organisation that a client lives on: what decides whether the client may hold it."""

    name: str
    active: bool
    owner_orgno: str
    approved: bool
    accessible_for_all: bool
    delegation_source: str | None
    allowed_integration_types: tuple[str, ...]

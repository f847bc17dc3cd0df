"""SDK for consumers of APIs: tokens from Maskinporten, fetched when needed and kept while they are good.

    credentials = Credentials.from_jwk("https://test.maskinporten.no/", client_id, private_jwk)
    with httpx2.Client(auth=MaskinportenAuth(credentials, "provider:api.read")) as api:
        api.get("https://api.example.no/orders")

``AltinnAuth`` and ``AltinnClient`` do the same with Altinn's tokens, for which Maskinporten's are exchanged.

``system_user`` and ``virksys`` make the ``authorization_details`` to ask for a system's token with:

    MaskinportenAuth(credentials, "provider:api.read", authorization_details=system_user("310000043"))

``MaskinportenClient`` and ``AsyncMaskinportenClient`` give the tokens themselves; ``build_grant`` makes the signed
grant alone. The asynchronous side runs on asyncio.
"""

from fullmakt.client.access_token import AccessToken
from fullmakt.client.altinn import AltinnAuth, AltinnClient, AsyncAltinnClient
from fullmakt.client.auth import MaskinportenAuth
from fullmakt.client.credentials import Credentials
from fullmakt.client.details import system_user, virksys
from fullmakt.client.errors import (
    AccessDeniedError,
    AuthorizationDetailsError,
    ClientAuthenticationError,
    DiscoveryError,
    ExchangeRefusedError,
    InvalidGrantError,
    InvalidScopeError,
    MaskinportenError,
    NotDelegatedError,
    ReplayedGrantError,
    TemporarilyUnavailableError,
    UnexpectedResponseError,
)
from fullmakt.client.grant import Asked, TokenRequest, build_grant, grant_form
from fullmakt.client.store import TokenStore
from fullmakt.client.tokens import AsyncMaskinportenClient, MaskinportenClient

__all__ = [
    "AccessDeniedError",
    "AccessToken",
    "AltinnAuth",
    "AltinnClient",
    "Asked",
    "AsyncAltinnClient",
    "AsyncMaskinportenClient",
    "AuthorizationDetailsError",
    "ClientAuthenticationError",
    "Credentials",
    "DiscoveryError",
    "ExchangeRefusedError",
    "InvalidGrantError",
    "InvalidScopeError",
    "MaskinportenAuth",
    "MaskinportenClient",
    "MaskinportenError",
    "NotDelegatedError",
    "ReplayedGrantError",
    "TemporarilyUnavailableError",
    "TokenRequest",
    "TokenStore",
    "UnexpectedResponseError",
    "build_grant",
    "grant_form",
    "system_user",
    "virksys",
]

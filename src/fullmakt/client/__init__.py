"""SDK for consumers of APIs: tokens from Maskinporten, fetched when needed and kept while they are good.

    credentials = Credentials.from_jwk("https://test.maskinporten.no/", client_id, private_jwk)
    with httpx2.Client(auth=MaskinportenAuth(credentials, "provider:api.read")) as api:
        api.get("https://api.example.no/orders")

``AltinnAuth`` and ``AltinnClient`` do the same with Altinn's tokens, for which Maskinporten's are exchanged.

``system_user``, ``virksys`` and ``consent`` make the ``authorization_details`` to ask for a system's token with, or for
one that carries a consent:

    MaskinportenAuth(credentials, "provider:api.read", authorization_details=system_user("310000043"))

``ConsentClient`` asks for consents in Altinn 3's form, ``Altinn2ConsentClient`` in Altinn 2's.

``MaskinportenClient`` and ``AsyncMaskinportenClient`` give the tokens themselves; ``build_grant`` makes the signed
grant alone. The asynchronous side runs on asyncio.
"""

from fullmakt.client.access_token import AccessToken
from fullmakt.client.altinn import AltinnAuth, AltinnClient, AsyncAltinnClient
from fullmakt.client.auth import MaskinportenAuth
from fullmakt.client.consent_errors import (
    ConsentError,
    ConsentForbiddenError,
    ConsentNotFoundError,
    ConsentProblem,
    ConsentRefusedError,
    ConsentUnavailableError,
    UnexpectedConsentResponseError,
)
from fullmakt.client.consents import (
    AskedConsent,
    AsyncConsentClient,
    ChangedConsent,
    ChangedConsents,
    ConsentClient,
    ConsentRequest,
)
from fullmakt.client.consents2 import (
    Altinn2Consent,
    Altinn2ConsentClient,
    Altinn2ConsentRequest,
    AsyncAltinn2ConsentClient,
    ConsentService,
)
from fullmakt.client.credentials import Credentials
from fullmakt.client.details import consent, system_user, virksys
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
from fullmakt.wire.altinn.consents import ConsentRight

__all__ = [
    "AccessDeniedError",
    "AccessToken",
    "Altinn2Consent",
    "Altinn2ConsentClient",
    "Altinn2ConsentRequest",
    "AltinnAuth",
    "AltinnClient",
    "Asked",
    "AskedConsent",
    "AsyncAltinn2ConsentClient",
    "AsyncAltinnClient",
    "AsyncConsentClient",
    "AsyncMaskinportenClient",
    "AuthorizationDetailsError",
    "ChangedConsent",
    "ChangedConsents",
    "ClientAuthenticationError",
    "ConsentClient",
    "ConsentError",
    "ConsentForbiddenError",
    "ConsentNotFoundError",
    "ConsentProblem",
    "ConsentRefusedError",
    "ConsentRequest",
    "ConsentRight",
    "ConsentService",
    "ConsentUnavailableError",
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
    "UnexpectedConsentResponseError",
    "UnexpectedResponseError",
    "build_grant",
    "consent",
    "grant_form",
    "system_user",
    "virksys",
]

"""SDK for owners of APIs: verify Maskinporten's access tokens.

    verifier = TokenVerifier("https://test.maskinporten.no/")
    token = await verifier.verify(text, scopes=["provider:api.read"])
    token.consumer  # '310000027'

``fullmakt.provider.asgi`` and ``fullmakt.provider.fastapi`` put it in front of an API; they are imported only by those
who use them, so that this package needs neither. With ``RemoteKeys`` the asynchronous verifier runs on asyncio.
"""

from fullmakt.provider.errors import (
    BearerError,
    ConsumerNotAllowedError,
    InsufficientScopeError,
    InvalidRequestError,
    InvalidTokenError,
    IssuerUnavailableError,
    MissingTokenError,
    Reason,
)
from fullmakt.provider.key_cache import KeyCacheLimits
from fullmakt.provider.keys import KeySource, StaticKeys, SyncKeySource
from fullmakt.provider.remote import RemoteKeys
from fullmakt.provider.verified_token import VerifiedToken
from fullmakt.provider.verifier import SyncTokenVerifier, TokenVerifier

__all__ = [
    "BearerError",
    "ConsumerNotAllowedError",
    "InsufficientScopeError",
    "InvalidRequestError",
    "InvalidTokenError",
    "IssuerUnavailableError",
    "KeyCacheLimits",
    "KeySource",
    "MissingTokenError",
    "Reason",
    "RemoteKeys",
    "StaticKeys",
    "SyncKeySource",
    "SyncTokenVerifier",
    "TokenVerifier",
    "VerifiedToken",
]

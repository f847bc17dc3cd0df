"""Our own token server's keys, and our own Altinn's, for systems in the same process: no HTTP, and never stale."""

from __future__ import annotations

import json

from fullmakt.altinn.exchange.keys import AltinnKeys
from fullmakt.infra.database import DatabaseUnavailableError
from fullmakt.jose.keys import PublicKey
from fullmakt.maskinporten.tokens.service import TokenService
from fullmakt.provider import IssuerUnavailableError
from fullmakt.provider.keys import usable_keys


class OwnKeys:
    """A ``KeySource`` over the token server's key ring."""

    def __init__(self, tokens: TokenService) -> None:
        self._tokens = tokens
        self._read: bytes = b""
        self._keys: dict[str, PublicKey] = {}

    async def find(self, kid: str) -> PublicKey | None:
        """The key with this id, when it is published now.

        Raises:
            IssuerUnavailableError: the token server has not started.
        """
        try:
            jwks = self._tokens.jwks()
        except DatabaseUnavailableError as error:
            raise IssuerUnavailableError("the token server has not started") from error
        if jwks != self._read:
            self._keys = usable_keys(json.loads(jwks)["keys"])
            self._read = jwks
        return self._keys.get(kid)


class OwnAltinnKeys:
    """A ``KeySource`` over the keys that sign Altinn 2's tokens, by the names that those tokens have for them."""

    def __init__(self, keys: AltinnKeys) -> None:
        self._keys = keys

    async def find(self, kid: str) -> PublicKey | None:
        """The key with this id, when it is published now."""
        published = (await self._keys.ring()).keys.values()
        return next((key.public for key in published if key.x5t == kid), None)

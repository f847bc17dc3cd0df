"""Our own token server's keys, for systems in the same process: no HTTP, and a key set that is never stale."""

from __future__ import annotations

import json

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

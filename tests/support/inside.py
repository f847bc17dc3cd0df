"""What lies inside a running server: its database, and the keys that it signs with."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fullmakt.infra.database import Database
from fullmakt.infra.embedded import EmbeddedPostgres
from fullmakt.infra.secrets import MasterKey
from fullmakt.jose.keys import Signer
from fullmakt.kernel.clock import system_clock
from fullmakt.maskinporten.tokens.config import TokensConfig
from fullmakt.maskinporten.tokens.signing import SigningKeys
from tests.support.running import Running


@asynccontextmanager
async def database_of(server: Running) -> AsyncIterator[Database]:
    """The server's database, as long as the block lasts."""
    with EmbeddedPostgres(server.state) as embedded:
        database = Database(embedded.url())
        try:
            yield database
        finally:
            await database.close()


async def signer_of(server: Running) -> Signer:
    """The key that the server's access tokens are signed with now."""
    async with database_of(server) as database:
        master_key = MasterKey.load(server.state / "master.key")
        keys = SigningKeys(database, master_key, system_clock, TokensConfig(server.issuer))
        return (await keys.ring()).signer_at(system_clock())

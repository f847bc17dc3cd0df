"""What commands work on: the systems' services over the state folder's database, as ``serve`` puts them together.

``serve`` stands outside ``cli`` and hands itself in with ``provide``, so that a command knows no wiring.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from fullmakt.altinn.parties.service import PartiesService
from fullmakt.infra.database import Database
from fullmakt.maskinporten.selfservice.service import SelfService
from fullmakt.maskinporten.tokens.config import TokensConfig
from fullmakt.maskinporten.tokens.ports import Anchors, Registry
from fullmakt.maskinporten.tokens.signing import SigningKeys
from fullmakt.pki.service import Pki


@dataclass(frozen=True, slots=True)
class OpenWorld:
    """A world that is open for reading and changing.

    ``systems`` maps each system's name to its public URL; ``pki`` is None where our own issuers are off. ``registry``
    and ``anchors`` are what the token server decides on, ``tokens_config`` how.
    """

    state: Path
    issuer: str
    systems: Mapping[str, str]
    database: Database
    parties: PartiesService
    selfservice: SelfService
    signing_keys: SigningKeys
    pki: Pki | None
    registry: Registry
    anchors: Anchors
    tokens_config: TokensConfig


@dataclass(frozen=True, slots=True)
class Place:
    """Where a world is, for commands that need no database: its folder, its issuer and its base URL.

    ``exists`` is False while nobody has made it: opening it would.
    """

    state: Path
    issuer: str
    base_url: str
    exists: bool = True


Opener = Callable[[], AbstractAsyncContextManager[OpenWorld]]
Finder = Callable[[], Place]
_provided: list[tuple[Opener, Finder]] = []


def provide(opener: Opener, finder: Finder) -> None:
    """Say how worlds are opened and found; ``serve`` does, once, before a command runs."""
    _provided[:] = [(opener, finder)]


@asynccontextmanager
async def open_world() -> AsyncIterator[OpenWorld]:
    """Open the world that the settings name: its database is started when nobody serves from it, and migrated."""
    opener, _ = _provided[0]
    async with opener() as world:
        yield world


def find_place() -> Place:
    """Find the world that the settings name, without opening it."""
    _, finder = _provided[0]
    return finder()

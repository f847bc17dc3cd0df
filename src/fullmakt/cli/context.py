"""What commands work on: the systems' services over the state folder's database, as ``serve`` puts them together.

``serve`` stands outside ``cli`` and hands itself in with ``provide``, so that a command knows no wiring.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from fullmakt.infra.unavailable import UnavailableError

if TYPE_CHECKING:  # commands that open no world do not wait for the systems to be loaded
    from fullmakt.altinn.decisions.service import DecisionPoint
    from fullmakt.altinn.parties.service import PartiesService
    from fullmakt.altinn.systemusers.declarations import Declarations as SystemUserDeclarations
    from fullmakt.infra.database import Database
    from fullmakt.maskinporten.selfservice.service import SelfService
    from fullmakt.maskinporten.tokens.config import TokensConfig
    from fullmakt.maskinporten.tokens.ports import Anchors, Consents, Delegations, Registry, SystemUsers
    from fullmakt.maskinporten.tokens.signing import SigningKeys
    from fullmakt.pki.service import Pki
    from fullmakt.provider import KeySource
    from fullmakt.world.sections.altinn import Rights
    from fullmakt.world.sections.consents import ConsentRegisters


@dataclass(frozen=True, slots=True)
class OpenWorld:
    """A world that is open for reading and changing.

    ``systems`` maps each system's name to its public URL; ``pki`` is None where our own issuers are off. ``registry``,
    ``anchors``, ``delegations``, ``look_ups``, which are of system users, and ``consents`` are what the token server
    decides on, ``tokens_config`` how. ``altinn_keys`` sign Altinn 2's consent tokens, by the names those have for them.
    """

    state: Path
    issuer: str
    systems: Mapping[str, str]
    database: Database
    parties: PartiesService
    rights: Rights
    system_users: SystemUserDeclarations
    consent_registers: ConsentRegisters
    decisions: DecisionPoint
    selfservice: SelfService
    signing_keys: SigningKeys
    pki: Pki | None
    registry: Registry
    anchors: Anchors
    delegations: Delegations | None
    look_ups: SystemUsers | None
    consents: Consents | None
    altinn_keys: KeySource
    tokens_config: TokensConfig


@dataclass(frozen=True, slots=True)
class Place:
    """Where a world is, for commands that need no database: its folder, its issuer and its base URL.

    ``exists`` is False while nobody has made it: opening it would. ``systems`` maps each system's name to its public
    URL.
    """

    state: Path
    issuer: str
    base_url: str
    exists: bool = True
    systems: Mapping[str, str] = field(default_factory=dict)


Opener = Callable[[], AbstractAsyncContextManager[OpenWorld]]
Finder = Callable[[], Place]
Refusals = Callable[[], tuple[type[Exception], ...]]
T = TypeVar("T")


class NoWorldError(Exception):
    """There is no world to work on; the message says why, and what to do."""


@dataclass(frozen=True, slots=True)
class _Wiring:
    opener: Opener
    finder: Finder
    refusals: Refusals


_provided: list[_Wiring] = []


def provide(opener: Opener, finder: Finder, refusals: Refusals = tuple) -> None:
    """Say how worlds are opened and found; ``serve`` does, once, before a command runs.

    ``refusals`` tells the errors by which the two say that there is none, when one of them has failed; their messages
    are shown.
    """
    _provided[:] = [_Wiring(opener, finder, refusals)]


@asynccontextmanager
async def open_world(*, make: bool = True) -> AsyncIterator[OpenWorld]:
    """Open the world that the settings name: its database is started when nobody serves from it.

    One that is empty is made ready; one of an older or a newer program is refused. Without ``make`` it must be there:
    to look at a world is no reason to make one.

    Raises:
        NoWorldError: there is none, or it can not be opened.
    """
    if not make:
        place = find_place()
        if not place.exists:
            raise NoWorldError(f"there is no world in {place.state}: {_REMEDY}")
    async with AsyncExitStack() as stack:
        with _told():
            world = await stack.enter_async_context(_provided[0].opener())
        yield world


def find_place() -> Place:
    """Find the world that the settings name, without opening it.

    Raises:
        NoWorldError: the settings can not be used, or the state folder can not be read.
    """
    with _told():
        return _provided[0].finder()


def in_world(action: Callable[[OpenWorld], Awaitable[T]], *, make: bool = True) -> T:
    """Run ``action`` on the world; for commands, which are not asynchronous.

    Raises:
        NoWorldError: there is none, it can not be opened, or its database goes away meanwhile.
    """

    async def run() -> T:
        async with open_world(make=make) as world:
            return await action(world)

    try:
        return asyncio.run(run())
    except UnavailableError as error:
        raise NoWorldError(_reason(error)) from error


_REMEDY = "start one with `fullmakt up`, or let FULLMAKT_STATE or FULLMAKT_CONFIG name yours"


@contextmanager
def _told() -> Iterator[None]:
    try:
        yield
    except Exception as error:
        if not isinstance(error, (*_failures(), *_provided[0].refusals())):
            raise
        raise NoWorldError(_reason(error)) from error


def _failures() -> tuple[type[Exception], ...]:
    """What can go wrong with any world while it is opened."""
    from sqlalchemy.exc import OperationalError

    from fullmakt.infra.database import DatabaseUnavailableError
    from fullmakt.infra.secrets import MasterKeyError

    return (DatabaseUnavailableError, MasterKeyError, OperationalError, OSError)


def _reason(error: Exception) -> str:
    from sqlalchemy.exc import OperationalError

    from fullmakt.infra.database import DatabaseUnavailableError

    if isinstance(error, OperationalError):
        return f"the database does not answer: {str(error.orig).strip()}"
    if isinstance(error, DatabaseUnavailableError):
        return f"the database does not answer ({error})"
    if isinstance(error, UnavailableError):
        return f"what has to be asked does not answer ({error})"
    if isinstance(error, OSError):
        return f"{error.filename or 'the state folder'}: {error.strerror}; FULLMAKT_STATE names the state folder"
    return str(error)

"""Enterprise systems and system users, kept by ``fullmakt.altinn.systemusers``."""

from __future__ import annotations

from fullmakt.altinn.systemusers.declarations import Declarations, DeclaredSystemUser, rights_to
from fullmakt.altinn.systemusers.model import System as RegisteredSystem
from fullmakt.altinn.systemusers.model import SystemDefinition
from fullmakt.wire.altinn.systemusers import UserType
from fullmakt.world.model import Entry, Kind, System, SystemUser, World
from fullmakt.world.names import Names


class SystemUsersSection:
    """Systems and their users, as a ``WorldSection``."""

    kinds = (Kind.SYSTEM, Kind.SYSTEM_USER)

    def __init__(self, declarations: Declarations) -> None:
        self._declarations = declarations

    async def current(self, names: Names | None) -> World:
        """The named systems, and all their system users."""
        ids = None if names is None else names.systems
        systems = await self._declarations.systems(ids)
        users = await self._declarations.system_users(ids)
        return World(systems=tuple(map(_system, systems)), system_users=tuple(map(_user, users)))

    async def apply(self, entry: Entry) -> None:
        """Declare it as the operator."""
        match entry:
            case System():
                await self._declarations.declare_system(
                    SystemDefinition(
                        id=entry.identifier,
                        vendor=entry.vendor,
                        name=dict(entry.name),
                        description=dict(entry.description),
                        rights=rights_to(entry.resources),
                        packages=entry.packages,
                        client_ids=entry.clients,
                        redirect_urls=entry.redirect_urls,
                        visible=entry.visible,
                    )
                )
            case SystemUser():
                await self._declarations.declare_system_user(
                    DeclaredSystemUser(
                        system_id=entry.system,
                        owner=entry.owner,
                        external_ref=entry.external_ref,
                        title=entry.title,
                        kind=UserType(entry.type),
                        resources=frozenset(entry.resources),
                        packages=frozenset(entry.packages),
                        clients=frozenset(entry.clients),
                    )
                )
            case _:
                raise TypeError(f"no {type(entry).__name__} is kept here")


def _system(system: RegisteredSystem) -> System:
    return System(
        identifier=system.id,
        vendor=system.vendor,
        name=tuple(sorted(system.name.items())),
        description=tuple(sorted(system.description.items())),
        clients=tuple(sorted(system.client_ids)),
        resources=tuple(sorted({name for right in system.rights for name in right.identifiers})),
        packages=tuple(sorted(system.packages)),
        redirect_urls=tuple(sorted(system.redirect_urls)),
        visible=system.visible,
    )


def _user(declared: DeclaredSystemUser) -> SystemUser:
    return SystemUser(
        system=declared.system_id,
        owner=declared.owner,
        external_ref=declared.external_ref,
        title=declared.title,
        type=declared.kind.value,
        resources=tuple(sorted(declared.resources)),
        packages=tuple(sorted(declared.packages)),
        clients=tuple(sorted(declared.clients)),
    )

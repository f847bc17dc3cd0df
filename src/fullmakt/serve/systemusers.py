"""Puts systems and system users together, and introduces them to those who ask about them: the token server and the
decision point."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from uuid import UUID

from starlette.routing import BaseRoute

from fullmakt.altinn.decisions.service import DecisionPoint
from fullmakt.altinn.delegations.service import DelegationsService
from fullmakt.altinn.delegations.system_users import SystemUserDelegations
from fullmakt.altinn.parties.service import PartiesService
from fullmakt.altinn.resources.service import ResourcesService
from fullmakt.altinn.systemusers.declarations import Declarations
from fullmakt.altinn.systemusers.http import Urls
from fullmakt.altinn.systemusers.http import routes as system_user_routes
from fullmakt.altinn.systemusers.ports import Neighbours, PlatformTokens
from fullmakt.altinn.systemusers.register.http import routes as register_routes
from fullmakt.altinn.systemusers.register.service import RegisterService
from fullmakt.altinn.systemusers.service import SystemUsersService
from fullmakt.altinn.systemusers.users.model import SystemUser
from fullmakt.infra.altinn import Callers
from fullmakt.infra.database import Database
from fullmakt.kernel.clock import Clock, NewId
from fullmakt.serve.neighbours import KnownPackages
from fullmakt.wire.altinn.systemusers import ActingSystem


class SystemUsersToCome:
    """The system users, for the token server and the decision point, which are put together before them.

    ``are`` is called when they are there, and before anybody asks. The decision point's ``SystemUsers``.
    """

    def __init__(self) -> None:
        self._service: SystemUsersService | None = None

    def are(self, service: SystemUsersService) -> None:
        """From here on ``service`` answers."""
        self._service = service

    def __call__(self) -> SystemUsersService:
        """Who answers."""
        if self._service is None:
            raise RuntimeError("the system users have not been put together")
        return self._service

    async def of_client(self, client_id: str, party: UUID) -> ActingSystem | None:
        """The live system that the client acts for, and its system users that act for the party."""
        return await self().of_client(client_id, party)

    async def standings(self, system_users: Collection[UUID]) -> Mapping[UUID, SystemUser]:
        """Those of the system users that there are, or have been."""
        return await self().standings(system_users)


@dataclass(frozen=True, slots=True)
class SystemUsers:
    """The system register, the system users, and what access management keeps for them."""

    register: RegisterService
    service: SystemUsersService
    rights: SystemUserDelegations
    declarations: Declarations

    def routes(self, callers: Callers, platform: PlatformTokens, urls: Urls) -> list[BaseRoute]:
        """Everything that they serve below the URL of the token exchange."""
        return [
            *register_routes(self.register, callers),
            *system_user_routes(self.service, callers, platform, urls),
        ]


def assemble_system_users(
    database: Database,
    clock: Clock,
    new_id: NewId,
    *,
    parties: PartiesService,
    resources: ResourcesService,
    delegations: DelegationsService,
    packages: KnownPackages,
    decisions: DecisionPoint,
) -> SystemUsers:
    """Wire them."""
    rights = SystemUserDelegations(
        delegations, parties=parties, resources=resources, packages=packages, authority=decisions
    )
    neighbours = Neighbours(
        parties=parties,
        resources=resources,
        packages=packages,
        scopes=resources,
        authority=decisions,
        rights=rights,
        clients_of_agents=delegations,
    )
    register = RegisterService(database, clock, new_id, resources=resources, packages=packages)
    service = SystemUsersService(database, clock, new_id, neighbours)
    return SystemUsers(register, service, rights, Declarations(service.work, register, neighbours))

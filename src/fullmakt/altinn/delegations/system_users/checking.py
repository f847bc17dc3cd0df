"""What may be given to a system user, and by whom."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from uuid import UUID

from fullmakt.altinn.delegations import access
from fullmakt.altinn.delegations.access import PackageReason, Standing
from fullmakt.altinn.delegations.policies import actions_of
from fullmakt.altinn.delegations.ports import AccessPackage, Authority, Packages, Parties, Resources
from fullmakt.altinn.delegations.service import DelegationsService
from fullmakt.kernel.text import is_name
from fullmakt.wire.altinn import attributes as ids
from fullmakt.wire.altinn.callers import Caller
from fullmakt.wire.altinn.delegations import GivenKind, Giving
from fullmakt.wire.altinn.parties import HeldRights
from fullmakt.wire.altinn.resources import RegisteredResource


class Checking:
    """Asks the decision point of resources, and ``access`` of packages."""

    def __init__(
        self,
        service: DelegationsService,
        *,
        parties: Parties,
        resources: Resources,
        packages: Packages,
        authority: Authority,
    ) -> None:
        self._service = service
        self._parties = parties
        self._resources = resources
        self._packages = packages
        self._authority = authority

    async def check(
        self, caller: Caller, party: UUID, *, resources: Collection[str] = (), packages: Collection[str] = ()
    ) -> tuple[Giving, ...]:
        """What ``caller`` may give a system user on behalf of ``party``, each once, in the order asked.

        Resources go by identifier, packages by name, URN or id.

        Raises:
            ForbiddenError: the caller is nobody in particular.
        """
        found = [await self._of_resource(caller, party, name) for name in dict.fromkeys(resources)]
        if packages:
            standing = await access.standing(self._parties, self._service, caller, party)
            found += [_of_package(name, known, standing) for name, known in self._named(packages)]
        return tuple(found)

    async def check_clients(self, facilitator: UUID, client: UUID, packages: Collection[str]) -> tuple[Giving, ...]:
        """What ``facilitator`` may give an agent of what it holds in ``client``."""
        held = await self._parties.held(facilitator, client)
        given = await self._service.delegated_packages(receivers=[facilitator], giver=client)
        names = _package_names(held) | {one.package for one in given}
        return tuple(_of_client(name, known, names) for name, known in self._named(packages))

    async def clients(self, facilitator: UUID, packages: Collection[str] = ()) -> dict[UUID, frozenset[str]]:
        """By client, the packages that ``facilitator`` holds in it and may give its agents.

        ``packages`` leaves those clients in which it holds all of them.
        """
        names: dict[UUID, set[str]] = {}
        for party, held in await self._parties.held_by(facilitator):
            names.setdefault(party.party_uuid, set()).update(_package_names(held))
        for one in await self._service.delegated_packages(receivers=[facilitator]):
            names.setdefault(one.giver, set()).add(one.package)
        wanted = {name if known is None else known.name for name, known in self._named(packages)}
        delegable = {client: frozenset(filter(self._is_delegable, held)) for client, held in names.items()}
        return {client: held for client, held in delegable.items() if held and client != facilitator and held >= wanted}

    async def declared(self, *, resources: Collection[str] = (), packages: Collection[str] = ()) -> tuple[Giving, ...]:
        """As the operator declares it: whatever there is, whoever may."""
        found = []
        for name in dict.fromkeys(resources):
            resource = await self._resource(name)
            actions = await actions_of(resource.policy if resource is not None else None)
            reasons = ("RoleAccess",) if actions else ("UnknownResource",)
            found.append(Giving(GivenKind.RESOURCE, name, bool(actions), reasons, {None: actions} if actions else {}))
        for name, known in self._named(packages):
            found.append(_unknown(name) if known is None else _package(known.name, [PackageReason.ACCESS]))
        return tuple(found)

    async def _of_resource(self, caller: Caller, party: UUID, name: str) -> Giving:
        resource = await self._resource(name)
        if resource is None:
            return Giving(GivenKind.RESOURCE, name, permitted=False, reasons=("UnknownResource",))
        found = await access.delegable(self._authority, caller, resource, party, api=False)
        permitted = [one for one in found if one.permitted]
        told = [reason for one in permitted or found for reason in one.reasons]
        sources = {source: frozenset(actions) for source, actions in access.by_source(permitted).items()}
        return Giving(
            GivenKind.RESOURCE, name, bool(permitted), tuple(dict.fromkeys(told)) or ("MissingRoleAccess",), sources
        )

    async def _resource(self, name: str) -> RegisteredResource | None:
        return await self._resources.resource(name) if is_name(name) else None

    def _named(self, packages: Collection[str]) -> Iterable[tuple[str, AccessPackage | None]]:
        known = {name: self._packages.package(name) for name in packages}
        seen = {name if package is None else package.name: (name, package) for name, package in known.items()}
        return seen.values()

    def _is_delegable(self, name: str) -> bool:
        package = self._packages.package(name)
        return package is not None and package.delegable


def _of_package(name: str, package: AccessPackage | None, standing: Standing) -> Giving:
    return _unknown(name) if package is None else _package(package.name, standing.to_give(package).reasons)


def _of_client(name: str, package: AccessPackage | None, held: Collection[str]) -> Giving:
    if package is None:
        return _unknown(name)
    reasons = [PackageReason.ACCESS if package.name in held else PackageReason.MISSING]
    return _package(package.name, reasons if package.delegable else [*reasons, PackageReason.NOT_DELEGABLE])


def _package(name: str, reasons: Collection[PackageReason]) -> Giving:
    permitted = tuple(reasons) == (PackageReason.ACCESS,)
    return Giving(GivenKind.PACKAGE, name, permitted, tuple(str(reason) for reason in reasons))


def _unknown(name: str) -> Giving:
    return Giving(GivenKind.PACKAGE, name, permitted=False, reasons=("UnknownPackage",))


def _package_names(held: HeldRights) -> frozenset[str]:
    return frozenset(one.value for one in held.packages if one.id == ids.ACCESS_PACKAGE)

"""Systems and system users as a world file declares them: exactly as told, whoever may do what."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, fields
from uuid import UUID

from fullmakt.altinn.systemusers.model import Right, System, SystemDefinition
from fullmakt.altinn.systemusers.ports import Neighbours
from fullmakt.altinn.systemusers.register import store as register
from fullmakt.altinn.systemusers.register.model import Proposal, Registrant
from fullmakt.altinn.systemusers.register.service import RegisterService
from fullmakt.altinn.systemusers.users import store
from fullmakt.altinn.systemusers.users.model import Owner, SystemUser
from fullmakt.altinn.systemusers.work import Change, Work
from fullmakt.kernel.declarations import Outcome
from fullmakt.kernel.identifiers import OrgNumber
from fullmakt.wire.altinn.attributes import ACCESS_PACKAGE, RESOURCE, Attribute
from fullmakt.wire.altinn.delegations import Given, GivenKind, Giving
from fullmakt.wire.altinn.parties import PartyIdentity
from fullmakt.wire.altinn.systemusers import UserType

OPERATOR = "operator"
_ALL = 2**31 - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class DeclaredSystemUser:
    """``owner`` lets the system act for it by ``resources`` and ``packages``; an agent, by packages in ``clients``."""

    system_id: str
    owner: OrgNumber
    external_ref: str
    title: str
    kind: UserType = UserType.STANDARD
    resources: frozenset[str] = frozenset()
    packages: frozenset[str] = frozenset()
    clients: frozenset[OrgNumber] = frozenset()


class DeclarationRefusedError(Exception):
    """What is declared can not be; the message says why."""


class Declarations:
    """What the operator says there is."""

    def __init__(self, work: Work, registered: RegisterService, neighbours: Neighbours) -> None:
        self._work = work
        self._register = registered
        self._neighbours = neighbours

    # -- systems ------------------------------------------------------------------------------------------------------

    async def systems(self, ids: Collection[str] | None = None) -> list[System]:
        """The live systems, or those of them with these ids."""
        found = await self._register.catalogue()
        return found if ids is None else [system for system in found if system.id in ids]

    async def declare_system(self, definition: SystemDefinition) -> Outcome:
        """Let the vendor have the system, as defined.

        Raises:
            AltinnValidationError: a rule of the register is broken; a client is on another system.
            DeletedSystemError: there was one with the id, which can not be used again.
        """
        operator = Registrant(definition.vendor, OPERATOR, admin=True)
        found = await self._register.system(definition.id)
        if found is None:
            await self._register.create(operator, _proposal(definition))
            return Outcome.CREATED
        if not found.deleted and all(_said(found, each.name) == _said(definition, each.name) for each in _FIELDS):
            return Outcome.UNCHANGED
        await self._register.replace(operator, definition.id, _proposal(definition))
        return Outcome.CHANGED

    # -- system users -------------------------------------------------------------------------------------------------

    async def system_users(self, system_ids: Collection[str] | None = None) -> list[DeclaredSystemUser]:
        """The system users of live systems, or of those of them with these ids; by system, oldest first."""
        declared = []
        for system in await self.systems(system_ids):
            async with self._work.database.transaction() as connection:
                users = await store.of_system(connection, system.id, 0, _ALL)
            declared += [await self._as_declared(user) for user in users]
        return declared

    async def declare_system_user(self, declared: DeclaredSystemUser) -> Outcome:
        """Let the organisation have the system user, with just these rights; an agent, with just these clients.

        Raises:
            DeclarationRefusedError: the system, the organisation, a resource or a package is not there; a system user
                with the same key is of the other kind; or the owner does not hold an agent's packages in a client.
        """
        owner = await self._organisation(declared.owner)
        wanted = await self._neighbours.rights.declared(resources=declared.resources, packages=declared.packages)
        _require(wanted)
        clients = {(await self._organisation(orgno)).party_uuid for orgno in declared.clients}
        givings = {client: await self._givings(owner, client, declared.packages) for client in clients}
        user, outcome = await self._user(declared, owner, () if declared.kind is UserType.AGENT else wanted)
        if declared.kind is UserType.AGENT:
            before = {one.giver for one in await self._given(user) if one.via is not None}
            changes = [await self._give(user, client, givings.get(client, ())) for client in before | clients]
            outcome = Outcome.CHANGED if any(changes) and outcome is Outcome.UNCHANGED else outcome
        return outcome

    async def _user(
        self, declared: DeclaredSystemUser, owner: PartyIdentity, wanted: Sequence[Giving]
    ) -> tuple[SystemUser, Outcome]:
        """The system user with that key, made if need be, and what became of it."""
        async with self._work.changing() as change:
            await register.hold(change.connection, declared.system_id)
            system = await register.find(change.connection, declared.system_id)
            if system is None or system.deleted:
                raise DeclarationRefusedError(f"no live system is called {declared.system_id[:255]!r}")
            found = await store.live(change.connection, system.id, declared.owner, declared.external_ref)
            user = _of(declared, system, owner, change, found)
            if found is None:
                await store.insert(change.connection, user)
            elif found.kind is not declared.kind:
                raise DeclarationRefusedError(f"{declared.owner} has a system user of type {found.kind} there")
            else:
                await store.describe(change.connection, user)
            given = await self._neighbours.rights.kept(change.connection, user.system_user_id)
            told = _described(found) != _described(user) or _names(given, None) != _wanted(wanted)
            if told:
                action = "system-user:create" if found is None else "system-user:update"
                change.tell_user(OPERATOR, action, user.system_user_id, system, owner=str(declared.owner))
                await self._change(change, user, owner.party_uuid, wanted, given, via=None)
        outcome = Outcome.CREATED if found is None else Outcome.CHANGED if told else Outcome.UNCHANGED
        return user, outcome

    async def _give(self, user: SystemUser, client: UUID, givings: Sequence[Giving]) -> bool:
        """Let an agent act for a client with just these packages; True when that changes anything."""
        async with self._work.changing() as change:
            system = await register.find(change.connection, user.system_id)
            kept = await self._neighbours.rights.kept(change.connection, user.system_user_id)
            given = [one for one in kept if one.giver == client and one.via is not None]
            if system is None or _names(given, user.owner.party_uuid) == _wanted(givings):
                return False
            action = "agent-client:give" if givings else "agent-client:take"
            change.tell_user(OPERATOR, action, user.system_user_id, system, client=str(client))
            await self._change(change, user, client, givings, given, via=user.owner.party_uuid)
            return True

    async def _change(
        self,
        change: Change,
        user: SystemUser,
        giver: UUID,
        wanted: Sequence[Giving],
        given: Sequence[Given],
        via: UUID | None,
    ) -> None:
        await self._neighbours.rights.change(
            change.connection,
            user.system_user_id,
            giver,
            give=wanted,
            take=_names(given, via) - _wanted(wanted),
            via=via,
            actor=OPERATOR,
        )

    async def _given(self, user: SystemUser) -> tuple[Given, ...]:
        return await self._neighbours.rights.given(user.system_user_id)

    async def _givings(self, owner: PartyIdentity, client: UUID, packages: Collection[str]) -> tuple[Giving, ...]:
        givings = await self._neighbours.rights.check_clients(owner.party_uuid, client, sorted(packages))
        _require(givings)
        return givings

    async def _organisation(self, orgno: OrgNumber) -> PartyIdentity:
        found = await self._neighbours.organisation(orgno)
        if found is None:
            raise DeclarationRefusedError(f"no organisation {orgno} is registered")
        return found

    async def _as_declared(self, user: SystemUser) -> DeclaredSystemUser:
        given = await self._given(user)
        own = {kind: frozenset(one.name for one in given if one.via is None and one.kind is kind) for kind in GivenKind}
        agent = user.kind is UserType.AGENT
        clients = await self._neighbours.organisations({one.giver for one in given if one.via is not None})
        return DeclaredSystemUser(
            system_id=user.system_id,
            owner=user.owner.orgno,
            external_ref=user.external_ref,
            title=user.integration_title,
            kind=user.kind,
            resources=own[GivenKind.RESOURCE],
            packages=frozenset(user.packages) if agent else own[GivenKind.PACKAGE],
            clients=frozenset(client.orgno for client in clients.values() if client.orgno is not None),
        )


_FIELDS = fields(SystemDefinition)
_WITHOUT_ORDER = frozenset({"packages", "client_ids", "redirect_urls"})


def _said(definition: SystemDefinition, field: str) -> object:
    """What a definition says in one field, in whatever order."""
    value = getattr(definition, field)
    if field == "rights":
        return {right.identifiers for right in value}
    return set(value) if field in _WITHOUT_ORDER else value


def rights_to(resources: Iterable[str]) -> tuple[Right, ...]:
    """A right to each of the resources."""
    return tuple(Right((Attribute(RESOURCE, identifier),)) for identifier in resources)


def _proposal(definition: SystemDefinition) -> Proposal:
    said = {each.name: getattr(definition, each.name) for each in _FIELDS if each.name not in {"vendor", "packages"}}
    packages = tuple(f"{ACCESS_PACKAGE}:{name}" for name in definition.packages)
    return Proposal(**said, vendor=f"0192:{definition.vendor}", packages=packages)


def _of(
    declared: DeclaredSystemUser, system: System, owner: PartyIdentity, change: Change, found: SystemUser | None
) -> SystemUser:
    return SystemUser(
        system_user_id=change.fresh_id() if found is None else found.system_user_id,
        kind=declared.kind,
        system_id=system.id,
        vendor=system.vendor,
        owner=Owner(owner.party_uuid, owner.party_id, declared.owner),
        external_ref=declared.external_ref,
        integration_title=declared.title,
        packages=tuple(sorted(declared.packages)) if declared.kind is UserType.AGENT else (),
        created=change.now if found is None else found.created,
        changed=change.now,
    )


def _described(user: SystemUser | None) -> tuple[str, frozenset[str]] | None:
    return None if user is None else (user.integration_title, frozenset(user.packages))


def _names(given: Iterable[Given], via: UUID | None) -> set[tuple[GivenKind, str]]:
    return {(one.kind, one.name) for one in given if one.via == via}


def _wanted(givings: Iterable[Giving]) -> set[tuple[GivenKind, str]]:
    return {(one.kind, one.name) for one in givings}


def _require(givings: Iterable[Giving]) -> None:
    refused = [f"{one.kind} {one.name[:255]!r}: {', '.join(one.reasons)}" for one in givings if not one.permitted]
    if refused:
        raise DeclarationRefusedError("; ".join(refused))

"""Use cases: declare who exists and who holds which role, and look them up."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from sqlalchemy.ext.asyncio import AsyncConnection

from fullmakt.altinn.parties import store, store_rights
from fullmakt.altinn.parties.errors import InvalidPartyError, UnknownPartyError
from fullmakt.altinn.parties.lookups import PartyLookups
from fullmakt.altinn.parties.metadata.model import Metadata
from fullmakt.altinn.parties.model import Organisation, Party, Person, Role, feed_key, feed_keys
from fullmakt.infra import feed
from fullmakt.infra.audit import AuditEvent, record
from fullmakt.infra.database import Database
from fullmakt.kernel.clock import Clock, NewId
from fullmakt.kernel.declarations import Outcome
from fullmakt.kernel.identifiers import NationalId, OrgNumber
from fullmakt.wire.altinn.parties import TOPIC

SYSTEM = "parties"


class PartiesService(PartyLookups):
    """The register of parties. Declaring again what is already so does nothing and leaves no trace.

    ``actor`` is who declares, for the audit trail: an organisation number, a client id, or ``operator``. ``metadata``
    says what roles give; without it, that which comes with the program.
    """

    def __init__(self, database: Database, clock: Clock, new_id: NewId, metadata: Metadata | None = None) -> None:
        super().__init__(database, metadata)
        self._clock = clock
        self._new_id = new_id

    async def declare_organisation(self, organisation: Organisation, *, actor: str = "operator") -> Outcome:
        """Register an organisation, or change its name, form and parent.

        Raises:
            UnknownPartyError: the parent is not registered.
            InvalidPartyError: the parent stands below the organisation.
        """
        async with self._database.transaction() as connection:
            known = await store.organisation(connection, organisation.orgno)
            if known is not None and known.subject == organisation:
                return Outcome.UNCHANGED
            await self._check_parent(connection, organisation)
            return await self._put(connection, organisation, actor)

    async def declare_person(self, person: Person, *, actor: str = "operator") -> Outcome:
        """Register a person, or change the name."""
        async with self._database.transaction() as connection:
            known = await store.person(connection, person.national_id)
            if known is not None and known.subject == person:
                return Outcome.UNCHANGED
            return await self._put(connection, person, actor)

    async def grant_role(self, role: Role, *, actor: str = "operator") -> Outcome:
        """Let the holder have the role.

        Raises:
            UnknownPartyError: holder or organisation is not registered.
        """
        async with self._database.transaction() as connection:
            await store_rights.hold_hierarchy(connection)
            parties = await self._parties_of(connection, role)
            if not await store.grant(connection, role, self._clock()):
                return Outcome.UNCHANGED
            await self._announce_role(connection, "role:grant", role, parties, actor)
            return Outcome.CREATED

    async def withdraw_role(self, role: Role, *, actor: str = "operator") -> bool:
        """Take the role away; False when it was not held.

        Raises:
            UnknownPartyError: holder or organisation is not registered.
        """
        async with self._database.transaction() as connection:
            await store_rights.hold_hierarchy(connection)
            parties = await self._parties_of(connection, role)
            if not await store.withdraw(connection, role):
                return False
            await self._announce_role(connection, "role:withdraw", role, parties, actor)
            return True

    async def organisation_name(self, orgno: OrgNumber) -> str | None:
        """The organisation's name, None when it is not registered."""
        party = await self.organisation(orgno)
        return party.subject.name if party else None

    async def organisation_names(self, orgnos: Collection[OrgNumber]) -> dict[OrgNumber, str]:
        """The names of those organisations that are registered, in one look-up."""
        parties = await self.organisations(orgnos) if orgnos else []
        return {party.subject.orgno: party.subject.name for party in parties if isinstance(party.subject, Organisation)}

    async def organisation(self, orgno: OrgNumber) -> Party | None:
        """The organisation with that number."""
        async with self._database.transaction() as connection:
            return await store.organisation(connection, orgno)

    async def person(self, national_id: NationalId) -> Party | None:
        """The person with that number."""
        async with self._database.transaction() as connection:
            return await store.person(connection, national_id)

    async def organisations(self, orgnos: Collection[OrgNumber] | None = None) -> list[Party]:
        """Those of ``orgnos`` that are registered, or all of them, in the order they came."""
        async with self._database.transaction() as connection:
            return await store.organisations(connection, orgnos)

    async def people(self, national_ids: Collection[NationalId] | None = None) -> list[Party]:
        """Those of ``national_ids`` that are registered, or all of them, in the order they came."""
        async with self._database.transaction() as connection:
            return await store.people(connection, national_ids)

    async def roles_in(self, organisations: Collection[OrgNumber] | None = None) -> list[Role]:
        """The roles that anybody holds in these organisations (None: in any)."""
        async with self._database.transaction() as connection:
            return await store.roles(connection, organisations=organisations)

    async def roles_of(self, holder: NationalId | OrgNumber) -> list[Role]:
        """The roles that a person or an organisation holds."""
        async with self._database.transaction() as connection:
            return await store.roles(connection, holder=holder)

    async def _check_parent(self, connection: AsyncConnection, organisation: Organisation) -> None:
        parent = organisation.parent
        if parent is None:
            return
        if await store.organisation(connection, parent) is None:
            raise UnknownPartyError("parent", f"no organisation has the number {parent}")
        if await store.would_loop(connection, organisation.orgno, parent):
            raise InvalidPartyError("parent", f"{organisation.orgno} stands above {parent} already")

    async def _put(self, connection: AsyncConnection, subject: Organisation | Person, actor: str) -> Outcome:
        orgno = subject.orgno if isinstance(subject, Organisation) else None
        if orgno is not None:
            await store_rights.hold_hierarchy(connection)
        row = await store.put(connection, subject, self._new_id(), self._clock())
        if row is None:  # somebody else declared the same in between
            return Outcome.UNCHANGED
        outcome = Outcome.CREATED if row.created else Outcome.CHANGED
        kind = "person" if orgno is None else "organisation"
        await self._audit(connection, f"{kind}:{outcome}", feed_key(subject, row.party_uuid), actor)
        keys = feed_keys(orgno, row.party_uuid)
        await self._announce(connection, keys, orgno)
        return outcome

    async def _parties_of(self, connection: AsyncConnection, role: Role) -> tuple[Party, Party]:
        """The role's organisation and holder, both being registered."""
        organisation = await store.organisation(connection, role.organisation)
        if organisation is None:
            raise UnknownPartyError("organisation", f"no organisation has the number {role.organisation}")
        if isinstance(role.holder, OrgNumber):
            holder = await store.organisation(connection, role.holder)
        else:
            holder = await store.person(connection, role.holder)
        if holder is None:
            raise UnknownPartyError("holder", "no party has the holder's number")
        return organisation, holder

    async def _announce_role(
        self, connection: AsyncConnection, action: str, role: Role, parties: tuple[Party, Party], actor: str
    ) -> None:
        organisation, holder = parties
        facts = {"code": role.code, "holder": feed_key(holder.subject, holder.party_uuid)}
        await self._audit(connection, action, f"organisation:{role.organisation}", actor, facts)
        holder_orgno = role.holder if isinstance(role.holder, OrgNumber) else None
        keys = feed_keys(role.organisation, organisation.party_uuid) + feed_keys(holder_orgno, holder.party_uuid)
        await self._announce(connection, keys, role.organisation)

    async def _announce(self, connection: AsyncConnection, keys: Iterable[str], orgno: OrgNumber | None) -> None:
        """Tell that ``keys`` changed, and with the organisation ``orgno`` its sub-units: its roles hold in them too.

        The hierarchy is held meanwhile, or a sub-unit that comes at the same moment would be told to nobody.
        """
        below = await store_rights.sub_units(connection, orgno) if orgno is not None else []
        affected = [*keys, *(key for unit in below for key in feed_keys(unit.orgno, unit.party_uuid))]
        await feed.publish(connection, TOPIC, affected)

    async def _audit(
        self, connection: AsyncConnection, action: str, subject: str, actor: str, facts: dict[str, str] | None = None
    ) -> None:
        await record(
            connection,
            AuditEvent(
                at=self._clock(),
                system=SYSTEM,
                action=action,
                outcome="done",
                actor=actor,
                subject=subject,
                facts=facts or {},
            ),
        )

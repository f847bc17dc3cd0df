"""What Maskinporten asks: is there a system user for this grant, and what may it do (altinn-authentication.md §12;
maskinporten.md §5.1, §5.2). Where there is none, which of the reasons it is."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from fullmakt.altinn.systemusers.model import System
from fullmakt.altinn.systemusers.ports import Neighbours
from fullmakt.altinn.systemusers.register import store as register
from fullmakt.altinn.systemusers.requests import rules
from fullmakt.altinn.systemusers.requests import store as requests
from fullmakt.altinn.systemusers.users import store
from fullmakt.altinn.systemusers.users.model import SystemUser
from fullmakt.infra.database import Database
from fullmakt.kernel.identifiers import OrgNumber
from fullmakt.wire.altinn import attributes as ids
from fullmakt.wire.altinn.attributes import Attribute
from fullmakt.wire.altinn.parties import PartyIdentity
from fullmakt.wire.altinn.systemusers import (
    ActingSystem,
    Cause,
    NoSystemUser,
    SystemUserQuestion,
    SystemUserRecord,
    UserType,
    VirksysAnswer,
    VirksysQuestion,
    organisation_of,
)

ACTOR = "maskinporten"
"""Who asks the decision point, in the audit trail."""

MOST_ACTING = 100
"""System users of a party's own, and agents, that are asked about for one party and one system: the oldest."""


class LookUps:
    """Answers from what is committed, and from the decision point."""

    def __init__(self, database: Database, neighbours: Neighbours) -> None:
        self._database = database
        self._neighbours = neighbours

    # -- the production form ------------------------------------------------------------------------------------------

    async def find(self, questions: Collection[SystemUserQuestion]) -> Mapping[SystemUserQuestion, SystemUserRecord]:
        """The system user to each question that there is one to, all by one statement."""
        asked = [one for one in dict.fromkeys(questions) if _can_be_asked(one)]
        async with self._database.transaction() as connection:
            found = await store.find(connection, asked)
        return {question: user.record for question, user in found.items()}

    async def why_none(self, question: SystemUserQuestion) -> NoSystemUser:
        """Why there is no system user to a question that ``find`` knows none to."""
        return NoSystemUser(await self._cause(question))

    async def _cause(self, question: SystemUserQuestion) -> Cause:
        async with self._database.transaction() as connection:
            system = await _system(connection, question.client_id)
        if system is None:
            return Cause.CLIENT_UNKNOWN
        if system.vendor != question.vendor:
            return Cause.OTHER_VENDOR
        orgno = rules.organisation_number(question.owner)
        owner = None if orgno is None else await self._neighbours.organisation(orgno)
        if orgno is None or owner is None:
            return Cause.UNKNOWN_ORGANISATION
        return await self._none_of(system, owner, orgno, question.external_ref or orgno)

    async def _none_of(self, system: System, owner: PartyIdentity, orgno: OrgNumber, reference: str | None) -> Cause:
        """Why the organisation has no system user for the system: what concerns the very reference comes first.

        ``reference`` None: whichever it is.
        """
        async with self._database.transaction() as connection:
            live, gone, very_one_gone = await store.standing(connection, system.id, orgno, reference)
            unanswered, very_one_unanswered = await requests.unanswered(connection, system.id, orgno, reference)
        if very_one_unanswered:
            return Cause.NOT_APPROVED
        if very_one_gone:
            return Cause.DELETED
        if reference is not None and live:
            return Cause.OTHER_REFERENCE
        if await self._agents_for(system, owner.party_uuid):
            return Cause.CLIENT_OF_AGENT
        if unanswered:
            return Cause.NOT_APPROVED
        return Cause.DELETED if gone else Cause.NO_SYSTEM_USER

    async def _agents_for(self, system: System, party: UUID) -> list[SystemUser]:
        """The system's agents that have been given the party as a client, oldest first.

        Few act for one party and a system may have any number of agents: it is the party's who are looked through.
        """
        given = await self._neighbours.clients_of_agents.delegated_packages(giver=party)
        receivers = {one.receiver for one in given}
        if not receivers:
            return []
        async with self._database.transaction() as connection:
            return await store.agents_among(connection, system.id, receivers, MOST_ACTING)

    # -- the seed's form ----------------------------------------------------------------------------------------------

    async def virksys(self, question: VirksysQuestion) -> VirksysAnswer | NoSystemUser:
        """What the system may do for the party: by a system user of the party's own, else by an agent of its helper's.

        The first system user that is permitted something for each of the scopes is the answer.
        """
        async with self._database.transaction() as connection:
            system = await _system(connection, question.client_id)
        if system is None:
            return NoSystemUser(Cause.CLIENT_UNKNOWN)
        if system.vendor != question.vendor:
            return NoSystemUser(Cause.OTHER_VENDOR)
        orgno = organisation_of(question.part)
        party = None if orgno is None else await self._neighbours.organisation(orgno)
        if orgno is None or party is None:
            return NoSystemUser(Cause.UNKNOWN_ORGANISATION)
        users = await self._acting(system, party)
        if question.hjelper is not None:
            helper = organisation_of(question.hjelper)
            users = [user for user in users if user.kind is UserType.AGENT and user.owner.orgno == helper]
            if not users:
                return NoSystemUser(Cause.OTHER_HELPER)
        if not users:
            cause = await self._none_of(system, party, orgno, None)
            return NoSystemUser(Cause.NOBODY_ACTS if cause is Cause.NO_SYSTEM_USER else cause)
        return await self._permitted(question, party, users)

    async def _acting(self, system: System, party: PartyIdentity) -> list[SystemUser]:
        """The system users that act for the party: its own before its helpers', each oldest first."""
        if party.orgno is None:
            return []
        async with self._database.transaction() as connection:
            own = await store.own(connection, system.id, party.orgno, MOST_ACTING)
        return [*own, *await self._agents_for(system, party.party_uuid)]

    async def _permitted(
        self, question: VirksysQuestion, party: PartyIdentity, users: Iterable[SystemUser]
    ) -> VirksysAnswer | NoSystemUser:
        scopes = dict.fromkeys(question.scopes)
        by_scope = {scope: await self._neighbours.scopes.identifiers_with_scope(scope) for scope in scopes}
        if not by_scope or not all(by_scope.values()):
            return NoSystemUser(Cause.SCOPE_WITHOUT_RESOURCE)
        resources = {name for names in by_scope.values() for name in names}
        wanted = None if question.rettigheit is None else frozenset(question.rettigheit)
        asked = sorted(resources if wanted is None else resources & wanted)
        missing = wanted or frozenset()
        for user in users:
            permitted = await self._permitted_to(user, asked, party.party_uuid)
            if wanted is not None:
                missing = min(missing, wanted - permitted, key=len)
            complete = wanted is None or wanted == permitted
            if complete and all(permitted.intersection(names) for names in by_scope.values()):
                helper = user.owner.orgno.iso6523 if user.kind is UserType.AGENT else None
                return VirksysAnswer(question.part, helper, tuple(sorted(permitted)))
        return NoSystemUser(Cause.RIGHT_MISSING if missing else Cause.NOTHING_PERMITTED, tuple(sorted(missing)))

    async def _permitted_to(self, user: SystemUser, resources: Collection[str], party: UUID) -> frozenset[str]:
        """Those of the resources on which the system user may do anything at all for the party."""
        subject = [Attribute(ids.SYSTEM_USER, str(user.system_user_id))]
        authority = self._neighbours.authority
        found = await authority.delegable_actions_on(subject, resources, party, actor=ACTOR) if resources else {}
        return frozenset(name for name, decisions in found.items() if any(one.permitted for one in decisions.values()))

    # -- thin tokens --------------------------------------------------------------------------------------------------

    async def of_client(self, client_id: str, party: UUID) -> ActingSystem | None:
        """The live system that the client acts for, and its system users that act for the party; None: no system."""
        if not client_id.isprintable():
            return None
        async with self._database.transaction() as connection:
            system = await _system(connection, client_id)
        if system is None:
            return None
        found = await self._neighbours.party_of(party)
        users = [] if found is None else await self._acting(system, found)
        oldest_first = sorted(users, key=lambda user: user.number)
        return ActingSystem(system.id, system.vendor, tuple(user.system_user_id for user in oldest_first))


def _can_be_asked(question: SystemUserQuestion) -> bool:
    """Text that no system user can have is not looked for."""
    texts = (question.client_id, question.vendor, question.owner, question.external_ref or "")
    return all(text.isprintable() for text in texts)


async def _system(connection: AsyncConnection, client_id: str) -> System | None:
    return await register.of_client(connection, client_id) if client_id.isprintable() else None

"""What this process remembers of its neighbours' facts, and how it knows that they still hold.

A decision is made on a version of the neighbours' feeds and written down only if that is still the newest, so what is
in here may be stale and can yet make no wrong answer (docs/decisions/0002). What is remembered is what was asked for:
a million delegations that nobody asks about take no room.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from fullmakt.altinn.decisions.fact_keys import FactKey, question_of, tags_of, tags_of_change
from fullmakt.altinn.decisions.model import AttributeSet
from fullmakt.altinn.decisions.ports import (
    AccessLists,
    ChangeFeed,
    Delegations,
    Parties,
    Resources,
    SystemUsers,
    SystemUserStanding,
)
from fullmakt.altinn.decisions.rules import CompiledPolicy, compile_policy
from fullmakt.infra.feed import Changes
from fullmakt.infra.feed_cache import FeedCache
from fullmakt.wire.altinn.attributes import (
    ACCESS_PACKAGE,
    ORGANISATION,
    ORGANISATION_UUID,
    PARTY_ID,
    PARTY_UUID,
    PERSON_UUID,
    USER_ID,
    Attribute,
)
from fullmakt.wire.altinn.delegations import DelegatedRight
from fullmakt.wire.altinn.parties import HeldRights, PartyIdentity, PartyKind
from fullmakt.wire.altinn.policy import InvalidPolicyError, parse_policy
from fullmakt.wire.altinn.resources import Membership, RegisteredResource
from fullmakt.wire.altinn.systemusers import ActingSystem

_AT_ONCE = 4
"""Questions under way to a neighbour at the same time, of one batch: a fraction of the pool's connections, so that
others find one."""
_LARGE = 256 * 1024
"""Bytes of a policy that is compiled off the event loop, and of which few are kept."""
_MAX_LARGE = 32


@dataclass(frozen=True, slots=True)
class KnownResource:
    """A resource (its document left out) and its policy, ready; ``fault`` says why there is none."""

    resource: RegisteredResource
    policy: CompiledPolicy | None
    fault: str = ""


@dataclass(frozen=True, slots=True)
class KnownParty:
    """A party, with its names as a subject has them, and as a resource has its party."""

    identity: PartyIdentity
    as_subject: AttributeSet
    as_party: AttributeSet

    @classmethod
    def of(cls, identity: PartyIdentity) -> KnownParty:
        """A national identity number is not among the names (§6, 7)."""
        uuid, party_id = str(identity.party_uuid), Attribute(PARTY_ID, str(identity.party_id))
        names = [party_id, Attribute(PARTY_UUID, uuid)]
        if identity.kind is PartyKind.PERSON:
            names += [Attribute(USER_ID, str(identity.user_id)), Attribute(PERSON_UUID, uuid)]
        else:
            names += [Attribute(ORGANISATION, str(identity.orgno)), Attribute(ORGANISATION_UUID, uuid)]
        return cls(identity, AttributeSet.of_strings(names), AttributeSet.of_strings([party_id]))


@dataclass(frozen=True, slots=True)
class KnownRights:
    """What a holder has in a party, also as attribute sets."""

    held: HeldRights
    roles: AttributeSet
    packages: AttributeSet

    @classmethod
    def of(cls, held: HeldRights) -> KnownRights:
        """What the register tells."""
        return cls(held, AttributeSet.of_strings(held.roles), AttributeSet.of_strings(held.packages))


@dataclass(frozen=True, slots=True)
class KnownSystemUser:
    """Whether a system user has ended: it is deleted, or its system is. One that nobody knows has no system."""

    system_id: str
    ended: bool

    @classmethod
    def of(cls, standing: SystemUserStanding | None) -> KnownSystemUser:
        """What the register of system users tells."""
        return _UNKNOWN if standing is None else cls(standing.system_id, not standing.live)


_NOTHING = HeldRights()
_UNKNOWN = KnownSystemUser("", ended=False)


class PolicyMemory(FeedCache[str, KnownResource]):
    """Resources and compiled policies by identifier."""

    def __init__(self, resources: Resources, feed: ChangeFeed, capacity: int, *, strict_targets: bool = False) -> None:
        super().__init__(capacity)
        self._resources = resources
        self._feed = feed
        self._strict = strict_targets
        self._large: deque[str] = deque()

    async def fetch(self, keys: Sequence[str]) -> Mapping[str, KnownResource]:
        """Those of ``keys`` that are registered."""
        found = await self._resources.resources(keys)
        return {identifier: await self._known(resource) for identifier, resource in found.items()}

    async def changes_since(self, version: int) -> Changes:
        """What changed after ``version``."""
        return await self._feed.changes_since(version)

    def forget(self, changed: Sequence[str]) -> None:
        """Forget changed resources."""
        for key in changed:
            if key.startswith("resource:"):
                self.entries.pop(key.removeprefix("resource:"), None)

    async def _known(self, resource: RegisteredResource) -> KnownResource:
        xml = resource.policy
        resource = replace(resource, policy=None)
        if xml is None:
            return KnownResource(resource, None)
        try:
            if len(xml) < _LARGE:
                return KnownResource(resource, self._compile(xml))
            self._make_room(resource.identifier)
            return KnownResource(resource, await asyncio.to_thread(self._compile, xml))
        except InvalidPolicyError as error:
            return KnownResource(resource, None, str(error))

    def _compile(self, xml: bytes) -> CompiledPolicy:
        return compile_policy(parse_policy(xml), strict_targets=self._strict)

    def _make_room(self, identifier: str) -> None:
        """A policy of 100 000 rules takes as much memory as thousands of ordinary ones: keep the last few."""
        if identifier not in self._large:
            self._large.append(identifier)
        while len(self._large) > _MAX_LARGE:
            self.entries.pop(self._large.popleft(), None)


class FactMemory(FeedCache[FactKey, Any]):
    """Parties, what they hold, what they were given, and the lists they are on."""

    def __init__(
        self,
        parties: Parties,
        access_lists: AccessLists,
        delegations: Delegations,
        feed: ChangeFeed,
        capacity: int,
        *,
        system_users: SystemUsers | None = None,
    ) -> None:
        super().__init__(capacity)
        self._system_users = system_users
        self._parties = parties
        self._access_lists = access_lists
        self._delegations = delegations
        self._feed = feed
        self._by_tag: dict[str, set[FactKey]] = {}
        self._tagged = 0

    async def changes_since(self, version: int) -> Changes:
        """What changed after ``version``."""
        return await self._feed.changes_since(version)

    async def fetch(self, keys: Sequence[FactKey]) -> Mapping[FactKey, Any]:
        """The facts: those that one question can ask for together, and several questions at a time."""
        turn = asyncio.Semaphore(_AT_ONCE)
        questions: dict[FactKey, list[FactKey]] = {}
        for key in keys:
            questions.setdefault(question_of(key), []).append(key)

        async def answer(asked: list[FactKey]) -> Mapping[FactKey, Any]:
            async with turn:
                return await self._ask(asked)

        found: dict[FactKey, Any] = {}
        for answered in await asyncio.gather(*map(answer, questions.values())):
            found.update(answered)
        if self._tagged > 8 * self._capacity:
            self._sweep()  # before these get theirs: they are no entries yet, and would lose them
        for key, fact in found.items():
            self._tag(key, tags_of(key, fact))
        return found

    async def _ask(self, keys: list[FactKey]) -> Mapping[FactKey, Any]:
        """The answers to ``keys``, which make one question."""
        match keys[0]:
            case ("identity", _):
                found = await self._parties.identify([name for _, name in keys])
                return {("identity", name): KnownParty.of(one) for name, one in found.items()}
            case ("held", holder, party):
                if len(keys) == 1:
                    held = {holder: await self._parties.held(holder, party)}
                else:
                    held = {one.party_uuid: rights for one, rights in await self._parties.holders(party)}
                return {key: KnownRights.of(held.get(key[1], _NOTHING)) for key in keys}
            case ("key-roles", person):
                return {keys[0]: await self._parties.key_role_organisations(person)}
            case ("memberships", party, resource):
                asked = resource if len(keys) == 1 else None
                lists = await self._access_lists.memberships(party, asked)
                return {key: tuple(one for one in lists if key[2] in (None, one.resource)) for key in keys}
            case ("packages", _, giver):
                given: dict[UUID, list[Attribute]] = {key[1]: [] for key in keys}
                for one in await self._delegations.delegated_packages(receivers=tuple(given), giver=giver):
                    given[one.receiver].append(Attribute(ACCESS_PACKAGE, one.package))
                return {key: AttributeSet.of_strings(given[key[1]]) for key in keys}
            case ("system", client_id, party):
                known = self._system_users
                system = None if known is None else await known.of_client(client_id, party)
                return {} if system is None else {keys[0]: system}
            case ("system-user", _):
                users = self._system_users
                standings = {} if users is None else await users.standings([uuid for _, uuid in keys])
                return {key: KnownSystemUser.of(standings.get(key[1])) for key in keys}
            case ("rights", *_):
                rights = await self._delegations.rights_of([key[1:] for key in keys])
                return {("rights", *question): given for question, given in rights.items()}
        raise AssertionError(f"no such fact: {keys[0][0]}")

    def forget(self, changed: Sequence[str]) -> None:
        """Forget what the changed keys of the feeds concern."""
        for key in {tag for one in changed for tag in tags_of_change(one)}:
            for fact in self._by_tag.pop(key, ()):
                self.entries.pop(fact, None)

    def _tag(self, key: FactKey, tags: Iterable[str]) -> None:
        for tag in tags:
            self._by_tag.setdefault(tag, set()).add(key)
            self._tagged += 1

    def _sweep(self) -> None:
        """Drop tags of facts that have made room for others."""
        self._by_tag = {
            tag: left for tag, keys in self._by_tag.items() if (left := {key for key in keys if key in self.entries})
        }
        self._tagged = sum(map(len, self._by_tag.values()))


class Memory:
    """Everything that decisions are made on. ``version`` is the one up to which all of it holds."""

    def __init__(self, policies: PolicyMemory, facts: FactMemory) -> None:
        self._policies = policies
        self._facts = facts

    @property
    def version(self) -> int:
        """The version of the feeds; what is read after this was read is at least as new."""
        return min(self._policies.version, self._facts.version)

    async def catch_up(self) -> None:
        """Forget what has changed."""
        await asyncio.gather(self._policies.catch_up(), self._facts.catch_up())

    async def resource(self, identifier: str) -> KnownResource | None:
        """A registered resource; None when nobody has registered it."""
        if "\0" in identifier:  # nobody can have, nor can PostgreSQL be asked
            return None
        return self._policies.get(identifier) or await self._policies.load(identifier)

    async def identities(self, attributes: Collection[Attribute]) -> dict[Attribute, KnownParty]:
        """Who is meant by each attribute; unknown ones are left out, and asked for again the next time."""
        found = await self._all([("identity", attribute) for attribute in attributes])
        return {name: who for name, who in zip(attributes, found, strict=True) if who is not None}

    async def held(self, holder: UUID, party: UUID) -> KnownRights:
        """What ``holder`` holds in ``party``."""
        fact: KnownRights = await self._fact(("held", holder, party))
        return fact

    async def packages_of(self, holders: Sequence[UUID], party: UUID) -> list[tuple[AttributeSet, AttributeSet]]:
        """The access packages of each holder: those that it holds in ``party``, and those that ``party`` gave it."""
        held = await self._all(
            [*(("held", one, party) for one in holders), *(("packages", one, party) for one in holders)]
        )
        return [(held[place].packages, held[place + len(holders)]) for place in range(len(holders))]

    async def key_role_organisations(self, person: UUID) -> tuple[UUID, ...]:
        """The organisations that a person acts for by a key role."""
        fact: tuple[UUID, ...] = await self._fact(("key-roles", person))
        return fact

    async def memberships(self, party: UUID, resource: str | None) -> tuple[Membership, ...]:
        """The access lists that a party is on."""
        fact: tuple[Membership, ...] = await self._fact(("memberships", party, resource))
        return fact

    async def packages(self, receiver: UUID, giver: UUID) -> AttributeSet:
        """The access packages that ``giver`` has given ``receiver``."""
        fact: AttributeSet = await self._fact(("packages", receiver, giver))
        return fact

    async def rights(self, receivers: Iterable[UUID], giver: UUID, resource: str) -> tuple[DelegatedRight, ...]:
        """What ``receivers`` have been given on ``giver``'s behalf."""
        fact: tuple[DelegatedRight, ...] = await self._fact(("rights", frozenset(receivers), giver, resource))
        return fact

    async def acting_system(self, client_id: str, party: UUID) -> ActingSystem | None:
        """The system that has the client, with its system users that act for ``party``; case does not matter."""
        system: ActingSystem | None = await self._fact(("system", client_id.lower(), party))
        return system

    async def has_ended(self, system_user: UUID) -> bool:
        """True when there has been such a system user, and it or its system is deleted."""
        known: KnownSystemUser = await self._fact(("system-user", system_user))
        return known.ended

    async def _all(self, keys: Sequence[FactKey]) -> list[Any]:
        """A fact for each key, those that are not remembered asked for together; None for what nobody knows."""
        found = [self._facts.get(key) for key in keys]
        missing = [place for place, fact in enumerate(found) if fact is None]
        if missing:
            loaded = await asyncio.gather(*(self._facts.load(keys[place]) for place in missing))
            for place, fact in zip(missing, loaded, strict=True):
                found[place] = fact
        return found

    async def _fact(self, key: FactKey) -> Any:
        fact = self._facts.get(key)
        return await self._facts.load(key) if fact is None else fact

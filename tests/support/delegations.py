"""True fakes of what delegations ask of their neighbours."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID, uuid5

from fullmakt.kernel.identifiers import NationalId, OrgNumber
from fullmakt.wire.altinn import attributes as ids
from fullmakt.wire.altinn.attributes import Attribute
from fullmakt.wire.altinn.callers import Caller, InvalidCallerError
from fullmakt.wire.altinn.parties import HeldRights, PartyIdentity, PartyKind
from fullmakt.wire.altinn.resources import MASKINPORTEN_SCHEMA, RegisteredResource
from fullmakt.wire.altinn.xacml_json import DueObligation, ObligationValue
from tests.support.policies import policy_xml

_NAMESPACE = UUID("6ba7b810-9dad-11d1-80b4-00c04fd430c8")


@dataclass
class FakeParties:
    """Organisations and people, and what they hold in each other."""

    known: list[PartyIdentity] = field(default_factory=list)
    holding: dict[tuple[UUID, UUID], HeldRights] = field(default_factory=dict)
    key_roles: dict[UUID, tuple[UUID, ...]] = field(default_factory=dict)

    def organisation(self, number: str, name: str = "", parent: PartyIdentity | None = None) -> PartyIdentity:
        """Register an organisation."""
        orgno = OrgNumber(number)
        form = "BEDR" if parent else "AS"
        return self._add(
            PartyIdentity(
                50_000_001 + len(self.known), uuid5(_NAMESPACE, number), PartyKind.ORGANISATION,
                name or f"Org {number}",
                form=form, orgno=orgno, parent=parent.party_uuid if parent else None,
            )
        )  # fmt: skip

    def person(self, number: str, name: str = "Kari Nordmann") -> PartyIdentity:
        """Register a person."""
        party_id = 50_000_001 + len(self.known)
        return self._add(
            PartyIdentity(
                party_id, uuid5(_NAMESPACE, number), PartyKind.PERSON, name,
                user_id=20_000_000 + len(self.known), national_id=NationalId(number),
            )
        )  # fmt: skip

    def _add(self, party: PartyIdentity) -> PartyIdentity:
        self.known.append(party)
        return party

    def hold(self, holder: PartyIdentity, party: PartyIdentity, rights: HeldRights, *, key_role: bool = False) -> None:
        """Let ``holder`` hold ``rights`` in ``party``."""
        self.holding[holder.party_uuid, party.party_uuid] = rights
        if key_role:
            self.key_roles[holder.party_uuid] = (*self.key_roles.get(holder.party_uuid, ()), party.party_uuid)

    async def identify(self, attributes: Collection[Attribute]) -> dict[Attribute, PartyIdentity]:
        by_name = {name: party for party in self.known for name in _names(party)}
        return {attribute: by_name[attribute] for attribute in attributes if attribute in by_name}

    async def held(self, holder: UUID, party: UUID) -> HeldRights:
        return self.holding.get((holder, party), HeldRights())

    async def held_by(self, holder: UUID) -> tuple[tuple[PartyIdentity, HeldRights], ...]:
        by_uuid = {one.party_uuid: one for one in self.known}
        return tuple((by_uuid[party], rights) for (who, party), rights in self.holding.items() if who == holder)

    async def key_role_organisations(self, person: UUID) -> tuple[UUID, ...]:
        return self.key_roles.get(person, ())

    async def holders(self, party: UUID) -> tuple[tuple[PartyIdentity, HeldRights], ...]:
        by_uuid = {one.party_uuid: one for one in self.known}
        return tuple((by_uuid[holder], rights) for (holder, other), rights in self.holding.items() if other == party)


def _names(party: PartyIdentity) -> list[Attribute]:
    names = [Attribute(ids.PARTY_UUID, str(party.party_uuid)), Attribute(ids.PARTY_ID, str(party.party_id))]
    if party.orgno is not None:
        names += [Attribute(ids.ORGANISATION, party.orgno), Attribute(ids.ORGANISATION_OLD, party.orgno)]
        names.append(Attribute(ids.ORGANISATION_UUID, str(party.party_uuid)))
    if party.national_id is not None:
        names += [Attribute(ids.PERSON, party.national_id), Attribute(ids.USER_ID, str(party.user_id))]
        names.append(Attribute(ids.PERSON_UUID, str(party.party_uuid)))
    return names


@dataclass
class FakeResources:
    """The resource registry."""

    known: dict[str, RegisteredResource] = field(default_factory=dict)

    def add(
        self,
        identifier: str,
        *scopes: str,
        scheme: str | None = None,
        resource_type: str = MASKINPORTEN_SCHEMA,
        delegable: bool = True,
        actions: tuple[str, ...] = (),
    ) -> RegisteredResource:
        """Register a resource, with a policy for its actions, or for the one of an API."""
        named = actions or (("ScopeAccess",) if resource_type == MASKINPORTEN_SCHEMA else ())
        rules = [{"action": named, "subject": [f"{ids.ROLE_CODE}=apiadm"]}]
        self.known[identifier] = RegisteredResource(
            identifier=identifier,
            version=1,
            resource_type=resource_type,
            title=(("nb", f"Tittel {identifier}"), ("en", f"Title {identifier}")),
            owner_orgno=OrgNumber("974761076"),
            owner_code="skd",
            delegable=delegable,
            visible=True,
            access_list_enabled=False,
            scopes=scopes,
            delegation_scheme_id=scheme,
            policy=policy_xml(identifier, {"rules": rules}) if named else None,
        )
        return self.known[identifier]

    def change(self, identifier: str, **members: object) -> None:
        """Register a new version of a resource."""
        self.known[identifier] = replace(self.known[identifier], **members)  # type: ignore[arg-type]

    async def resource(self, identifier: str) -> RegisteredResource | None:
        return self.known.get(identifier)

    async def resources(self, identifiers: Collection[str]) -> dict[str, RegisteredResource]:
        return {one: self.known[one] for one in identifiers if one in self.known}

    async def resources_with_scope(self, scope: str | None) -> tuple[RegisteredResource, ...]:
        return tuple(
            one
            for one in self.known.values()
            if one.resource_type == MASKINPORTEN_SCHEMA and (scope is None or scope in one.scopes)
        )


@dataclass(frozen=True)
class FakeDecision:
    """What the decision point says."""

    permitted: bool
    reason: str = "permit"
    facts: Mapping[str, Any] = field(default_factory=dict)
    obligations: tuple[DueObligation, ...] = ()

    def __bool__(self) -> bool:
        return self.permitted


@dataclass
class FakeAuthority:
    """A decision point that holds a list of who may do what for whom; delegable is what one may do."""

    rules: set[tuple[Attribute, str, str, UUID]] = field(default_factory=set)
    actions: dict[str, tuple[str, ...]] = field(default_factory=dict)
    refusals: dict[str, str] = field(default_factory=dict)
    levels: dict[str, int] = field(default_factory=dict)
    delegated: dict[tuple[str, str], UUID] = field(default_factory=dict)

    def permit(self, who: PartyIdentity, resource: str, party: PartyIdentity, *actions: str) -> None:
        """Let ``who`` do ``actions`` on ``resource`` for ``party``."""
        subject = Attribute(ids.PARTY_UUID, str(who.party_uuid))
        for action in actions:
            self.rules.add((subject, action, resource, party.party_uuid))
            self.actions.setdefault(resource, ())
            if action not in self.actions[resource]:
                self.actions[resource] = (*self.actions[resource], action)

    async def may(
        self, subject: Sequence[Attribute], action: str, resource: str, party: UUID, *, actor: str = ""
    ) -> FakeDecision:
        if not any((one, action, resource, party) in self.rules for one in subject):
            return FakeDecision(False, self.refusals.get(resource, "no_right"))
        standing_on = self.delegated.get((resource, action))
        facts = {"delegation": str(standing_on)} if standing_on else {}
        return FakeDecision(True, "delegation" if standing_on else "rule", facts, self._obligations(resource))

    def _obligations(self, resource: str) -> tuple[DueObligation, ...]:
        if resource not in self.levels:
            return ()
        level = ObligationValue(
            "urn:altinn:obligation-assignment:1",
            str(self.levels[resource]),
            "http://www.w3.org/2001/XMLSchema#integer",
            "urn:altinn:minimum-authenticationlevel",
        )
        return (DueObligation("urn:altinn:obligation:authenticationLevel1", (level,)),)

    async def delegable_actions(
        self, subject: Sequence[Attribute], resource: str, party: UUID, *, actor: str = ""
    ) -> dict[str, FakeDecision]:
        return {action: await self.may(subject, action, resource, party) for action in self.actions.get(resource, ())}

    async def delegable_actions_on(
        self, subject: Sequence[Attribute], resources: Collection[str], party: UUID, *, actor: str = ""
    ) -> dict[str, dict[str, FakeDecision]]:
        return {resource: await self.delegable_actions(subject, resource, party) for resource in resources}


@dataclass(frozen=True)
class FakePackage:
    """An access package."""

    name: str
    delegable: bool = True
    assignable: bool = True

    @property
    def id(self) -> UUID:
        return uuid5(_NAMESPACE, self.name)


@dataclass
class FakePackages:
    """The access packages that there are."""

    known: dict[str, FakePackage] = field(default_factory=dict)

    def add(self, name: str, *, delegable: bool = True, assignable: bool = True) -> FakePackage:
        """Let there be a package."""
        self.known[name] = FakePackage(name, delegable, assignable)
        return self.known[name]

    def package(self, identifier: str) -> FakePackage | None:
        name = identifier.removeprefix("urn:altinn:accesspackage:")
        return self.known.get(name) or next((one for one in self.known.values() if str(one.id) == identifier), None)


@dataclass
class FakeCallers:
    """Tokens that are the names of callers."""

    known: dict[str, Caller] = field(default_factory=dict)

    async def identify(self, token: str) -> Caller:
        if token not in self.known:
            raise InvalidCallerError("unknown")
        return self.known[token]

    def organisation(self, token: str, number: str, *scopes: str, prefixes: tuple[str, ...] = ()) -> None:
        """An organisation with a Maskinporten token."""
        self.known[token] = Caller(frozenset(scopes), consumer=OrgNumber(number), consumer_prefixes=prefixes)

    def person(self, token: str, who: PartyIdentity, *scopes: str, level: int = 4) -> None:
        """A person who has logged in."""
        self.known[token] = Caller(
            frozenset(scopes),
            user_id=who.user_id,
            party_id=who.party_id,
            party_uuid=who.party_uuid,
            auth_level=level,
        )

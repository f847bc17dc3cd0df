"""Which entries a world names: those that it declares, and those that it refers to."""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from dataclasses import dataclass
from uuid import UUID

from fullmakt.altinn.consents.declared import DeclaredConsent
from fullmakt.altinn.parties.model import Organisation, Role
from fullmakt.kernel.identifiers import NationalId, OrgNumber, ScopeName
from fullmakt.world.model import (
    Access,
    AccessList,
    ApiKey,
    Certificate,
    Client,
    ConsentService,
    Delegation,
    Entry,
    Kind,
    Prefix,
    Resource,
    Right,
    Scope,
    ServiceOwner,
    SrrEntry,
    System,
    SystemUser,
    World,
    key_of,
)


@dataclass(frozen=True, slots=True)
class Reference:
    """``field`` of an entry refers to the entry of ``kind`` that is known by ``key``."""

    field: str
    kind: Kind
    key: Hashable


def references(entry: Entry) -> Iterator[Reference]:
    """What has to be there for ``entry`` to make sense."""
    match entry:
        case Organisation(parent=OrgNumber() as parent):
            yield Reference("parent", Kind.ORGANISATION, parent)
        case Role(holder=NationalId() as person):
            yield Reference("person", Kind.PERSON, person)
            yield Reference("organisation", Kind.ORGANISATION, entry.organisation)
        case Role(holder=OrgNumber() as holder):
            yield Reference("holder", Kind.ORGANISATION, holder)
            yield Reference("organisation", Kind.ORGANISATION, entry.organisation)
        case Prefix():
            yield Reference("owner", Kind.ORGANISATION, entry.owner)
        case Scope():
            yield Reference("name", Kind.PREFIX, entry.name.prefix)
            if entry.delegation_source is not None:
                yield Reference("delegation_source", Kind.DELEGATION_SOURCE, entry.delegation_source)
        case Access():
            yield Reference("scope", Kind.SCOPE, entry.scope)
            yield Reference("consumer", Kind.ORGANISATION, entry.consumer)
        case ServiceOwner():
            yield Reference("organisation", Kind.ORGANISATION, entry.organisation)
        case Resource():
            yield Reference("owner", Kind.SERVICE_OWNER, entry.owner)
        case AccessList():
            yield Reference("owner", Kind.SERVICE_OWNER, entry.owner)
            for member in entry.members:
                yield Reference("members", Kind.ORGANISATION, member)
            for connection in entry.connections:
                yield Reference("connections", Kind.RESOURCE, connection.resource)
        case Delegation():
            yield Reference("consumer", Kind.ORGANISATION, entry.consumer)
            yield Reference("supplier", Kind.ORGANISATION, entry.supplier)
            yield Reference("resource", Kind.RESOURCE, entry.resource)
        case Right():
            yield Reference("giver", _kind_of(entry.giver), entry.giver)
            yield Reference("receiver", _kind_of(entry.receiver), entry.receiver)
            yield Reference("resource", Kind.RESOURCE, entry.resource)
        case Certificate():
            yield Reference("organisation", Kind.ORGANISATION, entry.organisation)
        case Client():
            yield Reference("organisation", Kind.ORGANISATION, entry.organisation)
            if entry.supplier is not None:
                yield Reference("supplier", Kind.ORGANISATION, entry.supplier)
            # The scopes of krr come with the type, and need not be anybody's.
            for scope in () if entry.integration_type == "krr" else entry.scopes:
                yield Reference("scopes", Kind.SCOPE, scope)
        case ConsentService():
            yield Reference("resource", Kind.RESOURCE, entry.resource)
        case SrrEntry():
            yield Reference("code", Kind.CONSENT_SERVICE, (entry.code, entry.edition))
            yield Reference("reportee", Kind.ORGANISATION, entry.reportee)
            if entry.handled_by is not None:
                yield Reference("handled_by", Kind.ORGANISATION, entry.handled_by)
        case ApiKey():
            yield Reference("organisation", Kind.ORGANISATION, entry.organisation)
        case DeclaredConsent():
            yield from _parties_of(entry)
            for resource in dict.fromkeys(right.resource for right in entry.rights):
                yield Reference("rights", Kind.RESOURCE, resource)
        case System():
            yield Reference("vendor", Kind.ORGANISATION, entry.vendor)
            for resource in entry.resources:
                yield Reference("resources", Kind.RESOURCE, resource)
        case SystemUser():
            yield Reference("system", Kind.SYSTEM, entry.system)
            yield Reference("owner", Kind.ORGANISATION, entry.owner)
            for resource in entry.resources:
                yield Reference("resources", Kind.RESOURCE, resource)
            for client in entry.clients:
                yield Reference("clients", Kind.ORGANISATION, client)


def _parties_of(consent: DeclaredConsent) -> Iterator[Reference]:
    yield Reference("from", _kind_of(consent.giver), consent.giver)
    yield Reference("to", Kind.ORGANISATION, consent.receiver)
    if consent.handled_by is not None:
        yield Reference("handled_by", Kind.ORGANISATION, consent.handled_by)
    if consent.required_delegator is not None:
        yield Reference("required_delegator", Kind.PERSON, consent.required_delegator)
    if consent.answered_by is not None:
        yield Reference("answered_by", Kind.PERSON, consent.answered_by)


def _kind_of(number: OrgNumber | NationalId) -> Kind:
    return Kind.ORGANISATION if isinstance(number, OrgNumber) else Kind.PERSON


@dataclass(frozen=True, slots=True)
class Names:
    """The keys that a world names: what a section has to look up, however much else there is."""

    organisations: frozenset[OrgNumber]
    people: frozenset[NationalId]
    delegation_sources: frozenset[str]
    prefixes: frozenset[str]
    scopes: frozenset[ScopeName]
    accesses: frozenset[tuple[ScopeName, OrgNumber]]
    service_owners: frozenset[str]
    resources: frozenset[str]
    access_lists: frozenset[tuple[str, str]]
    certificates: frozenset[str]
    clients: tuple[Client, ...]
    consent_services: frozenset[tuple[str, int]]
    api_keys: frozenset[str]
    consents: frozenset[UUID]
    systems: frozenset[str]

    @classmethod
    def of(cls, world: World) -> Names:
        """Those declared in ``world`` and those it refers to."""
        keys: dict[Kind, set[Hashable]] = {kind: set() for kind in Kind}
        for kind in Kind:
            for entry in world.entries(kind):
                keys[kind].add(key_of(entry))
                for reference in references(entry):
                    keys[reference.kind].add(reference.key)
        return cls(
            organisations=frozenset(key for key in keys[Kind.ORGANISATION] if isinstance(key, OrgNumber)),
            people=frozenset(key for key in keys[Kind.PERSON] if isinstance(key, NationalId)),
            delegation_sources=frozenset(map(str, keys[Kind.DELEGATION_SOURCE])),
            prefixes=frozenset(map(str, keys[Kind.PREFIX])),
            scopes=frozenset(key for key in keys[Kind.SCOPE] if isinstance(key, ScopeName)),
            accesses=frozenset((access.scope, access.consumer) for access in world.accesses),
            service_owners=frozenset(map(str, keys[Kind.SERVICE_OWNER])),
            resources=frozenset(map(str, keys[Kind.RESOURCE])),
            access_lists=frozenset((one.owner, one.identifier) for one in world.access_lists),
            certificates=frozenset(map(str, keys[Kind.CERTIFICATE])),
            clients=world.clients,
            consent_services=frozenset(
                (str(key[0]), int(key[1])) for key in keys[Kind.CONSENT_SERVICE] if isinstance(key, tuple)
            ),
            api_keys=frozenset(map(str, keys[Kind.API_KEY])),
            consents=frozenset(consent.id for consent in world.consents),
            systems=frozenset(map(str, keys[Kind.SYSTEM])),
        )

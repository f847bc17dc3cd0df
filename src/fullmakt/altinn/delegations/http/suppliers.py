"""API delegation in its newer form: one's suppliers, and one's consumers (altinn-authorization.md §13.2)."""

from __future__ import annotations

from enum import StrEnum
from typing import TypeVar
from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from fullmakt.altinn.delegations import access
from fullmakt.altinn.delegations.errors import DelegationRefusedError
from fullmakt.altinn.delegations.http import problems, render
from fullmakt.altinn.delegations.http.context import AccessManagement, Endpoint, Guarded, performer
from fullmakt.altinn.delegations.model import Connection, ConnectionRole, Selection, StoredRight
from fullmakt.altinn.delegations.service import api_offer
from fullmakt.infra.altinn import language_of, require_scope
from fullmakt.infra.reading import Query
from fullmakt.wire.altinn.callers import Caller
from fullmakt.wire.altinn.parties import PartyIdentity, PartyKind
from fullmakt.wire.altinn.problems import AltinnProblemError
from fullmakt.wire.altinn.resources import MASKINPORTEN_SCHEMA, RegisteredResource

_One = TypeVar("_One")
_Other = TypeVar("_Other")

_BASE = "/api/v1/enduser/maskinporten"


class Side(StrEnum):
    """Who stands on the other side of a delegation than the party of the request."""

    SUPPLIER = "supplier"
    CONSUMER = "consumer"

    def scope(self, action: str) -> str:
        """The scope for reading or writing what there is with this other side."""
        return f"altinn:accessmanagement/enduser:maskinporten{self}s.{action}"

    def ordered(self, party: _One, other: _Other) -> tuple[_One | _Other, _One | _Other]:
        """Giver and receiver: a consumer gives, a supplier receives."""
        return (party, other) if self is Side.SUPPLIER else (other, party)


def routes(guarded: Guarded) -> list[Route]:
    """The routes of both sides."""
    return [
        *guarded.table(
            f"{_BASE}suppliers",
            ("POST", "", add_supplier),
            ("GET", "", _list_connections(Side.SUPPLIER)),
            ("DELETE", "", _remove_connection(Side.SUPPLIER)),
            ("GET", "/resources/delegationcheck", check),
            ("POST", "/resources", delegate),
            ("GET", "/resources", _list_resources(Side.SUPPLIER)),
            ("DELETE", "/resources", _remove_resource(Side.SUPPLIER)),
        ),
        *guarded.table(
            f"{_BASE}consumers",
            ("GET", "", _list_connections(Side.CONSUMER)),
            ("DELETE", "", _remove_connection(Side.CONSUMER)),
            ("GET", "/resources", _list_resources(Side.CONSUMER)),
            ("DELETE", "/resources", _remove_resource(Side.CONSUMER)),
        ),
    ]


async def _party(system: AccessManagement, caller: Caller, query: Query, side: Side, action: str) -> UUID:
    """The party of the query, when the caller has the scope and may manage the party's API delegations."""
    require_scope(caller, access.PORTAL_SCOPE, side.scope(action))
    party = query.uuid("party")
    await access.require(system.authority, caller, action, access.API_DELEGATION, party)
    return party


async def _organisation(system: AccessManagement, party: UUID) -> PartyIdentity:
    """The party, which has to be an organisation (AM-00023)."""
    identity = (await system.by_uuid([party])).get(party)
    if identity is None or identity.kind is not PartyKind.ORGANISATION:
        raise AltinnProblemError(problems.PARTY_NOT_FOUND)
    return identity


async def _both(system: AccessManagement, party: UUID, query: Query, side: Side) -> tuple[PartyIdentity, PartyIdentity]:
    """The party of the query and the one on the other side: two organisations."""
    other = await system.organisation(query.required(side.value))
    known = (await system.by_uuid([party])).get(party)
    if known is None:
        raise problems.no_entity("from")
    if known.party_uuid == other.party_uuid:
        raise problems.to_itself("party", side.value)
    if known.kind is not PartyKind.ORGANISATION:
        raise problems.not_an_organisation("from")
    return known, other


async def _resource(system: AccessManagement, identifier: str) -> RegisteredResource:
    """The resource, which has to be an API."""
    resource = await system.resource(identifier)
    if resource is None:
        raise AltinnProblemError(problems.INVALID_RESOURCE)
    if resource.resource_type != MASKINPORTEN_SCHEMA:
        raise problems.wrong_resource_type(identifier)
    return resource


async def add_supplier(system: AccessManagement, caller: Caller, request: Request) -> Response:
    """Take an organisation up among the party's suppliers."""
    query = Query(request)
    party = await _party(system, caller, query, Side.SUPPLIER, "write")
    consumer, supplier = await _both(system, party, query, Side.SUPPLIER)
    connection = await system.service.connect(
        consumer.party_uuid, supplier.party_uuid, ConnectionRole.SUPPLIER, performer(caller)
    )
    return render.json(render.assignment(connection))


async def check(system: AccessManagement, caller: Caller, request: Request) -> Response:
    """May the caller delegate this API on behalf of the party?"""
    query = Query(request)
    party = await _party(system, caller, query, Side.SUPPLIER, "read")
    identifier = query.required("resource")
    consumer = await _organisation(system, party)
    resource = await system.resource(identifier)
    if resource is None or resource.resource_type != MASKINPORTEN_SCHEMA:
        raise AltinnProblemError(problems.INVALID_RESOURCE)
    checks = await access.delegable(system.authority, caller, resource, consumer.party_uuid, api=True)
    return render.json(render.check(resource, checks, language_of(request)))


async def delegate(system: AccessManagement, caller: Caller, request: Request) -> Response:
    """Delegate an API to a supplier that was added before: 200 ``true``."""
    query = Query(request)
    party = await _party(system, caller, query, Side.SUPPLIER, "write")
    consumer, supplier = await _both(system, party, query, Side.SUPPLIER)
    resource = await _resource(system, query.required("resource"))
    checks = await access.delegable(system.authority, caller, resource, consumer.party_uuid, api=True)
    rights = [one for one in checks if one.permitted]
    if not rights:
        raise AltinnProblemError(problems.NOT_AUTHORIZED if resource.delegable else problems.RESOURCE_NOT_DELEGABLE)
    offers = [
        api_offer(consumer, supplier, resource, actions, standing_on)
        for standing_on, actions in access.by_source(rights).items()
    ]
    try:
        await system.service.delegate_api(offers, performer(caller))
    except DelegationRefusedError as refusal:
        if refusal.reason != "not_connected":
            raise
        raise AltinnProblemError(problems.MISSING_CONNECTION) from refusal
    return render.json(True)


def _list_connections(side: Side) -> Endpoint:
    async def endpoint(system: AccessManagement, caller: Caller, request: Request) -> Response:
        query = Query(request)
        party = await _party(system, caller, query, side, "read")
        other = query.text(side.value)
        wanted = (await system.organisation(other)).party_uuid if other else None
        await _organisation(system, party)
        giver, receiver = side.ordered(party, wanted)
        found = await system.service.connections(giver=giver, receiver=receiver, role=ConnectionRole.SUPPLIER)
        return render.json(await _connections(system, side, found))

    return endpoint


async def _connections(system: AccessManagement, side: Side, found: tuple[Connection, ...]) -> list[render.Document]:
    others = [one.receiver if side is Side.SUPPLIER else one.giver for one in found]
    known = await system.by_uuid(others)
    role = render.connection_role(ConnectionRole.SUPPLIER)
    return [render.connection(known[other], [role]) for other in others if other in known]


def _remove_connection(side: Side) -> Endpoint:
    async def endpoint(system: AccessManagement, caller: Caller, request: Request) -> Response:
        query = Query(request)
        party = await _party(system, caller, query, side, "write")
        cascade = query.flag("cascade")
        known, other = await _both(system, party, query, side)
        giver, receiver = side.ordered(known.party_uuid, other.party_uuid)
        try:
            await system.service.part(giver, receiver, ConnectionRole.SUPPLIER, performer(caller), cascade=cascade)
        except DelegationRefusedError as refusal:
            if refusal.reason != "in_use":
                raise
            raise problems.still_in_use() from refusal
        return Response(status_code=204)

    return endpoint


def _list_resources(side: Side) -> Endpoint:
    async def endpoint(system: AccessManagement, caller: Caller, request: Request) -> Response:
        query = Query(request)
        party = await _party(system, caller, query, side, "read")
        other, identifier = query.text(side.value), query.text("resource")
        wanted = (await system.organisation(other)).party_uuid if other else None
        resource = await _resource(system, identifier) if identifier else None
        await _organisation(system, party)
        giver, receiver = side.ordered(party, wanted)
        found = await system.service.stored(
            giver=giver, receiver=receiver, resource=resource.identifier if resource else None
        )
        return render.json(await _permissions(system, found, language_of(request)))

    return endpoint


async def _permissions(
    system: AccessManagement, found: tuple[StoredRight, ...], language: str
) -> list[render.Document]:
    apis = [one.right for one in found if one.api is not None]
    resources = await system.resources.resources({one.resource for one in apis}) if apis else {}
    parties = await system.by_uuid(uuid for one in apis for uuid in (one.giver, one.receiver))
    role = render.connection_role(ConnectionRole.SUPPLIER)
    permissions: dict[str, list[render.Document]] = {}
    for one in apis:
        resource = resources.get(one.resource)
        if resource is None or resource.resource_type != MASKINPORTEN_SCHEMA:
            continue
        if one.giver in parties and one.receiver in parties:
            permission = render.permission(parties[one.giver], parties[one.receiver], role)
            permissions.setdefault(one.resource, []).append(permission)
    return [
        {"resource": render.resource(resources[identifier], language), "permissions": entries}
        for identifier, entries in permissions.items()
    ]


def _remove_resource(side: Side) -> Endpoint:
    async def endpoint(system: AccessManagement, caller: Caller, request: Request) -> Response:
        query = Query(request)
        party = await _party(system, caller, query, side, "write")
        known, other = await _both(system, party, query, side)
        resource = await _resource(system, query.required("resource"))
        giver, receiver = side.ordered(known.party_uuid, other.party_uuid)
        await system.service.withdraw(Selection(giver, receiver, resource.identifier), performer(caller))
        return Response(status_code=204)

    return endpoint

"""Connections: whom a party has let do something, and who has let it (altinn-authorization.md §14.2)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NoReturn
from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from fullmakt.altinn.delegations import access
from fullmakt.altinn.delegations.errors import DelegationRefusedError
from fullmakt.altinn.delegations.http import problems, render
from fullmakt.altinn.delegations.http.context import AccessManagement, Guarded, performer
from fullmakt.altinn.delegations.http.overview import Overview, overview
from fullmakt.altinn.delegations.model import ConnectionRole
from fullmakt.infra.altinn import require_scope
from fullmakt.infra.reading import Query, optional_body_of, text_of
from fullmakt.wire.altinn import attributes as ids
from fullmakt.wire.altinn.callers import Caller
from fullmakt.wire.altinn.parties import PartyIdentity, PartyKind
from fullmakt.wire.altinn.problems import AltinnProblemError

BASE = "/api/v1/enduser/connections"
_SCOPE = "altinn:accessmanagement/enduser:connections"


def routes(guarded: Guarded) -> list[Route]:
    """Connections themselves, and who can be chosen."""
    return guarded.table(
        BASE,
        ("GET", "", list_connections),
        ("POST", "", add),
        ("DELETE", "", remove),
        ("GET", "/users", list_users),
    )


@dataclass(frozen=True, slots=True)
class Ends:
    """Between whom: ``party``, which the caller acts for, is ``giver`` or ``receiver``; the other end may be open."""

    party: UUID
    giver: UUID | None
    receiver: UUID | None

    @property
    def to_others(self) -> bool:
        """True when the party is the one that gives."""
        return self.giver == self.party

    @property
    def both(self) -> tuple[UUID, UUID]:
        """Giver and receiver, where both are named."""
        if self.giver is None or self.receiver is None:
            raise problems.invalid_query(**{"from": _MATCH, "to": _MATCH})
        return self.giver, self.receiver


_MATCH = "Either the 'from' UUID or the 'to' UUID must match the 'party' UUID. Neither matches the 'party' UUID."


async def ends_of(system: AccessManagement, caller: Caller, query: Query, action: str, *, both: bool = False) -> Ends:
    """The ends of the query, when the caller has the scope and may manage the party's access.

    The scope for what the party gives is another than for what it is given.
    """
    party = query.uuid("party")
    giver, receiver = query.optional_uuid("from"), query.optional_uuid("to")
    if both:
        giver, receiver = query.uuid("from"), query.uuid("to")
    ends = Ends(party, giver, receiver)
    directions = [way for way, end in (("toothers", giver), ("fromothers", receiver)) if end == party]
    require_scope(caller, access.PORTAL_SCOPE, *(f"{_SCOPE}:{way}.{action}" for way in directions))
    if not directions:
        raise problems.invalid_query(**{"from": _MATCH, "to": _MATCH})
    await access.require(system.authority, caller, action, access.ACCESS_MANAGEMENT, party)
    return ends


async def giver_of(system: AccessManagement, caller: Caller, query: Query, action: str = "write") -> PartyIdentity:
    """The party of the query, which is to give something, or has given it, under the same conditions."""
    require_scope(caller, access.PORTAL_SCOPE, f"{_SCOPE}:toothers.{action}")
    party = query.uuid("party")
    await access.require(system.authority, caller, action, access.ACCESS_MANAGEMENT, party)
    identity = (await system.by_uuid([party])).get(party)
    if identity is None:
        raise problems.no_entity("party")
    return identity


async def list_connections(system: AccessManagement, caller: Caller, request: Request) -> Response:
    """Who has anything from the party, or from whom the party has anything."""
    query = Query(request)
    ends = await ends_of(system, caller, query, "read")
    found = await overview(system, ends.giver, ends.receiver, to_others=ends.to_others)
    shown = {
        "packages": query.flag("includeAccessPackages"),
        "resources": query.flag("includeResources"),
        "instances": query.flag("includeInstances"),
    }
    return render.listed([_document(one, shown) for one in found])


def _document(one: Overview, shown: dict[str, bool]) -> render.Document:
    return render.connection(
        one.other,
        [*map(render.connection_role, one.connections), *map(render.held_role, one.roles)],
        packages=[render.package(name, known) for name, known in one.packages] if shown["packages"] else [],
        resources=[render.resource(resource) for resource in one.resources] if shown["resources"] else [],
        instances=[
            {"resource": render.resource(resource), "instance": {"refId": instance}}
            for resource, instance in one.instances
        ]
        if shown["instances"]
        else [],
    )


async def add(system: AccessManagement, caller: Caller, request: Request) -> Response:
    """Take somebody up among those that the party gives to: 200 with the ids."""
    query = Query(request)
    giver = await giver_of(system, caller, query)
    receiver = await receiver_of(system, giver, query, request)
    connection = await system.service.connect(
        giver.party_uuid, receiver.party_uuid, ConnectionRole.RIGHTHOLDER, performer(caller)
    )
    return render.json(render.assignment(connection))


async def remove(system: AccessManagement, caller: Caller, request: Request) -> Response:
    """Let a right holder go, or let go oneself: 204."""
    query = Query(request)
    ends = await ends_of(system, caller, query, "write", both=True)
    cascade = query.flag("cascade")
    try:
        await system.service.part(*ends.both, ConnectionRole.RIGHTHOLDER, performer(caller), cascade=cascade)
    except DelegationRefusedError as refusal:
        _refuse(refusal)
    return Response(status_code=204)


def _refuse(refusal: DelegationRefusedError) -> NoReturn:
    if refusal.reason == "in_use":
        raise problems.assignment_active() from refusal
    raise refusal


async def list_users(system: AccessManagement, caller: Caller, request: Request) -> Response:
    """Those who can be chosen as receivers without being looked up anew."""
    giver = await giver_of(system, caller, Query(request))
    found = await overview(system, giver.party_uuid, None, to_others=True)
    return render.listed([{"party": render.party(one.other), "connections": []} for one in found])


async def receiver_of(system: AccessManagement, giver: PartyIdentity, query: Query, request: Request) -> PartyIdentity:
    """Who is to receive: ``to``, or a person by number and last name.

    A person who has nothing from the giver yet has to be named by both, so that nobody gives to a stranger by a slip.

    Raises:
        AltinnProblemError: a person is not named so (AM-00024), or there is nobody (AM-00023).
        AltinnValidationError: ``to`` is nobody, or the giver itself.
    """
    to = query.optional_uuid("to")
    body = await optional_body_of(request)
    if body is not None and "personidentifier" in body:
        return await _person(system, text_of(body, "personIdentifier"), text_of(body, "lastName"))
    if to is None:
        query.required("to")
    receiver = (await system.by_uuid([to])).get(to) if to is not None else None
    if receiver is None:
        raise problems.no_entity("to")
    if receiver.party_uuid == giver.party_uuid:
        raise problems.to_itself("party", "to")
    if receiver.kind is PartyKind.PERSON and not await is_connected(system, giver, receiver):
        raise AltinnProblemError(problems.PERSON_INPUT_REQUIRED)
    return receiver


async def is_connected(system: AccessManagement, giver: PartyIdentity, receiver: PartyIdentity) -> bool:
    """True when ``receiver`` is among the giver's right holders, or holds anything in it by the register."""
    if await system.service.connections(
        giver=giver.party_uuid, receiver=receiver.party_uuid, role=ConnectionRole.RIGHTHOLDER
    ):
        return True
    held = await system.parties.held(receiver.party_uuid, giver.party_uuid)
    return bool(held.roles or held.packages)


async def _person(system: AccessManagement, number: str, last_name: str) -> PartyIdentity:
    person = await system.party(ids.PERSON, number.strip())
    if person is None or not _is_called(person.name, last_name):
        raise AltinnProblemError(problems.PARTY_NOT_FOUND)
    return person


def _is_called(name: str, last_name: str) -> bool:
    """True when the name ends so: "van Dyk" is a last name too."""
    words, last = name.casefold().split(), last_name.casefold().split()
    return bool(last) and words[-len(last) :] == last

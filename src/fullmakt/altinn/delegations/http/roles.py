"""Roles of the register, which nobody gives or takes back here (altinn-authorization.md §14.2)."""

from __future__ import annotations

from typing import NoReturn

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from fullmakt.altinn.delegations import access
from fullmakt.altinn.delegations.http import problems, render
from fullmakt.altinn.delegations.http.connections import BASE, ends_of, giver_of
from fullmakt.altinn.delegations.http.context import AccessManagement, Guarded
from fullmakt.altinn.delegations.http.overview import REGISTER_ROLES, overview
from fullmakt.infra.reading import Query
from fullmakt.wire.altinn import attributes as ids
from fullmakt.wire.altinn.attributes import Attribute
from fullmakt.wire.altinn.callers import Caller
from fullmakt.wire.altinn.parties import PartyIdentity

_SPELLED_TODAY = REGISTER_ROLES | {ids.ROLE}


def routes(guarded: Guarded) -> list[Route]:
    """The routes."""
    return guarded.table(
        f"{BASE}/roles", ("GET", "", list_roles), ("DELETE", "", take), ("GET", "/delegationcheck", check)
    )


async def list_roles(system: AccessManagement, caller: Caller, request: Request) -> Response:
    """Roles of the register, and who holds them."""
    ends = await ends_of(system, caller, Query(request), "read")
    found = await overview(system, ends.giver, ends.receiver, to_others=ends.to_others)
    me = (await system.by_uuid([ends.party])).get(ends.party)
    documents: dict[str, render.Document] = {}
    if me is None:
        raise problems.no_entity("party")
    for one in found:
        giver, receiver = (me, one.other) if ends.to_others else (one.other, me)
        for role in one.roles:
            document = render.held_role(role)
            entry = documents.setdefault(role.urn, {"role": document, "permissions": []})
            entry["permissions"].append(render.permission(giver, receiver, document))
    return render.listed(list(documents.values()))


async def take(system: AccessManagement, caller: Caller, request: Request) -> NoReturn:
    """A role is the register's to take back: 404, as the real one answers."""
    query = Query(request)
    giver = await giver_of(system, caller, query)
    query.uuid("to")
    told = {"role": (query.text("roleCode") or "")[:255]}
    await system.service.work.refused(caller.actor, "role:take", str(giver.party_uuid), "role_of_the_register", **told)
    raise HTTPException(404)


async def check(system: AccessManagement, caller: Caller, request: Request) -> Response:
    """The roles that the caller has in the party, each with how."""
    giver = await giver_of(system, caller, Query(request))
    (subject,) = access.subject_of(caller)
    me = (await system.parties.identify([subject])).get(subject)
    if me is None:
        return render.listed([])
    held = await system.parties.held(me.party_uuid, giver.party_uuid)
    roles = sorted(role for role in held.roles if role.id in _SPELLED_TODAY)
    return render.listed([_checked(role, giver, me) for role in roles])


def _checked(role: Attribute, giver: PartyIdentity, holder: PartyIdentity) -> render.Document:
    document = render.held_role(role)
    reason = {
        "description": "RoleAccess",
        "roleId": document["id"],
        "roleUrn": document["urn"],
        "fromId": str(giver.party_uuid),
        "fromName": giver.name,
        "toId": str(holder.party_uuid),
        "toName": holder.name,
        "viaId": None,
        "viaName": None,
        "viaRoleId": None,
        "viaRoleUrn": None,
    }
    return {"role": document, "result": True, "reasons": [reason]}

"""Agents' clients, for the portal and for end-user systems (altinn-authentication.md §11)."""

from __future__ import annotations

from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from fullmakt.altinn.systemusers import errors
from fullmakt.altinn.systemusers.http import documents as write
from fullmakt.altinn.systemusers.http import reading
from fullmakt.altinn.systemusers.http.door import CLIENTS_READ, CLIENTS_WRITE, ENDUSER, Door, Endpoint, json
from fullmakt.altinn.systemusers.users.agents import Agents
from fullmakt.altinn.systemusers.users.model import SystemUser
from fullmakt.infra.reading import Query
from fullmakt.wire.altinn.callers import Caller
from fullmakt.wire.altinn.problems import AltinnProblemError, AltinnValidationError, BindingError, ValidationFault

PORTAL = "/api/v1/systemuser/agent"
PUBLIC = "/api/v1/enduser/systemuser"


def portal_routes(door: Door, agents: Agents) -> list[BaseRoute]:
    """The portal's routes; they go before those with a system user's id after the party."""
    portal = _Portal(agents)

    def route(method: str, path: str, endpoint: Endpoint, verb: str) -> BaseRoute:
        return door.route(method, f"{PORTAL}{path}", endpoint, ENDUSER, refused=f"agent-client:{verb}")

    return [
        route("GET", "/{party:int}/clients", portal.clients, "read"),
        route("GET", "/{party:int}/{facilitator}/{id}/delegations", portal.delegations, "read"),
        route("POST", "/{party:int}/{id}/self", portal.give_itself, "give"),
        route("DELETE", "/{party:int}/{id}/self", portal.take_itself, "take"),
        route("GET", "/{party:int}/{id}/self", portal.itself, "read"),
        route("DELETE", "/{party:int}/{id}/client", portal.take, "take"),
        route("POST", "/{party:int}/{id}", portal.give, "give"),
    ]


def public_routes(door: Door, agents: Agents) -> list[BaseRoute]:
    """The routes of end-user systems."""
    public = _Public(agents)

    def route(method: str, path: str, endpoint: Endpoint, verb: str, scope: str) -> BaseRoute:
        return door.route(method, f"{PUBLIC}{path}", endpoint, scope, refused=f"agent-client:{verb}")

    return [
        route("GET", "/agents", public.agents, "read", CLIENTS_READ),
        route("GET", "/clients/available", public.available, "read", CLIENTS_READ),
        route("GET", "/clients", public.clients, "read", CLIENTS_READ),
        route("POST", "/clients", public.give, "give", CLIENTS_WRITE),
        route("DELETE", "/clients", public.take, "take", CLIENTS_WRITE),
    ]


class _Portal:
    def __init__(self, agents: Agents) -> None:
        self._agents = agents

    async def clients(self, request: Request, caller: Caller) -> Response:
        named = Query(request).optional_uuid("facilitator")
        facilitator = await self._agents.facilitator(request.path_params["party"], named, caller)
        packages = reading.package_names(request, "packages")
        found = await self._agents.clients_of_facilitator(facilitator, packages)
        return json([write.portal_client(client) for client in found])

    async def delegations(self, request: Request, caller: Caller) -> Response:
        facilitator = reading.path_uuid(request, "facilitator")
        party = await self._agents.facilitator(request.path_params["party"], facilitator, caller)
        agent = await self._agents.seen_by(party, reading.path_uuid(request, "id"), caller)
        found = await self._agents.clients_of(agent)
        return json([{"agentSystemUserId": str(agent.system_user_id), **write.portal_client(one)} for one in found])

    async def give(self, request: Request, caller: Caller) -> Response:
        agent, client = await self._agent_and_client(request, caller)
        await self._agents.give(agent, client, caller)
        return json({"agent": str(agent.system_user_id), "client": str(client)})

    async def take(self, request: Request, caller: Caller) -> Response:
        agent, client = await self._agent_and_client(request, caller)
        if not await self._agents.take(agent, client, caller):
            raise AltinnProblemError(errors.DELEGATION_NOT_FOUND)
        return json(True)

    async def give_itself(self, request: Request, caller: Caller) -> Response:
        agent = await self._itself(request, caller)
        await self._agents.give_itself(agent, caller)
        return json({"agent": str(agent.system_user_id), "client": str(agent.owner.party_uuid)})

    async def take_itself(self, request: Request, caller: Caller) -> Response:
        agent = await self._itself(request, caller)
        if not await self._agents.take(agent, agent.owner.party_uuid, caller):
            raise AltinnProblemError(errors.DELEGATION_NOT_FOUND)
        return json(True)

    async def itself(self, request: Request, caller: Caller) -> Response:
        agent = await self._itself(request, caller)
        found = await self._agents.clients_of(agent)
        return json([write.portal_client(one) for one in found if one.party_uuid == agent.owner.party_uuid])

    async def _itself(self, request: Request, caller: Caller) -> SystemUser:
        facilitator = Query(request).optional_uuid("partyUuid")
        return await self._agent(request, facilitator, caller)

    async def _agent_and_client(self, request: Request, caller: Caller) -> tuple[SystemUser, UUID]:
        client = Query(request).uuid("client")
        return await self._agent(request, Query(request).optional_uuid("provider"), caller), client

    async def _agent(self, request: Request, facilitator: UUID | None, caller: Caller) -> SystemUser:
        party, system_user_id = request.path_params["party"], reading.path_uuid(request, "id")
        return await self._agents.of_party(party, system_user_id, facilitator, caller)


class _Public:
    def __init__(self, agents: Agents) -> None:
        self._agents = agents

    async def agents(self, request: Request, caller: Caller) -> Response:
        found = await self._agents.owned_by(reading.required_query(request, "party"), caller)
        return json([write.of_party(user) for user in found])

    async def available(self, request: Request, caller: Caller) -> Response:
        agent = await self._agents.by_id(_named(request, "agent", errors.AGENT_MISSING), caller, "read")
        return json(write.clients_of(agent, await self._agents.available_to(agent)))

    async def clients(self, request: Request, caller: Caller) -> Response:
        agent = await self._agents.by_id(_named(request, "agent", errors.AGENT_MISSING), caller, "read")
        return json(write.clients_of(agent, await self._agents.clients_of(agent)))

    async def give(self, request: Request, caller: Caller) -> Response:
        agent, client = await self._both(request, caller)
        await self._agents.give(agent, client, caller)
        return json({"agent": str(agent.system_user_id), "client": str(client)})

    async def take(self, request: Request, caller: Caller) -> Response:
        agent, client = await self._both(request, caller)
        await self._agents.take(agent, client, caller)
        return json({"agent": str(agent.system_user_id), "client": str(client)})

    async def _both(self, request: Request, caller: Caller) -> tuple[SystemUser, UUID]:
        system_user_id = _named(request, "agent", errors.AGENT_MISSING)
        client = _named(request, "client", errors.CLIENT_MISSING)
        return await self._agents.by_id(system_user_id, caller, "write"), client


def _named(request: Request, name: str, fault: ValidationFault) -> UUID:
    """A UUID in the query.

    Raises:
        AltinnValidationError: with ``fault``: it is missing, or none.
    """
    try:
        found = Query(request).optional_uuid(name)
    except BindingError:
        found = None
    if found is None:
        raise AltinnValidationError(fault)
    return found

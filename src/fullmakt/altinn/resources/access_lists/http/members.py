"""Endpoints of a list's members (§10)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from fullmakt.altinn.resources.access_lists.http import paging
from fullmakt.altinn.resources.access_lists.http.binding import members_of
from fullmakt.altinn.resources.access_lists.http.conditions import read_conditions
from fullmakt.altinn.resources.access_lists.http.gate import Gate
from fullmakt.altinn.resources.access_lists.http.render import member_document, not_modified, page_document, tagged
from fullmakt.altinn.resources.access_lists.model import Conditions, ListReference, Member, NotModified, Page
from fullmakt.altinn.resources.access_lists.service import AccessLists
from fullmakt.altinn.resources.access_lists.store.reading import FIRST
from fullmakt.altinn.resources.http.routing import route
from fullmakt.infra.reading import body_of
from fullmakt.wire.altinn.attributes import Attribute

Write = Callable[[str, ListReference, list[Attribute], Conditions], Awaitable[Page[Member]]]


class MemberEndpoints:
    """``/{owner}/{identifier}/members``."""

    def __init__(self, service: AccessLists, gate: Gate, links: paging.Links) -> None:
        self._members = service.members
        self._gate = gate
        self._links = links
        path = f"{paging.PATH}/{{owner}}/{{identifier}}/members"
        self.routes: list[Route] = [
            route(path, GET=self.page, PUT=self.replace, POST=self.add, DELETE=self.remove),
        ]

    async def page(self, request: Request) -> Response:
        """A hundred members. Who pages on gets 412 when the list has changed since the first page."""
        entry = await self._gate.enter(request)
        place = paging.place(request)
        conditions = replace(read_conditions(request.headers), page_of=place.version if place else None)
        found = await self._members.page(entry.reference, paging.party_of(place) or FIRST, conditions)
        return not_modified(found.of) if isinstance(found, NotModified) else self._answer(found)

    async def replace(self, request: Request) -> Response:
        """Let the parties, and no others, be members."""
        return await self._write(request, self._members.replace)

    async def add(self, request: Request) -> Response:
        """Let the parties be members too."""
        return await self._write(request, self._members.add)

    async def remove(self, request: Request) -> Response:
        """Let none of the parties be a member; they are in the body, also of DELETE."""
        return await self._write(request, self._members.remove)

    async def _write(self, request: Request, write: Write) -> Response:
        entry = await self._gate.enter(request, writing=True)
        conditions, parties = read_conditions(request.headers), members_of(await body_of(request))
        return self._answer(await write(entry.actor, entry.reference, parties, conditions))

    def _answer(self, page: Page[Member]) -> Response:
        following = None
        if page.following is not None:
            token = paging.token_of_place(page.of.version, str(page.following.party))
            following = self._links.to(*page.of.reference, "members", token=token)
        return tagged(page.of, page_document(paging.links(following), map(member_document, page.items)))

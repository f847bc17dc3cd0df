"""The OpenID AuthZEN Authorization API 1.0. Errors are a text, with 400, 401 or 403 (§12 of the specification)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from typing import Any
from uuid import UUID

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from fullmakt.altinn.decisions.errors import RefusedQuestionError
from fullmakt.altinn.decisions.http.exchange import JSON_HEADERS, Answer, Header, Post, StrictJsonError
from fullmakt.altinn.decisions.http.gateway import AUTHORIZE_ADMIN, Gateway
from fullmakt.altinn.decisions.model import Decision
from fullmakt.altinn.decisions.searching import Found, Page
from fullmakt.altinn.decisions.service import DecisionPoint
from fullmakt.wire import authzen
from fullmakt.wire.altinn import attributes as ids
from fullmakt.wire.altinn.attributes import Attribute
from fullmakt.wire.altinn.xacml_json import RequestCategory

_TEXT_HEADERS: tuple[Header, ...] = ((b"content-type", b"text/plain; charset=utf-8"),)
_REQUEST_ID = "x-request-id"


def _request_id(post: Post) -> tuple[Header, ...]:
    """The caller's own name for the request comes back with the answer."""
    value = post.headers.get(_REQUEST_ID)
    return ((_REQUEST_ID.encode(), value.encode("latin-1")),) if value else ()


Work = Callable[[Any, str], Awaitable[Any]]
"""A document and who asks → the document of the answer."""


class AuthZenEndpoints:
    """The same decisions, in AuthZEN's words."""

    def __init__(self, service: DecisionPoint, gateway: Gateway) -> None:
        self._service = service
        self._gateway = gateway
        self._metadata = authzen.metadata_document(service.config.url)

    async def metadata(self, _request: Request) -> Response:
        """``GET /.well-known/authzen-configuration``."""
        return JSONResponse(self._metadata, headers={"Cache-Control": "public, max-age=300"})

    async def evaluation(self, post: Post) -> Answer:
        """One question, one answer."""

        async def work(document: Any, actor: str) -> Any:
            decisions = await self._service.decide_each([authzen.read_evaluation(document)], actor=actor)
            return self._rendered(decisions[0])

        return await self._served(post, "evaluation", work)

    async def evaluations(self, post: Post) -> Answer:
        """Several questions, answered until the semantic says that the rest does not matter."""

        async def work(document: Any, actor: str) -> Any:
            asked = authzen.read_evaluations(document)
            decisions = await self._service.decide_each(
                asked.parts, actor=actor, last=lambda one: asked.semantic.ends_with(permitted=one.permitted)
            )
            answers = [self._rendered(decision) for decision in decisions]
            return answers[0] if asked.single else {"evaluations": answers}

        return await self._served(post, "evaluations", work)

    async def search_subject(self, post: Post) -> Answer:
        """Who may do it? As ``who-can`` it names others, and needs the admin scope."""

        async def work(document: Any, actor: str) -> Any:
            search = authzen.read_search(document, "subject")
            action, resource = search.given(ids.ACTION), search.given(ids.RESOURCE)
            party = await self._party(search.resource)
            found = await self._service.subjects_for(
                search.wanted, action, resource, party, search.part, _page(search), actor=actor
            )
            return _results(search, found, [{"type": search.wanted_type, "id": name} for name in found.permitted])

        return await self._served(post, "search/subject", work, AUTHORIZE_ADMIN)

    async def search_resource(self, post: Post) -> Answer:
        """On what may the subject do it?"""

        async def work(document: Any, actor: str) -> Any:
            search = authzen.read_search(document, "resource")
            subject, action = list(search.subject.attributes), search.given(ids.ACTION)
            party = await self._party(search.resource)
            found = await self._service.resources_for(subject, action, party, search.part, _page(search), actor=actor)
            return _results(search, found, [{"type": search.wanted_type, "id": name} for name in found.permitted])

        return await self._served(post, "search/resource", work)

    async def search_action(self, post: Post) -> Answer:
        """What may the subject do with it?"""

        async def work(document: Any, actor: str) -> Any:
            search = authzen.read_search(document, "action")
            subject, resource = list(search.subject.attributes), search.given(ids.RESOURCE)
            party = await self._party(search.resource)
            found = await self._service.actions_for(subject, resource, party, search.part, _page(search), actor=actor)
            return _results(search, found, [{"name": name} for name in found.permitted])

        return await self._served(post, "search/action", work)

    def _rendered(self, decision: Decision) -> dict[str, Any]:
        reason = str(decision.reason) if self._service.config.explain else None
        return authzen.evaluation_response(decision.result, reason=reason)

    async def _party(self, resource: RequestCategory) -> UUID:
        party = await self._service.identify_party(_attributes([resource]))
        if party is None:
            raise authzen.InvalidAuthZenRequestError("resource.properties.party names no party that is known")
        return party.party_uuid

    async def _served(self, post: Post, endpoint: str, work: Work, *scopes: str) -> Answer:
        caller = await self._gateway.outside(post.headers, endpoint, *scopes)
        extra = _request_id(post)
        try:
            if post.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
                raise authzen.InvalidAuthZenRequestError("Content-Type is application/json")
            given = Answer.json(await work(post.json(), caller.actor))
        except StrictJsonError as error:
            return Answer(f"the body is not JSON that can be read: {error}".encode(), 400, _TEXT_HEADERS + extra)
        except (authzen.InvalidAuthZenRequestError, RefusedQuestionError) as error:
            return Answer(str(error).encode(), 400, _TEXT_HEADERS + extra)
        given.headers = JSON_HEADERS + extra
        return given


def _attributes(categories: Iterable[RequestCategory]) -> list[Attribute]:
    return [Attribute(one.id, one.value) for category in categories for one in category.attributes]


def _page(search: authzen.Search) -> Page:
    return Page(search.after, search.limit)


def _results(search: authzen.Search, found: Found, results: list[dict[str, str]]) -> dict[str, Any]:
    return authzen.search_response(search, results, found.last, whole=found.first and found.last is None)

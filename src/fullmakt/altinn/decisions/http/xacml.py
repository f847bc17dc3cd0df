"""Decisions over XACML (§1, §4, §5): a decision is always 200, also one that could not be made."""

from __future__ import annotations

from functools import lru_cache

import orjson

from fullmakt.altinn.decisions.http.exchange import Answer, Post, StrictJsonError
from fullmakt.altinn.decisions.http.gateway import Gateway
from fullmakt.altinn.decisions.model import Decision
from fullmakt.altinn.decisions.service import DecisionPoint
from fullmakt.wire.altinn.problems import BindingError
from fullmakt.wire.altinn.xacml_json import (
    DecisionRequest,
    MalformedRequestError,
    Result,
    UndecidableRequestError,
    read_request,
    response_document,
)
from fullmakt.wire.altinn.xacml_xml import read_request_xml, response_xml

_XML_HEADERS = ((b"content-type", b"application/xml; charset=utf-8"),)
_MAX_ATTRIBUTES = 100_000
"""In all parts of a request together; an attribute counts in each part that refers to it."""
_REFERENCES = "Request.MultiRequests.RequestReference"


@lru_cache(maxsize=1_024)
def _same_for_many(result: Result) -> bytes:
    """The answer to one question; nearly all answers are one of a few."""
    return orjson.dumps(response_document([result]))


def _json(decisions: list[Decision]) -> Answer:
    if len(decisions) == 1 and not decisions[0].echo:
        return Answer(_same_for_many(decisions[0].result))
    return Answer.json(response_document([decision.result for decision in decisions]))


def _bound(post: Post) -> DecisionRequest:
    """The request of an external caller; what is not even the shape of one is 400."""
    try:
        return read_request(post.json())
    except StrictJsonError as error:
        raise BindingError({"$": [f"The body is not JSON that can be read: {error}"]}) from error
    except MalformedRequestError as error:
        raise BindingError({error.path: [error.message]}) from error


class XacmlEndpoints:
    """``authorize`` for the outside, ``decision`` for the inside, ``explain`` for developers."""

    def __init__(self, service: DecisionPoint, gateway: Gateway) -> None:
        self._service = service
        self._gateway = gateway

    async def authorize(self, post: Post) -> Answer:
        """JSON in, JSON out; person numbers are taken."""
        caller = await self._gateway.outside(post.headers, "authorize")
        try:
            request = _bound(post)
        except UndecidableRequestError as error:
            return _json([await self._service.undecidable(str(error), actor=caller.actor)])
        self._bounded(request)
        return _json(await self._service.decide(request, actor=caller.actor))

    async def decision(self, post: Post) -> Answer:
        """JSON or XML, by the content type; the answer is in the same."""
        actor = await self._gateway.inside(post.headers, "decision")
        in_xml = "xml" in post.headers.get("content-type", "").lower()
        try:
            request = read_request_xml(post.body) if in_xml else read_request(post.json())
        except (StrictJsonError, MalformedRequestError, UndecidableRequestError) as error:
            decisions = [await self._service.undecidable(str(error), actor=actor)]
        else:
            self._bounded(request)
            decisions = await self._service.decide(request, actor=actor, external=False)
        if in_xml:
            return Answer(response_xml([decision.result for decision in decisions]), headers=_XML_HEADERS)
        return _json(decisions)

    async def explain(self, post: Post) -> Answer:
        """The same request as ``authorize``: ``{"explanations": […]}``, one for each part (``explaining.py``)."""
        caller = await self._gateway.outside(post.headers, "explain")
        try:
            request = _bound(post)
            self._bounded(request)
            return Answer.json({"explanations": await self._service.explain(request, actor=caller.actor)})
        except UndecidableRequestError as error:
            raise BindingError({"Request": [str(error)]}) from error

    def _bounded(self, request: DecisionRequest) -> None:
        limit = self._service.config.max_parts
        if len(request.references) > limit:
            raise BindingError({_REFERENCES: [f"at most {limit} in one request, not {len(request.references)}"]})
        sizes = {category.id: len(category.attributes) for category in request.categories}
        total = sum(sizes.get(name, 0) for names in request.references for name in names)
        if total > _MAX_ATTRIBUTES:
            raise BindingError({_REFERENCES: [f"at most {_MAX_ATTRIBUTES} attributes in all parts, not {total}"]})

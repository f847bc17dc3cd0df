"""What must be true of every answer to garbage, whoever made the garbage: a property test or the fuzz target."""

from __future__ import annotations

import re

import httpx2

from fullmakt.kernel.trace import Trace
from fullmakt.wire.maskinporten.errors import CATALOGUE
from fullmakt.wire.maskinporten.grant import GRANT_TYPE
from tests.support.token_nodes import FORM, Node, body_of, events, used_grants
from tests.support.tokens import ISSUER

_DESCRIPTION = re.compile(r".+ \(trace_id: ([0-9a-f]{32})\)", re.DOTALL)


def check_refusal(answer: httpx2.Response, trace: Trace) -> str:
    """Assert that an answer is a refusal in the protocol's form (maskinporten.md §6.1); returns its text."""
    body = body_of(answer)
    assert body.keys() <= {"error", "error_description", "error_uri"}, body
    described = _DESCRIPTION.fullmatch(body["error_description"])
    assert described, body
    assert described[1] == trace.trace_id
    uri = body.get("error_uri")
    kinds = {
        (entry.status, entry.error, f"{ISSUER}errors/{entry.code}" if entry.code else None)
        for entry in CATALOGUE.values()
        if entry.status in (400, 403)
    }
    assert (answer.status_code, body["error"], uri) in kinds, answer.text[:500]
    assert answer.headers["content-type"] == "application/json;charset=UTF-8"
    assert answer.headers["cache-control"] == "no-store"
    return str(body["error_description"])


class Prober:
    """Sends garbage to a node and checks what comes back and what was written."""

    def __init__(self, server: Node) -> None:
        self._server = server

    async def send(self, form: bytes, content_type: str | None = FORM["content-type"]) -> httpx2.Response:
        """Post bytes, and assert that they were refused, once, in the right form, with nothing claimed."""
        trace = Trace.start()
        headers = {"traceparent": trace.traceparent}
        if content_type is not None:
            headers["content-type"] = content_type
        claimed = await used_grants(self._server.database)
        answer = await self._server.http.post("/token", content=form, headers=headers)
        check_refusal(answer, trace)
        [event] = await events(self._server.database, trace.trace_id)
        assert event["outcome"] == "deny"
        assert await used_grants(self._server.database) == claimed
        return answer

    async def refuse(self, assertion: str, *, authentic: bool = False) -> str:
        """Post a grant, and assert that it was refused; returns the text.

        An ``authentic`` grant, well signed though wrong, may be used up; no other may.
        """
        trace = Trace.start()
        claimed = await used_grants(self._server.database)
        answer = await self._server.http.post(
            "/token",
            data={"grant_type": GRANT_TYPE, "assertion": assertion},
            headers={"traceparent": trace.traceparent},
        )
        text = check_refusal(answer, trace)
        [event] = await events(self._server.database, trace.trace_id)
        assert (event["outcome"], CATALOGUE[event["reason"]].status) == ("deny", answer.status_code)
        assert await used_grants(self._server.database) - claimed in ({0, 1} if authentic else {0})
        return text

"""What no use case has said is told in the form of what the route says otherwise (consent.md §2.2, §2.8)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import httpx2
import pytest
from lxml import etree

from fullmakt.infra.database import Database
from fullmakt.infra.http import MAX_BODY_BYTES
from fullmakt.infra.unavailable import NeighbourUnavailableError
from fullmakt.wire.altinn.callers import Caller
from tests.support.consents_altinn2 import BANK, OWNER, REQUESTS, TOKEN, Altinn2World, body

CODE = "0b8b5a3e-52a6-4a75-9b1a-0c9c7f3a3a11"


@pytest.fixture
async def world(database: Database) -> AsyncIterator[Altinn2World]:
    world = await Altinn2World(database).begin()
    yield world
    await world.close()


def told(answer: httpx2.Response) -> list[str]:
    """The codes of an array of errors, each with a text."""
    assert all(one.keys() == {"ErrorCode", "ErrorMessage"} and one["ErrorMessage"] for one in answer.json())
    return [one["ErrorCode"] for one in answer.json()]


async def in_pieces() -> AsyncIterator[bytes]:
    for _ in range(3):
        yield b" " * (MAX_BODY_BYTES // 2)


@pytest.mark.parametrize("content", [" " * (MAX_BODY_BYTES + 1), in_pieces], ids=["told_ahead", "in_pieces"])
@pytest.mark.parametrize("path", [REQUESTS, f"{TOKEN}/{CODE}/loguse"], ids=["request", "use"])
async def test_a_body_that_is_too_large_is_told_in_the_array(world: Altinn2World, path: str, content: Any) -> None:
    sent = content() if callable(content) else content
    answer = await world.send(BANK, "POST", path, content=sent, headers={"content-type": "application/json"})
    assert (answer.status_code, told(answer)) == (413, ["90000"])


async def test_a_body_of_another_kind_is_told_in_the_array(world: Altinn2World) -> None:
    answer = await world.send(BANK, "POST", REQUESTS, content="x", headers={"content-type": "text/plain"})
    assert (answer.status_code, told(answer)) == (415, ["90000"])
    assert answer.headers["content-type"] == "application/hal+json; charset=utf-8"


async def test_it_is_told_in_xml_where_that_is_asked_for(world: Altinn2World) -> None:
    headers = {"content-type": "text/plain", "Accept": "application/xml"}
    answer = await world.send(BANK, "POST", REQUESTS, content="x", headers=headers)
    root = etree.fromstring(answer.content)
    assert (answer.status_code, root.tag, root.findtext("Item/ErrorCode")) == (415, "Errors", "90000")


async def test_a_method_that_is_none_is_told_in_the_array_with_those_that_are(world: Altinn2World) -> None:
    answer = await world.send(BANK, "PUT", f"{REQUESTS}/{CODE}", json=body())
    assert (answer.status_code, told(answer)) == (405, ["90000"])
    assert "GET" in answer.headers["allow"]


async def test_a_path_that_is_none_is_told_in_text(world: Altinn2World) -> None:
    answer = await world.send(BANK, "GET", "/api/nothing")
    assert (answer.status_code, answer.headers["content-type"]) == (404, "text/plain; charset=utf-8")


class Away(dict[str, Caller]):
    """Tokens whose issuer is out of reach."""

    def __contains__(self, _token: object) -> bool:
        raise NeighbourUnavailableError("the issuer's keys are not to be had")


async def test_that_a_neighbour_is_away_is_told_as_the_route_tells_things(world: Altinn2World) -> None:
    world.callers.known = Away()
    for who, method, path in (
        (BANK, "POST", REQUESTS),
        (BANK, "GET", REQUESTS),
        (OWNER, "GET", "/api/serviceowner/consents?serviceCode=5498&serviceEditionCode=1"),
        (BANK, "DELETE", f"{TOKEN}/{CODE}"),
    ):
        answer = await world.send(who, method, path)
        assert (answer.status_code, told(answer), answer.headers["retry-after"]) == (503, ["90012"], "1")
    answer = await world.send(BANK, "GET", f"{TOKEN}/{CODE}")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"


async def test_what_goes_wrong_here_is_told_in_the_array_with_the_trace_alone(world: Altinn2World) -> None:
    class Broken(dict[str, Caller]):
        def __contains__(self, token: object) -> bool:
            raise RuntimeError(f"no idea of {token}")

    world.callers.known = Broken()
    answer = await world.send(BANK, "GET", REQUESTS, token="hemmelig")
    assert (answer.status_code, told(answer)) == (500, ["90012"])
    assert "trace_id" in answer.text
    assert "hemmelig" not in answer.text

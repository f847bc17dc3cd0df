"""Grants signed ahead, and many of them posted at once."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import httpx2

from fullmakt.cli.profile import credentials_of, profile_of
from fullmakt.client import TokenRequest, build_grant, grant_form
from fullmakt.kernel.clock import new_uuid, system_clock
from tests.support.running import Running


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of a grant: ``status`` is None when nothing did."""

    grant: str
    status: int | None
    trace_id: str = ""
    body: str = ""


@dataclass(frozen=True, slots=True)
class Interruption:
    """What to do when so many tokens have come."""

    after: int
    act: Callable[[], object]


def grants(server: Running, count: int, *, client: str = "demo-bank", scope: str = "fullmakt:whoami") -> list[str]:
    """So many grants, each good for one token."""
    credentials = credentials_of(server.state, profile_of(server.state, client), server.issuer)
    request = TokenRequest.of(scope)
    now = system_clock()
    return [build_grant(credentials, request, audience=server.issuer, now=now, jti=new_uuid()) for _ in range(count)]


async def post(http: httpx2.AsyncClient, server: Running, grant: str) -> Answer:
    """Post one grant."""
    try:
        response = await http.post(f"{server.issuer}token", data=grant_form(grant))
    except httpx2.HTTPError:
        return Answer(grant, None)
    trace_id = response.headers["traceparent"].split("-")[1]
    return Answer(grant, response.status_code, trace_id, response.text)


async def post_all(
    server: Running, signed: Iterable[str], *, at_once: int = 16, interrupt: Interruption | None = None
) -> Sequence[Answer]:
    """Post all of them, so many at once, each over a connection of its own; the answers in their order."""
    room = asyncio.Semaphore(at_once)
    tokens = itertools.count(1)

    async def one(http: httpx2.AsyncClient, grant: str) -> Answer:
        async with room:
            answer = await post(http, server, grant)
            if interrupt and answer.status == 200 and next(tokens) == interrupt.after:
                interrupt.act()
            return answer

    limits = httpx2.Limits(max_connections=at_once, max_keepalive_connections=at_once)
    async with httpx2.AsyncClient(limits=limits, timeout=20) as http:
        return await asyncio.gather(*(one(http, grant) for grant in signed))

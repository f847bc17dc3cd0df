"""Signing keys rotate, and no API that caches the key set as it is told ever notices."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

import httpx2

from fullmakt.infra.database import Database
from fullmakt.kernel.clock import FixedClock
from fullmakt.provider import RemoteKeys, TokenVerifier
from tests.support.token_nodes import Node, body_of, node
from tests.support.tokens import CLIENT_ID, ISSUER, NOW, SCOPE, RegistryRows, claims_of, header_of, key_number, sign

DAY = 24
HOURS_OF_ROTATION = (30, 66, 67)
"""Once, and then twice in a row."""
STEP = 3


class Api:
    """An API that verifies tokens with keys fetched over HTTP; it notes when it had to ask out of turn."""

    def __init__(self, server: Node, clock: FixedClock) -> None:
        self.fetched: list[httpx2.Request] = []

        async def note(request: httpx2.Request) -> None:
            self.fetched.append(request)

        self._http = httpx2.AsyncClient(transport=server.http._transport, event_hooks={"request": [note]})
        self._verifier = TokenVerifier(ISSUER, keys=RemoteKeys(ISSUER, http=self._http, clock=clock), clock=clock)

    async def accept(self, token: str) -> None:
        verified = await self._verifier.verify(token, scopes=[SCOPE])
        assert verified.client_id == CLIENT_ID

    @property
    def asked_out_of_turn(self) -> bool:
        return any(request.headers.get("cache-control") == "no-cache" for request in self.fetched)


def hours(clock: FixedClock, until: int) -> Iterator[int]:
    for hour in range(until):
        clock.at = NOW + dt.timedelta(hours=hour)
        yield hour


async def test_an_api_that_caches_the_key_set_as_told_sees_no_failure(database_url: str, database: Database) -> None:
    clock = FixedClock(NOW)
    rows = RegistryRows(database)
    await rows.scope(at_max_age=DAY * 3600)
    await rows.client(keys=[])
    await rows.key(CLIENT_ID, key_number(1), expires=int(NOW.timestamp()) + 10**7)
    live: list[tuple[int, str]] = []
    signed_by: list[str] = []
    async with node(database_url, clock=clock) as server, node(database_url, clock=clock) as operator:
        apis: list[Api] = []
        for hour in hours(clock, 7 * DAY):
            if hour in HOURS_OF_ROTATION:
                await operator.signing_keys.rotate()
            if hour % STEP:
                continue
            answer = await server.post(sign(claims_of(int(clock().timestamp()))))
            token = body_of(answer)["access_token"]
            signed_by.append(header_of(token)["kid"])
            live = [(since, one) for since, one in live if hour - since < DAY] + [(hour, token)]
            if hour % (4 * STEP) == 0 and hour < 4 * DAY:
                apis.append(Api(server, clock))
            for api in apis:
                for _, one in live:
                    await api.accept(one)
        assert len(set(signed_by)) == 3  # of the two that came within an hour, the later one took over
        assert not any(api.asked_out_of_turn for api in apis)
        assert all(len(api.fetched) <= 2 * 7 for api in apis)  # metadata and keys, once a day


async def test_a_rotation_at_once_costs_a_verifier_one_fetch_out_of_turn(database_url: str, database: Database) -> None:
    clock = FixedClock(NOW)
    rows = RegistryRows(database)
    await rows.scope()
    await rows.client()
    async with node(database_url, clock=clock) as server:
        api = Api(server, clock)
        await api.accept(body_of(await server.post(sign(claims_of())))["access_token"])
        assert not api.asked_out_of_turn
        clock.advance(seconds=1)
        await server.signing_keys.rotate(at_once=True)
        await api.accept(body_of(await server.post(sign(claims_of())))["access_token"])
        assert api.asked_out_of_turn

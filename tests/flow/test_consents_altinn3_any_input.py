"""Whatever is sent, the answer is one of the protocol's own, and nothing half-made is left."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import httpx2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fullmakt.infra.database import Database
from tests.support.consents import (
    BFF,
    EVENTS,
    EXT,
    KARI,
    LOOK_UP,
    REQUESTS,
    ConsentSetting,
    organisation_urn,
    person_urn,
    right,
    wish,
)

ODD: list[Any] = [
    None, True, 0, -1, 1.5, 10**30, "", " ", "x", "\x00", "\ud800", "å" * 300, "a" * 6_000, [], [[]], [None], {},
    {"a": {}}, {"A": 1, "a": 2}, "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "2026-02-30",
    "https://[::1", person_urn(KARI), "urn:altinn:person:identifier-no:٠١٢٣٤٥٦٧٨٩٠", "urn:altinn:person:identifier-no:",
    "urn:altinn:party:id:99999999999", f"urn:altinn:party:uuid:{UUID(int=1)}", "URN:ALTINN:PERSON:IDENTIFIER-NO:1",
    organisation_urn("12345678"),
]  # fmt: skip
KNOWN = {400, 401, 403, 404, 405, 409, 413, 415}


@pytest.fixture(scope="module")
def places() -> list[tuple[str, ...]]:
    """Where in a request something odd can be."""
    return [
        *((name,) for name in (*wish(), "requiredDelegator", "portalViewMode", "notificationUrl")),
        ("consentRights", "0"),
        *(("consentRights", "0", name) for name in ("action", "resource", "metadata")),
        ("consentRights", "0", "action", "0"),
        ("consentRights", "0", "resource", "0"),
        *(("consentRights", "0", "resource", "0", name) for name in ("type", "value")),
        ("consentRights", "0", "metadata", "inntektsaar"),
        ("requestMessage", "nb"),
    ]


def put(document: Any, place: tuple[str, ...], value: Any) -> None:
    *way, last = place
    for step in way:
        document = document[int(step) if isinstance(document, list) else step]
    document[int(last) if isinstance(document, list) else last] = value


def fine(answer: httpx2.Response) -> bool:
    """2xx, a refusal of the protocol's own, or the 500 that the real one answers several problems with."""
    status = answer.status_code
    return status < 300 or status in KNOWN or (status == 500 and b'"STD-00001"' in answer.content)


async def test_whatever_stands_in_a_request_it_is_taken_or_refused(
    database: Database, places: list[tuple[str, ...]]
) -> None:
    setting = await ConsentSetting(database).begin()
    try:
        for place in places:
            for value in ODD:
                body = wish()
                put(body, place, value)
                try:
                    answer = await setting.call("bank", "POST", REQUESTS, body)
                except UnicodeEncodeError:  # no client can send a lone surrogate
                    continue
                assert fine(answer), (place, value, answer.text)
        kept = await setting.rows("SELECT count(*) FROM consents.consent")
        told = await setting.rows("SELECT count(*) FROM consents.consent_event")
        assert kept == told
    finally:
        await setting.end()


class Line:
    """A setting on a loop of its own, for tests that are given their input."""

    def __init__(self, database_url: str) -> None:
        self.loop = asyncio.new_event_loop()
        self.database = Database(database_url)
        self.setting = self.loop.run_until_complete(ConsentSetting(self.database).begin())

    def send(self, who: str, method: str, path: str, *, kind: str = "application/json", **more: Any) -> Any:
        headers = {"Authorization": f"Bearer {who}", "Content-Type": kind}
        return self.loop.run_until_complete(self.setting.client.request(method, path, headers=headers, **more))

    def close(self) -> None:
        self.loop.run_until_complete(self.setting.end())
        self.loop.run_until_complete(self.database.close())
        self.loop.close()


@pytest.fixture
def line(database_url: str) -> Iterator[Line]:
    line = Line(database_url)
    yield line
    line.close()


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["id", "from", "to", "language", "usedAt", "validTo", "x"]), inner, max_size=4
        )
    ),
    max_leaves=6,
)
BODIES = st.binary(max_size=50) | JSON.map(lambda value: json.dumps(value).encode())


def test_any_body_to_any_route_is_answered(line: Line) -> None:
    made = line.send("bank", "POST", REQUESTS, json=wish(consentRights=[right(inntektsaar="2025")])).json()["id"]
    routes = [
        ("bank", "POST", REQUESTS),
        ("maskinporten", "POST", LOOK_UP),
        ("kari", "POST", f"{BFF}/consentrequests/{made}/accept"),
        ("kari", "POST", f"{BFF}/consents/{made}/revoke"),
        ("bank", "POST", f"{EXT}/consents/{made}/use"),
    ]

    @settings(max_examples=60, deadline=None)
    @given(st.sampled_from(routes), BODIES, st.sampled_from(["application/json", "text/plain", ""]))
    def check(route: tuple[str, str, str], body: bytes, kind: str) -> None:
        who, method, path = route
        answer = line.send(who, method, path, content=body, kind=kind)
        assert fine(answer), (route, body, answer.text)

    check()


def test_any_query_to_a_list_is_answered(line: Line) -> None:
    names = st.sampled_from(
        ["continuationToken", "createdAfter", "createdBefore", "eventType", "consentRequestId", "resource", "status"]
    )

    @settings(max_examples=60, deadline=None)
    @given(
        st.sampled_from([("bank", EVENTS), ("owner", f"{EXT}/consents")]),
        st.dictionaries(names, st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=30), max_size=4),
    )
    def check(route: tuple[str, str], query: dict[str, str]) -> None:
        answer = line.send(route[0], "GET", route[1], params=query)
        assert answer.status_code in {200, *KNOWN}, (route, query, answer.text)

    check()


@pytest.mark.parametrize("bad", ["none", "%00", "..%2f..", "77ed8698-e619-4066-9eb4-5c1eb3f165a1%00"])
def test_ids_that_are_none_are_refused(line: Line, bad: str) -> None:
    for who, method, path in (
        ("bank", "GET", f"{REQUESTS}/{bad}"),
        ("kari", "GET", f"{BFF}/consentrequests/{bad}"),
        ("kari", "GET", f"{BFF}/consentrequests/list/{bad}"),
        ("kari", "POST", f"{BFF}/consents/{bad}/revoke"),
        ("bank", "DELETE", f"{EXT}/consents/{bad}"),
    ):
        assert line.send(who, method, path).status_code in {400, 404}

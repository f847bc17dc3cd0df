"""What receivers are told of their requests, page by page (consent.md §4.6)."""

from __future__ import annotations

import base64
import datetime as dt
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import UUID, uuid4

import pytest

from fullmakt.infra.database import Database
from fullmakt.wire.altinn.callers import Caller
from fullmakt.wire.altinn.consents import READ_SCOPE
from tests.support.consents import (
    API,
    BFF,
    EVENTS,
    KARI,
    NOW,
    OTHER_BANK,
    REQUESTS,
    ConsentSetting,
    codes,
    organisation_urn,
    person_urn,
)
from tests.support.parties import orgno

LAG = dt.timedelta(seconds=300)


@pytest.fixture
async def setting(database: Database) -> AsyncIterator[ConsentSetting]:
    setting = await ConsentSetting(database, page_size=3).begin()
    yield setting
    await setting.end()


async def page(setting: ConsentSetting, who: str = "bank", **query: Any) -> tuple[list[tuple[str, str]], str | None]:
    """The entries of a page, and where the next one is."""
    answer = await setting.call(who, "GET", EVENTS, **query)
    assert answer.status_code == 200, answer.text
    document = answer.json()
    return [(one["consentRequestId"], one["eventType"]) for one in document["data"]], document["links"]["next"]


async def everything(setting: ConsentSetting, who: str = "bank", **query: Any) -> list[tuple[str, str]]:
    """Every page, as ``next`` leads through them."""
    found, following = await page(setting, who, **query)
    while following is not None:
        assert following.startswith(f"{API}{EVENTS}?")
        members: dict[str, Any] = parse_qs(urlsplit(following).query)
        more, following = await page(setting, who, **members)
        found += more
    return found


async def answered(setting: ConsentSetting, consent_id: str, act: str) -> None:
    kind = "consents" if act == "revoke" else "consentrequests"
    assert (await setting.call("kari", "POST", f"{BFF}/{kind}/{consent_id}/{act}")).status_code == 200


async def some(setting: ConsentSetting) -> list[tuple[str, str]]:
    """Things that happen a second apart, and what is to be told of them."""
    told = []
    for acts in ((), ("accept",), ("reject",), ("accept", "revoke"), ("accept",)):
        consent_id = (await setting.requested())["id"]
        told.append((consent_id, "Created"))
        for act in acts:
            setting.clock.advance(seconds=1)
            await answered(setting, consent_id, act)
            told.append((consent_id, {"accept": "Accepted", "reject": "Rejected", "revoke": "Revoked"}[act]))
        setting.clock.advance(seconds=1)
    return told


async def test_everything_is_told_in_order_page_by_page(setting: ConsentSetting) -> None:
    told = await some(setting)
    setting.clock.advance(seconds=LAG.seconds)
    assert await everything(setting) == told
    first, following = await page(setting)
    assert (len(first), following is not None) == (3, True)
    one = (await setting.call("bank", "GET", EVENTS)).json()["data"][0]
    assert one == {"consentRequestId": told[0][0], "eventType": "Created", "changedDate": NOW.isoformat()}


async def test_a_full_last_page_is_followed_by_an_empty_one(setting: ConsentSetting) -> None:
    for _ in range(3):
        await setting.requested()
    setting.clock.advance(seconds=LAG.seconds + 1)
    found, following = await page(setting)
    assert (len(found), following is not None) == (3, True)
    assert following is not None
    query: dict[str, Any] = parse_qs(urlsplit(following).query)
    assert await page(setting, **query) == ([], None)


async def test_the_token_is_the_last_event_s_id_in_the_byte_order_of_a_net_guid(setting: ConsentSetting) -> None:
    await some(setting)
    setting.clock.advance(seconds=LAG.seconds)
    _, following = await page(setting)
    assert following is not None
    (token,) = parse_qs(urlsplit(following).query)["continuationToken"]
    ids = [row[0] for row in await setting.rows("SELECT event_id FROM consents.consent_event ORDER BY event_id")]
    assert UUID(bytes_le=base64.b64decode(token)) == ids[2]


async def test_what_is_younger_than_five_minutes_is_held_back(setting: ConsentSetting) -> None:
    await setting.requested()
    for seconds, expected in ((0, 0), (299, 0), (299.9, 0), (300, 1)):
        setting.clock.at = NOW + dt.timedelta(seconds=seconds)
        assert len(await everything(setting)) == expected, seconds


async def test_an_event_that_is_committed_late_is_not_skipped(setting: ConsentSetting) -> None:
    """Whoever was slow to commit, though within the lag, is told of all the same, and in its place."""
    first = (await setting.requested())["id"]
    setting.clock.advance(seconds=200)
    second = (await setting.requested())["id"]
    setting.clock.at = NOW + dt.timedelta(seconds=301)
    found, _ = await page(setting)
    assert found == [(first, "Created")]
    setting.clock.at = NOW + dt.timedelta(seconds=100)
    late = (await setting.requested())["id"]
    setting.clock.at = NOW + dt.timedelta(seconds=501)
    assert await everything(setting) == [(first, "Created"), (late, "Created"), (second, "Created")]


async def test_what_a_node_whose_clock_is_slow_writes_down_comes_after_what_it_follows(setting: ConsentSetting) -> None:
    given = await setting.accepted()
    setting.clock.at = NOW - dt.timedelta(seconds=60)
    assert (await setting.call("kari", "POST", f"{BFF}/consents/{given}/revoke")).status_code == 200
    setting.clock.at = NOW + LAG
    assert await everything(setting) == [(given, "Created"), (given, "Accepted"), (given, "Revoked")]


async def test_expiry_is_never_told(setting: ConsentSetting) -> None:
    consent_id = (await setting.requested())["id"]
    setting.clock.advance(days=400)
    assert await everything(setting) == [(consent_id, "Created")]


async def test_each_receiver_is_told_of_its_own(setting: ConsentSetting) -> None:
    mine = (await setting.requested())["id"]
    other = (await setting.requested("other", to=organisation_urn(OTHER_BANK)))["id"]
    supplied = (await setting.requested("agent"))["id"]
    brokered = (await setting.requested("broker"))["id"]
    setting.clock.advance(seconds=301)
    assert {one for one, _ in await everything(setting)} == {mine, supplied, brokered}
    assert await everything(setting, "agent") == await everything(setting)
    assert [one for one, _ in await everything(setting, "other")] == [other]
    assert await everything(setting, "agent-itself") == []
    setting.callers.known["new"] = Caller(frozenset({READ_SCOPE}), consumer=orgno(9))
    assert await everything(setting, "new") == []


# -- filters --


@pytest.mark.parametrize(
    ("types", "expected"),
    [
        (["accepted"], {"Accepted"}),
        (["ACCEPTED", "Revoked"], {"Accepted", "Revoked"}),
        (["rejected", "rejected"], {"Rejected"}),
        (["deleted", "used"], set()),
    ],
)
async def test_types_are_chosen_in_any_case_and_kept_from_page_to_page(
    setting: ConsentSetting, types: list[str], expected: set[str]
) -> None:
    told = await some(setting)
    setting.clock.advance(seconds=LAG.seconds)
    assert await everything(setting, eventType=types) == [one for one in told if one[1] in expected]


async def test_times_and_a_single_request_are_chosen(setting: ConsentSetting) -> None:
    told = await some(setting)
    setting.clock.advance(seconds=LAG.seconds)
    start, end = NOW + dt.timedelta(seconds=2), NOW + dt.timedelta(seconds=5)
    assert await everything(setting, createdAfter=start.isoformat()) == told[2:]
    assert await everything(setting, createdBefore=end.isoformat()) == told[:5]
    assert await everything(setting, createdAfter=start.isoformat(), createdBefore=end.isoformat()) == told[2:5]
    assert await everything(setting, createdAfter="0001-01-01T00:00:00Z") == told
    revoked = next(consent_id for consent_id, kind in told if kind == "Revoked")
    assert await everything(setting, consentRequestId=revoked) == [one for one in told if one[0] == revoked]
    assert await everything(setting, consentRequestId=revoked, eventType="accepted") == [(revoked, "Accepted")]
    assert await everything(setting, consentRequestId=str(uuid4())) == []
    assert await everything(setting, "other", consentRequestId=revoked) == []


@pytest.mark.parametrize(
    ("query", "code", "path"),
    [
        ({"eventType": "created"}, "AM.VLD-00052", "$QUERY/eventType"),
        ({"eventType": "expired"}, "AM.VLD-00052", "$QUERY/eventType"),
        ({"eventType": ["accepted", "x"]}, "AM.VLD-00052", "$QUERY/eventType"),
        ({"createdAfter": NOW.isoformat(), "createdBefore": NOW.isoformat()}, "AM.VLD-00051", "$QUERY/createdAfter"),
        ({"continuationToken": "x"}, "AM.VLD-00053", "$QUERY/continuationToken"),
        ({"continuationToken": "AAAA"}, "AM.VLD-00053", "$QUERY/continuationToken"),
        ({"continuationToken": "å" * 16}, "AM.VLD-00053", "$QUERY/continuationToken"),
    ],
)
async def test_filters_that_can_not_be_read_are_refused(
    setting: ConsentSetting, query: dict[str, Any], code: str, path: str
) -> None:
    answer = await setting.call("bank", "GET", EVENTS, **query)
    assert (answer.status_code, codes(answer)) == (400, [code])
    assert answer.json()["validationErrors"][0]["paths"] == [path]


async def test_times_and_ids_that_are_none_are_refused(setting: ConsentSetting) -> None:
    for query in ({"createdAfter": "i går"}, {"createdBefore": "2026-13-01"}, {"consentRequestId": "x"}):
        assert (await setting.call("bank", "GET", EVENTS, **query)).status_code == 400


async def test_the_page_size_is_not_the_caller_s_to_choose(setting: ConsentSetting) -> None:
    await some(setting)
    setting.clock.advance(seconds=LAG.seconds)
    found, _ = await page(setting, pageSize=1000)
    assert len(found) == 3


async def test_the_earlier_name_of_the_feed_leads_to_it(setting: ConsentSetting) -> None:
    await some(setting)
    setting.clock.advance(seconds=LAG.seconds)
    old = (await setting.call("bank", "GET", f"{REQUESTS}/latestchanges")).json()
    new = (await setting.call("bank", "GET", EVENTS)).json()
    assert old["data"] == new["data"]
    assert old["links"]["next"].startswith(f"{API}{REQUESTS}/latestchanges?continuationToken=")


async def test_the_feed_tells_nobody_s_number(setting: ConsentSetting) -> None:
    await setting.requested(requiredDelegator=person_urn(KARI))
    setting.clock.advance(seconds=301)
    assert KARI not in (await setting.call("bank", "GET", EVENTS)).text


async def test_who_may_read_the_feed(setting: ConsentSetting) -> None:
    for who, status in ((None, 401), ("nobody", 401), ("kari", 403), ("maskinporten", 403), ("broker", 200)):
        assert (await setting.call(who, "GET", EVENTS)).status_code == status

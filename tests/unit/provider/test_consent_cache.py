"""Consents that are remembered, and how a source hears that they have ended."""

from __future__ import annotations

import datetime as dt
import socket
from collections.abc import AsyncIterator
from dataclasses import replace
from uuid import UUID

import pytest
from starlette.responses import Response

from fullmakt.kernel.clock import FixedClock
from fullmakt.kernel.identifiers import NationalId
from fullmakt.provider import (
    Consent,
    ConsentForm,
    ConsentListError,
    ConsentRight,
    ConsentsInMemory,
    EndedConsents,
)
from tests.support.consent_tokens import CONSENT_ID, GIVER, OWNERS_KEY, SERVICE, FakeAltinn
from tests.support.fake_issuer import CONSUMER
from tests.support.sockets import served, url_of

PERSON = NationalId(GIVER)
OTHERS = [UUID(int=number) for number in range(1, 6)]


@pytest.fixture
def cache(clock: FixedClock) -> ConsentsInMemory:
    return ConsentsInMemory(capacity=3, clock=clock)


@pytest.fixture
def consent(clock: FixedClock) -> Consent:
    until = clock() + dt.timedelta(days=1)
    rights = (ConsentRight(SERVICE), ConsentRight("4628_1"))
    return Consent(ConsentForm.ALTINN2, CONSENT_ID, PERSON, CONSUMER, None, None, until, rights)


async def found(cache: ConsentsInMemory, service: str = SERVICE) -> Consent | None:
    return await cache.find(CONSUMER, PERSON, service)


async def test_a_consent_is_remembered_until_its_end(
    cache: ConsentsInMemory, consent: Consent, clock: FixedClock
) -> None:
    assert await found(cache) is None
    await cache.remember(consent)
    assert await found(cache) is consent
    assert await found(cache, "4628_1") is consent
    assert await found(cache, "4628_2") is None
    assert await cache.find(CONSUMER, NationalId("01085301957"), SERVICE) is None
    clock.advance(days=1)
    assert await found(cache) is None


async def test_the_latest_counts(cache: ConsentsInMemory, consent: Consent) -> None:
    renewed = replace(consent, id=OTHERS[0], rights=(ConsentRight(SERVICE),))
    await cache.remember(consent)
    await cache.remember(renewed)
    assert await found(cache) is renewed
    assert await found(cache, "4628_1") is consent
    await cache.forget([CONSENT_ID])
    assert await found(cache) is renewed
    assert await found(cache, "4628_1") is None


async def test_one_that_has_ended_is_forgotten_and_not_taken_in_again(
    cache: ConsentsInMemory, consent: Consent
) -> None:
    await cache.remember(consent)
    await cache.forget([CONSENT_ID, OTHERS[0]])
    assert await found(cache) is None
    await cache.remember(consent)  # by a call that was under way meanwhile
    assert await found(cache) is None


async def test_the_oldest_make_room(cache: ConsentsInMemory, consent: Consent) -> None:
    one = replace(consent, rights=(ConsentRight(SERVICE),))
    await cache.remember(one)
    await cache.remember(replace(one, id=OTHERS[0], rights=(ConsentRight("1_1"), ConsentRight("1_2"))))
    await found(cache)  # it is used, and so is not the oldest
    await cache.remember(replace(one, id=OTHERS[1], rights=(ConsentRight("1_3"),)))
    assert await found(cache) is one
    assert await found(cache, "1_1") is None
    assert await found(cache, "1_2") is not None


@pytest.fixture
async def ended(altinn: FakeAltinn) -> AsyncIterator[EndedConsents]:
    """Over a socket, with a client of its own."""
    with socket.create_server(("127.0.0.1", 0)) as listening, served(altinn.app, listening):
        ended = EndedConsents(url_of(listening), SERVICE, api_key=OWNERS_KEY, auth=lambda: "owner")
        async with ended:
            yield ended


@pytest.fixture
def altinn(clock: FixedClock) -> FakeAltinn:
    return FakeAltinn(clock)


async def test_the_owners_list_is_read_to_its_end_and_then_on_from_there(
    ended: EndedConsents, altinn: FakeAltinn, cache: ConsentsInMemory, consent: Consent
) -> None:
    await cache.remember(consent)
    assert await ended.tell(cache) == 0
    altinn.ended = [*OTHERS, CONSENT_ID]
    assert await ended.tell(cache) == 6
    assert await found(cache) is None
    assert altinn.asked[0] == {"serviceCode": "5498", "serviceEditionCode": "1", "status": "revoked"}
    before = len(altinn.asked)
    assert await ended.tell(cache) == 0
    assert [query["continuation"] for query in altinn.asked[before:]] == ["6"]


async def test_a_page_that_does_not_say_how_to_go_on_is_read_again_and_told_once(
    ended: EndedConsents, altinn: FakeAltinn, cache: ConsentsInMemory, consent: Consent
) -> None:
    altinn.always_on = False
    altinn.ended = OTHERS[:3]
    assert [await ended.tell(cache) for _ in range(2)] == [3, 0]
    await cache.remember(consent)
    altinn.ended = [*OTHERS[:3], CONSENT_ID]
    assert [await ended.tell(cache) for _ in range(2)] == [1, 0]
    assert await found(cache) is None


async def test_a_page_that_fails_is_read_again(
    ended: EndedConsents, altinn: FakeAltinn, cache: ConsentsInMemory, consent: Consent
) -> None:
    await cache.remember(consent)
    altinn.ended = [*OTHERS[:3], CONSENT_ID]
    for answer in (
        Response("down", 503),
        Response("not json"),
        Response('{"_embedded": {"consents": [{}]}}'),
        Response("", 302, {"location": "https://elsewhere.test/"}),
    ):
        altinn.answers.append(answer)
        with pytest.raises(ConsentListError):
            await ended.tell(cache)
    assert await found(cache) is not None
    assert await ended.tell(cache) == 4
    assert await found(cache) is None


async def test_a_list_that_is_not_ours_to_read_is_told(altinn: FakeAltinn, cache: ConsentsInMemory) -> None:
    ended = EndedConsents("https://altinn2.test", SERVICE, api_key="x", auth=lambda: "owner", http=altinn.http())
    with pytest.raises(ConsentListError) as refused:
        await ended.tell(cache)
    assert refused.value.status == 403


async def test_an_altinn_that_is_away_is_told(cache: ConsentsInMemory) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        url = url_of(listening)
    async with EndedConsents(url, SERVICE, api_key=OWNERS_KEY, auth=lambda: "owner") as ended:
        with pytest.raises(ConsentListError) as refused:
            await ended.tell(cache)
    assert refused.value.status is None


async def test_who_starts_anew_goes_on_from_where_it_was(altinn: FakeAltinn, cache: ConsentsInMemory) -> None:
    altinn.ended = OTHERS
    first = EndedConsents("https://a.test", SERVICE, api_key=OWNERS_KEY, auth=lambda: "owner", http=altinn.http())
    await first.tell(cache)
    altinn.ended = [*OTHERS, CONSENT_ID]
    again = EndedConsents(
        "https://a.test",
        SERVICE,
        api_key=OWNERS_KEY,
        auth=lambda: "owner",
        http=altinn.http(),
        continuation=first.continuation,
    )
    assert await again.tell(cache) == 1

"""Text messages over a real connection: what a gateway is sent, and every way in which it does not take a text."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx2
import pytest

from fullmakt.infra.sms import MAX_KEPT, HttpGateway, Inbox, SmsNotSentError
from fullmakt.kernel.clock import FixedClock
from tests.support.selfservice import START
from tests.support.sms import gateway

TO, TEXT = "+4799999123", "Passord: æøå-hemmelig"
TOKEN = "gateway-token"


@pytest.fixture
async def http() -> AsyncIterator[httpx2.AsyncClient]:
    async with httpx2.AsyncClient() as client:
        yield client


async def send(http: httpx2.AsyncClient, url: str, *, token: str | None = TOKEN, patience: float = 30) -> None:
    await HttpGateway(http, url, token, "Fullmakt", patience).send(TO, TEXT, "reference-1")


@pytest.mark.parametrize("status", [200, 201, 202, 204])
async def test_a_text_is_handed_over(http: httpx2.AsyncClient, status: int) -> None:
    async with gateway(status) as serving:
        await send(http, serving.url)
    assert serving.bodies == [{"from": "Fullmakt", "to": TO, "text": TEXT, "reference": "reference-1"}]
    assert serving.heads[0].startswith("POST /texts HTTP/1.1")
    assert serving.header("content-type") == "application/json"
    assert serving.header("authorization") == f"Bearer {TOKEN}"
    assert serving.header("idempotency-key") == "reference-1"


async def test_a_gateway_may_want_no_token(http: httpx2.AsyncClient) -> None:
    async with gateway(200) as serving:
        await send(http, serving.url, token=None)
    assert serving.header("authorization") is None


@pytest.mark.parametrize("status", [302, 400, 401, 429, 500, 503])
async def test_an_answer_that_is_a_no_is_one_and_is_not_asked_again(http: httpx2.AsyncClient, status: int) -> None:
    async with gateway(status, 200) as serving:
        with pytest.raises(SmsNotSentError, match=f"answers {status}") as caught:
            await send(http, serving.url)
    assert not caught.value.perhaps
    assert len(serving.heads) == 1  # a redirect would take the password elsewhere
    assert TEXT not in str(caught.value)


@pytest.mark.parametrize("script", [(502,), (504,), ("drop", 500), ("drop", 409)], ids=str)
async def test_a_no_that_is_not_the_gateways_own_or_not_to_all_it_was_sent_leaves_it_open(
    http: httpx2.AsyncClient, script: tuple[int | str, ...]
) -> None:
    async with gateway(*script) as serving:
        with pytest.raises(SmsNotSentError, match=f"answers {script[-1]}") as caught:
            await send(http, serving.url)
    assert caught.value.perhaps
    assert len(serving.heads) == len(script)


async def test_a_broken_connection_is_tried_once_more_under_the_same_reference(http: httpx2.AsyncClient) -> None:
    async with gateway("drop", 200) as serving:
        await send(http, serving.url)
    assert [body["reference"] for body in serving.bodies] == ["reference-1"] * 2
    assert serving.header("idempotency-key") == "reference-1"


async def test_a_connection_that_breaks_twice_may_have_brought_the_text(http: httpx2.AsyncClient) -> None:
    async with gateway("drop") as serving:
        with pytest.raises(SmsNotSentError, match="does not answer") as caught:
            await send(http, serving.url)
    assert caught.value.perhaps
    assert len(serving.heads) == 2


async def test_a_gateway_that_is_silent_may_have_sent_the_text(http: httpx2.AsyncClient) -> None:
    async with gateway("silence") as serving:
        with pytest.raises(SmsNotSentError, match="does not answer") as caught:
            await send(http, serving.url, patience=0.2)
    assert caught.value.perhaps


@pytest.mark.parametrize("url", ["http://127.0.0.1:1/texts", "http://[bad/"])
async def test_a_gateway_that_can_not_be_reached_has_sent_nothing(http: httpx2.AsyncClient, url: str) -> None:
    with pytest.raises(SmsNotSentError) as caught:
        await send(http, url)
    assert not caught.value.perhaps


async def test_an_inbox_holds_a_hundred_texts_and_shows_none_of_them_by_chance() -> None:
    clock = FixedClock(START)
    inbox = Inbox(clock)
    for number in range(MAX_KEPT + 3):
        await inbox.send(TO, f"text {number}", f"reference {number}")
        clock.advance(seconds=1)
    await inbox.send(TO, "text 5 again", f"reference {MAX_KEPT + 2}")
    assert [one.text for one in inbox.texts] == [f"text {number}" for number in reversed(range(3, MAX_KEPT + 3))]
    assert inbox.texts[0].at > inbox.texts[1].at
    assert "text " not in repr(inbox.texts)

"""CRLs over HTTP: fetched once, kept while good, served through an outage, never swallowed whole without limit."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import AsyncIterator, Callable

import httpx2
import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response, StreamingResponse
from starlette.types import Receive, Scope, Send
from structlog.testing import capture_logs

from fullmakt.infra import crl as module
from fullmakt.infra.crl import CrlSource, CrlUnavailableError
from fullmakt.kernel.clock import FixedClock
from tests.support import certificates as make
from tests.support.certificates import NOW

ISSUER = make.root("CRL issuer")
URL = "http://crl.example/issuing.crl"


class Publisher:
    """A web server with a CRL, which can be slow, wrong, or down."""

    def __init__(self) -> None:
        self.crl = ISSUER.crl(next_update=NOW + dt.timedelta(hours=2))
        self.answer: Response | None = None
        self.asked = 0
        self.reached = asyncio.Event()
        self.gate = asyncio.Event()
        self.gate.set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.asked += 1
        self.reached.set()
        await self.gate.wait()
        assert Request(scope).headers["accept-encoding"] == "identity"
        await (self.answer or Response(self.crl.public_bytes(Encoding.DER)))(scope, receive, send)


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(NOW)


@pytest.fixture
def publisher() -> Publisher:
    return Publisher()


@pytest.fixture
async def source(publisher: Publisher, clock: FixedClock) -> AsyncIterator[CrlSource]:
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(publisher)) as client:
        yield CrlSource(client, clock, max_age=3600)


async def test_a_crl_is_fetched_once_and_kept_for_its_time(
    source: CrlSource, publisher: Publisher, clock: FixedClock
) -> None:
    assert await source.get(URL) == publisher.crl
    clock.advance(seconds=3599)
    await source.get(URL)
    assert publisher.asked == 1
    clock.advance(seconds=1)
    await source.get(URL)
    assert publisher.asked == 2


async def test_a_crl_is_fetched_again_when_it_is_due(
    source: CrlSource, publisher: Publisher, clock: FixedClock
) -> None:
    publisher.crl = ISSUER.crl(next_update=NOW + dt.timedelta(minutes=5))
    await source.get(URL)
    clock.advance(minutes=5)
    publisher.crl = ISSUER.crl(make.root("x").leaf(), next_update=NOW + dt.timedelta(minutes=10))
    assert await source.get(URL) == publisher.crl


async def test_many_who_ask_at_once_share_one_fetch_also_when_the_first_goes_away(
    source: CrlSource, publisher: Publisher
) -> None:
    publisher.gate.clear()
    waiting = [asyncio.create_task(source.get(URL)) for _ in range(20)]
    await publisher.reached.wait()
    waiting[0].cancel()
    publisher.gate.set()
    outcomes = await asyncio.gather(*waiting, return_exceptions=True)
    assert isinstance(outcomes[0], asyncio.CancelledError)
    assert outcomes[1:] == [publisher.crl] * 19
    assert publisher.asked == 1


async def test_an_outage_is_bridged_until_the_crl_at_hand_ends(
    source: CrlSource, publisher: Publisher, clock: FixedClock
) -> None:
    await source.get(URL)
    publisher.answer = Response(status_code=503)
    clock.advance(seconds=3600)
    assert await source.get(URL) == publisher.crl
    clock.advance(seconds=3600)
    with pytest.raises(CrlUnavailableError, match="answers 503"):
        await source.get(URL)


async def test_after_a_failure_nobody_asks_for_ten_seconds(
    source: CrlSource, publisher: Publisher, clock: FixedClock
) -> None:
    publisher.answer = Response(status_code=500)
    for _ in range(5):
        with pytest.raises(CrlUnavailableError):
            await source.get(URL)
    assert publisher.asked == 1
    publisher.answer = None
    clock.advance(seconds=10)
    assert await source.get(URL) == publisher.crl


async def test_a_list_that_did_not_hold_is_fetched_again_after_ten_seconds_and_not_before(
    source: CrlSource, publisher: Publisher, clock: FixedClock
) -> None:
    untrusted = await source.get(URL)
    publisher.crl = ISSUER.crl(make.root("x").leaf(), next_update=NOW + dt.timedelta(hours=2))
    for _ in range(10):
        source.forget(URL)
        assert await source.get(URL) == untrusted
        clock.advance(seconds=0.9)
    assert publisher.asked == 1
    clock.advance(seconds=1)
    assert await source.get(URL) == publisher.crl


async def test_a_stale_crl_is_passed_on_for_its_reader_to_judge_and_not_fetched_for_each(
    source: CrlSource, publisher: Publisher, clock: FixedClock
) -> None:
    publisher.crl = ISSUER.crl(next_update=NOW - dt.timedelta(minutes=1))
    for _ in range(10):
        assert await source.get(URL) == publisher.crl
        source.forget(URL)
    assert publisher.asked == 1
    clock.advance(seconds=10)
    await source.get(URL)
    assert publisher.asked == 2


async def test_a_list_that_did_not_hold_bridges_no_outage(
    source: CrlSource, publisher: Publisher, clock: FixedClock
) -> None:
    await source.get(URL)
    source.forget(URL)
    publisher.answer = Response(status_code=503)
    clock.advance(seconds=10)
    with pytest.raises(CrlUnavailableError, match="answers 503"):
        await source.get(URL)


async def test_forgetting_what_nobody_fetched_is_nothing(source: CrlSource, publisher: Publisher) -> None:
    source.forget(URL)
    assert await source.get(URL) == publisher.crl


async def _six_megabytes() -> AsyncIterator[bytes]:
    for _ in range(6):
        yield bytes(1024 * 1024)


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        (lambda: Response(b"not a CRL"), "not a DER CRL"),
        (lambda: Response(b""), "not a DER CRL"),
        (lambda: Response(ISSUER.crl().public_bytes(Encoding.PEM)), "not a DER CRL"),
        (lambda: RedirectResponse("http://elsewhere.example/"), "answers 307"),
        (lambda: Response(status_code=404), "answers 404"),
        (lambda: StreamingResponse(_six_megabytes()), "more than 5242880 bytes"),
    ],
)
async def test_what_is_no_crl_is_unavailable(
    source: CrlSource, publisher: Publisher, answer: Callable[[], Response], problem: str
) -> None:
    publisher.answer = answer()
    with pytest.raises(CrlUnavailableError, match=problem):
        await source.get(URL)


async def test_whoever_operates_is_told_why_there_is_no_crl_once_for_each_try(
    source: CrlSource, publisher: Publisher
) -> None:
    publisher.answer = Response(status_code=404)
    with capture_logs() as logs:
        for _ in range(3):
            with pytest.raises(CrlUnavailableError):
                await source.get(URL)
    assert [(one["event"], one["log_level"]) for one in logs] == [("crl_unavailable", "warning")]
    assert f"{URL} answers 404" in logs[0]["cause"]


async def test_a_server_that_does_not_answer_is_given_up(publisher: Publisher, clock: FixedClock) -> None:
    publisher.gate.clear()
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(publisher)) as client:
        with pytest.raises(CrlUnavailableError, match="TimeoutError"):
            await CrlSource(client, clock, timeout=0.01).get(URL)


@pytest.mark.parametrize("url", ["ldap://crl.example/x", "file:///etc/passwd", "", "http://a\0b/", "http://\ud800/"])
async def test_only_http_addresses_are_fetched(source: CrlSource, url: str) -> None:
    with pytest.raises(CrlUnavailableError):
        await source.get(url)


async def test_the_number_of_lists_kept_is_bounded(source: CrlSource, publisher: Publisher) -> None:
    for number in range(module.MAX_REMEMBERED + 1):
        await source.get(f"{URL}?{number}")
    await source.get(f"{URL}?1")
    assert publisher.asked == module.MAX_REMEMBERED + 1
    await source.get(f"{URL}?0")
    assert publisher.asked == module.MAX_REMEMBERED + 2


@pytest.mark.parametrize("url", ["http://127.0.0.1:9/x.crl", "http://", "http://[", "http://:0/"])
async def test_a_host_that_is_not_there_is_unavailable(clock: FixedClock, url: str) -> None:
    async with httpx2.AsyncClient(trust_env=False) as client:
        with pytest.raises(CrlUnavailableError, match="does not answer"):
            await CrlSource(client, clock).get(url)

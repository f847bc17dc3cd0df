"""The conversation with the token server, held by hand: no network, no clock, no waiting."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from urllib.parse import parse_qs

import httpx2
import pytest

from fullmakt.client import Credentials, TokenRequest
from fullmakt.client.errors import (
    ClientAuthenticationError,
    DiscoveryError,
    TemporarilyUnavailableError,
)
from fullmakt.client.exchange import Exchange, Reply, Step
from fullmakt.client.retry import Pause
from fullmakt.jose.compact import parse_compact
from fullmakt.kernel.clock import FixedClock
from fullmakt.kernel.sans_io import drive
from tests.support.fake_issuer import ISSUER, key

METADATA = {"issuer": ISSUER, "token_endpoint": f"{ISSUER}token", "jwks_uri": f"{ISSUER}jwk"}
TOKEN = {"access_token": "x.y.z", "token_type": "Bearer", "expires_in": 120, "scope": "a:b"}
REQUEST = TokenRequest.of("a:b")


def ids() -> Iterator[str]:
    yield from (f"id-{n}" for n in range(1, 100))


@pytest.fixture
def exchange(clock: FixedClock) -> Exchange:
    return Exchange(Credentials(ISSUER, "the-client", key("client-key")), clock, ids().__next__)


class Line:
    """Plays back replies, and keeps what was asked; an exception is raised in place of a reply."""

    def __init__(self, *replies: httpx2.Response | Exception) -> None:
        self.replies = list(replies)
        self.asked: list[str | Pause] = []
        self.grants: list[str] = []

    def __call__(self, step: Step) -> Reply:
        if isinstance(step, Pause):
            self.asked.append(step)
            return None
        self.asked.append(f"{step.method} {step.url.path}")
        if step.method == "POST":
            self.grants.append(parse_qs(step.content.decode())["assertion"][0])
        reply = self.replies.pop(0)
        if isinstance(reply, Exception):
            raise reply
        reply.request = step
        return reply


def metadata(**changes: object) -> httpx2.Response:
    return httpx2.Response(200, json={k: v for k, v in (METADATA | changes).items() if v is not None})


def token() -> httpx2.Response:
    return httpx2.Response(200, json=TOKEN)


DOCUMENT = "GET /.well-known/oauth-authorization-server"


def test_the_metadata_is_asked_for_once_and_then_known_for_an_hour(exchange: Exchange, clock: FixedClock) -> None:
    line = Line(metadata(), token(), token(), metadata(), token())
    drive(exchange.token(REQUEST), line)
    clock.advance(minutes=59)
    drive(exchange.token(REQUEST), line)
    clock.advance(minutes=1)
    drive(exchange.token(REQUEST), line)
    assert line.asked == [DOCUMENT, "POST /token", "POST /token", DOCUMENT, "POST /token"]


def test_the_grant_is_addressed_to_the_issuer_and_its_id_is_fresh_each_time(exchange: Exchange) -> None:
    line = Line(metadata(), token(), token())
    drive(exchange.token(REQUEST), line)
    drive(exchange.token(REQUEST), line)
    claims = [parse_compact(grant).unverified_payload for grant in line.grants]
    assert [(one["aud"], one["jti"]) for one in claims] == [(ISSUER, "id-1"), (ISSUER, "id-2")]


@pytest.mark.parametrize(
    ("trouble", "wait"),
    [
        (httpx2.ConnectError("refused"), 0.5),
        (httpx2.ReadTimeout("slow"), 0.5),
        (httpx2.Response(503, json={"error": "temporarily_unavailable", "error_description": "Busy"}), 0.5),
        (httpx2.Response(503, content=b"<html>", headers={"Retry-After": "2"}), 2.0),
        (httpx2.Response(429, content=b"", headers={"Retry-After": "0"}), 0.0),
        (httpx2.Response(502, content=b""), 0.5),
    ],
)
def test_trouble_is_answered_with_a_pause_and_a_fresh_grant(
    exchange: Exchange, trouble: httpx2.Response | Exception, wait: float
) -> None:
    line = Line(metadata(), trouble, token())
    assert drive(exchange.token(REQUEST), line).value == "x.y.z"
    assert line.asked == [DOCUMENT, "POST /token", Pause(wait), "POST /token"]
    assert [parse_compact(grant).unverified_payload["jti"] for grant in line.grants] == ["id-1", "id-2"]


def test_trouble_that_lasts_is_told_after_one_retry(exchange: Exchange) -> None:
    line = Line(metadata(), httpx2.ConnectError("refused"), httpx2.ConnectError("refused"))
    with pytest.raises(TemporarilyUnavailableError, match=r"no answer from https://issuer\.test/token"):
        drive(exchange.token(REQUEST), line)


def test_a_long_wait_is_left_to_the_caller(exchange: Exchange) -> None:
    line = Line(metadata(), httpx2.Response(503, content=b"", headers={"Retry-After": "60"}))
    with pytest.raises(TemporarilyUnavailableError) as refused:
        drive(exchange.token(REQUEST), line)
    assert refused.value.retry_after == 60
    assert line.asked == [DOCUMENT, "POST /token"]


def test_a_refusal_is_not_tried_again(exchange: Exchange) -> None:
    body = {"error": "invalid_grant", "error_description": "No", "error_uri": f"{ISSUER}errors/MP-100"}
    line = Line(metadata(), httpx2.Response(400, json=body))
    with pytest.raises(ClientAuthenticationError):
        drive(exchange.token(REQUEST), line)
    assert line.asked == [DOCUMENT, "POST /token"]


@pytest.mark.parametrize("trouble", [httpx2.ConnectError("refused"), httpx2.Response(500), httpx2.Response(503)])
def test_known_metadata_is_used_on_when_it_can_not_be_had_again(
    exchange: Exchange, clock: FixedClock, trouble: httpx2.Response | Exception
) -> None:
    drive(exchange.token(REQUEST), Line(metadata(), token()))
    clock.advance(hours=2)
    assert drive(exchange.token(REQUEST), Line(trouble, token())).value == "x.y.z"


def test_the_other_places_for_metadata_are_tried_in_turn(clock: FixedClock) -> None:
    issuer = "https://issuer.test/maskinporten/"
    exchange = Exchange(Credentials(issuer, "the-client", key("client-key")), clock, ids().__next__)
    nothing = (httpx2.Response(404), httpx2.Response(404))
    line = Line(*nothing, metadata(issuer=issuer), token())
    drive(exchange.token(REQUEST), line)
    assert line.asked == [
        "GET /maskinporten/.well-known/oauth-authorization-server",
        "GET /.well-known/oauth-authorization-server/maskinporten",
        "GET /maskinporten/.well-known/openid-configuration",
        "POST /token",
    ]
    exchange = Exchange(Credentials(issuer, "the-client", key("client-key")), clock, ids().__next__)
    with pytest.raises(DiscoveryError, match="publishes no metadata"):
        drive(exchange.token(REQUEST), Line(*nothing, httpx2.Response(404)))


def test_a_metadata_url_of_its_own_is_the_only_one_tried(clock: FixedClock) -> None:
    credentials = Credentials(ISSUER, "c", key("client-key"), metadata_url="https://elsewhere.test/doc")
    line = Line(metadata(), token())
    drive(Exchange(credentials, clock, ids().__next__).token(REQUEST), line)
    assert line.asked == ["GET /doc", "POST /token"]


@pytest.mark.parametrize(
    ("reply", "says"),
    [
        (metadata(issuer="https://issuer.test"), "letter for letter"),
        (metadata(token_endpoint=None), "names no token_endpoint"),
        (httpx2.Response(200, content=b"<html>"), "Expecting value"),
        (httpx2.Response(301, headers={"Location": "https://elsewhere.test/"}), "answered 301"),
        (httpx2.UnsupportedProtocol("what"), "not a URL that can be called"),
    ],
)
def test_metadata_that_can_not_be_right_is_told(
    exchange: Exchange, reply: httpx2.Response | Exception, says: str
) -> None:
    with pytest.raises(DiscoveryError, match=says):
        drive(exchange.token(REQUEST), Line(reply))


def test_an_issuer_that_is_no_url_is_told(clock: FixedClock) -> None:
    exchange = Exchange(Credentials("http://exa mple\x00/", "c", key("client-key")), clock, ids().__next__)
    with pytest.raises(DiscoveryError, match="not a URL"):
        drive(exchange.token(REQUEST), Line())


def test_the_lifetime_counts_from_before_the_question(exchange: Exchange, clock: FixedClock) -> None:
    line = Line(metadata(), token())
    asked_at = clock()

    def slow(step: Step) -> Reply:
        clock.advance(seconds=3)
        return line(step)

    got = drive(exchange.token(REQUEST), slow)
    assert got.expires_at == asked_at + dt.timedelta(seconds=3 + 120)

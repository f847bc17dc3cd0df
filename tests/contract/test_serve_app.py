"""One process, every system at its URL: what an orchestrator asks for is there wherever the systems lie."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest

from fullmakt.kernel.clock import system_clock
from fullmakt.provider import RemoteKeys, TokenVerifier
from tests.support.fake_issuer import CONSUMER, FakeIssuer
from tests.support.house import whole_house
from tests.support.sockets import served as served_on_socket
from tests.support.sockets import url_of


@asynccontextmanager
async def served(
    database_url: str, state: Path, peer: str = "127.0.0.1", **settings: Any
) -> AsyncIterator[httpx2.AsyncClient]:
    """A caller at ``peer`` of the whole app."""
    async with whole_house(database_url, state, peer, **settings) as (_, http):
        yield http


@pytest.mark.parametrize("base", ["https://maskinporten.example.no", "https://example.no/all"])
@pytest.mark.parametrize("issuer", [None, "https://maskinporten.example.no/"])
async def test_health_and_metrics_answer_even_where_a_system_has_the_base_url(
    database_url: str, tmp_path: Path, base: str, issuer: str | None
) -> None:
    settings = {"url": base, "maskinporten": {"url": issuer}, "metrics": {"public": True}}
    async with served(database_url, tmp_path, "192.0.2.7", **settings) as http:
        assert (await http.get(f"{base}/healthz")).json() == {"status": "ok"}
        assert (await http.get(f"{base}/readyz")).status_code == 200
        assert "fullmakt_tokens_issued" in (await http.get(f"{base}/metrics")).text
        own = issuer or f"{base}/maskinporten/"
        assert (await http.get(f"{own}jwk")).status_code == 200
        assert (await http.get(f"{own}errors/MP-250")).status_code == 200
        assert (await http.get(f"{base}/healthz/more")).status_code == 404


async def test_a_caller_on_this_machine_sees_metrics_and_which_system_is_ready(
    database_url: str, tmp_path: Path
) -> None:
    async with served(database_url, tmp_path) as http:
        for host in ("localhost:8080", "127.0.0.1:8080", "[::1]:8080", "localhost"):
            assert "fullmakt_tokens_issued" in (await http.get(f"http://{host}/metrics")).text
            systems = (await http.get(f"http://{host}/readyz")).json()["systems"]
            assert systems == {"database": True, "maskinporten": True, "pki": True}


@pytest.mark.parametrize(
    ("peer", "host", "header"),
    [
        ("192.0.2.7", "localhost:8080", {}),
        ("192.0.2.7", "fullmakt.example.no", {}),
        ("::ffff:192.0.2.7", "localhost:8080", {}),
        ("127.0.0.1", "fullmakt.example.no", {}),
        ("127.0.0.1", "evil.example", {}),
        ("127.0.0.1", "localhost:8080", {"X-Forwarded-For": "192.0.2.7"}),
        ("127.0.0.1", "localhost:8080", {"Forwarded": "for=192.0.2.7"}),
        ("127.0.0.1", "localhost:8080", {"Host": "["}),
    ],
)
async def test_for_anybody_else_there_are_no_metrics_and_readiness_is_a_yes_or_a_no(
    database_url: str, tmp_path: Path, peer: str, host: str, header: dict[str, str]
) -> None:
    async with served(database_url, tmp_path, peer) as http:
        metrics = await http.get(f"http://{host}/metrics", headers=header)
        assert (metrics.status_code, metrics.json()["title"]) == (404, "Not Found")
        ready = await http.get(f"http://{host}/readyz", headers=header)
        assert (ready.status_code, ready.json()) == (200, {"ready": True})


@pytest.mark.parametrize("path", ["//metrics", "/%6detrics", "/metrics/", "/METRICS"])
async def test_metrics_have_one_spelling_so_that_a_proxy_can_keep_them_in(
    database_url: str, tmp_path: Path, path: str
) -> None:
    async with served(database_url, tmp_path, metrics={"public": True}) as http:
        request = http.build_request("GET", "http://localhost:8080/")
        request.url = request.url.copy_with(raw_path=path.encode())
        assert (await http.send(request)).status_code == 404


async def test_tokens_of_an_alternative_maskinporten_are_exchanged_and_taken(database_url: str, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        other = FakeIssuer(system_clock, url_of(listening))
        stranger = FakeIssuer(system_clock, "https://stranger.test/")
        with served_on_socket(other.app, listening):
            async with served(database_url, tmp_path, exchange={"alternative_issuer": other.issuer}) as http:
                altinn = "http://localhost:8080/altinn/authentication/api/v1"

                async def answer(path: str, token: str) -> httpx2.Response:
                    return await http.get(f"{altinn}/{path}", headers={"Authorization": f"Bearer {token}"})

                exchanged = await answer("exchange/maskinporten", other.mint())
                assert exchanged.status_code == 200
                altinns = TokenVerifier(f"{altinn}/openid/", keys=RemoteKeys(f"{altinn}/openid/", http=http))
                assert (await altinns.verify(exchanged.text)).consumer == CONSUMER
                assert (await answer("refresh", exchanged.text)).status_code == 200
                assert (await answer("exchange/maskinporten", stranger.mint())).status_code == 401
                introspected = await http.post(
                    f"{altinn}/introspection",
                    headers={"Authorization": f"Bearer {other.mint()}"},
                    data={"token": exchanged.text},
                )
                assert introspected.json()["active"] is True

"""Signing keys rotate under a verifier that caches the key set as told, and it never sees a failure."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, field
from pathlib import Path

import httpx2
from sqlalchemy import text

from fullmakt.infra import feed
from fullmakt.jose.compact import parse_compact
from fullmakt.jose.keys import PublicKey
from fullmakt.maskinporten.tokens.signing import CHANGE_KEY
from fullmakt.wire.maskinporten.registry import TOPIC
from tests.support.inside import database_of
from tests.support.load import grants, post_all
from tests.support.running import Running, running

TRIES = 100_000
"""Tokens among which one must be as it is waited for."""


@dataclass
class StubbornVerifier:
    """Goes by its copy of the key set until that is as old as ``Cache-Control`` allows, unknown key ids or not."""

    jwks_uri: str
    fetched: int = 0
    stale_at: float = 0.0
    keys: dict[str, PublicKey] = field(default_factory=dict)

    def verify(self, token: str) -> str:
        """The key id of a token that holds."""
        if time.monotonic() >= self.stale_at:
            response = httpx2.get(self.jwks_uri)
            self.stale_at = time.monotonic() + int(response.headers["cache-control"].rpartition("max-age=")[2])
            self.keys = {jwk["kid"]: PublicKey.from_jwk(jwk) for jwk in response.json()["keys"]}
            self.fetched += 1
        jws = parse_compact(token)
        kid, alg = jws.unverified_header["kid"], jws.unverified_header["alg"]
        assert self.keys[kid].verify(alg, jws.signing_input, jws.signature)
        return str(kid)


async def bring_forward(server: Running, seconds: int) -> None:
    """Let the newest key sign so many seconds earlier, as if they had passed."""
    statement = text(
        "UPDATE tokens.signing_key SET sign_from = sign_from - make_interval(secs => :seconds)"
        " WHERE sign_from = (SELECT max(sign_from) FROM tokens.signing_key)"
    )
    async with database_of(server) as database, database.transaction() as connection:
        await connection.execute(statement, {"seconds": seconds})
        await feed.publish(connection, TOPIC, [CHANGE_KEY])


async def kid_of_a_token(server: Running, verifier: StubbornVerifier) -> str:
    (answer,) = await post_all(server, grants(server, 1))
    return verifier.verify(json.loads(answer.body)["access_token"])


async def kids_until(server: Running, verifier: StubbornVerifier, *, fetched: int = 0, kid: str = "") -> set[str]:
    """The keys of one token after the other, until the verifier has fetched so often and met that key."""
    seen: set[str] = set()
    for _ in range(TRIES):
        if verifier.fetched >= fetched and (not kid or kid in seen):
            return seen
        seen.add(await kid_of_a_token(server, verifier))
    raise AssertionError(f"fetched {verifier.fetched} times, and met {seen}")


async def test_a_verifier_that_caches_as_told_sees_no_failure(world_state: Path) -> None:
    with running(world_state, MASKINPORTEN__JWKS_MAX_AGE="2") as server:
        verifier = StubbornVerifier(f"{server.issuer}jwk")
        old = await kid_of_a_token(server, verifier)
        told = server.command("keys", "rotate").stdout
        new = told.split()[2]
        assert new != old
        assert await kids_until(server, verifier, fetched=2) == {old}  # published, and not signing yet
        assert {old, new} <= verifier.keys.keys()
        await bring_forward(server, 62)
        assert await kids_until(server, verifier, fetched=4, kid=new) <= {old, new}
        assert await kid_of_a_token(server, verifier) == new
        assert old in verifier.keys  # its tokens are still about


async def test_at_once_signs_at_once_and_our_verifier_looks_again(world_state: Path) -> None:
    with running(world_state) as server:
        whoami = ("call", f"{server.url}/examples/whoami", "--client", "demo-bank", "--scope", "fullmakt:whoami")
        server.command(*whoami)
        new = server.command("keys", "rotate", "--at-once").stdout.split()[2]
        verifier = StubbornVerifier(f"{server.issuer}jwk")
        assert await kids_until(server, verifier, kid=new)
        server.command(*whoami)  # its cached key set is a minute old at the most: it fetches for the unknown key id
        states = [line.split()[2:] for line in server.command("keys", "list").stdout.splitlines() if "RS256" in line]
        assert sorted(states) == [["signs"], ["verifies", "only"]]


async def test_a_compromised_key_is_taken_back_from_the_key_set_and_signs_no_more(world_state: Path) -> None:
    with running(world_state) as server:
        stolen = await kid_of_a_token(server, StubbornVerifier(f"{server.issuer}jwk"))
        new = server.command("keys", "rotate", "--at-once", "--withdraw", stolen).stdout.split()[2]
        verifier = StubbornVerifier(f"{server.issuer}jwk")
        assert await kid_of_a_token(server, verifier) == new
        assert verifier.keys.keys() == {new}
        waits = server.command("keys", "rotate").stdout.split()[2]
        told = server.command("keys", "withdraw", new).stdout
        assert f"key {new} is withdrawn" in told
        assert await kid_of_a_token(server, StubbornVerifier(f"{server.issuer}jwk")) == waits

"""Feeds the token endpoint mutated grants and forms; what reaches new lines is mutated further.

    python -m tests.fuzz.fuzz_token_endpoint --seconds 600 --seed 7

Each answer must be a token for a grant that deserved one, which must then be used up, or a refusal in the protocol's
form with one audit event and nothing else written. What breaks that is written to a file, and ends the run.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import tempfile
import time
import uuid
from collections import Counter
from collections.abc import Callable
from contextlib import AsyncExitStack, ExitStack
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path

import httpx2

import fullmakt
from fullmakt.infra.database import Database
from fullmakt.infra.embedded import EmbeddedPostgres
from fullmakt.infra.migrations import migrate
from fullmakt.infra.telemetry import configure_logging
from fullmakt.jose.compact import b64url_encode
from fullmakt.kernel.clock import Clock, FixedClock
from fullmakt.kernel.identifiers import OrgNumber
from fullmakt.kernel.trace import Trace
from fullmakt.maskinporten.tokens.http import MAX_FORM_BYTES
from fullmakt.pki.service import Pki
from fullmakt.serve.systems import MIGRATIONS
from fullmakt.wire.maskinporten.grant import GRANT_TYPE, KNOWN_CLAIMS
from tests.fuzz.mutation import Coverage, Mutator
from tests.support.refusals import check_refusal
from tests.support.token_nodes import FORM, Node, body_of, events, node, set_up_pki, used_grants
from tests.support.tokens import CLIENT_ID, ISSUER, NOW, ORGNO, PID, SCOPE, RegistryRows, claims_of, key_number

WATCHED = [str(Path(fullmakt.__file__).parent / folder) for folder in ("maskinporten/tokens", "jose", "kernel")]
WORDS = [
    *[f'"{name}":'.encode() for name in sorted(KNOWN_CLAIMS | {"alg", "kid", "x5c", "crit", "typ", "type"})],
    *[json.dumps(text).encode() for text in (ISSUER, CLIENT_ID, SCOPE, PID, ORGNO, "without-keys", "urn:a")],
    b"RS256", b"none", b"HS256", b"null", b"true", b"NaN", b"1e999", b"-1", b"0", b"9" * 5_000, b"[" * 900, b"{}",
    b'"\\u0000"', b'"\\ud800"', b"\xef\xbb\xbf", b"\x00", b"\xff", b",", b":", b'"', b"\\", b"{", b"}", b"[", b"]",
    b"[]", b"grant_type=", b"assertion=", b"&", b"%", b"%00", b"%ff", b"+", b"=", b".", GRANT_TYPE.encode(),
]  # fmt: skip


FRESH = b"<fresh>"


@dataclass(frozen=True, slots=True)
class Case:
    """A grant before it is signed; ``signer`` is a key's number, 0 for a signature of nobody's.

    ``FRESH`` in the payload becomes something new each time. ``form`` replaces the form with the grant in it.
    """

    header: bytes
    payload: bytes
    signer: int
    form: bytes | None = None

    def request(self) -> bytes:
        """The form to send."""
        if self.form is not None:
            return self.form
        payload = self.payload.replace(FRESH, uuid.uuid4().hex.encode())
        grant = (
            key_number(self.signer).sign(payload, self.header)
            if self.signer
            else b".".join((b64url_encode(self.header), b64url_encode(payload), b64url_encode(bytes(256))))
        )
        return b"grant_type=" + GRANT_TYPE.encode() + b"&assertion=" + grant

    def mutated(self, rng: random.Random, mutator: Mutator) -> Case:
        """A relative."""
        match rng.randrange(7):
            case 0 | 1:
                return replace(self, header=mutator.change(self.header))
            case 2 | 3 | 4:
                return replace(self, payload=mutator.change(self.payload))
            case 5:
                return replace(self, form=mutator.change(self.request()))
            case _:
                return replace(self, signer=rng.randrange(3), form=None)


def seeds(x5c: list[str]) -> list[Case]:
    """What is right, or nearly, in each of its forms."""
    by_key = json.dumps({"alg": "RS256", "kid": "key-1"}).encode()
    by_certificate = [
        json.dumps({"alg": "RS256", "x5c": chain}).encode() for chain in (x5c, x5c[:1], x5c[::-1], x5c * 4)
    ]
    jti = FRESH.decode()
    extras: list[dict[str, object]] = [
        {}, {"jti": "the same"}, {"resource": ["urn:a", "https://api.example/"]}, {"pid": PID}, {"consumer_org": ORGNO},
        {"authorization_details": [{"type": "urn:altinn:systemuser"}]}, {"sub": "x", "nbf": 1}, {"aud": [ISSUER]},
    ]  # fmt: skip
    certified = json.dumps(claims_of(iss="without-keys", jti=jti)).encode()
    return [
        *[Case(by_key, json.dumps(claims_of(**{"jti": jti, **extra})).encode(), 1) for extra in extras],
        *[Case(header, certified, 2) for header in by_certificate],
    ]


class WrongAnswerError(Exception):
    """The case that was answered wrongly; why is its cause."""

    def __init__(self, case: Case) -> None:
        super().__init__(repr(case)[:2_000])
        self.case = case


class Fuzzer:
    """One run against one node."""

    def __init__(self, server: Node, corpus: list[Case], rng: random.Random) -> None:
        self._server = server
        self._corpus = corpus
        self._rng = rng
        self._mutator = Mutator(rng, WORDS)
        self.coverage = Coverage(WATCHED)
        self.outcomes: Counter[str] = Counter()

    async def run(self, done: Callable[[int], bool]) -> None:
        """Go on until ``done``, which is asked with the number of requests so far.

        Raises:
            WrongAnswerError: something that must be true was not.
        """
        cases = chain(list(self._corpus), iter(self._next, None))
        for number, case in enumerate(cases):
            if done(number):
                return
            with self.coverage.watching() as led_somewhere_new:
                try:
                    await self.try_case(case)
                except AssertionError as error:
                    raise WrongAnswerError(case) from error
            if led_somewhere_new():
                self._corpus.append(case)

    def _next(self) -> Case:
        return self._rng.choice(self._corpus).mutated(self._rng, self._mutator)

    async def try_case(self, case: Case) -> None:
        """Send it, and check all that must be true of what came back and what was written.

        Raises:
            AssertionError: it was not.
        """
        form, trace = case.request(), Trace.start()
        claimed = await used_grants(self._server.database)
        headers = {**FORM, "traceparent": trace.traceparent}
        answer = await self._server.http.post("/token", content=form, headers=headers)
        newly_claimed = await used_grants(self._server.database) - claimed
        [event] = await events(self._server.database, trace.trace_id)
        if answer.status_code == 200:
            assert (event["outcome"], newly_claimed, case.signer > 0) == ("permit", 1, True)
            assert body_of(answer)["scope"] == SCOPE
            again = Trace.start()
            replay = await self._server.http.post(
                "/token", content=form, headers={**headers, "traceparent": again.traceparent}
            )
            assert "Grant is used before" in check_refusal(replay, again)
            self.outcomes["token"] += 1
            return
        check_refusal(answer, trace)
        assert event["outcome"] == "deny"
        assert newly_claimed in ({0, 1} if case.signer else {0})
        assert len(answer.content) <= 2 * MAX_FORM_BYTES
        self.outcomes[event["reason"]] += 1


async def register(database: Database, clock: Clock) -> tuple[Pki, httpx2.AsyncBaseTransport, list[Case]]:
    """A client with a key, one with a certificate, and what they would send."""
    rows = RegistryRows(database)
    await rows.scope()
    await rows.client()
    await rows.client("without-keys", keys=[])
    pki, crls = await set_up_pki(database, clock)
    certificate = await pki.issue(OrgNumber(ORGNO), "Testbanken AS", key=key_number(2))
    return pki, crls, seeds(certificate.x5c)


async def fuzz(url: str, done: Callable[[int], bool], seed: int) -> Fuzzer:
    """Set a node up on the database at ``url``, and fuzz it."""
    async with AsyncExitStack() as stack:
        database, clock = Database(url), FixedClock(NOW)
        stack.push_async_callback(database.close)
        pki, crls, corpus = await register(database, clock)
        server = await stack.enter_async_context(node(url, clock=clock, anchors=pki, crls=crls))
        fuzzer = Fuzzer(server, corpus, random.Random(seed))
        await fuzzer.run(done)
        return fuzzer


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--seed", type=int, default=random.randrange(1_000_000))
    arguments = parser.parse_args()
    configure_logging(json_lines=True, level="CRITICAL")
    print(f"seed {arguments.seed}, {arguments.seconds:.0f} seconds")
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="fullmakt-fuzz-")))
        postgres = stack.enter_context(EmbeddedPostgres(folder / "postgres", hold=True))
        migrate(postgres.url(), MIGRATIONS)
        deadline = time.monotonic() + arguments.seconds
        try:
            fuzzer = asyncio.run(fuzz(postgres.url(), lambda _: time.monotonic() > deadline, arguments.seed))
        except WrongAnswerError as error:
            Path("fuzz-failure.bin").write_bytes(error.case.request())
            print(f"answered wrongly (the form is in fuzz-failure.bin): {error.__cause__}\n{error}")
            raise SystemExit(1) from error
    for outcome, count in fuzzer.outcomes.most_common():
        print(f"{count:8} {outcome}")
    print(f"{sum(fuzzer.outcomes.values())} requests, {fuzzer.coverage.lines} lines reached, all answers right")


if __name__ == "__main__":
    main()

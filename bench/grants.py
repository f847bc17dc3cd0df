"""Grants, signed before they are needed, each one another: whole HTTP requests, ready to be sent."""

from __future__ import annotations

import itertools
import json
import multiprocessing
import random
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import suppress

from bench.registry import SCOPE, client_id
from fullmakt.jose.keys import LocalSigner
from fullmakt.jose.multi_buffer import MultiBuffer, MultiBufferUnavailableError
from fullmakt.wire.maskinporten.grant import GRANT_TYPE

LIFETIME = 120
"""Seconds that a grant may live: what is signed ahead must be used within them."""
_CHUNK = 500
_GRANT_TYPE = GRANT_TYPE.replace(":", "%3A")

Choice = Callable[[int], Sequence[int]]
"""Numbers of clients, or of whatever else is asked about: as many as are asked for."""
Claims = Callable[[int], tuple[int, Mapping[str, str]]]
"""The client that asks, and what for, by the number chosen. It is called in other processes."""


def plain(number: int) -> tuple[int, Mapping[str, str]]:
    """A client asks on its own behalf."""
    return number, {"scope": SCOPE}


def uniform(clients: int) -> Choice:
    """Every client as often as every other."""
    return lambda count: random.choices(range(clients), k=count)


def zipf(clients: int) -> Choice:
    """A few clients often and many seldom: the r-th most frequent 1/r times as often as the first."""
    weights = list(itertools.accumulate(1 / rank for rank in range(1, clients + 1)))
    # Neighbours in rank are not neighbours in the tables.
    step = next(prime for prime in (7_919, 104_729, 15_485_863) if clients % prime)

    def choose(count: int) -> Sequence[int]:
        ranks = random.choices(range(clients), cum_weights=weights, k=count)
        return [rank * step % clients for rank in ranks]

    return choose


_signers: Sequence[LocalSigner] = ()


def _take_signers(pems: Sequence[tuple[bytes, str]]) -> None:
    global _signers
    _signers = [LocalSigner.from_pem(pem, kid) for pem, kid in pems]
    with suppress(MultiBufferUnavailableError):
        library = MultiBuffer.load()
        for signer in _signers:
            signer.use(library)


class GrantMaker:
    """Signs on all cores. ``host`` and ``issuer`` are the server's."""

    def __init__(self, signers: Sequence[LocalSigner], issuer: str, host: str) -> None:
        self._issuer = issuer
        self._head = (
            f"POST /maskinporten/token HTTP/1.1\r\nHost: {host}\r\n"
            "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: "
        ).encode()
        self._pool = ProcessPoolExecutor(
            mp_context=multiprocessing.get_context("spawn"),
            initializer=_take_signers,
            initargs=([(signer.to_pem(), signer.kid) for signer in signers],),
        )

    def requests(self, choice: Choice, count: int, claims: Claims = plain) -> list[bytes]:
        """``count`` requests with fresh grants for what ``choice`` picks."""
        numbers = choice(count)
        chunks = [numbers[start : start + _CHUNK] for start in range(0, count, _CHUNK)]
        bodies = self._pool.map(_sign, chunks, itertools.repeat(self._issuer), itertools.repeat(claims))
        return [b"%b%d\r\n\r\n%b" % (self._head, len(body), body) for chunk in bodies for body in chunk]

    def close(self) -> None:
        """End the workers."""
        self._pool.shutdown()


def _sign(numbers: Sequence[int], issuer: str, claims: Claims) -> list[bytes]:
    now = int(time.time())
    prefix = f"grant_type={_GRANT_TYPE}&assertion=".encode()
    times = {"aud": issuer, "iat": now, "exp": now + LIFETIME}
    by_signer: dict[int, list[tuple[bytes, None]]] = {}
    places = []
    for client, asked in map(claims, numbers):
        grant = {**times, "iss": client_id(client), "jti": str(uuid.uuid4()), **asked}
        waiting = by_signer.setdefault(client % len(_signers), [])
        places.append((client % len(_signers), len(waiting)))
        waiting.append((json.dumps(grant).encode(), None))
    signed = {number: _signers[number].sign_all(grants) for number, grants in by_signer.items()}
    return [prefix + signed[number][place] for number, place in places]

"""Balances a second with both tokens verified, against the same API without checks. Method: README.md."""

from __future__ import annotations

import asyncio
import datetime as dt
import itertools
import json
import uuid
from collections.abc import Mapping, Sequence

import psycopg

from bench import registry
from bench.grants import uniform
from bench.harness import Bench, Kind, Requests, measure, measure_in_turn, saturate
from bench.load import ask
from bench.registry import client_id
from bench.server import HOST, Server, Unchecked
from fullmakt.altinn.exchange.keys import AltinnKeys
from fullmakt.infra.database import Database
from fullmakt.infra.secrets import MasterKey
from fullmakt.kernel.clock import system_clock
from fullmakt.lanekassen.config import SCOPE, SERVICE
from fullmakt.lanekassen.people import customers

_BANK = "910753614"
_API_KEY = "the-banks-key-of-the-bench"
_SETTINGS = {
    "FULLMAKT_LANEKASSEN__ENABLED": "true",
    "FULLMAKT_LANEKASSEN__API_KEYS": json.dumps({_BANK: _API_KEY}),
    "FULLMAKT_LANEKASSEN__REQUESTS_PER_SECOND": "1000000",
    "FULLMAKT_LANEKASSEN__BURST": "1000000",
}
_GRANT = b"""
INSERT INTO selfservice.prefix (prefix, owner_orgno, created, last_updated)
VALUES ('lanekassen', '310943223', now(), now());

INSERT INTO selfservice.scope (name, prefix, subscope, description, created, last_updated)
VALUES (%(scope)s, 'lanekassen', 'lan/v1/saldoopplysninger', 'bench', now(), now());

INSERT INTO selfservice.scope_access (scope, consumer_orgno, state, created, last_updated)
VALUES (%(scope)s, %(bank)s, 'APPROVED', now(), now());

INSERT INTO selfservice.client_scope (client_id, scope) VALUES (%(client)s, %(scope)s);
"""


def saldo(bench: Bench) -> None:
    """The same calls to an API that asks for nothing, with both tokens, and with a consent that is remembered."""
    count = bench.sizes.decisions
    with Unchecked(bench.folder) as server:
        bare = measure(bench, server, _requests("-", {}), saturate(), count=3 * count)
    url = bench.database("bench_saldo", lambda name: _create(bench, name))
    with Server(bench.folder, url, "maskinporten", "lanekassen", settings=_SETTINGS) as server:
        [grant] = bench.grants().requests(uniform(1), 1, _for_balances)
        access = json.loads(ask(server.port, grant))["access_token"]
        consents = asyncio.run(_consents(bench, url))
        kinds = [Kind(server, _requests(access, given)) for given in (consents, {})]
        both, remembered = measure_in_turn(bench, kinds, saturate(), count=count)
    bench.report.load("balances, no checks", bare)
    bench.report.load("balances, both tokens verified", both)
    bench.report.load("balances, consent remembered", remembered)
    bench.report.add("both tokens, against no checks", f"{both.rate / bare.rate:.3f}")
    bench.report.add("both tokens, CPU against no checks", f"{both.cpu / bare.cpu:.1f} ×")
    bench.report.add("remembered, against no checks", f"{remembered.rate / bare.rate:.3f}")


def _create(bench: Bench, name: str) -> str:
    """A registry with one client, which may ask for balances."""
    url = registry.create(bench.postgres, name, 1, bench.signers())
    values = {"scope": SCOPE, "bank": _BANK, "client": client_id(0)}
    with psycopg.connect(url, cursor_factory=psycopg.ClientCursor) as connection:
        connection.execute(_GRANT, values)
    return url


def _for_balances(number: int) -> tuple[int, Mapping[str, str]]:
    return number, {"scope": SCOPE}


async def _consents(bench: Bench, url: str) -> dict[str, str]:
    """A consent token of every customer's, by Altinn's key; they last for the whole run, as real ones do not."""
    database = Database(url)
    try:
        keys = AltinnKeys(database, MasterKey.load(bench.folder / "master.key"), system_clock, "bench")
        return {person: await keys.sign_as_altinn2(_claims(person)) for person in customers()}
    finally:
        await database.close()


def _claims(person: str) -> dict[str, object]:
    now = system_clock()
    ends = int((now + dt.timedelta(days=1)).timestamp())
    at = int(now.timestamp())
    return {
        "Services": [SERVICE, f"{SERVICE}_Navn=Banken AS"],
        "AuthorizationCode": str(uuid.uuid4()),
        "OfferedBy": person,
        "CoveredBy": _BANK,
        "DelegatedDate": at,
        "ValidToDate": ends,
        "nbf": at,
        "iat": at,
        "exp": ends,
        "iss": "altinn.no",
    }


def _requests(access: str, consents: Mapping[str, str]) -> Requests:
    """Calls for every customer in turn, with their consent tokens where there are any."""
    people = [
        (
            f"GET /lanekassen/saldo/v1/Accounts HTTP/1.1\r\nHost: {HOST}\r\nApiKey: {_API_KEY}\r\n"
            f"Authorization: {access}\r\nPSU_ID: {person}\r\n"
            + (f"Consent-ID: {consents[person]}\r\n" if consents else "")
        ).encode()
        for person in customers()
    ]

    def requests(count: int) -> Sequence[bytes]:
        heads = itertools.islice(itertools.cycle(people), count)
        return [b"%bX-Request-Id: %d\r\n\r\n" % (head, number) for number, head in enumerate(heads)]

    return requests

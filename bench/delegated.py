"""Tokens for suppliers, against tokens on one's own behalf. Target: issue 3, "Speed"."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from functools import partial
from pathlib import Path

import psycopg

from bench import registry
from bench.grants import uniform, zipf
from bench.harness import FEW, Bench, Kind, Requests, measure_in_turn, saturate
from bench.registry import SCOPE
from bench.server import Server
from fullmakt.altinn.resources.policies import standard_policy
from fullmakt.altinn.resources.service import ResourcesService
from fullmakt.infra.database import Database
from fullmakt.kernel.clock import system_clock
from fullmakt.wire.altinn.resource_registry import ResourceDocument, ServiceOwner

_FILL = (Path(__file__).parent / "delegated.sql").read_bytes()
API = "bench-api"
_OWNER, _CODE = "310943223", "bench"
_FIRST_CONSUMER = 313_000_000


def for_consumer(number: int) -> tuple[int, Mapping[str, str]]:
    """A client of the supplier asks on behalf of a consumer."""
    return number % FEW, {"scope": SCOPE, "consumer_org": str(_FIRST_CONSUMER + number)}


def delegated(bench: Bench) -> None:
    """The same clients, scope and server: half of the runs with ``consumer_org`` in the grants."""
    grants, sizes = bench.grants(), bench.sizes
    own = partial(grants.requests, uniform(FEW))
    few, many = sizes.consumers, sizes.many_consumers
    url = bench.database(f"bench_delegated_{many}", partial(_create, bench, many))
    for name, consumers, choice in (
        (f"for {few:,} consumers", few, uniform(few)),
        (f"for {many:,} consumers as they come (Zipf)", many, zipf(many)),
    ):
        others: Requests = partial(grants.requests, choice, claims=for_consumer)
        with Server(bench.folder, url, "maskinporten", "accessmanagement") as server:
            warm_up = sizes.warm_up if consumers == few else sizes.seasoned
            kinds = [Kind(server, own), Kind(server, others, warm_up)]
            plain, supplied = measure_in_turn(bench, kinds, saturate(), count=sizes.tokens)
        bench.report.load(f"tokens, plain, beside those {name}", plain)
        bench.report.load(f"tokens, delegated, {name}", supplied)
        bench.report.at_least(f"tokens {name}, against plain", supplied.rate / plain.rate, 0.8)
        bench.report.add(f"tokens {name}, CPU against plain", f"{supplied.cpu / plain.cpu:.2f}")


def _create(bench: Bench, consumers: int, name: str) -> str:
    bench.report.note(f"filling a registry where {consumers:,} consumers have delegated an API")
    url = registry.create(bench.postgres, name, FEW, bench.signers())
    fill(url, consumers)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("VACUUM ANALYZE")
    return url


def fill(url: str, consumers: int) -> None:
    """Let so many consumers have access to the scope, and have delegated the API that carries it; they need not be
    registered parties."""
    asyncio.run(_register_api(url))
    values = {"scope": SCOPE, "api": API, "consumers": consumers, "first": _FIRST_CONSUMER}
    with psycopg.connect(url, cursor_factory=psycopg.ClientCursor) as connection:
        connection.execute(_FILL, values)


async def _register_api(url: str) -> None:
    texts = dict.fromkeys(("nb", "nn", "en"), "bench")
    document = ResourceDocument.model_validate(
        {
            "identifier": API, "title": texts, "description": texts, "rightDescription": texts,
            "resourceType": "MaskinportenSchema", "hasCompetentAuthority": {"organization": _OWNER, "orgcode": _CODE},
            "resourceReferences": [{"reference": SCOPE, "referenceType": "MaskinportenScope"}],
        }
    )  # fmt: skip
    database = Database(url)
    try:
        resources = ResourcesService(database, system_clock)
        await resources.declare_service_owner(_CODE, ServiceOwner(orgnr=_OWNER))
        policy = standard_policy(API, roles=["apiadm"], actions=["ScopeAccess"], min_level=3)
        await resources.declare_resource(document, policy)
    finally:
        await database.close()

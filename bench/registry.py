"""Databases with a registry of so many clients, filled by PostgreSQL itself."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import psycopg

from fullmakt.infra.embedded import EmbeddedPostgres
from fullmakt.infra.migrations import migrate
from fullmakt.jose.keys import LocalSigner
from fullmakt.serve.systems import MIGRATIONS

SCOPE = "bench:api.read"
_FILL = (Path(__file__).parent / "fill.sql").read_bytes()


def client_id(number: int) -> str:
    """The id of a client; it has key ``number % len(signers)``."""
    return f"00000000-0000-4000-8000-{number:012x}"


def create(server: EmbeddedPostgres, name: str, count: int, signers: Sequence[LocalSigner]) -> str:
    """Make a database with ``count`` clients that take turns in having one of ``signers``; returns its URL."""
    with psycopg.connect(server.url("postgres"), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    url = server.url(name)
    migrate(url, MIGRATIONS)
    values = {
        "scope": SCOPE,
        "count": count,
        "alg": signers[0].alg,
        "kids": [signer.kid for signer in signers],
        "spkis": [signer.public.to_der() for signer in signers],
    }
    with psycopg.connect(url, cursor_factory=psycopg.ClientCursor) as connection:
        connection.execute(_FILL, values)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("VACUUM ANALYZE")
        connection.execute("CHECKPOINT")
    return url

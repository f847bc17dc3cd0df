"""What the database itself holds of the system register's rules."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import UUID

import psycopg
import pytest

FIRST, SECOND = UUID(int=1), UUID(int=2)

_SYSTEM = (
    "INSERT INTO systemusers.system (internal_id, system_id, vendor, name, description, rights, packages,"
    " redirect_urls, visible, created, changed) VALUES (%s, %s, %s, '{}', '{}', '[]', '{}', '{}', true, now(), now())"
)
_CLIENT = "INSERT INTO systemusers.system_client (system, client_id, number) VALUES (%s, %s, 0)"


@pytest.fixture
def connection(database_url: str) -> Iterator[psycopg.Connection]:
    with psycopg.connect(database_url) as connection:
        for internal_id, name in ((FIRST, "a"), (SECOND, "b")):
            connection.execute(_SYSTEM, (internal_id, f"991825827_{name}", "991825827"))
        connection.commit()
        yield connection


def test_a_client_is_on_one_live_system(connection: psycopg.Connection) -> None:
    connection.execute(_CLIENT, (FIRST, "client"))
    with pytest.raises(psycopg.errors.UniqueViolation, match="system_client_live"):
        connection.execute(_CLIENT, (SECOND, "Client"))


def test_the_client_of_a_deleted_system_is_free(connection: psycopg.Connection) -> None:
    connection.execute(_CLIENT, (FIRST, "client"))
    connection.execute("UPDATE systemusers.system_client SET live = false WHERE system = %s", (FIRST,))
    connection.execute(_CLIENT, (SECOND, "client"))


def test_a_system_id_is_given_out_once(connection: psycopg.Connection) -> None:
    connection.execute("UPDATE systemusers.system SET deleted = true")
    with pytest.raises(psycopg.errors.UniqueViolation, match="system_system_id_key"):
        connection.execute(_SYSTEM, (UUID(int=3), "991825827_a", "991825827"))


def test_a_vendor_is_an_organisation(connection: psycopg.Connection) -> None:
    with pytest.raises(psycopg.errors.CheckViolation, match="system_vendor_check"):
        connection.execute(_SYSTEM, (UUID(int=3), "x_a", "0192:991825827"))

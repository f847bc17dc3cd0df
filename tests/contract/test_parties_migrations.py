"""A register that is older than user ids gets them, once, and keeps everything else."""

from __future__ import annotations

import shutil
from pathlib import Path

import psycopg

from fullmakt.altinn.parties.model import Person
from fullmakt.infra.database import Database
from fullmakt.infra.migrations import migrate
from fullmakt.serve.systems import PACKAGE
from fullmakt.wire.altinn.attributes import USER_ID, Attribute
from tests.support.parties import national_id, orgno, register

FOLDER = PACKAGE / "altinn" / "parties" / "migrations"


def _rows(url: str) -> list[tuple[object, ...]]:
    with psycopg.connect(url) as connection:
        return connection.execute(
            "SELECT party_id, national_id, user_id FROM parties.party ORDER BY party_id"
        ).fetchall()


async def test_people_who_were_there_get_user_ids_in_the_order_they_came(database_url: str, tmp_path: Path) -> None:
    shutil.copy(FOLDER / "parties_0001_parties_and_roles.py", tmp_path)
    with psycopg.connect(database_url, autocommit=True) as connection:
        for schema in ("migrations", "audit", "feed", "parties"):
            connection.execute(f"DROP SCHEMA {schema} CASCADE")
        migrate(database_url, [tmp_path])
        connection.execute(
            "INSERT INTO parties.party (party_uuid, orgno, national_id, name, form, created, last_updated) VALUES"
            " (gen_random_uuid(), NULL, %(kari)s, 'Kari', NULL, now(), now()),"
            " (gen_random_uuid(), %(firm)s, NULL, 'Firma', 'AS', now(), now()),"
            " (gen_random_uuid(), NULL, %(ola)s, 'Ola', NULL, now(), now())",
            {"kari": national_id(0), "firm": orgno(1), "ola": national_id(1)},
        )
    migrate(database_url, [FOLDER])
    assert [row[2] for row in _rows(database_url)] == [20000001, None, 20000002]
    database = Database(database_url)
    service = register(database)
    await service.declare_person(Person(national_id(2), "Per"))
    newest = Attribute(USER_ID, "20000003")
    assert (await service.identify([newest]))[newest].national_id == national_id(2)
    await database.close()


def test_nobody_in_the_register_is_no_hindrance(database_url: str, tmp_path: Path) -> None:
    shutil.copy(FOLDER / "parties_0001_parties_and_roles.py", tmp_path)
    with psycopg.connect(database_url, autocommit=True) as connection:
        for schema in ("migrations", "audit", "feed", "parties"):
            connection.execute(f"DROP SCHEMA {schema} CASCADE")
    migrate(database_url, [tmp_path])
    assert migrate(database_url, [FOLDER]) == ["parties_0002"]
    with psycopg.connect(database_url) as connection:
        assert connection.execute("SELECT nextval('parties.user_id')").fetchone() == (20000001,)

"""The tables that statements are built on are those that the migrations made."""

from __future__ import annotations

from sqlalchemy import Connection, MetaData, inspect

from fullmakt.infra.database import Database
from fullmakt.maskinporten.selfservice.store.tables import metadata


async def test_every_table_has_the_columns_that_the_migrations_gave_it(database: Database) -> None:
    def there(connection: Connection) -> dict[str, dict[str, str]]:
        found = MetaData(schema="selfservice")
        found.reflect(connection)
        assert inspect(connection).get_schema_names().count("selfservice") == 1
        return {
            table.name: {column.name: str(column.type) for column in table.columns} for table in found.tables.values()
        }

    async with database.transaction() as connection:
        migrated = await connection.run_sync(there)
    ours = {
        table.name: {column.name: str(column.type.compile(dialect=connection.dialect)) for column in table.columns}
        for table in metadata.tables.values()
    }
    assert {name: set(columns) for name, columns in ours.items()} == {
        name: set(columns) for name, columns in migrated.items()
    }

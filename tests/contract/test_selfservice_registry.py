"""What the token server is told of a client (maskinporten.md §4.1, §4.2)."""

from __future__ import annotations

import pytest

from fullmakt.infra.database import Database, DatabaseUnavailableError
from fullmakt.jose.keys import LocalSigner
from fullmakt.kernel.clock import FixedClock
from fullmakt.maskinporten.selfservice.registry import PostgresRegistry
from fullmakt.maskinporten.selfservice.service import SelfService
from fullmakt.wire.maskinporten.registry import RegisteredClient, RegisteredKey, RegisteredScope
from tests.support.selfservice import (
    CONSUMER,
    PROVIDER,
    START,
    SUPPLIER,
    client_body,
    declare_provider,
    grant,
    jwk_of,
    selfservice,
)


@pytest.fixture
def service(database: Database) -> SelfService:
    return selfservice(database, FixedClock(START))


@pytest.fixture
async def registry(database: Database) -> object:
    registry = PostgresRegistry(database)
    yield registry
    await registry.close()


def scope(name: str, *, access: bool, active: bool = True, **more: object) -> RegisteredScope:
    fields: dict[str, object] = {
        "accessible_for_all": False,
        "allowed_integration_types": (),
        "delegation_source": None,
        "at_max_age": 0,
        "enforced_audience": None,
        **more,
    }
    return RegisteredScope(name=name, active=active, access=access, **fields)  # type: ignore[arg-type]


async def test_a_client_comes_with_its_keys_its_scopes_and_its_prefixes(
    service: SelfService, registry: PostgresRegistry
) -> None:
    await declare_provider(service, "read", at_max_age=500, enforced_aud_for_access_token="https://api.test")
    signer = LocalSigner.generate()
    await service.operator.declare_client("c1", PROVIDER, client_body(scopes=["provider:read"]))
    await service.operator.declare_keys("c1", [jwk_of(signer)])

    assert await registry.clients(["c1", "nobody"]) == {
        "c1": RegisteredClient(
            client_id="c1",
            active=True,
            integration_type="maskinporten",
            client_orgno=PROVIDER,
            supplier_orgno=None,
            made_by_altinn=False,
            access_token_lifetime=120,
            keys=(
                RegisteredKey(
                    signer.kid, signer.public.to_der(), "RS256", int(START.timestamp()) + 365 * 24 * 3600, None
                ),
            ),
            scopes=(scope("provider:read", access=True, at_max_age=500, enforced_audience="https://api.test"),),
            consumer_prefixes=("provider",),
            client_name="test",
        )
    }


@pytest.mark.parametrize(
    ("made_by_altinn", "integration_type", "granted_to", "access"),
    [
        (False, "maskinporten", SUPPLIER, True),
        (False, "maskinporten", CONSUMER, False),
        (True, "maskinporten", CONSUMER, True),
        (True, "maskinporten", SUPPLIER, False),
        (False, "altinn_virksys", CONSUMER, True),
        (False, "altinn_virksys", SUPPLIER, False),
    ],
)
async def test_the_access_that_counts_is_the_suppliers_unless_altinn_made_the_client(
    service: SelfService,
    registry: PostgresRegistry,
    made_by_altinn: bool,
    integration_type: str,
    granted_to: str,
    access: bool,
) -> None:
    await declare_provider(service, "read")
    await grant(service, "provider:read", granted_to)  # type: ignore[arg-type]
    body = client_body(scopes=["provider:read"], integration_type=integration_type)
    await service.operator.declare_client("c1", CONSUMER, body, supplier=SUPPLIER, made_by_altinn=made_by_altinn)
    assert (await registry.clients(["c1"]))["c1"].scopes == (scope("provider:read", access=access),)


async def test_ids_that_no_client_can_have_are_nobodys(registry: PostgresRegistry) -> None:
    assert await registry.clients(["\x00", "\ud800", "", "'; --"]) == {}
    assert await registry.clients([]) == {}


async def test_a_change_is_announced_to_those_who_remember(service: SelfService, registry: PostgresRegistry) -> None:
    await declare_provider(service, "read")
    start = (await registry.changes_since(0)).version
    await grant(service, "provider:read", CONSUMER)
    await service.operator.declare_client("c1", CONSUMER, client_body(scopes=["provider:read"]))
    changes = await registry.changes_since(start)
    assert list(changes.keys) == ["scope:provider:read", "client:c1"]
    assert changes.version == start + 2


async def test_a_connection_that_broke_is_replaced(
    service: SelfService, registry: PostgresRegistry, database: Database
) -> None:
    await service.operator.declare_client("c1", CONSUMER, client_body())
    assert await registry.clients(["c1"])
    async with database.transaction() as connection:
        await connection.exec_driver_sql(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
    assert await registry.clients(["c1"])


async def test_a_database_that_does_not_answer_is_told_as_such() -> None:
    nowhere = Database("postgresql://nobody@/nothing?host=/nonexistent")
    with pytest.raises(DatabaseUnavailableError):
        await PostgresRegistry(nowhere).clients(["c1"])
    await nowhere.close()

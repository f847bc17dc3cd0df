"""The operator declares what is there: again and again, to the same end."""

from __future__ import annotations

import pytest

from fullmakt.infra.database import Database
from fullmakt.jose.keys import LocalSigner
from fullmakt.kernel.clock import FixedClock
from fullmakt.kernel.identifiers import ScopeName
from fullmakt.maskinporten.selfservice.errors import InvalidError, NotFoundError
from fullmakt.maskinporten.selfservice.registry import PostgresRegistry
from fullmakt.maskinporten.selfservice.service import Declared, SelfService
from fullmakt.wire.maskinporten.selfservice import ScopeBody
from tests.support.selfservice import (
    ALTINN_ISSUER,
    CONSUMER,
    PROVIDER,
    START,
    STRANGER,
    SUPPLIER,
    client_body,
    declare_provider,
    grant,
    jwk_of,
    selfservice,
)


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(START)


@pytest.fixture
def service(database: Database, clock: FixedClock) -> SelfService:
    return selfservice(database, clock)


def scope_body(**more: object) -> ScopeBody:
    return ScopeBody.model_validate({"prefix": "provider", "subscope": "read", "description": "d", **more})


async def test_everything_can_be_declared_twice(service: SelfService) -> None:
    operator, signer = service.operator, LocalSigner.generate()
    scope = ScopeName("provider:read")
    for expected in (Declared.CREATED, Declared.UNCHANGED):
        done = [
            await operator.declare_delegation_source(ALTINN_ISSUER, "altinn"),
            await operator.declare_prefix("provider", PROVIDER),
            await operator.declare_scope(scope_body(delegation_source=ALTINN_ISSUER, visibility="INTERNAL")),
            await operator.declare_access(scope, CONSUMER),
            await operator.declare_client("c1", CONSUMER, client_body(scopes=[scope]), supplier=SUPPLIER),
            await operator.declare_keys("c1", [jwk_of(signer)]),
        ]
        assert done == [expected] * 6


async def test_everything_can_be_declared_otherwise(service: SelfService) -> None:
    operator = service.operator
    await declare_provider(service, "read", "write")
    await grant(service, "provider:read", CONSUMER)
    await operator.declare_client("c1", CONSUMER, client_body(scopes=["provider:read"]))
    await operator.declare_keys("c1", [jwk_of(LocalSigner.generate())])
    newer = LocalSigner.generate()

    assert await operator.declare_delegation_source(ALTINN_ISSUER, "Altinn") is Declared.CHANGED
    assert await operator.declare_prefix("provider", STRANGER, active=False) is Declared.CHANGED
    assert await operator.declare_scope(scope_body(at_max_age=500, active=False)) is Declared.CHANGED
    assert await operator.declare_access(ScopeName("provider:read"), CONSUMER, "DENIED") is Declared.CHANGED
    changed = client_body(scopes=["provider:write"], active=False, access_token_lifetime=60)
    assert await operator.declare_client("c1", CONSUMER, changed) is Declared.CHANGED
    assert await operator.declare_keys("c1", [jwk_of(newer)]) is Declared.CHANGED

    assert [source.name for source in await operator.delegation_sources()] == ["Altinn"]
    (prefix,) = await operator.prefixes()
    assert (prefix.owner_orgno, prefix.active) == (STRANGER, False)
    read, write = await operator.scopes()
    assert (read.owner_orgno, read.attributes.at_max_age, read.attributes.active) == (STRANGER, 500, False)
    assert (write.owner_orgno, write.attributes.active) == (STRANGER, True)
    assert [access.state for access in await operator.accesses()] == ["DENIED"]
    (client,) = await operator.clients()
    assert (client.scopes, client.attributes.active) == (("provider:write",), False)
    assert [key.kid for key in await operator.keys("c1")] == [newer.kid]
    assert await operator.declare_keys("c1", []) is Declared.CHANGED
    assert await operator.keys("c1") == []
    assert await operator.declare_keys("c1", []) is Declared.UNCHANGED


async def test_a_prefix_that_changes_hands_is_told_of_to_all_who_remember_its_scopes(
    service: SelfService, database: Database
) -> None:
    await declare_provider(service, "read")
    registry = PostgresRegistry(database)
    before = (await registry.changes_since(0)).version
    await service.operator.declare_prefix("provider", STRANGER)
    assert set((await registry.changes_since(before)).keys) == {
        f"organisation:{PROVIDER}",
        f"organisation:{STRANGER}",
        "scope:provider:read",
    }


async def test_a_client_is_never_there_without_the_keys_that_it_is_declared_with(
    service: SelfService, database: Database
) -> None:
    signer, body = LocalSigner.generate(kid="k1"), client_body()
    with pytest.raises(InvalidError, match="use is required"):
        await service.operator.declare_client("c1", CONSUMER, body, keys=[jwk_of(signer, use="enc")])
    assert await service.operator.clients() == []

    assert await service.operator.declare_client("c1", CONSUMER, body, keys=[jwk_of(signer)]) is Declared.CREATED
    assert await service.operator.declare_client("c1", CONSUMER, body, keys=[jwk_of(signer)]) is Declared.UNCHANGED
    assert await service.operator.declare_client("c1", CONSUMER, body) is Declared.UNCHANGED
    assert [key.kid for key in await service.operator.keys("c1")] == ["k1"]
    assert await service.operator.declare_client("c1", CONSUMER, body, keys=[]) is Declared.CHANGED
    async with database.transaction() as connection:
        trail = (await connection.exec_driver_sql("SELECT action, facts->'kids' FROM audit.event ORDER BY id")).all()
    assert [tuple(event) for event in trail] == [
        ("client:declare", None),  # the refusal
        ("client:declare", ["k1"]),
        ("client:declare", []),
    ]


async def test_a_declared_key_is_renewed_before_it_dies(service: SelfService, clock: FixedClock) -> None:
    signer = LocalSigner.generate()
    await service.operator.declare_client("c1", CONSUMER, client_body())
    await service.operator.declare_keys("c1", [jwk_of(signer)])
    clock.advance(days=334)
    assert await service.operator.declare_keys("c1", [jwk_of(signer)]) is Declared.UNCHANGED
    clock.advance(days=2)
    assert await service.operator.declare_keys("c1", [jwk_of(signer)]) is Declared.CHANGED
    (key,) = await service.operator.keys("c1")
    assert key.expires == int(clock().timestamp()) + 365 * 24 * 3600
    assert key.created == START


async def test_who_a_client_is_never_changes(service: SelfService) -> None:
    await service.operator.declare_client("c1", CONSUMER, client_body())
    for again in (
        service.operator.declare_client("c1", STRANGER, client_body()),
        service.operator.declare_client("c1", CONSUMER, client_body(), supplier=SUPPLIER),
        service.operator.declare_client("c1", CONSUMER, client_body(), made_by_altinn=True),
        service.operator.declare_client("c1", CONSUMER, client_body(integration_type="altinn_virksys")),
    ):
        with pytest.raises(InvalidError, match="can not be changed"):
            await again


async def test_what_is_referred_to_must_be_there(service: SelfService) -> None:
    operator = service.operator
    with pytest.raises(InvalidError, match="There is no prefix provider"):
        await operator.declare_scope(scope_body())
    with pytest.raises(NotFoundError):
        await operator.declare_access(ScopeName("provider:read"), CONSUMER)
    with pytest.raises(InvalidError, match="The scope provider:read does not exist"):
        await operator.declare_client("c1", CONSUMER, client_body(scopes=["provider:read"]))
    with pytest.raises(NotFoundError):
        await operator.declare_keys("c1", [])
    with pytest.raises(InvalidError, match="prefix may hold"):
        await operator.declare_prefix("Bad Prefix", PROVIDER)
    with pytest.raises(InvalidError, match="client_id may hold"):
        await operator.declare_client("a b", PROVIDER, client_body())
    assert await operator.clients() == []


async def test_the_operator_registers_what_nobody_else_may(service: SelfService) -> None:
    await service.operator.declare_prefix("idporten", PROVIDER)
    await service.operator.declare_scope(
        ScopeBody.model_validate({"prefix": "idporten", "subscope": "dcr.write", "description": "d"})
    )
    body = client_body(scopes=["idporten:dcr.write"], integration_type="eformidling")
    assert await service.operator.declare_client("admin", CONSUMER, body) is Declared.CREATED
    krr = client_body(integration_type="krr")
    assert await service.operator.declare_client("krr", CONSUMER, krr) is Declared.CREATED

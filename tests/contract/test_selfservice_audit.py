"""Every change and every denial is in the audit trail, and nothing that must not be there."""

from __future__ import annotations

import json

import pytest
from sqlalchemy import RowMapping, text

from fullmakt.infra.database import Database
from fullmakt.infra.telemetry import current_trace
from fullmakt.jose.keys import LocalSigner
from fullmakt.kernel.clock import FixedClock
from fullmakt.kernel.trace import Trace
from fullmakt.maskinporten.selfservice.errors import ConflictError, DeniedError, InvalidError, NotFoundError
from fullmakt.maskinporten.selfservice.model import Caller
from fullmakt.maskinporten.selfservice.registry import PostgresRegistry
from fullmakt.maskinporten.selfservice.service import SelfService
from tests.support.selfservice import ADMIN, PROVIDER, START, STRANGER, client_body, jwk_of, selfservice

OWNER = Caller(PROVIDER, "admin-1", ADMIN)


@pytest.fixture
def service(database: Database) -> SelfService:
    return selfservice(database, FixedClock(START))


async def events(database: Database) -> list[RowMapping]:
    async with database.transaction() as connection:
        return list((await connection.execute(text("SELECT * FROM audit.event ORDER BY id"))).mappings())


async def test_a_change_tells_who_did_what_to_whom(service: SelfService, database: Database) -> None:
    trace, signer = Trace.start(), LocalSigner.generate()
    current_trace.set(trace)
    await service.clients.create(OWNER, client_body(client_id="c1"))
    await service.keys.replace_all(OWNER, "c1", [jwk_of(signer)])
    await service.clients.deactivate(OWNER, "c1")
    await service.clients.deactivate(OWNER, "c1")

    found = await events(database)
    assert [(event.action, event.outcome, event.actor, event.subject, dict(event.facts)) for event in found] == [
        ("client:create", "done", f"{PROVIDER} admin-1", "c1", {"client_orgno": PROVIDER, "scopes": []}),
        ("client-key:replace", "done", f"{PROVIDER} admin-1", "c1", {"kids": [signer.kid]}),
        ("client:delete", "done", f"{PROVIDER} admin-1", "c1", {}),
    ]
    assert {(event.system, event.at, event.trace_id) for event in found} == {("selfservice", START, trace.trace_id)}
    assert signer.public_jwk()["n"] not in json.dumps([dict(event.facts) for event in found])


async def test_a_denial_is_told_though_nothing_changed(service: SelfService, database: Database) -> None:
    await service.operator.declare_client("c1", PROVIDER, client_body())
    stranger = Caller(STRANGER, "their-admin", ADMIN)
    for attempt in (
        service.clients.get(stranger, "c1"),
        service.clients.deactivate(stranger, "c1"),
        service.clients.of(Caller(STRANGER, "their-admin", frozenset())),
        service.clients.get(Caller(STRANGER, "their-admin", frozenset()), "\x00\ud800"),
    ):
        with pytest.raises(DeniedError):
            await attempt
    assert [
        (event.action, event.outcome, event.reason, event.actor, event.subject)
        for event in (await events(database))[1:]
    ] == [
        ("client:read", "deny", "foreign_client", f"{STRANGER} their-admin", "c1"),
        ("client:delete", "deny", "foreign_client", f"{STRANGER} their-admin", "c1"),
        ("client:list", "deny", "missing_scope", f"{STRANGER} their-admin", ""),
        ("client:read", "deny", "missing_scope", f"{STRANGER} their-admin", "(not printable)"),
    ]


async def test_a_change_that_was_refused_is_told_with_what_was_wrong(service: SelfService, database: Database) -> None:
    await service.operator.declare_client("c1", PROVIDER, client_body())
    grasping = client_body(client_id="c2", scopes=["idporten:dcr.write"])
    for attempt in (
        service.clients.create(OWNER, grasping),
        service.clients.create(OWNER, client_body(client_id="c1")),
        service.keys.remove(OWNER, "c1", "k1"),
    ):
        with pytest.raises((InvalidError, ConflictError, NotFoundError)):
            await attempt
    assert [
        (event.action, event.outcome, event.reason, event.subject, event.facts)
        for event in (await events(database))[1:]
    ] == [
        (
            "client:create", "deny", "invalid", "c2",
            {"faults": ["The scope idporten:dcr.write is handed out by the operator"]},
        ),
        ("client:create", "deny", "conflict", "c1", {"faults": ["A client with the id c1 exists already"]}),
        ("client-key:remove", "deny", "not_found", "c1", {"faults": ["The client has no such key"]}),
    ]  # fmt: skip


async def test_who_looks_for_what_is_not_there_makes_no_event(service: SelfService, database: Database) -> None:
    with pytest.raises(NotFoundError):
        await service.clients.get(OWNER, "nobody")
    assert await events(database) == []


async def test_what_failed_changes_nothing_and_announces_nothing(service: SelfService, database: Database) -> None:
    await service.operator.declare_client("c1", PROVIDER, client_body())
    registry = PostgresRegistry(database)
    version = (await registry.changes_since(0)).version
    with pytest.raises(ConflictError):
        await service.clients.create(OWNER, client_body(client_id="c1"))
    with pytest.raises(InvalidError):
        await service.clients.replace(OWNER, "c1", client_body(scopes=["no:such"], client_name="other"))
    assert [event.outcome for event in await events(database)] == ["done", "deny", "deny"]
    assert (await registry.changes_since(version)).version == version
    assert (await service.clients.get(OWNER, "c1")).attributes.client_name == "test"


async def test_a_secret_is_told_once_and_only_its_hash_is_kept(service: SelfService, database: Database) -> None:
    body = client_body(
        integration_type="idporten", token_endpoint_auth_method=None, grant_types=None, client_id="login"
    )
    _, secret = await service.clients.create(OWNER, body)
    assert secret is not None
    async with database.transaction() as connection:
        row = (await connection.exec_driver_sql("SELECT to_jsonb(c)::text FROM selfservice.client c")).scalar_one()
        trail = (await connection.exec_driver_sql("SELECT to_jsonb(e)::text FROM audit.event e")).scalars().all()
    assert secret not in row + "".join(trail)

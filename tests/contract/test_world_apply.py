"""A world file becomes a world: planned, applied, applied again, interrupted, exported."""

from __future__ import annotations

import json
import stat
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import anyio
import pytest
from sqlalchemy import text

from fullmakt.infra.database import Database
from fullmakt.jose.keys import LocalSigner
from fullmakt.kernel.clock import FixedClock, system_clock
from fullmakt.kernel.identifiers import OrgNumber, ScopeName
from fullmakt.maskinporten.selfservice.registry import PostgresRegistry
from fullmakt.wire.maskinporten.selfservice import ClientBody, JwkBody
from fullmakt.world.demo import apply_demo, demo_world
from fullmakt.world.errors import WorldFaults
from fullmakt.world.export import export
from fullmakt.world.model import Kind, default_client_id
from fullmakt.world.parse import parse
from fullmakt.world.plan import Action, Plan, Step
from tests.support.world import BANK, World, signer, small_pki

SMALL = """
[[organisation]]
orgno = "910753614"
name = "Bank"

[[person]]
id = "05895199925"
name = "Kari"

[[role]]
person = "05895199925"
code = "dagl"
organisation = "910753614"

[[delegation_source]]
issuer = "https://tt02.altinn.no/"
name = "altinn"

[[prefix]]
prefix = "fullmakt"
owner = "910753614"

[[scope]]
name = "fullmakt:whoami"
description = "Who?"
"description#en" = "Who?"
delegation_source = "https://tt02.altinn.no/"

[[access]]
scope = "fullmakt:whoami"
consumer = "910753614"

[[certificate]]
name = "bank"
organisation = "910753614"

[[client]]
name = "with-key"
organisation = "910753614"
scopes = ["fullmakt:whoami"]
key = "generate"

[[client]]
name = "with-certificate"
organisation = "910753614"
authentication = "certificate"
"""


@pytest.fixture
async def world(database: Database, tmp_path: Path) -> World:
    pki = small_pki(database)
    await pki.ensure()
    return World(database, tmp_path / "state", pki=pki)


async def _facts(database: Database) -> list[tuple[object, ...]]:
    """Everything that applying writes, times and random ids aside."""
    tables = {
        "parties.party": "orgno, national_id, name, form",
        "parties.role": "code",
        "selfservice.delegation_source": "issuer, name",
        "selfservice.prefix": "prefix, owner_orgno, active",
        "selfservice.scope": "name, description, delegation_source, active",
        "selfservice.scope_access": "scope, consumer_orgno, state",
        "selfservice.client": "client_id, client_orgno, client_name, integration_type, active",
        "selfservice.client_scope": "client_id, scope",
        "selfservice.client_key": "client_id",
    }
    async with database.transaction() as connection:
        rows: list[tuple[object, ...]] = []
        for table, columns in tables.items():
            found = await connection.execute(text(f"SELECT {columns} FROM {table}"))  # noqa: S608
            rows += sorted((table, *map(str, row)) for row in found)
        return rows


async def test_what_was_applied_has_nothing_left_to_do(world: World) -> None:
    first = await world.service.plan(parse(SMALL))
    assert {step.action for step in first.steps} == {Action.CREATE}
    await world.service.apply(first)
    second = await world.service.plan(parse(SMALL))
    assert second.changes == ()
    assert str(second) == f"0 to create, 0 to change, {len(first.steps)} as they should be"


async def test_a_second_plan_leaves_the_audit_trail_and_the_files_as_they_were(
    world: World, database: Database
) -> None:
    await world.apply(SMALL)
    before = await _audited(database), _files(world.state)
    await world.apply(SMALL)
    assert (await _audited(database), _files(world.state)) == before


async def _audited(database: Database) -> int:
    async with database.transaction() as connection:
        return int((await connection.execute(text("SELECT count(*) FROM audit.event"))).scalar_one())


def _files(state: Path) -> dict[str, bytes]:
    return {str(path.relative_to(state)): path.read_bytes() for path in state.rglob("*") if path.is_file()}


async def test_private_files_are_their_owner_s_alone(world: World) -> None:
    await world.apply(SMALL)
    assert sorted(_files(world.state)) == [
        "certificates/bank.p12",
        "certificates/bank.password",
        "clients/with-certificate.json",
        "clients/with-certificate.p12",
        "clients/with-certificate.password",
        "clients/with-key.json",
        "clients/with-key.jwk.json",
    ]
    for path in world.state.rglob("*"):
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600)


async def test_the_registered_key_is_the_one_in_the_file(world: World, database: Database) -> None:
    await world.apply(SMALL)
    profile = json.loads((world.state / "clients" / "with-key.json").read_text())
    assert profile == {
        "alias": "with-key",
        "client_id": default_client_id("with-key"),
        "organisation": "910753614",
        "integration_type": "maskinporten",
        "scopes": ["fullmakt:whoami"],
        "authentication": "key",
        "key_file": "with-key.jwk.json",
    }
    private = LocalSigner.from_jwk(json.loads((world.state / "clients" / profile["key_file"]).read_text()))
    registry = PostgresRegistry(database)
    registered = (await registry.clients([profile["client_id"]]))[profile["client_id"]]
    await registry.close()
    assert [(key.kid, key.der) for key in registered.keys] == [(private.kid, private.public.to_der())]
    assert [(scope.name, scope.access) for scope in registered.scopes] == [("fullmakt:whoami", True)]


async def test_stopping_after_any_step_and_starting_again_comes_to_the_same(
    world: World, database: Database, tmp_path: Path
) -> None:
    """As after a kill -9: what is done is done, the rest is planned anew."""

    class Killed(Exception):  # noqa: N818
        pass

    await world.apply(SMALL)
    expected = await _facts(database), sorted(_files(world.state))
    total = len((await world.service.plan(parse(SMALL))).steps)
    for survived in range(total):
        async with database.transaction() as connection:
            for schema in ("selfservice", "parties"):
                names = await connection.execute(
                    text("SELECT tablename FROM pg_tables WHERE schemaname = :schema"), {"schema": schema}
                )
                tables = ", ".join(f"{schema}.{name}" for (name,) in names)
                await connection.execute(text(f"TRUNCATE {tables} CASCADE"))
        again = World(database, tmp_path / f"state-{survived}", pki=world.pki)
        done: list[Step] = []

        def stop(step: Step, done: list[Step] = done, survived: int = survived) -> None:
            done.append(step)
            if len(done) > survived:
                raise Killed

        with pytest.raises(Killed):
            await again.service.apply(await again.service.plan(parse(SMALL)), stop)
        rest = await again.service.plan(parse(SMALL))
        assert len(rest.changes) == total - survived - 1
        await again.service.apply(rest)
        assert (await _facts(database), sorted(_files(again.state))) == expected


async def test_dying_between_the_key_file_and_the_registration_loses_no_key(world: World, database: Database) -> None:
    key = world.files.ensure_key("with-key")  # all that was done before the power went
    await world.apply(SMALL)
    assert world.files.ensure_key("with-key").kid == key.kid
    registered = await world.selfservice.operator.keys(default_client_id("with-key"))
    assert [each.kid for each in registered] == [key.kid]


@pytest.mark.parametrize("again", [apply_demo, lambda world: world.apply(export(demo_world()))])
async def test_dying_between_the_client_and_its_key_leaves_no_client_without(
    world: World, again: Callable[[World], Awaitable[object]]
) -> None:
    """A client without keys would take any certificate of its organisation."""
    operator = world.selfservice.operator
    body = ClientBody.model_validate(
        {"client_name": "demo-etat", "description": "x", "integration_type": "maskinporten"}
    )
    await operator.declare_client(default_client_id("demo-etat"), OrgNumber("310943223"), body)
    await again(world)
    (key,) = await operator.keys(default_client_id("demo-etat"))
    assert world.files.ensure_key("demo-etat").kid == key.kid


async def test_two_that_apply_at_once_leave_one_working_world(world: World, database: Database) -> None:
    other = World(database, world.state, pki=world.pki)
    plan = await world.service.plan(parse(SMALL))
    async with anyio.create_task_group() as group:
        group.start_soon(world.service.apply, plan)
        group.start_soon(other.service.apply, plan)
    assert (await world.service.plan(parse(SMALL))).changes == ()


async def test_a_lost_key_file_is_seen_and_made_anew(world: World) -> None:
    await world.apply(SMALL)
    (world.state / "clients" / "with-key.jwk.json").unlink()
    (step,) = (await world.service.plan(parse(SMALL))).changes
    assert step.action is Action.CHANGE
    assert [each.field for each in step.differences] == ["credentials"]
    await world.service.apply(Plan((step,)))
    assert (await world.service.plan(parse(SMALL))).changes == ()


async def test_a_lost_profile_is_written_again_and_the_key_kept(world: World) -> None:
    await world.apply(SMALL)
    key = (world.state / "clients" / "with-key.jwk.json").read_bytes()
    (world.state / "clients" / "with-key.json").unlink()
    (step,) = (await world.service.plan(parse(SMALL))).changes
    assert "profile" in str(step)
    await world.apply(SMALL)
    assert (world.state / "clients" / "with-key.jwk.json").read_bytes() == key
    assert (world.state / "clients" / "with-key.json").exists()


async def test_keys_and_certificates_are_renewed_before_they_expire(database: Database, tmp_path: Path) -> None:
    clock = FixedClock(system_clock())
    pki = small_pki(database, clock)
    await pki.ensure()
    world = World(database, tmp_path, clock=clock, pki=pki)
    await world.apply(SMALL)
    clock.advance(days=340)
    (step,) = (await world.service.plan(parse(SMALL))).changes
    assert "expires in less than 30 days" in str(step)
    await world.apply(SMALL)
    assert (await world.service.plan(parse(SMALL))).changes == ()
    clock.advance(days=730)
    changes = (await world.service.plan(parse(SMALL))).changes
    assert [step.kind for step in changes] == [Kind.CERTIFICATE, Kind.CLIENT, Kind.CLIENT]
    await world.apply(SMALL)
    assert (await world.service.plan(parse(SMALL))).changes == ()


async def test_a_revoked_certificate_is_replaced(world: World) -> None:
    await world.apply(SMALL)
    assert world.pki is not None
    for certificate in await world.pki.certificates(BANK):
        await world.pki.revoke(certificate.serial)
    changes = (await world.service.plan(parse(SMALL))).changes
    assert [step.kind for step in changes] == [Kind.CERTIFICATE, Kind.CLIENT]
    await world.apply(SMALL)
    assert (await world.service.plan(parse(SMALL))).changes == ()


async def test_without_a_pki_a_certificate_is_a_fault_and_a_client_brings_its_own(
    database: Database, tmp_path: Path
) -> None:
    world = World(database, tmp_path)
    with pytest.raises(WorldFaults, match="no system that is on here keeps a certificate"):
        await world.apply(SMALL)
    await world.apply(SMALL.replace('[[certificate]]\nname = "bank"\norganisation = "910753614"\n', ""))
    profile = json.loads((tmp_path / "clients" / "with-certificate.json").read_text())
    assert profile["authentication"] == "certificate"
    assert "certificate_file" not in profile


async def test_a_changed_file_changes_what_differs_and_says_what(world: World) -> None:
    await world.apply(SMALL)
    changed = SMALL.replace('description = "Who?"', 'description = "Who am I?"').replace(
        'scopes = ["fullmakt:whoami"]', "access_token_lifetime = 60"
    )
    plan = await world.service.plan(parse(changed))
    scope, client = plan.changes
    assert str(scope) == "~ scope fullmakt:whoami (description: Who? → Who am I?)"
    assert str(client) == (
        f"~ client with-key {default_client_id('with-key')}"
        " (scopes: [fullmakt:whoami] → []; access_token_lifetime: 120 → 60)"
    )
    await world.service.apply(plan)
    assert (await world.service.plan(parse(changed))).changes == ()


async def test_a_role_is_ended_and_can_be_given_again(world: World, database: Database) -> None:
    role = SMALL.split("\n\n")[2]
    ended = SMALL.replace(role, f'{role}\nstate = "ended"')
    await world.apply(SMALL)
    plan = await world.service.plan(parse(ended))
    assert [str(step) for step in plan.changes] == ["~ role 05895199925 dagl 910753614 (state: held → ended)"]
    await world.service.apply(plan)
    await world.service.apply(plan)  # as when two do it at once
    assert (await world.service.plan(parse(ended))).changes == ()
    assert "[[role]]" not in await world.service.export()
    assert await _actions_on_roles(database) == ["role:grant", "role:withdraw"]
    await world.apply(SMALL)
    assert "[[role]]" in await world.service.export()


async def _actions_on_roles(database: Database) -> list[str]:
    async with database.transaction() as connection:
        found = await connection.execute(text("SELECT action FROM audit.event WHERE action LIKE 'role:%' ORDER BY id"))
        return list(found.scalars())


async def test_whose_a_client_is_never_changes(world: World) -> None:
    await world.apply(SMALL)
    await world.organisation("991825827")
    with pytest.raises(WorldFaults) as refused:
        await world.service.plan(
            parse(
                SMALL.replace(
                    'name = "with-key"\norganisation = "910753614"', 'name = "with-key"\norganisation = "991825827"'
                )
            )
        )
    (fault,) = refused.value.faults
    assert "is there with 910753614, which never changes" in str(fault)


async def test_what_was_exported_plans_no_change_here_and_the_same_world_elsewhere(world: World) -> None:
    await world.apply(SMALL)
    exported = await world.service.export()
    assert (await world.service.plan(parse(exported))).changes == ()
    declared, back = parse(SMALL), parse(exported)
    for kind in Kind:
        assert set(back.entries(kind)) == set(declared.entries(kind))


async def test_the_demo_world_applies_and_then_has_nothing_to_do(world: World) -> None:
    demo = demo_world()
    total = sum(1 for _ in demo)
    assert await apply_demo(world) == f"9 organisations, 6 people, 29 scopes, 16 clients ({total} changes)"
    assert await apply_demo(world) == "9 organisations, 6 people, 29 scopes, 16 clients (0 changes)"


async def test_starting_again_keeps_what_somebody_changed_in_the_demo_world(world: World) -> None:
    await apply_demo(world)
    operator = world.selfservice.operator
    await operator.declare_access(ScopeName("fullmakt:whoami"), BANK, "DENIED")
    await world.organisation(BANK, "Banken har byttet navn")
    (world.state / "clients" / "demo-bank.jwk.json").unlink()
    await world.apply(_client("demo-etat", "access_token_lifetime = 30"))
    assert (await apply_demo(world)).endswith("(1 changes)")  # demo-bank got a key again
    access = (ScopeName("fullmakt:whoami"), BANK)
    assert [each.state for each in await operator.accesses([access])] == ["DENIED"]
    assert await world.parties.organisation_name(BANK) == "Banken har byttet navn"
    (client,) = await operator.clients([default_client_id("demo-etat")])
    assert client.attributes.access_token_lifetime == 30
    await world.service.apply(await world.service.plan(demo_world()))
    assert [each.state for each in await operator.accesses([access])] == ["APPROVED"]


def _client(name: str, more: str) -> str:
    return f'[[client]]\nname = "{name}"\norganisation = "310943223"\nkey = "generate"\n{more}\n'


async def test_a_client_may_change_how_it_authenticates(world: World) -> None:
    await world.organisation("310943223")
    client_id = default_client_id("a")
    key = signer(7)
    jwk = ", ".join(f'{member} = "{value}"' for member, value in key.public_jwk().items())
    ways = {
        'key = "generate"': 1,
        'authentication = "certificate"': 0,
        f"jwk = {{ {jwk} }}": 1,
        'key  = "generate"': 1,
    }
    for way, keys in ways.items():
        text = _client("a", "").replace('key = "generate"', way)
        await world.apply(text)
        assert (await world.service.plan(parse(text))).changes == ()
        assert len(await world.selfservice.operator.keys(client_id)) == keys
        profile = json.loads((world.state / "clients" / "a.json").read_text())
        assert ("key_file" in profile, "certificate_file" in profile) == ("generate" in way, "certificate" in way)


async def test_an_export_declares_the_organisations_that_nobody_registered(world: World) -> None:
    await world.apply(SMALL)
    stranger = OrgNumber("312468018")
    await world.selfservice.operator.declare_access(ScopeName("fullmakt:whoami"), stranger)
    (step,) = (await world.service.plan(parse(await world.service.export()))).changes
    assert str(step) == "+ organisation 312468018 Organisation 312468018"


async def _self_registered(world: World, client_id: str, *keys: LocalSigner, name: str, active: bool = True) -> None:
    """A client that its owner registered with self-service: this machine has neither key nor profile of it."""
    members = {"client_name": name, "description": "x", "integration_type": "maskinporten", "active": active}
    await world.selfservice.operator.declare_client(
        client_id,
        BANK,
        ClientBody.model_validate(members),
        keys=[JwkBody.model_validate(key.public_jwk()) for key in keys],
    )


async def test_clients_of_others_come_back_from_an_export_as_nothing_to_do(world: World) -> None:
    await world.organisation(BANK)
    await _self_registered(world, "in-use", signer(1), name="Saldo (demo)")
    await _self_registered(world, "removed", signer(2), name="Saldo (demo)", active=False)
    await _self_registered(world, "without-key", name="Samtykke", active=False)
    exported = await world.service.export()
    assert {client.name for client in parse(exported).clients} == {"saldo-demo", "saldo-demo-2", "samtykke"}
    assert (await world.service.plan(parse(exported))).changes == ()
    assert not (world.state / "clients").exists()


async def test_a_client_of_another_s_gets_a_profile_by_the_name_that_a_file_gives_it(world: World) -> None:
    await world.organisation(BANK)
    await _self_registered(world, "in-use", signer(1), name="Saldo")
    called = (await world.service.export()).replace('name = "saldo"', 'name = "ours"')
    (step,) = (await world.service.plan(parse(called))).changes
    assert "the profile in the state folder is missing" in str(step)
    await world.apply(called)
    profile = json.loads((world.state / "clients" / "ours.json").read_text())
    assert (profile["client_id"], "key_file" in profile) == ("in-use", False)
    exported = await world.service.export()
    assert 'name = "ours"' in exported
    assert (await world.service.plan(parse(exported))).changes == ()


async def test_a_profile_that_is_there_follows_what_is_registered(world: World) -> None:
    await world.organisation(BANK)
    jwk = ", ".join(f'{member} = "{value}"' for member, value in signer(7).public_jwk().items())
    text = f'[[client]]\nname = "a"\norganisation = "{BANK}"\njwk = {{ {jwk} }}\n'
    await world.apply(text)
    path = world.state / "clients" / "a.json"
    written = path.read_bytes()
    path.write_bytes(written.replace(b'"maskinporten"', b'"altinn_virksys"'))
    (step,) = (await world.service.plan(parse(text))).changes
    assert "the profile in the state folder is" in str(step)
    await world.apply(text)
    assert path.read_bytes() == written


async def test_a_client_at_rest_gets_what_it_authenticates_with_when_a_file_puts_it_to_use(world: World) -> None:
    await world.organisation(BANK)
    await _self_registered(world, "at-rest", name="Samtykke", active=False)
    await world.apply((await world.service.export()).replace("active = false\n", ""))
    assert (world.state / "clients" / "samtykke.p12").exists()
    assert (world.state / "clients" / "samtykke.json").exists()


async def test_what_no_file_can_declare_is_left_out_of_an_export(world: World) -> None:
    await world.organisation(BANK)
    operator = world.selfservice.operator
    clients: dict[str, dict[str, Any]] = {
        "login": {"integration_type": "idporten", "scopes": ["openid", "profile"]},
        "keyless": {"integration_type": "altinn_virksys", "description": "x"},
        "by-altinn": {"integration_type": "maskinporten", "description": "x"},
        "good": {"integration_type": "maskinporten", "description": "x"},
        "good-too": {"integration_type": "maskinporten", "description": "x"},
    }
    for client_id, members in clients.items():
        body = ClientBody.model_validate({"client_name": "Æ Name!", **members})
        await operator.declare_client(client_id, BANK, body, made_by_altinn=client_id == "by-altinn")
    text = await world.service.export()
    assert "# login is left out: clients of type idporten are not declared in world files" in text
    assert "# keyless is left out: it has no key yet" in text
    assert "# by-altinn is left out: it was made by Altinn" in text
    assert {(client.name, client.client_id, client.client_name) for client in parse(text).clients} == {
        ("name-2", "good", "Æ Name!"),
        ("name-3", "good-too", "Æ Name!"),
    }

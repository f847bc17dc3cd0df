"""The tests' own way of making worlds registers what it says."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from fullmakt.infra.database import Database
from fullmakt.kernel.clock import FixedClock
from fullmakt.kernel.identifiers import OrgNumber
from fullmakt.maskinporten.selfservice.registry import PostgresRegistry
from fullmakt.wire.maskinporten.registry import RegisteredClient
from fullmakt.world.certificates import Certificates, UnfitCertificateError
from tests.support.world import BANK, OWNER, VENDOR, ClientHandle, World, small_pki


@pytest.fixture
def world(database: Database, tmp_path: Path) -> World:
    return World(database, tmp_path)


async def _registered(world: World, handle: ClientHandle) -> RegisteredClient:
    registry = PostgresRegistry(world.database)
    found = await registry.clients([handle.client_id])
    await registry.close()
    return found[handle.client_id]


async def test_a_client_comes_with_its_organisation_scopes_accesses_and_key(world: World) -> None:
    bank = await world.client("bank", scopes=["fullmakt:whoami", "other:thing"])
    client = await _registered(world, bank)
    assert (client.client_orgno, client.supplier_orgno) == (BANK, None)
    assert [(scope.name, scope.access) for scope in client.scopes] == [("fullmakt:whoami", True), ("other:thing", True)]
    assert [(key.kid, key.der) for key in client.keys] == [(bank.key.kid, bank.key.public.to_der())]
    assert await world.parties.organisation_name(BANK) == f"Org {BANK}"
    assert {prefix.owner_orgno for prefix in await world.selfservice.operator.prefixes()} == {OWNER}


async def test_access_may_be_missing_and_given_later(world: World) -> None:
    bank = await world.client("bank", scopes=["fullmakt:whoami"], granted=False)
    assert [scope.access for scope in (await _registered(world, bank)).scopes] == [False]
    await world.access("fullmakt:whoami", BANK)
    assert [scope.access for scope in (await _registered(world, bank)).scopes] == [True]


async def test_what_a_supplier_runs_lives_on_the_supplier_s_access(world: World) -> None:
    handle = await world.client("by-vendor", supplier=VENDOR, scopes=["fullmakt:whoami"], access_token_lifetime=30)
    client = await _registered(world, handle)
    assert (client.client_orgno, client.supplier_orgno, client.access_token_lifetime) == (BANK, VENDOR, 30)
    assert [scope.access for scope in client.scopes] == [True]


async def test_a_scope_has_the_members_and_the_owner_that_one_gives_it(world: World) -> None:
    await world.scope("vendor:thing", owner=VENDOR, at_max_age=600, accessible_for_all=True)
    await world.scope("vendor:other")
    handle = await world.client("vendor", org=VENDOR, scopes=["vendor:thing"], granted=False, key=None)
    client = await _registered(world, handle)
    assert client.consumer_prefixes == ("vendor",)
    assert [(scope.at_max_age, scope.accessible_for_all, scope.access) for scope in client.scopes] == [
        (600, True, True)
    ]
    assert (client.keys, handle.signer) == ((), None)


async def test_clients_have_different_keys(world: World) -> None:
    first, second = await world.client("a"), await world.client("b")
    assert first.key.kid != second.key.kid


@pytest.mark.parametrize("name", ["x" * 255, "Bank - 991825827", "Øvre Toten Regnskapstjenester"])
async def test_an_organisation_gets_a_certificate_whatever_it_is_called(
    database: Database, tmp_path: Path, name: str
) -> None:
    clock = FixedClock(dt.datetime(2026, 11, 21, tzinfo=dt.UTC))
    pki = small_pki(database, clock)
    await pki.ensure()
    world = World(database, tmp_path, clock=clock, pki=pki)
    await world.organisation(BANK, name)
    certificates = Certificates(pki, world.files, clock, world.parties.organisation_name)
    store = world.files.certificate("bank")
    with pytest.raises(UnfitCertificateError, match="there is no certificate"):
        await certificates.check(store)
    await certificates.ensure(store, BANK)
    assert await certificates.check(store) == BANK


async def test_a_certificate_that_will_not_do_is_told_why_and_replaced(database: Database, tmp_path: Path) -> None:
    clock = FixedClock(dt.datetime(2026, 11, 21, tzinfo=dt.UTC))
    pki = small_pki(database, clock)
    await pki.ensure()
    world = World(database, tmp_path, clock=clock, pki=pki)
    store = world.files.certificate("bank")
    here = Certificates(pki, world.files, clock, world.parties.organisation_name)
    moved = small_pki(database, clock, "http://elsewhere.test/pki")
    await Certificates(moved, world.files, clock, world.parties.organisation_name).ensure(store, BANK)
    for spoil, why in (
        (lambda: None, "names a CRL that is not published here"),
        (lambda: store.password.write_text("another"), "the key store can not be opened"),
        (lambda: store.p12.write_bytes(b"nonsense"), "the key store can not be opened"),
        (lambda: clock.advance(days=1_080), "expires on"),
        (lambda: clock.advance(days=1_200), "expired at"),
    ):
        spoil()
        with pytest.raises(UnfitCertificateError, match=why):
            await here.check(store)
        await here.ensure(store, BANK)
        assert await here.check(store) == BANK
    await here.ensure(store, OrgNumber("991825827"))
    assert await here.check(store) == "991825827"

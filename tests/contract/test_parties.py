"""The register of parties in PostgreSQL: declared once, stable ever after, each change told once."""

from __future__ import annotations

import datetime as dt

import anyio
import pytest
from sqlalchemy import text

from fullmakt.altinn.parties.errors import InvalidPartyError, UnknownPartyError
from fullmakt.altinn.parties.model import Organisation, Person, Role
from fullmakt.altinn.parties.service import PartiesService
from fullmakt.infra import feed
from fullmakt.infra.database import Database
from fullmakt.kernel.clock import FixedClock, new_uuid
from fullmakt.kernel.declarations import Outcome
from fullmakt.kernel.identifiers import NationalId, OrgNumber
from fullmakt.wire.altinn.parties import TOPIC

BANK = OrgNumber("910753614")
BRANCH = OrgNumber("991825827")
UNCHECKED = OrgNumber("999888777")
KARI = NationalId("05895199925")


@pytest.fixture
def parties(database: Database) -> PartiesService:
    return PartiesService(database, FixedClock(dt.datetime(2026, 11, 21, tzinfo=dt.UTC)), new_uuid)


async def _audited(database: Database) -> list[tuple[str, str, str]]:
    async with database.transaction() as connection:
        rows = await connection.execute(text("SELECT action, subject, facts::text FROM audit.event ORDER BY id"))
        return [(row[0], row[1], row[2]) for row in rows]


async def test_an_organisation_keeps_its_party_id_and_uuid_when_its_name_changes(parties: PartiesService) -> None:
    assert await parties.declare_organisation(Organisation(BANK, "Gammel Bank")) is Outcome.CREATED
    before = await parties.organisation(BANK)
    assert await parties.declare_organisation(Organisation(BANK, "Ny Bank", "ASA")) is Outcome.CHANGED
    after = await parties.organisation(BANK)
    assert before is not None
    assert after is not None
    assert (after.party_id, after.party_uuid) == (before.party_id, before.party_uuid)
    assert after.subject == Organisation(BANK, "Ny Bank", "ASA")
    assert await parties.organisation_name(BANK) == "Ny Bank"
    assert await parties.organisation_name(BRANCH) is None
    assert await parties.organisation_names({BANK, BRANCH}) == {BANK: "Ny Bank"}
    assert await parties.organisation_names(()) == {}


async def test_declaring_again_leaves_no_trace(parties: PartiesService, database: Database) -> None:
    await parties.declare_organisation(Organisation(BANK, "Bank"))
    await parties.declare_person(Person(KARI, "Kari Nordmann"))
    await parties.grant_role(Role(KARI, "dagl", BANK))
    before = await _audited(database)
    assert await parties.declare_organisation(Organisation(BANK, "Bank")) is Outcome.UNCHANGED
    assert await parties.declare_person(Person(KARI, "Kari Nordmann")) is Outcome.UNCHANGED
    assert await parties.grant_role(Role(KARI, "dagl", BANK)) is Outcome.UNCHANGED
    assert await _audited(database) == before
    async with database.transaction() as connection:
        assert await feed.current_version(connection, TOPIC) == 3


async def test_changes_are_audited_and_announced_without_national_identity_numbers(
    parties: PartiesService, database: Database
) -> None:
    await parties.declare_organisation(Organisation(BANK, "Bank"))
    await parties.declare_person(Person(KARI, "Kari"))
    await parties.declare_person(Person(KARI, "Kari Nordmann"))
    await parties.grant_role(Role(KARI, "dagl", BANK))
    assert await parties.withdraw_role(Role(KARI, "dagl", BANK))
    assert not await parties.withdraw_role(Role(KARI, "dagl", BANK))
    events = await _audited(database)
    assert [action for action, _, _ in events] == [
        "organisation:create", "person:create", "person:change", "role:grant", "role:withdraw",
    ]  # fmt: skip
    async with database.transaction() as connection:
        changes = await feed.changes_since(connection, TOPIC, 0)
    assert KARI not in f"{events} {changes}"
    person = await parties.person(KARI)
    assert person is not None
    bank = await parties.organisation(BANK)
    assert bank is not None
    assert set(changes.keys) == {f"organisation:{BANK}", f"party:{bank.party_uuid}", f"party:{person.party_uuid}"}


async def test_a_hierarchy_has_no_loop_and_no_missing_parent(parties: PartiesService) -> None:
    with pytest.raises(UnknownPartyError) as unknown:
        await parties.declare_organisation(Organisation(BRANCH, "Filial", "BEDR", parent=BANK))
    assert unknown.value.field == "parent"
    await parties.declare_organisation(Organisation(BANK, "Bank"))
    await parties.declare_organisation(Organisation(BRANCH, "Filial", "BEDR", parent=BANK))
    with pytest.raises(InvalidPartyError) as loop:
        await parties.declare_organisation(Organisation(BANK, "Bank", parent=BRANCH))
    assert loop.value.field == "parent"
    branch = await parties.organisation(BRANCH)
    assert branch is not None
    assert branch.subject == Organisation(BRANCH, "Filial", "BEDR", parent=BANK)


async def test_roles_are_found_from_both_ends(parties: PartiesService) -> None:
    await parties.declare_organisation(Organisation(BANK, "Bank"))
    await parties.declare_organisation(Organisation(BRANCH, "Regnskapsfører"))
    await parties.declare_person(Person(KARI, "Kari Nordmann"))
    head, accountant = Role(KARI, "dagl", BANK), Role(BRANCH, "regn", BANK)
    await parties.grant_role(head)
    await parties.grant_role(accountant)
    assert await parties.roles_in([BANK]) == [head, accountant]
    assert await parties.roles_in() == [head, accountant]
    assert await parties.roles_in([BRANCH]) == []
    assert await parties.roles_of(KARI) == [head]
    assert await parties.roles_of(BRANCH) == [accountant]


@pytest.mark.parametrize(
    "role", [Role(KARI, "dagl", UNCHECKED), Role(UNCHECKED, "regn", BANK), Role(KARI, "lede", BANK)]
)
async def test_a_role_needs_both_parties(parties: PartiesService, role: Role) -> None:
    await parties.declare_organisation(Organisation(BANK, "Bank"))
    with pytest.raises(UnknownPartyError):
        await parties.grant_role(role)


async def test_the_named_alone_are_read(parties: PartiesService) -> None:
    for orgno in (BRANCH, BANK, UNCHECKED):
        await parties.declare_organisation(Organisation(orgno, "Navn"))
    await parties.declare_person(Person(KARI, "Kari Nordmann"))
    assert [party.subject for party in await parties.organisations([BANK])] == [Organisation(BANK, "Navn")]
    assert len(await parties.organisations()) == 3
    assert await parties.organisations([]) == []
    assert [party.subject for party in await parties.people()] == [Person(KARI, "Kari Nordmann")]
    assert await parties.people([]) == []


async def test_two_that_declare_the_same_at_once_make_one_party(parties: PartiesService, database: Database) -> None:
    outcomes: list[Outcome] = []

    async def declare() -> None:
        outcomes.append(await parties.declare_organisation(Organisation(BANK, "Bank")))

    async with anyio.create_task_group() as group:
        for _ in range(8):
            group.start_soon(declare)
    assert sorted(outcomes) == [Outcome.CREATED, *[Outcome.UNCHANGED] * 7]
    assert len(await _audited(database)) == 1

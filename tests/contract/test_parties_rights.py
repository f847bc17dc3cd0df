"""Who is who, and who holds what in whom, as PostgreSQL answers it."""

from __future__ import annotations

from uuid import UUID

import anyio
import pytest
from sqlalchemy import event, text

from fullmakt.altinn.parties import store_rights
from fullmakt.altinn.parties.model import Organisation, Person, Role
from fullmakt.altinn.parties.service import PartiesService
from fullmakt.infra.database import Database
from fullmakt.kernel.clock import new_uuid, system_clock
from fullmakt.wire.altinn import attributes as ids
from fullmakt.wire.altinn.attributes import Attribute
from fullmakt.wire.altinn.parties import HeldRights, PartyKind
from tests.support.parties import Register, national_id, orgno, register
from tests.support.plans import most_rows_read

NOBODY = UUID("00000000-0000-0000-0000-000000000000")
DAGL = Attribute(ids.ROLE_CODE, "dagl")
PRIVATE = Attribute(ids.ROLE, "privatperson")


@pytest.fixture
def parties(database: Database) -> PartiesService:
    return register(database)


@pytest.fixture
def people(parties: PartiesService) -> Register:
    return Register(parties)


async def test_every_identifier_finds_its_party(parties: PartiesService, people: Register) -> None:
    main = await people.organisation(1)
    branch = await people.organisation(2, "BEDR", parent=1)
    kari = await people.person(0)
    found = await parties.identify([Attribute(ids.PARTY_UUID, str(branch)), Attribute(ids.PERSON_UUID, str(kari))])
    below, person = found.values()
    assert (below.kind, below.orgno, below.form, below.parent) == (PartyKind.ORGANISATION, orgno(2), "BEDR", main)
    assert (person.kind, person.national_id, person.parent) == (PartyKind.PERSON, national_id(0), None)
    assert below.user_id is None
    assert person.user_id is not None
    every = {
        Attribute(ids.ORGANISATION, orgno(2)): below,
        Attribute(ids.ORGANISATION_OLD, orgno(2)): below,
        Attribute(ids.ORGANISATION_UUID, str(branch).upper()): below,
        Attribute(ids.PARTY_ID, str(below.party_id)): below,
        Attribute(ids.PARTY_ID, f"0{person.party_id}"): person,
        Attribute(ids.PERSON, national_id(0)): person,
        Attribute(ids.USER_ID, str(person.user_id)): person,
        Attribute(ids.PARTY_UUID, str(kari)): person,
    }
    assert await parties.identify(every) == every


@pytest.mark.parametrize(
    "attribute",
    [
        Attribute(ids.ORGANISATION, "91075361"),
        Attribute(ids.ORGANISATION, "910753614"),
        Attribute(ids.ORGANISATION, "٩٩١٨٢٥٨٢٧"),
        Attribute(ids.ORGANISATION, "\x00"),
        Attribute(ids.PERSON, "\ud800"),
        Attribute(ids.PERSON, "05895199925"),
        Attribute(ids.PARTY_ID, "-1"),
        Attribute(ids.PARTY_ID, "0"),
        Attribute(ids.PARTY_ID, "9999999999"),
        Attribute(ids.PARTY_ID, "9" * 5_000),
        Attribute(ids.USER_ID, "2147483648"),
        Attribute(ids.USER_ID, ""),
        Attribute(ids.PARTY_UUID, "{00000000-0000-0000-0000-000000000000}"),
        Attribute(ids.PARTY_UUID, str(NOBODY)),
        Attribute(ids.SYSTEM_USER, str(NOBODY)),
        Attribute("urn:altinn:sessionid", "1"),
    ],
)
async def test_what_names_nobody_is_left_out(parties: PartiesService, people: Register, attribute: Attribute) -> None:
    await people.organisation(1)
    known = Attribute(ids.ORGANISATION, str(orgno(1)))
    assert set(await parties.identify([attribute, known])) == {known}
    assert await parties.identify([attribute]) == {}
    assert await parties.identify([]) == {}


async def test_a_uuid_of_a_person_names_no_organisation_nor_the_reverse(
    parties: PartiesService, people: Register
) -> None:
    company, kari = await people.organisation(1), await people.person(0)
    crossed = [Attribute(ids.PERSON_UUID, str(company)), Attribute(ids.ORGANISATION_UUID, str(kari))]
    assert await parties.identify(crossed) == {}


async def test_ids_stay_what_they_are_when_a_person_is_declared_again(database: Database, people: Register) -> None:
    kari, ola = await people.person(0), await people.person(1)
    wanted = [Attribute(ids.PARTY_UUID, str(kari)), Attribute(ids.PARTY_UUID, str(ola))]
    before = await people.service.identify(wanted)
    after_restart = PartiesService(database, system_clock, new_uuid)
    for _ in range(3):
        await after_restart.declare_person(Person(national_id(0), "Kari Nytt Navn"))
        await after_restart.declare_person(Person(national_id(1), "Person 1"))
    after = await after_restart.identify(wanted)
    assert [(one.party_id, one.user_id) for one in after.values()] == [
        (one.party_id, one.user_id) for one in before.values()
    ]
    assert len({one.user_id for one in after.values()}) == 2


async def test_a_managing_director_holds_dozens_in_the_company_and_in_its_sub_units(
    parties: PartiesService, people: Register
) -> None:
    main, kari = await people.organisation(1), await people.person(0)
    bedr, aafy = await people.organisation(2, "BEDR", 1), await people.organisation(3, "AAFY", 1)
    department = await people.organisation(4, "ORGL", 1)
    below = await people.organisation(5, "BEDR", 2)
    await people.grant(national_id(0), "dagl", 1)
    rights = await parties.held(kari, main)
    assert DAGL in rights.roles
    assert len(rights.roles) + len(rights.packages) > 150
    assert await parties.held(kari, bedr) == await parties.held(kari, aafy) == rights
    assert await parties.held(kari, department) == HeldRights()
    assert await parties.held(kari, below) == HeldRights()


async def test_a_role_in_a_sub_unit_does_not_climb(parties: PartiesService, people: Register) -> None:
    main, branch, kari = await people.organisation(1), await people.organisation(2, "BEDR", 1), await people.person(0)
    await people.grant(national_id(0), "kont", 2)
    assert Attribute(ids.ROLE_CODE, "kont") in (await parties.held(kari, branch)).roles
    assert await parties.held(kari, main) == HeldRights()


async def test_the_form_that_counts_is_that_of_the_unit_the_role_is_held_in(
    parties: PartiesService, people: Register
) -> None:
    await people.organisation(1, "BRL")
    branch, manager = await people.organisation(2, "BEDR", 1), await people.organisation(3)
    await people.grant(orgno(3), "ffør", 1)
    assert (await parties.held(manager, branch)).packages == {Attribute(ids.ACCESS_PACKAGE, "forretningsforer-eiendom")}


async def test_everybody_is_private_to_themselves_and_to_nobody_else(parties: PartiesService, people: Register) -> None:
    company, kari, ola = await people.organisation(1), await people.person(0), await people.person(1)
    assert PRIVATE in (await parties.held(kari, kari)).roles
    assert await parties.held(kari, ola) == HeldRights()
    assert await parties.held(company, company) == HeldRights()


async def test_who_is_unknown_holds_nothing_and_is_held_by_nobody(parties: PartiesService, people: Register) -> None:
    kari = await people.person(0)
    assert await parties.held(NOBODY, kari) == await parties.held(kari, NOBODY) == HeldRights()
    assert await parties.held(NOBODY, NOBODY) == HeldRights()
    assert await parties.holders(NOBODY) == ()
    assert await parties.key_role_organisations(NOBODY) == ()


async def test_all_holders_of_an_organisation_are_told_with_what_they_hold(
    parties: PartiesService, people: Register
) -> None:
    main, branch, firm = (
        await people.organisation(1),
        await people.organisation(2, "BEDR", 1),
        await people.organisation(3),
    )
    kari, ola = await people.person(0), await people.person(1)
    await people.grant(national_id(0), "dagl", 1)
    await people.grant(national_id(0), "lede", 1)
    await people.grant(orgno(3), "regn", 1)
    await people.grant(orgno(3), "kont", 1)
    await people.grant(national_id(1), "kont", 2)
    assert {holder.party_uuid: rights for holder, rights in await parties.holders(main)} == {
        kari: await parties.held(kari, main),
        firm: await parties.held(firm, main),
    }
    assert {holder.party_uuid: rights for holder, rights in await parties.holders(branch)} == {
        kari: await parties.held(kari, branch),
        firm: await parties.held(firm, branch),
        ola: await parties.held(ola, branch),
    }
    assert [(holder.party_uuid, rights) for holder, rights in await parties.holders(kari)] == [
        (kari, await parties.held(kari, kari))
    ]


async def test_all_that_somebody_holds_something_in_is_told(parties: PartiesService, people: Register) -> None:
    main, branch, firm = (
        await people.organisation(1),
        await people.organisation(2, "BEDR", 1),
        await people.organisation(3),
    )
    kari = await people.person(0)
    await people.grant(national_id(0), "dagl", 1)
    await people.grant(orgno(3), "regn", 1)
    assert {party.party_uuid: rights for party, rights in await parties.held_by(kari)} == {
        party: await parties.held(kari, party) for party in (main, branch, kari)
    }
    assert {party.party_uuid: rights for party, rights in await parties.held_by(firm)} == {
        party: await parties.held(firm, party) for party in (main, branch)
    }
    assert await parties.held_by(main) == await parties.held_by(NOBODY) == ()


async def test_an_organisation_with_no_more_than_a_role_holds_nothing(
    parties: PartiesService, people: Register
) -> None:
    main = await people.organisation(1)
    await people.organisation(2)
    await people.grant(orgno(2), "kont", 1)
    assert await parties.holders(main) == ()


async def test_a_key_role_lets_a_person_act_for_the_organisation_and_its_sub_units(
    parties: PartiesService, people: Register
) -> None:
    firm, branch = await people.organisation(1), await people.organisation(2, "BEDR", 1)
    below, other = await people.organisation(3, "ORGL", 1), await people.organisation(4)
    second = await people.organisation(5)
    kari, ola = await people.person(0), await people.person(1)
    await people.grant(national_id(1), "lede", 5)
    await people.grant(national_id(0), "dagl", 1)
    await people.grant(national_id(0), "lede", 1)
    await people.grant(national_id(0), "medl", 4)
    await people.grant(national_id(0), "innh", 5)
    await people.grant(orgno(1), "komp", 4)
    assert await parties.key_role_organisations(kari) == (firm, branch, second)
    assert await parties.key_role_organisations(firm) == ()
    who = {(firm,): [kari], (branch,): [kari], (below, other, NOBODY): [], (second, firm): [kari, ola], (): []}
    for organisations, people_of in who.items():
        found = await parties.key_role_people(organisations)
        assert [one.party_uuid for one in found] == people_of


async def test_a_role_that_is_withdrawn_is_held_no_more(parties: PartiesService, people: Register) -> None:
    main, kari = await people.organisation(1), await people.person(0)
    await people.grant(national_id(0), "dagl", 1)
    await parties.withdraw_role(Role(national_id(0), "dagl", orgno(1)))
    assert await parties.held(kari, main) == HeldRights()
    assert await parties.key_role_organisations(kari) == ()


async def test_a_change_announces_all_whose_rights_it_touches(parties: PartiesService, people: Register) -> None:
    main, branch = await people.organisation(1), await people.organisation(2, "BEDR", 1)
    await people.organisation(3, "ORGL", 1)
    kari = await people.person(0)
    units = {f"organisation:{orgno(1)}", f"party:{main}", f"organisation:{orgno(2)}", f"party:{branch}"}
    version = (await parties.changes_since(0)).version
    await people.grant(national_id(0), "dagl", 1)
    assert set((await parties.changes_since(version)).keys) == {*units, f"party:{kari}"}
    await parties.withdraw_role(Role(national_id(0), "dagl", orgno(1)))
    assert set((await parties.changes_since(version + 1)).keys) == {*units, f"party:{kari}"}
    await parties.declare_organisation(Organisation(orgno(1), "Org 1", "FLI"))
    assert set((await parties.changes_since(version + 2)).keys) == units
    await parties.declare_organisation(Organisation(orgno(2), "Org 2", "BEDR"))
    assert set((await parties.changes_since(version + 3)).keys) == {f"organisation:{orgno(2)}", f"party:{branch}"}
    assert (await parties.changes_since(version + 4)).keys == ()


async def test_a_sub_unit_that_comes_as_a_role_is_given_hears_of_it(parties: PartiesService, people: Register) -> None:
    """Whoever read the sub-unit in between must hear of the role from the feed afterwards."""
    for number in range(8):
        main, branch = 10 * number, 10 * number + 1
        await people.organisation(main)
        await people.organisation(branch, "BEDR")
        kari, unit = await people.person(number), await people.uuid(orgno(branch))
        seen: list[tuple[int, bool]] = []

        async def watch(kari: UUID = kari, unit: UUID = unit, seen: list[tuple[int, bool]] = seen) -> None:
            for _ in range(20):
                version = (await parties.changes_since(0)).version
                seen.append((version, DAGL in (await parties.held(kari, unit)).roles))

        async with anyio.create_task_group() as group:
            group.start_soon(watch)
            group.start_soon(people.organisation, branch, "BEDR", main)
            group.start_soon(people.grant, national_id(number), "dagl", main)
        assert DAGL in (await parties.held(kari, unit)).roles
        for version, held in seen:
            assert held or f"party:{unit}" in (await parties.changes_since(version)).keys


async def test_roles_given_crosswise_at_once_do_not_lock_each_other_out(
    parties: PartiesService, people: Register
) -> None:
    await people.organisation(1)
    await people.organisation(2)
    async with anyio.create_task_group() as group:
        for code in ("regn", "revi", "kont", "komp"):
            group.start_soon(people.grant, orgno(1), code, 2)
            group.start_soon(people.grant, orgno(2), code, 1)
    assert len(await parties.roles_in()) == 8


async def test_what_somebody_holds_takes_one_statement(
    database: Database, parties: PartiesService, people: Register
) -> None:
    main, kari = await people.organisation(1), await people.person(0)
    await people.grant(national_id(0), "dagl", 1)
    statements: list[str] = []

    def note(*arguments: object) -> None:
        statements.append(str(arguments[2]))

    engine = database._engine.sync_engine
    event.listen(engine, "before_cursor_execute", note)
    for ask in (
        lambda: parties.held(kari, main),
        lambda: parties.key_role_organisations(kari),
        lambda: parties.key_role_people([main, kari]),
        lambda: parties.holders(main),
        lambda: parties.held_by(kari),
        lambda: parties.identify([Attribute(ids.PARTY_UUID, str(kari)), Attribute(ids.ORGANISATION, orgno(1))]),
    ):
        statements.clear()
        await ask()
        assert len(statements) == 1
    event.remove(engine, "before_cursor_execute", note)


async def test_one_client_among_thousands_is_found_at_once(database: Database, people: Register) -> None:
    firm, client = await people.organisation(1), await people.organisation(2)
    await people.grant(orgno(1), "regn", 2)
    asked = {"holder": firm, "party": client, "sub_unit_forms": ["BEDR"]}
    async with database.transaction() as connection:
        await connection.execute(
            text(
                "WITH clients AS (INSERT INTO parties.party (party_uuid, orgno, name, form, created, last_updated)"
                " SELECT gen_random_uuid(), (800000000 + n)::text, 'Klient', 'AS', now(), now()"
                " FROM generate_series(1, 5000) n RETURNING party_id)"
                " INSERT INTO parties.role SELECT clients.party_id, 'regn', firm.party_id, now()"
                " FROM clients, parties.party firm WHERE firm.party_uuid = :firm"
            ),
            {"firm": firm},
        )
        await connection.execute(text("ANALYZE parties.party, parties.role"))
        assert await most_rows_read(connection, store_rights._HELD, asked) <= 2


async def test_the_catalogue_has_what_policies_name(parties: PartiesService) -> None:
    known = await parties.known_subjects()
    assert {DAGL, PRIVATE, Attribute(ids.ROLE_CODE, "apiadm"), Attribute(ids.ACCESS_PACKAGE, "toll")} <= known
    assert Attribute(ids.ROLE_CODE, "sjef") not in known

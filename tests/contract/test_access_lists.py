"""What access lists leave behind: audit events, announcements, memberships, and lists declared as a whole."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import event, text

from fullmakt.altinn.parties.model import Organisation, Person
from fullmakt.altinn.parties.service import PartiesService
from fullmakt.altinn.resources.access_lists.errors import (
    InvalidListError,
    UnknownOwnerError,
    UnknownPartyError,
    UnknownResourceError,
)
from fullmakt.altinn.resources.access_lists.model import AccessList, DeclaredList, ListReference
from fullmakt.altinn.resources.access_lists.service import AccessLists
from fullmakt.altinn.resources.access_lists.service.work import MOST_ANNOUNCED
from fullmakt.infra import feed
from fullmakt.infra.database import Database
from fullmakt.kernel.clock import FixedClock, new_uuid
from fullmakt.kernel.declarations import Outcome
from fullmakt.kernel.identifiers import NationalId, OrgNumber
from fullmakt.wire.altinn import attributes as ids
from fullmakt.wire.altinn.attributes import Attribute
from fullmakt.wire.altinn.resources import TOPIC, Membership
from tests.support.access_lists import START, Registry, Setting, organisation, resource

LIST = ListReference("digdir", "senders")
KEY = "access-list:digdir:senders"


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(START)


@pytest.fixture
def setting(database: Database, clock: FixedClock) -> Setting:
    return Setting(database, clock)


def _party(number: int) -> Attribute:
    return Attribute(ids.ORGANISATION, str(organisation(number).orgno))


def _member(number: int) -> str:
    return f"member:{organisation(number).party_uuid}"


async def _announced(database: Database, since: int) -> tuple[int, set[str]]:
    async with database.transaction() as connection:
        changes = await feed.changes_since(connection, TOPIC, since)
    return changes.version, set(changes.keys)


async def _audited(database: Database) -> list[Any]:
    async with database.transaction() as connection:
        rows = await connection.execute(text("SELECT action, subject, actor, facts FROM audit.event ORDER BY id"))
        return [tuple(row) for row in rows]


async def test_a_change_is_announced_for_the_list_and_for_whom_it_concerns(setting: Setting) -> None:
    service, database = setting.service, setting.database
    parties = [_party(1), _party(2)]
    keys: list[set[str]] = []
    version = 0
    for change in (
        service.lists.put("me", LIST, "Senders", ""),
        service.members.add("me", LIST, parties),
        service.members.add("me", LIST, [*parties, _party(3)]),
        service.lists.put("me", LIST, "Senders", "Who may send"),
        service.connections.put("me", LIST, "api-001", ["read"]),
        service.members.remove("me", LIST, parties[:1]),
        service.members.replace("me", LIST, [_party(3), _party(4)]),
        service.connections.delete("me", LIST, "api-001"),
        service.lists.delete("me", LIST),
    ):
        await change
        version, told = await _announced(database, version)
        keys.append(told)
    assert version == 9
    assert keys == [
        {KEY},
        {KEY, _member(1), _member(2)},
        {KEY, _member(3)},
        {KEY},
        {KEY, _member(1), _member(2), _member(3)},
        {KEY, _member(1)},
        {KEY, _member(2), _member(4)},
        {KEY, _member(3), _member(4)},
        {KEY, _member(3), _member(4)},
    ]
    assert [action for action, *_ in await _audited(database)] == [
        "access-list:create", "access-list:add-members", "access-list:add-members", "access-list:change",
        "access-list:connect", "access-list:remove-members", "access-list:replace-members", "access-list:disconnect",
        "access-list:delete",
    ]  # fmt: skip


async def test_the_audit_trail_tells_who_did_what(setting: Setting) -> None:
    await setting.service.lists.put("991825827", LIST, "Senders", "")
    await setting.service.members.add("991825827", LIST, [_party(1)])
    added = {"added": [str(organisation(1).party_uuid)], "removed": [], "version": 2}
    assert (await _audited(setting.database))[-1] == ("access-list:add-members", KEY, "991825827", added)


async def test_what_changes_nothing_leaves_no_trace(setting: Setting) -> None:
    service = setting.service
    await service.lists.put("me", LIST, "Senders", "")
    await service.members.add("me", LIST, [_party(1)])
    await service.connections.put("me", LIST, "api-001", ["read"])
    events = await _audited(setting.database)
    await service.lists.put("me", LIST, "Senders", "")
    await service.members.replace("me", LIST, [_party(1)])
    await service.members.remove("me", LIST, [_party(2)])
    await service.connections.put("me", LIST, "api-001", ["read"])
    await service.connections.delete("me", LIST, "api-002")
    await service.lists.delete("me", ListReference("digdir", "other"))
    assert await _audited(setting.database) == events
    assert (await _announced(setting.database, 0))[0] == 3


async def test_a_change_for_more_than_can_be_named_is_announced_for_all(setting: Setting) -> None:
    made = await setting.service.lists.put("me", LIST, "Senders", "")
    async with setting.database.transaction() as connection:
        await connection.execute(
            text(
                "INSERT INTO resources.access_list_member (list_id, party_uuid, since)"
                " SELECT :id, gen_random_uuid(), now() FROM generate_series(1, :count)"
            ),
            {"id": made.id, "count": MOST_ANNOUNCED + 1},
        )
    version, _ = await _announced(setting.database, 0)
    await setting.service.connections.put("me", LIST, "api-001", [])
    assert (await _announced(setting.database, version))[1] == {KEY, feed.EVERYTHING}


async def test_memberships_come_in_one_query(setting: Setting) -> None:
    service, statements = setting.service, []
    for name, actions in (("a", []), ("b", ["write", "read"])):
        reference = ListReference("digdir", name)
        await service.lists.put("me", reference, name, "")
        await service.members.add("me", reference, [_party(1)])
        await service.connections.put("me", reference, "api-001", actions)
    engine = setting.database._engine.sync_engine
    event.listen(engine, "before_cursor_execute", lambda *told: statements.append(told[2]))
    found = await service.memberships(organisation(1).party_uuid, "api-001")
    assert found == (
        Membership("digdir", "a", "api-001", None),
        Membership("digdir", "b", "api-001", frozenset({"read", "write"})),
    )
    assert len(statements) == 1
    assert await service.memberships(organisation(1).party_uuid, None) == found
    assert await service.memberships(organisation(1).party_uuid, "api-002") == ()
    assert await service.memberships(organisation(2).party_uuid, None) == ()


async def test_a_list_is_declared_as_a_whole_in_one_version(setting: Setting) -> None:
    service = setting.service.declarations
    declare: dict[str, Any] = {"members": [_party(1), _party(2)], "connections": {"api-001": ["read"], "api-002": []}}
    assert await service.declare_list("Digdir", "senders", "Senders", **declare) is Outcome.CREATED
    version, keys = await _announced(setting.database, 0)
    assert (version, keys) == (1, {KEY, _member(1), _member(2)})
    assert await service.declare_list("digdir", "senders", "Senders", **declare) is Outcome.UNCHANGED
    assert len(await _audited(setting.database)) == 1
    (found,) = await service.lists()
    assert isinstance(found, DeclaredList)
    assert (found.reference, found.name, found.description) == (LIST, "Senders", "")
    assert [member.identity for member in found.members] == [organisation(1), organisation(2)]
    assert found.connections == {"api-001": ("read",), "api-002": ()}
    assert await service.lists([LIST]) == [found]
    assert await service.lists([ListReference("digdir", "other")]) == []


@pytest.mark.parametrize(
    ("changed", "concerned"),
    [
        ({"name": "Others"}, set()),
        ({"description": "Who may send"}, set()),
        ({"members": [_party(2), _party(3)]}, {1, 3}),
        ({"members": []}, {1, 2}),
        ({"connections": {"api-001": ["read"]}}, {1, 2}),
        ({"connections": {"api-001": ["write"], "api-002": []}}, {1, 2}),
        ({"connections": None, "members": [_party(3)]}, {1, 2, 3}),
    ],
)
async def test_a_list_becomes_what_is_declared(setting: Setting, changed: dict[str, Any], concerned: set[int]) -> None:
    service = setting.service.declarations
    declared: dict[str, Any] = {
        "members": [_party(1), _party(2)],
        "connections": {"api-001": ["read"], "api-002": []},
        "name": "Senders",
    }
    await service.declare_list("digdir", "senders", **declared)
    assert await service.declare_list("digdir", "senders", **{**declared, **changed}) is Outcome.CHANGED
    assert await service.declare_list("digdir", "senders", **{**declared, **changed}) is Outcome.UNCHANGED
    version, keys = await _announced(setting.database, 1)
    assert (version, keys) == (2, {KEY, *map(_member, concerned)})
    found = await setting.service.lists.get(LIST)
    assert isinstance(found, AccessList)
    assert found.version == 2


@pytest.mark.parametrize(
    ("declared", "error"),
    [
        ({"owner": "nosuch"}, UnknownOwnerError),
        ({"identifier": "\x00"}, InvalidListError),
        ({"name": ""}, InvalidListError),
        ({"connections": {"api-001": [""]}}, InvalidListError),
        ({"connections": {"nosuch": []}}, UnknownResourceError),
        ({"members": [Attribute(ids.ORGANISATION, "999888777")]}, UnknownPartyError),
    ],
)
async def test_what_can_not_be_is_not_declared(
    setting: Setting, declared: dict[str, Any], error: type[Exception]
) -> None:
    sound: dict[str, Any] = {"owner": "digdir", "identifier": "senders", "name": "Senders", "members": [_party(1)]}
    with pytest.raises(error):
        await setting.service.declarations.declare_list(**{**sound, **declared})
    assert await setting.service.declarations.lists() == []
    assert await _audited(setting.database) == []


async def test_a_list_that_is_deleted_may_be_declared_again(setting: Setting) -> None:
    service = setting.service
    for _ in range(2):
        assert await service.declarations.declare_list("digdir", "senders", "Senders") is Outcome.CREATED
        assert await service.lists.delete("me", LIST) is not None


async def test_members_are_whoever_the_register_says(database: Database, clock: FixedClock) -> None:
    """Over the register itself."""
    parties = PartiesService(database, clock, new_uuid)
    bank, kari = OrgNumber("910753614"), NationalId("05895199925")
    await parties.declare_organisation(Organisation(bank, "Bank"))
    await parties.declare_person(Person(kari, "Kari Nordmann"))
    (party,), (person,) = await parties.organisations(), await parties.people()
    service = AccessLists(database, clock, parties, Registry(resource("api")))
    await service.lists.put("me", LIST, "Senders", "")
    page = await service.members.add(
        "me",
        LIST,
        [
            Attribute(ids.ORGANISATION, bank),
            Attribute(ids.PARTY_ID, str(party.party_id)),
            Attribute(ids.PARTY_UUID, str(party.party_uuid)),
            Attribute(ids.PARTY_UUID, str(person.party_uuid)),
        ],
    )
    identities = {member.party: member.identity for member in page.items}
    assert identities.keys() == {party.party_uuid, person.party_uuid}
    found = identities[party.party_uuid]
    assert found is not None
    assert (found.orgno, found.party_id) == (bank, party.party_id)
    assert kari not in str(await _audited(database))

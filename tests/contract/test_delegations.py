"""Rights and API delegations on PostgreSQL."""

from __future__ import annotations

import datetime as dt

import pytest
from sqlalchemy import text

from fullmakt.altinn.delegations import store
from fullmakt.altinn.delegations.declarations import Declarations
from fullmakt.altinn.delegations.errors import (
    DelegationRefusedError,
    UnknownDelegationError,
    UnknownPartyError,
    UnknownResourceError,
)
from fullmakt.altinn.delegations.model import ConnectionRole, Offer, Performer, Selection
from fullmakt.altinn.delegations.rules import MAX_LINKS
from fullmakt.altinn.delegations.service import DelegationsService, api_offer
from fullmakt.infra.database import Database
from fullmakt.kernel.clock import FixedClock, new_uuid
from fullmakt.kernel.declarations import Outcome
from fullmakt.kernel.identifiers import OrgNumber
from fullmakt.wire.altinn import attributes as ids
from fullmakt.wire.altinn.delegations import TOPIC, ApiDelegation, DelegatedRight
from fullmakt.wire.altinn.parties import PartyIdentity
from tests.support.delegations import FakeParties, FakeResources
from tests.support.feeds import announced
from tests.support.plans import most_rows_read
from tests.support.policies import policy_xml

NOW = dt.datetime(2026, 5, 4, 10, 0, tzinfo=dt.UTC)
BY = Performer("910753614", 20_000_001)
SCOPE = "folkeregister:deling/finans"
ORGNOS = ("910753614", "991825827", "810418672", "974760673", "889640782", "310943223", "310943224", "310943225",
          "310943226", "310943227")  # fmt: skip


class Scene:
    """A service with ten organisations, one API and one ordinary resource."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.clock = FixedClock(NOW)
        self.parties = FakeParties()
        self.resources = FakeResources()
        scheme = "8f08210a-d792-48f5-9e27-0f029e41111e"
        self.api = self.resources.add("skd-api", SCOPE, "folkeregister:other", scheme=scheme)
        self.resources.add("skjema", resource_type="GenericAccessResource")
        self.service = DelegationsService(
            database, self.clock, new_uuid, resources=self.resources, parties=self.parties
        )
        self.declared = Declarations(self.service, parties=self.parties, resources=self.resources)
        self.orgs = [self.parties.organisation(number) for number in ORGNOS]

    async def give(self, giver: PartyIdentity, receiver: PartyIdentity, *actions: str) -> Outcome:
        return await self.service.delegate(
            Offer(giver.party_uuid, receiver.party_uuid, "skjema", frozenset(actions)), BY
        )

    async def rights(self, receiver: PartyIdentity, giver: PartyIdentity) -> tuple[DelegatedRight, ...]:
        return await self.service.rights([receiver.party_uuid], giver.party_uuid, "skjema")

    async def pass_on(self, right: DelegatedRight, receiver: PartyIdentity, *actions: str) -> Outcome:
        offer = Offer(
            right.giver, receiver.party_uuid, "skjema", frozenset(actions), passed_on_from=right.delegation_id
        )
        return await self.service.delegate(offer, BY)

    async def audited(self) -> list[tuple[str, str]]:
        async with self.database.transaction() as connection:
            rows = await connection.execute(text("SELECT action, outcome FROM audit.event ORDER BY id"))
            return [(row.action, row.outcome) for row in rows]


@pytest.fixture
def scene(database: Database) -> Scene:
    return Scene(database)


async def test_a_right_is_given_once_however_often_it_is_given(scene: Scene) -> None:
    giver, receiver = scene.orgs[:2]
    assert await scene.give(giver, receiver, "read") is Outcome.CREATED
    version = (await announced(scene.database, TOPIC)).version
    assert await scene.give(giver, receiver, "read") is Outcome.UNCHANGED
    (right,) = await scene.rights(receiver, giver)
    assert (right.giver, right.given_by, right.receiver) == (giver.party_uuid, giver.party_uuid, receiver.party_uuid)
    assert (right.resource, right.actions, right.instance) == ("skjema", frozenset({"read"}), None)
    assert (right.passed_on_from, right.created) == (None, NOW)
    assert (await announced(scene.database, TOPIC)).version == version
    assert await scene.audited() == [("delegation:create", "done")]


async def test_more_actions_are_added_to_what_was_given(scene: Scene) -> None:
    giver, receiver = scene.orgs[:2]
    await scene.give(giver, receiver, "read")
    assert await scene.give(giver, receiver, "write") is Outcome.CHANGED
    (right,) = await scene.rights(receiver, giver)
    assert right.actions == {"read", "write"}


async def test_a_change_is_announced_to_giver_and_receiver(scene: Scene) -> None:
    giver, receiver = scene.orgs[:2]
    await scene.give(giver, receiver, "read")
    changes = await announced(scene.database, TOPIC)
    assert set(changes.keys) == {f"to:{receiver.party_uuid}", f"from:{giver.party_uuid}"}


async def test_what_is_passed_on_comes_with_the_links_above_it(scene: Scene) -> None:
    giver, first, second = scene.orgs[:3]
    await scene.give(giver, first, "read", "write")
    (root,) = await scene.rights(first, giver)
    assert await scene.pass_on(root, second, "read") is Outcome.CREATED
    links = await scene.rights(second, giver)
    assert {(link.receiver, link.given_by, link.actions) for link in links} == {
        (first.party_uuid, giver.party_uuid, frozenset({"read", "write"})),
        (second.party_uuid, first.party_uuid, frozenset({"read"})),
    }
    assert await scene.rights(second, first) == ()


async def test_many_questions_have_each_their_own_answer(scene: Scene) -> None:
    giver, first, second, third = scene.orgs[:4]
    await scene.give(giver, first, "read", "write")
    await scene.give(giver, third, "read")
    await scene.give(first, third, "write")
    (root,) = await scene.rights(first, giver)
    await scene.pass_on(root, second, "read")
    receivers = [frozenset(), *(frozenset({one.party_uuid}) for one in (first, second, third))]
    receivers.append(receivers[1] | receivers[3])
    givers = (giver.party_uuid, first.party_uuid, third.party_uuid)
    questions = [(them, whose, what) for them in receivers for whose in givers for what in ("skjema", "skd-api")]
    answers = await scene.service.rights_of(questions)
    assert answers == {question: await scene.service.rights(*question) for question in questions}
    counts = [len(answers[them, giver.party_uuid, "skjema"]) for them in receivers]
    assert counts == [0, 1, 2, 1, 2]
    assert len(answers[receivers[3], first.party_uuid, "skjema"]) == 1
    assert await scene.service.rights_of([]) == {}


async def test_rights_are_found_by_an_index_however_many_there_are(scene: Scene) -> None:
    giver, first, second = scene.orgs[:3]
    await scene.give(giver, first, "read")
    (root,) = await scene.rights(first, giver)
    await scene.pass_on(root, second, "read")
    async with scene.database.transaction() as connection:
        await connection.execute(
            text(
                "INSERT INTO delegations.delegation (delegation_id, giver, receiver, resource, actions, given_by,"
                " performed_by, created, changed)"
                " SELECT gen_random_uuid(), other.giver, other.receiver, d.resource, d.actions, other.giver,"
                " d.performed_by, d.created, d.changed FROM delegations.delegation d, generate_series(1, 9000) n,"
                " LATERAL (SELECT CASE n % 3 WHEN 0 THEN d.giver ELSE gen_random_uuid() END AS giver,"
                " CASE n % 3 WHEN 1 THEN d.receiver ELSE gen_random_uuid() END AS receiver) other"
                " WHERE d.delegation_id = :root"
            ),
            {"root": root.delegation_id},
        )
        await connection.execute(text("ANALYZE delegations.delegation"))
        asked = {
            "receivers": [first.party_uuid, second.party_uuid],
            "givers": [giver.party_uuid] * 2,
            "resources": ["skjema"] * 2,
        }
        assert await most_rows_read(connection, store._RIGHTS, asked) <= 4


async def test_withdrawing_a_right_takes_what_was_passed_on_along(scene: Scene) -> None:
    giver, first, second, third = scene.orgs[:4]
    await scene.give(giver, first, "read", "write")
    (root,) = await scene.rights(first, giver)
    await scene.pass_on(root, second, "read", "write")
    (link,) = [one for one in await scene.rights(second, giver) if one.receiver == second.party_uuid]
    await scene.pass_on(link, third, "write")
    version = (await announced(scene.database, TOPIC)).version
    assert await scene.service.withdraw(Selection(giver.party_uuid, first.party_uuid, "skjema", ["write"]), BY) == 3
    assert [one.actions for one in await scene.rights(second, giver)] == [{"read"}, {"read"}]
    assert await scene.rights(third, giver) == ()
    told = await announced(scene.database, TOPIC, version)
    assert {f"to:{one.party_uuid}" for one in (first, second, third)} < set(told.keys)
    # What is given again is given to the first alone.
    await scene.give(giver, first, "write")
    assert await scene.rights(third, giver) == ()


async def test_the_one_who_passed_on_takes_back_only_that(scene: Scene) -> None:
    giver, first, second = scene.orgs[:3]
    await scene.give(giver, first, "read")
    await scene.give(giver, second, "read")
    (root,) = await scene.rights(first, giver)
    await scene.pass_on(root, second, "read")
    assert len(await scene.rights(second, giver)) == 3
    mine = Selection(giver.party_uuid, second.party_uuid, "skjema", given_by=first.party_uuid)
    assert await scene.service.withdraw(mine, BY) == 1
    (left,) = await scene.rights(second, giver)
    assert left.given_by == giver.party_uuid
    assert await scene.service.withdraw(mine, BY) == 0


async def test_nobody_passes_on_in_a_circle_or_more_than_was_given(scene: Scene) -> None:
    giver, first, second = scene.orgs[:3]
    await scene.give(giver, first, "read")
    (root,) = await scene.rights(first, giver)
    await scene.pass_on(root, second, "read")
    link = next(one for one in await scene.rights(second, giver) if one.receiver == second.party_uuid)
    for receiver, actions, reason in (
        (first, "read", "cycle"),
        (second, "read", "cycle"),
        (scene.orgs[3], "write", "not_held"),
    ):
        with pytest.raises(DelegationRefusedError) as refused:
            await scene.pass_on(link, receiver, actions)
        assert refused.value.reason == reason
    with pytest.raises(DelegationRefusedError):
        await scene.pass_on(link, giver, "read")


async def test_a_chain_has_an_end(scene: Scene) -> None:
    giver, *others = scene.orgs
    await scene.give(giver, others[0], "read")
    for number in range(MAX_LINKS - 1):
        link = next(
            one for one in await scene.rights(others[number], giver) if one.receiver == others[number].party_uuid
        )
        await scene.pass_on(link, others[number + 1], "read")
    last = others[MAX_LINKS - 1]
    link = next(one for one in await scene.rights(last, giver) if one.receiver == last.party_uuid)
    with pytest.raises(DelegationRefusedError) as refused:
        await scene.pass_on(link, scene.orgs[-1], "read")
    assert refused.value.reason == "too_long"


async def test_what_was_withdrawn_can_not_be_passed_on(scene: Scene) -> None:
    giver, first, second = scene.orgs[:3]
    await scene.give(giver, first, "read")
    (root,) = await scene.rights(first, giver)
    await scene.service.withdraw(Selection(giver.party_uuid, first.party_uuid, "skjema"), BY)
    with pytest.raises(UnknownDelegationError):
        await scene.pass_on(root, second, "read")
    assert await scene.rights(second, giver) == ()


async def test_an_api_delegation_is_found_by_supplier_consumer_and_scope(scene: Scene) -> None:
    consumer, supplier, other = scene.orgs[:3]
    assert (
        await scene.service.delegate_api([api_offer(consumer, supplier, scene.api)], BY, connect=True)
        is Outcome.CREATED
    )
    assert await scene.service.delegate_api([api_offer(consumer, supplier, scene.api)], BY) is Outcome.UNCHANGED
    expected = ApiDelegation(
        consumer=OrgNumber(ORGNOS[0]),
        supplier=OrgNumber(ORGNOS[1]),
        resource="skd-api",
        delegation_scheme_id="8f08210a-d792-48f5-9e27-0f029e41111e",
        scopes=(SCOPE, "folkeregister:other"),
        created=NOW,
    )
    find = scene.service.api_delegations
    assert await find(supplier=supplier.orgno, consumer=consumer.orgno, scope=SCOPE) == (expected,)
    assert await find(supplier=supplier.orgno, consumer=None, scope=None) == (expected,)
    assert await find(supplier=None, consumer=consumer.orgno, scope=None) == (expected,)
    assert await find(supplier=None, consumer=None, scope=SCOPE) == (expected,)
    assert await find(supplier=consumer.orgno, consumer=supplier.orgno, scope=SCOPE) == ()
    assert await find(supplier=supplier.orgno, consumer=other.orgno, scope=SCOPE) == ()
    assert await find(supplier=supplier.orgno, consumer=consumer.orgno, scope="folkeregister:none") == ()
    assert f"supplier:{ORGNOS[1]}" in (await announced(scene.database, TOPIC)).keys


async def test_a_delegation_of_what_is_no_api_any_more_counts_for_nothing(scene: Scene) -> None:
    consumer, supplier = scene.orgs[:2]
    await scene.service.delegate_api([api_offer(consumer, supplier, scene.api)], BY, connect=True)
    scene.resources.change("skd-api", resource_type="GenericAccessResource")
    assert await scene.service.api_delegations(supplier=supplier.orgno) == ()
    del scene.resources.known["skd-api"]
    assert await scene.service.api_delegations(supplier=supplier.orgno) == ()


async def test_an_api_delegation_stands_no_longer_than_its_policy_lets_anybody_have_it(scene: Scene) -> None:
    consumer, supplier = scene.orgs[:2]
    pair = str(supplier.orgno), str(consumer.orgno)
    await scene.service.delegate_api([api_offer(consumer, supplier, scene.api)], BY, connect=True)
    denied = {"effect": "Deny", "action": ["ScopeAccess"], "subject": [f"{ids.ROLE_CODE}=apiadm"]}
    other = {"action": ["read"], "subject": [f"{ids.ROLE_CODE}=apiadm"]}
    for policy in (None, b"<rubbish", policy_xml("skd-api", {"rules": [denied, other]})):
        scene.resources.change("skd-api", policy=policy)
        assert await scene.service.api_delegations(scope=SCOPE) == ()
        assert await scene.service.delegated_scopes([pair]) == {}
    assert scene.api.policy is not None
    scene.resources.change("skd-api", policy=scene.api.policy.replace(b"ScopeAccess", b"scopeaccess"))
    assert len(await scene.service.api_delegations(scope=SCOPE)) == 1
    scene.resources.change("skd-api", policy=scene.api.policy)
    assert len(await scene.service.api_delegations(scope=SCOPE)) == 1
    assert await scene.service.delegated_scopes([pair]) == {pair: {SCOPE, "folkeregister:other"}}


async def test_an_api_that_is_registered_anew_is_another(scene: Scene) -> None:
    """What was delegated of the old one counts for nothing, is replaced when given again, and is not passed on."""
    consumer, supplier, third = scene.orgs[:3]
    pair = str(supplier.orgno), str(consumer.orgno)
    await scene.service.delegate_api([api_offer(consumer, supplier, scene.api)], BY, connect=True)
    (old,) = await scene.service.rights([supplier.party_uuid], consumer.party_uuid, "skd-api")
    scene.clock.advance(seconds=1)
    scene.resources.change("skd-api", registered=scene.clock())
    anew = scene.resources.known["skd-api"]
    assert await scene.service.api_delegations(scope=SCOPE) == ()
    assert await scene.service.delegated_scopes([pair]) == {}
    onwards = api_offer(consumer, third, anew, passed_on_from=old.delegation_id)
    with pytest.raises(UnknownDelegationError):
        await scene.service.delegate_api([onwards], BY, connect=True)
    assert await scene.service.delegate_api([api_offer(consumer, supplier, anew)], BY) is Outcome.CREATED
    assert await scene.service.delegate_api([api_offer(consumer, supplier, anew)], BY) is Outcome.UNCHANGED
    (found,) = await scene.service.api_delegations(scope=SCOPE)
    assert found.created == anew.registered
    assert await scene.service.delegated_scopes([pair]) == {pair: {SCOPE, "folkeregister:other"}}


async def test_an_api_is_delegated_to_a_supplier_that_was_taken_up_and_to_organisations_alone(scene: Scene) -> None:
    consumer, supplier = scene.orgs[:2]
    person = scene.parties.person("05895199925")
    for giver, receiver, reason in (
        (consumer, supplier, "not_connected"),
        (consumer, person, "not_an_organisation"),
        (person, supplier, "not_an_organisation"),
        (consumer, consumer, "to_oneself"),
    ):
        with pytest.raises(DelegationRefusedError) as refused:
            await scene.service.delegate_api([api_offer(giver, receiver, scene.api)], BY)
        assert refused.value.reason == reason
    assert await scene.service.api_delegations(consumer=consumer.orgno) == ()


async def test_a_supplier_with_delegations_is_let_go_only_with_them(scene: Scene) -> None:
    consumer, supplier = scene.orgs[:2]
    await scene.service.delegate_api([api_offer(consumer, supplier, scene.api)], BY, connect=True)
    both = (consumer.party_uuid, supplier.party_uuid, ConnectionRole.SUPPLIER, BY)
    with pytest.raises(DelegationRefusedError) as refused:
        await scene.service.part(*both, cascade=False)
    assert refused.value.reason == "in_use"
    assert len(await scene.service.api_delegations(consumer=consumer.orgno)) == 1
    assert await scene.service.part(*both, cascade=True)
    assert await scene.service.api_delegations(consumer=consumer.orgno) == ()
    assert not await scene.service.part(*both, cascade=True)


async def test_packages_are_given_once_and_taken_back(scene: Scene) -> None:
    giver, receiver = scene.orgs[0].party_uuid, scene.orgs[1].party_uuid
    assert await scene.service.give_package(giver, receiver, "skatt-naering", BY)
    assert not await scene.service.give_package(giver, receiver, "skatt-naering", BY)
    (package,) = await scene.service.packages([receiver], giver)
    assert package.urn == "urn:altinn:accesspackage:skatt-naering"
    assert await scene.service.take_packages(giver, receiver, "skatt-naering", BY)
    assert not await scene.service.take_packages(giver, receiver, "skatt-naering", BY)
    assert await scene.service.packages([receiver], giver) == frozenset()


async def test_declaring_says_what_it_came_to_and_lists_what_was_declared(scene: Scene) -> None:
    consumer, supplier = OrgNumber(ORGNOS[0]), OrgNumber(ORGNOS[1])
    person = scene.parties.person("05895199925")
    assert person.national_id is not None
    declared = scene.declared
    assert await declared.declare_api_delegation(consumer, supplier, "skd-api") is Outcome.CREATED
    assert await declared.declare_api_delegation(consumer, supplier, "skd-api") is Outcome.UNCHANGED
    assert await declared.declare_right(consumer, person.national_id, "skjema", ["read", "write"]) is Outcome.CREATED
    assert await declared.declare_right(consumer, person.national_id, "skjema", ["read", "sign"]) is Outcome.CHANGED
    assert await declared.declare_right(consumer, person.national_id, "skjema", ["sign", "read"]) is Outcome.UNCHANGED
    assert await declared.declare_right(consumer, person.national_id, "skjema", ["read"]) is Outcome.CHANGED
    (api,) = await declared.api_delegations()
    assert (api.consumer, api.supplier, api.resource) == (consumer, supplier, "skd-api")
    (right,) = await declared.rights()
    assert (right.giver, right.receiver, right.resource) == (consumer, person.national_id, "skjema")
    assert right.actions == {"read"}


async def test_what_is_declared_of_the_unknown_is_refused(scene: Scene) -> None:
    known, unknown = OrgNumber(ORGNOS[0]), OrgNumber("999999999")
    for giver, receiver, field in ((known, unknown, "supplier"), (unknown, known, "consumer")):
        with pytest.raises(UnknownPartyError) as refused:
            await scene.declared.declare_api_delegation(giver, receiver, "skd-api")
        assert refused.value.field == field
    for resource in ("skjema", "nothing", "a\x00b"):
        with pytest.raises(UnknownResourceError):
            await scene.declared.declare_api_delegation(known, OrgNumber(ORGNOS[1]), resource)
    with pytest.raises(UnknownResourceError):
        await scene.declared.declare_right(known, OrgNumber(ORGNOS[1]), "nothing", ["read"])


@pytest.mark.parametrize("name", ["", " a", "a\x00", "a\ud800", "a" * 256, "a\nb"])
def test_a_name_that_is_none_is_refused_before_anything_is_asked(name: str) -> None:
    giver, receiver = (FakeParties().organisation(number).party_uuid for number in ORGNOS[:2])
    for resource, action, instance in ((name, "read", None), ("skjema", name, None), ("skjema", "read", name)):
        with pytest.raises(DelegationRefusedError):
            Offer(giver, receiver, resource, frozenset({action}), instance)


def test_a_delegation_names_actions_and_two_parties() -> None:
    giver, receiver = (FakeParties().organisation(number).party_uuid for number in ORGNOS[:2])
    for to, actions in ((receiver, frozenset[str]()), (giver, frozenset({"read"}))):
        with pytest.raises(DelegationRefusedError):
            Offer(giver, to, "skjema", actions)

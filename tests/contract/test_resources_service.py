"""The resource registry in PostgreSQL: versions for good, owners alone, each change told once."""

from __future__ import annotations

import datetime as dt

import anyio
import pytest
from sqlalchemy import text

from fullmakt.altinn.resources.errors import (
    DeletionForbiddenError,
    ForeignScopesError,
    IdentifierMismatchError,
    InvalidResourceError,
    NotOwnerError,
    PolicyNotAcceptedError,
    ResourceExistsError,
    UnknownResourceError,
)
from fullmakt.altinn.resources.model import Search
from fullmakt.altinn.resources.service import ResourcesService
from fullmakt.altinn.resources.store import resources
from fullmakt.infra.database import Database
from fullmakt.kernel.clock import FixedClock
from fullmakt.kernel.declarations import Outcome
from fullmakt.wire.altinn.attributes import ROLE_CODE, Attribute
from fullmakt.wire.altinn.resource_registry import ServiceOwner
from fullmakt.wire.altinn.resources import ConsentTerms
from tests.support.plans import most_rows_read
from tests.support.resources import ADMIN, DIGDIR, SKD, owner, policy_xml, register_owners, resource, rule_xml

ID = "skd-finans-scope"
CONTACT = [{"category": "x", "email": "x@example.no"}]
NOW = dt.datetime(2026, 11, 21, 12, tzinfo=dt.UTC)


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(NOW)


@pytest.fixture
async def registry(database: Database, clock: FixedClock) -> ResourcesService:
    registry = ResourcesService(database, clock, deletable=True)
    await register_owners(registry)
    return registry


async def _audited(database: Database) -> list[tuple[str, str, str, str]]:
    async with database.transaction() as connection:
        rows = await connection.execute(
            text(
                "SELECT action, outcome, actor, subject FROM audit.event"
                " WHERE action <> 'serviceowner:declare' ORDER BY id"
            )
        )
        return [(row[0], row[1], row[2], row[3]) for row in rows]


async def test_a_published_resource_is_what_its_neighbours_read(registry: ResourcesService) -> None:
    await registry.writing.create(resource(), owner())
    await registry.policies.upload(ID, policy_xml(rule_xml()), owner())
    found = await registry.resource(ID)
    assert found is not None
    assert (found.identifier, found.version, found.resource_type) == (ID, 1, "MaskinportenSchema")
    assert (found.owner_orgno, found.owner_code) == (SKD, "skd")
    assert found.scopes == ("folkeregister:deling/finans",)
    assert dict(found.title)["en"] == "English"
    assert found.policy == policy_xml(rule_xml())
    assert (found.delegable, found.visible, found.access_list_enabled) == (True, True, False)
    assert await registry.resources_with_scope("folkeregister:deling/finans") == (found,)
    assert await registry.resources_with_scope(None) == (found,)
    assert await registry.resources_with_scope("folkeregister:deling") == ()
    assert await registry.resource("skd-finans") is None
    assert await registry.resources(["nope", "\x00", ID]) == {ID: found}


async def test_a_scope_leads_to_resources_of_any_type(registry: ResourcesService, clock: FixedClock) -> None:
    scope = "folkeregister:deling/finans"
    for name in ("skd-b", "skd-a"):
        await registry.writing.create(
            resource(name, resourceType="GenericAccessResource", contactPoints=CONTACT), owner()
        )
    await registry.writing.create(resource(), owner())
    assert await registry.identifiers_with_scope(scope) == ("skd-a", "skd-b", ID)
    await registry.writing.delete("skd-a", owner())
    assert await registry.identifiers_with_scope(scope) == ("skd-b", ID)
    for other in ("folkeregister:deling", scope.upper(), "", "\x00"):
        assert await registry.identifiers_with_scope(other) == ()


async def test_a_scopes_resources_are_found_by_its_index_and_no_more_than_a_hundred(
    registry: ResourcesService, database: Database
) -> None:
    scope = "folkeregister:deling/finans"
    await registry.writing.create(resource(), owner())
    async with database.transaction() as connection:
        await connection.execute(
            text(
                "INSERT INTO resources.resource (identifier, version_id, document, resource_type, owner_code,"
                " delegable, visible, access_list_enabled, scopes, changed, change_id)"
                " SELECT 'other-' || n, 1, document, resource_type, owner_code, true, true, false,"
                " ARRAY[CASE WHEN n <= 150 THEN 'skd:popular' ELSE 'skd:' || n END], changed, -n"
                " FROM resources.resource, generate_series(1, 5000) n WHERE identifier = :identifier"
            ),
            {"identifier": ID},
        )
        await connection.execute(text("ANALYZE resources.resource"))
        asked = {"scope": scope, "most": 100}
        assert await most_rows_read(connection, resources._IDENTIFIERS_BY_SCOPE, asked) == 1
    assert await registry.identifiers_with_scope(scope) == (ID,)
    assert len(await registry.identifiers_with_scope("skd:popular")) == 100


async def test_every_version_stays(registry: ResourcesService) -> None:
    await registry.writing.create(resource(status="Active"), owner())
    await registry.writing.update(ID, resource(status="Deprecated"), owner())
    newest, first = await registry.document(ID), await registry.document(ID, 1)
    assert newest is not None
    assert first is not None
    assert (newest.version_id, newest.document["status"]) == (2, "Deprecated")
    assert (first.version_id, first.document["status"]) == (1, "Active")
    assert await registry.document(ID, 3) is None
    assert await registry.document(ID, 2**40) is None
    await registry.writing.delete(ID, owner())
    assert await registry.document(ID) is None
    assert await registry.document(ID, 1) is None
    await registry.writing.create(resource(), owner())
    again = await registry.document(ID)
    assert again is not None
    assert again.version_id == 3


async def test_a_deleted_resource_takes_its_policy_along(registry: ResourcesService) -> None:
    await registry.declare_resource(resource(), policy_xml(rule_xml()))
    assert await registry.policies.subjects(ID) == [Attribute(ROLE_CODE, "dagl")]
    await registry.writing.delete(ID, owner())
    await registry.writing.create(resource(), owner())
    assert await registry.policies.policy(ID) is None
    assert await registry.policies.report(ID) is None
    assert await registry.policies.subjects(ID) == []


async def test_a_deleted_resource_keeps_its_identifier_for_its_owner(registry: ResourcesService) -> None:
    """What was delegated of it would otherwise count for another's resource of the same name."""
    await registry.writing.create(resource(), owner())
    await registry.writing.delete(ID, owner())
    scope = {"referenceSource": "Altinn3", "reference": "digdir:post", "referenceType": "MaskinportenScope"}
    authority = {"organization": str(DIGDIR), "orgcode": "digdir"}
    taken_over = resource(hasCompetentAuthority=authority, resourceReferences=[scope])
    with pytest.raises(ResourceExistsError):
        await registry.writing.create(taken_over, owner(DIGDIR, prefixes=("digdir",)))
    assert await registry.resource(ID) is None
    await registry.writing.create(resource(), owner())


async def test_in_production_nothing_is_deleted(
    registry: ResourcesService, database: Database, clock: FixedClock
) -> None:
    await registry.writing.create(resource(), owner())
    with pytest.raises(DeletionForbiddenError):
        await ResourcesService(database, clock).writing.delete(ID, owner(SKD, ADMIN))


async def test_only_the_owner_may_publish_change_and_delete(registry: ResourcesService) -> None:
    other = owner(DIGDIR)
    with pytest.raises(NotOwnerError):
        await registry.writing.create(resource(), other)
    await registry.writing.create(resource(), owner())
    taken_over = resource(hasCompetentAuthority={"organization": str(DIGDIR), "orgcode": "digdir"})
    for caller in (other, owner()):  # neither may take over, nor give away
        with pytest.raises(NotOwnerError):
            await registry.writing.update(ID, taken_over, caller)
    with pytest.raises(NotOwnerError):
        await registry.writing.delete(ID, other)
    with pytest.raises(NotOwnerError):
        await registry.policies.upload(ID, policy_xml(rule_xml()), other)
    await registry.writing.update(ID, taken_over, owner(SKD, ADMIN))
    found = await registry.resource(ID)
    assert found is not None
    assert found.owner_orgno == DIGDIR


async def test_scopes_of_others_can_not_be_published(registry: ResourcesService) -> None:
    with pytest.raises(ForeignScopesError) as refused:
        await registry.writing.create(resource(), owner(SKD, prefixes=("skd", "folke")))
    assert refused.value.scopes == ("folkeregister:deling/finans",)
    await registry.writing.create(resource(), owner(SKD, ADMIN, prefixes=()))


async def test_the_test_department_is_known_by_its_registered_number(registry: ResourcesService) -> None:
    document = resource("ttd-thing", hasCompetentAuthority={"orgcode": "ttd"})
    await registry.declare_service_owner("ttd", ServiceOwner(orgnr=str(DIGDIR)))
    with pytest.raises(NotOwnerError):
        await registry.writing.create(document, owner())
    await registry.declare_service_owner("ttd", ServiceOwner(orgnr=str(SKD)))
    await registry.writing.create(document, owner())


async def test_nobody_publishes_under_another_s_org_code(registry: ResourcesService) -> None:
    borrowed = resource(hasCompetentAuthority={"organization": str(SKD), "orgcode": "DIGDIR"})
    with pytest.raises(InvalidResourceError) as refused:
        await registry.writing.create(borrowed, owner())
    assert list(refused.value.faults) == ["HasCompetentAuthority.Orgcode"]


@pytest.mark.parametrize(
    "authority",
    [
        {"organization": str(SKD), "orgcode": "skatt"},
        {"orgcode": "ttd"},
        {"organization": str(SKD), "orgcode": "s\x1fd"},
    ],
    ids=["of a number that is registered", "the test department", "no code at all"],
)
async def test_nobody_publishes_under_an_org_code_that_nobody_has(
    registry: ResourcesService, authority: dict[str, str]
) -> None:
    """Whoever got the code later would find it there already."""
    await registry.writing.create(resource(), owner())
    unknown = resource(hasCompetentAuthority=authority)
    another = resource("skd-another", hasCompetentAuthority=authority)
    for refused in (
        registry.writing.create(another, owner()),
        registry.writing.create(another, owner(SKD, ADMIN)),
        registry.writing.update(ID, unknown, owner()),
        registry.declare_resource(another),
        registry.declare_resource(unknown),
    ):
        with pytest.raises(InvalidResourceError, match="is not a registered service owner's") as told:
            await refused
        assert list(told.value.faults) == ["HasCompetentAuthority.Orgcode"]
    assert [one.version_id for one in await registry.documents()] == [1]


async def test_two_writers_of_a_new_resource_are_one_too_many(registry: ResourcesService) -> None:
    told: list[str] = []

    async def publish() -> None:
        try:
            await registry.writing.create(resource(), owner())
            told.append("created")
        except ResourceExistsError as error:
            told.append(str(error))

    async with anyio.create_task_group() as group:
        for _ in range(4):
            group.start_soon(publish)
    assert sorted(told) == [*[f"The Resource already exist: {ID}"] * 3, "created"]


async def test_two_writers_of_versions_lose_none(registry: ResourcesService) -> None:
    await registry.writing.create(resource(), owner())
    async with anyio.create_task_group() as group:
        for number in range(6):
            group.start_soon(registry.writing.update, ID, resource(version=str(number)), owner())
    found = [await registry.document(ID, version_id) for version_id in range(2, 8)]
    assert sorted(one.document["version"] for one in found if one is not None) == ["0", "1", "2", "3", "4", "5"]


async def test_an_update_is_of_what_is_there(registry: ResourcesService) -> None:
    with pytest.raises(UnknownResourceError):
        await registry.writing.update(ID, resource(), owner())
    await registry.writing.create(resource(), owner())
    with pytest.raises(IdentifierMismatchError):
        await registry.writing.update(ID, resource("another"), owner())
    with pytest.raises(UnknownResourceError):
        await registry.writing.delete("\x00", owner())


async def test_declaring_again_leaves_no_trace(registry: ResourcesService, database: Database) -> None:
    policy = policy_xml(rule_xml())
    assert await registry.declare_resource(resource(), policy) is Outcome.CREATED
    assert await registry.declare_service_owner("nav", ServiceOwner(orgnr=str(SKD))) is Outcome.CREATED
    before, version = await _audited(database), (await registry.changes_since(0)).version
    assert await registry.declare_resource(resource(), policy) is Outcome.UNCHANGED
    assert await registry.declare_resource(resource()) is Outcome.UNCHANGED
    assert await registry.declare_service_owner("skd", ServiceOwner(orgnr=str(SKD))) is Outcome.UNCHANGED
    assert await _audited(database) == before
    assert (await registry.changes_since(0)).version == version
    changed = policy_xml(rule_xml(roles=("lede",)))
    assert await registry.declare_resource(resource(), changed) is Outcome.CHANGED
    assert await registry.declare_resource(resource(status="Withdrawn")) is Outcome.CHANGED


async def test_a_policy_that_is_not_taken_leaves_the_resource_as_it_was(registry: ResourcesService) -> None:
    with pytest.raises(PolicyNotAcceptedError):
        await registry.declare_resource(resource(), b"<Policy/>")
    assert await registry.resource(ID) is None


async def test_each_change_is_audited_and_announced(registry: ResourcesService, database: Database) -> None:
    before = (await registry.changes_since(0)).version
    await registry.writing.create(resource(), owner())
    await registry.policies.upload(ID, policy_xml(rule_xml()), owner())
    await registry.writing.update(ID, resource(), owner())
    await registry.writing.delete(ID, owner())
    assert await _audited(database) == [
        (f"{action}", "done", str(SKD), ID)
        for action in ("resource:create", "policy:upload", "resource:update", "resource:delete")
    ]
    changes = await registry.changes_since(before)
    assert (changes.version, set(changes.keys)) == (before + 4, {f"resource:{ID}"})


async def test_the_feed_of_subjects_tells_what_came_and_went(registry: ResourcesService, clock: FixedClock) -> None:
    await registry.declare_resource(resource(), policy_xml(rule_xml(roles=("DAGL", "lede"))))
    clock.advance(seconds=1)
    await registry.declare_resource(resource(), policy_xml(rule_xml(roles=("dagl", "innh"))))
    changes = await registry.policies.updated(NOW, None, 10)
    assert [(one.subject.value, one.deleted, one.updated) for one in changes] == [
        ("dagl", False, NOW),  # it was there all the time
        ("innh", False, NOW + dt.timedelta(seconds=1)),
        ("lede", True, NOW + dt.timedelta(seconds=1)),
    ]
    first = changes[0]
    assert first.resource_urn == f"urn:altinn:resource:{ID}"
    assert await registry.policies.updated(NOW, (first.resource, first.subject), 10) == changes[1:]
    assert await registry.policies.updated(NOW + dt.timedelta(seconds=2), None, 10) == []
    assert await registry.policies.subjects(ID) == [Attribute(ROLE_CODE, "dagl"), Attribute(ROLE_CODE, "innh")]


async def test_the_feed_of_changes_has_each_resource_once_where_it_changed_last(registry: ResourcesService) -> None:
    for name in ("first", "second", "third"):
        await registry.declare_resource(resource(name), policy_xml(rule_xml(name)))
    await registry.declare_resource(resource("without-policy"))
    await registry.declare_resource(resource("first", status="Withdrawn"))
    changes = await registry.policies.changes(0, 10)
    assert [one.resource for one in changes] == ["second", "third", "first"]
    assert await registry.policies.changes(changes[0].change_id, 1) == [changes[1]]
    assert await registry.policies.changes(changes[-1].change_id, 1) == []


async def test_resources_are_found_by_the_subjects_of_their_policies(registry: ResourcesService) -> None:
    await registry.declare_resource(resource("first"), policy_xml(rule_xml("first", roles=("dagl", "lede"))))
    await registry.declare_resource(resource("second"), policy_xml(rule_xml("second")))
    found = await registry.policies.by_subjects(["urn:altinn:rolecode:DAGL", "urn:altinn:rolecode:\x00", "x"])
    assert [(one.subject, list(one.resources)) for one in found] == [
        (Attribute(ROLE_CODE, "dagl"), ["first", "second"])
    ]
    assert await registry.policies.by_subjects([]) == []


@pytest.mark.parametrize(
    ("search", "found"),
    [
        (Search(), ["skd-one", "skd-two"]),
        (Search(identifier="ONE"), ["skd-one"]),
        (Search(identifier="%"), []),
        (Search(description="kartet"), ["skd-two"]),
        (Search(keyword="skat"), ["skd-one"]),
        (Search(reference="DELING"), ["skd-one", "skd-two"]),
        (Search(resource_type="MaskinportenSchema"), ["skd-one", "skd-two"]),
        (Search(resource_type="Consent"), []),
        (Search(org_code="SKD"), ["skd-one", "skd-two"]),
        (Search(organization="974761076", keyword="skatt"), ["skd-one"]),
        (Search(organization="97476107"), []),
        (Search(keyword="\x00"), []),
    ],
)
async def test_a_search_wants_everything_that_is_given(
    registry: ResourcesService, search: Search, found: list[str]
) -> None:
    await registry.declare_resource(resource("skd-one", keywords=[{"word": "Skatt", "language": "nb"}]))
    texts = {"nb": "Kartet", "nn": "Kartet", "en": "The map"}
    await registry.declare_resource(resource("skd-two", description=texts))
    assert [one.identifier for one in await registry.search(search)] == found


async def test_apps_are_listed_on_request(registry: ResourcesService) -> None:
    application = [{"referenceType": "ApplicationId", "referenceSource": "Altinn3", "reference": "skd/melding"}]
    await registry.declare_resource(resource())
    await registry.declare_resource(
        resource("app_skd_melding", resourceType="AltinnApp", resourceReferences=application)
    )
    assert [one.identifier for one in await registry.documents()] == ["app_skd_melding", ID]
    assert [one.identifier for one in await registry.documents(apps=False)] == [ID]


async def test_the_platform_belongs_to_whoever_is_declared_to_be_digdir(registry: ResourcesService) -> None:
    await registry.declare_service_owner("digdir", ServiceOwner(orgnr=str(SKD)))
    await registry.ensure_platform_resources()
    found = await registry.resource("altinn_access_management")
    assert found is not None
    assert (found.owner_orgno, found.owner_code) == (SKD, "digdir")


async def test_the_platform_s_own_resources_are_there_after_each_start(database: Database, clock: FixedClock) -> None:
    registry = ResourcesService(database, clock)
    await registry.ensure_platform_resources()
    before = await _audited(database)
    await registry.ensure_platform_resources()
    assert await _audited(database) == before
    names = {
        "altinn_access_management",
        "altinn_access_management_hovedadmin",
        "altinn_client_administration",
        "altinn_maskinporten_scope_delegation",
        "altinn_instance_delegation",
        "altinn_system_user_overview",
    }
    found = await registry.resources(names)
    assert found.keys() == names
    assert all(one.policy is not None and one.resource_type == "Systemresource" for one in found.values())
    assert await registry.org_codes() == {"digdir": DIGDIR}
    for name in names:
        report = await registry.policies.report(name)
        assert report is not None
        assert report["warnings"] == []


async def test_neighbours_read_what_may_be_consented_to(registry: ResourcesService) -> None:
    said = {
        "consentTemplate": "sblanesoknad",
        "consentText": {"nb": "Inntekt for {inntektsaar}"},
        "consentMetadata": {"inntektsaar": {"optional": False}, "navn": {"optional": True}},
        "isOneTimeConsent": True,
    }
    made = resource("skd-inntekt", resourceType="Consent", resourceReferences=None, **said)
    await registry.writing.create(made, owner())
    await registry.writing.create(resource(), owner())
    found = await registry.resources(["skd-inntekt", ID])
    terms = found["skd-inntekt"].consent
    assert (terms.template, terms.text, terms.one_time) == (
        "sblanesoknad",
        (("nb", "Inntekt for {inntektsaar}"),),
        True,
    )
    assert dict(terms.metadata) == {"inntektsaar": False, "navn": True}
    assert found[ID].consent == ConsentTerms()

"""An API is delegated over HTTP among the real register, registry and decision point, and a role is lost on the way."""

from __future__ import annotations

from collections.abc import AsyncIterator
from uuid import UUID

import httpx2
import pytest

from fullmakt.altinn.decisions.config import DecisionsConfig
from fullmakt.altinn.decisions.service import DecisionPoint
from fullmakt.altinn.decisions.store import DecisionFeed, DecisionJournal
from fullmakt.altinn.delegations.http import AccessManagement, app
from fullmakt.altinn.delegations.service import DelegationsService
from fullmakt.altinn.delegations.system_users import SystemUserDelegations
from fullmakt.altinn.parties.metadata.load import published
from fullmakt.altinn.parties.model import Role
from fullmakt.altinn.parties.service import PartiesService
from fullmakt.altinn.resources.access_lists.service import AccessLists
from fullmakt.altinn.resources.service import ResourcesService
from fullmakt.infra.database import Database
from fullmakt.kernel.clock import FixedClock, new_uuid
from fullmakt.serve.neighbours import KnownPackages
from fullmakt.wire.altinn import attributes as ids
from fullmakt.wire.altinn.callers import Caller
from fullmakt.wire.altinn.resource_registry import ServiceOwner
from tests.support.delegations import FakeCallers
from tests.support.parties import NOW, Register, national_id, orgno
from tests.support.policies import policy_xml
from tests.support.resources import SKD, resource

SUPPLIERS = "/api/v1/enduser/maskinportensuppliers"
CONNECTIONS = "/api/v1/enduser/connections"
SCOPE = "skd:rapport"
API_POLICY = {"level": 3, "rules": [{"id": "r1", "action": ["ScopeAccess"], "subject": [f"{ids.ROLE_CODE}=apiadm"]}]}
BOOKS_POLICY = {"rules": [{"action": ["read"], "subject": [f"{ids.ACCESS_PACKAGE}=regnskapsforer-lonn"]}]}
FORM_POLICY = {"level": 2, "rules": [{"id": "r1", "action": ["read", "write"], "subject": [f"{ids.ROLE_CODE}=dagl"]}]}


class Altinn:
    """Real systems on one database, and clients of access management."""

    def __init__(self, database: Database) -> None:
        self.clock = clock = FixedClock(NOW)
        self.parties = PartiesService(database, clock, new_uuid)
        self.register = Register(self.parties)
        self.resources = ResourcesService(database, clock, deletable=True)
        self.delegations = DelegationsService(database, clock, new_uuid, resources=self.resources, parties=self.parties)
        self.journal = DecisionJournal(database)
        self.decisions = DecisionPoint(
            DecisionsConfig(),
            parties=self.parties,
            resources=self.resources,
            policy_index=self.resources.policies,
            access_lists=AccessLists(database, clock, self.parties, self.resources),
            delegations=self.delegations,
            feed=lambda: DecisionFeed(database),
            journal=self.journal,
            clock=clock,
        )
        self.callers = FakeCallers()
        self.database = database
        self.system_users = SystemUserDelegations(
            self.delegations,
            parties=self.parties,
            resources=self.resources,
            packages=KnownPackages(published()),
            authority=self.decisions,
        )
        system = AccessManagement(
            service=self.delegations,
            parties=self.parties,
            resources=self.resources,
            authority=self.decisions,
            packages=KnownPackages(published()),
            callers=self.callers,
        )
        self.client = httpx2.AsyncClient(transport=httpx2.ASGITransport(app=app(system)), base_url="http://altinn.test")
        self.consumer = self.supplier = UUID(int=0)

    async def begin(self) -> None:
        """A consumer with a managing director, a supplier, an API and a form."""
        self.consumer = await self.register.organisation(1)
        self.supplier = await self.register.organisation(2)
        await self.register.person(1)
        await self.register.person(2)
        await self.register.grant(national_id(1), "dagl", 1)
        await self.register.grant(national_id(2), "dagl", 2)
        await self.resources.declare_service_owner("skd", ServiceOwner(orgnr=SKD))
        await self.resources.ensure_platform_resources()
        await self.register_api()
        form = resource("skjema", resourceType="GenericAccessResource", resourceReferences=None)
        await self.resources.declare_resource(form, policy_xml("skjema", FORM_POLICY))
        for name, number in (("kari", 1), ("ola", 2)):
            person = await self.parties.identify([self.attribute(number)])
            identity = person[self.attribute(number)]
            self.callers.known[name] = Caller(
                frozenset({"altinn:portal/enduser"}),
                user_id=identity.user_id,
                party_id=identity.party_id,
                party_uuid=identity.party_uuid,
                auth_level=4,
            )

    async def register_api(self) -> None:
        """The API, with its policy."""
        references = [{"referenceType": "MaskinportenScope", "reference": SCOPE, "referenceSource": "ExternalPlatform"}]
        api = resource("skd-api", resourceType="MaskinportenSchema", resourceReferences=references)
        await self.resources.declare_resource(api, policy_xml("skd-api", API_POLICY))

    @staticmethod
    def attribute(number: int) -> ids.Attribute:
        return ids.Attribute(ids.PERSON, str(national_id(number)))

    async def call(self, token: str, method: str, path: str, body: object = None, **query: str) -> httpx2.Response:
        headers = {"Authorization": f"Bearer {token}"}
        return await self.client.request(method, path, params=query, headers=headers, json=body)


@pytest.fixture
async def altinn(database: Database) -> AsyncIterator[Altinn]:
    world = Altinn(database)
    await world.begin()
    yield world
    await world.client.aclose()
    await world.journal.close()


async def test_a_managing_director_delegates_until_the_role_is_lost(altinn: Altinn) -> None:
    query = {"party": str(altinn.consumer), "supplier": orgno(2)}
    one = {**query, "resource": "skd-api"}
    assert (await altinn.call("ola", "POST", SUPPLIERS, **query)).status_code == 403
    assert (await altinn.call("kari", "POST", SUPPLIERS, **query)).status_code == 200
    check = await altinn.call("kari", "GET", f"{SUPPLIERS}/resources/delegationcheck", **one)
    assert [(right["result"], right["reasonCodes"]) for right in check.json()["rights"]] == [(True, ["RoleAccess"])]
    assert (await altinn.call("kari", "POST", f"{SUPPLIERS}/resources", **one)).json() is True
    (found,) = await altinn.delegations.api_delegations(supplier=orgno(2), consumer=orgno(1), scope=SCOPE)
    assert found.scopes == (SCOPE,)
    await altinn.parties.withdraw_role(Role(national_id(1), "dagl", orgno(1)))
    assert (await altinn.call("kari", "GET", SUPPLIERS, **query)).status_code == 403
    # What the organisation gave stands: the person acted for it, and gave nothing of its own.
    assert await altinn.delegations.api_delegations(supplier=orgno(2), consumer=orgno(1), scope=SCOPE) == (found,)


async def test_too_low_a_level_opens_no_door(altinn: Altinn) -> None:
    kari = altinn.callers.known["kari"]
    altinn.callers.known["kari"] = Caller(kari.scopes, party_uuid=kari.party_uuid, user_id=kari.user_id, auth_level=2)
    query = {"party": str(altinn.consumer), "supplier": orgno(2)}
    assert (await altinn.call("kari", "POST", SUPPLIERS, **query)).status_code == 403


async def test_a_right_that_was_given_is_given_on_and_falls_with_it(altinn: Altinn) -> None:
    to = {"party": str(altinn.consumer), "to": str(altinn.supplier)}
    rights = {**to, "resource": "skjema"}
    assert (await altinn.call("kari", "POST", CONNECTIONS, **to)).status_code == 200
    path = f"{CONNECTIONS}/resources/rights"
    body = {"directRightKeys": ["skjema:read"]}
    assert (await altinn.call("kari", "POST", path, body, **rights)).status_code == 201
    ola = altinn.callers.known["ola"]
    assert ola.party_uuid is not None
    subject = [ids.Attribute(ids.PARTY_UUID, str(ola.party_uuid))]
    decision = await altinn.decisions.may(subject, "read", "skjema", altinn.consumer)
    assert (decision.permitted, decision.reason) == (True, "delegation")
    assert not await altinn.decisions.may(subject, "write", "skjema", altinn.consumer)
    assert (
        await altinn.call("kari", "DELETE", f"{CONNECTIONS}/resources", **rights, **{"from": to["party"]})
    ).status_code == 204
    assert not await altinn.decisions.may(subject, "read", "skjema", altinn.consumer)


async def test_the_list_of_those_one_acts_for_comes_from_register_and_delegations(altinn: Altinn) -> None:
    to = {"party": str(altinn.consumer), "to": str(altinn.supplier)}
    await altinn.call("kari", "POST", CONNECTIONS, **to)
    body = {"directRightKeys": ["skjema:read"]}
    await altinn.call("kari", "POST", f"{CONNECTIONS}/resources/rights", body, **to, resource="skjema")
    listed = (await altinn.call("ola", "GET", "/api/v1/enduser/authorizedparties")).json()["data"]
    resources = {one["organizationNumber"]: one["authorizedResources"] for one in listed if one["organizationNumber"]}
    assert resources == {orgno(1): ["skjema"], orgno(2): []}
    assert "DAGL" in {
        role for one in listed if one["organizationNumber"] == orgno(2) for role in one["authorizedRoles"]
    }


async def test_an_accountants_agent_acts_for_a_client_as_long_as_the_accountant_has_it(altinn: Altinn) -> None:
    books = resource("regnskap", resourceType="GenericAccessResource", resourceReferences=None)
    await altinn.resources.declare_resource(books, policy_xml("regnskap", BOOKS_POLICY))
    accountant, agent = altinn.supplier, UUID(int=7)
    subject = [ids.Attribute(ids.SYSTEM_USER, str(agent))]

    async def may() -> bool:
        return bool(await altinn.decisions.may(subject, "read", "regnskap", altinn.consumer))

    assert await altinn.system_users.clients(accountant) == {}
    await altinn.register.grant(orgno(2), "regn", 1)
    (client,) = await altinn.system_users.clients(accountant, ["regnskapsforer-lonn"])
    assert client == altinn.consumer
    checked = await altinn.system_users.check_clients(accountant, client, ["regnskapsforer-lonn"])
    assert not await may()
    async with altinn.database.transaction() as connection:
        await altinn.system_users.change(connection, agent, client, give=checked, via=accountant, actor="kari")
    assert await may()
    await altinn.parties.withdraw_role(Role(orgno(2), "regn", orgno(1)))
    assert not await may()
    await altinn.register.grant(orgno(2), "regn", 1)
    assert await may()


async def test_an_api_that_was_deleted_and_registered_anew_is_delegated_anew(altinn: Altinn) -> None:
    query = {"party": str(altinn.consumer), "supplier": orgno(2)}
    one = {**query, "resource": "skd-api"}
    pair = str(orgno(2)), str(orgno(1))

    async def give() -> None:
        assert (await altinn.call("kari", "POST", f"{SUPPLIERS}/resources", **one)).json() is True

    await altinn.call("kari", "POST", SUPPLIERS, **query)
    await give()
    altinn.clock.advance(seconds=1)
    await altinn.register_api()  # a new version is no other resource
    assert await altinn.delegations.delegated_scopes([pair]) == {pair: {SCOPE}}
    await altinn.resources.writing.delete("skd-api", Caller(frozenset({"altinn:resourceregistry/resource.admin"})))
    assert await altinn.delegations.delegated_scopes([pair]) == {}
    altinn.clock.advance(seconds=1)
    await altinn.register_api()
    assert await altinn.delegations.delegated_scopes([pair]) == {}
    assert await altinn.delegations.api_delegations(scope=SCOPE) == ()
    await give()
    assert await altinn.delegations.delegated_scopes([pair]) == {pair: {SCOPE}}
    assert len(await altinn.delegations.stored(resource="skd-api")) == 1

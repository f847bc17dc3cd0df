"""The access list of eFormidling's DPV, from the resource to the customer who leaves: the registry as a whole, over the
real register of parties (altinn-resource-registry.md §16)."""

from __future__ import annotations

import httpx2
import pytest

from fullmakt.altinn.parties.model import Organisation
from fullmakt.altinn.parties.service import PartiesService
from fullmakt.altinn.resources.access_lists.http import HANDLERS, routes
from fullmakt.altinn.resources.access_lists.service import AccessLists
from fullmakt.altinn.resources.http import app
from fullmakt.altinn.resources.service import ResourcesService
from fullmakt.infra.database import Database
from fullmakt.kernel.clock import FixedClock, new_uuid
from fullmakt.kernel.identifiers import OrgNumber
from fullmakt.wire.altinn.callers import Caller
from fullmakt.wire.altinn.resource_registry import ServiceOwner
from tests.support.access_lists import START, URL, Callers
from tests.support.resources import resource_json

DIGDIR, CUSTOMER = OrgNumber("991825827"), OrgNumber("910753614")
MEMBER = {"data": [f"urn:altinn:organization:identifier-no:{CUSTOMER}"]}
CALLERS = Callers(
    digdir=Caller(
        frozenset({"altinn:resourceregistry/resource.write", "altinn:resourceregistry/accesslist.write"}),
        consumer=DIGDIR,
    ),
    proxy=Caller(frozenset({"altinn:resourceregistry/accesslist.read"}), consumer=DIGDIR),
)
LIST = "/api/v1/access-lists/digdir/eformidling-dpv"


@pytest.fixture
async def registry(database: Database) -> httpx2.ASGITransport:
    clock = FixedClock(START)
    parties, resources = PartiesService(database, clock, new_uuid), ResourcesService(database, clock)
    await parties.declare_organisation(Organisation(CUSTOMER, "Sender"))
    await resources.declare_service_owner("digdir", ServiceOwner(name={"nb": "Digdir"}, orgnr=str(DIGDIR)))
    lists = routes(AccessLists(database, clock, parties, resources), CALLERS, base_url=URL)
    return httpx2.ASGITransport(app=app(resources, CALLERS, base_url=URL, further=lists, handlers=HANDLERS))


def _client(registry: httpx2.ASGITransport, who: str) -> httpx2.AsyncClient:
    headers = {"Authorization": f"Bearer {who}"}
    return httpx2.AsyncClient(transport=registry, base_url="http://registry.test", headers=headers)


async def test_a_customer_is_let_in_and_leaves(registry: httpx2.ASGITransport) -> None:
    digdir, proxy = _client(registry, "digdir"), _client(registry, "proxy")
    correspondence = resource_json(
        "eformidling-dpv-melding",
        resourceType="CorrespondenceService",
        resourceReferences=None,
        accessListMode="Enabled",
        hasCompetentAuthority={"organization": str(DIGDIR), "orgcode": "digdir", "name": {"nb": "Digdir"}},
    )
    assert (await digdir.post("/api/v1/resource", json=correspondence)).status_code == 201

    made = await digdir.put(LIST, json={"name": "Approved senders"})
    assert (made.status_code, made.headers["etag"]) == (200, 'W/"eyJ2ZXJzaW9uIjoiMSJ9"')
    connected = await digdir.put(f"{LIST}/resource-connections/eformidling-dpv-melding", json={})
    assert (connected.status_code, "actionFilters" in connected.json()) == (200, False)

    added = await digdir.post(f"{LIST}/members", json=MEMBER)
    assert added.status_code == 200
    seen = await proxy.get(f"{LIST}/members")
    assert seen.json() == added.json()
    assert [each["identifiers"]["urn:altinn:organization:identifier-no"] for each in seen.json()["data"]] == [CUSTOMER]
    again = await proxy.get(f"{LIST}/members", headers={"If-None-Match": seen.headers["etag"]})
    assert again.status_code == 304

    left = await digdir.request("DELETE", f"{LIST}/members", json=MEMBER)
    assert (left.status_code, left.json()) == (200, {"links": {}, "data": []})
    after = await proxy.get(f"{LIST}/members", headers={"If-None-Match": seen.headers["etag"]})
    assert (after.status_code, after.json()["data"]) == (200, [])
    assert (await proxy.post(f"{LIST}/members", json=MEMBER)).status_code == 403


async def test_what_lists_refuse_looks_the_same_in_the_registry(registry: httpx2.ASGITransport) -> None:
    digdir = _client(registry, "digdir")
    await digdir.put(LIST, json={"name": "Approved senders"})
    assert (await digdir.put(LIST, json={"name": "x"}, headers={"If-None-Match": "*"})).status_code == 412
    assert (await digdir.get(f"{LIST}x")).status_code == 404
    assert (await digdir.put(f"{LIST}/resource-connections/nosuch", json={})).json()["code"] == "RR-00002"
    # The registry takes policies of ten mebibytes; what lists are sent is bounded as ever.
    assert (await digdir.put(LIST, json={"name": "x" * 1_100_000})).status_code == 413

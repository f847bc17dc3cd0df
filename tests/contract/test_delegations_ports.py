"""The token server's two ways to ask Altinn, in our own database and over HTTP, give the same answers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import httpx2
import pytest

from fullmakt.altinn.parties.model import Organisation
from fullmakt.altinn.resources.policies.standard import standard_policy
from fullmakt.infra.unavailable import NeighbourUnavailableError
from fullmakt.kernel.identifiers import OrgNumber
from fullmakt.maskinporten.tokens.distant_altinn import MAX_ANSWER_BYTES, DistantAltinn, OwnToken
from fullmakt.maskinporten.tokens.ports import Delegations
from fullmakt.serve.app import create
from fullmakt.serve.assembly import Assembly, assemble
from fullmakt.serve.settings import Settings
from fullmakt.wire.altinn.resource_registry import ResourceDocument, ServiceOwner

CONSUMER, SUPPLIER, OTHER = OrgNumber("910753614"), OrgNumber("312044005"), OrgNumber("312468018")
UNKNOWN = OrgNumber("314680138")
SCOPES = ("agency:one", "agency:two")
TEXT = {"nb": "API", "nn": "API", "en": "API"}


@pytest.fixture
async def assembly(database_url: str, tmp_path: Path) -> AsyncIterator[Assembly]:
    assembly = assemble(Settings.model_validate({"state": tmp_path}), database_url)
    await assembly.start()
    for orgno in (CONSUMER, SUPPLIER, OTHER):
        await assembly.parties.declare_organisation(Organisation(orgno, f"Org {orgno}"))
    await assembly.rights.resources.declare_service_owner("agency", ServiceOwner(name=TEXT, orgnr=str(OTHER)))
    for number, scope in enumerate(SCOPES):
        name = f"agency-api-{number}"
        policy = standard_policy(name, roles=["apiadm"], actions=["ScopeAccess"])
        await assembly.rights.resources.declare_resource(resource(name, scope), policy)
    yield assembly
    await assembly.stop()


def resource(identifier: str, scope: str) -> ResourceDocument:
    return ResourceDocument.model_validate(
        {
            "identifier": identifier,
            "resourceType": "MaskinportenSchema",
            "title": TEXT,
            "description": TEXT,
            "rightDescription": TEXT,
            "hasCompetentAuthority": {"organization": str(OTHER), "orgcode": "agency"},
            "resourceReferences": [{"reference": scope, "referenceType": "MaskinportenScope"}],
        }
    )


@pytest.fixture
async def http(assembly: Assembly) -> AsyncIterator[httpx2.AsyncClient]:
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app=create(assembly))) as http:
        yield http


def own_token(assembly: Assembly) -> OwnToken:
    issuer = assembly.settings.issuer
    return OwnToken(assembly.database, lambda: assembly.tokens.ring, assembly.clock, issuer=issuer, orgno=OTHER)


def distant(assembly: Assembly, http: httpx2.AsyncClient) -> DistantAltinn:
    return DistantAltinn(assembly.settings.delegations_url, http, own_token(assembly))


@pytest.fixture(params=["in our database", "over HTTP"])
def delegations(request: pytest.FixtureRequest, assembly: Assembly, http: httpx2.AsyncClient) -> Delegations:
    return assembly.delegated if request.param == "in our database" else distant(assembly, http)


async def test_what_is_delegated_is_told_by_supplier_and_consumer(assembly: Assembly, delegations: Delegations) -> None:
    pair, other = (str(SUPPLIER), str(CONSUMER)), (str(OTHER), str(CONSUMER))
    declare = assembly.rights.declarations.declare_api_delegation
    assert (await delegations.delegated_scopes([pair])).get(pair, frozenset()) == frozenset()
    await declare(CONSUMER, SUPPLIER, "agency-api-0")
    assert (await delegations.delegated_scopes([pair]))[pair] == {SCOPES[0]}
    await declare(CONSUMER, SUPPLIER, "agency-api-1")
    found = await delegations.delegated_scopes([pair, other])
    assert found[pair] == set(SCOPES)
    assert found.get(other, frozenset()) == frozenset()


async def test_nobody_has_delegated_for_an_organisation_that_is_not_registered(delegations: Delegations) -> None:
    pair = (str(SUPPLIER), str(UNKNOWN))
    assert (await delegations.delegated_scopes([pair])).get(pair, frozenset()) == frozenset()


def answering(status: int, body: str = "") -> httpx2.MockTransport:
    return httpx2.MockTransport(lambda _request: httpx2.Response(status, text=body))


def silent(_request: httpx2.Request) -> httpx2.Response:
    raise httpx2.ConnectError("nobody there")


@pytest.mark.parametrize(
    "transport",
    [
        answering(401),
        answering(403),
        answering(500),
        answering(200, "no JSON"),
        answering(200, '{"scopes": []}'),
        answering(200, "[1]"),
        answering(200, "[]" + " " * MAX_ANSWER_BYTES),
        httpx2.MockTransport(silent),
    ],
)
async def test_an_altinn_that_does_not_answer_as_it_should_is_never_taken_for_a_no(
    assembly: Assembly, transport: httpx2.MockTransport
) -> None:
    async with httpx2.AsyncClient(transport=transport) as http:
        with pytest.raises(NeighbourUnavailableError):
            await distant(assembly, http).delegated_scopes([(str(SUPPLIER), str(CONSUMER))])


async def test_another_pairs_delegation_in_the_answer_counts_for_nothing(assembly: Assembly) -> None:
    answer = f'[{{"supplier_org": "{OTHER}", "consumer_org": "{CONSUMER}", "scopes": ["agency:one"]}}]'
    async with httpx2.AsyncClient(transport=answering(200, answer)) as http:
        pair = (str(SUPPLIER), str(CONSUMER))
        assert (await distant(assembly, http).delegated_scopes([pair]))[pair] == frozenset()


async def test_the_token_that_is_shown_to_altinn_is_kept_for_a_while_and_audited(
    assembly: Assembly, http: httpx2.AsyncClient
) -> None:
    altinn, pairs = distant(assembly, http), [(str(SUPPLIER), str(CONSUMER))]
    await altinn.delegated_scopes(pairs)
    await altinn.delegated_scopes(pairs)
    count = "SELECT count(*) FROM audit.event WHERE actor = 'maskinporten'"
    async with assembly.database.transaction() as connection:
        assert (await connection.exec_driver_sql(count)).scalar_one() == 1


async def test_those_who_ask_at_once_share_one_token(assembly: Assembly) -> None:
    token = own_token(assembly)
    assert len(set(await asyncio.gather(*[token() for _ in range(5)]))) == 1

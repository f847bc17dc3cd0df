"""Maskinporten asks who has delegated which API to whom."""

from __future__ import annotations

import datetime as dt
from collections.abc import AsyncIterator

import httpx2
import pytest
from sqlalchemy import text

from fullmakt.infra.database import Database
from tests.support.access_management import Scene

SCOPE = "folkeregister:deling/finans"
CONSUMER, SUPPLIER = "910753614", "991825827"
PATH = "/api/v1/maskinporten/delegations/"


@pytest.fixture
async def scene(database: Database) -> AsyncIterator[Scene]:
    scene = Scene(database, at=dt.datetime(2022, 9, 27, 13, 2, 23, 786072, dt.UTC))
    consumer, supplier = scene.parties.organisation(CONSUMER), scene.parties.organisation(SUPPLIER)
    scene.resources.add("skd-maskinportenschemaid-8", SCOPE, scheme="8F08210A-D792-48F5-9E27-0F029E41111E")
    scene.callers.organisation("mp", "991825827", "altinn:maskinporten/delegations.admin")
    scene.callers.organisation("owner", "974761076", "altinn:maskinporten/delegations", prefixes=("folkeregister",))
    scene.callers.organisation("other", "974761076", "altinn:serviceowner", prefixes=("folkeregister",))
    assert consumer.orgno is not None
    assert supplier.orgno is not None
    await scene.declared.declare_api_delegation(consumer.orgno, supplier.orgno, "skd-maskinportenschemaid-8")
    async with scene:
        yield scene


EXPECTED = [
    {
        "consumer_org": CONSUMER,
        "supplier_org": SUPPLIER,
        "delegation_scheme_Id": "8f08210a-d792-48f5-9e27-0f029e41111e",
        "scopes": [SCOPE],
        "created": "2022-09-27T13:02:23.786072Z",
        "resourceid": "skd-maskinportenschemaid-8",
    }
]


@pytest.mark.parametrize("path", [PATH, PATH.rstrip("/"), "/api/v1/admin/delegations/maskinportenschema"])
@pytest.mark.parametrize(
    "query",
    [
        {"supplierOrg": SUPPLIER, "consumerOrg": CONSUMER, "scope": SCOPE},
        {"SUPPLIERORG": SUPPLIER, "consumerorg": CONSUMER, "Scope": SCOPE},
        {"scope": SCOPE},
    ],
)
async def test_both_paths_answer_with_and_without_a_slash_in_any_case(
    scene: Scene, path: str, query: dict[str, str]
) -> None:
    answer = await scene.get("mp", path, **query)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json")
    assert answer.json() == EXPECTED


@pytest.mark.parametrize("query", [{"supplierOrg": SUPPLIER}, {"consumerOrg": CONSUMER}])
async def test_the_scope_may_be_left_out_by_who_may_see_everything(scene: Scene, query: dict[str, str]) -> None:
    assert (await scene.get("mp", PATH, **query)).json() == EXPECTED


@pytest.mark.parametrize(
    "query",
    [
        {"supplierOrg": CONSUMER, "consumerOrg": SUPPLIER, "scope": SCOPE},
        {"scope": "folkeregister:deling"},
        {"supplierOrg": CONSUMER},
    ],
)
async def test_what_is_not_delegated_is_an_empty_list(scene: Scene, query: dict[str, str]) -> None:
    answer = await scene.get("mp", PATH, **query)
    assert (answer.status_code, answer.json()) == (200, [])


async def test_a_scheme_id_that_is_no_guid_is_null(scene: Scene) -> None:
    scene.resources.change("skd-maskinportenschemaid-8", delegation_scheme_id="not-a-guid")
    assert (await scene.get("mp", PATH, scope=SCOPE)).json()[0]["delegation_scheme_Id"] is None


async def test_the_owner_of_the_prefix_may_ask_about_its_scopes_alone(scene: Scene) -> None:
    assert (await scene.get("owner", PATH, scope=SCOPE)).json() == EXPECTED
    for scope in ("skatt:rapport", "folkeregisteret:deling", "folkeregister"):
        answer = await scene.get("owner", PATH, scope=scope, supplierOrg="garbage")
        assert (answer.status_code, answer.headers["content-type"]) == (403, "application/problem+json")
        assert answer.json() == {
            "type": "https://tools.ietf.org/html/rfc7231#section-6.5.3",
            "title": f"Not authorized for lookup of delegations for the scope: {scope}",
            "status": 403,
        }
    answer = await scene.get("owner", PATH, supplierOrg=SUPPLIER)
    assert answer.status_code == 403
    assert answer.json()["title"] == "Not authorized for lookup of delegations without specifying parameter: scope"


async def test_refusals_are_kept_in_the_audit_trail(scene: Scene) -> None:
    await scene.get("owner", PATH, scope="skatt:rapport")
    await scene.get("other", PATH, scope=SCOPE)
    async with scene.database.transaction() as connection:
        rows = await connection.execute(
            text("SELECT actor, reason FROM audit.event WHERE outcome = 'deny' ORDER BY id")
        )
        assert [tuple(row) for row in rows] == [("974761076", "consumer_prefix"), ("974761076", "missing_scope")]


async def test_at_least_one_parameter_is_needed(scene: Scene) -> None:
    for query in ({}, {"scope": " ", "supplierOrg": ""}):
        answer = await scene.get("mp", PATH, **query)
        assert answer.status_code == 400
        assert answer.json()["title"] == (
            "Missing query parameters; provide at least one of: scope, supplierOrg, consumerOrg"
        )


@pytest.mark.parametrize("name", ["supplierOrg", "consumerOrg"])
@pytest.mark.parametrize("number", ["123456789", "99182582", "9918258277", "abc", "99182582\x00", "٩٩١٨٢٥٨٢٧"])
async def test_a_number_that_is_none_is_told_so(scene: Scene, name: str, number: str) -> None:
    answer = await scene.get("mp", PATH, **{name: number, "scope": SCOPE})
    assert (answer.status_code, answer.headers["content-type"]) == (400, "application/problem+json")
    assert answer.json()["title"] == "One or more validation errors occurred."
    assert answer.json()["errors"] == {name: [f"{name} is not a valid organization number"]}


async def test_a_number_that_nobody_has_is_told_so(scene: Scene) -> None:
    answer = await scene.get("mp", PATH, supplierOrg="310943223", scope=SCOPE)
    assert answer.status_code == 400
    assert answer.json()["errors"] == {
        "supplierOrg": ["The specified supplierOrg: 310943223, is not a valid organization number"]
    }


async def test_a_scope_with_odd_characters_is_told_so(scene: Scene) -> None:
    answer = await scene.get("mp", PATH, scope="folkeregister:\x00")
    assert (answer.status_code, list(answer.json()["errors"])) == (400, ["scope"])


async def test_without_a_token_or_a_scope_nobody_looks_up(scene: Scene) -> None:
    answer: httpx2.Response = await scene.client.get(PATH, params={"scope": SCOPE})
    assert (answer.status_code, answer.content, answer.headers["www-authenticate"]) == (401, b"", "Bearer")
    assert (await scene.get("nobody", PATH, scope=SCOPE)).status_code == 401
    answer = await scene.get("other", PATH, scope=SCOPE)
    assert (answer.status_code, answer.content) == (403, b"")

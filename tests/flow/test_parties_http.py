"""Anybody may look an organisation up."""

from __future__ import annotations

import httpx2
import pytest

from fullmakt.altinn.parties.http import app
from fullmakt.altinn.parties.model import Organisation
from fullmakt.altinn.parties.service import PartiesService
from fullmakt.infra.database import Database
from fullmakt.kernel.clock import new_uuid, system_clock
from fullmakt.kernel.identifiers import OrgNumber


async def _get(service: PartiesService, path: str) -> httpx2.Response:
    transport = httpx2.ASGITransport(app=app(service))
    async with httpx2.AsyncClient(transport=transport, base_url="http://register.test") as client:
        return await client.get(path)


async def test_a_number_gives_the_organisation(database: Database) -> None:
    service = PartiesService(database, system_clock, new_uuid)
    await service.declare_organisation(Organisation(OrgNumber("310943223"), "Øvre Toten Regnskap"))
    party = await service.organisation(OrgNumber("310943223"))
    assert party is not None
    answer = await _get(service, "/api/v1/organizations/310943223")
    assert answer.status_code == 200
    assert answer.json() == {
        "orgnr": "310943223",
        "name": "Øvre Toten Regnskap",
        "form": "AS",
        "parent": None,
        "synthetic": True,
        "partyId": party.party_id,
        "partyUuid": str(party.party_uuid),
    }


@pytest.mark.parametrize(
    ("number", "status", "detail"),
    [
        ("991825827", 404, "No organisation has the number 991825827"),
        ("99182582", 400, "an organisation number is nine digits, not '99182582'"),
        ("99182582%00", 400, "an organisation number is nine digits, not '99182582\\x00'"),
        ("٩٩١٨٢٥٨٢٧", 400, "an organisation number is nine digits, not '٩٩١٨٢٥٨٢٧'"),
    ],
)
async def test_a_number_that_nobody_has_is_a_problem_in_words(
    database: Database, number: str, status: int, detail: str
) -> None:
    answer = await _get(PartiesService(database, system_clock, new_uuid), f"/api/v1/organizations/{number}")
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["detail"] == detail


async def test_a_path_that_is_none_is_a_problem_too(database: Database) -> None:
    answer = await _get(PartiesService(database, system_clock, new_uuid), "/api/v1/people/1")
    assert (answer.status_code, answer.headers["content-type"]) == (404, "application/problem+json")
    assert answer.json()["title"] == "Not Found"


async def test_without_a_database_the_register_is_unavailable() -> None:
    down = Database("postgresql://nobody@127.0.0.1:9/none")
    answer = await _get(PartiesService(down, system_clock, new_uuid), "/api/v1/organizations/310943223")
    assert (answer.status_code, answer.headers["content-type"]) == (503, "application/problem+json")

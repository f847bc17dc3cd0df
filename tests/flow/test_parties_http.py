"""Anybody may look an organisation up."""

from __future__ import annotations

import httpx2
import pytest

from fullmakt.altinn.parties.http import app
from fullmakt.altinn.parties.model import Organisation, Person
from fullmakt.altinn.parties.service import PartiesService
from fullmakt.infra.database import Database
from fullmakt.kernel.clock import new_uuid, system_clock
from fullmakt.kernel.identifiers import NationalId, OrgNumber

KARI = NationalId("05895199925")


async def _get(service: PartiesService, path: str) -> httpx2.Response:
    transport = httpx2.ASGITransport(app=app(service))
    async with httpx2.AsyncClient(transport=transport, base_url="http://register.test") as client:
        return await client.get(path)


async def _look_up(service: PartiesService, body: bytes) -> httpx2.Response:
    transport = httpx2.ASGITransport(app=app(service))
    async with httpx2.AsyncClient(transport=transport, base_url="http://register.test") as client:
        return await client.post("/api/v1/parties/lookup", content=body)


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


async def test_sub_units_are_found_under_their_main_unit(database: Database) -> None:
    service = PartiesService(database, system_clock, new_uuid)
    main, branch, department = OrgNumber("310943223"), OrgNumber("312044005"), OrgNumber("312468018")
    await service.declare_organisation(Organisation(main, "Øvre Toten Regnskap"))
    await service.declare_organisation(Organisation(branch, "Avd. Lena", "BEDR", main))
    await service.declare_organisation(Organisation(department, "Etat", "ORGL", main))
    answer = await _get(service, f"/api/v1/organizations/{main}/subunits")
    assert [(unit["orgnr"], unit["form"], unit["parent"]) for unit in answer.json()] == [(branch, "BEDR", main)]
    assert (await _get(service, f"/api/v1/organizations/{branch}/subunits")).json() == []
    assert (await _get(service, "/api/v1/organizations/991825827/subunits")).status_code == 404
    assert (await _get(service, "/api/v1/organizations/1/subunits")).status_code == 400


async def test_a_party_is_found_by_id_uuid_and_number_if_it_is_an_organisation(database: Database) -> None:
    service = PartiesService(database, system_clock, new_uuid)
    await service.declare_organisation(Organisation(OrgNumber("310943223"), "Øvre Toten Regnskap"))
    await service.declare_person(Person(KARI, "Kari Nordmann"))
    document = (await _get(service, "/api/v1/organizations/310943223")).json()
    for name in ("partyId", "partyUuid"):
        assert (await _get(service, f"/api/v1/parties/{document[name]}")).json() == document
    assert (await _look_up(service, b'{"OrgNo": "310943223"}')).json() == document
    assert (await _look_up(service, b'{"orgNo": "310943223"}')).json() == document
    kari = await service.person(KARI)
    assert kari is not None
    for hidden in (kari.party_id, kari.party_uuid, "0", "x", "%00"):
        assert (await _get(service, f"/api/v1/parties/{hidden}")).status_code == 404


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b'{"OrgNo": "991825827"}', 404),
        (b'{"OrgNo": "1"}', 400),
        (b'{"OrgNo": 310943223}', 400),
        (b'{"OrgNo": "\\ud800"}', 400),
        (b'{"Ssn": "05895199925"}', 400),
        (b"[]", 400),
        (b"", 400),
        (b"\xff", 400),
        (b"[" * 100_000, 400),
        (b" " * 2_000_000, 413),
    ],
)
async def test_a_look_up_that_finds_nobody_says_so(database: Database, body: bytes, status: int) -> None:
    answer = await _look_up(PartiesService(database, system_clock, new_uuid), body)
    assert answer.status_code == status
    assert "05895199925" not in answer.text

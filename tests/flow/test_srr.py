"""SRR over HTTP (consent.md §3): the owner's API key and token, entries in and out, and what they gate."""

from __future__ import annotations

import asyncio
import datetime as dt
import json
from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any

import httpx2
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from fullmakt.altinn.consents.srr import rules
from fullmakt.altinn.consents.srr.domains import destination_of
from fullmakt.altinn.consents.srr.model import ServiceDeclaration, ServiceKey
from fullmakt.altinn.consents.srr.service import PAGE
from fullmakt.altinn.consents.srr.services import ServiceTakenError
from fullmakt.infra.database import Database
from fullmakt.kernel.declarations import Outcome
from fullmakt.kernel.identifiers import OrgNumber
from tests.support.access_lists import DIGDIR
from tests.support.srr import (
    BANK,
    CONDITION,
    LOAN,
    NOW,
    PERSON,
    SECRETS,
    SHOP,
    SRR,
    SUPPLIER,
    URL,
    SrrWorld,
    entry,
    many_entries,
)


@pytest.fixture
async def world(database: Database) -> AsyncIterator[SrrWorld]:
    world = await SrrWorld(database).begin()
    yield world
    await world.http.aclose()


async def test_an_entry_is_added_and_read_as_it_was_written(world: SrrWorld) -> None:
    (made,) = await world.add(entry(Condition={**CONDITION, "IsRecipient": True, "IsSender": True}))
    assert made == {
        "Id": made["Id"],
        "ServiceCode": "5498",
        "ServiceEditionCode": 1,
        "Reportee": BANK,
        "Right": "Read",
        "ValidTo": "2029-12-31T23:00:00+00:00",
        "Condition": {
            "HandledBy": SUPPLIER,
            "IsRecipient": True,
            "IsSender": True,
            "KeepSessionAlive": True,
            "AllowedRedirectDomain": ["*.bank.example", "https://www.bank.example", "myapp://consent"],
        },
        "OperationStatus": "OK",
    }
    assert isinstance(made["Id"], int)
    del made["OperationStatus"]
    assert (await world.send("owner", "GET", f"{SRR}/{made['Id']}")).json() == made
    assert await world.listed() == [made]
    assert await world.listed(reportee=BANK) == [made]
    assert await world.listed(reportee=SHOP) == []


async def test_hal_has_links_and_json_is_bare(world: SrrWorld) -> None:
    hal = {"Accept": "application/hal+json"}
    answer = await world.send("owner", "POST", json=[entry(), entry("123")], headers=hal)
    assert answer.headers["content-type"] == "application/hal+json"
    made, failed = answer.json()["_embedded"]["rights"]
    assert answer.json()["_links"] == {"self": {"href": f"{URL}{SRR}"}}
    assert made["_links"] == {"self": {"href": f"{URL}{SRR}/{made['Id']}"}}
    assert "_links" not in failed
    query = {"serviceCode": "5498", "serviceEditionCode": "1"}
    listed = (await world.send("owner", "GET", params=query, headers=hal)).json()
    assert listed["_links"]["self"]["href"] == f"{URL}{SRR}?serviceCode=5498&serviceEditionCode=1"
    assert [one["Id"] for one in listed["_embedded"]["rights"]] == [made["Id"]]
    one = await world.send("owner", "GET", f"{SRR}/{made['Id']}", headers=hal)
    assert one.json()["_links"] == made["_links"]
    bare = await world.send("owner", "GET", params=query)
    assert bare.headers["content-type"] == "application/json"
    assert isinstance(bare.json(), list)


async def test_each_item_has_a_status_of_its_own(world: SrrWorld) -> None:
    await world.add(entry())
    items = [
        entry(SHOP),
        entry(),
        entry(Right="Write"),
        entry("910753615"),
        entry(""),
        entry(PERSON),
        entry("05895199926"),
        entry(SUPPLIER, ValidTo="2026-11-21T12:00:00"),
        entry(SHOP),
    ]
    made = await world.add(*items)
    assert [one["OperationStatus"] for one in made] == [
        "OK",
        "RuleAlreadyExists",
        "OK",
        "EmptyOrNotAValidSsnOrOrganisation",
        "EmptyOrNotAValidSsnOrOrganisation",
        "OK",
        "EmptyOrNotAValidSsnOrOrganisation",
        "RightAlreadyExpired",
        "RuleAlreadyExists",
    ]
    assert [one.get("Id") is not None for one in made] == [one["OperationStatus"] == "OK" for one in made]
    assert sorted(one["Reportee"] for one in await world.listed()) == sorted([BANK, BANK, SHOP, PERSON])


async def test_an_entry_is_changed_and_one_that_would_be_over_is_not(world: SrrWorld) -> None:
    (made,) = await world.add(entry(Condition=CONDITION))
    path = f"{SRR}/{made['Id']}"
    changed = await world.send("owner", "PUT", path, json=entry(ValidTo="2031-05-01", Condition={"HandledBy": SHOP}))
    assert (changed.status_code, changed.json()["OperationStatus"]) == (200, "OK")
    assert changed.json()["Condition"] == {"HandledBy": SHOP}
    late = await world.send("owner", "PUT", path, json={"ValidTo": "2020-01-01T00:00:00"})
    assert (late.status_code, late.json()["OperationStatus"]) == (200, "RightAlreadyExpired")
    assert (await world.send("owner", "GET", path)).json()["ValidTo"] == "2031-05-01T00:00:00+00:00"
    without = await world.send("owner", "PUT", path, json={"Id": 99, "ValidTo": "2031-05-01T00:00:00"})
    assert without.json()["Condition"] is None


@pytest.mark.parametrize(
    ("member", "value"), [("Reportee", SHOP), ("Right", "Write"), ("ServiceEditionCode", 2), ("ServiceCode", "5499")]
)
async def test_what_an_entry_is_about_can_not_be_changed(world: SrrWorld, member: str, value: Any) -> None:
    (made,) = await world.add(entry())
    answer = await world.send("owner", "PUT", f"{SRR}/{made['Id']}", json=entry(**{member: value}))
    assert answer.status_code == 400
    (fault,) = answer.json()
    assert fault["ErrorCode"] == "450213"
    assert (await world.listed())[0][member] != value
    assert (await world.told())[-1][1:3] == ("deny", "other_entry")


async def test_an_entry_is_removed_once(world: SrrWorld) -> None:
    (made,) = await world.add(entry())
    path = f"{SRR}/{made['Id']}"
    removed = await world.send("owner", "DELETE", path)
    assert (removed.status_code, removed.json()["OperationStatus"]) == (200, "OK")
    for method in ("DELETE", "PUT"):
        again = await world.send("owner", method, path, json=entry())
        assert again.status_code == 404
        assert again.json() == {"Id": made["Id"], "OperationStatus": "RuleNotFound"}
    assert (await world.send("owner", "GET", path)).status_code == 404
    assert (await world.add(entry()))[0]["Id"] > made["Id"]


@pytest.mark.parametrize(
    "path", [f"{SRR}/0", f"{SRR}/99999999999999999999", f"{SRR}/-1", f"{SRR}/x", f"{SRR}/１", f"{SRR}/2147483648"]
)
async def test_an_id_that_nobody_has_is_not_found(world: SrrWorld, path: str) -> None:
    for method in ("GET", "DELETE"):
        assert (await world.send("owner", method, path)).status_code == 404


async def test_only_the_owner_of_the_service_sees_and_changes_its_entries(world: SrrWorld) -> None:
    (made,) = await world.add(entry())
    path, query = f"{SRR}/{made['Id']}", {"serviceCode": "5498", "serviceEditionCode": 1}
    assert (await world.send("tax", "GET", params=query)).status_code == 403
    assert (await world.send("tax", "POST", json=[entry(SHOP)])).status_code == 403
    assert (await world.send("tax", "GET", path)).status_code == 403
    assert (await world.send("tax", "PUT", path, json=entry())).status_code == 403
    assert (await world.send("tax", "DELETE", path)).status_code == 403
    mixed = [entry(SHOP), entry(SHOP, ServiceCode="4629", ServiceEditionCode=2)]
    for who in ("tax", "owner"):
        assert (await world.send(who, "POST", json=mixed)).status_code == 403
    assert [one["Reportee"] for one in await world.listed()] == [BANK]
    denied = [row for row in await world.told() if row[1] == "deny"]
    assert {row[2] for row in denied} == {"others_service"}
    assert [row[0] for row in denied] == [
        "srr:read", "srr:add", "srr:read", "srr:change", "srr:remove", "srr:add", "srr:add",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("code", "edition"),
    [("9999", 1), ("5498", 2), ("5500", 1), ("77", 1)],
    ids=["unknown", "another_edition", "no_consent_service", "of_two_owners"],
)
async def test_a_service_that_is_none_is_nobody_s(world: SrrWorld, code: str, edition: int) -> None:
    wanted = [entry(ServiceCode=code, ServiceEditionCode=edition)]
    assert (await world.send("owner", "POST", json=wanted)).status_code == 403


@pytest.mark.parametrize(
    ("who", "key", "status"),
    [
        ("unknown", "owner", 401),
        ("nobody", "owner", 403),
        ("owner", "tax", 403),
        ("bank", "bank", 403),
        ("reader", "owner", 403),
        ("everything", "owner", 200),
    ],
)
async def test_it_takes_the_owner_s_own_key_and_a_token_with_the_scope(
    world: SrrWorld, who: str, key: str, status: int
) -> None:
    assert (await world.send(who, "POST", json=[entry()], key=key)).status_code == status
    assert len(await world.listed()) == (1 if status == 200 else 0)


async def test_a_reader_reads(world: SrrWorld) -> None:
    await world.add(entry())
    assert len(await world.listed("reader")) == 1


async def test_without_an_api_key_nobody_is_let_in(world: SrrWorld) -> None:
    headers = {"Authorization": "Bearer owner"}
    query = {"serviceCode": "5498", "serviceEditionCode": "1"}
    assert (await world.http.get(SRR, params=query, headers=headers)).status_code == 403


@pytest.mark.parametrize("accept", ["application/json", "application/hal+json"])
@pytest.mark.parametrize("number", [0, 1, PAGE, 2 * PAGE + 3])
async def test_a_long_list_is_written_page_by_page(world: SrrWorld, number: int, accept: str) -> None:
    """No page of it is read before the one before has been sent, so that it takes no more memory than that."""
    await world.add(entry(SHOP, ServiceCode="5499"))
    await many_entries(world, number)
    sent: list[bytes] = []

    async def listening(scope: Any, receive: Any, send: Any) -> None:
        async def heard(message: Any) -> None:
            sent.append(message.get("body", b""))
            await send(message)

        await world.app(scope, receive, heard)

    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app=listening), base_url=URL) as http:
        headers = {"Accept": accept, "Authorization": "Bearer owner", "ApiKey": SECRETS["owner"]}
        query = {"serviceCode": "5498", "serviceEditionCode": "1"}
        answer = await http.get(SRR, params=query, headers=headers)
    assert answer.headers["content-type"] == accept
    if accept == "application/json":
        listed = answer.json()
    else:
        assert answer.json()["_links"] == {"self": {"href": f"{URL}{SRR}?serviceCode=5498&serviceEditionCode=1"}}
        listed = answer.json()["_embedded"]["rights"]
    assert [one["Reportee"] for one in listed] == [f"{one:09}" for one in range(1, number + 1)]
    assert max(piece.count(b'"Reportee"') for piece in sent) <= PAGE


async def test_what_is_removed_while_a_list_is_read_stops_nothing(world: SrrWorld) -> None:
    await many_entries(world, PAGE + 2)
    pages = await world.service.listed(LOAN, SimpleNamespace(organisation=DIGDIR, actor="owner"))
    first = await anext(pages)
    async with world.database.transaction() as connection:
        await connection.execute(text("DELETE FROM consents.srr_entry"))
    assert [len(first), [page async for page in pages]] == [PAGE, []]


PATTERNS = {
    "too_wide": "*.no",
    "tail": "bank.*",
    "glued": "*bank.no",
    "path": "https://bank.no/x",
    "script": "javascript://x",
}


@pytest.mark.parametrize("name", sorted(PATTERNS))
async def test_an_invalid_pattern_is_refused_at_registration_and_named(world: SrrWorld, name: str) -> None:
    wrong = PATTERNS[name]
    bad = entry(SHOP, Condition={"AllowedRedirectDomain": ["bank.no", wrong]})
    answer = await world.send("owner", "POST", json=[entry(), bad])
    assert answer.status_code == 400
    (fault,) = answer.json()
    assert fault["ErrorCode"] == "450211"
    assert fault["ErrorMessage"].startswith("[1]: AllowedRedirectDomain")
    assert wrong in fault["ErrorMessage"]
    assert await world.listed() == []


BODIES: dict[str, Any] = {
    "object": entry(),
    "empty": [],
    "null": None,
    "number": [1],
    "nested": [[]],
    "no_service": [entry(ServiceCode=None)],
    "no_edition": [entry(ServiceEditionCode=None)],
    "edition_is_true": [entry(ServiceEditionCode=True)],
    "negative_edition": [entry(ServiceEditionCode=-1)],
    "huge_edition": [entry(ServiceEditionCode=10**12)],
    "strange_code": [entry(ServiceCode="54 98")],
    "no_right": [entry(Right=None)],
    "strange_right": [entry(Right="Admin")],
    "no_time": [entry(ValidTo=None)],
    "strange_time": [entry(ValidTo="soon")],
    "time_is_a_number": [entry(ValidTo=1)],
    "time_of_the_first_year": [entry(ValidTo="0001-01-01T00:00:00+14:00")],
    "reportee_is_a_number": [entry(Reportee=910753614)],
    "long_reportee": [entry(Reportee="9" * 100)],
    "condition_is_text": [entry(Condition="HandledBy:310149942")],
    "handled_by_nobody": [entry(Condition={"HandledBy": "123456789"})],
    "handled_by_a_number": [entry(Condition={"HandledBy": 310943223})],
    "domains_are_text": [entry(Condition={"AllowedRedirectDomain": "bank.no"})],
    "domain_is_null": [entry(Condition={"AllowedRedirectDomain": [None]})],
    "too_many_domains": [entry(Condition={"AllowedRedirectDomain": [f"{number}.no" for number in range(51)]})],
    "flag_is_text": [entry(Condition={"KeepSessionAlive": "yes"})],
    "twice": [{**entry(), "reportee": SHOP}],
    "too_many": [entry()] * 1001,
}


@pytest.mark.parametrize("name", list(BODIES))
async def test_what_is_no_entry_is_told_and_not_taken(world: SrrWorld, name: str) -> None:
    answer = await world.send("owner", "POST", json=BODIES[name])
    assert answer.status_code == 400, answer.text
    assert all(fault.keys() == {"ErrorCode", "ErrorMessage"} for fault in answer.json())
    assert await world.listed() == []


@pytest.mark.parametrize(
    "query",
    [
        {},
        {"serviceCode": "5498"},
        {"serviceCode": "5498", "serviceEditionCode": "x"},
        {"serviceCode": "5498", "serviceEditionCode": "1", "reportee": "123"},
        {"serviceCode": "\x00", "serviceEditionCode": "1"},
    ],
    ids=["nothing", "no_edition", "strange_edition", "strange_reportee", "nul"],
)
async def test_a_list_is_asked_for_by_service(world: SrrWorld, query: dict[str, str]) -> None:
    answer = await world.send("owner", "GET", params=query)
    assert answer.status_code == 400
    assert answer.json()[0]["ErrorCode"] == ("450210" if "reportee" in query else "450212")


async def test_names_and_paths_are_read_in_any_case(world: SrrWorld) -> None:
    item = {name.lower(): value for name, value in entry(Right="read", ServiceEditionCode="1").items()}
    answer = await world.send("owner", "POST", "/API/ServiceOwner/Srr/", json=[item])
    assert answer.json()[0]["OperationStatus"] == "OK"
    query = {"SERVICECODE": "5498", "serviceeditioncode": "1"}
    assert len((await world.send("owner", "GET", params=query)).json()) == 1


async def test_a_right_may_be_its_number_as_in_old_clients(world: SrrWorld) -> None:
    made = await world.add(*(entry(Right=number) for number in range(7)))
    assert [one["Right"] for one in made] == [
        "None", "Read", "Write", "Access", "Sign", "ArchiveRead", "ArchiveDelete",
    ]  # fmt: skip


async def test_two_who_add_the_same_at_once_make_one_entry(world: SrrWorld) -> None:
    items = [entry(), entry(SHOP), entry(ServiceCode="5499")]
    both = await asyncio.gather(*(world.add(*ordered) for ordered in (items, items[::-1], items, items[::-1])))
    statuses = sorted(one["OperationStatus"] for made in both for one in made)
    assert statuses == ["OK"] * 3 + ["RuleAlreadyExists"] * 9
    assert len(await world.listed()) == 2


async def test_two_who_remove_the_same_at_once_remove_it_once(world: SrrWorld) -> None:
    (made,) = await world.add(entry())
    path = f"{SRR}/{made['Id']}"
    answers = await asyncio.gather(*(world.send("owner", "DELETE", path) for _ in range(3)))
    assert sorted(answer.status_code for answer in answers) == [200, 404, 404]
    assert [row[0] for row in await world.told() if row[1] == "done"] == ["srr:add", "srr:remove"]


async def test_no_person_s_number_is_in_the_audit_trail(world: SrrWorld) -> None:
    (made,) = await world.add(entry(PERSON))
    await world.add(entry(PERSON), entry("05895199926"))
    await world.send("owner", "DELETE", f"{SRR}/{made['Id']}")
    async with world.database.transaction() as connection:
        rows = (await connection.execute(text("SELECT e::text FROM audit.event e"))).scalars().all()
    assert not any(PERSON in row or "05895199926" in row for row in rows)
    assert [row[:4] for row in await world.told()] == [
        ("srr:add", "done", "", str(DIGDIR)),
        ("srr:add", "deny", "already_exists", str(DIGDIR)),
        ("srr:add", "deny", "bad_reportee", str(DIGDIR)),
        ("srr:remove", "done", "", str(DIGDIR)),
    ]


# -- services and gates ------------------------------------------------------------------------------------------------


async def test_a_service_uses_srr_from_its_first_entry_on_also_when_the_last_has_gone(world: SrrWorld) -> None:
    (before,) = await world.service.gates([LOAN], BANK)
    assert not before.uses_srr
    await world.add(entry("123"), entry(ValidTo="2020-01-01T00:00:00"))
    (still,) = await world.service.gates([LOAN], BANK)
    assert not still.uses_srr
    (made,) = await world.add(entry())
    (gate,) = await world.service.gates([LOAN], BANK)
    assert (gate.uses_srr, [one.id for one in gate.entries]) == (True, [made["Id"]])
    await world.send("owner", "DELETE", f"{SRR}/{made['Id']}")
    (after,) = await world.service.gates([LOAN], BANK)
    refusal = rules.may_receive([after], NOW)
    assert refusal is not None
    assert refusal.reason == "not_in_srr"


async def test_what_is_declared_of_a_service_goes_before_its_entries(world: SrrWorld) -> None:
    off = ServiceDeclaration("digdir_5498_1", LOAN, uses_srr=False)
    assert await world.services.declare(off) is Outcome.CREATED
    await world.add(entry())
    (gate,) = await world.service.gates([LOAN], SHOP)
    assert rules.may_receive([gate], NOW) is None
    assert await world.services.declare(ServiceDeclaration("digdir_5498_1", LOAN, one_time=True)) is Outcome.CHANGED
    assert await world.services.declare(off) is Outcome.UNCHANGED
    assert await world.services.declare(ServiceDeclaration("digdir_5498_1", LOAN, uses_srr=True)) is Outcome.CHANGED
    service = await world.services.find(LOAN)
    assert service is not None
    assert (service.uses_srr, service.one_time, service.min_level, service.owner) == (True, True, None, DIGDIR)
    assert [one.resource for one in await world.services.declared()] == ["digdir_5498_1"]
    assert await world.services.declared([]) == []


async def test_a_resource_of_any_name_stands_for_the_service_it_is_declared_for(world: SrrWorld) -> None:
    key = ServiceKey("AcnLoan", 3)
    assert await world.services.find(key) is None
    assert await world.services.of_resource("loan") is None
    await world.services.declare(ServiceDeclaration("loan", key, min_level=4))
    service = await world.services.find(key)
    assert service is not None
    assert (service.resource, service.min_level) == ("loan", 4)
    assert await world.services.of_resource("loan") == service
    with pytest.raises(ServiceTakenError):
        await world.services.declare(ServiceDeclaration("digdir_5499_1", key))
    await world.services.declare(ServiceDeclaration("digdir_5499_1", ServiceKey("6000", 1)))
    assert await world.services.find(ServiceKey("5499", 1)) is None
    by_name = await world.services.of_resource("digdir_5498_1")
    assert by_name is not None
    assert by_name.key == LOAN
    with pytest.raises(ValueError, match="level"):
        ServiceDeclaration("loan", key, min_level=5)


async def test_a_service_that_is_declared_by_many_at_once_is_declared(world: SrrWorld) -> None:
    one = ServiceDeclaration("loan", ServiceKey("7000", 1), uses_srr=True)
    other = ServiceDeclaration("digdir_5499_1", ServiceKey("7000", 1))
    outcomes = await asyncio.gather(*(world.services.declare(one) for _ in range(4)))
    assert set(outcomes) <= {Outcome.CREATED, Outcome.CHANGED, Outcome.UNCHANGED}
    with pytest.raises(ServiceTakenError):
        await world.services.declare(other)
    assert await world.services.declared() == [one]


async def test_what_the_owner_writes_is_what_gates_consent(world: SrrWorld) -> None:
    await world.add(entry(Condition=CONDITION), entry(SHOP, ValidTo="2026-11-21T12:00:01"))
    gates = await world.service.gates([LOAN], BANK)
    here, there = destination_of("https://x.bank.example/retur"), destination_of("https://evil.example/")
    supplier = OrgNumber(SUPPLIER)
    assert rules.may_request(gates, NOW, redirect=here, handled_by=supplier, by_certificate=True) is None
    refusal = rules.may_request(gates, NOW, redirect=there)
    assert refusal is not None
    assert refusal.reason == "redirect_not_allowed"
    shop = await world.service.gates([LOAN], SHOP)
    assert rules.may_receive(shop, NOW) is None
    expired = rules.may_receive(shop, NOW + dt.timedelta(seconds=1))
    assert expired is not None
    assert expired.reason == "srr_expired"
    async with world.database.transaction() as connection:
        assert await world.service.gates([LOAN], BANK, connection) == gates


# -- anything at all ---------------------------------------------------------------------------------------------------

_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=30),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=8,
)
_MEMBERS = st.fixed_dictionaries(
    {},
    optional=dict.fromkeys(
        ["ServiceCode", "ServiceEditionCode", "Reportee", "Right", "ValidTo", "Condition", "Id"], _JSON
    ),
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    method=st.sampled_from(["POST", "PUT"]),
    body=st.binary(max_size=60)
    | st.lists(_MEMBERS, max_size=3)
    | _JSON
    | _MEMBERS.map(lambda some: {**entry(), **some}),
)
async def test_no_body_breaks_it(world: SrrWorld, method: str, body: Any) -> None:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    path = SRR if method == "POST" else f"{SRR}/1"
    answer = await world.send("owner", method, path, content=content, headers={"Content-Type": "application/json"})
    assert answer.status_code in {200, 400, 403, 404}

"""SRR over SOAP (consent.md §3.3): the operations, what they refuse, and that they are the REST form's entries.

There is no SOAP client to be had here: one is made by hand, which validates messages against the WSDL that is served.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import etree
from sqlalchemy import text

from fullmakt.altinn.consents.altinn2.http.systems import Systems
from fullmakt.altinn.consents.srr.service import PAGE
from fullmakt.altinn.consents.srr.soap.http import soap_app
from fullmakt.altinn.consents.srr.soap.messages import Credentials
from fullmakt.altinn.consents.srr.soap.wsdl import wsdl
from fullmakt.altinn.consents.work import Work
from fullmakt.infra.database import Database
from fullmakt.infra.http import MAX_BODY_BYTES
from fullmakt.infra.unavailable import UnavailableError
from fullmakt.kernel.clock import new_uuid
from fullmakt.serve.settings import Settings
from tests.support.access_lists import DIGDIR, SKD
from tests.support.consents_altinn2 import BANK as BORROWERS_BANK
from tests.support.consents_altinn2 import OWNER, Altinn2World, codes
from tests.support.house import whole_house
from tests.support.srr import BANK, CONDITION, PERSON, SECRETS, SHOP, SUPPLIER, SrrWorld, entry, many_entries
from tests.support.srr_soap import DATA, PATH, SERVICE, SOAP, URL, Refusal, Schemas, SoapClient, listed, message

TEXT = f"AllowedRedirectDomain:*.bank.example;https://www.bank.example;myapp://consent,KeepSessionAlive,HandledBy:{SUPPLIER}"
ADD, GET, DELETE = "AddRightsBasic", "GetRightsBasic", "DeleteRightsBasic"


def item(reportee: str = BANK, **changes: str) -> dict[str, str]:
    """An entry to be added, its members in the schema's order."""
    members = {"Condition": "", "Reportee": reportee, "Right": "Read", "ValidTo": "2030-01-01T00:00:00", **changes}
    return {name: value for name, value in members.items() if value or name == "Reportee"}


def named(reportee: str = BANK, right: str = "Read", **more: str) -> dict[str, str]:
    """An entry to be removed."""
    return {**more, "Reportee": reportee, "Right": right}


class SoapWorld(SrrWorld):
    """SRR's world, and its SOAP form."""

    def __init__(self, database: Database, folder: Path) -> None:
        super().__init__(database)
        app = soap_app(self.service, Systems(self.keys, Work(database, self.clock, new_uuid)), URL)
        self.soap_http = httpx2.AsyncClient(transport=httpx2.ASGITransport(app=app), base_url=URL)
        self.schemas = Schemas(wsdl(f"{URL}{PATH}"), folder)
        self.soap = self.client("owner", SECRETS["owner"])

    def client(self, name: str, password: str) -> SoapClient:
        """A system of that name."""
        return SoapClient(self.soap_http, self.schemas, name, password)


@pytest.fixture
async def world(database: Database, tmp_path: Path) -> AsyncIterator[SoapWorld]:
    world = SoapWorld(database, tmp_path)
    await world.begin()
    yield world
    await world.soap_http.aclose()
    await world.http.aclose()


def refused(answer: Any, error_id: int, code: str = "s:Client") -> Refusal:
    """The fault, which is to be this one."""
    assert isinstance(answer, Refusal), answer
    assert (answer.error_id, answer.code) == (error_id, code)
    return answer


async def test_what_soap_adds_rest_shows_and_what_it_removes_is_gone(world: SoapWorld) -> None:
    answer = await world.soap.add(item(Condition=TEXT), item(SHOP), item(Right="Write"))
    assert [(one["Reportee"], one["Right"], one["OperationResult"]) for one in answer] == [
        (BANK, "Read", "Ok"),
        (SHOP, "Read", "Ok"),
        (BANK, "Write", "Ok"),
    ]
    assert list(answer[0]) == ["Condition", "Reportee", "Right", "ValidTo", "OperationResult"]
    (read, _) = sorted(await world.listed(reportee=BANK), key=lambda one: str(one["Right"]))
    assert (read["Condition"], read["ValidTo"]) == (CONDITION, "2030-01-01T00:00:00+00:00")
    removed = await world.soap.delete(named(), named(SHOP, Condition="whatever"), named(SHOP, "Sign"))
    assert [one["OperationResult"] for one in removed] == ["Ok", "Ok", "RuleNotFound"]
    assert removed[1] == {"Condition": "whatever", "Reportee": SHOP, "Right": "Read", "OperationResult": "Ok"}
    assert [(one["Reportee"], one["Right"]) for one in await world.listed()] == [(BANK, "Write")]


async def test_what_rest_adds_soap_shows(world: SoapWorld) -> None:
    await world.add(entry(Condition=CONDITION), entry(SHOP, Right="ArchiveDelete", Condition={"IsSender": False}))
    assert await world.soap.get(BANK) == [
        {"Condition": TEXT, "Reportee": BANK, "Right": "Read", "ValidTo": "2029-12-31T23:00:00"}
    ]
    assert await world.soap.get(SHOP) == [
        {"Condition": None, "Reportee": SHOP, "Right": "ArchiveDelete", "ValidTo": "2029-12-31T23:00:00"}
    ]
    assert await world.soap.get(PERSON) == []
    assert len(await world.soap.get()) == 2


@pytest.mark.parametrize("number", [0, 1, PAGE, 2 * PAGE + 3])
async def test_everybodys_entries_come_in_one_answer(world: SoapWorld, number: int) -> None:
    await many_entries(world, number)
    assert [one["Reportee"] for one in await world.soap.get()] == [f"{one:09}" for one in range(1, number + 1)]


async def test_each_item_has_a_result_of_its_own(world: SoapWorld) -> None:
    await world.add(entry())
    items = [item(), item("123"), item(""), item(PERSON), item(SHOP, ValidTo="2026-11-21T12:00:00"), item(PERSON)]
    assert [one["OperationResult"] for one in await world.soap.add(*items)] == [
        "RuleAlreadyExists",
        "EmptyOrNotAValidSsnOrOrganisation",
        "EmptyOrNotAValidSsnOrOrganisation",
        "Ok",
        "RightAlreadyExpired",
        "RuleAlreadyExists",
    ]
    removed = await world.soap.delete(named("123"), named(PERSON), named(PERSON), named(SHOP))
    assert [one["OperationResult"] for one in removed] == [
        "EmptyOrNotAValidSsnOrOrganisation", "Ok", "RuleNotFound", "RuleNotFound",
    ]  # fmt: skip
    told = [row[:3] for row in await world.told()]
    assert told[-4:] == [
        ("srr:remove", "done", ""),
        ("srr:remove", "deny", "no_such_entry"),
        ("srr:remove", "deny", "bad_reportee"),
        ("srr:remove", "deny", "no_such_entry"),
    ]
    async with world.database.transaction() as connection:
        rows = (await connection.execute(text("SELECT e::text FROM audit.event e"))).scalars().all()
    assert not any(PERSON in row or SECRETS["owner"] in row for row in rows)


@pytest.mark.parametrize(
    ("name", "password", "error_id"),
    [
        ("owner", SECRETS["owner"], None),
        (str(DIGDIR), SECRETS["owner"].upper(), None),
        (" owner ", f" {SECRETS['owner']} ", None),
        ("Owner", SECRETS["owner"], 989),
        (str(SKD), SECRETS["owner"], 989),
        ("", SECRETS["owner"], 989),
        ("owner", "", 989),
        ("owner", new_uuid().replace("4", "5"), 989),
        ("owner", "x" * 10_000, 989),
        ("bank", SECRETS["bank"], 5),
        ("tax", SECRETS["tax"], 5),
    ],
    ids=[
        "name", "number", "spaces", "letters", "others_number", "no_name", "no_password", "unknown", "long", "no_owner",
        "others_service",
    ],
)  # fmt: skip
@pytest.mark.parametrize("operation", [GET, ADD, DELETE])
async def test_the_system_is_a_service_owners_and_the_service_its_own(
    world: SoapWorld, name: str, password: str, error_id: int | None, operation: str
) -> None:
    inner = {GET: "", ADD: listed(ADD, [item()]), DELETE: listed(DELETE, [named(SHOP)])}[operation]
    answer = await world.client(name, password).call(operation, inner)
    if error_id is None:
        assert isinstance(answer, list)
    else:
        told = refused(answer, error_id)
        assert password == "" or password not in str(told)
        assert await world.listed() == []


async def test_who_is_turned_away_is_in_the_trail_when_the_key_is_known(world: SoapWorld) -> None:
    for name, password in (("owner", new_uuid()), ("nobody", SECRETS["owner"]), ("bank", SECRETS["bank"])):
        await world.client(name, password).get()
    assert await world.told() == [
        ("srr:call", "deny", "wrong_system_name", str(DIGDIR), PATH),
        ("srr:call", "deny", "key_of_no_service_owner", BANK, PATH),
    ]
    await world.keys.revoke("owner")
    refused(await world.soap.get(), 989)


async def test_a_fault_is_altinns(world: SoapWorld) -> None:
    trace = "0af7651916cd43dd8448eb211c80319c"
    answer = await world.soap.post(message(GET, "owner", "wrong"), traceparent=f"00-{trace}-b7ad6b7169203331-01")
    assert answer.status_code == 500
    assert world.soap.read(GET, answer) == Refusal(
        "s:Client",
        "Incorrect systemUserName or systemPassword",
        {
            "AltinnErrorMessage": "Incorrect systemUserName or systemPassword",
            "AltinnExtendedErrorMessage": "No information available",
            "AltinnLocalizedErrorMessage": "Incorrect systemUserName or systemPassword",
            "ErrorGuid": "0af76519-16cd-43dd-8448-eb211c80319c",
            "ErrorID": "989",
            "UserGuid": "-no value-",
            "UserId": None,
        },
    )


async def test_a_reportee_that_is_none_is_450210(world: SoapWorld) -> None:
    refused(await world.soap.get("910753615"), 450210)
    refused(await world.soap.get("x"), 450210)


@pytest.mark.parametrize(
    "condition",
    ["AllowedRedirectDomain:*.no", "AllowedRedirectDomain:", "Domain:a.no", "HandledBy:123456789", "HandledBy:x", ","],
)
async def test_a_condition_that_is_none_is_450211_and_nothing_is_added(world: SoapWorld, condition: str) -> None:
    told = refused(await world.soap.add(item(SHOP), item(Condition=condition)), 450211)
    assert told.text.startswith("[1]: ")
    assert await world.listed() == []


BAD_ITEMS = {
    "no_time": {"Reportee": BANK, "Right": "Read"},
    "strange_time": item(ValidTo="soon"),
    "no_right": {"Reportee": BANK, "ValidTo": "2030-01-01T00:00:00"},
    "strange_right": item(Right="Admin"),
    "long_reportee": item("9" * 100),
}


@pytest.mark.parametrize("name", list(BAD_ITEMS))
async def test_what_is_no_entry_is_told_and_not_taken(world: SoapWorld, name: str) -> None:
    refused(await world.soap.add(item(SHOP), BAD_ITEMS[name], check=False), 450212)
    assert await world.listed() == []


async def test_lists_are_of_one_to_a_thousand(world: SoapWorld) -> None:
    refused(await world.soap.add(), 450212)
    refused(await world.soap.delete(), 450212)
    refused(await world.soap.delete(*[named()] * 1001), 450212)
    assert len(await world.soap.delete(*[named()] * 1000)) == 1000


@pytest.mark.parametrize(("code", "edition"), [("54 98", "1"), ("5498", "x"), ("5498", "-1"), ("", "1"), ("5498", "")])
async def test_a_service_is_named_by_a_code_and_a_number(world: SoapWorld, code: str, edition: str) -> None:
    sent = message(GET, "owner", SECRETS["owner"], code=code, edition=edition)
    refused(world.soap.read(GET, await world.soap.post(sent)), 450212)


async def test_members_may_be_nil_and_others_are_passed_over(world: SoapWorld) -> None:
    nil = 'xmlns:i="http://www.w3.org/2001/XMLSchema-instance" i:nil="true"'
    inner = (
        f'<insertRightList xmlns:d="{DATA}"><d:AddRightRequest><d:Condition {nil}/><d:Reportee>{BANK}</d:Reportee>'
        "<d:Right>Read</d:Right><d:ValidTo>2030-01-01T00:00:00</d:ValidTo></d:AddRightRequest></insertRightList>"
    )
    assert [one["OperationResult"] for one in await world.soap.call(ADD, inner)] == ["Ok"]
    assert len(await world.soap.call(GET, f"<reportee {nil}/>")) == 1
    assert len(await world.soap.call(GET, "<more>x</more>", check=False)) == 1


GOOD = message(GET, "owner", SECRETS["owner"]).decode()
MESSAGES = {
    "nothing": "",
    "no_xml": "{}",
    "cut_short": GOOD[:-20],
    "no_envelope": "<a/>",
    "no_body": f'<s:Envelope xmlns:s="{SOAP}"/>',
    "two_bodies": GOOD.replace("</soapenv:Envelope>", "<soapenv:Body/></soapenv:Envelope>"),
    "two_calls": GOOD.replace("</soapenv:Body>", "<x/></soapenv:Body>"),
    "another_operation": GOOD.replace(GET, "DropRightsBasic"),
    "another_than_the_header": GOOD.replace(GET, ADD),
    "another_namespace": GOOD.replace(SERVICE, f"{SERVICE}/"),
    "doctype": f"<!DOCTYPE x>{GOOD}",
    "entity": '<!DOCTYPE x [<!ENTITY e "owner">]>' + GOOD.replace(">owner<", ">&e;<"),
    "outside_entity": '<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>' + GOOD.replace(">owner<", ">&e;<"),
    "many_entities": '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]>' + GOOD.replace("5498", "&b;"),
    "credentials_twice": GOOD.replace("<serviceCode>", "<systemUserName>owner</systemUserName><serviceCode>"),
    "markup_in_a_name": GOOD.replace(">owner<", "><b>owner</b><"),
    "deep": "<a>" * 300 + "</a>" * 300,
}


@pytest.mark.parametrize("name", list(MESSAGES))
async def test_what_is_no_message_is_a_fault_of_the_clients(world: SoapWorld, name: str) -> None:
    answer = await world.soap.post(MESSAGES[name].encode())
    assert answer.status_code == 500
    refused(world.soap.read(GET, answer), 0)


@pytest.mark.parametrize("action", ["", '""', GET, f"{SERVICE}/IRegisterSRRAgencyExternalBasic/{ADD}"])
async def test_the_action_names_the_operation(world: SoapWorld, action: str) -> None:
    refused(world.soap.read(GET, await world.soap.post(GOOD.encode(), SOAPAction=action)), 0)
    bare = f"{SERVICE}/IRegisterSRRAgencyExternalBasic/{GET}"
    assert world.soap.read(GET, await world.soap.post(GOOD.encode(), SOAPAction=bare)) == []


async def test_a_header_that_must_be_understood_is_not_and_others_are_passed_over(world: SoapWorld) -> None:
    header = '<soapenv:Header><w:Security xmlns:w="urn:w" {}/></soapenv:Header><soapenv:Body>'
    may = GOOD.replace("<soapenv:Body>", header.format('soapenv:mustUnderstand="0"'))
    assert world.soap.read(GET, await world.soap.post(may.encode())) == []
    must = GOOD.replace("<soapenv:Body>", header.format('soapenv:mustUnderstand="1"'))
    answer = await world.soap.post(must.encode())
    told = world.soap.read(GET, answer)
    assert isinstance(told, Refusal)
    assert (answer.status_code, told.code, told.members) == (500, "s:MustUnderstand", {})


async def test_another_version_of_soap_is_not_taken(world: SoapWorld) -> None:
    newer = "http://www.w3.org/2003/05/soap-envelope"
    told = world.soap.read(GET, await world.soap.post(GOOD.replace(SOAP, newer).encode()))
    assert isinstance(told, Refusal)
    assert told.code == "s:VersionMismatch"
    answer = await world.soap.post(GOOD.encode(), **{"Content-Type": "application/soap+xml"})
    assert answer.status_code == 415


async def test_a_message_that_is_too_large_is_a_fault_all_the_same(world: SoapWorld) -> None:
    large = GOOD.replace("5498", "5" * MAX_BODY_BYTES).encode()

    async def unannounced() -> AsyncIterator[bytes]:
        yield large

    for content in (large, unannounced()):
        answer = await world.soap.post(content)  # type: ignore[arg-type]
        assert answer.status_code == 413
        refused(world.soap.read(GET, answer), 0)


async def test_what_fails_here_is_a_fault_of_the_servers(world: SoapWorld) -> None:
    async with world.database.transaction() as connection:
        await connection.execute(text("ALTER TABLE consents.srr_entry RENAME TO srr_entry_away"))
    told = refused(await world.soap.get(), 0, "s:Server")
    assert "srr_entry" not in str(told)


async def test_what_does_not_answer_is_a_fault_of_the_servers(world: SoapWorld) -> None:
    class Gate:
        async def system(self, _credentials: Credentials) -> Any:
            raise UnavailableError("no secret of ours")

    app = soap_app(world.service, Gate(), URL)
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app=app), base_url=URL) as http:
        told = refused(await SoapClient(http, world.schemas, "owner", "x").get(), 0, "s:Server")
    assert "secret" not in str(told)


async def test_two_who_remove_the_same_at_once_remove_it_once(world: SoapWorld) -> None:
    items = [item(), item(SHOP), item(Right="Write")]
    names = [named(), named(SHOP), named(right="Write")]
    await world.soap.add(*items)
    answers = await asyncio.gather(
        *(world.soap.delete(*ordered) for ordered in (names, names[::-1], names)), world.soap.add(*items[::-1])
    )
    removed = [one["OperationResult"] for answer in answers[:3] for one in answer]
    added = [one["OperationResult"] for one in answers[3]]
    assert set(removed) <= {"Ok", "RuleNotFound"}
    assert removed.count("Ok") == 3 + added.count("Ok") - len(await world.listed())


# -- the description ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("query", ["?wsdl", "?WSDL", "?singleWsdl", "?wsdl="])
async def test_the_service_is_described_where_it_is_called(world: SoapWorld, query: str) -> None:
    answer = await world.soap_http.get(f"{PATH.upper()}{query}")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/xml; charset=utf-8")
    root = etree.fromstring(answer.content)
    ns = {"w": "http://schemas.xmlsoap.org/wsdl/", "s": "http://schemas.xmlsoap.org/wsdl/soap/"}
    address = root.find("w:service/w:port/s:address", ns)
    assert address is not None
    assert address.get("location") == f"{URL}{PATH}"
    operations = root.findall("w:binding/w:operation", ns)
    assert [one.get("name") for one in operations] == [GET, ADD, DELETE]
    actions = [one.get("soapAction") for one in root.iterfind("w:binding/w:operation/s:operation", ns)]
    assert actions == [f"{SERVICE}/IRegisterSRRAgencyExternalBasic/{name}" for name in (GET, ADD, DELETE)]


async def test_without_asking_for_it_one_is_told_where_it_is(world: SoapWorld) -> None:
    answer = await world.soap_http.get(PATH)
    assert f"{URL}{PATH}?wsdl" in answer.text
    assert (await world.soap_http.put(PATH)).status_code == 405
    assert (await world.soap_http.get("/RegisterExternal/Other.svc")).status_code == 404


# -- what it gates -----------------------------------------------------------------------------------------------------


async def test_what_is_added_over_soap_gates_consent(database: Database, tmp_path: Path) -> None:
    house = await Altinn2World(database).begin()
    app = soap_app(house.srr, Systems(house.keys, house.consents.work), URL)
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app=app), base_url=URL) as http:
        soap = SoapClient(http, Schemas(wsdl(f"{URL}{PATH}"), tmp_path), OWNER, house.secrets[OWNER])
        await soap.add(item(BORROWERS_BANK, Condition="AllowedRedirectDomain:bank.example"))
        assert (await house.ask()).status_code == 200
        assert codes(await house.ask(RedirectUrl="https://other.example/")) == ["90006"]
        await soap.delete(named(BORROWERS_BANK))
        assert codes(await house.ask()) == ["90007"]
    await house.close()


@pytest.mark.parametrize("on", [True, False])
async def test_it_is_served_beside_the_rest_form_where_it_is_to_be(database_url: str, tmp_path: Path, on: bool) -> None:
    more: dict[str, Any] = {"insecure": {"demo_world": False}, "consents": {"srr_soap": on}}
    async with whole_house(database_url, tmp_path, **more) as (_, http):
        where = f"http://localhost:8080/altinn2{PATH}"
        described, called = await http.get(f"{where}?wsdl"), await http.post(where, content=GOOD)
        assert (described.status_code, called.status_code) == ((200, 415) if on else (404, 404))
        assert (where in described.text) is on


@pytest.mark.parametrize(("environment", "on"), [("development", True), ("production", False)])
def test_a_key_alone_opens_it_so_that_production_has_to_ask_for_it(environment: str, on: bool) -> None:
    assert Settings.model_construct(environment=environment).has_srr_soap is on  # type: ignore[arg-type]


# -- anything at all ---------------------------------------------------------------------------------------------------

_TEXT = st.text(st.characters(codec="utf-8", exclude_characters="<&\r"), max_size=20)
_MEMBERS = ["Condition", "Reportee", "Right", "ValidTo"]
_NAMES = [*_MEMBERS, "AddRightRequest", "insertRightList", "systemUserName", "reportee"]
_ELEMENTS = st.recursive(
    st.tuples(st.sampled_from(_NAMES), _TEXT).map(lambda one: f"<{one[0]}>{one[1]}</{one[0]}>"),
    lambda inner: st.tuples(st.sampled_from(_NAMES), st.lists(inner, max_size=4)).map(
        lambda one: f'<{one[0]} xmlns="{DATA}">{"".join(one[1])}</{one[0]}>'
    ),
    max_leaves=12,
)


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    operation=st.sampled_from([GET, ADD, DELETE]),
    sent=st.binary(max_size=80)
    | st.tuples(st.integers(0, len(GOOD)), _TEXT).map(lambda one: (GOOD[: one[0]] + one[1] + GOOD[one[0] :]).encode())
    | st.tuples(st.sampled_from([GET, ADD, DELETE]), _ELEMENTS).map(
        lambda one: message(one[0], "owner", SECRETS["owner"], one[1])
    )
    | st.dictionaries(st.sampled_from(_MEMBERS), _TEXT).map(
        lambda one: message(ADD, "owner", SECRETS["owner"], f'<insertRightList xmlns:d="{DATA}"><d:AddRightRequest>'
                            + "".join(f"<d:{name}>{value}</d:{name}>" for name, value in one.items())
                            + "</d:AddRightRequest></insertRightList>")
    ),
)  # fmt: skip
async def test_no_message_breaks_it(world: SoapWorld, operation: str, sent: bytes) -> None:
    answer = await world.soap.post(sent, operation)
    assert answer.status_code in {200, 500}
    told = world.soap.read(operation, answer)
    assert not isinstance(told, Refusal) or told.code != "s:Server"

"""SRR's REST form in XML (consent.md §2.1, §3.2): the same entries, and the same refusals."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import etree

from fullmakt.altinn.consents.srr.service import PAGE
from fullmakt.infra.database import Database
from tests.support.srr import BANK, CONDITION, SHOP, SRR, SUPPLIER, URL, SrrWorld, entry, many_entries

HAL, BARE = "application/hal+xml", "application/xml"
QUERY = {"serviceCode": "5498", "serviceEditionCode": "1"}
ENTRY = f"""
    <ServiceCode>5498</ServiceCode>
    <ServiceEditionCode>1</ServiceEditionCode>
    <Reportee>{BANK}</Reportee>
    <Right>Read</Right>
    <ValidTo>2029-12-31T23:00:00</ValidTo>
    <Condition>
      <HandledBy>{SUPPLIER}</HandledBy>
      <IsRecipient>True</IsRecipient>
      <KeepSessionAlive>true</KeepSessionAlive>
      <AllowedRedirectDomain>
        <String>*.BANK.EXAMPLE</String>
        <String>myapp://consent</String>
      </AllowedRedirectDomain>
    </Condition>"""


@pytest.fixture
async def world(database: Database) -> AsyncIterator[SrrWorld]:
    world = await SrrWorld(database).begin()
    yield world
    await world.http.aclose()


async def send(world: SrrWorld, method: str, path: str = SRR, body: str = "", *, accept: str = HAL, **more: Any) -> Any:
    headers = {"Accept": accept, "Content-Type": f"{HAL}; charset=utf-8"}
    return await world.send("owner", method, path, content=body.encode(), headers=headers, **more)


async def test_entries_in_xml_are_the_entries_in_json(world: SrrWorld) -> None:
    second = ENTRY.partition("<Condition>")[0].replace(BANK, SHOP).replace("Read", "1")
    second = second.replace("2029-12-31T23:00:00", "29.08.2027 07:56:20")
    body = f"<resource><resource>{ENTRY}</resource><resource>{second}</resource></resource>"
    made = await send(world, "POST", body=body)
    assert made.status_code == 200, made.text
    assert made.headers["content-type"] == HAL
    root = etree.fromstring(made.content)
    assert dict(root.attrib) == {"rel": "self", "href": f"{URL}{SRR}"}
    assert [one.tag for one in root] == ["resource", "resource"]
    first = root[0]
    number = first.findtext("Id")
    assert dict(first.attrib) == {"rel": "rights", "href": f"{URL}{SRR}/{number}"}
    assert [(one.tag, one.text) for one in first if not len(one)] == [
        ("Id", number),
        ("ServiceCode", "5498"),
        ("ServiceEditionCode", "1"),
        ("Reportee", BANK),
        ("Right", "Read"),
        ("ValidTo", "2029-12-31T23:00:00+00:00"),
        ("OperationStatus", "OK"),
    ]
    domains = first.findall("Condition/AllowedRedirectDomain/String")
    assert [one.text for one in domains] == ["*.bank.example", "myapp://consent"]
    assert first.findtext("Condition/IsRecipient") == "True"
    (bank,), (shop,) = await world.listed(reportee=BANK), await world.listed(reportee=SHOP)
    assert bank["Condition"] == {
        "HandledBy": SUPPLIER,
        "IsRecipient": True,
        "KeepSessionAlive": True,
        "AllowedRedirectDomain": ["*.bank.example", "myapp://consent"],
    }
    assert shop["ValidTo"] == "2027-08-29T07:56:20+00:00"


async def test_what_is_answered_in_xml_is_taken_in_xml(world: SrrWorld) -> None:
    (made,) = await world.add(entry(Condition=CONDITION))
    path = f"{SRR}/{made['Id']}"
    for accept in (HAL, BARE):
        one = await send(world, "GET", path, accept=accept)
        changed = await send(world, "PUT", path, one.text, accept="application/json")
        assert changed.json() == made
    removed = await send(world, "DELETE", path, accept=BARE)
    assert etree.fromstring(removed.content).findtext("OperationStatus") == "OK"
    again = await send(world, "DELETE", path, accept=BARE)
    assert again.status_code == 404
    assert etree.fromstring(again.content).findtext("OperationStatus") == "RuleNotFound"
    assert (await send(world, "GET", path)).status_code == 404


async def test_an_entry_without_a_condition_loses_the_one_it_had(world: SrrWorld) -> None:
    (made,) = await world.add(entry(Condition=CONDITION))
    body = "<resource><Condition/><ValidTo>2028-01-01</ValidTo></resource>"
    assert (await send(world, "PUT", f"{SRR}/{made['Id']}", body)).status_code == 200
    assert (await world.listed())[0]["Condition"] is None


@pytest.mark.parametrize("accept", [HAL, BARE, "text/xml"])
@pytest.mark.parametrize("number", [0, 2, PAGE + 1])
async def test_a_list_is_one_document_however_long(world: SrrWorld, number: int, accept: str) -> None:
    await many_entries(world, number)
    answer = await send(world, "GET", params=QUERY, accept=accept)
    assert answer.headers["content-type"].partition(";")[0] == accept
    root = etree.fromstring(answer.content)
    assert [one.findtext("Reportee") for one in root] == [f"{one:09}" for one in range(1, number + 1)]
    hal = accept == HAL
    assert (root.get("href") == f"{URL}{SRR}?serviceCode=5498&serviceEditionCode=1") is hal
    assert all((one.get("href") is not None) is hal for one in root)


@pytest.mark.parametrize(
    ("accept", "type_"),
    [
        ("application/xml, application/json", "application/json"),
        ("application/hal+json, application/xml", "application/hal+json"),
        ("application/xml;q=0.9, application/hal+json", "application/xml"),
        ("*/*", "application/hal+json"),
        ("text/html", "application/hal+json"),
    ],
)
async def test_the_form_is_the_first_that_is_listed_and_json_before_all(
    world: SrrWorld, accept: str, type_: str
) -> None:
    answer = await send(world, "GET", params=QUERY, accept=accept)
    assert answer.headers["content-type"] == type_


def listed(inner: str) -> str:
    return f"<resource><resource>{inner}</resource></resource>"


BAD = {
    "nothing": "",
    "no_xml": "{}",
    "cut_short": "<resource><resource>",
    "another_root": "<ArrayOfRight/>",
    "empty": "<resource/>",
    "doctype": "<!DOCTYPE resource><resource/>",
    "entity": f'<!DOCTYPE r [<!ENTITY e "{BANK}">]>' + listed(ENTRY.replace(BANK, "&e;")),
    "outside_entity": '<!DOCTYPE r [<!ENTITY e SYSTEM "file:///etc/passwd">]>' + listed(ENTRY.replace(BANK, "&e;")),
    "unknown_entity": listed(ENTRY.replace(BANK, "&e;")),
    "twice": listed(ENTRY + f"<Reportee>{SHOP}</Reportee>"),
    "twice_in_other_letters": listed(ENTRY + f"<reportee>{SHOP}</reportee>"),
    "text_among_members": listed("Read" + ENTRY),
    "markup_in_a_text": listed(ENTRY.replace(BANK, f"<b>{BANK}</b>")),
    "condition_is_text": listed(ENTRY.partition("<Condition>")[0] + "<Condition>HandledBy:1</Condition>"),
    "flag_is_none": listed(ENTRY.replace("True", "perhaps")),
    "handled_by_nobody": listed(ENTRY.replace(SUPPLIER, "123456789")),
    "domain_too_wide": listed(ENTRY.replace("*.BANK.EXAMPLE", "*.no")),
    "empty_domain": listed(ENTRY.replace("*.BANK.EXAMPLE", "")),
    "no_right": listed(ENTRY.replace("<Right>Read</Right>", "<Right/>")),
    "deep": "<resource>" * 300 + "</resource>" * 300,
    "too_many": f"<resource>{'<resource/>' * 1001}</resource>",
}


@pytest.mark.parametrize("name", list(BAD))
async def test_what_is_no_entry_is_told_in_xml_and_not_taken(world: SrrWorld, name: str) -> None:
    answer = await send(world, "POST", body=BAD[name])
    assert answer.status_code == 400, answer.text
    errors = etree.fromstring(answer.content)
    assert errors.tag == "Errors"
    assert len(errors) > 0
    assert all([member.tag for member in one] == ["ErrorCode", "ErrorMessage"] for one in errors)
    conditions = {"flag_is_none", "handled_by_nobody", "domain_too_wide", "empty_domain"}
    assert errors.findtext("Item/ErrorCode") == ("450211" if name in conditions else "450212")
    assert await world.listed() == []


async def test_what_xml_can_not_hold_is_told_without_it(world: SrrWorld) -> None:
    headers = {"Accept": HAL, "Content-Type": "application/json"}
    strange = json.dumps([{"\0": 1}, entry(Condition={"AllowedRedirectDomain": ["\1\ufffe"]})])
    for body in (strange, '[{"\\u0000": 1, "\\u0000": 1}]', "\0"):
        answer = await world.send("owner", "POST", content=body.encode(), headers=headers)
        assert answer.status_code == 400
        assert etree.fromstring(answer.content).tag == "Errors"


_TEXT = st.text(st.characters(codec="utf-8"), max_size=20)
_NAMES = st.sampled_from(
    ["resource", "ServiceCode", "ServiceEditionCode", "Reportee", "Right", "ValidTo", "Condition", "HandledBy",
     "AllowedRedirectDomain", "String", "IsSender", "link", "Id"]
)  # fmt: skip
_ELEMENTS = st.recursive(
    st.tuples(_NAMES, _TEXT).map(lambda pair: f"<{pair[0]}>{pair[1]}</{pair[0]}>"),
    lambda inner: st.tuples(_NAMES, st.lists(inner, max_size=4)).map(
        lambda pair: f"<{pair[0]}>{''.join(pair[1])}</{pair[0]}>"
    ),
    max_leaves=12,
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    method=st.sampled_from(["POST", "PUT"]),
    accept=st.sampled_from([HAL, BARE, "application/json"]),
    body=st.binary(max_size=60) | _ELEMENTS.map(str.encode) | _ELEMENTS.map(lambda one: listed(ENTRY + one).encode()),
)
async def test_no_body_breaks_it(world: SrrWorld, method: str, accept: str, body: bytes) -> None:
    path = SRR if method == "POST" else f"{SRR}/1"
    headers = {"Content-Type": "application/xml", "Accept": accept}
    answer = await world.send("owner", method, path, content=body, headers=headers)
    assert answer.status_code in {200, 400, 403, 404}
    if accept != "application/json" and answer.status_code != 403:
        etree.fromstring(answer.content)

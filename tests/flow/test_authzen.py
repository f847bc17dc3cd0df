"""The decision point as an AuthZEN gateway meets it (OpenID AuthZEN Authorization API 1.0)."""

from __future__ import annotations

import json
import tomllib
from typing import Any

import httpx2
import pytest

from fullmakt.altinn.decisions import searching
from fullmakt.altinn.decisions.config import DecisionsConfig
from tests.flow.test_decisions_http import TABLE, Client
from tests.support.decision_tables import TableFacts, read_facts, uuid_of

ACME = "urn:altinn:organization:identifier-no:910753614"
KARI = {"type": "user", "id": "20001"}
VENDOR = {"type": "organization", "id": "991825827"}
THING = {"type": "resource", "id": "thing", "properties": {"party": ACME}}
SHARED = {"type": "resource", "id": "shared", "properties": {"party": ACME}}
MORE = """
[[delegations]]
id = "d2"
giver = "acme"
receiver = "vendor"
resource = "shared"
actions = ["read"]
[resources.shared]
rules = [{ action = ["read"], subject = ["urn:altinn:rolecode=styr"] }]
[resources.open1]
rules = [{ action = ["read"] }]
[resources.open2]
combining = "permit-unless-deny"
rules = [{ action = ["read"], effect = "Deny", subject = ["urn:altinn:rolecode=styr"] }]
[resources.open3]
[[resources.open3.rules]]
action = ["read"]
subject = [{ attribute = "urn:altinn:partyid", value = "5.*", function = "string-regexp-match" }]
[[held]]
holder = "ola"
party = "vendor"
roles = ["urn:altinn:rolecode:dagl"]
"""


class Administrator(Client):
    """Calls with the admin scope, without which nobody is told who else may do something."""

    async def post(self, path: str, body: Any, caller: str | None = "admin", **headers: str) -> httpx2.Response:
        return await super().post(path, body, caller, **headers)


def facts() -> TableFacts:
    """Those of the tests of XACML, and more."""
    table = TABLE.replace('kari = ["acme"]', 'kari = ["acme"]\nola = ["vendor"]')
    return read_facts(tomllib.loads(table + MORE))


@pytest.fixture
def client() -> Client:
    return Administrator(facts())


async def test_who_else_may_is_told_to_administrators_alone(client: Client) -> None:
    asked = question(subject={"type": "user"})
    assert (await client.post("/access/v1/search/subject", asked, "pep")).status_code == 403
    assert (await client.post("/access/v1/search/subject", asked)).status_code == 200


def events(client: Client) -> list[dict[str, Any]]:
    """What the trail was told."""
    return [json.loads(event) for entry in client.journal.entries for event in entry.events]


def question(**members: Any) -> dict[str, Any]:
    return {"subject": KARI, "action": {"name": "read"}, "resource": THING, **members}


async def test_a_permit_is_true_and_carries_its_obligations(client: Client) -> None:
    answer = await client.post("/access/v1/evaluation", question(), **{"X-Request-ID": "r-1"})
    assert answer.headers["x-request-id"] == "r-1"
    assert answer.json() == {
        "decision": True,
        "context": {
            "outcome": "Permit",
            "obligations": [
                {
                    "id": "urn:altinn:obligation:authenticationLevel1",
                    "attributes": [
                        {
                            "id": "urn:altinn:obligation-assignment:1",
                            "value": "3",
                            "category": "urn:altinn:minimum-authenticationlevel",
                            "dataType": "http://www.w3.org/2001/XMLSchema#integer",
                        }
                    ],
                }
            ],
            "reason": "rule",
        },
    }


async def test_everything_but_a_permit_is_false(client: Client) -> None:
    no = await client.post("/access/v1/evaluation", question(action={"name": "fly"}))
    assert no.json() == {"decision": False, "context": {"outcome": "NotApplicable", "reason": "no_such_right"}}
    unknown = await client.post("/access/v1/evaluation", question(resource={"type": "resource", "id": "x"}))
    assert unknown.status_code == 200
    assert unknown.json()["decision"] is False
    assert unknown.json()["context"]["error"]["status"] == 400


async def test_reasons_are_for_developers() -> None:
    client = Client(facts(), DecisionsConfig())
    answer = await client.post("/access/v1/evaluation", question(action={"name": "fly"}))
    assert answer.json() == {"decision": False, "context": {"outcome": "NotApplicable"}}


async def test_subjects_and_parties_have_several_names(client: Client) -> None:
    for subject in (
        {"type": "urn:altinn:userid", "id": "20001"},
        {"type": "person", "id": str(uuid_of("kari"))},
        {"type": "party", "id": str(uuid_of("kari"))},
        VENDOR,
    ):
        assert (await client.post("/access/v1/evaluation", question(subject=subject))).json()["decision"], subject
    resource = {"type": "urn:altinn:resource", "id": "thing", "properties": {"urn:altinn:partyid": 50001, "x": [1]}}
    more = question(resource=resource, context={"time": "now", "urn:test:time": "now"})
    assert (await client.post("/access/v1/evaluation", more)).json()["decision"]


async def test_an_owner_s_rule_is_met_by_a_property(client: Client) -> None:
    tax = {"type": "resource", "id": "app_ttd_tax", "properties": {"party": ACME}}
    subject = {"type": "organization", "id": "991825827", "properties": {"urn:altinn:org": "ttd"}}
    assert (await client.post("/access/v1/evaluation", question(subject=subject, resource=tax))).json()["decision"]


EVALUATIONS = [{"action": {"name": name}} for name in ("read", "fly", "write")]


@pytest.mark.parametrize(
    ("semantic", "decisions"),
    [
        (None, [True, False, True]),
        ("execute_all", [True, False, True]),
        ("deny_on_first_deny", [True, False]),
        ("permit_on_first_permit", [True]),
    ],
)
async def test_several_questions_end_where_the_semantic_says(
    client: Client, semantic: str | None, decisions: list[bool]
) -> None:
    options = {} if semantic is None else {"options": {"evaluations_semantic": semantic, "other": 1}}
    document = {"subject": KARI, "resource": THING, "evaluations": EVALUATIONS, **options}
    answer = (await client.post("/access/v1/evaluations", document)).json()
    assert [one["decision"] for one in answer["evaluations"]] == decisions
    assert "decision" not in answer


async def test_a_part_that_makes_no_sense_is_a_no_of_its_own(client: Client) -> None:
    document = question(evaluations=[{}, {"resource": {"type": "resource", "id": "x"}}, {}])
    answer = (await client.post("/access/v1/evaluations", document)).json()
    assert [one["decision"] for one in answer["evaluations"]] == [True, False, True]


async def test_without_a_list_there_is_one_question(client: Client) -> None:
    more: dict[str, Any]
    for more in ({}, {"evaluations": []}):
        assert (await client.post("/access/v1/evaluations", question(**more))).json()["decision"] is True


async def test_who_may(client: Client) -> None:
    async def who(kind: str) -> list[str]:
        answer = await client.post("/access/v1/search/subject", question(subject={"type": kind}))
        assert {one["type"] for one in answer.json()["results"]} <= {kind}
        return [one["id"] for one in answer.json()["results"]]

    assert await who("user") == ["20001", "20002"]
    assert await who("person") == sorted(str(uuid_of(name)) for name in ("kari", "ola"))
    assert await who("organization") == ["991825827"]
    assert await who("systemuser") == []


async def test_on_what(client: Client) -> None:
    resource = {"type": "resource", "properties": {"party": ACME}}
    found = await client.post("/access/v1/search/resource", question(resource=resource))
    every = ["app_ttd_tax", "open1", "open2", "open3", "thing"]
    assert [one["id"] for one in found.json()["results"]] == every
    found = await client.post("/access/v1/search/resource", question(resource=resource, subject=VENDOR))
    assert [one["id"] for one in found.json()["results"]] == ["open1", "open2", "open3", "shared", "thing"]


async def test_what(client: Client) -> None:
    found = await client.post("/access/v1/search/action", {"subject": KARI, "resource": THING})
    assert found.json()["results"] == [{"name": "read"}, {"name": "write"}]


async def test_a_search_comes_in_pages(client: Client) -> None:
    document: dict[str, Any] = {"subject": KARI, "resource": THING, "page": {"limit": 1}}
    whole = (await client.post("/access/v1/search/action", {**document, "page": {}})).json()
    assert whole["page"] == {"next_token": "", "count": 2, "total": 2}
    first = (await client.post("/access/v1/search/action", document)).json()
    assert first["results"] == [{"name": "read"}]
    assert first["page"].keys() == {"next_token", "count"}
    token = first["page"]["next_token"]
    second = (await client.post("/access/v1/search/action", {**document, "page": {"limit": 1, "token": token}})).json()
    assert second["results"] == [{"name": "write"}]
    assert second["page"] == {"next_token": "", "count": 1}
    other = {**document, "subject": VENDOR, "page": {"limit": 1, "token": token}}
    assert (await client.post("/access/v1/search/action", other)).status_code == 400


async def test_a_page_looks_at_no_more_than_it_may(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(searching, "MAX_LOOKED_AT", 2)
    resource = {"type": "resource", "properties": {"party": ACME}}
    document: dict[str, Any] = question(resource=resource, subject=VENDOR, action={"name": "read"})
    found, pages, token = [], 0, ""
    while pages == 0 or token:
        answer = (await client.post("/access/v1/search/resource", {**document, "page": {"token": token}})).json()
        found += [one["id"] for one in answer["results"]]
        token, pages = answer["page"]["next_token"], pages + 1
    assert found == ["open1", "open2", "open3", "shared", "thing"]
    assert [one["facts"]["looked_at"] for one in events(client)] == [2, 2, 1]
    assert pages == 3


async def test_nothing_is_looked_at_for_an_empty_page(client: Client) -> None:
    document = {"subject": KARI, "resource": THING, "page": {"limit": 0}}
    answer = (await client.post("/access/v1/search/action", document)).json()
    assert answer == {"page": {"next_token": "", "count": 0, "total": 0}, "results": []}


async def test_a_search_is_told_once_however_much_it_finds(client: Client) -> None:
    await client.post("/access/v1/search/subject", question(subject={"type": "party"}))
    [event] = events(client)
    found = sorted(str(uuid_of(name)) for name in ("kari", "ola", "vendor"))
    assert (event["action"], event["outcome"], event["actor"], event["subject"]) == (
        "decision:search",
        "done",
        "admin",
        "read thing",
    )
    assert event["facts"] == {
        "searched": "subject",
        "type": "urn:altinn:party:uuid",
        "action": ["read"],
        "resource": "thing",
        "party": str(uuid_of("acme")),
        "looked_at": 3,
        "permitted": 3,
        "reasons": {"rule": 1, "delegation": 2},
        "found": found,
    }


async def test_those_who_act_by_a_key_role_are_found_one_by_one(client: Client) -> None:
    """The vendor was given the right; its director has it by that, and is named where people are asked for."""
    answer = await client.post("/access/v1/search/subject", question(subject={"type": "user"}, resource=SHARED))
    assert [one["id"] for one in answer.json()["results"]] == ["20002"]
    answer = await client.post("/access/v1/search/subject", question(subject={"type": "organization"}, resource=SHARED))
    assert [one["id"] for one in answer.json()["results"]] == ["991825827"]


async def test_what_is_open_to_anybody_is_found_for_anybody(client: Client) -> None:
    nobody = {"type": "user", "id": "777"}
    resource = {"type": "resource", "properties": {"party": ACME}}
    answer = await client.post("/access/v1/search/resource", question(subject=nobody, resource=resource))
    assert [one["id"] for one in answer.json()["results"]] == ["open1", "open2"]


@pytest.mark.parametrize(
    "subject",
    [
        {"type": "martian"},
        {"type": "urn:altinn:rolecode"},
        {"type": "urn:altinn:person:identifier-no"},
        {"type": ""},
        {"type": 1},
        {},
    ],
    ids=["unknown", "a role", "by national identity number", "empty", "no text", "absent"],
)
async def test_subjects_of_a_type_that_can_not_be_listed_are_not_searched_for(
    client: Client, subject: dict[str, Any]
) -> None:
    answer = await client.post("/access/v1/search/subject", question(subject=subject))
    assert answer.status_code == 400
    assert answer.headers["content-type"].startswith("text/plain")
    assert "subject.type" in answer.text
    assert not client.journal.entries


@pytest.mark.parametrize("kind", ["subject", "resource", "action"])
async def test_resources_of_an_unknown_type_are_not_searched_for(client: Client, kind: str) -> None:
    book = {"type": "book", "id": "1", "properties": {"party": ACME}}
    answer = await client.post(f"/access/v1/search/{kind}", question(resource=book))
    assert answer.status_code == 400
    assert "resource.type" in answer.text


async def test_properties_and_context_count_in_a_search_as_in_an_evaluation(client: Client) -> None:
    tax = {"type": "resource", "id": "app_ttd_tax", "properties": {"party": ACME}}
    owner = {"type": "organization", "id": "991825827", "properties": {"urn:altinn:org": "ttd"}}
    found = await client.post("/access/v1/search/action", {"subject": owner, "resource": tax})
    assert found.json()["results"] == [{"name": "read"}]
    found = await client.post("/access/v1/search/resource", question(subject=owner, resource=tax))
    assert "app_ttd_tax" in [one["id"] for one in found.json()["results"]]
    found = await client.post("/access/v1/search/subject", question(subject={"type": "org"}, resource=tax))
    assert found.json()["results"] == [{"type": "org", "id": "ttd"}]


@pytest.mark.parametrize(
    "document",
    [
        [],
        {},
        question(subject={"type": "user"}),
        question(subject={"id": "1"}),
        question(subject="kari"),
        question(action={}),
        question(action={"name": 1}),
        question(resource={"type": "book", "id": "1"}),
        question(resource={"type": "resource", "id": "a\0b"}),
        question(resource={"type": "resource", "id": "a", "properties": 1}),
        question(resource={"type": "resource", "id": "a", "properties": {"party": "910753614"}}),
        question(subject={"type": "user", "id": "1", "properties": {"urn:x": {"deep": 1}}}),
        question(context=1),
    ],
)
async def test_what_is_no_question_is_told_so_in_words(client: Client, document: Any) -> None:
    for path in ("evaluation", "evaluations", "search/subject"):
        if path == "search/subject" and isinstance(document, dict) and "type" in str(document.get("subject", "")):
            continue
        answer = await client.post(f"/access/v1/{path}", document)
        assert answer.status_code == 400, answer.text
        assert answer.headers["content-type"].startswith("text/plain")
        assert answer.text
    assert not client.journal.entries


@pytest.mark.parametrize(
    "more",
    [
        {"evaluations": 1},
        {"evaluations": [1]},
        {"evaluations": [{}] * 1_001},
        {"evaluations": [{}], "options": {"evaluations_semantic": "guess"}},
        {"evaluations": [{}], "options": 1},
    ],
)
async def test_evaluations_that_are_none(client: Client, more: dict[str, Any]) -> None:
    assert (await client.post("/access/v1/evaluations", question(**more))).status_code == 400


@pytest.mark.parametrize("page", [1, {"limit": -1}, {"limit": True}, {"token": "x"}, {"token": "eCB5"}])
async def test_pages_that_are_none(client: Client, page: Any) -> None:
    document = {"subject": KARI, "resource": THING, "page": page}
    assert (await client.post("/access/v1/search/action", document)).status_code == 400


async def test_who_asks_must_be_known_and_speak_json(client: Client) -> None:
    assert (await client.post("/access/v1/evaluation", question(), caller=None)).status_code == 401
    assert (await client.post("/access/v1/evaluation", question(), caller="nobody")).status_code == 403
    form = {"content-type": "application/x-www-form-urlencoded"}
    assert (await client.post("/access/v1/evaluation", question(), **form)).status_code == 400
    assert (await client.post("/access/v1/evaluation", b'{"a": 1, "a": 2}')).status_code == 400


async def test_the_metadata_names_every_endpoint(client: Client) -> None:
    document = (await client.get("/.well-known/authzen-configuration")).json()
    assert document["policy_decision_point"] == "https://pdp.example.no"
    for name, url in document.items():
        if name.endswith("_endpoint"):
            path = url.removeprefix("https://pdp.example.no")
            assert (await client.post(path, {})).status_code == 400, name

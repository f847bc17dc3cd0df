"""The decision point over HTTP, as those who enforce its decisions meet it."""

from __future__ import annotations

import json
import tomllib
from typing import Any
from xml.etree import ElementTree

import httpx2
import pytest

from fullmakt.altinn.decisions.config import DecisionsConfig
from fullmakt.altinn.decisions.http import app
from fullmakt.wire.altinn import attributes as ids
from fullmakt.wire.altinn.callers import Caller, InvalidCallerError
from tests.support.decision_tables import FOLDER, Case, TableFacts, load_cases, read_facts, uuid_of
from tests.support.decisions import MemoryJournal, TableNeighbours, decision_point

CASES = list(load_cases())
TABLE = """
[people.kari]
pid = "05895199925"
user_id = 20001
party_id = 50101
[people.ola]
pid = "01897599070"
user_id = 20002
party_id = 50102
[organisations.acme]
orgno = "910753614"
party_id = 50001
[organisations.vendor]
orgno = "991825827"
party_id = 50002
[key_roles]
kari = ["acme"]
[[held]]
holder = "kari"
party = "acme"
roles = ["urn:altinn:rolecode:dagl"]
[resources.thing]
level = 3
rules = [{ id = "r1", action = ["read", "write"], subject = ["urn:altinn:rolecode=dagl"] }]
[resources.other]
rules = [{ action = ["read"], subject = ["urn:altinn:rolecode=styr"] }]
[resources.app_ttd_tax]
rules = [{ action = ["read"], subject = ["urn:altinn:rolecode=dagl", "urn:altinn:org=ttd"] }]
[[delegations]]
id = "d1"
giver = "acme"
receiver = "vendor"
resource = "thing"
actions = ["read"]
"""


class KnownCallers:
    """Tokens are names."""

    def __init__(self) -> None:
        scope = frozenset({"altinn:authorization/authorize"})
        self.known = {
            "pep": Caller(scope, org_code="ttd", client_id="pep"),
            "admin": Caller(frozenset({"altinn:authorization/authorize.admin"}), client_id="admin"),
            "nobody": Caller(frozenset({"other:scope"}), client_id="nobody"),
            "kari": Caller(frozenset(), user_id=20001, party_uuid=uuid_of("kari")),
        }

    async def identify(self, token: str) -> Caller:
        """The caller of that name."""
        if token not in self.known:
            raise InvalidCallerError("signature")
        return self.known[token]


class Client:
    """A decision point on a table's facts, and whoever calls it."""

    def __init__(self, facts: TableFacts, config: DecisionsConfig | None = None) -> None:
        self.journal = MemoryJournal()
        config = config or DecisionsConfig(url="https://pdp.example.no", insecure_internal=True, explain=True)
        self.point = decision_point(TableNeighbours(facts), self.journal, config)
        transport = httpx2.ASGITransport(app(self.point, KnownCallers()))
        self.http = httpx2.AsyncClient(transport=transport, base_url="https://pdp.example.no")

    async def post(
        self,
        path: str,
        body: Any,
        caller: str | None = "pep",
        **headers: str,
    ) -> httpx2.Response:
        """POST JSON, or what is bytes already."""
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        sent = {"content-type": "application/json", **headers}
        if caller is not None:
            sent["authorization"] = f"Bearer {caller}"
        return await self.http.post(path, content=content, headers=sent)

    async def get(self, path: str, token: str | None = None) -> httpx2.Response:
        """GET."""
        return await self.http.get(path, headers={"authorization": f"Bearer {token}"} if token else {})


def facts() -> TableFacts:
    return read_facts(tomllib.loads(TABLE))


@pytest.fixture
def client() -> Client:
    return Client(facts())


def request(subject: str = "urn:altinn:userid=20001", action: str = "read", **more: Any) -> dict[str, Any]:
    def attribute(text: str) -> dict[str, Any]:
        name, _, value = text.partition("=")
        return {"AttributeId": name, "Value": value}

    resource = [attribute("urn:altinn:resource=thing"), attribute("urn:altinn:partyid=50001")]
    return {
        "Request": {
            "AccessSubject": [{"Attribute": [attribute(subject)]}],
            "Action": [{"Attribute": [attribute(f"{ids.ACTION}={action}")]}],
            "Resource": [{"Attribute": resource}],
            **more,
        }
    }


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
async def test_the_tables_hold_over_http(case: Case) -> None:
    client = Client(case.facts)
    path = "/api/v1/authorize" if case.external else "/api/v1/decision"
    answer = await client.post(path, case.request)
    assert answer.status_code == 200
    [result] = answer.json()["response"]
    assert result["decision"] == case.expected.decision
    assert result["status"]["statusCode"]["value"] == case.expected.status
    obligations = {
        one["category"]: one["value"] for due in result["obligations"] or () for one in due["attributeAssignment"]
    }
    assert obligations == case.expected.obligations
    [entry] = client.journal.entries
    assert len(entry.events) == 1


async def test_a_permit_looks_as_the_contract_has_it(client: Client) -> None:
    answer = await client.post("/api/v1/authorize", request())
    assert answer.headers["content-type"].startswith("application/json")
    assert answer.json() == {
        "response": [
            {
                "decision": "Permit",
                "status": {
                    "statusMessage": None,
                    "statusDetails": None,
                    "statusCode": {"value": "urn:oasis:names:tc:xacml:1.0:status:ok", "statusCode": None},
                },
                "obligations": [
                    {
                        "id": "urn:altinn:obligation:authenticationLevel1",
                        "attributeAssignment": [
                            {
                                "attributeId": "urn:altinn:obligation-assignment:1",
                                "value": "3",
                                "category": "urn:altinn:minimum-authenticationlevel",
                                "dataType": "http://www.w3.org/2001/XMLSchema#integer",
                                "issuer": None,
                            }
                        ],
                    }
                ],
                "associateAdvice": None,
                "category": None,
                "policyIdentifierList": None,
            }
        ]
    }


async def test_what_is_asked_back_comes_back_without_being_asked_on(client: Client) -> None:
    document = request()
    document["Request"]["Resource"][0]["Attribute"][0]["IncludeInResult"] = True
    [result] = (await client.post("/api/v1/authorize", document)).json()["response"]
    assert result["category"] == [
        {
            "categoryId": ids.RESOURCE_CATEGORY,
            "id": None,
            "content": None,
            "attribute": [
                {
                    "attributeId": "urn:altinn:resource",
                    "value": "thing",
                    "issuer": None,
                    "dataType": "http://www.w3.org/2001/XMLSchema#string",
                    "includeInResult": False,
                }
            ],
        }
    ]


def multi(*actions: str) -> dict[str, Any]:
    document = request()["Request"]
    document["AccessSubject"][0]["Id"], document["Resource"][0]["Id"] = "s", "r"
    document["Action"] = [
        {"Id": f"a{number}", "Attribute": [{"AttributeId": ids.ACTION, "Value": action, "IncludeInResult": True}]}
        for number, action in enumerate(actions)
    ]
    references = [{"ReferenceId": ["s", f"a{number}", "r"]} for number in range(len(actions))]
    return {"Request": {**document, "MultiRequests": {"RequestReference": references}}}


async def test_a_multi_request_is_answered_in_its_order(client: Client) -> None:
    results = (await client.post("/api/v1/authorize", multi("write", "fly", "read"))).json()["response"]
    assert [one["decision"] for one in results] == ["Permit", "NotApplicable", "Permit"]
    assert [one["category"] and one["category"][0]["attribute"][0]["value"] for one in results] == [
        "write", None, "read"
    ]  # fmt: skip
    assert [len(entry.events) for entry in client.journal.entries] == [3]


async def test_a_part_that_makes_no_sense_makes_the_whole_answer_one_indeterminate(client: Client) -> None:
    document = multi("read", "write")
    document["Request"]["AccessSubject"].append({"Id": "t", "Attribute": []})
    document["Request"]["MultiRequests"]["RequestReference"].append({"ReferenceId": ["t", "a1", "r"]})
    [result] = (await client.post("/api/v1/authorize", document)).json()["response"]
    assert result["decision"] == "Indeterminate"


async def test_ten_thousand_parts_are_too_many_and_a_thousand_are_not(client: Client) -> None:
    refused = await client.post("/api/v1/authorize", multi(*["read"] * 2_000))
    assert refused.status_code == 400
    assert "at most 1000" in refused.json()["errors"]["Request.MultiRequests.RequestReference"][0]
    answer = await client.post("/api/v1/authorize", multi(*["read"] * 1_000))
    assert len(answer.json()["response"]) == 1_000
    assert (await client.post("/api/v1/authorize", multi(*["read"] * 10_000))).status_code in (400, 413)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b'{"Request": 1}',
        b'{"Request": {"Resource": {}}}',
        b'{"Request": {}, "request": {}}',
        b'{"Request": {"Resource": []}, "Request": {}}',
        b'{"Request": {"Resource": [{"Attribute": [{"AttributeId": "x", "Value": 1}]}]}}',
        b'{"Request": {"Resource": [{"Attribute": [{"AttributeId": "x", "Value": "\\ud800"}]}]}}',
        b'{"Request": {"MultiRequests": {"RequestReference": [{"ReferenceId": [1]}]}}}',
        b'{"Request": {"Category": [{"Attribute": []}]}}',
        b'{"Request": ' + b"[" * 500 + b"]" * 500 + b"}",
        b'{"Request": NaN}',
        b"\xff\xfe",
    ],
)
async def test_what_is_no_request_is_told_so(client: Client, body: bytes) -> None:
    answer = await client.post("/api/v1/authorize", body)
    assert answer.status_code == 400, answer.text
    assert answer.json()["errors"]
    inside = await client.post("/api/v1/decision", body)
    assert inside.status_code == 200
    [result] = inside.json()["response"]
    assert result["decision"] == "Indeterminate"
    assert result["status"]["statusCode"]["value"].endswith(":syntax-error")


async def test_a_nul_character_and_an_unknown_type_leave_nothing_to_decide(client: Client) -> None:
    for attribute in ({"Value": "a\0b"}, {"Value": "a", "DataType": "urn:colour"}):
        document = request()
        document["Request"]["Resource"][0]["Attribute"].append({"AttributeId": "test:x", **attribute})
        answer = await client.post("/api/v1/authorize", document)
        assert answer.status_code == 200
        assert answer.json()["response"][0]["decision"] == "Indeterminate"
    assert b"\\u0000" not in b"".join(event for entry in client.journal.entries for event in entry.events)


async def test_who_may_ask(client: Client) -> None:
    assert (await client.post("/api/v1/authorize", request(), caller=None)).status_code == 401
    assert (await client.post("/api/v1/authorize", request(), caller="forged")).status_code == 401
    refused = await client.post("/api/v1/authorize", request(), caller="nobody")
    assert (refused.status_code, refused.content) == (403, b"")
    assert (await client.post("/api/v1/authorize", request(), caller="admin")).status_code == 200
    assert (await client.http.get("/api/v1/authorize")).status_code == 405


async def test_the_gateway_asks_for_a_key_when_it_has_some() -> None:
    client = Client(facts(), DecisionsConfig(subscription_keys=frozenset({"k1", "k2"})))
    missing = await client.post("/api/v1/authorize", request())
    assert missing.status_code == 401
    assert missing.json()["statusCode"] == 401
    assert "missing subscription key" in missing.json()["message"]
    wrong = await client.post("/api/v1/decision", request(), caller=None, **{"Ocp-Apim-Subscription-Key": "k3"})
    assert "invalid subscription key" in wrong.json()["message"]
    for path in ("/api/v1/authorize", "/api/v1/decision"):
        assert (await client.post(path, request(), **{"Ocp-Apim-Subscription-Key": "k2"})).status_code == 200
    closed = Client(facts(), DecisionsConfig())
    assert (await closed.post("/api/v1/decision", request())).status_code == 401
    assert (await closed.post("/api/v1/explain", request())).status_code == 404


async def test_the_trail_is_told_who_was_not_let_in_and_why() -> None:
    config = DecisionsConfig(subscription_keys=frozenset({"k1"}))
    client = Client(facts(), config)
    key = {"Ocp-Apim-Subscription-Key": "k1"}
    await client.post("/api/v1/authorize", request())
    await client.post("/api/v1/decision", request(), None, **{"Ocp-Apim-Subscription-Key": "secret"})
    await client.post("/api/v1/authorize", request(), "nobody", **key)
    await client.post("/access/v1/search/subject", {}, "pep", **key)
    await client.get("/api/v1/roles?coveredByUserId=20002&offeredByPartyId=50001", "kari")
    await client.post("/api/v1/authorize", request(), "forged", **key)  # nobody's: 401, and no more is made of it
    assert [(one["subject"], one["reason"], one["actor"]) for one in _events(client)] == [
        ("authorize", "missing_subscription_key", ""),
        ("decision", "invalid_subscription_key", ""),
        ("authorize", "missing_scope", "nobody"),
        ("search/subject", "missing_scope", "pep"),
        ("roles", "not_oneself", _events(client)[-1]["actor"]),
    ]
    assert {(one["action"], one["outcome"]) for one in _events(client)} == {("decision:call", "deny")}
    assert _events(client)[2]["facts"]["any_of"] == [
        "altinn:authorization/authorize",
        "altinn:authorization/authorize.admin",
    ]
    assert b"secret" not in b"".join(event for entry in client.journal.entries for event in entry.events)


def _events(client: Client) -> list[dict[str, Any]]:
    return [json.loads(event) for entry in client.journal.entries for event in entry.events]


async def test_a_body_that_is_too_large_is_not_read(client: Client) -> None:
    assert (await client.post("/api/v1/authorize", b" " * 1_100_000)).status_code == 413


_XML = b"""<?xml version="1.0" encoding="utf-8"?>
<Request xmlns="urn:oasis:names:tc:xacml:3.0:core:schema:wd-17" ReturnPolicyIdList="false" CombinedDecision="false">
  <Attributes Category="urn:oasis:names:tc:xacml:1.0:subject-category:access-subject">
    <Attribute AttributeId="urn:altinn:userid" IncludeInResult="false">
      <AttributeValue DataType="http://www.w3.org/2001/XMLSchema#string">20001</AttributeValue></Attribute>
  </Attributes>
  <Attributes Category="urn:oasis:names:tc:xacml:3.0:attribute-category:action">
    <Attribute AttributeId="urn:oasis:names:tc:xacml:1.0:action:action-id" IncludeInResult="true">
      <AttributeValue DataType="http://www.w3.org/2001/XMLSchema#string">read</AttributeValue></Attribute>
  </Attributes>
  <Attributes Category="urn:oasis:names:tc:xacml:3.0:attribute-category:resource">
    <Attribute AttributeId="urn:altinn:resource" IncludeInResult="false">
      <AttributeValue DataType="http://www.w3.org/2001/XMLSchema#string">thing</AttributeValue></Attribute>
    <Attribute AttributeId="urn:altinn:partyid" IncludeInResult="false">
      <AttributeValue DataType="http://www.w3.org/2001/XMLSchema#string">50001</AttributeValue></Attribute>
  </Attributes>
</Request>"""


async def test_the_internal_endpoint_speaks_xml_to_those_who_do(client: Client) -> None:
    answer = await client.post("/api/v1/decision", _XML, **{"content-type": "application/xml"})
    assert answer.headers["content-type"].startswith("application/xml")
    space = "{urn:oasis:names:tc:xacml:3.0:core:schema:wd-17}"
    [result] = ElementTree.fromstring(answer.content)  # noqa: S314 - our own answer
    assert result.findtext(f"{space}Decision") == "Permit"
    assert result.find(f"{space}Obligations/{space}Obligation/{space}AttributeAssignment").text == "3"  # type: ignore[union-attr]
    assert result.findtext(f"{space}Attributes/{space}Attribute/{space}AttributeValue") == "read"
    for broken in (b"<", b"<Request/>", b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>'):
        answer = await client.post("/api/v1/decision", broken, **{"content-type": "text/xml"})
        assert b"Indeterminate" in answer.content
        assert b"syntax-error" in answer.content


async def test_an_explanation_names_the_rule_the_attribute_and_the_delegation(client: Client) -> None:
    answer = await client.post("/api/v1/explain", request())
    [told] = answer.json()["explanations"]
    assert (told["decision"], told["reason"]) == ("Permit", "rule")
    [rule] = told["rules"]
    assert rule["rule_id"] == "r1"
    assert rule["alternatives"][0][0] == {
        "attribute": "urn:altinn:rolecode",
        "function": "urn:oasis:names:tc:xacml:1.0:function:string-equal",
        "wanted": "dagl",
        "had": ["dagl"],
        "result": "yes",
    }
    [told] = (await client.post("/api/v1/explain", request("urn:altinn:partyid=50002"))).json()["explanations"]
    assert (told["decision"], told["reason"]) == ("Permit", "delegation")
    assert told["delegations"][0]["id"] == str(uuid_of("d1"))
    [told] = (await client.post("/api/v1/explain", request("urn:altinn:partyid=50002", "write"))).json()["explanations"]
    assert (told["decision"], told["reason"]) == ("NotApplicable", "no_right")
    assert told["delegations"][0]["why"] == "it does not hold the action"


async def test_a_trail_holds_no_national_identity_number(client: Client) -> None:
    await client.post("/api/v1/authorize", request("urn:altinn:person:identifier-no=05895199925"))
    [entry] = client.journal.entries
    [event] = [json.loads(one) for one in entry.events]
    assert event["outcome"] == "permit"
    assert event["subject"] == "read thing"
    assert event["actor"] == "pep"
    assert event["facts"]["rules"] == ["r1"]
    assert b"05895199925" not in entry.events[0]


@pytest.mark.parametrize("path", ["/api/v1/Authorize", "/API/v1/authorize/", "/Access/v1/Evaluation"])
async def test_paths_are_taken_in_any_case(client: Client, path: str) -> None:
    assert (await client.post(path, request(), None)).status_code == 401
    assert (await client.post("/api/v1/authorise", request())).status_code == 404


async def test_who_can_names_people_and_suppliers_with_the_reason(client: Client) -> None:
    path = "/api/v1/who-can?action=read&resource=thing&party=urn:altinn:organization:identifier-no:910753614"
    answer = await client.get(path, "admin")
    assert [(one["name"], one["reason"]) for one in answer.json()] == [("kari", "rule"), ("vendor", "delegation")]
    assert (await client.get(path, "pep")).status_code == 403
    assert (await client.get("/api/v1/who-can?action=read", "admin")).status_code == 400
    unknown = "/api/v1/who-can?action=read&resource=thing&party=urn:altinn:organization:identifier-no:999888777"
    assert (await client.get(unknown, "admin")).status_code == 400


async def test_roles_and_parties_are_told_to_the_user_itself(client: Client) -> None:
    roles = await client.get("/api/v1/roles?coveredByUserId=20001&offeredByPartyId=50001", "kari")
    assert roles.json() == [{"type": "altinn", "value": "dagl"}]
    assert (await client.get("/api/v1/roles?coveredByUserId=20002&offeredByPartyId=50001", "kari")).status_code == 403
    assert (await client.get("/api/v1/roles?coveredByUserId=20001&offeredByPartyId=50002", "kari")).status_code == 404
    for wrong in ("0", "-1", "2147483648", "0000000000" + "1" * 5_000):
        path = f"/api/v1/roles?coveredByUserId={wrong}&offeredByPartyId=50001"
        assert (await client.get(path, "kari")).status_code == 400
    parties = await client.get("/api/v1/parties?userId=20001", "kari")
    assert [one["partyId"] for one in parties.json()] == [50101, 50001]
    assert (await client.get("/api/v1/parties/50001/validate?userId=20001", "kari")).json() is True
    assert (await client.get("/api/v1/parties/50002/validate?userId=20001", "kari")).json() is False
    assert (await client.get("/api/v1/policies/roleswithaccess/ttd/tax")).json() == ["dagl"]
    assert (await client.get("/api/v1/policies/roleswithaccess/ttd/none")).status_code == 404
    policies = await client.post("/api/v1/policies/GetPolicies", [{"org": "ttd", "app": "tax"}], caller=None)
    assert {one["id"] for one in policies.json()[0]["subjects"]} == {"urn:altinn:rolecode", "urn:altinn:org"}
    assert (await client.post("/api/v1/policies/GetPolicies", {"org": 1}, caller=None)).status_code == 400


_GIVEN = """
[organisations.client]
orgno = "889640782"
party_id = 50003
[organisations.generous]
orgno = "974760673"
party_id = 50004
[organisations.books]
orgno = "974761076"
party_id = 50005
[[held]]
holder = "acme"
party = "books"
packages = ["urn:altinn:accesspackage:skatt"]
[[packages]]
giver = "client"
receiver = "kari"
package = "skatt"
[[packages]]
giver = "generous"
receiver = "acme"
package = "skatt"
"""


async def test_whoever_gave_a_package_or_is_held_by_a_key_role_can_be_acted_for() -> None:
    client = Client(read_facts(tomllib.loads(TABLE + _GIVEN)))
    parties = await client.get("/api/v1/parties?userId=20001", "kari")
    assert [one["partyId"] for one in parties.json()] == [50101, 50001, 50005, 50003, 50004]
    for party_id in ("50003", "50004", "50005"):
        assert (await client.get(f"/api/v1/parties/{party_id}/validate?userId=20001", "kari")).json() is True


def test_there_are_tables() -> None:
    assert len(list(FOLDER.glob("*.toml"))) >= 6

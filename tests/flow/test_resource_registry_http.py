"""The resource registry over HTTP, endpoint by endpoint: statuses, messages and documents to the letter."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import AsyncIterator
from typing import Any

import httpx2
import pytest
from sqlalchemy import text

from fullmakt.altinn.resources.http import app
from fullmakt.altinn.resources.service import ResourcesService
from fullmakt.infra.database import Database
from fullmakt.kernel.clock import FixedClock
from fullmakt.wire.altinn.attributes import APP, RESOURCE_CATEGORY, ROLE_CODE, SERVICE_OWNER, Attribute
from fullmakt.wire.altinn.callers import Caller, InvalidCallerError
from fullmakt.wire.altinn.resource_registry import ServiceOwner
from tests.support.resources import (
    ADMIN,
    DIGDIR,
    SKD,
    WRITE,
    any_of,
    match,
    owner,
    policy_xml,
    register_owners,
    resource,
    resource_json,
    rule_xml,
)

ID = "skd-finans-scope"
BASE = "https://platform.test/resourceregistry"
NOW = dt.datetime(2026, 11, 21, 12, tzinfo=dt.UTC)
API = "/api/v1/resource"


class Tokens:
    """Callers by the name of their token."""

    def __init__(self) -> None:
        self.known: dict[str, Caller] = {
            "skd": owner(SKD),
            "digdir": owner(DIGDIR, prefixes=("digdir",)),
            "admin": owner(DIGDIR, ADMIN, prefixes=()),
            "reader": owner(SKD, "altinn:resourceregistry/accesslist.read"),
            "skd-without-prefix": owner(SKD, WRITE, prefixes=("skd",)),
        }

    async def identify(self, token: str) -> Caller:
        if token not in self.known:
            raise InvalidCallerError("unknown")
        return self.known[token]


class Subjects:
    """A register of three roles."""

    async def known_subjects(self) -> frozenset[Attribute]:
        return frozenset(Attribute(ROLE_CODE, code) for code in ("dagl", "lede", "apiadm"))


@pytest.fixture
async def service(database: Database) -> ResourcesService:
    service = ResourcesService(database, FixedClock(NOW), subjects=Subjects(), deletable=True)
    await register_owners(service)
    return service


@pytest.fixture
async def http(service: ResourcesService) -> AsyncIterator[httpx2.AsyncClient]:
    transport = httpx2.ASGITransport(app=app(service, Tokens(), base_url=BASE))
    async with httpx2.AsyncClient(transport=transport, base_url=BASE) as client:
        client.base_url = httpx2.URL("https://platform.test")
        yield client


def _as(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


async def _publish(http: httpx2.AsyncClient, identifier: str = ID, **changes: Any) -> None:
    answer = await http.post(API, json=resource_json(identifier, **changes), headers=_as("skd"))
    assert (answer.status_code, answer.text) == (201, "")


async def _upload(http: httpx2.AsyncClient, xml: bytes, *, identifier: str = ID, by: str = "skd") -> httpx2.Response:
    files = {"policyFile": ("policy.xml", xml, "text/xml")}
    return await http.post(f"{API}/{identifier}/policy", files=files, headers=_as(by))


async def test_a_resource_is_published_and_read(http: httpx2.AsyncClient) -> None:
    answer = await http.post(API, json=resource_json(), headers=_as("skd"))
    assert (answer.status_code, answer.content) == (201, b"")
    assert answer.headers["location"] == f"/resourceregistry/api/v1/resource/{ID}"
    answer = await http.get(f"{API}/{ID}")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    assert answer.json() == {
        **resource_json(),
        "delegable": True,
        "visible": True,
        "accessListMode": "Disabled",
        "selfIdentifiedUserEnabled": False,
        "enterpriseUserEnabled": False,
        "isOneTimeConsent": False,
        "authorizationReference": [{"id": "urn:altinn:resource", "value": ID}],
        "versionId": 1,
    }
    assert answer.text.startswith('{\n  "')


async def test_names_and_enumerations_are_read_whatever_their_case(http: httpx2.AsyncClient) -> None:
    document = {name.upper(): member for name, member in resource_json().items()}
    document["RESOURCETYPE"] = "MASKINPORTENschema"
    document["AccessListMode"] = "enabled"
    document["limitedByRRR"] = True
    answer = await http.post(API, content=b"\xef\xbb\xbf" + json.dumps(document).encode(), headers=_as("skd"))
    assert answer.status_code == 201
    found = (await http.get(f"{API}/{ID}")).json()
    assert (found["resourceType"], found["accessListMode"]) == ("MaskinportenSchema", "Enabled")
    assert "limitedByRRR" not in found


async def test_a_version_is_asked_for_by_its_number(http: httpx2.AsyncClient) -> None:
    await _publish(http, version="one")
    answer = await http.put(f"{API}/{ID}", json=resource_json(version="two"), headers=_as("skd"))
    assert (answer.status_code, answer.content) == (200, b"")
    assert (await http.get(f"{API}/{ID}")).json()["version"] == "two"
    assert (await http.get(f"{API}/{ID}?VersionID=1")).json()["version"] == "one"
    assert (await http.get(f"{API}/{ID}?versionId=3")).status_code == 404
    answer = await http.get(f"{API}/{ID}?versionId=x")
    assert (answer.status_code, answer.json()["errors"]) == (400, {"versionId": ["The value 'x' is not valid."]})


@pytest.mark.parametrize("identifier", ["nope", "%00", "skd%2Ffinans", "SKD-FINANS-SCOPE", "x" * 5000])
async def test_what_is_not_there_is_not_found(http: httpx2.AsyncClient, identifier: str) -> None:
    await _publish(http)
    for path in ("", "/policy", "/policy/subjects", "/policy/rules", "/policy/rights", "/policy/report"):
        assert (await http.get(f"{API}/{identifier}{path}")).status_code == 404
    assert (await http.get(f"/api/v2/resource/{identifier}/policy/rights")).status_code == 404
    assert (await http.delete(f"{API}/{identifier}", headers=_as("admin"))).status_code == 404
    assert (await http.put(f"{API}/{identifier}", json=resource_json(), headers=_as("admin"))).status_code == 404


@pytest.mark.parametrize(
    ("token", "status", "challenge"),
    [
        (None, 401, "Bearer"),
        ("stranger", 401, 'Bearer error="invalid_token"'),
        ("reader", 403, None),
        ("digdir", 403, None),
    ],
)
async def test_only_owners_with_the_scope_may_write(
    http: httpx2.AsyncClient, token: str | None, status: int, challenge: str | None
) -> None:
    headers = {} if token is None else _as(token)
    await _publish(http)
    files = {"policyFile": ("policy.xml", policy_xml(rule_xml()), "text/xml")}
    answers = [
        await http.post(API, json=resource_json("another"), headers=headers),
        await http.put(f"{API}/{ID}", json=resource_json(), headers=headers),
        await http.delete(f"{API}/{ID}", headers=headers),
        await http.post(f"{API}/{ID}/policy", files=files, headers=headers),
        await http.put(f"{API}/{ID}/policy", files=files, headers=headers),
    ]
    for answer in answers:
        assert (answer.status_code, answer.content) == (status, b"")
        assert answer.headers.get("www-authenticate") == challenge


async def test_refusals_are_in_the_audit_trail(http: httpx2.AsyncClient, database: Database) -> None:
    await http.post(API, json=resource_json(), headers=_as("reader"))
    await http.post(API, json=resource_json(), headers=_as("digdir"))
    await http.post(API, json=resource_json(), headers=_as("skd-without-prefix"))
    async with database.transaction() as connection:
        rows = await connection.execute(
            text("SELECT action, outcome, reason, actor FROM audit.event WHERE outcome = 'deny' ORDER BY id")
        )
        assert [tuple(row) for row in rows] == [
            ("resource:create", "deny", "missing_scope", SKD),
            ("resource:create", "deny", "not_owner", DIGDIR),
            ("resource:create", "deny", "foreign_scopes", SKD),
        ]


async def test_another_s_scope_prefix_is_unauthorized_not_forbidden(http: httpx2.AsyncClient) -> None:
    answer = await http.post(API, json=resource_json(), headers=_as("skd-without-prefix"))
    assert answer.status_code == 401
    assert answer.headers["content-type"] == "application/problem+json"
    body = answer.json()
    assert body.pop("traceId").startswith("00-")
    assert body == {
        "title": "Unauthorized",
        "status": 401,
        "detail": "Not authorized for creating resource with the listed scopes",
        "errors": {"InvalidPrefix": ["folkeregister:deling/finans"]},
    }


async def test_the_administrator_is_exempt_from_owner_and_prefix(http: httpx2.AsyncClient) -> None:
    assert (await http.post(API, json=resource_json(), headers=_as("admin"))).status_code == 201
    assert (await http.put(f"{API}/{ID}", json=resource_json(), headers=_as("admin"))).status_code == 200
    assert (await _upload(http, policy_xml(rule_xml()), by="admin")).status_code == 201
    assert (await http.delete(f"{API}/{ID}", headers=_as("admin"))).status_code == 204


async def test_what_is_read_out_of_a_policy_is_not_there_before_the_policy(http: httpx2.AsyncClient) -> None:
    assert (await http.post(API, json=resource_json(), headers=_as("skd"))).status_code == 201
    for path in ("subjects", "rules", "rights", "report"):
        answer = await http.get(f"{API}/{ID}/policy/{path}")
        assert (answer.status_code, "no policy" in answer.json()["detail"]) == (404, True)


async def test_an_org_code_that_nobody_has_is_a_broken_rule(http: httpx2.AsyncClient) -> None:
    authority = {"organization": str(SKD), "orgcode": "skatt"}
    for token in ("skd", "admin"):
        answer = await http.post(API, json=resource_json(hasCompetentAuthority=authority), headers=_as(token))
        assert answer.status_code == 400
        assert answer.json()["errors"] == {
            "HasCompetentAuthority.Orgcode": ["The orgcode skatt is not a registered service owner's"]
        }
    assert (await http.get(f"{API}/{ID}")).status_code == 404


async def test_all_broken_field_rules_come_at_once(http: httpx2.AsyncClient) -> None:
    broken = {"identifier": "AB", "title": {"nb": "x"}, "resourceType": "MaskinportenSchema", "delegable": False}
    answer = await http.post(API, json=broken, headers=_as("skd"))
    assert answer.status_code == 400
    body = answer.json()
    assert (body["title"], body["status"]) == ("One or more validation errors occurred.", 400)
    assert body["errors"] == {
        "HasCompetentAuthority.Organization": ["HasCompetentAuthority needs to be set with valid organization number"],
        "Identifier": ["Invalid id. Only a-z and 0-9 is allowed together with _ and -.  Minimum 4 characters"],
        "Title": ["Missing title in english en", "Missing title in nynorsk nn"],
        "Description": [
            "Missing Description in english en",
            "Missing Description in bokmal nb",
            "Missing Description in nynorsk nn",
        ],
        "ResourceReferences": ["Missing maskinporten scopen for MaskinportenSchema resource"],
    }


@pytest.mark.parametrize(
    ("content", "field"),
    [
        (b"", ""),
        (b"   ", ""),
        (b"{", "$"),
        (b'{"a": 1, "a": 2}', "$"),
        (b"[" * 100, "$"),
        (b'{"identifier": "\\ud800"}', "$"),
        (b"[]", "$"),
        (b'"text"', "$"),
        (b'{"title": "x"}', "$.title"),
        (b'{"title": {"nb": 7}}', "$.title.nb"),
        (b'{"resourceType": "Rubbish"}', "$.resourceType"),
        (b'{"resourceReferences": [{"referenceType": 77}]}', "$.resourceReferences.0.referenceType"),
        (b'{"status": "a\\u0000b"}', "$.status"),
        (b'{"delegable": "no"}', "$.delegable"),
        (b'{"identifier": "skd-one", "Identifier": "skd-two"}', "$"),
        (b'{"identifier": "skd-one", "IDENTIFIER": null}', "$"),
        (b'{"rightDescription": {}, "right_description": {}}', "$"),
        (b'{"hasCompetentAuthority": {"orgcode": "skd", "orgCode": "nav"}}', "$.hasCompetentAuthority"),
        (b'{"consentMetadata": {"a": {"optional": 1}}}', "$.consentMetadata.a.optional"),
    ],
)
async def test_a_body_that_can_not_be_read_tells_where(http: httpx2.AsyncClient, content: bytes, field: str) -> None:
    answer = await http.post(API, content=content, headers=_as("skd"))
    assert (answer.status_code, list(answer.json()["errors"])) == (400, [field])


async def test_a_body_of_another_kind_or_too_long_is_refused(http: httpx2.AsyncClient) -> None:
    plain = {**_as("skd"), "Content-Type": "text/plain"}
    assert (await http.post(API, content=b"{}", headers=plain)).status_code == 415
    long = json.dumps(resource_json(homepage="x" * 1024 * 1024)).encode()
    assert (await http.post(API, content=long, headers=_as("skd"))).status_code == 413


async def test_a_resource_is_published_once(http: httpx2.AsyncClient) -> None:
    await _publish(http)
    answer = await http.post(API, json=resource_json(), headers=_as("skd"))
    assert (answer.status_code, answer.text) == (409, f"The Resource already exist: {ID}")


async def test_the_path_and_the_body_name_the_same_resource(http: httpx2.AsyncClient) -> None:
    await _publish(http)
    answer = await http.put(f"{API}/{ID}", json=resource_json("another"), headers=_as("skd"))
    assert (answer.status_code, answer.text) == (400, "Id in path does not match ID in resource")
    assert answer.headers["content-type"].startswith("text/plain")


async def test_a_resource_is_removed_in_test_and_never_in_production(
    http: httpx2.AsyncClient, database: Database
) -> None:
    await _publish(http)
    production = app(ResourcesService(database, FixedClock(NOW)), Tokens(), base_url=BASE)
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app=production), base_url=BASE) as client:
        client.base_url = httpx2.URL("https://platform.test")
        answer = await client.delete(f"{API}/{ID}", headers=_as("skd"))
        assert answer.status_code == 403
        assert answer.text == "Delete operation is not allowed in PROD environment"
    answer = await http.delete(f"{API}/{ID}", headers=_as("skd"))
    assert (answer.status_code, answer.content) == (204, b"")
    assert (await http.get(f"{API}/{ID}")).status_code == 404


async def test_lists_and_searches(http: httpx2.AsyncClient, service: ResourcesService) -> None:
    await _publish(http)
    application = [{"referenceType": "ApplicationId", "referenceSource": "Altinn3", "reference": "skd/melding"}]
    for kind, name in (("AltinnApp", "app_skd_melding"), ("MigratedApp", "app_skd_a2-1-2")):
        references = [{**application[0], "reference": f"skd/{name.removeprefix('app_skd_')}"}]
        await service.declare_resource(resource(name, resourceType=kind, resourceReferences=references))

    async def found(path: str) -> list[str]:
        answer = await http.get(f"{API}/{path}")
        assert answer.status_code == 200
        return [one["identifier"] for one in answer.json()]

    assert await found("resourcelist") == ["app_skd_melding", ID]
    assert await found("resourcelist?includeApps=FALSE") == [ID]
    assert await found("resourcelist?includeapps=false&includeMigratedApps=true") == ["app_skd_a2-1-2", ID]
    assert await found("Search?id=FINANS") == [ID]
    assert await found("search?resourceType=altinnapp&title=nothing") == ["app_skd_melding"]
    assert await found("Search?orgCode=skd&organizationId=974761076&reference=deling") == [ID]
    assert await found("Search?keyword=nothing") == []
    assert await found("Search?description=%00") == []
    answer = await http.get(f"{API}/Search?resourceType=rubbish")
    assert (answer.status_code, list(answer.json()["errors"])) == (400, ["resourceType"])
    answer = await http.get(f"{API}/resourcelist?includeApps=maybe")
    assert (answer.status_code, list(answer.json()["errors"])) == (400, ["includeApps"])
    app_document = (await http.get(f"{API}/app_skd_melding")).json()
    assert app_document["authorizationReference"] == [
        {"id": "urn:altinn:org", "value": "skd"},
        {"id": "urn:altinn:app", "value": "melding"},
    ]


async def test_the_service_owners_are_open_to_all(http: httpx2.AsyncClient, service: ResourcesService) -> None:
    names = {"nb": "Skatteetaten", "en": "The Norwegian Tax Administration"}
    skd = ServiceOwner(orgnr=str(SKD), name=names, homepage="https://www.skatteetaten.no", environments=["tt02"])
    await service.declare_service_owner("skd", skd)
    answer = await http.get(f"{API}/orgs")
    assert answer.json() == {
        "orgs": {
            "digdir": {"name": {}, "orgnr": "991825827", "environments": []},
            "skd": {
                "name": names,
                "orgnr": "974761076",
                "homepage": "https://www.skatteetaten.no",
                "environments": ["tt02"],
            },
        }
    }
    assert await service.org_codes() == {"digdir": DIGDIR, "skd": SKD}


async def test_a_policy_is_uploaded_and_read_back(http: httpx2.AsyncClient) -> None:
    await _publish(http)
    xml = b"\xef\xbb\xbf" + policy_xml(rule_xml())
    answer = await _upload(http, xml)
    assert (answer.status_code, answer.content) == (201, b"")
    assert answer.headers["location"] == f"{ID}/policy"
    assert answer.headers["policy-warnings"] == "none"
    answer = await http.get(f"{API}/{ID}/policy")
    assert (answer.status_code, answer.content) == (200, xml)
    assert answer.headers["content-type"] == "text/xml"
    assert "filename=policy.xml" in answer.headers["content-disposition"]


async def test_a_policy_that_is_not_there_is_told_from_a_resource_that_is_not(http: httpx2.AsyncClient) -> None:
    await _publish(http)
    answer = await http.get(f"{API}/{ID}/policy")
    assert (answer.status_code, answer.text) == (404, "Unable to find requested policy")
    answer = await http.get(f"{API}/nope/policy")
    assert (answer.status_code, answer.text) == (404, "Unable to find resource")


@pytest.mark.parametrize(
    ("xml", "message"),
    [
        (
            policy_xml(rule_xml(), rule_xml("another-resource")),
            "Policy not accepted: Contains rules for a different registry resource",
        ),
        (
            policy_xml(rule_xml(), rule_xml("")),
            "Policy not accepted: Contains rule without reference to registry resource id",
        ),
        (b"", "Policy not accepted: not well-formed XML: Document is empty"),
        (b"<Policy>", "Policy not accepted: not well-formed XML"),
        (b'<!DOCTYPE p [<!ENTITY e "x">]><p>&e;</p>', "Policy not accepted: a policy has no DOCTYPE"),
    ],
)
async def test_a_policy_is_refused_in_words(http: httpx2.AsyncClient, xml: bytes, message: str) -> None:
    await _publish(http)
    answer = await _upload(http, xml)
    assert answer.status_code == 400
    assert answer.headers["content-type"].startswith("text/plain")
    assert answer.text.startswith(message)
    assert (await http.get(f"{API}/{ID}/policy")).status_code == 404


async def test_an_upload_needs_a_file_and_a_resource(http: httpx2.AsyncClient) -> None:
    await _publish(http)
    url = f"{API}/{ID}/policy"
    for sent in (
        {"files": {"another": ("policy.xml", b"<x/>", "text/xml")}},
        {"data": {"policyFile": "<x/>"}},
        {"content": b"<x/>"},
        {"content": b"--x\r\n", "headers": {"Content-Type": "multipart/form-data; boundary=y"}},
        {"content": b"--x\r\n", "headers": {"Content-Type": "multipart/form-data"}},
    ):
        headers: Any = {**_as("skd"), **sent.pop("headers", {})}  # type: ignore[dict-item]
        answer = await http.post(url, headers=headers, **sent)
        assert (answer.status_code, answer.text) == (400, "The policy file can not be null")
    answer = await _upload(http, policy_xml(), identifier="nope")
    assert (answer.status_code, answer.text) == (400, "Unknown resource")


async def test_a_policy_of_more_than_ten_mebibytes_is_too_large(http: httpx2.AsyncClient) -> None:
    await _publish(http)
    answer = await _upload(http, b" " * (10 * 1024 * 1024 + 1))
    assert answer.status_code == 400
    assert answer.text.startswith("Policy not accepted: a policy has at most 10485760 bytes")
    answer = await _upload(http, b" " * (11 * 1024 * 1024))
    assert answer.status_code == 413


async def test_what_is_odd_in_a_policy_is_told_and_the_policy_is_taken(http: httpx2.AsyncClient) -> None:
    await _publish(http)
    answer = await _upload(http, policy_xml(rule_xml(roles=("dagl",)), rule_xml(rule_id="r2", roles=("kongen",))))
    assert answer.status_code == 201
    assert answer.headers["policy-warnings"] == "unknown-subject=1"
    answer = await http.get(f"{API}/{ID}/policy/report")
    assert answer.json() == {
        "rules": 2,
        "combinations": 2,
        "counts": {"unknown-subject": 1},
        "warnings": [
            {
                "code": "unknown-subject",
                "message": "there is no role code 'kongen': nobody can hold it",
                "ruleId": "r2",
                "line": 3,
            }
        ],
    }


async def test_subjects_rules_and_rights_are_read_out_of_the_policy(http: httpx2.AsyncClient) -> None:
    await _publish(http)
    await _upload(
        http,
        policy_xml(
            rule_xml(roles=("DAGL", "lede"), actions=("read",)),
            rule_xml(rule_id="r2", roles=("dagl",), actions=("read", "write")),
            rule_xml(rule_id="r3", effect="Deny", roles=("medl",), actions=("read",)),
        ),
    )
    subjects = (await http.get(f"{API}/{ID}/policy/subjects?reloadFromXacml=true")).json()
    assert subjects == {
        "links": {},
        "data": [
            {"type": "urn:altinn:rolecode", "value": code, "urn": f"urn:altinn:rolecode:{code}"}
            for code in ("dagl", "lede")
        ],
    }
    on = [{"type": "urn:altinn:resource", "value": ID}]

    def action(name: str) -> dict[str, str]:
        return {"type": "urn:oasis:names:tc:xacml:1.0:action:action-id", "value": name}

    def who(code: str) -> list[dict[str, str]]:
        return [{"type": "urn:altinn:rolecode", "value": code}]

    assert (await http.get(f"{API}/{ID}/policy/rules")).json() == [
        {"subject": who("DAGL"), "action": action("read"), "resource": on},
        {"subject": who("lede"), "action": action("read"), "resource": on},
        {"subject": who("dagl"), "action": action("read"), "resource": on},
        {"subject": who("dagl"), "action": action("write"), "resource": on},
    ]
    rights = (await http.get(f"{API}/{ID}/policy/rights")).json()
    assert [right["action"]["value"] for right in rights] == ["read", "write"]
    assert rights[0]["subjects"] == [{"subjectAttributes": who(code)} for code in ("DAGL", "lede", "dagl")]
    assert rights[0]["subjectTypes"] == ["urn:altinn:rolecode"]
    assert rights[0]["rightKey"].startswith(f"read;{ID};")
    direct = await http.get(f"/api/v2/resource/{ID}/policy/rights", headers={"Accept-Language": "nn-NO,nn;q=0.9"})
    assert [(right["name"], right["key"][:2], len(right["key"])) for right in direct.json()] == [
        ("Les", "01", 66),
        ("Skriv", "01", 66),
    ]
    assert direct.json()[0]["resource"] == on
    assert direct.json()[0]["action"] == action("read")


async def test_resources_are_found_by_subjects(http: httpx2.AsyncClient) -> None:
    await _publish(http)
    await _upload(http, policy_xml(rule_xml()))
    for path in (f"{API}/bysubjects/", f"{API}/bysubjects"):
        answer = await http.post(path, json=["urn:altinn:rolecode:dagl", "urn:altinn:rolecode:lede", "\x00"])
        assert answer.json() == {
            "links": {},
            "data": [
                {
                    "subject": {
                        "type": "urn:altinn:rolecode",
                        "value": "dagl",
                        "urn": "urn:altinn:rolecode:dagl",
                    },
                    "resources": [{"type": "urn:altinn:resource", "value": ID, "urn": f"urn:altinn:resource:{ID}"}],
                }
            ],
        }
    for body in ("text", [1], {"a": "b"}, None):
        assert (await http.post(f"{API}/bysubjects/", json=body)).status_code == 400


async def test_a_policy_of_too_many_combinations_is_not_written_out(http: httpx2.AsyncClient) -> None:
    await _publish(http)
    names = [f"a{number}" for number in range(400)]
    assert (await _upload(http, policy_xml(rule_xml(roles=names, actions=names)))).status_code == 201
    for path in (f"{API}/{ID}/policy/rules", f"{API}/{ID}/policy/rights", f"/api/v2/resource/{ID}/policy/rights"):
        assert (await http.get(path)).status_code == 422
    assert len((await http.get(f"{API}/{ID}/policy/subjects")).json()["data"]) == 400


async def test_the_feeds_are_read_page_by_page(http: httpx2.AsyncClient, service: ResourcesService) -> None:
    for name in ("first", "second", "third"):
        await service.declare_resource(resource(name), policy_xml(rule_xml(name, roles=("dagl", "lede"))))
    for feed, size, expected in (
        (
            "updated",
            4,
            [
                (f"urn:altinn:resource:{name}", code)
                for name in ("first", "second", "third")
                for code in ("dagl", "lede")
            ],
        ),
        ("changes", 2, [("first",), ("second",), ("third",)]),
    ):
        seen: list[tuple[str, ...]] = []
        url: str | None = f"{API}/{feed}?limit={size}"
        while url is not None:
            page = (await http.get(url)).json()
            for one in page["data"]:
                if feed == "updated":
                    assert (one["updatedAt"], one["deleted"]) == ("2026-11-21T12:00:00+00:00", False)
                    seen.append((one["resourceUrn"], one["subjectUrn"].rpartition(":")[2]))
                else:
                    assert one["changedAt"] == "2026-11-21T12:00:00+00:00"
                    seen.append((one["resourceId"],))
            url = page["links"].get("next")
            if url is not None:
                assert url.startswith(f"{BASE}/api/v1/resource/{feed}?")
                url = url.removeprefix(BASE)
        assert seen == expected


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("updated?limit=0", "RR.VLD-00008"),
        ("updated?limit=1001", "RR.VLD-00008"),
        ("changes?limit=0", "RR.VLD-00011"),
        ("changes?limit=-5", "RR.VLD-00011"),
    ],
)
async def test_a_page_has_one_to_a_thousand_entries(http: httpx2.AsyncClient, query: str, code: str) -> None:
    answer = await http.get(f"{API}/{query}")
    assert (answer.status_code, answer.json()["code"]) == (400, "STD-00000")
    [fault] = answer.json()["validationErrors"]
    assert (fault["code"], fault["paths"]) == (code, ["/$QUERY/limit"])


@pytest.mark.parametrize(
    "query",
    [
        "updated?since=yesterday",
        "updated?since=0001-01-01T00:00:00%2B14:00",
        "updated?token=%C3%A6",
        "updated?token=e30",
        "updated?token=eyJhIjoxfQ==",
        "changes?token=e30",
        "changes?token=LTE",
        "changes?limit=many",
        "changes?limit=%D9%A1",
        "changes?token=eyJyZXNvdXJjZSI6IlwidTAwMDAiLCJ0eXBlIjoiIiwidmFsdWUiOiIifQ",
    ],
)
async def test_a_feed_tells_what_it_can_not_read(http: httpx2.AsyncClient, query: str) -> None:
    answer = await http.get(f"{API}/{query}")
    assert (answer.status_code, list(answer.json()["errors"])) == (400, [query.partition("?")[2].partition("=")[0]])


async def test_since_may_say_its_offset_with_a_plus_that_is_not_escaped(http: httpx2.AsyncClient) -> None:
    assert (await http.get(f"{API}/updated?since=2026-11-21T12:00:00+00:00")).status_code == 200
    assert (await http.get(f"{API}/updated?since=2026-11-21")).status_code == 200


async def test_services_for_the_public_are_exported(http: httpx2.AsyncClient, service: ResourcesService) -> None:
    await service.declare_resource(resource())
    await service.declare_resource(
        resource(
            "skd-kart",
            resourceType="GenericAccessResource",
            title={"nb": 'Et "kart"\nog mer', "nn": "Kart", "en": "Map", "no, really": "x"},
            keywords=[{"word": "kart", "language": "nb"}],
        )
    )
    await service.declare_service_owner("ttd", ServiceOwner(orgnr=str(DIGDIR)))
    await service.declare_resource(
        resource("ttd-kart", resourceType="GenericAccessResource", hasCompetentAuthority={"orgcode": "TTD"})
    )
    answer = await http.get(f"{API}/export")
    assert answer.headers["content-type"].partition(";")[0] == "application/xml+rdf"
    assert answer.text.count("cpsv:PublicService") == 1
    assert "<https://platform.altinn.no/resourceRegistry/skd-kart> a cpsv:PublicService;" in answer.text
    assert 'dct:title "Et \\u0022kart\\u0022\\u000aog mer"@nb;' in answer.text
    assert 'dct:title "x";' in answer.text
    assert 'dct:keyword "kart"@nb.' in answer.text
    assert "organizations/974761076>" in answer.text


async def test_an_app_s_policy_may_name_org_and_app(http: httpx2.AsyncClient, service: ResourcesService) -> None:
    application = [{"referenceType": "ApplicationId", "referenceSource": "Altinn3", "reference": "skd/melding"}]
    name = "app_skd_melding"
    await service.declare_resource(resource(name, resourceType="AltinnApp", resourceReferences=application))

    def about(org: str, app_name: str) -> bytes:
        where = any_of(match(SERVICE_OWNER, org, RESOURCE_CATEGORY) + match(APP, app_name, RESOURCE_CATEGORY))
        return policy_xml(rule_xml("").replace("</Target>", f"{where}</Target>"))

    assert (await _upload(http, about("skd", "melding"), identifier=name)).status_code == 201
    direct = (await http.get(f"/api/v2/resource/{name}/policy/rights")).json()
    assert [right["resource"] for right in direct] == [[{"type": "urn:altinn:resource", "value": name}]]
    answer = await _upload(http, about("skd", "another"), identifier=name)
    assert answer.text == "Policy not accepted: Contains rule without reference to registry resource id"


async def test_a_path_or_method_that_is_none_is_a_problem(http: httpx2.AsyncClient) -> None:
    for method, path, status in (
        ("GET", "/api/v1/nothing", 404),
        ("GET", API, 405),
        ("PATCH", f"{API}/{ID}", 405),
        ("DELETE", f"{API}/{ID}/policy", 405),
    ):
        answer = await http.request(method, path)
        assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
    assert set((await http.patch(f"{API}/{ID}")).headers["allow"].split(", ")) == {"GET", "HEAD", "PUT", "DELETE"}


async def test_without_a_database_the_registry_is_unavailable() -> None:
    down = ResourcesService(Database("postgresql://nobody@127.0.0.1:9/none"), FixedClock(NOW))
    transport = httpx2.ASGITransport(app=app(down, Tokens(), base_url=BASE))
    async with httpx2.AsyncClient(transport=transport, base_url="https://platform.test") as client:
        assert (await client.get(f"{API}/{ID}")).status_code == 503

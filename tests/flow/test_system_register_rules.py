"""What a system may be: every rule of altinn-authentication.md §6.2 that the register knows, and their order (§7)."""

from __future__ import annotations

from typing import Any

import pytest

from fullmakt.infra.database import Database
from tests.support.systemusers import (
    OTHER,
    REGISTER,
    SYSTEM,
    VENDOR,
    RegisterSetting,
    codes,
    definition,
    package,
    right,
)

OWN = f"{REGISTER}/vendor/{SYSTEM}"
RIGHTS, PACKAGES = "/registersystemrequest/rights/resource", "/registersystemrequest/accesspackages"
SYSTEM_ID, CLIENTS = "/registersystemrequest/systemid", "/registersystemrequest/clientid"


@pytest.fixture
async def setting(database: Database) -> RegisterSetting:
    setting = RegisterSetting(database)
    await setting.register("first", clientId=["taken"])
    return setting


def fault(code: int, path: str, detail: str, **extensions: str) -> dict[str, Any]:
    return {"code": f"AUTH.VLD-{code:05}", "detail": detail, "paths": [path], **extensions}


BLANKS = fault(13, SYSTEM_ID, "System ID cannot have spaces in id (leading, trailing or in between the id)")
ID_FORM = fault(1, SYSTEM_ID, "The system id does not match the format orgnumber_xxxx...")
TAKEN = fault(2, SYSTEM_ID, "The system id already exists")
REDIRECTS = fault(
    5,
    "/registersystemrequest/allowedredirecturls",
    "One or more of the redirect urls format is not valid. The valid format is https://xxx.xx",
)
CLIENT_TWICE = fault(11, CLIENTS, "Request contains duplicate client ids")
CLIENT_TAKEN = fault(4, CLIENTS, "One of the client id is already tagged with an existing system")
RIGHT_TWICE = fault(6, RIGHTS, "One or more duplicate rights found")
PACKAGE_TWICE = fault(7, PACKAGES, "One or more duplicate access package(s) found")
NOT_ASSIGNABLE = fault(
    18,
    PACKAGES,
    "Access packages meant for system user for client relations can't be used in combination with the flag"
    " isVisible: true",
)


def no_resource(identifiers: str) -> dict[str, Any]:
    text = "One or all the resources in rights is not found in altinn's resource register"
    return fault(3, RIGHTS, text, **{"ResourceIds Not Found : ": identifiers})


def bad_resource_id(identifiers: str) -> dict[str, Any]:
    text = "One or more resource id is in wrong format. The valid format is urn:altinn:resource"
    return fault(9, RIGHTS, text, **{"Invalid Resource Id Details : ": identifiers})


def not_delegable(identifiers: str) -> dict[str, Any]:
    text = "One or more resources specified in rights is of resource type which is not delegable."
    return fault(17, RIGHTS, text, **{"ResourceIds Not Delegable : ": identifiers})


def bad_packages(details: str) -> dict[str, Any]:
    text = "One or all the accesspackage(s) is not found in altinn's access packages or is not delegable"
    return fault(8, PACKAGES, text, **{"Invalid Urn Details : ": details})


OLD_RIGHT = {"resource": [{"id": "urn:altinn:app", "value": "endring"}]}

ID_CASES: dict[str, tuple[str, list[dict[str, Any]]]] = {
    "blank": (f"{VENDOR}_smart cloud", [BLANKS]),
    "blank_at_the_end": (f"{VENDOR}_smartcloud ", [BLANKS]),
    "other_number": (f"{OTHER}_smartcloud", [ID_FORM]),
    "no_name": (f"{VENDOR}_", [ID_FORM]),
    "no_underscore": (f"{VENDOR}", [ID_FORM]),
    "empty": ("", [ID_FORM]),
    "slash": (f"{VENDOR}_a/b", [ID_FORM]),
    "too_long": (f"{VENDOR}_{'x' * 246}", [ID_FORM]),
    "taken": (f"{VENDOR}_first", [TAKEN]),
}
COLLECTED: dict[str, tuple[dict[str, Any], list[dict[str, Any]]]] = {
    "http": ({"allowedRedirectUrls": ["http://smartcloud.example"]}, [REDIRECTS]),
    "relative": ({"allowedRedirectUrls": ["/receipt"]}, [REDIRECTS]),
    "no_host": ({"allowedRedirectUrls": ["https://a.example", "https:///receipt"]}, [REDIRECTS]),
    "bad_port": ({"allowedRedirectUrls": ["https://a.example:99999/"]}, [REDIRECTS]),
    "blank_in_url": ({"allowedRedirectUrls": ["https://a.example/a b"]}, [REDIRECTS]),
    "bad_ipv6": ({"allowedRedirectUrls": ["https://[::1"]}, [REDIRECTS]),
    "client_twice": ({"clientId": ["a", "A"]}, [CLIENT_TWICE]),
    "client_taken": ({"clientId": ["a", "TAKEN"]}, [CLIENT_TAKEN]),
    "unknown_resource": ({"rights": [right("none"), right("krav"), right("nil")]}, [no_resource("none | nil")]),
    "not_a_resource": ({"rights": [OLD_RIGHT]}, [bad_resource_id("endring")]),
    "schema": ({"rights": [right("api"), right("kept")]}, [not_delegable("api | kept")]),
    "right_twice": ({"rights": [right("krav"), right("melding"), right("krav")]}, [RIGHT_TWICE]),
    "unknown_packages": (
        {"accessPackages": [package("none"), package("for-ingen"), {"urn": "skatt"}, {}]},
        [
            bad_packages(
                "Invalid format: skatt,  | Not found: urn:altinn:accesspackage:none"
                " | Not possible to delegate: urn:altinn:accesspackage:for-ingen"
            ),
            NOT_ASSIGNABLE,
        ],
    ),
    "package_twice": ({"accessPackages": [package("skatt"), package("skatt")]}, [PACKAGE_TWICE]),
    "visible_for_clients": ({"accessPackages": [package("for-kunder")]}, [NOT_ASSIGNABLE]),
    "everything": (
        {
            "allowedRedirectUrls": ["ftp://a"],
            "clientId": ["taken", "taken"],
            "rights": [OLD_RIGHT, right("none"), right("api"), right("api")],
            "accessPackages": [package("for-kunder"), package("for-kunder"), package("none")],
        },
        [
            REDIRECTS,
            CLIENT_TWICE,
            CLIENT_TAKEN,
            bad_resource_id("endring"),
            no_resource("none"),
            not_delegable("api | api"),
            RIGHT_TWICE,
            bad_packages("Not found: urn:altinn:accesspackage:none"),
            PACKAGE_TWICE,
            NOT_ASSIGNABLE,
        ],
    ),
}


@pytest.mark.parametrize(("system_id", "faults"), ID_CASES.values(), ids=ID_CASES)
async def test_a_system_is_named_for_its_vendor(
    setting: RegisterSetting, system_id: str, faults: list[dict[str, Any]]
) -> None:
    async with setting.client() as vendor:
        answer = await vendor.post(f"{REGISTER}/vendor", json=definition(id=system_id))
    assert answer.status_code == 400
    body = answer.json()
    assert body.pop("traceId")
    assert body == {
        "type": "https://tools.ietf.org/html/rfc9110#section-15.5.1",
        "title": "Bad Request",
        "status": 400,
        "detail": "One or more validation errors occurred.",
        "code": "STD-00000",
        "validationErrors": faults,
    }


@pytest.mark.parametrize(("changes", "faults"), COLLECTED.values(), ids=COLLECTED)
async def test_all_that_is_wrong_is_told_at_once_of_a_new_system_and_of_an_old_one(
    setting: RegisterSetting, changes: dict[str, Any], faults: list[dict[str, Any]]
) -> None:
    async with setting.client() as vendor:
        refused = await vendor.post(f"{REGISTER}/vendor", json=definition(**changes))
        assert (refused.status_code, refused.json()["validationErrors"]) == (400, faults)
        await setting.register()
        refused = await vendor.put(OWN, json=definition(**changes))
        assert (refused.status_code, refused.json()["validationErrors"]) == (400, faults)
        assert (await vendor.get(OWN)).headers["etag"] == '"1"'


@pytest.mark.parametrize(
    "identifier",
    ["9908:991825827", "991825827", "0192:99182582", "0192:9918258270", "0192:991825827:x", "0192:99182582a", "", None],
)
async def test_a_vendor_s_number_has_its_form_and_that_is_told_alone(
    setting: RegisterSetting, identifier: str | None
) -> None:
    body = definition(id="a b", clientId=["a", "a"], vendor={"ID": identifier})
    async with setting.client() as vendor:
        assert codes(await vendor.post(f"{REGISTER}/vendor", json=body)) == ["00"]


async def test_packages_for_clients_are_for_systems_that_are_not_shown(setting: RegisterSetting) -> None:
    await setting.register(isVisible=False, accessPackages=[package("for-kunder")])
    async with setting.client() as vendor:
        answer = await vendor.put(f"{OWN}/accesspackages", json=[package("for-kunder"), package("skatt")])
        assert answer.status_code == 200
        shown = definition(accessPackages=[package("for-kunder")])
        assert codes(await vendor.put(OWN, json=shown)) == ["18"]


async def test_the_same_resource_with_another_action_is_another_right(setting: RegisterSetting) -> None:
    await setting.register(rights=[right("krav", "read"), right("krav", "write"), right("krav")])


async def test_rights_and_packages_by_themselves_obey_the_same_rules(setting: RegisterSetting) -> None:
    await setting.register()
    async with setting.client() as vendor:
        refused = await vendor.put(f"{OWN}/rights", json=[right("none"), right("api")])
        assert refused.json()["validationErrors"] == [no_resource("none"), not_delegable("api")]
        refused = await vendor.put(f"{OWN}/accesspackages", json=[package("for-kunder"), package("for-kunder")])
        assert refused.json()["validationErrors"] == [PACKAGE_TWICE, NOT_ASSIGNABLE]
        assert (await vendor.get(OWN)).headers["etag"] == '"1"'


async def test_a_system_keeps_its_own_clients_when_it_is_replaced(setting: RegisterSetting) -> None:
    await setting.register()
    async with setting.client() as vendor:
        kept = definition(clientId=["new", "CLIENT-of-smartcloud"])
        assert (await vendor.put(OWN, json=kept)).status_code == 200
        assert (await vendor.get(OWN)).json()["clientId"] == ["new", "CLIENT-of-smartcloud"]


async def test_a_replacement_is_checked_in_order(setting: RegisterSetting) -> None:
    await setting.register()
    bad: dict[str, Any] = {"clientId": ["a", "a"]}
    async with setting.client() as vendor, setting.client("other") as other, setting.client("admin") as admin:
        unknown = f"{REGISTER}/vendor/{VENDOR}_none"
        theirs = definition(vendor={"ID": f"0192:{OTHER}"}, id="another", **bad)
        assert (await other.put(unknown, json=theirs)).status_code == 404
        assert (await other.put(OWN, json=theirs)).status_code == 403
        answer = await vendor.put(OWN, json=theirs)
        assert (answer.status_code, answer.text) == (404, f"System with ID '{SYSTEM}' not found.")
        await vendor.delete(OWN)
        assert codes(await vendor.put(OWN, json=definition(id="another", **bad))) == ["12"]
        assert (await admin.put(OWN, json=definition(**bad))).text == "Cannot update a system marked as deleted."


async def test_an_outsider_learns_of_no_rule_but_the_first(setting: RegisterSetting) -> None:
    async with setting.client("other") as other:
        assert (await other.post(f"{REGISTER}/vendor", json=definition("first"))).status_code == 403
        malformed = definition(vendor={"ID": "991825827"})
        assert codes(await other.post(f"{REGISTER}/vendor", json=malformed)) == ["00"]


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"id": None}, "id"),
        ({"vendor": None}, "vendor"),
        ({"name": None}, "name"),
        ({"description": None}, "description"),
        ({"name": "SmartCloud"}, "$.name"),
        ({"name": {"nb": 1}}, "$.name"),
        ({"name": {f"l{number}": "x" for number in range(11)}}, "$.name"),
        ({"description": {"nb": "a\x00b"}}, "description"),
        ({"description": {"nb": "x" * 5_001}}, "description"),
        ({"vendor": "0192:991825827"}, "$.vendor"),
        ({"rights": {}}, "$.rights"),
        ({"rights": [{"resource": []}]}, "rights[0].resource"),
        ({"rights": [{"resource": [{"id": "urn:altinn:resource"}]}]}, "$.rights[0].resource[0].value"),
        ({"rights": [right("krav")] * 501}, "$.rights"),
        ({"accessPackages": ["urn:altinn:accesspackage:skatt"]}, "$.accessPackages[0]"),
        ({"accessPackages": [{"urn": 1}]}, "$.accessPackages[0].urn"),
        ({"clientId": "client"}, "$.clientId"),
        ({"clientId": [None]}, "$.clientId[0]"),
        ({"clientId": [" "]}, "clientId[0]"),
        ({"clientId": ["a\nb"]}, "clientId[0]"),
        ({"clientId": ["a", "Æ"]}, "clientId[1]"),
        ({"allowedRedirectUrls": [{}]}, "$.allowedRedirectUrls[0]"),
        ({"isVisible": "yes"}, "$.isVisible"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
async def test_a_body_that_can_not_be_read_says_where(
    setting: RegisterSetting, changes: dict[str, Any], field: str
) -> None:
    async with setting.client() as vendor:
        answer = await vendor.post(f"{REGISTER}/vendor", json=definition(**changes))
    assert answer.status_code == 400
    assert list(answer.json()["errors"]) == [field]


@pytest.mark.parametrize("body", [b"", b"null", b"{", b"1", b'"x"', b"[null]", b"\xff", b'{"a":1,"a":2}'])
@pytest.mark.parametrize("path", ["vendor", f"vendor/{SYSTEM}", f"vendor/{SYSTEM}/rights"])
async def test_a_body_that_is_none_is_refused(setting: RegisterSetting, path: str, body: bytes) -> None:
    await setting.register()
    async with setting.client() as vendor:
        method = "POST" if path == "vendor" else "PUT"
        answer = await vendor.request(
            method, f"{REGISTER}/{path}", content=body, headers={"Content-Type": "application/json"}
        )
        assert answer.status_code == 400
        assert answer.json()["title"] == "One or more validation errors occurred."
        assert (await vendor.request(method, f"{REGISTER}/{path}", data={"a": "b"})).status_code == 415
        assert (await vendor.get(OWN)).headers["etag"] == '"1"'

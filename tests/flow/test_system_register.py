"""A vendor registers a system, changes it and deletes it; the portal reads it (altinn-authentication.md §7)."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import httpx2
import pytest

from fullmakt.altinn.parties.metadata.load import published
from fullmakt.infra.database import Database
from fullmakt.serve.neighbours import KnownPackages
from tests.support.systemusers import (
    OTHER,
    REGISTER,
    SYSTEM,
    TEXTS,
    VENDOR,
    RegisterSetting,
    codes,
    definition,
    package,
    right,
)

OWN = f"{REGISTER}/vendor/{SYSTEM}"


@pytest.fixture
async def setting(database: Database) -> RegisterSetting:
    return RegisterSetting(database)


def vendor_answer(**changes: Any) -> dict[str, Any]:
    return {
        **definition(),
        "vendor": {"ID": f"0192:{VENDOR}"},
        "isDeleted": False,
        **changes,
    }


async def test_a_vendor_registers_a_system_and_reads_it(setting: RegisterSetting) -> None:
    async with setting.client() as vendor:
        made = await vendor.post(f"{REGISTER}/vendor/", json=definition())  # a real client writes the slash
        assert (made.status_code, made.json()) == (200, str(UUID(int=1)))
        assert made.headers["content-type"] == "application/json"
        read = await vendor.get(OWN)
    assert (read.status_code, read.json(), read.headers["etag"]) == (200, vendor_answer(), '"1"')


async def test_eformidling_s_integration_point_registers_itself_as_it_does_at_altinn(database: Database) -> None:
    setting = RegisterSetting(database, packages=KnownPackages(published()))
    system = f"{VENDOR}_integrasjonspunkt"
    post = package("informasjon-og-kommunikasjon")
    body = definition(
        "integrasjonspunkt", rights=None, accessPackages=[post], allowedRedirectUrls=None, clientId=[str(UUID(int=9))]
    )
    async with setting.client() as vendor:
        assert (await vendor.post(f"{REGISTER}/vendor/", json=body)).status_code == 200
        assert codes(await vendor.post(f"{REGISTER}/vendor/", json=body)) == ["02", "04"]  # it takes that for fine
        answer = await vendor.put(f"{REGISTER}/vendor/{system}/accesspackages", json=[post, package("skatt-naering")])
        assert answer.json() == {"succeeded": True}
        assert (await vendor.get(f"{REGISTER}/vendor/{system}")).json()["accessPackages"] == [
            post,
            package("skatt-naering"),
        ]
        agents = [package("regnskapsforer-lonn")]
        assert codes(await vendor.put(f"{REGISTER}/vendor/{system}/accesspackages", json=agents)) == ["18"]


async def test_names_are_taken_in_any_case_and_texts_are_trimmed(setting: RegisterSetting) -> None:
    body = {
        "ID": SYSTEM,
        "Vendor": {"id": f" 0192:{VENDOR} "},
        "NAME": TEXTS | {"nb": " SmartSky "},
        "Description": {"nb": "Regnskap", "nn": "Rekneskap", "en": "Accounts"},
        "Rights": [{"Action": "read", "Resource": [{"ID": "urn:altinn:resource ", "VALUE": " krav"}]}],
        "ACCESSPACKAGES": [{"Urn": " urn:altinn:accesspackage:skatt"}],
        "clientid": ["client-of-smartcloud "],
        "AllowedRedirectUrls": [" https://smartcloud.example/receipt"],
        "unknown": {"anything": 1},
    }
    async with setting.client() as vendor:
        assert (await vendor.post(f"{REGISTER.upper()}/VENDOR", json=body)).status_code == 200
        assert (await vendor.get(OWN)).json() == vendor_answer()


async def test_what_may_be_left_out_is_empty_and_the_system_visible(setting: RegisterSetting) -> None:
    bare = definition(rights=None, accessPackages=None, clientId=None, allowedRedirectUrls=None, isVisible=None)
    async with setting.client() as vendor:
        assert (await vendor.post(f"{REGISTER}/vendor", json=bare)).status_code == 200
        read = (await vendor.get(OWN)).json()
    assert read == vendor_answer(rights=[], accessPackages=[], clientId=[], allowedRedirectUrls=[], isVisible=True)


async def test_a_vendor_lists_its_own_live_systems(setting: RegisterSetting) -> None:
    for name in ("b", "a", "gone"):
        await setting.register(name)
    async with setting.client("other") as other, setting.client() as vendor:
        await other.post(f"{REGISTER}/vendor", json=definition("theirs", owner=OTHER))
        await vendor.delete(f"{REGISTER}/vendor/{VENDOR}_gone")
        listed = (await vendor.get(f"{REGISTER}/vendor")).json()
    assert [each["systemId"] for each in listed] == [f"{VENDOR}_a", f"{VENDOR}_b"]


async def test_a_definition_is_replaced_as_a_whole(setting: RegisterSetting) -> None:
    await setting.register()
    changed = definition(
        name={"nb": "Nytt navn"},
        rights=[right("melding")],
        accessPackages=None,
        clientId=["second", "first"],
        allowedRedirectUrls=None,
        isVisible=False,
    )
    async with setting.client() as vendor:
        answer = await vendor.put(OWN, json=changed)
        assert (answer.status_code, answer.json()) == (200, {"succeeded": True})
        read = await vendor.get(OWN)
    assert read.headers["etag"] == '"2"'
    assert read.json() == vendor_answer(
        name={"nb": "Nytt navn"},
        rights=[right("melding")],
        accessPackages=[],
        clientId=["second", "first"],
        allowedRedirectUrls=[],
        isVisible=False,
    )


async def test_rights_and_packages_are_replaced_by_themselves(setting: RegisterSetting) -> None:
    await setting.register()
    async with setting.client() as vendor:
        for path, body in (("rights", [right("melding"), right("krav")]), ("accesspackages", [package("moms")])):
            answer = await vendor.put(f"{OWN}/{path}", json=body)
            assert (answer.status_code, answer.json()) == (200, {"succeeded": True})
        read = (await vendor.get(OWN)).json()
    assert read == vendor_answer(rights=[right("melding"), right("krav")], accessPackages=[package("moms")])


async def test_a_deleted_system_frees_its_clients_and_keeps_its_id(setting: RegisterSetting) -> None:
    await setting.register()
    async with setting.client() as vendor:
        answer = await vendor.delete(OWN)
        assert (answer.status_code, answer.json()) == (200, {"succeeded": True})
        assert (await vendor.get(OWN)).json() == vendor_answer(isDeleted=True)
        assert codes(await vendor.post(f"{REGISTER}/vendor", json=definition())) == ["02"]
        heir = definition("heir", clientId=["client-of-smartcloud"])
        assert (await vendor.post(f"{REGISTER}/vendor", json=heir)).status_code == 200
        again = await vendor.delete(OWN)
    assert (again.status_code, again.json()) == (200, {"succeeded": True})
    assert await setting.service.systems_of_client("client-of-smartcloud") == (
        await setting.service.system(f"{VENDOR}_heir"),
    )


@pytest.mark.parametrize("path", ["", "/rights", "/accesspackages"])
async def test_a_deleted_system_does_not_change(setting: RegisterSetting, path: str) -> None:
    await setting.register()
    async with setting.client() as vendor:
        await vendor.delete(OWN)
        answer = await vendor.put(f"{OWN}{path}", json=[] if path else definition())
    assert (answer.status_code, answer.text) == (400, "Cannot update a system marked as deleted.")


async def test_the_change_log_tells_who_sent_what(setting: RegisterSetting) -> None:
    internal_id = await setting.register()
    async with setting.client() as vendor, setting.client("admin") as admin:
        setting.clock.advance(minutes=1)
        await vendor.put(f"{OWN}/rights", json=[right("melding")])
        await vendor.put(f"{OWN}/accesspackages", json=[])
        await vendor.put(OWN, json=definition())
        await admin.delete(OWN)
        answer = await vendor.get(f"{OWN}/changelog")
    sent = {**definition(), "vendor": {"ID": f"0192:{VENDOR}"}}
    by_vendor = {
        "systemInternalId": str(internal_id),
        "changedByOrgNumber": str(VENDOR),
        "clientId": "vendor-client",
        "created": "2026-01-05T10:12:12.345000Z",
    }
    by_admin = {name: value for name, value in by_vendor.items() if name != "clientId"}
    assert answer.json() == [
        {**by_admin, "changedByOrgNumber": str(OTHER), "changeType": "delete"},
        {**by_vendor, "changeType": "update", "changedData": sent},
        {**by_vendor, "changeType": "accesspackageupdate", "changedData": []},
        {**by_vendor, "changeType": "rightsupdate", "changedData": [right("melding")]},
        {**by_vendor, "changeType": "create", "changedData": sent, "created": "2026-01-05T10:11:12.345000Z"},
    ]


async def test_the_portal_reads_the_catalogue(setting: RegisterSetting) -> None:
    await setting.register()
    await setting.register("gone")
    entry = {
        "systemId": SYSTEM,
        "systemVendorOrgNumber": str(VENDOR),
        "systemVendorOrgName": "",
        "name": TEXTS,
        "description": definition()["description"],
        "rights": [right("krav", "read")],
        "accessPackages": [package("skatt")],
        "isVisible": True,
    }
    async with setting.client() as vendor, setting.client("portal") as portal:
        await vendor.delete(f"{REGISTER}/vendor/{VENDOR}_gone")
        assert (await portal.get(REGISTER)).json() == [entry]
        assert (await portal.get(f"{REGISTER}/{SYSTEM}/")).json() == entry
        assert (await portal.get(f"{REGISTER}/{SYSTEM}/rights")).json() == [right("krav", "read")]
        assert (await portal.get(f"{REGISTER}/{SYSTEM}/accesspackages")).json() == [package("skatt")]
        assert (await portal.get(f"{REGISTER}/{VENDOR}_none")).status_code == 404
        assert (await portal.get(f"{REGISTER}/{VENDOR}_none/rights")).status_code == 404


async def test_an_app_is_named_in_the_old_way_for_who_asks(setting: RegisterSetting) -> None:
    await setting.register(rights=[right("app_ttd_endring"), right("krav")])
    path = f"{REGISTER}/{SYSTEM}/rights"
    old = [{"id": "urn:altinn:org", "value": "ttd"}, {"id": "urn:altinn:app", "value": "endring"}]
    async with setting.client("portal") as portal:
        assert (await portal.get(path)).json() == [right("app_ttd_endring"), right("krav")]
        answer = await portal.get(path, params={"USEOLDFORMATFORAPP": "true"})
        assert answer.json() == [{"resource": old}, right("krav")]
        assert (await portal.get(path, params={"useOldFormatForApp": "maybe"})).status_code == 400


@pytest.mark.parametrize(
    ("method", "path", "status", "text"),
    [
        ("GET", f"{REGISTER}/vendor/{VENDOR}_none", 404, None),
        ("PUT", f"{REGISTER}/vendor/{VENDOR}_none", 404, f"System with ID '{VENDOR}_none' not found."),
        ("PUT", f"{REGISTER}/vendor/{VENDOR}_none/rights", 404, f"System with ID '{VENDOR}_none' not found."),
        ("PUT", f"{REGISTER}/vendor/%00/accesspackages", 404, "System with ID '\x00' not found."),
        ("GET", f"{REGISTER}/vendor/{VENDOR}_none/changelog", 404, None),
    ],
)
async def test_a_system_that_is_none_is_not_found(
    setting: RegisterSetting, method: str, path: str, status: int, text: str | None
) -> None:
    body = [] if path.endswith(("rights", "accesspackages")) else definition("none")
    async with setting.client() as vendor:
        answer = await vendor.request(method, path, json=body if method == "PUT" else None)
    assert answer.status_code == status
    assert text is None or answer.text == text


async def test_deleting_a_system_that_is_none_is_a_bad_request(setting: RegisterSetting) -> None:
    async with setting.client() as vendor:
        answer = await vendor.delete(f"{REGISTER}/vendor/{VENDOR}_none")
    assert answer.status_code == 400
    assert answer.json()["errors"] == {"return": ["System not found"]}


async def test_a_method_that_is_none_is_told_of_all_that_are(setting: RegisterSetting) -> None:
    async with setting.client() as vendor:
        answer = await vendor.patch(OWN, json={})
    assert answer.status_code == 405
    assert {method.strip() for method in answer.headers["allow"].split(",")} >= {"GET", "PUT", "DELETE"}


class TestIfMatch:
    """``If-Match`` on a definition: ours, the real service has no ETags."""

    @pytest.fixture
    async def vendor(self, setting: RegisterSetting) -> Any:
        await setting.register()
        async with setting.client() as client:
            yield client

    @pytest.mark.parametrize(
        ("method", "path", "body"),
        [
            ("PUT", OWN, definition()),
            ("PUT", f"{OWN}/rights", []),
            ("PUT", f"{OWN}/accesspackages", []),
            ("DELETE", OWN, None),
        ],
        ids=["definition", "rights", "packages", "delete"],
    )
    async def test_the_version_must_be_the_newest(
        self, vendor: httpx2.AsyncClient, method: str, path: str, body: Any
    ) -> None:
        async def send(match: str) -> int:
            return (await vendor.request(method, path, json=body, headers={"If-Match": match})).status_code

        assert [await send(match) for match in ('"2"', 'W/"1"', '"01"', '"x"', '"9999999999999999999"')] == [412] * 5
        assert [await send(match) for match in ("1", '"1', '"1" "2"')] == [400] * 3
        assert (await vendor.get(OWN)).headers["etag"] == '"1"'
        changed = await vendor.request(method, path, json=body, headers={"If-Match": '"7", "1"'})
        assert changed.status_code == 200
        assert changed.headers.get("etag") == ('"2"' if method == "PUT" else None)
        assert (await vendor.get(OWN)).headers["etag"] == '"2"'
        stale = await vendor.request(method, path, json=body, headers={"If-Match": '"1"'})
        problem = stale.json()
        assert (stale.status_code, problem["status"], problem["code"]) == (412, 412, "STD-00412")
        assert (problem["type"], problem["title"]) == ("urn:altinn:error:STD-00412", problem["detail"])
        assert problem["traceId"]
        assert await send("*") == 200

    async def test_other_refusals_come_first(self, setting: RegisterSetting, vendor: httpx2.AsyncClient) -> None:
        stale = {"If-Match": '"9"'}
        assert codes(await vendor.put(OWN, json=definition(clientId=["a", "A"]), headers=stale)) == ["11"]
        async with setting.client("other") as other:
            assert (await other.delete(OWN, headers=stale)).status_code == 403

"""Who may do what with a system, and what the audit trail and the change feed hear of it."""

from __future__ import annotations

from typing import Any

import pytest

from fullmakt.infra import feed
from fullmakt.infra.database import Database
from fullmakt.wire.altinn.systemusers import TOPIC
from tests.support.systemusers import OTHER, REGISTER, SYSTEM, VENDOR, RegisterSetting, definition, package, right

OWN = f"{REGISTER}/vendor/{SYSTEM}"
NEW = definition("new")

VENDORS: dict[str, tuple[str, str, Any]] = {
    "list": ("GET", f"{REGISTER}/vendor", None),
    "create": ("POST", f"{REGISTER}/vendor", NEW),
    "read": ("GET", OWN, None),
    "replace": ("PUT", OWN, definition()),
    "rights": ("PUT", f"{OWN}/rights", [right("krav")]),
    "packages": ("PUT", f"{OWN}/accesspackages", [package("skatt")]),
    "changes": ("GET", f"{OWN}/changelog", None),
    "delete": ("DELETE", OWN, None),
}
PORTAL: dict[str, tuple[str, str, Any]] = {
    "catalogue": ("GET", REGISTER, None),
    "entry": ("GET", f"{REGISTER}/{SYSTEM}", None),
    "entry_rights": ("GET", f"{REGISTER}/{SYSTEM}/rights", None),
    "entry_packages": ("GET", f"{REGISTER}/{SYSTEM}/accesspackages", None),
}
ACTIONS = {
    "list": "system:read",
    "create": "system:create",
    "read": "system:read",
    "replace": "system:update",
    "rights": "system:update-rights",
    "packages": "system:update-packages",
    "changes": "system:read",
    "delete": "system:delete",
}


@pytest.fixture
async def setting(database: Database) -> RegisterSetting:
    setting = RegisterSetting(database)
    await setting.register()
    return setting


async def status(setting: RegisterSetting, who: str | None, call: tuple[str, str, Any]) -> int:
    method, path, body = call
    async with setting.client(who) as client:
        answer = await client.request(method, path, json=body)
    if answer.status_code in {401, 403}:
        assert answer.content == b""
    return answer.status_code


@pytest.mark.parametrize("call", [*VENDORS, *PORTAL])
async def test_who_has_no_token_is_nobody(setting: RegisterSetting, call: str) -> None:
    before = await setting.told()
    assert await status(setting, None, {**VENDORS, **PORTAL}[call]) == 401
    assert await status(setting, "unknown", {**VENDORS, **PORTAL}[call]) == 401
    assert await setting.told() == before


@pytest.mark.parametrize(
    ("call", "who", "reason"),
    [
        (call, who, reason)
        for who, reason in (
            ("nobody", "missing_scope"),
            ("portal", "missing_scope"),
            ("person", "no_organisation"),
            ("other", "other_vendor"),
        )
        for call in VENDORS
        if (call, who) != ("list", "other")  # anybody may list their own
    ],
)
async def test_a_system_is_its_vendor_s(setting: RegisterSetting, call: str, who: str, reason: str) -> None:
    async with setting.client() as vendor:
        before = (await vendor.get(OWN)).json()
        heard = await setting.told()
        assert await status(setting, who, VENDORS[call]) == 403
        assert (await vendor.get(OWN)).json() == before
    [(action, outcome, told, _, subject)] = (await setting.told())[len(heard) :]
    assert (action, outcome, told) == (ACTIONS[call], "deny", reason)
    if call not in {"list", "create"}:
        assert subject == f"system:{SYSTEM}"


@pytest.mark.parametrize("call", VENDORS)
@pytest.mark.parametrize("who", ["vendor", "admin"])
async def test_the_vendor_and_an_administrator_may_do_everything(setting: RegisterSetting, call: str, who: str) -> None:
    assert await status(setting, who, VENDORS[call]) == 200


@pytest.mark.parametrize("call", PORTAL)
async def test_the_catalogue_is_the_portal_s(setting: RegisterSetting, call: str) -> None:
    assert await status(setting, "portal", PORTAL[call]) == 200
    for who in ("vendor", "other", "admin"):
        assert await status(setting, who, PORTAL[call]) == 403


async def test_an_administrator_registers_for_another(setting: RegisterSetting) -> None:
    assert await status(setting, "admin", ("POST", f"{REGISTER}/vendor", NEW)) == 200
    made = await setting.service.system(NEW["id"])
    assert made is not None
    assert made.vendor == VENDOR


async def test_the_trail_tells_of_every_change(setting: RegisterSetting) -> None:
    for call in ("rights", "packages", "replace", "delete", "delete"):
        assert await status(setting, "vendor", VENDORS[call]) == 200
    done = [("done", "", str(VENDOR), f"system:{SYSTEM}")] * 5
    actions = ["system:create", "system:update-rights", "system:update-packages", "system:update", "system:delete"]
    assert await setting.told() == [(action, *rest) for action, rest in zip(actions, done, strict=True)]


@pytest.mark.parametrize(
    ("call", "reason"),
    [
        (("POST", f"{REGISTER}/vendor", definition()), "broken_rule"),
        (("PUT", OWN, definition(rights=[right("none")])), "broken_rule"),
        (("PUT", OWN, definition(vendor={"ID": f"0192:{OTHER}"})), "unknown_system"),
        (("PUT", f"{REGISTER}/vendor/{VENDOR}_none", definition("none")), "unknown_system"),
        (("DELETE", f"{REGISTER}/vendor/{VENDOR}_none", None), "unknown_system"),
        (("GET", f"{REGISTER}/vendor/{VENDOR}_none", None), "unknown_system"),
        (("GET", f"{REGISTER}/vendor/{VENDOR}_none/changelog", None), "unknown_system"),
    ],
    ids=["create", "replace", "other_vendor", "unknown", "delete_unknown", "read_unknown", "changes_of_unknown"],
)
async def test_the_trail_tells_of_what_is_refused(
    setting: RegisterSetting, call: tuple[str, str, Any], reason: str
) -> None:
    heard, announced = await setting.told(), await setting.announced()
    assert await status(setting, "vendor", call) in {400, 404}
    [(_, outcome, told, actor, _)] = (await setting.told())[len(heard) :]
    assert (outcome, told, actor) == ("deny", reason, str(VENDOR))
    assert await setting.announced() == announced


async def test_the_trail_tells_of_a_stale_version_and_of_a_deleted_system(setting: RegisterSetting) -> None:
    async with setting.client() as vendor:
        await vendor.put(f"{OWN}/rights", json=[], headers={"If-Match": '"7"'})
        await vendor.delete(OWN)
        await vendor.put(f"{OWN}/rights", json=[])
    reasons = [reason for _, outcome, reason, _, _ in await setting.told() if outcome == "deny"]
    assert reasons == ["stale_version", "system_deleted"]


async def test_the_feed_tells_of_the_system_and_of_its_clients_before_and_after(setting: RegisterSetting) -> None:
    system, first = f"system:{SYSTEM}", "client:client-of-smartcloud"
    await status(setting, "vendor", ("PUT", OWN, definition(clientId=["b", "a"])))
    await status(setting, "vendor", VENDORS["rights"])
    await status(setting, "vendor", VENDORS["delete"])
    await status(setting, "vendor", VENDORS["delete"])
    both = [(3, "client:a"), (3, "client:b"), (3, system)]
    assert await setting.announced() == [
        (1, first),
        (1, system),
        *((2, key) for key in ("client:a", "client:b", first, system)),
        *both,
        *((4, key) for _, key in both),
    ]


async def test_of_too_many_clients_the_feed_tells_everybody(setting: RegisterSetting) -> None:
    many = [f"client-{number}" for number in range(1_001)]
    assert await status(setting, "vendor", ("PUT", OWN, definition(clientId=many))) == 200
    async with setting.database.transaction() as connection:
        changes = await feed.changes_since(connection, TOPIC, 1)
    assert set(changes.keys) == {feed.EVERYTHING, f"system:{SYSTEM}"}
    [found] = await setting.service.systems_of_client("client-1000")
    assert found.client_ids == tuple(many)


async def test_a_client_is_looked_up_however_it_is_spelled(setting: RegisterSetting) -> None:
    for spelling in ("client-of-smartcloud", "CLIENT-of-smartcloud"):
        [found] = await setting.service.systems_of_client(spelling)
        assert found.id == SYSTEM
    for other in ("", "client\x00", "client"):
        assert await setting.service.systems_of_client(other) == ()


async def test_the_feed_tells_of_a_client_as_it_is_spelled_and_as_maskinporten_writes_it(
    setting: RegisterSetting,
) -> None:
    assert await status(setting, "vendor", ("POST", f"{REGISTER}/vendor", definition("new", clientId=["AB-1"]))) == 200
    assert [key for version, key in await setting.announced() if version == 2] == [
        "client:AB-1",
        "client:ab-1",
        f"system:{VENDOR}_new",
    ]


@pytest.mark.parametrize("system_id", ["", "a\x00", "a/b", "x" * 256, f"{VENDOR}_none"])
async def test_what_is_no_system_is_none(setting: RegisterSetting, system_id: str) -> None:
    assert await setting.service.system(system_id) is None

"""What only this program offers in Altinn 3's form: withdrawal, use, giving up, the owner's list, notifications."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

import orjson
import pytest

from fullmakt.altinn.consents.model import ConsentRight, Form
from fullmakt.altinn.consents.sending import Sending
from fullmakt.infra.database import Database
from fullmakt.infra.opaque import opaque
from fullmakt.wire.altinn.consents import TOPIC
from fullmakt.wire.altinn.resource_registry import ServiceOwner
from tests.support.consents import (
    AGENT,
    BANK,
    BFF,
    EVENTS,
    EXT,
    INCOME,
    KARI,
    LOOK_UP,
    NOW,
    ONCE,
    OTHER_BANK,
    REQUESTS,
    ConsentSetting,
    codes,
    consent,
    organisation_urn,
    person_urn,
    right,
    wish,
)
from tests.support.feeds import announced

HOOK = "https://bank.example/hendelser"


@pytest.fixture
async def setting(database: Database) -> AsyncIterator[ConsentSetting]:
    setting = await ConsentSetting(database, page_size=2).begin()
    yield setting
    await setting.end()


async def events(setting: ConsentSetting, consent_id: str) -> list[str]:
    document = (await setting.call("bank", "GET", f"{REQUESTS}/{consent_id}")).json()
    return [event["eventType"] for event in document["consentRequestEvents"]]


async def use(setting: ConsentSetting, who: str, consent_id: object, body: Any = None) -> Any:
    return await setting.call(who, "POST", f"{EXT}/consents/{consent_id}/use", body)


# -- withdrawal --


async def test_a_request_is_withdrawn_as_long_as_nobody_has_answered_it(setting: ConsentSetting) -> None:
    made = await setting.requested()
    for _ in range(2):
        answer = await setting.call("bank", "DELETE", f"{EXT}/consentrequests/{made['id']}")
        assert (answer.status_code, answer.content) == (204, b"")
    assert await events(setting, made["id"]) == ["Created", "Deleted"]
    refused = await setting.call("kari", "POST", f"{BFF}/consentrequests/{made['id']}/accept")
    assert codes(refused) == ["AM-00002"]
    given = await setting.accepted()
    answered = await setting.call("bank", "DELETE", f"{EXT}/consentrequests/{given}")
    assert (answered.status_code, codes(answered)) == (400, ["AM-00015"])
    setting.clock.advance(seconds=301)
    told = (await setting.call("bank", "GET", EVENTS, eventType="deleted")).json()["data"]
    assert [(one["consentRequestId"], one["eventType"]) for one in told] == [(made["id"], "Deleted")]


async def test_each_change_is_announced_by_the_consent_its_giver_and_its_receiver(setting: ConsentSetting) -> None:
    given, withdrawn, declined = [(await setting.requested())["id"] for _ in range(3)]
    kari, bank = await setting.uuid(KARI), await setting.uuid(BANK)
    for who, method, path, changed in (
        ("bank", "DELETE", f"{EXT}/consentrequests/{withdrawn}", withdrawn),
        ("kari", "POST", f"{BFF}/consentrequests/{declined}/reject", declined),
        ("kari", "POST", f"{BFF}/consentrequests/{given}/accept", given),
        ("bank", "POST", f"{EXT}/consents/{given}/use", given),
        ("kari", "POST", f"{BFF}/consents/{given}/revoke", given),
    ):
        before = (await announced(setting.database, TOPIC)).version
        assert (await setting.call(who, method, path)).is_success
        found = await announced(setting.database, TOPIC, before)
        assert set(found.keys) == {f"consent:{changed}", f"from:{kari}", f"to:{bank}"}, path
        assert (await setting.call("other", "DELETE", f"{EXT}/consents/{given}")).status_code == 404
        assert (await announced(setting.database, TOPIC, found.version)).keys == ()


async def test_others_can_not_withdraw_it_and_do_not_learn_that_it_is_there(setting: ConsentSetting) -> None:
    made = await setting.requested()
    for who, consent_id in (("other", made["id"]), ("bank", uuid4())):
        answer = await setting.call(who, "DELETE", f"{EXT}/consentrequests/{consent_id}")
        assert (answer.status_code, codes(answer)) == (404, ["AM-00001"])
    assert (await setting.call("reader", "DELETE", f"{EXT}/consentrequests/{made['id']}")).status_code == 403
    assert await events(setting, made["id"]) == ["Created"]


async def test_the_supplier_withdraws_what_it_handles_on_its_own_account_too(setting: ConsentSetting) -> None:
    made = await setting.requested("agent")
    assert (await setting.call("agent-itself", "DELETE", f"{EXT}/consentrequests/{made['id']}")).status_code == 204


async def test_of_an_answer_and_a_withdrawal_at_the_same_time_one_stands(setting: ConsentSetting) -> None:
    made = await setting.requested()
    answered, withdrawn = await asyncio.gather(
        setting.call("kari", "POST", f"{BFF}/consentrequests/{made['id']}/accept"),
        setting.call("bank", "DELETE", f"{EXT}/consentrequests/{made['id']}"),
    )
    assert (answered.status_code, withdrawn.status_code) in {(200, 400), (400, 204)}
    assert len(await events(setting, made["id"])) == 2


# -- use, and giving up --


async def test_a_lasting_consent_is_used_again_and_again(setting: ConsentSetting) -> None:
    given = await setting.accepted()
    for body in (None, {"usedAt": "2026-03-02T12:00:00"}, {"usedAt": "2026-03-02T12:00:00+01:00"}):
        assert (await use(setting, "bank", given, body)).status_code == 204
    assert await events(setting, given) == ["Created", "Accepted", "Used", "Used", "Used"]
    assert (await use(setting, "bank", given, {"usedAt": "i går"})).status_code == 400


async def test_one_that_is_good_for_one_time_is_over_when_it_has_been_used(setting: ConsentSetting) -> None:
    given = await setting.accepted(consentRights=[right(ONCE)])
    assert (await use(setting, "bank", given)).status_code == 204
    assert await events(setting, given) == ["Created", "Accepted", "Used", "Revoked"]
    again = await use(setting, "bank", given)
    assert (again.status_code, codes(again)) == (400, ["AM-00011"])
    body = {"id": given, "from": person_urn(KARI), "to": organisation_urn(BANK)}
    assert codes(await setting.call("maskinporten", "POST", LOOK_UP, body)) == ["AM-00011"]


async def test_one_resource_that_is_good_for_one_time_makes_the_whole_consent_so(setting: ConsentSetting) -> None:
    for rights in ([right(inntektsaar="2025"), right(ONCE)], [right(ONCE), right(inntektsaar="2025")]):
        given = await setting.accepted(consentRights=rights)
        assert (await use(setting, "bank", given)).status_code == 204
        assert await events(setting, given) == ["Created", "Accepted", "Used", "Revoked"]


async def test_one_that_is_good_for_one_time_is_used_once_however_many_try(setting: ConsentSetting) -> None:
    given = await setting.accepted(consentRights=[right(ONCE)])
    answers = await asyncio.gather(*(use(setting, "bank", given) for _ in range(5)))
    assert sorted(answer.status_code for answer in answers) == [204, 400, 400, 400, 400]


async def test_who_may_say_that_it_has_been_used(setting: ConsentSetting) -> None:
    given, asked = await setting.accepted("agent"), (await setting.requested())["id"]
    for who, status in (("agent", 204), ("agent-itself", 204), ("owner", 204), ("other", 404), ("reader", 403)):
        assert (await use(setting, who, given)).status_code == status, who
    for who in ("bank", "owner"):
        assert codes(await use(setting, who, asked)) == ["AM-00014"]
    assert codes(await use(setting, "owner", uuid4())) == ["AM-00001"]


async def test_an_owner_of_another_service_can_not(setting: ConsentSetting) -> None:
    given = await setting.accepted()
    setting.callers.known["owner"] = setting.callers.known["other"]
    assert codes(await use(setting, "owner", given)) == ["AM-00001"]


async def test_an_owner_of_one_of_two_services_can_not(setting: ConsentSetting) -> None:
    await setting.resources.declare_service_owner("bank", ServiceOwner(orgnr=OTHER_BANK))
    authority = {"organization": OTHER_BANK, "orgcode": "bank", "name": {"nb": "Banken"}}
    await setting.service_of("bank_1_1", hasCompetentAuthority=authority)
    given = await setting.accepted(consentRights=[right(inntektsaar="2025"), right("bank_1_1")])
    assert codes(await use(setting, "owner", given)) == ["AM-00001"]
    assert (await use(setting, "bank", given)).status_code == 204


async def test_what_altinn_3_does_not_know_is_not_to_be_had_here(setting: ConsentSetting) -> None:
    kari, bank = await setting.uuid(KARI), await setting.uuid(BANK)
    made = consent(form=Form.ALTINN2, giver=kari, receiver=bank, created_by=bank, rights=(ConsentRight(INCOME),))
    await setting.service.using.request(made, bank, "bank")
    withdrawal = await setting.call("bank", "DELETE", f"{EXT}/consentrequests/{made.id}")
    await setting.service.answering.accept(made.id, setting.callers.known["kari"], language="nb")
    end = await setting.call("bank", "DELETE", f"{EXT}/consents/{made.id}")
    for answer in (withdrawal, end, await use(setting, "bank", made.id), await use(setting, "owner", made.id)):
        assert (answer.status_code, codes(answer)) == (404, ["AM-00001"])


async def test_who_may_not_do_a_thing_is_told_the_same_however_the_consent_stands(setting: ConsentSetting) -> None:
    asked, given = (await setting.requested())["id"], await setting.accepted()
    for consent_id in (asked, given, await setting.accepted(consentRights=[right(ONCE)])):
        await use(setting, "bank", consent_id)
        for method, path in (
            ("DELETE", f"{EXT}/consentrequests/{consent_id}"),
            ("DELETE", f"{EXT}/consents/{consent_id}"),
            ("POST", f"{EXT}/consents/{consent_id}/use"),
        ):
            answer = await setting.call("other", method, path)
            assert (answer.status_code, codes(answer)) == (404, ["AM-00001"]), path


async def test_the_receiver_does_without_what_it_was_given(setting: ConsentSetting) -> None:
    given, asked = await setting.accepted(), (await setting.requested())["id"]
    for _ in range(2):
        assert (await setting.call("bank", "DELETE", f"{EXT}/consents/{given}")).status_code == 204
    assert await events(setting, given) == ["Created", "Accepted", "Revoked"]
    assert codes(await setting.call("bank", "DELETE", f"{EXT}/consents/{asked}")) == ["AM-00010"]
    assert codes(await setting.call("other", "DELETE", f"{EXT}/consents/{given}")) == ["AM-00001"]


# -- the owner's list --


async def listed(setting: ConsentSetting, who: str = "owner", **query: Any) -> list[dict[str, Any]]:
    query = {"resource": INCOME, **query}
    answer = await setting.call(who, "GET", f"{EXT}/consents", **query)
    assert answer.status_code == 200, answer.text
    found = list(answer.json()["data"])
    following = answer.json()["links"]["next"]
    return found + (await listed(setting, who, **parse_qs(urlsplit(following).query)) if following else [])


async def test_an_owner_lists_what_was_given_in_the_order_of_the_last_change(setting: ConsentSetting) -> None:
    given = []
    for _ in range(5):
        setting.clock.advance(seconds=1)
        given.append(await setting.accepted("agent"))
    await setting.requested()
    setting.clock.advance(seconds=1)
    await setting.call("kari", "POST", f"{BFF}/consents/{given[1]}/revoke")
    found = await listed(setting)
    assert [one["id"] for one in found] == [given[0], *given[2:], given[1]]
    assert [one["status"] for one in found] == ["active"] * 4 + ["revoked"]
    assert found[-1]["endReason"] == "revoked"
    assert (found[0]["from"], found[0]["to"], found[0]["handledBy"]) == (
        person_urn(KARI), organisation_urn(BANK), organisation_urn(AGENT),
    )  # fmt: skip
    assert [one["id"] for one in await listed(setting, status="revoked")] == [given[1]]
    assert len(await listed(setting, status="active")) == 4
    assert await listed(setting, resource=ONCE) == []


async def test_what_has_lapsed_is_not_in_the_list(setting: ConsentSetting) -> None:
    await setting.accepted(validTo=(NOW + dt.timedelta(hours=1)).isoformat())
    assert len(await listed(setting)) == 1
    setting.clock.advance(hours=2)
    assert await listed(setting) == []


async def test_two_rights_of_one_consent_are_one_line(setting: ConsentSetting) -> None:
    for _ in range(3):
        await setting.accepted(consentRights=[right(inntektsaar="2024"), right(inntektsaar="2025")])
        setting.clock.advance(seconds=1)
    found = await listed(setting)
    assert len(found) == 3
    assert all(len(one["consentRights"]) == 2 for one in found)


async def test_what_was_written_down_late_is_read_by_who_had_gone_past_it(setting: ConsentSetting) -> None:
    async def page(**query: Any) -> tuple[list[str], dict[str, Any]]:
        answer = await setting.call("owner", "GET", f"{EXT}/consents", **({"resource": INCOME} | query))
        following = answer.json()["links"]["next"]
        return [one["id"] for one in answer.json()["data"]], parse_qs(urlsplit(following or "").query)

    given = []
    for _ in range(5):
        given.append(await setting.accepted())
        setting.clock.advance(seconds=1)
    first, following = await page()
    second, following = await page(**following)
    assert first + second == given[:4]
    setting.clock.advance(seconds=-5)
    late = await setting.accepted()  # changed with the first, and seen only now
    setting.clock.advance(seconds=5)
    assert await page(**following) == ([given[4]], {})
    setting.clock.advance(seconds=299)
    assert await page(**following) == ([given[4]], {})
    setting.clock.advance(seconds=1)
    seen: list[str] = []
    while following:
        last = following
        found, following = await page(**following)
        seen += found
    assert sorted(seen) == sorted([late, *given])
    assert await page(**last) == ([], {})


async def test_only_the_owner_lists_it(setting: ConsentSetting) -> None:
    for who, resource, status in (
        (None, INCOME, 401),
        ("bank", INCOME, 403),
        ("owner", "gone", 403),
        ("owner", "skd-skjema", 403),
        ("owner", INCOME, 200),
    ):
        assert (await setting.call(who, "GET", f"{EXT}/consents", resource=resource)).status_code == status
    owner = setting.callers.known["owner"]
    setting.callers.known["owner-of-others"] = replace(owner, consumer=OTHER_BANK)
    assert (await setting.call("owner-of-others", "GET", f"{EXT}/consents", resource=INCOME)).status_code == 403
    assert (await setting.call("owner", "GET", f"{EXT}/consents")).status_code == 400
    assert (await setting.call("owner", "GET", f"{EXT}/consents", resource=INCOME, status="x")).status_code == 400
    for token in ("x", "bnVsbA", "WzEsMl0", "WyIyMDI2LTAxLTAxIiwgIngiXQ", opaque([NOW.isoformat(), "x", "", "", ""])):
        answer = await setting.call("owner", "GET", f"{EXT}/consents", resource=INCOME, continuationToken=token)
        assert codes(answer) == ["AM.VLD-00053"]


# -- notifications --


class Receiver:
    """Takes notifications, or does not: ``answers`` are statuses in turn, None for nobody at home."""

    def __init__(self, *answers: int | None) -> None:
        self.answers = list(answers)
        self.got: list[tuple[str, dict[str, Any]]] = []

    async def send(self, url: str, body: bytes, headers: Mapping[str, str]) -> int:
        assert headers["content-type"].startswith("application/cloudevents+json")
        self.got.append((url, orjson.loads(body)))
        answer = self.answers.pop(0) if self.answers else 202
        if answer is None:
            raise ConnectionError
        return answer


async def test_a_receiver_is_told_of_the_answer_and_of_the_end(setting: ConsentSetting) -> None:
    given = await setting.accepted(notificationUrl=HOOK)
    await setting.accepted()
    receiver, sending = Receiver(), Sending(setting.database, setting.clock)
    assert await sending.send_due(receiver) == 1
    assert await sending.send_due(receiver) == 0
    await use(setting, "bank", given)
    await setting.call("kari", "POST", f"{BFF}/consents/{given}/revoke")
    assert await sending.send_due(receiver) == 1
    (_, accepted), (url, revoked) = receiver.got
    assert url == HOOK
    assert accepted.pop("id") != revoked["id"]
    assert accepted == {
        "specversion": "1.0",
        "source": "urn:altinn:consents",
        "type": "no.altinn.consent.accepted",
        "subject": f"urn:altinn:consent:{given}",
        "time": NOW.isoformat(),
    }
    assert revoked["type"] == "no.altinn.consent.revoked"
    assert KARI not in str(receiver.got)


async def test_a_receiver_is_told_of_a_no_and_not_of_what_it_did_itself(setting: ConsentSetting) -> None:
    declined, withdrawn = [(await setting.requested(notificationUrl=HOOK))["id"] for _ in range(2)]
    await setting.call("kari", "POST", f"{BFF}/consentrequests/{declined}/reject")
    await setting.call("bank", "DELETE", f"{EXT}/consentrequests/{withdrawn}")
    receiver = Receiver()
    assert await Sending(setting.database, setting.clock).send_due(receiver) == 1
    ((_, event),) = receiver.got
    assert (event["type"], event["subject"]) == ("no.altinn.consent.rejected", f"urn:altinn:consent:{declined}")


async def test_a_receiver_that_is_away_is_told_when_it_is_back(setting: ConsentSetting) -> None:
    await setting.accepted(notificationUrl=HOOK)
    receiver, sending = Receiver(None, 500, 202), Sending(setting.database, setting.clock)
    for seconds, sent in ((0, 1), (4, 0), (1, 1), (29, 0), (1, 1), (86_400, 0)):
        setting.clock.advance(seconds=seconds)
        assert await sending.send_due(receiver) == sent
    assert len({one["id"] for _, one in receiver.got}) == 1
    assert await setting.rows("SELECT attempts, due, outcome FROM consents.notification") == [(3, None, "202")]


async def test_one_that_never_answers_is_given_up_and_one_that_is_gone_at_once(setting: ConsentSetting) -> None:
    await setting.accepted(notificationUrl=HOOK)
    receiver, sending = Receiver(*[503] * 20), Sending(setting.database, setting.clock)
    for _ in range(20):
        await sending.send_due(receiver)
        setting.clock.advance(days=2)
    assert len(receiver.got) == 9
    await setting.accepted(notificationUrl=HOOK, validTo=(setting.clock() + dt.timedelta(days=1)).isoformat())
    gone = Receiver(410)
    assert await sending.send_due(gone) == 1
    setting.clock.advance(days=2)
    assert await sending.send_due(gone) == 0
    assert (await setting.rows("SELECT outcome FROM consents.notification ORDER BY created"))[-1] == ("410",)


async def test_a_sender_that_dies_leaves_the_message_to_another(setting: ConsentSetting) -> None:
    await setting.accepted(notificationUrl=HOOK)
    sending = Sending(setting.database, setting.clock)

    class Dying(Receiver):
        async def send(self, url: str, body: bytes, headers: Mapping[str, str]) -> int:
            raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError):
        await sending.send_due(Dying())
    receiver = Receiver()
    assert await sending.send_due(receiver) == 0
    setting.clock.advance(seconds=5)
    assert await sending.send_due(receiver) == 1


async def test_two_senders_send_each_message_once(setting: ConsentSetting) -> None:
    for _ in range(6):
        await setting.accepted(notificationUrl=HOOK)
    receiver = Receiver()
    senders = [Sending(setting.database, setting.clock) for _ in range(3)]
    assert sum(await asyncio.gather(*(one.send_due(receiver) for one in senders))) == 6
    assert len({one["id"] for _, one in receiver.got}) == 6 == len(receiver.got)


@pytest.mark.parametrize(
    "url", ["javascript:alert(1)", "myapp://x", "/hendelser", "https://a@b.example/", "ftp://x.example/"]
)
async def test_notifications_go_to_the_web_alone(setting: ConsentSetting, url: str) -> None:
    refused = await setting.call("bank", "POST", REQUESTS, wish(notificationUrl=url))
    assert codes(refused) == ["AM.VLD-00027"]
    assert refused.json()["validationErrors"][0]["paths"] == ["NotificationUrl"]


async def test_the_sender_goes_on_by_itself_until_it_is_stopped(setting: ConsentSetting) -> None:
    taken = asyncio.Event()

    class Waiting(Receiver):
        async def send(self, url: str, body: bytes, headers: Mapping[str, str]) -> int:
            taken.set()
            return await super().send(url, body, headers)

    sending = Sending(setting.database, setting.clock)
    sending.start(Waiting(), every=0.01)
    await setting.accepted(notificationUrl=HOOK)
    await asyncio.wait_for(taken.wait(), 10)
    await sending.stop()
    await sending.stop()

"""Requests for consent, answered by people over HTTP (consent.md §4.7)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import httpx2
import pytest

from fullmakt.altinn.consents.model import ConsentRight
from fullmakt.infra.database import Database
from fullmakt.wire.altinn.attributes import PERSON, Attribute
from tests.support.consents import (
    BALANCE,
    BFF,
    FIRM,
    KARI,
    NOW,
    ONCE,
    REQUESTS,
    ConsentSetting,
    codes,
    consent,
    organisation_urn,
    person_urn,
    right,
)

STRANGERS = ("ola", "director", "weak")
"""People who can not answer for Kari, the last one for not having shown well enough that she is Kari."""


@pytest.fixture
async def setting(database: Database) -> AsyncIterator[ConsentSetting]:
    setting = await ConsentSetting(database).begin()
    yield setting
    await setting.end()


async def answer(setting: ConsentSetting, who: str | None, consent_id: object, act: str = "accept") -> httpx2.Response:
    kind = "consents" if act == "revoke" else "consentrequests"
    return await setting.call(who, "POST", f"{BFF}/{kind}/{consent_id}/{act}")


async def events(setting: ConsentSetting, consent_id: str) -> list[str]:
    document = (await setting.call("bank", "GET", f"{REQUESTS}/{consent_id}")).json()
    return [event["eventType"] for event in document["consentRequestEvents"]]


async def test_a_person_says_yes_and_what_was_read_is_kept(setting: ConsentSetting) -> None:
    made = await setting.requested()
    path = f"{BFF}/consentrequests/{made['id']}/accept"
    accepted = await setting.call("kari", "POST", path, {"language": "NN"})
    assert accepted.status_code == 200
    document = accepted.json()
    kari = setting.callers.known["kari"].party_uuid
    assert document["consentRequestStatus"] == "Accepted"
    assert document["consented"] == NOW.isoformat()
    assert document["from"] == f"urn:altinn:party:uuid:{kari}"
    assert (document["templateId"], document["templateVersion"]) == ("default", 1)
    assert document["requestmessage"] == made["requestMessage"]
    assert document["consentRequestEvents"][-1]["performedBy"] == f"urn:altinn:party:uuid:{kari}"
    given = (await setting.call("kari", "GET", f"{BFF}/consents/{made['id']}")).json()
    assert given["context"] == {"language": "nn"}
    ((shown, language),) = await setting.rows("SELECT shown, language FROM consents.consent")
    assert (shown["language"], language) == ("nn", "nn")
    assert shown["rights"] == [{"resource": "skd_4628_1", "title": "Nynorsk", "text": "Inntekt"}]
    assert "Org 1" in shown["heading"]


async def test_the_text_that_was_accepted_stays_when_the_owner_writes_another(setting: ConsentSetting) -> None:
    consent_id = await setting.accepted()
    await setting.service_of("skd_4628_1", metadata=("annet",), template="poa")
    ((shown,),) = await setting.rows("SELECT shown FROM consents.consent")
    assert shown["rights"][0]["text"] == "Inntekt for 2025"
    read = (await setting.call("bank", "GET", f"{REQUESTS}/{consent_id}")).json()
    assert read["consentRights"] == [right(inntektsaar="2025")]


@pytest.mark.parametrize("act", ["accept", "reject"])
async def test_a_stranger_can_neither_see_nor_answer_it(setting: ConsentSetting, act: str) -> None:
    made = await setting.requested(consentRights=[right(BALANCE, navn="x")])
    for who in STRANGERS:
        for refused in (
            await answer(setting, who, made["id"], act),
            await setting.call(who, "GET", f"{BFF}/consentrequests/{made['id']}"),
        ):
            assert (refused.status_code, codes(refused)) == (403, ["AM-00000"])
        assert (await setting.told())[-1] == ("consent:read", "deny", "not_authorized_for_consent")
    for caller, status in ((None, 401), ("bank", 403), ("unknown", 401)):
        refused = await answer(setting, caller, made["id"], act)
        assert (refused.status_code, refused.content) == (status, b"")
    assert await events(setting, made["id"]) == ["Created"]


async def test_a_request_whose_receiver_is_gone_can_not_be_accepted_and_strangers_learn_nothing_of_it(
    setting: ConsentSetting,
) -> None:
    kari = await setting.service.neighbours.party(Attribute(PERSON, KARI))
    assert kari is not None
    asked = consent(giver=kari.party_uuid, rights=(ConsentRight(BALANCE, metadata={"navn": "x"}),))
    await setting.service.using.request(asked, kari.party_uuid, "x")
    assert codes(await answer(setting, "ola", asked.id)) == ["AM-00000"]
    assert codes(await answer(setting, "kari", asked.id)) == ["AM-00001"]
    assert (await setting.told())[-2:] == [
        ("consent:read", "deny", "not_authorized_for_consent"),
        ("consent:accept", "deny", "consent_not_found"),
    ]


async def test_where_one_person_must_answer_nobody_else_learns_who(setting: ConsentSetting) -> None:
    """The director is in charge, and the request is for Ola, who is not: neither can answer it."""
    made = await setting.requested(**{"from": organisation_urn(FIRM), "requiredDelegator": person_urn(KARI)})
    for who in ("director", "ola", "kari"):
        refused = await answer(setting, who, made["id"])
        assert (refused.status_code, codes(refused)) == (403, ["AM-00000"])
        assert KARI not in refused.text
    own = await setting.requested(requiredDelegator=person_urn(KARI))
    assert (await answer(setting, "kari", own["id"])).status_code == 200


async def test_whoever_is_in_charge_of_an_organisation_answers_for_it(setting: ConsentSetting) -> None:
    made = await setting.requested(**{"from": organisation_urn(FIRM)})
    assert codes(await answer(setting, "kari", made["id"])) == ["AM-00000"]
    assert (await answer(setting, "director", made["id"])).status_code == 200
    assert (await answer(setting, "director", made["id"], "revoke")).status_code == 200


async def test_yes_is_said_once_and_again_changes_nothing(setting: ConsentSetting) -> None:
    consent_id = await setting.accepted()
    again = await answer(setting, "kari", consent_id)
    assert (again.status_code, again.json()["consentRequestStatus"]) == (200, "Accepted")
    assert codes(await answer(setting, "kari", consent_id, "reject")) == ["AM-00015"]
    assert await events(setting, consent_id) == ["Created", "Accepted"]


async def test_no_is_said_once_and_can_not_become_a_yes(setting: ConsentSetting) -> None:
    made = await setting.requested()
    for _ in range(2):
        rejected = await answer(setting, "kari", made["id"], "reject")
        assert (rejected.status_code, rejected.json()["consentRequestStatus"]) == (200, "Rejected")
    assert codes(await answer(setting, "kari", made["id"])) == ["AM-00002"]
    assert codes(await answer(setting, "kari", made["id"], "revoke")) == ["AM-00010"]
    assert (await setting.call("kari", "GET", f"{BFF}/consents/{made['id']}")).status_code == 404
    assert await events(setting, made["id"]) == ["Created", "Rejected"]


async def test_what_was_given_is_taken_back_once(setting: ConsentSetting) -> None:
    consent_id = await setting.accepted()
    for _ in range(2):
        revoked = await answer(setting, "kari", consent_id, "revoke")
        assert (revoked.status_code, revoked.json()["consentRequestStatus"]) == (200, "Revoked")
        assert revoked.json()["consented"] == NOW.isoformat()
    assert codes(await answer(setting, "kari", consent_id)) == ["AM-00002"]
    assert codes(await answer(setting, "ola", consent_id, "revoke")) == ["AM-00000"]
    assert await events(setting, consent_id) == ["Created", "Accepted", "Revoked"]


async def test_when_its_time_is_over_nobody_says_yes(setting: ConsentSetting) -> None:
    made, given = await setting.requested(), await setting.accepted()
    setting.clock.advance(days=366)
    for consent_id in (made["id"], given):
        late = await answer(setting, "kari", consent_id)
        assert (late.status_code, codes(late)) == (400, ["AM.VLD-00022"])
        assert late.json()["validationErrors"][0]["paths"] == ["ValidTo"]
    assert (await answer(setting, "kari", made["id"], "reject")).status_code == 200


async def test_of_two_answers_at_the_same_time_one_stands(setting: ConsentSetting) -> None:
    made = await setting.requested()
    acts = ["accept", "accept", "reject", "accept", "reject", "accept"]
    answers = await asyncio.gather(*(answer(setting, "kari", made["id"], act) for act in acts))
    (_, outcome) = await events(setting, made["id"])
    for act, given in zip(acts, answers, strict=True):
        agreed = outcome == ("Accepted" if act == "accept" else "Rejected")
        assert given.status_code == (200 if agreed else 400)
    changes = [one for one in await setting.told() if one[1] == "done" and one[0] != "consent:request"]
    assert len(changes) == 1


async def test_a_request_that_is_not_there_is_not_found(setting: ConsentSetting) -> None:
    for act in ("accept", "reject", "revoke"):
        missing = await answer(setting, "kari", uuid4(), act)
        assert (missing.status_code, codes(missing)) == (404, ["AM-00001"])
    for path in (f"consentrequests/{uuid4()}", f"consents/{uuid4()}"):
        assert (await setting.call("kari", "GET", f"{BFF}/{path}")).status_code == 404
    assert (await answer(setting, "kari", "none")).status_code == 400


@pytest.mark.parametrize("body", [{"language": "sv"}, {"language": 7}, [], "nb"])
async def test_a_language_that_there_are_no_texts_in_is_refused(setting: ConsentSetting, body: Any) -> None:
    made = await setting.requested()
    refused = await setting.call("kari", "POST", f"{BFF}/consentrequests/{made['id']}/accept", body)
    assert refused.status_code == 400
    assert await events(setting, made["id"]) == ["Created"]


# -- lists --


async def test_the_portal_counts_what_it_shows_and_lists_everything(setting: ConsentSetting) -> None:
    kari = setting.callers.known["kari"].party_uuid
    shown = [await setting.requested(portalViewMode="Show") for _ in range(2)]
    hidden = await setting.requested()
    await setting.requested(**{"from": organisation_urn(FIRM), "portalViewMode": "Show"})
    await answer(setting, "kari", shown[0]["id"])

    async def count(**query: str) -> Any:
        return (await setting.call("kari", "GET", f"{BFF}/consentrequests/count/{kari}", **query)).json()

    assert [await count(), await count(status="created"), await count(status="Accepted")] == [2, 1, 1]
    listed = (await setting.call("kari", "GET", f"{BFF}/consentrequests/list/{kari}")).json()
    assert [one["id"] for one in listed] == [hidden["id"], shown[1]["id"], shown[0]["id"]]
    assert [event["eventType"] for event in listed[-1]["consentRequestEvents"]] == ["Created", "Accepted"]
    setting.clock.advance(days=366)
    assert await count() == 0


async def test_lists_are_for_those_who_see_to_the_party_s_affairs(setting: ConsentSetting) -> None:
    firm = await setting.uuid(FIRM)
    for path in ("list", "count"):
        url = f"{BFF}/consentrequests/{path}/{firm}"
        assert (await setting.call("director", "GET", url)).status_code == 200
        assert codes(await setting.call("kari", "GET", url)) == ["AM-00000"]
        assert (await setting.call("director", "GET", f"{BFF}/consentrequests/{path}/none")).status_code == 400
    assert (await setting.call("director", "GET", f"{BFF}/consentrequests/count/{firm}", status="x")).status_code == 400


async def test_one_that_is_good_for_one_time_says_so(setting: ConsentSetting) -> None:
    consent_id = await setting.accepted(consentRights=[right(ONCE)])
    ((shown, one_time),) = await setting.rows("SELECT shown, one_time FROM consents.consent")
    assert one_time is True
    assert "én gang" in shown["expiration"]
    assert await events(setting, consent_id) == ["Created", "Accepted"]

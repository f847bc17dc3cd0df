"""Requests for consent in Altinn 3's form, by the steps of consent.md §4.4, and read as §4.5 says."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import pytest

from fullmakt.altinn.consents.model import ConsentRight, Form
from fullmakt.infra.database import Database
from fullmakt.wire.altinn import attributes as ids
from fullmakt.wire.altinn.attributes import Attribute
from fullmakt.wire.altinn.callers import Caller
from fullmakt.wire.altinn.consents import WRITE_SCOPE
from tests.support.consents import (
    AGENT,
    API,
    BALANCE,
    BANK,
    BFF,
    CLOSED,
    FIRM,
    FORM,
    INCOME,
    KARI,
    LOAN,
    LOOK_UP,
    NOW,
    OLA,
    OTHER_BANK,
    PAGES,
    REQUESTS,
    ConsentSetting,
    codes,
    consent,
    organisation_urn,
    person_urn,
    right,
    wish,
)
from tests.support.parties import national_id, orgno

PAST = (NOW - dt.timedelta(seconds=1)).isoformat()


@pytest.fixture
async def setting(database: Database) -> AsyncIterator[ConsentSetting]:
    setting = await ConsentSetting(database).begin()
    yield setting
    await setting.end()


async def refused(setting: ConsentSetting, who: str = "bank", **changes: Any) -> list[str]:
    """The codes that a request is refused with."""
    return codes(await setting.call(who, "POST", REQUESTS, wish(**changes)))


# -- 1: who calls (§4.2) --


async def test_a_token_is_asked_for_with_a_scope_and_of_an_organisation(setting: ConsentSetting) -> None:
    for who, status in ((None, 401), ("unknown", 401), ("nobody", 401), ("reader", 403), ("kari", 403)):
        answer = await setting.call(who, "POST", REQUESTS, wish())
        assert (answer.status_code, answer.content) == (status, b"")
    made = await setting.requested()
    for who, status in ((None, 401), ("nobody", 401), ("kari", 403), ("reader", 200), ("bank", 200)):
        assert (await setting.call(who, "GET", f"{REQUESTS}/{made['id']}")).status_code == status


# -- what comes of it --


async def test_a_request_is_answered_with_itself_and_where_to_answer_it(setting: ConsentSetting) -> None:
    sent = wish(requiredDelegator=person_urn(KARI), portalViewMode="show")
    answer = await setting.call("bank", "POST", REQUESTS, sent)
    assert answer.status_code == 201
    assert answer.headers["location"] == f"{API}{REQUESTS}/{sent['id']}"
    document = answer.json()
    (event,) = document.pop("consentRequestEvents")
    assert document == {
        "id": sent["id"],
        "from": person_urn(KARI),
        "to": organisation_urn(BANK),
        "requiredDelegator": person_urn(KARI),
        "handledBy": None,
        "validTo": sent["validTo"],
        "consentRights": sent["consentRights"],
        "requestMessage": sent["requestMessage"],
        "status": "Created",
        "consented": None,
        "redirectUrl": sent["redirectUrl"],
        "viewUri": f"{PAGES}/accessmanagement/ui/consent/request?id={sent['id']}",
        "portalViewMode": "Show",
    }
    assert event.pop("consentEventID")[14] == "7"
    assert event == {
        "created": NOW.isoformat(),
        "performedBy": organisation_urn(BANK),
        "eventType": "Created",
        "consentRequestID": sent["id"],
    }


async def test_names_of_members_are_taken_in_any_case_and_metadata_s_keys_come_back_in_lower(
    setting: ConsentSetting,
) -> None:
    sent = {name.upper(): member for name, member in wish().items()}
    sent["CONSENTRIGHTS"] = [
        {
            "Action": ["consent"],
            "Resource": [{"Type": "urn:altinn:resource", "Value": BALANCE}],
            "metaData": {"NAVN": "Banken"},
        }
    ]
    answer = await setting.call("bank", "POST", f"{REQUESTS}/", sent)
    assert answer.status_code == 201
    assert answer.json()["consentRights"][0]["metadata"] == {"navn": "Banken"}


async def test_two_years_of_one_service_can_be_asked_for_at_once(setting: ConsentSetting) -> None:
    rights = [right(inntektsaar="2024"), right(inntektsaar="2025")]
    made = await setting.requested(consentRights=rights)
    assert made["consentRights"] == rights


async def test_an_organisation_can_be_asked(setting: ConsentSetting) -> None:
    made = await setting.requested(**{"from": organisation_urn(FIRM)})
    assert made["from"] == organisation_urn(FIRM)


# -- 2, 3: suppliers, and whoever asks on behalf of others --


async def test_the_supplier_of_the_token_handles_it_whatever_the_body_says(setting: ConsentSetting) -> None:
    made = await setting.requested("agent", handledBy=organisation_urn(OTHER_BANK))
    assert (made["handledBy"], made["to"]) == (organisation_urn(AGENT), organisation_urn(BANK))
    assert made["consentRequestEvents"][0]["performedBy"] == organisation_urn(BANK)
    assert (await setting.requested(handledBy=organisation_urn(AGENT)))["handledBy"] is None


async def test_only_the_receiver_asks_but_for_those_with_the_scope_for_others(setting: ConsentSetting) -> None:
    answer = await setting.call("other", "POST", REQUESTS, wish())
    assert (answer.status_code, answer.content) == (403, b"")
    assert (await setting.told())[-1] == ("consent:request", "deny", "not_the_receiver")
    made = await setting.requested("broker")
    assert (made["to"], made["handledBy"]) == (organisation_urn(BANK), organisation_urn(OTHER_BANK))


# -- 4: who may ask --


async def test_only_those_on_the_access_list_ask_for_what_is_theirs_to_ask_for(setting: ConsentSetting) -> None:
    answer = await setting.call("bank", "POST", REQUESTS, wish(consentRights=[right(CLOSED)]))
    assert (answer.status_code, answer.content) == (403, b"")
    assert (await setting.told())[-1] == ("consent:request", "deny", "not_permitted")
    members = [Attribute(ids.ORGANISATION, OTHER_BANK)]
    declare = setting.lists.declarations.declare_list
    await declare("skd", "banker", "Banker", members=members, connections={CLOSED: ()})
    assert (await setting.call("bank", "POST", REQUESTS, wish(consentRights=[right(CLOSED)]))).status_code == 403
    await setting.requested("other", to=organisation_urn(OTHER_BANK), consentRights=[right(CLOSED)])
    await declare("skd", "banker", "Banker", connections={CLOSED: ()})
    late = wish(to=organisation_urn(OTHER_BANK), consentRights=[right(CLOSED)])
    assert (await setting.call("other", "POST", REQUESTS, late)).status_code == 403


async def test_a_resource_that_is_not_there_is_a_403_like_one_that_one_may_not_ask_for(
    setting: ConsentSetting,
) -> None:
    for rights in ([right("gone")], [right(inntektsaar="2025"), right("gone")]):
        answer = await setting.call("bank", "POST", REQUESTS, wish(consentRights=rights))
        assert (answer.status_code, answer.content) == (403, b"")


# -- 5: parties --


@pytest.mark.parametrize(
    ("changes", "expected", "extension"),
    [
        ({"from": person_urn(national_id(9))}, "AM-00004", {"fnumber": person_urn(national_id(9))}),
        ({"from": person_urn("12345678901")}, "AM-00004", {"fnumber": person_urn("12345678901")}),
        ({"from": organisation_urn(orgno(9))}, "AM-00003", {"orgnr": organisation_urn(orgno(9))}),
        ({"from": f"urn:altinn:party:uuid:{uuid4()}"}, "AM-00003", None),
        ({"requiredDelegator": person_urn(national_id(9))}, "AM-00004", None),
        ({"requiredDelegator": organisation_urn(FIRM)}, "AM-00003", None),
        (
            {
                "from": person_urn(national_id(9)),
                "requiredDelegator": person_urn(national_id(8)),
                "validTo": PAST,
            },
            "AM-00004",
            {"fnumber": person_urn(national_id(9))},
        ),
    ],
    ids=["person", "check digits", "organisation", "uuid", "delegator", "no person", "the first alone"],
)
async def test_the_first_who_is_not_registered_is_told_of_alone(
    setting: ConsentSetting, changes: dict[str, Any], expected: str, extension: dict[str, str] | None
) -> None:
    answer = await setting.call("bank", "POST", REQUESTS, wish(**changes))
    assert answer.status_code == 400
    assert codes(answer) == [expected]
    if extension:
        assert extension.items() <= answer.json().items()


async def test_a_supplier_that_nobody_knows_is_told_of(setting: ConsentSetting) -> None:
    setting.callers.known["lost"] = Caller(frozenset({WRITE_SCOPE}), consumer=BANK, supplier=orgno(9))
    answer = await setting.call("lost", "POST", REQUESTS, wish())
    assert (codes(answer), answer.json()["orgnr"]) == (["AM-00003"], organisation_urn(orgno(9)))


# -- 6 to 10: what is asked for --


@pytest.mark.parametrize(
    ("changes", "expected", "paths"),
    [
        ({"validTo": PAST}, ["AM.VLD-00022"], [["ValidTo"]]),
        ({"validTo": NOW.isoformat()}, ["AM.VLD-00022"], [["ValidTo"]]),
        ({"consentRights": []}, ["AM.VLD-00023"], [["Resource"]]),
        ({"redirectUrl": "bank.example/retur"}, ["AM.VLD-00027"], [["RedirectUrl"]]),
        ({"redirectUrl": "javascript:alert(1)"}, ["AM.VLD-00027"], [["RedirectUrl"]]),
        (
            {"validTo": PAST, "consentRights": [], "redirectUrl": "x"},
            ["AM.VLD-00022", "AM.VLD-00023", "AM.VLD-00027"],
            [["ValidTo"], ["Resource"], ["RedirectUrl"]],
        ),
        (
            {"consentRights": [{**right(inntektsaar="2025"), "action": []}]},
            ["STD.VLD-00000"],
            [["/consentRight/0/action"]],
        ),
    ],
    ids=["past", "now", "empty", "relative", "script", "all of them", "no action"],
)
async def test_broken_rules_make_one_problem_together(
    setting: ConsentSetting, changes: dict[str, Any], expected: list[str], paths: list[list[str]]
) -> None:
    answer = await setting.call("bank", "POST", REQUESTS, wish(**changes))
    assert answer.status_code == 400
    assert codes(answer) == expected
    assert answer.json()["code"] == "STD-00000"
    assert [fault["paths"] for fault in answer.json()["validationErrors"]] == paths


async def test_a_problem_has_the_shape_of_the_real_one(setting: ConsentSetting) -> None:
    answer = await setting.call("bank", "POST", REQUESTS, wish(consentRights=[right(inntektsaar="2025", ekstra="x")]))
    document = answer.json()
    assert document.pop("traceId").startswith("00-")
    assert document == {
        "type": "urn:altinn:error:AM-00006",
        "title": "Unknown consent metadata",
        "status": 400,
        "code": "AM-00006",
        "statusDescription": "Bad Request",
        "key": "ekstra",
    }


async def test_what_is_not_for_consent_is_no_consent_resource(setting: ConsentSetting) -> None:
    two = {**right(inntektsaar="2025"), "resource": [right()["resource"][0], right(BALANCE)["resource"][0]]}
    assert await refused(setting, consentRights=[two]) == ["AM-00005"]
    assert await refused(setting, consentRights=[right(FORM)]) == ["AM-00005"]
    await setting.service_of("skd_1_1", template="nobody-s")
    assert await refused(setting, consentRights=[right("skd_1_1")]) == ["AM-00005"]


async def test_every_key_that_is_defined_has_a_value_even_one_that_is_said_to_be_optional(
    setting: ConsentSetting,
) -> None:
    missing = await setting.call("bank", "POST", REQUESTS, wish(consentRights=[right()]))
    assert (codes(missing), missing.json()["key"]) == (["AM-00008"], "inntektsaar")
    for nothing in ("", " ", None):
        empty = await setting.call("bank", "POST", REQUESTS, wish(consentRights=[right(inntektsaar=nothing)]))  # type: ignore[arg-type]
        assert codes(empty) == ["AM-00007"]
        assert empty.json()["ConsentRight index: 0, key"] == "inntektsaar"
    assert "Inntektsaar" not in missing.text


async def test_two_wrong_metadata_keys_are_two_problems_in_a_500(setting: ConsentSetting) -> None:
    answer = await setting.call("bank", "POST", REQUESTS, wish(consentRights=[right(En="1", To="2", inntektsaar="3")]))
    document = answer.json()
    assert (answer.status_code, document["status"], document["code"]) == (500, 500, "STD-00001")
    assert [(one["code"], one["key"]) for one in document["problems"]] == [("AM-00006", "en"), ("AM-00006", "to")]
    assert all(one["traceId"] == document["traceId"] for one in document["problems"])


async def test_everything_that_is_wrong_is_told_at_once(setting: ConsentSetting) -> None:
    rights = [{**right(x="1"), "action": []}, right(LOAN), right(LOAN), right(BALANCE, navn="")]
    answer = await setting.call("bank", "POST", REQUESTS, wish(validTo=PAST, redirectUrl="/", consentRights=rights))
    assert answer.status_code == 500
    assert [one["code"] for one in answer.json()["problems"]] == [
        "STD-00000", "STD-00000", "AM-00006", "AM-00008", "AM-00009", "AM-00009", "AM-00007",
    ]  # fmt: skip


async def test_rights_with_different_templates_do_not_go_together(setting: ConsentSetting) -> None:
    assert await refused(setting, consentRights=[right(LOAN), right(inntektsaar="2025")]) == ["AM-00009"]


async def test_why_it_was_refused_is_in_the_trail_without_what_was_sent(setting: ConsentSetting) -> None:
    await refused(setting, **{"from": person_urn(national_id(9))})
    await refused(setting, consentRights=[right(hemmelig="verdi")])
    rows = await setting.rows("SELECT reason, actor, facts::text FROM audit.event WHERE outcome = 'deny' ORDER BY id")
    assert [row[:2] for row in rows] == [("AM-00004", BANK), ("STD-00001", BANK)]
    assert "AM-00006" in rows[1][2]
    assert "hemmelig" not in str(rows)
    assert national_id(9) not in str(rows)


# -- 12: the same id again --


async def test_the_same_request_again_is_given_back_as_it_was(setting: ConsentSetting) -> None:
    sent = wish()
    first = await setting.call("bank", "POST", REQUESTS, sent)
    again = await setting.call("bank", "POST", REQUESTS, {**sent, "redirectUrl": "https://other.example/"})
    assert (first.status_code, again.status_code) == (201, 200)
    assert again.json() == first.json()
    assert "location" not in again.headers


async def test_an_id_between_others_is_taken(setting: ConsentSetting) -> None:
    made = await setting.requested()
    answer = await setting.call("bank", "POST", REQUESTS, wish(id=made["id"], **{"from": person_urn(OLA)}))
    assert (codes(answer), answer.json()["requestId"]) == (["AM-00016"], made["id"])
    answer = await setting.call("other", "POST", REQUESTS, wish(id=made["id"], to=organisation_urn(OTHER_BANK)))
    assert codes(answer) == ["AM-00016"]


async def test_an_id_of_altinn_2s_is_taken_as_long_as_altinn_3_does_not_know_the_consent(
    setting: ConsentSetting,
) -> None:
    kari, bank = await setting.uuid(KARI), await setting.uuid(BANK)
    made = consent(form=Form.ALTINN2, giver=kari, receiver=bank, created_by=bank, rights=(ConsentRight(INCOME),))
    await setting.service.using.request(made, bank, "bank")
    answer = await setting.call("bank", "POST", REQUESTS, wish(id=str(made.id)))
    assert codes(answer) == ["AM-00016"]
    await setting.service.answering.accept(made.id, setting.callers.known["kari"], language="nb")
    await setting.service.migrating.take_over(made.id)
    known = await setting.call("bank", "POST", REQUESTS, wish(id=str(made.id)))
    assert (known.status_code, known.json()["status"]) == (200, "Accepted")


async def test_the_same_request_at_the_same_time_is_made_once(setting: ConsentSetting) -> None:
    sent = wish()
    answers = await asyncio.gather(*(setting.call("bank", "POST", REQUESTS, sent) for _ in range(5)))
    assert sorted(answer.status_code for answer in answers) == [200, 200, 200, 200, 201]
    assert await setting.rows("SELECT type FROM consents.consent_event") == [("Created",)]
    assert [one for one in await setting.told() if one[1] == "done"] == [("consent:request", "done", "")]


# -- reading (§4.5) --


async def test_the_receiver_reads_it_and_nobody_else(setting: ConsentSetting) -> None:
    made = await setting.requested("agent")
    path = f"{REQUESTS}/{made['id']}"
    assert (await setting.call("bank", "GET", path)).json() == made
    assert (await setting.call("agent", "GET", path)).json() == made
    for stranger in ("other", "agent-itself"):
        answer = await setting.call(stranger, "GET", path)
        assert (answer.status_code, codes(answer)) == (403, ["AM-00000"])
    unknown = await setting.call("bank", "GET", f"{REQUESTS}/{uuid4()}")
    assert (unknown.status_code, codes(unknown)) == (404, ["AM-00001"])
    assert (await setting.call("bank", "GET", f"{REQUESTS}/none")).status_code == 400


async def test_that_its_time_is_over_is_told_and_its_status_stays(setting: ConsentSetting) -> None:
    made = await setting.requested()
    setting.clock.advance(days=366)
    document = (await setting.call("bank", "GET", f"{REQUESTS}/{made['id']}")).json()
    assert document["status"] == "Created"
    created, expired = document["consentRequestEvents"]
    assert created["eventType"] == "Created"
    assert (expired["eventType"], expired["created"]) == ("Expired", made["validTo"])
    assert expired["performedBy"] == organisation_urn(BANK)


async def test_the_list_of_templates_is_for_anybody(setting: ConsentSetting) -> None:
    answer = await setting.call(None, "GET", "/api/v1/consent/templates")
    assert [one["id"] for one in answer.json()] == [
        "default", "sblanesoknad", "bst_krav", "poa", "samtykkemal_simpleconsent",
    ]  # fmt: skip


# -- the look-up (§4.9) --


async def look_up(setting: ConsentSetting, consent_id: str, **changes: str) -> Any:
    body = {"id": consent_id, "from": person_urn(KARI), "to": organisation_urn(BANK), **changes}
    return await setting.call("maskinporten", "POST", LOOK_UP, body)


async def test_maskinporten_draws_what_was_given(setting: ConsentSetting) -> None:
    given = await setting.accepted("agent")
    for to in (BANK, AGENT):
        answer = await look_up(setting, given, to=organisation_urn(to))
        assert answer.status_code == 200
        assert answer.json() == {
            "id": given,
            "from": person_urn(KARI),
            "to": organisation_urn(BANK),
            "handledBy": organisation_urn(AGENT),
            "consented": NOW.isoformat(),
            "validTo": (NOW + dt.timedelta(days=365)).isoformat(),
            "consentRights": [right(inntektsaar="2025")],
        }
    assert (await setting.told())[-1] == ("consent:look-up", "permit", "")


async def test_each_cause_has_its_code_and_several_are_a_500(setting: ConsentSetting) -> None:
    asked, given = (await setting.requested())["id"], await setting.accepted()
    for answer, status, code in (
        (await look_up(setting, str(uuid4())), 404, "AM-00001"),
        (await look_up(setting, given, to=organisation_urn(OTHER_BANK)), 404, "AM-00001"),
        (await look_up(setting, given, to=organisation_urn(orgno(9))), 404, "AM-00001"),
        (await look_up(setting, given, to=person_urn(KARI)), 404, "AM-00001"),
        (await look_up(setting, given, **{"from": person_urn(OLA)}), 400, "AM-00012"),
        (await look_up(setting, given, **{"from": person_urn(national_id(9))}), 400, "AM-00012"),
        (await look_up(setting, asked), 400, "AM-00014"),
    ):
        assert (answer.status_code, codes(answer)) == (status, [code])
    several = await look_up(setting, asked, to=organisation_urn(OTHER_BANK), **{"from": person_urn(OLA)})
    assert (several.status_code, codes(several)) == (500, ["AM-00001", "AM-00012", "AM-00014"])
    setting.clock.advance(days=366)
    assert codes(await look_up(setting, given)) == ["AM-00013"]


async def test_a_consent_that_is_revoked_is_not_drawn_from_that_moment_on(setting: ConsentSetting) -> None:
    given = await setting.accepted()
    assert (await look_up(setting, given)).status_code == 200
    assert (await setting.call("kari", "POST", f"{BFF}/consents/{given}/revoke")).status_code == 200
    assert codes(await look_up(setting, given)) == ["AM-00011"]
    assert (await setting.told())[-1] == ("consent:look-up", "deny", "revoked")


async def test_only_maskinporten_looks_up_and_only_by_numbers(setting: ConsentSetting) -> None:
    given = await setting.accepted()
    body = {"id": given, "from": person_urn(KARI), "to": organisation_urn(BANK)}
    for who, status in ((None, 401), ("bank", 403), ("nobody", 200)):
        assert (await setting.call(who, "POST", LOOK_UP, body)).status_code == status
    for changes in ({"from": f"urn:altinn:party:uuid:{uuid4()}"}, {"to": "urn:altinn:party:id:5"}, {"id": "x"}):
        assert (await look_up(setting, given, **changes)).status_code == 400

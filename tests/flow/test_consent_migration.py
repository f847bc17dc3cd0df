"""Consents of Altinn 2 live on in Altinn 3 with the ids they had (consent.md §4.17): taken over, or brought in, by
commands beside a server that goes on. Then a token of Maskinporten's carries them, and Altinn 2 goes on."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from typer.testing import CliRunner, Result

from fullmakt.altinn.consents.declared import DeclaredConsent, DeclaredRight, State
from fullmakt.cli import context
from fullmakt.cli.consent import app
from fullmakt.client import AuthorizationDetailsError, consent
from fullmakt.kernel.clock import FixedClock
from fullmakt.kernel.identifiers import NationalId, OrgNumber
from fullmakt.lanekassen.config import RESOURCE
from fullmakt.serve.assembly import assemble
from fullmakt.serve.database import as_world
from fullmakt.wire.altinn.attributes import ORGANISATION, PERSON, Attribute
from tests.flow.test_lanekassen_in_the_house import ALTINN2, ALTINN3, House
from tests.support.consent_tokens import GIVER
from tests.support.lanekassen import BANK, balance, refused, setting
from tests.support.tokens import NOW, payload_of


@pytest.fixture
async def house(database_url: str, tmp_path: Path) -> AsyncIterator[House]:
    clock = FixedClock(NOW)
    async with setting(database_url, tmp_path, clock, altinn2_url=None, burst=1_000) as there:
        house = House(there)
        await house.fill()

        @asynccontextmanager
        async def opener() -> AsyncIterator[context.OpenWorld]:
            other = assemble(there.assembly.settings, database_url, clock=clock)
            try:
                yield as_world(other)
            finally:
                await other.close()

        settings = there.assembly.settings
        context.provide(opener, lambda: context.Place(tmp_path, settings.issuer, settings.base_url))
        yield house
        context._provided.clear()


async def run(*arguments: str | Path) -> Result:
    """A command of its own, while the server goes on."""
    runner = CliRunner(env={"COLUMNS": "200"})
    result = await asyncio.to_thread(runner.invoke, app, [str(argument) for argument in arguments])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


def drawn(token: str) -> dict[str, Any]:
    """The consent that an access token carries."""
    (element,) = payload_of(token)["authorization_details"]
    return dict(element)


async def record(house: House, consent_id: UUID, **changes: Any) -> dict[str, Any]:
    """A record of Altinn 2's export: the giver's consent to the bank, of last year."""
    names = [Attribute(PERSON, GIVER), Attribute(ORGANISATION, BANK)]
    known = await house.there.assembly.rights.parties.identify(names)
    giver, bank = (str(known[name].party_uuid).upper() for name in names)
    event = {"DelegatedDateTime": "2025-05-26 07:44:06.950", "EventLanguage": 1044, "ConsentTemplate": "default"}
    return {
        "AuthorizationRequestId": str(consent_id).upper(), "From": giver, "To": bank, "requiredDelegator": None,
        "CreatedBy": bank, "HandledBy": None, "Created": "2025-05-26 07:40:00", "ValidTo": "2027-05-22 05:44:06.757",
        "RequestMessage": {"nb": "Hei"}, "ConsentEvents": [{**event, "ConsentEventType": "Delegate"}],
        "RequestResorces": [{"ServiceCode": 5498, "ServiceEditionCode": 1, "Metadata": {"Navn": "Banken AS"}}],
        **changes,
    }  # fmt: skip


async def test_after_the_migration_maskinporten_s_token_carries_the_old_code_and_altinn_2_goes_on(house: House) -> None:
    there, code = house.there, await house.code()
    element = consent(code, GIVER)
    with pytest.raises(AuthorizationDetailsError):
        await there.token(authorization_details=element)
    result = await run("take-over", code)
    assert (result.exit_code, result.stdout) == (0, "✓ 1 taken over\n")
    token = await there.token(authorization_details=element)
    assert drawn(token)["id"] == code
    assert drawn(token)["consentRights"][0]["metadata"] == {"navn": "Banken AS"}
    assert await balance(await there.ask(token)) == ["Lån", "Gebyr", "Omkostninger"]
    old = (await house.consent_token(code)).strip('"')
    assert payload_of(old)["Services"] == ["5498_1", "5498_1_Navn=Banken AS"]
    assert await balance(await there.ask(Consent__ID=old)) == ["Lån", "Gebyr", "Omkostninger"]


async def test_a_consent_that_was_taken_over_ends_everywhere_at_once(house: House) -> None:
    there, code = house.there, await house.code()
    await run("take-over", code)
    await house.person(f"consents/{code}/revoke")
    with pytest.raises(AuthorizationDetailsError):
        await there.token(authorization_details=consent(code, GIVER))
    url = f"{ALTINN2}/api/authorization/token/{code}"
    with pytest.raises(AssertionError, match="either expired or invalid"):
        await house.altinn("GET", url)
    await refused(there, await there.ask(), 403, 7, "consent_missing")
    shown = await run("show", code)
    assert shown.exit_code == 1
    assert "it can not be drawn: consent_ended" in shown.stdout


async def test_all_that_stand_are_taken_over_once_and_the_others_are_counted(house: House) -> None:
    codes = [await house.code() for _ in range(3)]
    await house.person(f"consents/{codes[0]}/revoke")
    would = json.loads((await run("take-over", "--all", "--dry-run", "--json")).stdout)
    did = json.loads((await run("take-over", "--service", "5498/1", "--json")).stdout)
    assert {**would, "dry_run": False} == did
    assert did["counts"] == {"create": 0, "change": 2, "unchanged": 0}
    assert (did["left"], did["not_taken"]) == ({"consent_ended": 1}, [])
    assert (await run("take-over", "--all")).stdout.startswith("✓ nothing to take over\n")
    for code in codes[1:]:
        answer = await house.altinn("GET", f"{ALTINN3}/enterprise/consentrequests/{code}")
        assert (answer.json()["id"], answer.json()["status"]) == (code, "Accepted")


async def test_what_is_named_and_can_not_be_taken_over_is_told_with_the_reason(house: House) -> None:
    code, unknown = await house.code(), str(uuid4())
    await house.person(f"consents/{code}/revoke")
    result = await run("take-over", code, unknown, "--json")
    assert result.exit_code == 1
    told = {one["id"]: (one["reason"], bool(one["words"])) for one in json.loads(result.stdout)["not_taken"]}
    assert told == {code: ("consent_ended", True), unknown: ("consent_not_found", True)}
    assert (await run("take-over", code)).stdout.startswith("✗ 1 not taken: consent_ended\n")
    assert (await run("take-over")).exit_code == 2
    assert (await run("take-over", code, "--all")).exit_code == 2
    assert (await run("take-over", "--service", "1/1")).exit_code == 2
    assert (await run("take-over", "code")).exit_code == 2


async def test_a_consent_of_the_real_altinn_2_is_drawn_by_its_old_code(house: House, tmp_path: Path) -> None:
    there, old, file = house.there, uuid4(), tmp_path / "export.json"
    file.write_text(json.dumps(await record(house, old)), encoding="utf-8")
    assert (await run("import", file, "--dry-run")).stdout == "✓ 1 to bring in\n"
    with pytest.raises(AuthorizationDetailsError):
        await there.token(authorization_details=consent(old, GIVER))
    assert (await run("import", file)).stdout == "✓ 1 brought in\n"
    assert (await run("import", file)).stdout == "✓ 1 there already\n"
    token = await there.token(authorization_details=consent(old, GIVER))
    element = drawn(token)
    assert (element["id"], element["consented"]) == (str(old), "2025-05-26T07:44:06.950000+00:00")
    assert element["consentRights"][0]["resource"][0]["value"] == RESOURCE
    assert await balance(await there.ask(token)) == ["Lån", "Gebyr", "Omkostninger"]
    document = (await house.altinn("GET", f"{ALTINN3}/enterprise/consentrequests/{old}")).json()
    assert [one["eventType"] for one in document["consentRequestEvents"]] == ["Created", "Accepted"]
    with pytest.raises(AssertionError, match="either expired or invalid"):  # it was never given in Altinn 2's form here
        await house.altinn("GET", f"{ALTINN2}/api/authorization/token/{old}")


async def test_what_can_not_be_brought_in_is_told_by_its_record_and_keeps_no_other(
    house: House, tmp_path: Path
) -> None:
    there, here, file = house.there, await house.code(), tmp_path / "export.jsonl"
    good, ids = uuid4(), [uuid4() for _ in range(7)]
    rejected = (await record(house, ids[2]))["ConsentEvents"][0] | {"ConsentEventType": "Reject"}
    deleted = rejected | {"ConsentEventType": "Delete", "DelegatedDateTime": "2025-05-26 07:44:06"}  # to the second
    delegated = rejected | {"ConsentEventType": "Delegate"}
    service = {"ServiceCode": "9999", "ServiceEditionCode": 1, "Metadata": {}}
    records: list[Any] = [
        await record(house, good),
        await record(house, ids[0], RequestResorces=[service]),
        await record(house, ids[1], HandledBy=str(uuid4())),
        await record(house, ids[2], ConsentEvents=[rejected]),
        await record(house, UUID(here), From=f"{ORGANISATION}:{BANK}"),
        await record(house, ids[3], Created="2999-01-01 00:00:00"),
        {"AuthorizationRequestId": str(ids[4])},
        await record(house, good),
        await record(house, UUID(here)),
        await record(house, ids[5], ConsentEvents=[deleted, delegated]),
        await record(house, ids[6], ConsentEvents=[delegated, rejected | {"DelegatedDateTime": "2025-06-01 00:00:00"}]),
    ]
    file.write_text("\n".join([*map(json.dumps, records), "{", ""]), encoding="utf-8")
    result = await run("import", file, "--json")
    assert result.exit_code == 1
    told = json.loads(result.stdout)
    assert told["counts"] == {"create": 2, "change": 1, "unchanged": 1}
    assert [(one["record"], one["reason"]) for one in told["not_taken"]] == [
        (2, "no_consent_service"), (3, "consent_party_unknown"), (4, "consent_not_accepted"), (5, "consent_id_taken"),
        (6, "record_of_the_future"), (7, "record_unreadable"), (11, "consent_not_accepted"), (12, "record_unreadable"),
    ]  # fmt: skip
    assert all(one["words"] and one["remedy"] for one in told["not_taken"])
    for code in (good, UUID(here)):
        assert drawn(await there.token(authorization_details=consent(code, GIVER)))["id"] == str(code)
    with pytest.raises(AuthorizationDetailsError):
        await there.token(authorization_details=consent(ids[5], GIVER))
    again = json.loads((await run("import", file, "--json")).stdout)
    assert again["counts"] == {"create": 0, "change": 0, "unchanged": 4}
    assert again["not_taken"] == told["not_taken"]
    assert GIVER not in result.stdout
    shown = (await run("import", file)).stdout
    assert shown.startswith("✓ 4 there already\n✗ 1 not taken: no_consent_service\n")
    assert f"  record 2, {ids[0]} (service: 9999_1)\n" in shown


async def test_two_who_bring_in_and_take_over_the_same_at_once_come_to_one(house: House, tmp_path: Path) -> None:
    here, file = [await house.code() for _ in range(3)], tmp_path / "export.json"
    ids = [uuid4() for _ in range(20)]
    records = [await record(house, one) for one in (*ids, *map(UUID, here))]
    importing = house.there.assembly.altinn.consents.importing
    taking = house.there.assembly.altinn.consents.service.migrating
    done = await asyncio.gather(
        importing.bring_in(records),
        importing.bring_in(records[::-1]),
        taking.take_over_all([UUID(one) for one in here]),
    )
    outcomes = [one.outcome for one in (*done[0], *done[1])]
    assert sorted(map(str, outcomes)).count("create") == len(ids)
    assert None not in outcomes
    file.write_text(json.dumps(records), encoding="utf-8")
    assert (await run("import", file)).stdout == f"✓ {len(records)} there already\n"


@pytest.mark.parametrize("text", ["", "consents", '[{"a": 1}'])
async def test_a_file_that_is_no_export_is_refused(house: House, tmp_path: Path, text: str) -> None:
    file = tmp_path / "export.json"
    file.write_text(text, encoding="utf-8")
    assert (await run("import", file)).exit_code == 2
    assert (await run("import", tmp_path / "nowhere")).exit_code == 2


async def test_a_consent_is_shown_with_who_and_what_and_when(house: House) -> None:
    code = await house.code()
    result = await run("show", code, "--json")
    assert result.exit_code == 0
    shown = json.loads(result.stdout)
    assert (shown["state"], shown["known_to"], shown["reason"]) == ("accepted", ["altinn2"], "")
    assert shown["rights"] == [{"resource": RESOURCE, "actions": ["consent"], "metadata": {"Navn": "Banken AS"}}]
    assert [one["type"] for one in shown["events"]] == ["Created", "Accepted"]
    assert "it can be drawn" in (await run("show", code)).stdout
    assert (await run("show", str(uuid4()))).exit_code == 2


@pytest.mark.parametrize(
    ("days", "reason"), [(1, "consent_not_accepted"), (-1, "consent_expired")], ids=["yet", "over"]
)
async def test_a_request_that_was_not_answered_in_time_is_not_waited_for(house: House, days: int, reason: str) -> None:
    asked, right, valid_to = uuid4(), DeclaredRight(RESOURCE, (("navn", "Banken AS"),)), NOW + timedelta(days=days)
    await house.there.assembly.altinn.consents.declaring.declare(
        DeclaredConsent(asked, NationalId(GIVER), OrgNumber(BANK), (right,), valid_to, state=State.CREATED)
    )
    result = await run("show", str(asked), "--json")
    assert (result.exit_code, json.loads(result.stdout)["reason"]) == (1, reason)

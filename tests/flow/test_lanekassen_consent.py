"""What Lånekassen checks of consent, in both of Altinn's forms, and what it remembers (lanekassen-saldo.md §5, §6)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from fullmakt.kernel.clock import FixedClock
from fullmakt.lanekassen.store import ENDED_KEPT
from fullmakt.provider import EndedConsents
from tests.support.consent_tokens import CONSENT_ID, GIVER, OWNERS_KEY
from tests.support.fake_issuer import key, party
from tests.support.lanekassen import (
    API_KEYS,
    BANK,
    DELEGATION_SOURCE,
    NO_CUSTOMER,
    OTHERS,
    STRANGER,
    VENDOR,
    Setting,
    balance,
    consent_details,
    refused,
    right,
    setting,
)
from tests.support.tokens import NOW


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(NOW)


@pytest.fixture
async def there(database_url: str, tmp_path: Path, clock: FixedClock) -> AsyncIterator[Setting]:
    async with setting(database_url, tmp_path, clock, burst=1_000) as there:
        yield there


# -- 7 to 13: consent -------------------------------------------------------------------------------------------------


async def test_7_no_consent_is_403(there: Setting) -> None:
    await refused(there, await there.ask(), 403, 7, "consent_missing")


async def test_8_quotes_around_the_consent_token_are_403(there: Setting) -> None:
    await refused(there, await there.ask(Consent__ID=f'"{there.consent()}"'), 403, 8, "consent_quoted")


async def test_8_a_consent_token_that_is_not_to_be_believed_is_403(there: Setting, clock: FixedClock) -> None:
    forged = there.altinn.mint(key("forger"), CoveredBy=str(BANK))
    for consent, why in (
        ("not-a-token", "consent_malformed"),
        (forged, "consent_bad_signature"),
        (there.consent(iss="https://altinn.no/"), "consent_wrong_issuer"),
        (there.consent(nbf=int(clock().timestamp()) + 60), "consent_token_not_yet_valid"),
        (there.consent(OfferedBy=None), "consent_bad_claim"),
        (there.altinn.mint(header={"alg": "none", "kid": there.altinn.thumbprint()}), "consent_algorithm"),
    ):
        await refused(there, await there.ask(Consent__ID=consent), 403, 8, why)


async def test_8_a_consent_token_that_is_replayed_at_second_thirty_one_is_403(
    there: Setting, clock: FixedClock
) -> None:
    consent = there.consent()
    clock.advance(seconds=31)
    await refused(there, await there.ask(Consent__ID=consent), 403, 8, "consent_token_expired")


async def test_9_consent_to_another_service_is_403(there: Setting) -> None:
    for services in (["5498_2"], ["4629_1"], ["54981_1", "54981_1_Navn=5498_1"]):
        consent = there.consent(Services=services)
        await refused(there, await there.ask(Consent__ID=consent), 403, 9, "consent_other_service")
    among_others = there.consent(Services=["4629_1", "5498_1", "5498_1_Navn=Banken AS"])
    assert await balance(await there.ask(Consent__ID=among_others))


async def test_10_consent_to_another_organisation_is_403(there: Setting) -> None:
    """Seed 003: Maskinporten's consumer without 0192: must equal CoveredBy."""
    for receiver in (VENDOR, STRANGER):
        answer = await there.ask(Consent__ID=there.consent(CoveredBy=str(receiver)))
        await refused(there, answer, 403, 10, "consent_other_receiver")


async def test_10_nor_is_a_suppliers_own_consent_its_customers(there: Setting) -> None:
    supplied = await there.token(VENDOR, consumer_org=BANK)
    consent = there.consent(CoveredBy=str(VENDOR))
    answer = await there.ask(supplied, ApiKey=API_KEYS[VENDOR], Consent__ID=consent)
    await refused(there, answer, 403, 10, "consent_other_receiver")


async def test_11_consent_of_another_person_is_403(there: Setting) -> None:
    """Seed 003: OfferedBy is the person that is expected."""
    for giver in (OTHERS, str(BANK)):
        answer = await there.ask(Consent__ID=there.consent(OfferedBy=giver))
        await refused(there, answer, 403, 11, "consent_other_giver")


async def test_12_consent_that_has_lapsed_is_403(there: Setting, clock: FixedClock) -> None:
    """Seed 003: ValidTo lies ahead."""
    now = int(clock().timestamp())
    for dates in ({"ValidToDate": now}, {"ValidToDate": None, "ValidTo": now - 1}, {"ValidTo": now}):
        await refused(there, await there.ask(Consent__ID=there.consent(**dates)), 403, 12, "consent_lapsed")
    assert await balance(await there.ask(Consent__ID=there.consent(ValidToDate=None, ValidTo=now + 1)))


async def test_13_consent_that_another_supplier_fetched_is_403(there: Setting) -> None:
    supplied = await there.token(VENDOR, consumer_org=BANK)
    for token, key_of in ((supplied, VENDOR), (None, BANK)):
        consent = there.consent(HandledBy=str(STRANGER))
        answer = await there.ask(token, ApiKey=API_KEYS[key_of], Consent__ID=consent)
        await refused(there, answer, 403, 13, "consent_other_supplier")


async def test_14_a_person_whom_nobody_knows_here_is_404(there: Setting) -> None:
    answer = await there.ask(PSU_ID=NO_CUSTOMER, Consent__ID=there.consent(OfferedBy=NO_CUSTOMER))
    await refused(there, answer, 404, 14, "unknown_person")


async def test_nobody_learns_without_consent_whether_a_person_exists_or_has_a_loan(there: Setting) -> None:
    token, seen = await there.token(), set()
    for person in (GIVER, "02075700329", NO_CUSTOMER):
        for consent in (None, there.consent(OfferedBy=OTHERS), "rubbish"):
            answer = await there.ask(token, PSU_ID=person, Consent__ID=consent)
            headers = {name: value for name, value in answer.headers.items() if name != "traceparent"}
            seen.add((answer.status_code, answer.text, str(headers)))
    assert len(seen) == 1


# -- consents that are remembered -------------------------------------------------------------------------------------


async def test_a_consent_is_remembered_after_a_200_until_its_end(there: Setting, clock: FixedClock) -> None:
    ends = int(clock().timestamp()) + 3_600
    assert await balance(await there.ask(Consent__ID=there.consent(ValidToDate=ends)))
    clock.advance(seconds=3_599)
    assert await balance(await there.ask())
    clock.advance(seconds=1)
    await refused(there, await there.ask(), 403, 7, "consent_missing")


async def test_it_is_remembered_for_that_bank_and_that_person_alone(there: Setting) -> None:
    await there.ask(Consent__ID=there.consent())
    await refused(there, await there.ask(PSU_ID=OTHERS), 403, 7, "consent_missing")
    strangers = await there.odd_token(consumer=party(STRANGER))
    answer = await there.ask(strangers, ApiKey=API_KEYS[STRANGER])
    await refused(there, answer, 403, 7, "consent_missing")


async def test_a_call_that_was_refused_leaves_nothing_remembered(there: Setting) -> None:
    await there.ask(PSU_ID=NO_CUSTOMER, Consent__ID=there.consent(OfferedBy=NO_CUSTOMER))
    await refused(there, await there.ask(PSU_ID=NO_CUSTOMER), 403, 7, "consent_missing")


async def test_a_token_that_is_sent_counts_though_a_consent_is_remembered(there: Setting) -> None:
    await there.ask(Consent__ID=there.consent())
    await refused(there, await there.ask(Consent__ID="rubbish"), 403, 8, "consent_malformed")
    assert await balance(await there.ask())


async def test_what_a_supplier_fetched_is_remembered_as_that_suppliers(there: Setting) -> None:
    supplied = await there.token(VENDOR, consumer_org=BANK)
    vendors = {"ApiKey": API_KEYS[VENDOR]}
    await there.ask(supplied, Consent__ID=there.consent(HandledBy=str(VENDOR)), **vendors)
    assert await balance(await there.ask(supplied, **vendors))
    await refused(there, await there.ask(), 403, 13, "consent_other_supplier")


async def test_another_process_remembers_it_too(there: Setting, clock: FixedClock) -> None:
    await there.ask(Consent__ID=there.consent())
    state = there.assembly.settings.state
    async with setting(there.assembly.database.url, state, clock, filled=False) as other:
        assert await balance(await other.ask())


async def test_many_calls_at_once_remember_it_once(there: Setting) -> None:
    token = await there.token()
    first, renewed = there.consent(), there.consent(AuthorizationCode="7d9c0c3c-8e4b-4a52-a0f4-cd0c4fd5a7e1")
    answers = await asyncio.gather(*(there.ask(token, Consent__ID=one) for one in (first, renewed) * 25))
    assert {answer.status_code for answer in answers} == {200}
    async with there.assembly.database.transaction() as connection:
        assert (await connection.execute(text("SELECT count(*) FROM lanekassen.consent"))).scalar() == 1
    assert len(await there.trail()) == 50


async def test_a_consent_that_is_revoked_is_evicted_by_the_owners_list_and_not_taken_in_again(
    there: Setting,
) -> None:
    consent = there.consent()
    await there.ask(Consent__ID=consent)
    altinn = there.altinn
    ended = EndedConsents(
        "https://altinn2.test", "5498_1", api_key=OWNERS_KEY, auth=lambda: "owner", http=altinn.http()
    )
    assert await ended.tell(there.consents) == 0
    assert await balance(await there.ask())
    altinn.ended = [CONSENT_ID]
    assert await ended.tell(there.consents) == 1
    event = (await there.trail())[-1]
    assert (event["action"], event["actor"], event["subject"]) == ("consent:forget", BANK, str(CONSENT_ID))
    await refused(there, await there.ask(), 403, 7, "consent_missing")
    assert await balance(await there.ask(Consent__ID=consent))  # its token lives for some seconds yet
    async with there.assembly.database.transaction() as connection:  # and leaves no number behind
        assert (await connection.execute(text("SELECT count(*) FROM lanekassen.consent"))).scalar() == 0
    await refused(there, await there.ask(), 403, 7, "consent_missing")


# -- Altinn 3's form --------------------------------------------------------------------------------------------------


async def test_altinn_3_the_consent_in_maskinportens_token_is_enough(there: Setting) -> None:
    token = await there.odd_token(authorization_details=consent_details())
    assert await balance(await there.ask(token))
    assert (await there.trail())[-1]["facts"]["form"] == "altinn3"
    await refused(there, await there.ask(), 403, 7, "consent_missing")  # the next token brings its own


@pytest.mark.parametrize(
    ("details", "check", "reason"),
    [
        (consent_details(consentRights=[right("ske-samtykke")]), 9, "consent_other_service"),
        (consent_details(consentRights=[right("5498_1")]), 9, "consent_other_service"),
        (consent_details(consentRights=[right("lanekassen_5498_1", "read")]), 9, "consent_other_service"),
        (consent_details(to=party(STRANGER)), 10, "consent_other_receiver"),
        (consent_details(**{"from": f"urn:altinn:person:identifier-no:{OTHERS}"}), 11, "consent_other_giver"),
        (consent_details(**{"from": f"urn:altinn:organization:identifier-no:{BANK}"}), 11, "consent_other_giver"),
        (consent_details(validTo="2026-11-21T12:00:00+00:00"), 12, "consent_lapsed"),
        (consent_details() * 2, 8, "consent_not_one"),
        (consent_details(id="?"), 8, "consent_bad_claim"),
        ([{"type": "urn:altinn:samtykke", "consent_id": str(CONSENT_ID)}], 7, "consent_missing"),
    ],
    ids=["service", "old name", "action", "receiver", "giver", "organisation", "lapsed", "two", "id", "other type"],
)
async def test_altinn_3_each_check(there: Setting, details: Any, check: int, reason: str) -> None:
    token = await there.odd_token(authorization_details=details)
    await refused(there, await there.ask(token), 403, check, reason)


async def test_altinn_3_a_suppliers_token_carries_its_customers_consent(there: Setting) -> None:
    token = await there.odd_token(
        authorization_details=consent_details(), supplier=party(VENDOR), delegation_source=DELEGATION_SOURCE
    )
    assert await balance(await there.ask(token, ApiKey=API_KEYS[VENDOR]))


# -- the daily sweep --------------------------------------------------------------------------------------------------

KEEP = """
INSERT INTO lanekassen.consent (receiver, giver, service, consent_id, valid_to, metadata)
VALUES (:receiver, :giver, '5498_1', gen_random_uuid(), :valid_to, '{}')
"""
HEARD = "INSERT INTO lanekassen.ended_consent (consent_id, heard) VALUES (gen_random_uuid(), :at)"


async def kept(there: Setting) -> tuple[list[str], int]:
    """Whose consents are remembered, and how many are known to have ended."""
    async with there.assembly.database.transaction() as connection:
        givers = await connection.execute(text("SELECT giver FROM lanekassen.consent ORDER BY giver"))
        ended = await connection.execute(text("SELECT count(*) FROM lanekassen.ended_consent"))
        return [row[0] for row in givers], ended.scalar_one()


async def fill_shelf(there: Setting, clock: FixedClock) -> None:
    """Two consents, of which one lapses now, and two ends, of which one is a week old."""
    async with there.assembly.database.transaction() as connection:
        for giver, left in ((GIVER, 1), (OTHERS, 0)):
            values = {"receiver": STRANGER, "giver": giver, "valid_to": clock() + timedelta(seconds=left)}
            await connection.execute(text(KEEP), values)
        for age in (ENDED_KEPT, ENDED_KEPT - timedelta(seconds=1)):
            await connection.execute(text(HEARD), {"at": clock() - age})


async def test_what_has_lapsed_is_swept_away_and_what_has_not_stays(there: Setting, clock: FixedClock) -> None:
    await fill_shelf(there, clock)
    await there.consents.sweep()
    assert await kept(there) == ([GIVER], 1)
    await there.consents.sweep()
    assert await kept(there) == ([GIVER], 1)
    clock.advance(seconds=1)
    await there.consents.sweep()
    assert await kept(there) == ([], 0)


async def test_a_consent_does_not_outlast_the_memory_of_its_end(there: Setting, clock: FixedClock) -> None:
    """It was being remembered while its end was heard: the one did not see the other."""
    await fill_shelf(there, clock)
    async with there.assembly.database.transaction() as connection:
        both = "INSERT INTO lanekassen.ended_consent (consent_id, heard) SELECT consent_id, :at FROM lanekassen.consent"
        await connection.execute(text(f"{both} WHERE giver = :giver"), {"at": clock() - ENDED_KEPT, "giver": GIVER})
    await there.consents.sweep()
    assert await kept(there) == ([], 1)


async def test_starting_begins_the_sweep_though_nobody_calls(
    database_url: str, tmp_path: Path, clock: FixedClock
) -> None:
    async with setting(database_url, tmp_path, clock) as there:
        await there.consents.sweeping.stop()
        await fill_shelf(there, clock)
    async with setting(database_url, tmp_path, clock, filled=False) as there:
        async with asyncio.timeout(30):
            while await kept(there) != ([GIVER], 1):
                pass  # each look gives the sweep its turn
        there.consents.sweeping.begin()
        await there.consents.sweeping.stop()
        await there.consents.sweeping.stop()


async def test_a_sweep_that_fails_ends_no_call(there: Setting) -> None:
    async with there.assembly.database.transaction() as connection:
        await connection.execute(text("ALTER TABLE lanekassen.ended_consent RENAME COLUMN heard TO lost"))
    with pytest.raises(DBAPIError):
        await there.consents.sweep()
    for _ in range(2):
        assert await balance(await there.ask(Consent__ID=there.consent()))

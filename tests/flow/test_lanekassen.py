"""The balance of a student loan for banks with both tokens, and every check before that of consent: headers, API key,
throttle, and Maskinporten's token (lanekassen-saldo.md §2, §5; seed 003)."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from fullmakt.client import AsyncMaskinportenClient, Credentials, MaskinportenError
from fullmakt.kernel.clock import FixedClock
from tests.support.consent_tokens import CONSENT_ID, GIVER
from tests.support.fake_issuer import key
from tests.support.lanekassen import (
    ACCOUNTS,
    API_KEYS,
    BANK,
    BASE,
    CLIENTS,
    DELEGATION_SOURCE,
    OTHER_SCOPE,
    OWNER,
    REQUEST_ID,
    STRANGER,
    TEXTS,
    VENDOR,
    Setting,
    balance,
    refused,
    setting,
)
from tests.support.tokens import NOW, claims_of, key_number, payload_of, sign


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(NOW)


@pytest.fixture
async def there(database_url: str, tmp_path: Path, clock: FixedClock) -> AsyncIterator[Setting]:
    async with setting(database_url, tmp_path, clock, burst=1_000) as there:
        yield there


# -- the balance ------------------------------------------------------------------------------------------------------


async def test_a_bank_with_both_tokens_gets_the_balance(there: Setting) -> None:
    answer = await there.ask(Consent__ID=there.consent())
    assert await balance(answer) == ["Lån", "Gebyr", "Omkostninger"]
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["x-request-id"] == REQUEST_ID
    assert answer.headers["cache-control"] == "no-store"
    document = answer.json()
    assert document["TotalAmount"] == sum(one["Balances"][0]["BalanceAmount"]["amount"] for one in document["Accounts"])
    assert all(one["Bban"] == GIVER and one["Assert"] == "" for one in document["Accounts"])
    (event,) = await there.trail()
    assert (event["action"], event["outcome"], event["reason"]) == ("balance:read", "permit", "consent")
    assert (event["actor"], event["subject"]) == (BANK, str(CONSENT_ID))
    assert event["facts"] == {"consumer": BANK, "client_id": CLIENTS[BANK], "form": "altinn2"}
    assert GIVER not in json.dumps(event, default=str)


@pytest.mark.parametrize("path", ["/saldo/v1/accounts", "/SALDO/V1/ACCOUNTS", "/saldo/v1/Accounts/"])
async def test_the_path_is_the_same_in_any_case(there: Setting, path: str) -> None:
    assert await balance(await there.ask(url=f"{BASE}/lanekassen{path}", Consent__ID=there.consent()))


async def test_a_customer_who_owes_nothing(there: Setting) -> None:
    fabian = "02075700329"
    answer = await there.ask(PSU_ID=fabian, Consent__ID=there.consent(OfferedBy=fabian))
    assert answer.json() == {"Accounts": [], "TotalAmount": 0}


async def test_psu_id_by_the_name_that_a_proxy_makes_of_it(there: Setting) -> None:
    assert await balance(await there.ask(PSU_ID=None, PSU__ID=GIVER, Consent__ID=there.consent()))


# -- seed 003: what Maskinporten says ---------------------------------------------------------------------------------


async def test_the_seeds_access_token_names_the_bank_as_consumer_with_0192_before_its_number(there: Setting) -> None:
    claims = payload_of(await there.token())
    assert claims["scope"] == "lanekassen:lan/v1/saldoopplysninger"
    assert claims["consumer"] == {"authority": "iso6523-actorid-upis", "ID": f"0192:{BANK}"}
    assert claims["token_type"] == "Bearer"
    assert claims["exp"] - claims["iat"] <= 120
    assert "supplier" not in claims


async def test_the_seeds_grant_that_lives_for_120_000_seconds_is_refused(there: Setting) -> None:
    issuer, now = there.assembly.settings.issuer, int(NOW.timestamp())
    asked = {"aud": issuer, "iss": CLIENTS[BANK], "scope": "lanekassen:lan/v1/saldoopplysninger"}
    answers = []
    for lifetime in (120, 121, 120_000):
        grant = sign(claims_of(**asked, exp=now + lifetime), key_number(1))
        form = {"grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer", "assertion": grant}
        answers.append((await there.http.post(f"{issuer}token", data=form)).status_code)
    assert answers == [200, 400, 400]


async def test_a_third_party_gets_its_token_with_consumer_org_and_the_balance_with_its_own_key(there: Setting) -> None:
    token = await there.token(VENDOR, consumer_org=BANK)
    claims = payload_of(token)
    assert claims["consumer"]["ID"] == f"0192:{BANK}"
    assert claims["supplier"] == {"authority": "iso6523-actorid-upis", "ID": f"0192:{VENDOR}"}
    assert claims["delegation_source"] == DELEGATION_SOURCE
    asked = {"ApiKey": API_KEYS[VENDOR], "Consent__ID": there.consent(HandledBy=str(VENDOR))}
    assert await balance(await there.ask(token, **asked))
    assert (await there.trail())[-1]["facts"]["supplier"] == VENDOR


async def test_a_third_party_to_whom_nobody_has_delegated_gets_no_token(there: Setting) -> None:
    credentials = Credentials(there.assembly.settings.issuer, CLIENTS[VENDOR], key_number(2))
    client = AsyncMaskinportenClient(credentials, clock=there.assembly.clock, http=there.http)
    with pytest.raises(MaskinportenError) as refused:
        await client.token("lanekassen:lan/v1/saldoopplysninger", consumer_org=OWNER)
    assert refused.value.status == 403


# -- 1: headers -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "headers",
    [
        {"ApiKey": None},
        {"ApiKey": ""},
        {"Authorization": None},
        {"PSU_ID": None},
        {"PSU_ID": "08027202286"},
        {"PSU_ID": "0802720228"},
        {"PSU_ID": "910753614"},
    ],
    ids=str,
)
async def test_1_a_header_that_is_missing_or_can_not_be_is_400(there: Setting, headers: dict[str, Any]) -> None:
    answer = await there.ask(**{"Consent__ID": there.consent(), **headers})
    assert (answer.status_code, answer.text) == (400, TEXTS[400])
    assert answer.headers["x-request-id"] == REQUEST_ID
    assert await there.trail() == []


@pytest.mark.parametrize("value", [None, "", "x" * 201], ids=["missing", "empty", "long"])
async def test_1_a_request_without_an_id_is_400(there: Setting, value: str | None) -> None:
    answer = await there.ask(X__Request__Id=value, Consent__ID=there.consent())
    assert (answer.status_code, answer.text) == (400, TEXTS[400])
    assert "x-request-id" not in answer.headers


# -- 2 and 3: the API key, and the throttle ---------------------------------------------------------------------------


async def test_2_an_api_key_that_nobody_has_is_400(there: Setting) -> None:
    answer = await there.ask(ApiKey="guessed", Consent__ID=there.consent())
    await refused(there, answer, 400, 2, "unknown_api_key")


async def test_2_or_401_where_that_is_switched_on(database_url: str, tmp_path: Path, clock: FixedClock) -> None:
    async with setting(database_url, tmp_path, clock, unknown_key_status=401) as there:
        answer = await there.ask(ApiKey="guessed", Consent__ID=there.consent())
        await refused(there, answer, 401, 2, "unknown_api_key")


async def test_2_the_demo_world_finds_its_keys_in_the_state_folder(there: Setting, tmp_path: Path) -> None:
    own = (tmp_path / "lanekassen" / f"{BANK}.key").read_text()
    assert await balance(await there.ask(ApiKey=own, Consent__ID=there.consent()))


async def test_3_too_many_calls_are_429_and_told_when_to_come_back(
    database_url: str, tmp_path: Path, clock: FixedClock
) -> None:
    async with setting(database_url, tmp_path, clock, requests_per_second=2, burst=3) as there:
        token, consent = await there.token(), there.consent()
        for _ in range(3):
            assert await balance(await there.ask(token, Consent__ID=consent))
        answer = await there.ask(token, Consent__ID=consent)
        assert (answer.status_code, answer.text, answer.headers["retry-after"]) == (429, TEXTS[429], "1")
        vendors = await there.token(VENDOR, consumer_org=BANK)
        assert await balance(await there.ask(vendors, ApiKey=API_KEYS[VENDOR], Consent__ID=consent))
        clock.advance(seconds=1)
        assert await balance(await there.ask(token))


# -- 4 to 6: Maskinporten's token -------------------------------------------------------------------------------------


async def test_4_the_word_bearer_is_401(there: Setting) -> None:
    answer = await there.ask(f"Bearer {await there.token()}", Consent__ID=there.consent())
    await refused(there, answer, 401, 4, "bearer_prefix")


async def test_4_and_passed_over_when_lenient(database_url: str, tmp_path: Path, clock: FixedClock) -> None:
    async with setting(database_url, tmp_path, clock, strict=False) as there:
        consent = f'"{there.consent()}"'
        assert await balance(await there.ask(f"Bearer {await there.token()}", Consent__ID=consent))


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"iss": "https://test.maskinporten.no/"}, "wrong_issuer"),
        ({"exp": int(NOW.timestamp()) - 11}, "expired"),
        ({"iat": int(NOW.timestamp()) + 60}, "not_yet_valid"),
        ({"consumer": None}, "no_consumer"),
        ({"consumer": {"authority": "iso6523-actorid-upis", "ID": "0007:910753614"}}, "no_consumer"),
        ({"consumer": {"authority": "iso6523", "ID": f"0192:{BANK}"}}, "no_consumer"),
        ({"jti": None}, "bad_claim"),
    ],
    ids=str,
)
async def test_4_a_token_that_is_not_to_be_believed_is_401(there: Setting, changes: dict[str, Any], why: str) -> None:
    answer = await there.ask(await there.odd_token(**changes), Consent__ID=there.consent())
    await refused(there, answer, 401, 4, "invalid_token")
    assert (await there.trail())[-1]["facts"]["why"] == why


async def test_4_a_token_that_maskinporten_did_not_sign_is_401(there: Setting) -> None:
    claims, kid = payload_of(await there.token()), (await there.assembly.signing_keys.ring()).signer_at(NOW).kid
    for forged in ("not-a-token", sign(claims, key("forger"), kid=kid), sign(claims, key("forger"), kid="x")):
        await refused(there, await there.ask(forged, Consent__ID=there.consent()), 401, 4, "invalid_token")


async def test_4_no_algorithm_but_rs256(there: Setting) -> None:
    for alg in ("RS384", "ES256", "none"):
        token = await there.odd_token({"alg": alg})
        await refused(there, await there.ask(token, Consent__ID=there.consent()), 401, 4, "invalid_token")
        assert (await there.trail())[-1]["facts"]["why"] == "algorithm"


async def test_4_a_token_for_another_api_is_401(there: Setting) -> None:
    for audience in (f"{BASE}/lanekassen", ACCOUNTS):
        token = await there.token(resource=audience)
        assert payload_of(token)["aud"] == audience
        assert await balance(await there.ask(token, Consent__ID=there.consent()))
    for audience in (f"{BASE}/lanekassen-annet", "https://api.example.no/"):
        token = await there.token(resource=audience)
        await refused(there, await there.ask(token, Consent__ID=there.consent()), 401, 4, "wrong_audience")


async def test_4_a_consent_token_is_no_access_token_nor_the_other_way_round(there: Setting) -> None:
    consent, token = there.consent(), await there.token()
    await refused(there, await there.ask(consent, Consent__ID=token), 401, 4, "invalid_token")
    await refused(there, await there.ask(token, Consent__ID=token), 403, 8, "consent_wrong_issuer")


async def test_5_a_token_without_the_scope_is_401(there: Setting) -> None:
    token = await there.token(scope=OTHER_SCOPE)
    await refused(there, await there.ask(token, Consent__ID=there.consent()), 401, 5, "insufficient_scope")


async def test_5_the_scope_may_be_one_of_several(there: Setting) -> None:
    token = await there.token(scope=f"{OTHER_SCOPE} lanekassen:lan/v1/saldoopplysninger")
    assert await balance(await there.ask(token, Consent__ID=there.consent()))
    beginning = await there.odd_token(scope="lanekassen:lan/v1/saldoopplysninger2")
    await refused(there, await there.ask(beginning, Consent__ID=there.consent()), 401, 5, "insufficient_scope")


async def test_6_the_consumer_is_named_as_enhetsregisteret_has_it(there: Setting) -> None:
    for number in (f"9908:{BANK}", f"0192:{BANK}:ER//1:1"):
        token = await there.odd_token(consumer={"authority": "iso6523-actorid-upis", "ID": number})
        await refused(there, await there.ask(token, Consent__ID=there.consent()), 401, 6, "foreign_consumer")


async def test_6_the_api_key_is_the_consumers_or_its_suppliers(there: Setting) -> None:
    for holder in (VENDOR, STRANGER):
        answer = await there.ask(ApiKey=API_KEYS[holder], Consent__ID=there.consent())
        await refused(there, answer, 401, 6, "foreign_api_key")
    supplied = await there.token(VENDOR, consumer_org=BANK)
    assert await balance(await there.ask(supplied, ApiKey=API_KEYS[BANK], Consent__ID=there.consent()))
    answer = await there.ask(supplied, ApiKey=API_KEYS[STRANGER], Consent__ID=there.consent())
    await refused(there, answer, 401, 6, "foreign_api_key")

"""The headers of a call, the throttle, and the API keys (lanekassen-saldo.md §2, §5, §9)."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Sequence
from pathlib import Path

import pytest

from fullmakt.kernel.identifiers import OrgNumber
from fullmakt.lanekassen import rules
from fullmakt.lanekassen.errors import Reason, RefusedError
from fullmakt.lanekassen.keys import ApiKeys, generated_keys, key_file
from fullmakt.lanekassen.throttle import Throttle
from tests.support.consent_tokens import GIVER

BANK, VENDOR = OrgNumber("910753614"), OrgNumber("312044005")
GOOD = {
    "ApiKey": "the-key",
    "Authorization": "a.maskinporten.token",
    "Consent-ID": "a.consent.token",
    "PSU_ID": GIVER,
    "X-Request-Id": "0b5b1f5c",
}
NOW = dt.datetime(2026, 11, 21, 12, tzinfo=dt.UTC)


def headers(given: Sequence[tuple[str, str]]) -> rules.Headers:
    return lambda name: [value for other, value in given if other.lower() == name.lower()]


def read(*more: tuple[str, str], **changes: str | None) -> rules.Call:
    given = GOOD | {name.replace("__", "-"): value for name, value in changes.items()}
    return rules.read_call(headers([*((name, value) for name, value in given.items() if value is not None), *more]))


def bad_header(*more: tuple[str, str], **changes: str | None) -> str:
    with pytest.raises(RefusedError) as refused:
        read(*more, **changes)
    refusal = refused.value.refusal
    assert (refusal.check, refusal.status, refusal.reason) == (1, 400, Reason.BAD_HEADERS)
    assert GIVER not in str(refusal)
    return str(refusal.facts["header"])


def test_a_good_call_is_read() -> None:
    call = read()
    assert (call.api_key, call.authorization, call.consent) == ("the-key", "a.maskinporten.token", "a.consent.token")
    assert (call.person, call.request_id) == (GIVER, "0b5b1f5c")
    for secret in (GIVER, "the-key", "token"):
        assert secret not in repr(call)


@pytest.mark.parametrize("name", ["ApiKey", "Authorization", "PSU_ID", "X-Request-Id"])
@pytest.mark.parametrize("value", [None, "", "   "], ids=["missing", "empty", "blank"])
def test_a_required_header_that_is_not_there(name: str, value: str | None) -> None:
    assert bad_header(**{name.replace("-", "__"): value}) == name


@pytest.mark.parametrize("name", ["ApiKey", "Authorization", "Consent-ID", "X-Request-Id"])
def test_a_header_that_is_sent_twice_is_anybodys_guess(name: str) -> None:
    assert bad_header((name, GOOD[name])) == name


@pytest.mark.parametrize(
    "number",
    ["08027202286", "0802720228", "080272022855", "08027202285x", "٠٨٠٢٧٢٠٢٢٨٥", "99999999999", "910753614"],
)
def test_a_person_has_eleven_digits_of_which_two_check_the_others(number: str) -> None:
    assert bad_header(PSU_ID=number) == "PSU_ID"


def test_a_proxy_may_have_turned_the_underscore_into_a_dash() -> None:
    assert read(("PSU-ID", GIVER), PSU_ID=None).person == GIVER
    assert read(("psu-id", GIVER)).person == GIVER
    assert bad_header(("PSU-ID", "01085301957")) == "PSU_ID"


@pytest.mark.parametrize("text", ["x" * 201, "a b", "æ", "a\tb"], ids=["long", "space", "letter", "tab"])
def test_a_request_id_that_can_not_be_said_again_is_refused(text: str) -> None:
    assert bad_header(X__Request__Id=text) == "X-Request-Id"


@pytest.mark.parametrize("text", ["x" * 201, "nøkkel"], ids=["long", "letter"])
def test_an_api_key_that_can_be_none_is_refused(text: str) -> None:
    assert bad_header(ApiKey=text) == "ApiKey"


@pytest.mark.parametrize("text", [None, ""], ids=["missing", "empty"])
def test_a_consent_token_need_not_be_there(text: str | None) -> None:
    assert read(Consent__ID=text).consent is None


@pytest.mark.parametrize("text", ["Bearer a.b.c", "bearer a.b.c", "BEARER\ta.b.c"])
def test_the_word_bearer_is_refused_and_passed_over_when_lenient(text: str) -> None:
    call = read(Authorization=text)
    assert rules.maskinporten_token(call, strict=False) == "a.b.c"
    with pytest.raises(RefusedError) as refused:
        rules.maskinporten_token(call, strict=True)
    assert (refused.value.refusal.check, refused.value.refusal.status) == (4, 401)
    assert rules.maskinporten_token(read(), strict=True) == "a.maskinporten.token"


def test_quotes_around_the_consent_token_are_refused_unless_lenient() -> None:
    rules.check_quotes('"a.b.c"', strict=False)
    rules.check_quotes("a.b.c", strict=True)
    with pytest.raises(RefusedError) as refused:
        rules.check_quotes('"a.b.c"', strict=True)
    assert (refused.value.refusal.check, refused.value.refusal.status) == (8, 403)


def test_a_burst_is_let_through_and_then_so_many_a_second() -> None:
    throttle, now = Throttle(rate=2, burst=3), NOW
    assert [throttle.admits(BANK, now) for _ in range(4)] == [True, True, True, False]
    assert throttle.admits(VENDOR, now)
    now += dt.timedelta(seconds=0.5)
    assert [throttle.admits(BANK, now) for _ in range(2)] == [True, False]
    now -= dt.timedelta(hours=1)
    assert not throttle.admits(BANK, now)
    now += dt.timedelta(days=1)
    assert [throttle.admits(BANK, now) for _ in range(4)] == [True, True, True, False]


def test_a_key_is_its_organisations_and_nobody_elses() -> None:
    keys = ApiKeys({BANK: "one", VENDOR: "two"})
    assert (keys.holder("one"), keys.holder("two"), keys.holder("three"), keys.holder("")) == (BANK, VENDOR, None, None)
    assert "one" not in str(vars(keys))


def test_generated_keys_are_made_once_and_for_the_owners_eyes(tmp_path: Path) -> None:
    folder = tmp_path / "lanekassen"
    made = generated_keys(folder, [BANK, VENDOR])
    assert made[BANK] != made[VENDOR]
    assert all(len(key) > 40 for key in made.values())
    assert generated_keys(folder, [BANK, VENDOR]) == made
    assert key_file(folder, BANK).stat().st_mode & 0o077 == 0
    assert len(list(folder.iterdir())) == 2


def test_processes_that_start_together_agree_on_the_key(tmp_path: Path) -> None:
    together, found = threading.Barrier(8), []

    def start() -> None:
        together.wait()
        found.append(generated_keys(tmp_path, [BANK])[BANK])

    threads = [threading.Thread(target=start) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 8
    assert len(set(found)) == 1

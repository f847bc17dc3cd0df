"""How Lånekassen's errors look, and what it makes of faults and of those who mean ill (lanekassen-saldo.md §7)."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from fullmakt.kernel.clock import FixedClock
from tests.support.consent_tokens import FakeAltinn
from tests.support.fake_issuer import key
from tests.support.lanekassen import (
    ACCOUNTS,
    BANK,
    BASE,
    REQUEST_ID,
    TEXTS,
    Setting,
    balance,
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


@pytest.mark.parametrize("accepted", ["application/json", "application/problem+json", "text/html, application/json"])
async def test_errors_are_json_for_those_who_ask_for_it(there: Setting, accepted: str) -> None:
    answer = await there.ask(Accept=accepted)
    assert answer.json() == {"status": 403, "message": TEXTS[403], "requestId": REQUEST_ID}
    wanted = "application/problem+json" if "problem" in accepted else "application/json"
    assert answer.headers["content-type"] == wanted
    answer = await there.ask(Accept=accepted, X__Request__Id=None)
    assert answer.json() == {"status": 400, "message": TEXTS[400], "requestId": None}


async def test_other_paths_and_methods_are_not_there(there: Setting) -> None:
    assert (await there.ask(url=f"{BASE}/lanekassen/saldo/v2/Accounts")).status_code == 404
    assert (await there.http.post(ACCOUNTS)).status_code == 405


async def test_without_altinns_keys_nobody_is_let_in(there: Setting) -> None:
    there.altinn.numbers = there.altinn.x5c = False
    answer = await there.ask(Consent__ID=there.consent())
    assert (answer.status_code, answer.text) == (500, TEXTS[500])
    assert (answer.headers["x-request-id"], answer.headers["retry-after"]) == (REQUEST_ID, "1")
    assert await there.trail() == []
    there.altinn.numbers = True
    there.assembly.clock.advance(seconds=1)  # type: ignore[attr-defined]
    assert await balance(await there.ask(Consent__ID=there.consent()))


async def test_altinn_may_change_its_key_between_two_calls(there: Setting) -> None:
    assert await balance(await there.ask(Consent__ID=there.consent()))
    there.altinn.signer = key("altinn-2")
    assert await balance(await there.ask(Consent__ID=there.consent()))


async def test_a_token_with_a_certificate_of_its_own_choice_is_not_believed(there: Setting) -> None:
    """A key that comes with the token proves nothing, by whichever member it comes."""
    forger = FakeAltinn(there.altinn.clock, signer=key("forger"))
    certificate = [base64.b64encode(forger.certificate()).decode()]
    name = base64.urlsafe_b64encode(hashlib.sha1(forger.certificate(), usedforsecurity=False).digest()).decode()
    for more in ({"x5c": certificate}, {"jwk": key("forger").public_jwk()}, {"jku": "https://forger.test/jwk"}):
        for kid in (there.altinn.thumbprint(), name.rstrip("=")):
            header = {"alg": "RS256", "typ": "JWT", "kid": kid, **more}
            consent = forger.mint(header=header, CoveredBy=str(BANK))
            answer = await there.ask(Consent__ID=consent)
            assert (answer.status_code, answer.text) == (403, TEXTS[403])


@pytest.mark.parametrize("header", ["ApiKey", "Authorization", "Consent-ID", "PSU_ID", "X-Request-Id", "Accept"])
async def test_no_input_is_a_fault_of_ours(there: Setting, header: str) -> None:
    latin, long = "\xff" * 20, "a" * 20_000
    for value in (latin, long, "a.b.c", "{}", "' OR 1=1 --", "%00", "eyJhbGciOiJub25lIn0.e30.", "\xa0", "0" * 11):
        changed: dict[str, Any] = {header.replace("-", "__"): value.encode("latin-1")}
        answer = await there.ask(**{"Consent__ID": there.consent(), **changed})
        assert answer.status_code in ({200, 400} if header in {"Accept", "X-Request-Id"} else {400, 401, 403}), value


async def test_the_published_samples_total_can_be_switched_on(
    database_url: str, tmp_path: Path, clock: FixedClock
) -> None:
    async with setting(database_url, tmp_path, clock, total_is_zero=True) as there:
        document = (await there.ask(Consent__ID=there.consent())).json()
        assert (len(document["Accounts"]), document["TotalAmount"]) == (3, 0)

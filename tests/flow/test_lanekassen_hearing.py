"""Lånekassen hears from another Altinn which consents have ended, by its owner's list (lanekassen-saldo.md §6)."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from starlette.responses import Response
from structlog.testing import capture_logs

from fullmakt.kernel.clock import FixedClock
from fullmakt.lanekassen.hearing import Hearing
from fullmakt.serve.settings import ConfigError
from tests.support.consent_tokens import CONSENT_ID, OWNERS_KEY
from tests.support.lanekassen import OWNER, Setting, balance, refused, setting
from tests.support.tokens import NOW, RegistryRows, key_number, payload_of

LIST, SCOPE = "/api/serviceowner/consents", "altinn:serviceowner/consents"
OWNERS_CLIENT = "0e0f2a54-6a2c-4f59-9c29-9f8a0d1ab009"
House = Callable[..., AbstractAsyncContextManager[Setting]]


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(NOW)


@pytest.fixture
def house(database_url: str, tmp_path: Path, clock: FixedClock) -> House:
    file = tmp_path / "client.jwk"
    file.write_text(json.dumps(key_number(3).private_jwk()))

    def opened(*, filled: bool = True) -> AbstractAsyncContextManager[Setting]:
        return setting(
            database_url, tmp_path, clock, filled=filled, burst=1_000, altinn2_api_key=OWNERS_KEY,
            altinn2_client_id=OWNERS_CLIENT, altinn2_client_key=file,
        )  # fmt: skip

    return opened


async def quiet(there: Setting) -> Hearing:
    """Who hears, and not by itself any more; Altinn believes the token server's tokens, which the owner may get."""
    assert there.assembly.lanekassen is not None
    hearing = there.assembly.lanekassen.hearing
    assert hearing is not None
    await hearing.stop()
    there.altinn.believes = lambda token: payload_of(token)["scope"] == SCOPE
    return hearing


@pytest.fixture
async def there(house: House) -> AsyncIterator[Setting]:
    async with house() as there:
        rows = RegistryRows(there.assembly.database)
        await rows.prefix("altinn", OWNER)
        await rows.scope(SCOPE, access=[OWNER])
        await rows.client(OWNERS_CLIENT, client_orgno=OWNER, scopes=[SCOPE], keys=[key_number(3)])
        yield there


async def test_a_consent_that_was_revoked_there_is_forgotten_here(there: Setting) -> None:
    hearing = await quiet(there)
    assert await balance(await there.ask(Consent__ID=there.consent()))
    await hearing.hear()
    assert await balance(await there.ask())
    there.altinn.ended = [CONSENT_ID]
    await hearing.hear()
    await refused(there, await there.ask(), 403, 7, "consent_missing")
    assert there.altinn.asked[0] == {"serviceCode": "5498", "serviceEditionCode": "1", "status": "revoked"}


async def test_a_start_reads_on_from_where_the_list_was_read(there: Setting, house: House) -> None:
    there.altinn.ended = [uuid4() for _ in range(5)]
    await (await quiet(there)).hear()
    async with house(filled=False) as again:
        hearing = await quiet(again)
        again.altinn.ended = [*there.altinn.ended, CONSENT_ID]
        again.altinn.asked.clear()
        assert await balance(await again.ask(Consent__ID=again.consent()))
        await hearing.hear()
        assert again.altinn.asked[0]["continuation"] == "5"
        await refused(again, await again.ask(), 403, 7, "consent_missing")


async def test_while_the_list_can_not_be_read_the_log_tells_and_answers_go_on(there: Setting) -> None:
    hearing = await quiet(there)
    there.altinn.ended = [CONSENT_ID]
    there.altinn.answers = [Response("away", 503)]
    assert await balance(await there.ask(Consent__ID=there.consent()))
    with capture_logs() as logs:
        await hearing.hear()
    assert [(one["event"], one["status"]) for one in logs] == [("ended_consents_not_read", 503)]
    assert await balance(await there.ask())
    await hearing.hear()
    await refused(there, await there.ask(), 403, 7, "consent_missing")


async def test_without_a_token_the_list_is_not_read_and_the_log_tells_why(house: House) -> None:
    async with house() as there:  # where nobody has made the client
        hearing = await quiet(there)
        with capture_logs() as logs:
            await hearing.hear()
    (told,) = [one for one in logs if one["event"] == "ended_consents_not_read"]
    assert "there is no token" in told["cause"]
    assert LIST not in there.altinn.requests


async def test_a_place_that_says_nothing_to_altinn_any_more_is_begun_anew(there: Setting) -> None:
    hearing = await quiet(there)
    there.altinn.ended = [uuid4() for _ in range(3)]
    await hearing.hear()
    there.altinn.answers = [Response("no such continuation", 400)]
    await hearing.hear()
    there.altinn.asked.clear()
    await hearing.hear()
    assert "continuation" not in there.altinn.asked[0]


async def test_starting_begins_to_hear_though_nobody_calls(there: Setting, house: House) -> None:
    await quiet(there)
    async with house(filled=False) as again, asyncio.timeout(60):
        while not again.altinn.asked:
            await again.trail()  # each look gives the task its turn


@pytest.mark.parametrize("missing", ["altinn2_url", "altinn2_api_key", "altinn2_client_id", "altinn2_client_key"])
async def test_what_is_half_set_up_is_told(database_url: str, tmp_path: Path, clock: FixedClock, missing: str) -> None:
    file = tmp_path / "client.jwk"
    file.write_text(json.dumps(key_number(3).private_jwk()))
    given: dict[str, Any] = {
        "altinn2_api_key": OWNERS_KEY,
        "altinn2_client_id": OWNERS_CLIENT,
        "altinn2_client_key": file,
    }
    with pytest.raises(ConfigError, match=f"lanekassen.{missing}"):
        async with setting(database_url, tmp_path, clock, **{**given, missing: None}):
            pass


@pytest.mark.parametrize("content", ["", "[]", "{}", "not json"])
async def test_a_key_that_is_none_is_told(database_url: str, tmp_path: Path, clock: FixedClock, content: str) -> None:
    file = tmp_path / "client.jwk"
    file.write_text(content)
    given: dict[str, Any] = {
        "altinn2_api_key": OWNERS_KEY,
        "altinn2_client_id": OWNERS_CLIENT,
        "altinn2_client_key": file,
    }
    with pytest.raises(ConfigError, match="altinn2_client_key"):
        async with setting(database_url, tmp_path, clock, **given):
            pass

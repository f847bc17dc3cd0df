"""API keys in PostgreSQL: what is kept, who holds one, and what the audit trail hears."""

from __future__ import annotations

import asyncio
import datetime as dt
from typing import Any

import pytest
from sqlalchemy import text

from fullmakt.altinn.consents.keys.model import ApiKeyDeclaration, ApiKeyRefusedError
from fullmakt.altinn.consents.keys.service import ApiKeys
from fullmakt.infra.database import Database
from fullmakt.kernel.clock import FixedClock, new_uuid
from fullmakt.kernel.declarations import Outcome
from fullmakt.kernel.identifiers import OrgNumber

NOW = dt.datetime(2026, 11, 21, 12, tzinfo=dt.UTC)
BANK, OWNER = OrgNumber("910753614"), OrgNumber("960885406")
SECRET, OTHER = "6f1f6f1e-4a55-4d5e-9d2c-0d4c0f6a3b11", "aaaaaaaa-4a55-4d5e-9d2c-0d4c0f6a3b11"
DECLARED = ApiKeyDeclaration("bank", BANK, ("bank.no", "*.bank.no"))


@pytest.fixture
def keys(database: Database) -> ApiKeys:
    return ApiKeys(database, FixedClock(NOW), new_uuid)


async def rows(database: Database, statement: str) -> list[Any]:
    async with database.transaction() as connection:
        return [tuple(row) for row in await connection.execute(text(statement))]


async def told(database: Database) -> list[Any]:
    return await rows(database, "SELECT action, outcome, facts ->> 'name' FROM audit.event ORDER BY id")


async def test_a_secret_is_told_once_and_opens_for_its_organisation(keys: ApiKeys) -> None:
    made = await keys.declare(DECLARED)
    assert made.outcome is Outcome.CREATED
    assert made.secret is not None
    holder = await keys.holder(made.secret)
    assert holder is not None
    assert (holder.organisation, holder.service_owner, holder.created) == (BANK, False, NOW)
    assert holder.declaration == DECLARED
    assert await keys.holder(made.secret.upper()) == holder
    assert (await keys.declare(DECLARED)).secret is None
    assert await keys.listed() == [holder]


async def test_nobody_holds_a_key_that_was_never_made(keys: ApiKeys) -> None:
    await keys.declare(DECLARED, secret=SECRET)
    for wrong in ("", "x", OTHER, SECRET + " x", "' OR true --", "\x00"):
        assert await keys.holder(wrong) is None


async def test_no_secret_is_kept_or_audited(keys: ApiKeys, database: Database) -> None:
    await keys.declare(DECLARED, secret=SECRET)
    await keys.declare(DECLARED, secret=OTHER)
    everything = await rows(database, "SELECT k::text FROM consents.api_key k")
    everything += await rows(database, "SELECT e::text FROM audit.event e")
    assert len(everything) == 5
    for secret in (SECRET, OTHER):
        assert not any(secret in row or secret.replace("-", "") in row for (row,) in everything)


async def test_declaring_again_changes_what_is_said_and_no_more(keys: ApiKeys, database: Database) -> None:
    assert (await keys.declare(DECLARED, secret=SECRET)).outcome is Outcome.CREATED
    assert (await keys.declare(DECLARED, secret=SECRET)).outcome is Outcome.UNCHANGED
    owner = ApiKeyDeclaration("bank", OWNER, service_owner=True)
    assert (await keys.declare(owner, secret=SECRET)).outcome is Outcome.CHANGED
    holder = await keys.holder(SECRET)
    assert holder is not None
    assert holder.declaration == owner
    assert await told(database) == [("api-key:create", "done", "bank"), ("api-key:change", "done", "bank")]


async def test_another_secret_takes_the_place_of_the_old_one(keys: ApiKeys, database: Database) -> None:
    await keys.declare(DECLARED, secret=SECRET)
    changed = await keys.declare(DECLARED, secret=OTHER)
    assert (changed.outcome, changed.secret) == (Outcome.CHANGED, None)
    assert await keys.holder(SECRET) is None
    assert await keys.holds("bank", OTHER)
    assert not await keys.holds("bank", SECRET)
    assert not await keys.holds("shop", OTHER)
    assert [action for action, _, _ in await told(database)] == ["api-key:create", "api-key:revoke", "api-key:create"]


async def test_a_key_that_is_withdrawn_opens_nothing_and_its_secret_never_does_again(keys: ApiKeys) -> None:
    await keys.declare(DECLARED, secret=SECRET)
    assert await keys.revoke("bank")
    assert await keys.holder(SECRET) is None
    assert await keys.listed() == []
    assert not await keys.revoke("bank")
    with pytest.raises(ApiKeyRefusedError) as caught:
        await keys.declare(DECLARED, secret=SECRET)
    assert caught.value.reason == "secret_taken"
    assert SECRET not in str(caught.value)
    assert (await keys.declare(DECLARED, secret=OTHER)).outcome is Outcome.CREATED


async def test_two_keys_never_share_a_secret(keys: ApiKeys) -> None:
    await keys.declare(DECLARED, secret=SECRET)
    with pytest.raises(ApiKeyRefusedError):
        await keys.declare(ApiKeyDeclaration("shop", OWNER), secret=SECRET)
    with pytest.raises(ApiKeyRefusedError) as caught:
        await keys.declare(ApiKeyDeclaration("shop", OWNER), secret="not-a-guid")
    assert caught.value.reason == "bad_secret"
    assert [key.name for key in await keys.listed()] == ["bank"]
    assert await keys.listed(["shop"]) == []


async def test_keys_that_are_declared_at_once_are_made_once(keys: ApiKeys, database: Database) -> None:
    made = await asyncio.gather(*(keys.declare(DECLARED, secret=SECRET) for _ in range(4)))
    assert sorted(one.outcome for one in made) == ["create", "unchanged", "unchanged", "unchanged"]
    assert await told(database) == [("api-key:create", "done", "bank")]

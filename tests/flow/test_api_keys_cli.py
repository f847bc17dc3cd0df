"""``fullmakt api-keys``: what opens Altinn 2's routes is listed, given another secret, and withdrawn."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from sqlalchemy import text
from typer.testing import CliRunner

from fullmakt.altinn.consents.keys.model import ApiKeyDeclaration, ApiKeyRefusedError
from fullmakt.altinn.consents.keys.service import ApiKeys
from fullmakt.cli import context
from fullmakt.cli.main import app
from fullmakt.infra.database import Database
from fullmakt.kernel.clock import new_uuid, system_clock
from fullmakt.kernel.identifiers import OrgNumber

BANK, OWNER = OrgNumber("910753614"), OrgNumber("960885406")
OLD = "6f1f6f1e-4a55-4d5e-9d2c-0d4c0f6a3b11"


class Keys:
    """The keys of a world whose state folder is ``state``: the bank's, whose secret lies there, and an owner's."""

    def __init__(self, url: str, state: Path) -> None:
        self.url, self.state = url, state
        self.file = state / "api-keys" / "bank"
        self.file.parent.mkdir()
        self.file.write_text(OLD)
        self.do(lambda keys: keys.declare(ApiKeyDeclaration("bank", BANK, ("*.bank.no",)), secret=OLD))
        self.do(lambda keys: keys.declare(ApiKeyDeclaration("owner", OWNER, (), service_owner=True)))

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[tuple[Database, ApiKeys]]:
        database = Database(self.url)
        try:
            yield database, ApiKeys(database, system_clock, new_uuid)
        finally:
            await database.close()

    def do(self, action: Callable[[ApiKeys], Awaitable[Any]]) -> Any:
        async def run() -> Any:
            async with self.opened() as (_, keys):
                return await action(keys)

        return asyncio.run(run())

    def opens(self, secret: str) -> bool:
        return self.do(lambda keys: keys.holder(secret)) is not None

    def trail(self) -> list[tuple[str, str]]:
        async def run() -> list[tuple[str, str]]:
            async with self.opened() as (database, _), database.transaction() as connection:
                rows = await connection.execute(text("SELECT action, actor FROM audit.event ORDER BY id OFFSET 2"))
                return [(row.action, row.actor) for row in rows]

        return asyncio.run(run())


@pytest.fixture
def keys(database_url: str, tmp_path: Path) -> Keys:
    keys = Keys(database_url, tmp_path)

    @asynccontextmanager
    async def opener() -> AsyncIterator[context.OpenWorld]:
        async with keys.opened() as (_, service):
            world = SimpleNamespace(state=tmp_path, consent_registers=SimpleNamespace(keys=service))
            yield cast("context.OpenWorld", world)

    context.provide(opener, lambda: context.Place(tmp_path, "http://localhost/", "http://localhost"))
    return keys


def invoke(*arguments: str, code: int = 0) -> str:
    result = CliRunner().invoke(app, ["api-keys", *arguments])
    assert result.exit_code == code, result.output
    return result.output


def test_keys_are_listed_without_their_secrets(keys: Keys) -> None:
    bank, owner = json.loads(invoke("list", "--json"))
    assert (bank["name"], bank["organisation"], bank["serviceOwner"], bank["domains"]) == (
        "bank", BANK, False, ["*.bank.no"],
    )  # fmt: skip
    assert owner["serviceOwner"]
    shown = invoke("list")
    assert "*.bank.no" in shown
    assert "service owner" in shown
    assert OLD not in shown


def test_another_secret_is_in_the_file_and_the_old_one_opens_nothing(keys: Keys) -> None:
    shown = invoke("rotate", "bank")
    fresh = keys.file.read_text()
    assert (keys.opens(OLD), keys.opens(fresh)) == (False, True)
    assert fresh not in shown
    assert str(keys.file) in shown
    assert keys.file.stat().st_mode & 0o777 == 0o600
    (bank, _) = json.loads(invoke("list", "--json"))
    assert bank["domains"] == ["*.bank.no"]
    assert keys.trail() == [("api-key:revoke", "operator"), ("api-key:create", "operator")]


def test_a_key_whose_secret_was_not_here_gets_one_that_is(keys: Keys) -> None:
    invoke("rotate", "owner")
    assert keys.opens((keys.state / "api-keys" / "owner").read_text())


def test_a_key_that_is_withdrawn_opens_nothing_and_is_not_listed(keys: Keys) -> None:
    invoke("revoke", "bank")
    assert not keys.opens(OLD)
    assert [one["name"] for one in json.loads(invoke("list", "--json"))] == ["owner"]
    assert keys.trail() == [("api-key:revoke", "operator")]
    assert not keys.file.exists()
    invoke("revoke", "bank", code=2)


def test_the_secret_of_one_that_was_withdrawn_is_never_taken_again(keys: Keys) -> None:
    invoke("revoke", "bank")
    with pytest.raises(ApiKeyRefusedError, match="used before"):
        keys.do(lambda known: known.declare(ApiKeyDeclaration("bank", BANK), secret=OLD))


@pytest.mark.parametrize("name", ["nobody", "../bank", "", "BANK"])
@pytest.mark.parametrize("command", ["rotate", "revoke"])
def test_a_key_that_is_none_is_told_and_nothing_is_touched(keys: Keys, command: str, name: str) -> None:
    invoke(command, name, code=2)
    assert keys.file.read_text() == OLD
    assert [file.name for file in keys.file.parent.iterdir()] == ["bank"]
    assert keys.trail() == []


def test_a_secret_that_can_not_be_kept_is_not_given(keys: Keys, monkeypatch: pytest.MonkeyPatch) -> None:
    async def refuse(*_: Any, **__: Any) -> None:
        raise ApiKeyRefusedError("secret_taken", "it has been used before")

    monkeypatch.setattr(ApiKeys, "declare", refuse)
    invoke("rotate", "bank", code=1)
    assert keys.file.read_text() == OLD
    assert keys.opens(OLD)

"""``fullmakt world`` over the real wiring: what it prints, and how it fails."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from fullmakt.cli import context
from fullmakt.cli.world import app
from fullmakt.serve.assembly import assemble
from fullmakt.serve.database import as_world
from fullmakt.serve.settings import Settings
from fullmakt.world.model import default_client_id

FILE = """
[[organisation]]
orgno = "910753614"
name = "Bank [bold]ASA[/]"

[[person]]
id = "31123999935"
name = "Kari"

[[prefix]]
prefix = "fullmakt"
owner = "910753614"

[[scope]]
name = "fullmakt:whoami"
description = "Who?"

[[client]]
name = "demo"
organisation = "910753614"
scopes = ["fullmakt:whoami"]
key = "generate"
"""

SYSTEM = """
[[service_owner]]
code = "etat"
organisation = "910753614"
name = "Etat"

[[resource]]
identifier = "returns"
owner = "etat"
resourceType = "GenericAccessResource"
title = "Returns"
description = "Returns"
rightDescription = "Returns"
roles = ["dagl"]
actions = ["read"]

[[system]]
identifier = "910753614_tax"
vendor = "910753614"
name = "Tax"
clients = ["demo"]
resources = ["returns"]

[[system_user]]
system = "910753614_tax"
owner = "910753614"
resources = ["returns"]
"""


@pytest.fixture
def state(database_url: str, tmp_path: Path) -> Iterator[Path]:
    """The state folder of a world that commands open."""
    folder = tmp_path / "state"
    settings = Settings(state=folder, database_url=database_url, pki={"enabled": False})

    @asynccontextmanager
    async def opener() -> AsyncIterator[context.OpenWorld]:
        assembly = assemble(settings, database_url)
        try:
            yield as_world(assembly)
        finally:
            await assembly.close()

    def finder() -> context.Place:
        return context.Place(folder, settings.issuer, settings.base_url)

    context.provide(opener, finder)
    yield folder
    context._provided.clear()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "world.toml"
    path.write_text(FILE, encoding="utf-8")
    return path


def run(*arguments: str | Path) -> Result:
    """Run a command, in a terminal wide enough."""
    result = CliRunner(env={"COLUMNS": "200"}).invoke(app, [str(argument) for argument in arguments])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


def test_a_plan_tells_and_does_nothing(state: Path, file: Path) -> None:
    for _ in range(2):
        result = run("plan", file)
        assert result.exit_code == 0
        assert result.stdout.splitlines() == [
            "+ organisation 910753614 Bank [bold]ASA[/]",
            "+ person 31********* Kari",
            "+ prefix fullmakt 910753614",
            "+ scope fullmakt:whoami",
            f"+ client demo {default_client_id('demo')}",
            "5 to create, 0 to change, 0 as they should be",
        ]
    assert not (state / "clients").exists()


def test_applying_twice_changes_nothing_the_second_time(state: Path, file: Path) -> None:
    assert run("apply", file).stdout.endswith("0 as they should be\n✓ 5 applied\n")
    assert run("apply", file).stdout == "0 to create, 0 to change, 5 as they should be\n"
    assert json.loads(run("plan", file, "--json").stdout)["changes"] == 0


@pytest.mark.usefixtures("state")
def test_eighty_columns_hold_every_character(file: Path) -> None:
    alias, scope = "a-client-with-quite-a-long-name-of-its-own", "fullmakt:register/v1/skattegrunnlag"
    with file.open("a", encoding="utf-8") as more:
        more.write(f'[[scope]]\nname = "{scope}"\ndescription = "d"\n[[client]]\nname = "{alias}"\n')
        more.write(f'organisation = "910753614"\nscopes = ["{scope}"]\nauthentication = "certificate"\n')
    run("apply", file)
    shown = CliRunner(env={"COLUMNS": "80"}).invoke(app, ["show"]).stdout
    assert max(map(len, shown.splitlines())) <= 80
    clients = shown[shown.index("Clients") :]
    assert all(whole in clients for whole in (scope, "certificate"))
    assert alias in "".join(line.split()[0] for line in clients.splitlines() if line.strip())


def test_a_listing_for_programs_has_what_they_start_from(state: Path, file: Path) -> None:
    run("apply", file)
    document = json.loads(run("show", "--json").stdout)
    assert document["systems"]["maskinporten"] == document["issuer"] == "http://localhost:8080/maskinporten/"
    assert document["people"] == [{"id": "31*********", "name": "Kari"}]
    assert document["scopes"] == [
        {
            "name": "fullmakt:whoami",
            "description": "Who?",
            "owner": "910753614",
            "active": True,
            "accessible_for_all": False,
            "delegation_source": None,
            "consumers": [],
        }
    ]
    (client,) = document["clients"]
    assert client == {
        "alias": "demo",
        "client_id": default_client_id("demo"),
        "client_name": "demo",
        "organisation": "910753614",
        "supplier": None,
        "integration_type": "maskinporten",
        "scopes": ["fullmakt:whoami"],
        "active": True,
        "authentication": "key",
        "key_file": str(state / "clients" / "demo.jwk.json"),
    }
    assert json.loads(Path(client["key_file"]).read_text())["kty"] == "RSA"


def test_a_listing_for_people_shows_names_as_they_are(state: Path, file: Path) -> None:
    run("apply", file)
    shown = run("show").stdout
    assert "Bank [bold]ASA[/]" in shown
    assert "fullmakt:whoami" in shown
    assert "31123999935" not in shown


@pytest.mark.usefixtures("state")
def test_a_listing_for_people_shows_enterprise_systems_and_their_users(file: Path) -> None:
    with file.open("a", encoding="utf-8") as more:
        more.write(SYSTEM)
    assert run("apply", file).exit_code == 0
    shown = run("show").stdout
    systems, users = shown[shown.index("Enterprise systems") :].split("System users")
    assert all(word in systems.split() for word in ("910753614_tax", "demo", "returns"))
    assert all(word in users.split() for word in ("910753614_tax", "standard", "returns"))


def test_an_export_applies_as_nothing_to_do(state: Path, file: Path, tmp_path: Path) -> None:
    run("apply", file)
    out = tmp_path / "export.toml"
    assert run("export", "--out", out).exit_code == 0
    assert run("plan", out).stdout == "0 to create, 0 to change, 5 as they should be\n"
    assert run("export").stdout == out.read_text(encoding="utf-8")
    again = run("export", "--out", out)
    assert (again.exit_code, again.stderr) == (2, f"✗ can not write {out}: File exists\n")


def test_faults_are_all_told_and_nothing_is_done(state: Path, file: Path) -> None:
    file.write_text(FILE.replace("910753614", "910753615"), encoding="utf-8")
    result = run("apply", file)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith("✗ line 3, [[organisation]] number 1, orgno: the check digit of 910753615")
    assert json.loads(run("show", "--json").stdout)["people"] == []


def test_a_step_that_is_refused_says_which(state: Path, file: Path) -> None:
    (state / "clients").mkdir(parents=True)
    (state / "clients" / "demo.jwk.json").write_text("nonsense")
    result = run("apply", file)
    assert result.exit_code == 2
    assert result.stderr.startswith(f"✗ client demo {default_client_id('demo')}: ")
    assert "is not a private JWK: StrictJsonError (what comes before it is done)" in result.stderr

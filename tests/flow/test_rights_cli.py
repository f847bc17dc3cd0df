"""`fullmakt decide`, `fullmakt who-can` and `fullmakt explain` of their traces, as commands on the demo world."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import pytest
import typer
from typer.testing import CliRunner

from fullmakt.altinn.delegations.model import Performer
from fullmakt.altinn.parties.model import Person, Role
from fullmakt.cli import context, decide, explain, who_can
from fullmakt.kernel.identifiers import NationalId, OrgNumber
from fullmakt.serve.assembly import Assembly, assemble
from fullmakt.serve.database import as_world
from fullmakt.serve.settings import Settings
from fullmakt.wire.altinn.attributes import ORGANISATION, Attribute
from fullmakt.wire.altinn.resource_registry import ResourceDocument
from fullmakt.world.host import world_of
from fullmakt.world.parse import parse

BANK, BAKERY, ACCOUNTANT, VENDOR = "910753614", "999888777", "888666555", "312044005"
BANKER, BAKER, CLERK, SUPPLIER = "05895199925", "24907999889", "17865599978", "03817299813"
WORLD = """
[[organisation]]
orgno = "310943223"
name = "Etat"
[[organisation]]
orgno = "910753614"
name = "Bank [bold]ASA[/]"
[[organisation]]
orgno = "999888777"
name = "Bakeri"
unchecked = true
[[organisation]]
orgno = "888666555"
name = "Regnskap"
unchecked = true
[[person]]
id = "05895199925"
name = "Kari"
[[person]]
id = "24907999889"
name = "Per"
[[person]]
id = "17865599978"
name = "Randi"
[[person]]
id = "03817299813"
name = "Mette"
[[role]]
person = "05895199925"
code = "dagl"
organisation = "910753614"
[[role]]
person = "24907999889"
code = "dagl"
organisation = "999888777"
[[role]]
person = "17865599978"
code = "dagl"
organisation = "888666555"
[[service_owner]]
code = "ttd"
organisation = "310943223"
name = "Etat"
[[resource]]
identifier = "ttd-skjema"
owner = "ttd"
resourceType = "GenericAccessResource"
title = "Skjema"
description = "Skjema"
rightDescription = "Skjema"
status = "Active"
roles = ["dagl"]
actions = ["read", "write"]
minimum_level = 3
[[resource]]
identifier = "ttd-pilot"
owner = "ttd"
resourceType = "GenericAccessResource"
title = "Pilot"
description = "Pilot"
rightDescription = "Pilot"
status = "Active"
accessListMode = "Enabled"
roles = ["dagl"]
actions = ["read", "write"]
[[resource]]
identifier = "ttd-pakke"
owner = "ttd"
resourceType = "GenericAccessResource"
title = "Pakke"
description = "Pakke"
rightDescription = "Pakke"
status = "Active"
packages = ["skattegrunnlag"]
actions = ["read"]
[[access_list]]
owner = "ttd"
identifier = "pilot"
name = "Pilot"
members = ["910753614"]
connections = [{ resource = "ttd-pilot", actions = ["read"] }]
[[right]]
giver = "999888777"
receiver = "888666555"
resource = "ttd-skjema"
actions = ["read"]
"""

app = typer.Typer()
decide.register(app)
who_can.register(app)
explain.register(app)


def run(*arguments: str, code: int = 0) -> str:
    result = CliRunner(env={"COLUMNS": "200"}).invoke(app, list(arguments))
    assert isinstance(result.exception, SystemExit | None), result.exception
    assert result.exit_code == code, result.output
    return result.output


def as_json(*arguments: str, code: int = 0) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(run(*arguments, "--json", code=code))
    return document


def deciding(subject: str, action: str, resource: str, party: str | None = None) -> list[str]:
    behalf = ["--for", party] if party else []
    return ["decide", "--subject", subject, "--action", action, "--resource", resource, *behalf]


Change = Callable[[Callable[[Assembly], Awaitable[object]]], None]


@pytest.fixture
def change(database_url: str, tmp_path: Path) -> Iterator[Change]:
    """The world above, which commands open; calling it changes the world."""
    settings = Settings(state=tmp_path, port=1, pki={"enabled": False})

    @asynccontextmanager
    async def opened() -> AsyncIterator[Assembly]:
        assembly = assemble(settings, database_url)
        try:
            yield assembly
        finally:
            await assembly.close()

    @asynccontextmanager
    async def opener() -> AsyncIterator[context.OpenWorld]:
        async with opened() as assembly:
            yield as_world(assembly)

    def change(work: Callable[[Assembly], Awaitable[object]]) -> None:
        async def do() -> None:
            async with opened() as assembly:
                await work(assembly)

        anyio.run(do)

    async def apply(assembly: Assembly) -> None:
        world = world_of(as_world(assembly))
        await world.apply(await world.plan(parse(WORLD)))

    context.provide(opener, lambda: context.Place(tmp_path, settings.issuer, settings.base_url))
    change(apply)
    yield change
    context._provided.clear()


# -- decide -----------------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("change")
def test_a_role_s_permit_is_shown_with_the_rule_and_the_role() -> None:
    shown = run(*deciding(BANKER, "read", "ttd-skjema", BANK))
    for line in (
        "✓ Permit  rule",
        "subject   Kari (05895199925)",
        "party     Bank [bold]ASA[/] (910753614)",
        "    ✓ urn:altinn:rolecode = dagl",
        "✓ urn:altinn:rolecode:dagl  by the role dagl",
        "urn:altinn:minimum-authenticationlevel = 3",
    ):
        assert line in shown


@pytest.mark.usefixtures("change")
def test_a_delegation_is_shown_with_who_gave_it_to_whom_and_the_key_role() -> None:
    shown = run(*deciding(CLERK, "read", "ttd-skjema", BAKERY))
    assert "✓ Permit  delegation" in shown
    assert "✓ Bakeri (999888777) → Regnskap (888666555): read" in shown
    assert "the subject acts for Regnskap (888666555) by a key role" in shown
    document = as_json(*deciding(ACCOUNTANT, "read", "ttd-skjema", BAKERY))
    (link,) = document["facts"]["chain"]
    assert document["parties"][link["from"]] == {"name": "Bakeri", "number": BAKERY}
    assert document["obligations"][0]["values"][0]["value"] == "3"


@pytest.mark.usefixtures("change")
def test_no_right_is_shown_with_what_would_have_helped() -> None:
    shown = run(*deciding(SUPPLIER, "read", "ttd-skjema", BAKERY), code=1)
    assert "✗ NotApplicable  no_right" in shown
    assert "· urn:altinn:rolecode = dagl" in shown
    assert "→ Give the subject a role that a rule asks for" in shown
    assert "it does not hold the action" in run(*deciding(ACCOUNTANT, "write", "ttd-skjema", BAKERY), code=1)


@pytest.mark.usefixtures("change")
def test_an_access_list_is_shown_with_its_filter() -> None:
    assert "✓ the party is on ttd:pilot" in run(*deciding(BANKER, "read", "ttd-pilot", BANK))
    assert "access_list_lacks_action" in run(*deciding(BANKER, "write", "ttd-pilot", BANK), code=1)
    assert "not_on_access_list" in run(*deciding(BAKER, "read", "ttd-pilot", BAKERY), code=1)


@pytest.mark.usefixtures("change")
@pytest.mark.parametrize(
    ("subject", "resource", "reason"),
    [
        (BANKER, "nothing", "unknown_resource"),
        ("31123999935", "ttd-skjema", "invalid_subject"),
        ("urn:altinn:person:identifier-no=31123999935", "ttd-skjema", "invalid_subject"),
        ("systemuser:5ccaebc5-dfb7-442a-ab5e-002898b902ae", "ttd-skjema", "no_right"),
        ("client:0e0f2a54-6a2c-4f59-9c29-9f8a0d1ab001", "ttd-skjema", "no_right"),
        ("312468018", "ttd-skjema", "no_right"),
    ],
)
def test_whatever_can_be_asked_is_answered_without_anybody_s_number(subject: str, resource: str, reason: str) -> None:
    shown = run(*deciding(subject, "read", resource, BANK), code=1)
    assert f"  {reason}\n" in shown
    assert "31123999935" not in shown
    assert "31123999935" not in json.dumps(as_json(*deciding(subject, "read", resource, BANK), code=1))


@pytest.mark.usefixtures("change")
def test_several_attributes_make_one_subject_and_a_party_may_be_left_out() -> None:
    shown = run(*deciding("urn:altinn:rolecode=dagl", "read", "ttd-skjema"), "--subject", "urn:altinn:rolecode=x")
    assert "subject   urn:altinn:rolecode = dagl, urn:altinn:rolecode = x" in shown


@pytest.mark.usefixtures("change")
@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (deciding("Kari", "read", "ttd-skjema", BANK), "a subject is an organisation number"),
        (deciding(BANKER, "read", "ttd-skjema", "312468018"), "the register knows nobody"),
        (deciding("05895199926", "read", "ttd-skjema", BANK), "check digits"),
        (deciding("client:", "read", "ttd-skjema", BANK), "`client:<client id>`"),
        (deciding(BANKER, "", "ttd-skjema", BANK), "action"),
        (deciding(BANKER, "read", "ttd\0skjema", BANK), "resource"),
        (deciding(BANKER, "\udcff", "ttd-skjema", BANK), "action"),
    ],
)
def test_what_can_not_be_asked_is_said_so(arguments: list[str], said: str) -> None:
    assert said in run(*arguments, code=2)


# -- who can ----------------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("change")
def test_everybody_who_can_is_listed_with_what_lets_them() -> None:
    shown = run("who-can", "read", "ttd-skjema", "--for", BAKERY)
    assert "Who may read ttd-skjema for Bakeri (999888777)" in shown
    for who, number, by in (
        ("Per", BAKER, "urn:altinn:rolecode:dagl"),
        ("Regnskap", ACCOUNTANT, "delegation: Bakeri (999888777) → Regnskap (888666555)"),
    ):
        (line,) = [line for line in shown.splitlines() if line.split()[:1] == [who]]
        assert number in line
        assert by in line
    assert "by a key role" in shown


@pytest.mark.usefixtures("change")
def test_who_can_as_json_is_for_programs() -> None:
    document = as_json("who-can", "WRITE", "ttd-skjema", "--for", BANK)
    (kari,) = document["able"]
    assert (kari["name"], kari["number"], kari["reason"]) == ("Kari", BANKER, "rule")
    assert kari["by"] == [{"attribute": "urn:altinn:rolecode:dagl", "role": "dagl", "given": False}]
    assert document["party"]["name"] == "Bank [bold]ASA[/]"


@pytest.mark.usefixtures("change")
def test_nobody_is_an_answer_with_what_to_do() -> None:
    shown = run("who-can", "read", "ttd-skjema", "--for", "310943223", code=1)
    assert "✗ Nobody may read ttd-skjema for Etat (310943223)" in shown
    assert "The policy gives it to urn:altinn:rolecode:dagl" in shown
    assert "Register a role" in shown
    listed = run("who-can", "read", "ttd-pilot", "--for", BAKERY, code=1)
    assert "on none that is connected to it" in listed
    lacking = as_json("who-can", "write", "ttd-pilot", "--for", BANK, code=1)
    assert lacking["able"] == []
    assert "does not hold this action" in lacking["advice"][0]


@pytest.mark.usefixtures("change")
@pytest.mark.parametrize(
    ("action", "resource", "party", "said"),
    [
        ("read", "ttd-skema", BANK, "no resource is registered as ttd-skema: is it `ttd-skjema`"),
        ("read", "zzzz", BANK, "`fullmakt world show` lists them"),
        ("fly", "ttd-skjema", BANK, "has no rule for `fly`; it knows read, write"),
        ("read", "ttd-skjema", "312468018", "the register knows nobody"),
        ("read", "ttd-skjema", "bank", "a party is an organisation number"),
        ("read\0", "ttd-skjema", BANK, "action"),
    ],
)
def test_who_can_of_what_is_unknown_is_refused(action: str, resource: str, party: str, said: str) -> None:
    assert said in run("who-can", action, resource, "--for", party, code=2)


def test_a_resource_without_a_policy_gives_nobody_anything(change: Change) -> None:
    async def declare(assembly: Assembly) -> None:
        stored = await assembly.rights.resources.document("ttd-skjema")
        assert stored is not None
        document = ResourceDocument.model_validate({**stored.document, "identifier": "ttd-bar"})
        await assembly.rights.resources.declare_resource(document)

    change(declare)
    assert "has no policy" in run("who-can", "read", "ttd-bar", "--for", BANK, code=2)
    assert "no_policy" in run(*deciding(BANKER, "read", "ttd-bar", BANK), code=1)


def test_who_holds_a_package_and_who_was_given_it_can_what_it_opens(change: Change) -> None:
    async def give(assembly: Assembly) -> None:
        names = {number: Attribute(ORGANISATION, number) for number in (BANK, ACCOUNTANT)}
        known = await assembly.parties.identify(names.values())
        bank, accountant = (known[name].party_uuid for name in names.values())
        await assembly.rights.delegations.give_package(bank, accountant, "skattegrunnlag", Performer("operator"))

    change(give)
    shown = run("who-can", "read", "ttd-pakke", "--for", BANK)
    assert "urn:altinn:accesspackage:skattegrunnlag (by the role dagl)" in shown
    assert "urn:altinn:accesspackage:skattegrunnlag (given by the party)" in shown
    assert "✓ skattegrunnlag: Regnskap (888666555), given by the party" in run(
        *deciding(ACCOUNTANT, "read", "ttd-pakke", BANK)
    )
    by_key_role = run(*deciding(CLERK, "read", "ttd-pakke", BANK))
    assert "✓ urn:altinn:accesspackage = skattegrunnlag" in by_key_role


def test_a_real_person_s_number_is_masked(change: Change) -> None:
    async def register(assembly: Assembly) -> None:
        await assembly.parties.declare_person(Person(NationalId("31123999935"), "Ekte"))
        await assembly.parties.grant_role(Role(NationalId("31123999935"), "dagl", OrgNumber("310943223")))

    change(register)
    shown = run("who-can", "read", "ttd-skjema", "--for", "310943223")
    assert "31*********" in shown
    assert "31123999935" not in shown + run(*deciding("31123999935", "read", "ttd-skjema", "310943223"))


# -- explain ----------------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("change")
def test_a_decision_s_trace_tells_who_asked_for_what_and_why_the_answer_was_what_it_was() -> None:
    trace_id = as_json(*deciding(SUPPLIER, "read", "ttd-skjema", BAKERY), code=1)["trace_id"]
    shown = run("explain", trace_id)
    for line in (
        "The operator asks whether Mette (03817299813) may read ttd-skjema for Bakeri (999888777)",
        "✗ NotApplicable: no_right",
        "the subject meets none of them",
        "resource = ttd-skjema",
    ):
        assert line in shown
    (event,) = as_json("explain", trace_id)["events"]
    assert event["meaning"]["words"].startswith("The policy has rules for this action")


@pytest.mark.usefixtures("change")
def test_a_delegation_s_decision_is_explained_with_its_chain() -> None:
    trace_id = as_json(*deciding(CLERK, "read", "ttd-skjema", BAKERY))["trace_id"]
    assert "chain = Bakeri (999888777) → Regnskap (888666555)" in run("explain", trace_id)


@pytest.mark.usefixtures("change")
def test_a_reason_is_explained_by_its_name() -> None:
    assert "on none that is connected to it" in run("explain", "not_on_access_list")
    assert json.loads(run("explain", "NO_RIGHT", "--json"))[0]["of"] == "decisions"

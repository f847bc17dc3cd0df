"""The demos play from beginning to end against a running server, and can be played again."""

from __future__ import annotations

import json
from importlib.resources import files

import httpx2
import pytest

from fullmakt.jose.compact import parse_compact
from tests.support.running import Running

CONSUMER, SCOPE = "910753614", "lanekassen:lan/v1/saldoopplysninger"


def test_the_delegation_of_seed_003_plays_twice(server: Running) -> None:
    for _ in range(2):
        played = server.command("demo", "delegering").stdout
        assert "The supplier got tokens while the delegation stood" in played
        assert '"supplier"' in played
        assert "MP-250" in played
        assert "MP-251" in played


def test_a_demo_shows_no_token_whole(server: Running) -> None:
    played = server.command("demo", "delegering").stdout
    assert max(len(word) for word in played.split() if word.lstrip('"').startswith("eyJ")) < 40


def test_a_supplier_without_a_delegation_is_told_why(server: Running) -> None:
    asked = ("token", "--client", "demo-vendor", "--scope", SCOPE, "--consumer-org", CONSUMER)
    refused = server.command(*asked, code=1)
    assert "MP-251" in refused.stderr
    assert "Have the consumer delegate the API" in refused.stderr


def test_a_demo_leaves_the_delegations_of_others_as_they_were(server: Running) -> None:
    world = server.state / "delegation.toml"
    world.write_text(
        f"[[delegation]]\nconsumer = '{CONSUMER}'\nsupplier = '312044005'\nresource = 'lanekassen-saldoopplysninger'\n"
    )
    server.command("world", "apply", str(world))
    server.command("demo", "delegering")
    server.command("token", "--client", "demo-vendor", "--scope", SCOPE, "--consumer-org", CONSUMER)


def test_an_enterprise_system_of_seeds_004_and_001_plays_twice(server: Running) -> None:
    for _ in range(2):
        played = server.command("demo", "virksys").stdout
        assert "The system got tokens for the bakery while the accountant let it" in played
        assert '"hjelper": "0192:888666555"' in played
        assert '"systemuser_id"' in played
        assert "invalid_altinn_customer_configuration" in played


def test_a_thin_token_of_seed_001_plays_twice(server: Running) -> None:
    for _ in range(2):
        played = server.command("demo", "tynn").stdout
        assert "One token served for every customer of the system" in played
        assert '"why": "no_right"' in played


def test_the_four_processes_of_seed_002_play_twice_and_leave_the_world_as_it_was(server: Running) -> None:
    for _ in range(2):
        played = server.command("demo", "samtykke").stdout
        for process in range(1, 5):
            assert f"Process {process}: " in played
        assert "is not listed as a receiver of consents" in played
        assert "MP-250" in played
        assert '"5498_1_Navn=Demo Bank"' in played
        assert '"TotalAmount"' in played
        assert '"urn:altinn:consent"' in played
        assert "The balance came back while the borrower's consent stood" in played
    world = files("fullmakt.world").joinpath("demo.toml")
    assert "0 to create, 0 to change" in server.command("world", "plan", str(world)).stdout


def test_grant_token_consent_token_and_balance_of_seed_003_play_twice(server: Running) -> None:
    for _ in range(2):
        played = server.command("demo", "lanekassen").stdout
        assert '"HandledBy": "312044005"' in played
        assert '"consumer_org": "910753614"' in played
        assert "so did its supplier, in the bank's name" in played


def test_a_demo_shows_no_api_key(server: Running) -> None:
    played = server.command("demo", "samtykke").stdout + server.command("demo", "lanekassen").stdout
    keys = [*server.state.glob("api-keys/*"), *server.state.glob("lanekassen/*.key")]
    assert len(keys) > 3
    assert [path.name for path in keys if path.read_text().strip() in played] == []


@pytest.mark.parametrize(
    ("demo", "at"),
    [
        ("samtykke", "6. The bank is on neither list"),
        ("samtykke", "12. and fetches the balance"),
        ("lanekassen", "5. The balance"),
        ("delegering", "4. Before anything is delegated"),
        ("delegering", "6. The supplier gets a token"),
        ("delegering", "10. The supplier asks again"),
        ("virksys", "4. The vendor pastes"),
        ("virksys", "10. "),
    ],
)
def test_a_demo_that_is_interrupted_leaves_nothing_and_can_be_played_again(server: Running, demo: str, at: str) -> None:
    assert server.interrupted("demo", demo, at=at) == 130
    clients = json.loads(server.command("world", "show", "--json").stdout)["clients"]
    assert [each["client_name"] for each in clients if each["active"] and each["client_name"].endswith("(demo)")] == []
    server.command("demo", demo)


def test_what_a_delegation_demo_that_was_killed_had_delegated_is_withdrawn_by_the_next(server: Running) -> None:
    server.command("demo", "delegering")  # its scope and its resource stay
    world = server.state / "left.toml"
    world.write_text(
        f"[[delegation]]\nconsumer = '{CONSUMER}'\nsupplier = '312044005'\nresource = 'demo-inntekt-api'\n"
    )
    server.command("world", "apply", str(world))
    assert "delegated from an earlier time" in server.command("demo", "delegering").stdout


@pytest.mark.parametrize(
    ("asked", "details"),
    [
        (("--part", "0192:999888777"), {"part": "0192:999888777", "hjelper": "0192:888666555"}),
        (("--part", "0192:910753614"), {"part": "0192:910753614"}),
    ],
    ids=["through the accountant", "its own system user"],
)
def test_the_demo_worlds_system_gets_a_virksomhetstoken(
    server: Running, asked: tuple[str, ...], details: dict[str, str]
) -> None:
    token = server.command("token", "--client", "demo-turboskatt", "--scope", "skatteetaten:mva", *asked).stdout.strip()
    claims = parse_compact(token).unverified_payload
    expected = [{"type": "urn:altinn:virksys", **details, "rettigheit": ["skd-mva"]}]
    assert claims["authorization_details"] == expected
    systems = json.loads(server.command("world", "show", "--json").stdout)["systems"]
    answer = httpx2.get(systems["virksomhetstoken"], headers={"Authorization": f"Bearer {token}"})
    assert answer.json()["part"] == details["part"].removeprefix("0192:")


def test_an_api_that_takes_virksomhetstokens_refuses_a_thin_one(server: Running) -> None:
    token = server.command("token", "--client", "demo-turboskatt", "--scope", "skatteetaten:mva").stdout.strip()
    systems = json.loads(server.command("world", "show", "--json").stdout)["systems"]
    bearer = {"Authorization": f"Bearer {token}"}
    assert httpx2.get(systems["virksomhetstoken"], headers=bearer).status_code == 403
    assert httpx2.get(systems["tynn"], headers=bearer).status_code == 400
    asked = {"part": "999888777"}
    assert httpx2.get(systems["tynn"], headers=bearer, params=asked).json()["part"] == "999888777"


def test_a_system_users_token_serves_at_the_api_that_asks(server: Running) -> None:
    owner = ("--systemuser-org", "910753614")
    command = ("token", "--client", "demo-turboskatt", "--scope", "skatteetaten:mva", *owner)
    bearer = {"Authorization": f"Bearer {server.command(*command).stdout.strip()}"}
    tynn = json.loads(server.command("world", "show", "--json").stdout)["systems"]["tynn"]
    assert httpx2.get(tynn, headers=bearer, params={"part": "910753614"}).status_code == 200
    assert httpx2.get(tynn, headers=bearer, params={"part": "999888777"}).status_code == 403

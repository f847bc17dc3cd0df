"""The demos play from beginning to end against a running server, and can be played again."""

from __future__ import annotations

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

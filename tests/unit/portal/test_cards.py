"""What the front page says of each system."""

from __future__ import annotations

from fullmakt.portal.cards import Link, SystemCard, first_commands, system_cards

ISSUER = "https://maskinporten.example.no/"


def test_a_known_system_has_a_title_and_the_one_whose_part_it_plays() -> None:
    (card,) = system_cards({"maskinporten": ISSUER})
    assert (card.title, card.twin) == ("Token server", "Maskinporten")
    assert Link("Public keys", f"{ISSUER}jwk") in card.links


def test_a_link_is_joined_to_a_url_without_a_slash_at_its_end() -> None:
    (card,) = system_cards({"pki": "http://localhost:8080/pki"})
    assert [link.url for link in card.links] == ["http://localhost:8080/pki/ca/bundle.pem"]


def test_an_unknown_system_is_shown_by_its_name() -> None:
    assert system_cards({"newcomer": "http://x.test/"}) == [SystemCard("newcomer", "http://x.test/", "newcomer")]


def test_with_the_example_api_a_newcomer_is_led_to_a_first_call() -> None:
    cards = system_cards({"whoami": "http://localhost:8080/examples/whoami"})
    lines = [command.line for command in first_commands(cards)]
    assert lines == [
        "fullmakt world show",
        "fullmakt token --client demo-bank --scope fullmakt:whoami",
        "fullmakt call http://localhost:8080/examples/whoami --client demo-bank --scope fullmakt:whoami",
    ]


def test_without_it_the_commands_are_ones_that_work_all_the_same() -> None:
    assert all("--client" not in command.line for command in first_commands(system_cards({"maskinporten": ISSUER})))

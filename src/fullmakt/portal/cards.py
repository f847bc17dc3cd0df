"""What the front page says of each system, and which commands it offers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

TOKEN_SERVER = "maskinporten"
ERRORS_PATH = "errors/"
"""Where the error pages lie under the token server's URL (maskinporten.md §1.2)."""


def _(message: str) -> str:
    """Mark a text for translation; it is translated where it is shown."""
    return message


@dataclass(frozen=True, slots=True)
class Link:
    """A document of a system: what it is, in words to translate, and its URL."""

    label: str
    url: str


@dataclass(frozen=True, slots=True)
class SystemCard:
    """A system that runs in this process.

    ``title``, ``summary`` and ``twin`` (whose part it plays, empty when nobody's) are English, to be translated where
    they are shown; ``url`` is the system's public base URL.
    """

    name: str
    url: str
    title: str
    summary: str = ""
    twin: str = ""
    links: tuple[Link, ...] = ()


@dataclass(frozen=True, slots=True)
class Command:
    """A command line to try, and what it shows."""

    line: str
    purpose: str


_TEXTS: Mapping[str, tuple[str, str, str]] = {
    "maskinporten": (
        _("Token server"),
        _("Gives organisations access tokens in exchange for signed grants."),
        _("Maskinporten"),
    ),
    "selvbetjening": (
        _("Self-service API"),
        _("Keeps clients, their keys and scopes, and who has been granted what."),
        _("Samarbeidsportalen's API"),
    ),
    "register": (
        _("Parties and roles"),
        _("Knows the organisations and people of this world, and who acts for whom."),
        _("Enhetsregisteret and Folkeregisteret"),
    ),
    "resourceregistry": (
        _("Resource registry"),
        _("Keeps resources with their policies, and the access lists that narrow who may use them."),
        _("Altinn's resource registry"),
    ),
    "accessmanagement": (
        _("Access management"),
        _("Keeps what one party has let another do and consented to, and asks for what is missing."),
        _("Altinn's access management"),
    ),
    "authorization": (
        _("Decision point"),
        _("Answers whether somebody may do something on behalf of somebody, and why."),
        _("Altinn's authorization"),
    ),
    "authentication": (
        _("Tokens and system users"),
        _("Exchanges tokens for Altinn's own. Keeps the vendors' systems, and which of them act for whom."),
        _("Altinn's authentication"),
    ),
    "lanekassen": (
        _("Balances of student loans"),
        _("Answers banks with what somebody owes, as long as that person consents."),
        _("Lånekassen's API"),
    ),
    "pki": (
        _("Enterprise certificates"),
        _("Issues test certificates and publishes which of them are revoked."),
        _("Buypass and Commfides"),
    ),
    "whoami": (
        _("Example API"),
        _("Asks for a token, and answers with who is calling."),
        "",
    ),
    "virksomhetstoken": (
        _("Example of virksomhetstoken"),
        _("Takes tokens that say for whom an enterprise system acts, and with which rights."),
        "",
    ),
    "tynn": (
        _("Example of thin tokens"),
        _("Takes tokens that say no more than who calls, and asks the decision point for whom."),
        "",
    ),
    "inbox": (
        _("Text messages"),
        _("Keeps the text messages that this server would have sent, such as the passwords of key files."),
        "",
    ),
}  # fmt: skip

_LINKS: Mapping[str, tuple[tuple[str, str], ...]] = {
    "maskinporten": (
        (_("Metadata"), ".well-known/oauth-authorization-server"),
        (_("Public keys"), "jwk"),
        (_("Error catalogue"), ERRORS_PATH),
    ),
    "resourceregistry": ((_("Resources"), "api/v1/resource/resourcelist"),),
    "accessmanagement": ((_("Roles"), "api/v1/meta/info/roles"),),
    "authorization": ((_("Metadata"), ".well-known/authzen-configuration"),),
    "authentication": ((_("Metadata"), "api/v1/openid/.well-known/openid-configuration"),),
    "pki": ((_("Trusted certificates"), "ca/bundle.pem"),),
    "inbox": ((_("Open the inbox"), ""),),
}


def system_cards(urls: Mapping[str, str]) -> list[SystemCard]:
    """A card for each system, by name and public URL; one that the portal knows no text for is shown by its name."""
    return [_card(name, url) for name, url in urls.items()]


def _card(name: str, url: str) -> SystemCard:
    title, summary, twin = _TEXTS.get(name, (name, "", ""))
    base = url.rstrip("/") + "/"
    links = tuple(Link(label, base + path) for label, path in _LINKS.get(name, ()))
    return SystemCard(name, url, title, summary, twin, links)


def first_commands(systems: Sequence[SystemCard]) -> tuple[Command, ...]:
    """Three commands for a newcomer, for what runs here."""
    api = next((system.url for system in systems if system.name == "whoami"), None)
    if api is None:
        return (
            Command("fullmakt world show", _("See who and what is in this world.")),
            Command("fullmakt config check", _("Check the settings, and see every fault at once.")),
            Command("fullmakt explain MP-250", _("Read what an error means and what to do about it.")),
        )
    access = "--client demo-bank --scope fullmakt:whoami"
    return (
        Command("fullmakt world show", _("See who and what is in this world.")),
        Command(f"fullmakt token {access}", _("Get an access token with a real signed grant.")),
        Command(f"fullmakt call {api} {access}", _("Call the example API with one.")),
    )

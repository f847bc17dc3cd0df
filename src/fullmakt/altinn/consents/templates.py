"""How a request for consent reads: the templates, and what is put into them (consent.md §2.5, §4.8, §4.14).

The words are ours (``templates.toml``). Names, messages and metadata come from others: they are text in whatever they
are put into, never markup.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from importlib.resources import files
from typing import Any

from fullmakt.altinn.consents.markup import filled, prose, to_html, to_text
from fullmakt.altinn.consents.model import Consent
from fullmakt.wire.altinn.parties import PartyIdentity, PartyKind
from fullmakt.wire.altinn.resources import RegisteredResource

LANGUAGES = ("nb", "nn", "en")
_BY_KIND = ("title", "heading", "service_intro", "service_intro_accepted")
_ALIKE = (
    "overridden_delegation_context",
    "expiration",
    "expiration_one_time",
    "handled_by",
    "history_used_body",
    "history_used_by_handled_by_body",
)

_END = datetime.max.replace(tzinfo=UTC)

Words = Mapping[str, str]
"""A text by language."""


@dataclass(frozen=True, slots=True)
class Template:
    """A template. ``by_kind`` are its texts by name, kind of giver (``person``, ``org``) and language; ``alike`` those
    that are the same for both, by name and language."""

    id: str
    version: int
    is_power_of_attorney: bool
    is_message_set_in_request: bool
    restricted_to: tuple[str, ...] | None
    by_kind: Mapping[str, Mapping[str, Words]]
    alike: Mapping[str, Words | None]

    @property
    def has_own_message(self) -> bool:
        """True when what the receiver writes is not shown: Altinn 2 refuses it then."""
        return not self.is_message_set_in_request

    def document(self) -> dict[str, Any]:
        """The template as the platform publishes it (§4.14). ``version`` is what its server reads, ``templateVersion``
        what the file of the real one has."""
        texts = {_camel(name): value for name, value in (*self.by_kind.items(), *self.alike.items())}
        return {
            "id": self.id,
            "version": self.version,
            "templateVersion": self.version,
            "title": self.by_kind["title"]["person"]["nb"],
            "isPoa": self.is_power_of_attorney,
            "isMessageSetInRequest": self.is_message_set_in_request,
            "restrictedToServiceOwners": None if self.restricted_to is None else list(self.restricted_to),
            "texts": texts,
        }


@dataclass(frozen=True, slots=True)
class ShownRight:
    """What one right is about: its title, and its text as plain text and as safe HTML."""

    resource: str
    title: str
    text: str
    html: str


@dataclass(frozen=True, slots=True)
class Shown:
    """A request as it is shown, in one language. All of it is plain text, but for ``ShownRight.html``."""

    template_id: str
    language: str
    title: str
    heading: str
    message: str
    intro: str
    rights: tuple[ShownRight, ...]
    expiration: str
    handled_by: str
    is_power_of_attorney: bool

    def document(self) -> dict[str, Any]:
        """What is kept of it with a consent: exactly what was read by whoever gave it (§2.12)."""
        return {
            "template": self.template_id,
            "language": self.language,
            "title": self.title,
            "heading": self.heading,
            "message": self.message,
            "intro": self.intro,
            "rights": [{"resource": one.resource, "title": one.title, "text": one.text} for one in self.rights],
            "expiration": self.expiration,
            "handledBy": self.handled_by,
        }


@cache
def templates() -> Mapping[str, Template]:
    """Every template, by its id."""
    table = tomllib.loads(files(__package__).joinpath("templates.toml").read_text(encoding="utf-8"))
    return {name: _template(name, {**table.get(said.get("like", ""), {}), **said}) for name, said in table.items()}


def template_of(template_id: str) -> Template:
    """The template with that id; the default one where there is none."""
    known = templates()
    return known.get(template_id, known["default"])


def render(
    consent: Consent,
    language: str,
    *,
    giver: PartyIdentity,
    receiver: PartyIdentity,
    handled_by: PartyIdentity | None = None,
    resources: Mapping[str, RegisteredResource],
    accepted: bool = False,
) -> Shown:
    """The request as its giver reads it in ``language`` (``nb``, ``nn``, ``en``; bokmål for any other).

    ``resources`` are those of the rights that are still registered; ``accepted`` chooses the words for what was given.
    """
    language = language if language in LANGUAGES else "nb"
    template = template_of(consent.template_id)
    kind = "person" if giver.kind is PartyKind.PERSON else "org"
    values = {
        "coveredby": receiver.name,
        "offeredby": giver.name,
        "handledby": handled_by.name if handled_by is not None else "",
        "expiration": moment(consent.valid_to, language),
    }

    def by_kind(name: str) -> str:
        return filled(_in(template.by_kind[name][kind], language), values)

    def alike(name: str) -> str:
        return filled(_in(template.alike[name] or {}, language), values)

    return Shown(
        template_id=template.id,
        language=language,
        title=by_kind("title"),
        heading=by_kind("heading"),
        message=prose(_in(consent.message, language)) or alike("overridden_delegation_context"),
        intro=by_kind("service_intro_accepted" if accepted else "service_intro"),
        rights=_rights(consent, language, resources),
        expiration=alike("expiration_one_time" if consent.one_time else "expiration"),
        handled_by="" if handled_by is None else alike("handled_by"),
        is_power_of_attorney=template.is_power_of_attorney,
    )


def moment(at: datetime, language: str) -> str:
    """A time as Norwegians write it, in Norway's time; to the minute."""
    here = _in_norway(at)
    joined = " at " if language == "en" else " kl. "
    return f"{here:%d.%m.%Y}{joined}{here:%H:%M}"


def _in_norway(at: datetime) -> datetime:
    """The time on clocks in Norway: an hour ahead of UTC, two from the last Sunday of March to that of October, 01 UTC.

    Written out, since not every machine has a table of time zones.
    """
    utc = at.astimezone(UTC)
    summer = _last_sunday(utc.year, 3) <= utc < _last_sunday(utc.year, 10)
    ahead = timedelta(hours=2 if summer else 1)
    return utc + ahead if utc < _END - ahead else utc


def _last_sunday(year: int, month: int) -> datetime:
    last = datetime(year, month, 31, 1, tzinfo=UTC)
    return last - timedelta(days=(last.weekday() + 1) % 7)


def _rights(consent: Consent, language: str, resources: Mapping[str, RegisteredResource]) -> tuple[ShownRight, ...]:
    shown = []
    for right in consent.rights:
        resource = resources.get(right.resource)
        title = right.resource if resource is None else _in(dict(resource.title), language) or right.resource
        markup = "" if resource is None else _in(dict(resource.consent.text), language)
        values = {key.lower(): value for key, value in right.metadata.items()}
        shown.append(ShownRight(right.resource, title, to_text(markup, values), to_html(markup, values)))
    return tuple(shown)


def _in(words: Words, language: str) -> str:
    """The text in that language, or in the first of those there are."""
    return next((words[one] for one in (language, *LANGUAGES) if words.get(one)), "")


def _template(name: str, said: Mapping[str, Any]) -> Template:
    restricted: Sequence[str] | None = said.get("restricted_to")
    return Template(
        id=name,
        version=said["version"],
        is_power_of_attorney=said.get("power_of_attorney", False),
        is_message_set_in_request=said["message_in_request"],
        restricted_to=None if restricted is None else tuple(restricted),
        by_kind={one: said[one] for one in _BY_KIND},
        alike={one: said.get(one) for one in _ALIKE},
    )


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(part.capitalize() for part in rest)

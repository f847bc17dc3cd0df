"""What errors mean and how a request went, as plain documents: from the error catalogue and the audit trail."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from fullmakt.cli.rights.naming import Names
from fullmakt.cli.rights.reasons import Meaning, meaning_of, sentence
from fullmakt.infra.audit import AuditEvent
from fullmakt.wire.maskinporten.errors import CATALOGUE, CatalogueEntry, Provenance, entries_named

_TRACE_ID = re.compile(r"(?<![0-9a-f])[0-9a-f]{32}(?![0-9a-f])", re.ASCII | re.IGNORECASE)
_CODE = re.compile(r"MP-[0-9]{3}(?![0-9])", re.ASCII | re.IGNORECASE)
_FIELD = re.compile(r"\{(\w+)\}")

PROVENANCE = {
    Provenance.DOCUMENTED: "The text stands in Digdir's documentation of Maskinporten.",
    Provenance.SEEN: "The text has been seen in answers of the real Maskinporten, or in the code of its clients.",
    Provenance.OURS: "No public source has this text: it is ours, and the real Maskinporten may answer otherwise.",
}


def trace_id_in(text: str) -> str | None:
    """The trace id in whatever was pasted: the bare id, a ``traceparent``, an ``error_description``, a whole answer."""
    found = _TRACE_ID.search(text)
    return found[0].lower() if found else None


def entries_in(text: str) -> list[CatalogueEntry]:
    """The catalogue's entries that ``text`` names: by code or by reason, alone, or by a code in an ``error_uri``."""
    named = entries_named(text.strip())
    if named:
        return named
    found = _CODE.search(text)
    return entries_named(found[0]) if found else []


def describe(entry: CatalogueEntry, facts: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """An entry as a document; with ``facts``, its text is the one that was sent."""
    return {
        "reason": entry.reason,
        "code": entry.code,
        "status": entry.status,
        "error": entry.error,
        "text": entry.text if facts is None else _filled(entry.text, facts),
        "provenance": entry.provenance.value,
        "cause": entry.cause,
        "remedy": entry.remedy,
    }


def _filled(template: str, facts: Mapping[str, Any]) -> str:
    """The template with the facts that the trail kept; what it did not keep stays a blank."""
    return _FIELD.sub(lambda field: str(facts.get(field[1], field[0])), template)


def story(events: Iterable[AuditEvent], names: Names | None = None) -> list[dict[str, Any]]:
    """What happened under one trace, a document for each event, in the order in which it happened.

    ``names`` are the parties that the events refer to.
    """
    return [_step(event, names or Names()) for event in events]


def _step(event: AuditEvent, names: Names) -> dict[str, Any]:
    entry = CATALOGUE.get(event.reason) if event.system == "tokens" else None
    meaning = _meaning(event)
    return {
        "at": event.at.isoformat(),
        "system": event.system,
        "action": event.action,
        "asked": _asked(event, names),
        "outcome": event.outcome,
        "decided": _decided(event),
        "reason": event.reason or None,
        "facts": dict(event.facts),
        "error": None if entry is None else describe(entry, event.facts),
        "meaning": None if meaning is None else meaning.document(),
    }


def _meaning(event: AuditEvent) -> Meaning | None:
    """The reason in words. When it is that the decision point says no, what the decision point says is told too."""
    meaning = meaning_of(event.system, event.reason) or meaning_of("codes", event.reason)
    refusal = event.facts.get("refusal")
    facts = refusal if isinstance(refusal, Mapping) else event.facts
    why = meaning_of("decisions", str(facts.get("why", "")))
    if meaning is None or why is None:
        return meaning
    return Meaning(f"{meaning.words} {why.words}", " ".join(filter(None, (why.remedy, meaning.remedy))))


def _asked(event: AuditEvent, names: Names) -> str:
    if event.action != "token:issue" or event.system != "tokens":
        return _told(event, names)
    if not event.actor:
        return "Somebody asked for a token, with a request that has no grant in it that can be read"
    noun = "scopes" if " " in event.subject else "scope"
    return f"Client {event.actor} asked for a token with the {noun} {event.subject}"


_NOUNS = {
    "access-list": "access list",
    "api-key": "API key",
    "consent": "consent",
    "request": "request",
    "resource": "resource",
    "service": "consent service",
    "service-owner": "service owner",
    "srr": "entry",
    "system": "system",
    "systemuser": "system user",
}
"""What stands before the colon of that which an event is about, in words."""
_NOUN = f"the (?:{'|'.join(_NOUNS.values())})"
_TWICE = re.compile(rf"({_NOUN}(?: for access)?) {_NOUN} ")
"""Where a sentence has said already what the thing that it goes on to name is."""


def _named(text: str) -> str:
    kind, _, name = text.partition(":")
    return f"the {_NOUNS[kind]} {name}" if kind in _NOUNS and name else text


def _told(event: AuditEvent, names: Names) -> str:
    """Who did what, in a sentence of the catalogue's where it has one."""

    def tell(value: Any) -> str:
        return ", ".join(map(tell, value)) if isinstance(value, list) else _named(names.label(str(value)))

    actor = {"": "somebody", "operator": "the operator"}.get(event.actor, event.actor)
    about = {"actor": actor, "subject": event.subject}
    told = sentence(event.system, event.action, about, event.facts, tell)
    if told is not None:
        told = _TWICE.sub(r"\1 ", told)
        return told[0].upper() + told[1:]
    who, what = names.label(event.actor or "somebody"), names.label(event.subject)
    return " ".join(part for part in (who, "asked for", event.action, what) if part)


def _decided(event: AuditEvent) -> str:
    decision = event.facts.get("decision")
    if event.action == "decision:make" and isinstance(decision, str):
        return decision
    if event.outcome == "deny":
        return "Refused"
    if event.action == "token:issue":
        consumer = event.facts.get("consumer")
        return f"Token issued to organisation {consumer}" if consumer else "Token issued"
    return "Done" if event.outcome == "done" else "Permitted"


def catalogue_markdown() -> str:
    """The reference page of the errors, ``docs/reference/errors.md``."""
    entries = list(CATALOGUE.values())
    rows = [
        f"| [`{entry.reason}`](#{entry.reason}) | {entry.code or '–'} | {entry.status} | `{entry.error}` "
        f"| {entry.provenance.value} |"
        for entry in entries
    ]
    return "\n".join(
        [
            "# Errors of the token server",
            "",
            "<!-- Made from the error catalogue by `python -m fullmakt.cli.explain --markdown`: do not edit. -->",
            "",
            "What `POST /token` answers when it gives no token. `fullmakt explain MP-250` prints one of these, and",
            "`fullmakt explain` with the trace id of an answer tells what was compared that time.",
            "",
            "`error_description` is the text below, and then ` (trace_id: …)`. `error_uri` is the issuer, `errors/`",
            "and the code; an answer without a code has none. What stands in braces is filled in.",
            "",
            "Texts are `documented` by Digdir, or `seen` in answers of the real Maskinporten or in the code of its",
            "clients. Those that are `ours` have no public source: there the real Maskinporten may answer otherwise.",
            "",
            "| Name | Code | HTTP | `error` | Text is |",
            "|---|---|---|---|---|",
            *rows,
            *(line for entry in entries for line in _section(entry)),
            "",
        ]
    )


def _section(entry: CatalogueEntry) -> list[str]:
    title = entry.reason if entry.code is None else f"{entry.reason} ({entry.code})"
    return [
        "",
        f'## <a id="{entry.reason}"></a>{title}',
        "",
        f"> {entry.text}",
        "",
        f"- **HTTP** {entry.status}, **error** `{entry.error}`, text {entry.provenance.value}",
        f"- **What it means** {entry.cause}",
        f"- **What to do** {entry.remedy}",
    ]

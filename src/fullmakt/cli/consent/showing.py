"""One consent, as whoever operates the systems sees it: how it stands, what has happened, and why it is not drawn."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from rich.text import Text

from fullmakt.altinn.consents.declared import state_of
from fullmakt.altinn.consents.model import Consent, ConsentEvent, Form, Status
from fullmakt.altinn.consents.rules import Reason, drawn_refusal, with_expiry
from fullmakt.cli.consent.report import meaning
from fullmakt.cli.context import OpenWorld
from fullmakt.cli.terminal import console, fail, printable, prose
from fullmakt.wire.altinn.parties import PartyIdentity
from fullmakt.world.model import shown


async def show_consent(world: OpenWorld, consent_id: UUID, *, as_json: bool) -> bool:
    """Tell of the consent; True when it can be drawn."""
    service = world.consent_registers.service
    kept = await service.using.find(consent_id)
    if kept is None:
        fail(f"there is no consent {consent_id}")
    now = service.work.clock()
    consent, events = kept.consent, with_expiry(kept.consent, kept.events, now)
    named = {consent.giver, consent.receiver, consent.handled_by, consent.required_delegator, consent.answered_by}
    parties = await service.neighbours.by_uuid(
        {one for one in (*named, *(event.performed_by for event in events)) if one is not None}
    )
    reason = _why_not_drawn(consent, now)
    document = _document(consent, events, parties, reason)
    if as_json:
        print(json.dumps(document, indent=2, ensure_ascii=False))
    else:
        _print(document)
    return not reason


def _why_not_drawn(consent: Consent, now: datetime) -> str:
    """The reason in one word, nothing where it can be drawn. Of a request that nobody has answered in time it is that,
    for there is no answer to wait for."""
    refusal = drawn_refusal(consent, now)
    if refusal is None:
        return ""
    is_too_late = consent.status is Status.CREATED and consent.is_expired(now)
    return (Reason.EXPIRED if is_too_late else refusal.reason).value


def _document(
    consent: Consent, events: tuple[ConsentEvent, ...], parties: Mapping[UUID, PartyIdentity], reason: str
) -> dict[str, Any]:
    def party(one: UUID | None) -> str | None:
        return None if one is None else _label(one, parties.get(one))

    ended = consent.end_reason
    return {
        "id": str(consent.id),
        "form": str(consent.form),
        "known_to": _known_to(consent),
        "state": str(state_of(consent)),
        "from": party(consent.giver),
        "to": party(consent.receiver),
        "handled_by": party(consent.handled_by),
        "required_delegator": party(consent.required_delegator),
        "answered_by": party(consent.answered_by),
        "rights": [
            {"resource": one.resource, "actions": list(one.actions), "metadata": dict(one.metadata)}
            for one in consent.rights
        ],
        "one_time": consent.one_time,
        "created": consent.created.isoformat(),
        "consented": None if consent.consented is None else consent.consented.isoformat(),
        "valid_to": consent.valid_to.isoformat(),
        "end_reason": None if ended is None else str(ended),
        "events": [
            {"at": one.created.isoformat(), "type": str(one.type), "by": party(one.performed_by)} for one in events
        ],
        "reason": reason,
        **({"meaning": meaning(reason).document()} if reason else {}),
    }


def _print(document: Mapping[str, Any]) -> None:
    out = console()
    out.print(Text(f"Consent {document['id']}", "bold"), Text(f" {document['state']}"), sep="")
    for name in ("from", "to", "handled_by", "required_delegator", "answered_by", "created", "consented", "valid_to"):
        if document[name]:
            out.print(Text(f"  {name.replace('_', ' ')}: {printable(str(document[name]))}"))
    for right in document["rights"]:
        told = ", ".join(f"{key} = {value}" for key, value in right["metadata"].items())
        out.print(Text(printable(f"  {' and '.join(right['actions'])} on {right['resource']} {told}".rstrip())))
    out.print(Text(f"  known to {' and '.join(document['known_to'])}{', good for one time' * document['one_time']}"))
    for event in document["events"]:
        out.print(Text(printable(f"  {event['at']}  {event['type']}  {event['by']}"), "dim"))
    if not document["reason"]:
        out.print(Text("✓ ", "green"), Text("it can be drawn"), sep="")
        return
    out.print(Text("✗ ", "red"), Text(f"it can not be drawn: {document['reason']}", "bold"), sep="")
    for mark, text in (("  ", document["meaning"]["words"]), ("  → ", document["meaning"]["remedy"])):
        out.print(Text(mark, "green"), prose(text), sep="")


def _known_to(consent: Consent) -> list[str]:
    knows = {Form.ALTINN2: consent.form is Form.ALTINN2, Form.ALTINN3: consent.in_altinn3}
    return [str(form) for form in Form if knows[form]]


def _label(uuid: UUID, party: PartyIdentity | None) -> str:
    """A party by number and name, a real person's number masked; by its UUID when it is registered no more."""
    if party is None:
        return f"party:{uuid}"
    number = party.national_id or party.orgno
    return f"{shown(number)} {party.name}" if number is not None else party.name

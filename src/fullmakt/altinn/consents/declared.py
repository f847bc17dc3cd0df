"""A consent as a world file declares it: who was asked for what, and what has become of it. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime
from enum import StrEnum
from uuid import UUID

from fullmakt.altinn.consents.altinn3.rules import DEFAULT_TEMPLATE
from fullmakt.altinn.consents.model import Consent, EndReason, Form, PortalViewMode, Status
from fullmakt.kernel.identifiers import NationalId, OrgNumber
from fullmakt.wire.altinn.consents import CONSENT_ACTION, ConsentRight
from fullmakt.wire.altinn.parties import PartyIdentity
from fullmakt.wire.altinn.resources import ConsentTerms


class State(StrEnum):
    """How a consent stands, in one word. That its time is over is told by ``valid_to``."""

    CREATED = "created"
    """Nobody has answered it."""
    OPENED = "opened"
    """Nor then, and somebody has looked at it (Altinn 2's form alone)."""
    ACCEPTED = "accepted"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"
    """Taken back by whoever asked, before there was an answer."""
    REVOKED = "revoked"
    """Given, and taken back by its giver."""
    GIVEN_UP = "given_up"
    """Given, and done without by its receiver."""
    USED_UP = "used_up"
    """Given, good for one time, and used."""

    @property
    def was_given(self) -> bool:
        """True when somebody has said yes."""
        return State.ACCEPTED in _WAYS[self]

    @property
    def was_answered(self) -> bool:
        """True when somebody has said yes or no."""
        return self.was_given or self is State.REJECTED


_WAYS: Mapping[State, tuple[State, ...]] = {
    State.CREATED: (),
    State.OPENED: (State.OPENED,),
    State.ACCEPTED: (State.ACCEPTED,),
    State.REJECTED: (State.REJECTED,),
    State.WITHDRAWN: (State.WITHDRAWN,),
    State.REVOKED: (State.ACCEPTED, State.REVOKED),
    State.GIVEN_UP: (State.ACCEPTED, State.GIVEN_UP),
    State.USED_UP: (State.ACCEPTED, State.USED_UP),
}
"""What a consent becomes, from when it is asked for, on its way to each state."""

_ENDS = {
    EndReason.REVOKED: State.REVOKED,
    EndReason.GIVEN_UP: State.GIVEN_UP,
    EndReason.USED_UP: State.USED_UP,
}
_STATES = {Status.REJECTED: State.REJECTED, Status.ACCEPTED: State.ACCEPTED, Status.DELETED: State.WITHDRAWN}


@dataclass(frozen=True, slots=True)
class DeclaredRight:
    """One right: ``actions`` on ``resource``. ``metadata`` are sorted pairs of key, in lower case, and value."""

    resource: str
    metadata: tuple[tuple[str, str], ...] = ()
    actions: tuple[str, ...] = (CONSENT_ACTION,)

    def __str__(self) -> str:
        told = [f"{key} = {value}" for key, value in self.metadata]
        named = [] if self.actions == (CONSENT_ACTION,) else [f"to {' and '.join(self.actions)}"]
        return f"{self.resource} ({', '.join((*named, *told))})" if named or told else self.resource


@dataclass(frozen=True, slots=True)
class DeclaredConsent:
    """A consent by the numbers of those who have to do with it. ``message`` are sorted pairs of language and text.

    ``answered_by`` is None as long as nobody has answered. ``migrated``: it was given in Altinn 2's form, and Altinn 3
    has taken it over with its id; None: Altinn 3 may take it over, or have done so.
    """

    id: UUID
    giver: OrgNumber | NationalId
    receiver: OrgNumber
    rights: tuple[DeclaredRight, ...]
    valid_to: datetime
    form: Form = Form.ALTINN3
    state: State = State.ACCEPTED
    handled_by: OrgNumber | None = None
    required_delegator: NationalId | None = None
    answered_by: NationalId | None = None
    message: tuple[tuple[str, str], ...] = ()
    redirect_url: str = ""
    portal_view_mode: PortalViewMode = PortalViewMode.HIDE
    migrated: bool | None = None


_MOVING = frozenset({"state", "answered_by", "migrated"})


def state_of(consent: Consent) -> State:
    """How a consent stands."""
    if consent.status is Status.CREATED:
        return State.CREATED if consent.opened_at is None else State.OPENED
    return _ENDS[consent.end_reason] if consent.end_reason is not None else _STATES[consent.status]


def way(before: State, after: State) -> tuple[State, ...] | None:
    """What a consent that stands as ``before`` becomes on its way to ``after``; None when there is no way."""
    if before is after:
        return ()
    steps = _WAYS[after]
    if before in steps:
        return steps[steps.index(before) + 1 :]
    return steps if before is State.CREATED or (before is State.OPENED and after is not State.CREATED) else None


def as_compared(before: DeclaredConsent, after: DeclaredConsent) -> tuple[DeclaredConsent, DeclaredConsent]:
    """Both with ``migrated`` said: where ``after`` leaves it open, it is as it was."""
    was = bool(before.migrated)
    wanted = was if after.migrated is None else after.migrated
    return replace(before, migrated=was), replace(after, migrated=wanted)


def contradictions(before: DeclaredConsent, after: DeclaredConsent) -> Iterator[str]:
    """The fields of ``after`` that a consent that is there as ``before`` can not come to."""
    for each in fields(DeclaredConsent):
        if each.name not in _MOVING and getattr(before, each.name) != getattr(after, each.name):
            yield each.name
    if way(before.state, after.state) is None:
        yield "state"
    elif before.answered_by is not None and before.answered_by != after.answered_by:
        yield "answered_by"
    if before.migrated and after.migrated is False:
        yield "migrated"
    elif after.migrated and not before.migrated and before.state not in {State.CREATED, State.OPENED, State.ACCEPTED}:
        yield "migrated"  # only what stands is taken over


def unfit_rights(
    form: Form, rights: Sequence[DeclaredRight], terms: Mapping[str, ConsentTerms | None]
) -> Iterator[str]:
    """Why the rights can not be asked for together, each reason in words (consent.md §2.2, §4.4).

    ``terms`` holds what each resource says of consents, None when it is of another type; of those it does not have
    nothing is said.
    """
    templates = set()
    for right in rights:
        if right.resource not in terms:
            continue
        found = terms[right.resource]
        if found is None:
            yield f"{right.resource} is no resource of type Consent"
            continue
        templates.add(found.template or DEFAULT_TEMPLATE)
        yield from _unfit_metadata(form, right, {key.lower(): optional for key, optional in found.metadata})
    if len(templates) > 1:
        yield f"the resources do not share a template: {', '.join(sorted(templates))}"


def _unfit_metadata(form: Form, right: DeclaredRight, defined: Mapping[str, bool]) -> Iterator[str]:
    """In Altinn 2's form what is optional may be left out, in Altinn 3's nothing may."""
    given = dict(right.metadata)
    for key in sorted(given.keys() - defined.keys()):
        yield f"{right.resource} has no metadata {key[:60]!r}"
    for key, optional in sorted(defined.items()):
        if not given.get(key) and not (optional and form is Form.ALTINN2):
            yield f"the metadata {key!r} of {right.resource} is missing"


def parties_of(consent: Consent) -> list[UUID]:
    """Everybody who has to do with a consent."""
    named = (consent.giver, consent.receiver, consent.handled_by, consent.required_delegator, consent.answered_by)
    return [one for one in named if one is not None]


def as_declared(consent: Consent, parties: Mapping[UUID, PartyIdentity]) -> DeclaredConsent | None:
    """A consent as it would be declared; None when one of ``parties``, who are registered, is missing for that."""

    def organisation(party: UUID | None) -> OrgNumber | None:
        known = None if party is None else parties.get(party)
        return None if known is None else known.orgno

    def person(party: UUID | None) -> NationalId | None:
        known = None if party is None else parties.get(party)
        return None if known is None else known.national_id

    giver = person(consent.giver) or organisation(consent.giver)
    receiver, handler = organisation(consent.receiver), organisation(consent.handled_by)
    required = person(consent.required_delegator)
    gone = (consent.handled_by is not None and handler is None) or (
        consent.required_delegator is not None and required is None
    )
    if giver is None or receiver is None or gone:
        return None
    return DeclaredConsent(
        id=consent.id,
        giver=giver,
        receiver=receiver,
        rights=tuple([_declared_right(one) for one in consent.rights]),
        valid_to=consent.valid_to.astimezone(UTC),
        form=consent.form,
        state=state_of(consent),
        handled_by=handler,
        required_delegator=required,
        answered_by=person(consent.answered_by),
        message=tuple(sorted(consent.message.items())),
        redirect_url=consent.redirect_url,
        portal_view_mode=consent.portal_view_mode,
        migrated=True if consent.migrated is not None else None,
    )


def _declared_right(right: ConsentRight) -> DeclaredRight:
    metadata = sorted((key.lower(), value) for key, value in right.metadata.items() if value)
    return DeclaredRight(right.resource, tuple(metadata), right.actions)

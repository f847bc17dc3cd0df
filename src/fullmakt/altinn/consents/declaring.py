"""Consents as a world file declares them: exactly as told, whoever may ask for what and give it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from uuid import UUID

from sqlalchemy import text

from fullmakt.altinn.consents import rules, store
from fullmakt.altinn.consents.altinn3.rules import template_of
from fullmakt.altinn.consents.declared import (
    DeclaredConsent,
    DeclaredRight,
    State,
    as_declared,
    contradictions,
    parties_of,
    state_of,
    unfit_rights,
    way,
)
from fullmakt.altinn.consents.model import Consent, ConsentEvent, EventType, Form
from fullmakt.altinn.consents.ports import Neighbours
from fullmakt.altinn.consents.rules import Moved, Refusal
from fullmakt.altinn.consents.srr.services import Services
from fullmakt.altinn.consents.store import CONSENT, consents_of
from fullmakt.altinn.consents.templates import templates
from fullmakt.altinn.consents.work import Change, Work
from fullmakt.kernel.declarations import Outcome
from fullmakt.kernel.identifiers import NationalId, OrgNumber
from fullmakt.kernel.ordered_ids import time_ordered_id
from fullmakt.wire.altinn.attributes import ORGANISATION, PERSON, Attribute
from fullmakt.wire.altinn.consents import ConsentRight
from fullmakt.wire.altinn.parties import PartyIdentity
from fullmakt.wire.altinn.resources import CONSENT as CONSENT_TYPE
from fullmakt.wire.altinn.resources import RegisteredResource

OPERATOR = "operator"
ACTION = "consent:declare"
LANGUAGE = "nb"
"""In which what is declared is said to have been read."""
_DAY = dt.timedelta(days=1)
_PAGE = 500
_FIRST = UUID(int=0)
_NAMED = text(f"{CONSENT} WHERE c.consent_id = ANY(:ids) ORDER BY c.consent_id")
_NEXT = text(f"{CONSENT} WHERE c.consent_id > :after ORDER BY c.consent_id LIMIT :limit")


class ConsentDeclarationError(Exception):
    """What is declared can not be; the message says why, ``reason`` in one word, ``facts`` are for the trail."""

    def __init__(self, reason: str, message: str, **facts: str) -> None:
        super().__init__(message)
        self.reason = reason
        self.facts = facts


class Declaring:
    """What the operator says there is. To say it again does nothing."""

    def __init__(self, work: Work, neighbours: Neighbours, services: Services) -> None:
        self._work = work
        self._neighbours = neighbours
        self._services = services

    async def consents(self, ids: Collection[UUID] | None = None) -> list[DeclaredConsent]:
        """The consents there are, or those of them with these ids, in the order of their ids.

        Left out are those whose giver, receiver or supplier has no number in the register any more.
        """
        if ids is not None:
            async with self._work.database.transaction() as connection:
                rows = (await connection.execute(_NAMED, {"ids": list(ids)})).mappings().all()
            return await self._as_declared(consents_of(rows))
        found: list[DeclaredConsent] = []
        after, more = _FIRST, True
        while more:
            async with self._work.database.transaction() as connection:
                rows = (await connection.execute(_NEXT, {"after": after, "limit": _PAGE})).mappings().all()
            page = consents_of(rows)
            found += await self._as_declared(page)
            after, more = (page[-1].id, True) if len(page) == _PAGE else (after, False)
        return found

    async def declare(self, declared: DeclaredConsent) -> Outcome:
        """Let there be the consent, and let it stand as declared. Of its resources it is asked when it is new.

        One that is new, and whose time is over, was asked for and answered a day before that; whatever else happens
        to it happens now.

        Raises:
            ConsentDeclarationError: somebody is not registered, a resource can not be consented to so, or one that is
                there can not come to stand as declared.
        """
        try:
            return await self._declare(declared)
        except ConsentDeclarationError as error:
            await self._work.record(OPERATOR, ACTION, declared.id, error.reason, **error.facts)
            raise

    async def _declare(self, declared: DeclaredConsent) -> Outcome:
        parties = await self._parties(declared)
        person = parties.get(_attribute(declared.answered_by)) if declared.answered_by is not None else None
        answers = None if person is None else person.party_uuid
        while True:  # until nobody moves it between the two looks at it
            before = await self._find(declared.id)
            there = None if before is None else next(iter(await self._as_declared([before])), None)
            asked_for = await self._asked_for(declared, parties) if before is None else None
            async with self._work.changing() as change:
                found = await store.get(change.connection, declared.id, lock=True)
                if found is None and asked_for is not None:
                    made = replace(asked_for, created=_asked_at(declared, change.now))
                    if await _make(change, made, declared, answers):
                        return Outcome.CREATED
                elif found is not None and found == before:
                    return await _change(change, found, there, declared, answers)

    async def _find(self, consent_id: UUID) -> Consent | None:
        async with self._work.database.transaction() as connection:
            return await store.get(connection, consent_id)

    async def _parties(self, declared: DeclaredConsent) -> Mapping[Attribute, PartyIdentity]:
        numbers = {
            "from": declared.giver,
            "to": declared.receiver,
            "handled_by": declared.handled_by,
            "required_delegator": declared.required_delegator,
            "answered_by": declared.answered_by,
        }
        named = {role: _attribute(number) for role, number in numbers.items() if number is not None}
        found = await self._neighbours.parties.identify(list(named.values()))
        for role, attribute in named.items():
            if attribute not in found:
                raise ConsentDeclarationError("consent_party_unknown", f"nobody is registered as {role!r}", role=role)
        return found

    async def _asked_for(self, declared: DeclaredConsent, parties: Mapping[Attribute, PartyIdentity]) -> Consent:
        """The consent as it was asked for; its time is put in later."""
        known = await self._neighbours.resources.resources({right.resource for right in declared.rights})
        terms = {
            right.resource: known[right.resource].consent if _is_consent(known.get(right.resource)) else None
            for right in declared.rights
        }
        for why in unfit_rights(declared.form, declared.rights, terms):
            raise ConsentDeclarationError("consent_rights_unfit", why)
        one_time = [await self._is_one_time(declared, known[right.resource]) for right in declared.rights]
        template = templates()[template_of(known[declared.rights[0].resource])]

        def party(number: OrgNumber | NationalId | None) -> UUID | None:
            return None if number is None else parties[_attribute(number)].party_uuid

        receiver = parties[_attribute(declared.receiver)].party_uuid
        return Consent(
            id=declared.id,
            form=declared.form,
            giver=parties[_attribute(declared.giver)].party_uuid,
            receiver=receiver,
            valid_to=declared.valid_to,
            rights=tuple([_right(declared.form, right, known[right.resource]) for right in declared.rights]),
            redirect_url=declared.redirect_url,
            created=declared.valid_to,
            created_by=party(declared.handled_by) or receiver,
            handled_by=party(declared.handled_by),
            required_delegator=party(declared.required_delegator),
            message=dict(declared.message),
            portal_view_mode=declared.portal_view_mode,
            template_id=template.id,
            template_version=template.version,
            one_time=any(one_time),
        )

    async def _is_one_time(self, declared: DeclaredConsent, resource: RegisteredResource) -> bool:
        service = await self._services.of_resource(resource.identifier) if declared.form is Form.ALTINN2 else None
        said = None if service is None else service.one_time
        return resource.consent.one_time if said is None else said

    async def _as_declared(self, consents: Sequence[Consent]) -> list[DeclaredConsent]:
        parties = await self._neighbours.by_uuid({one for each in consents for one in parties_of(each)})
        found = [as_declared(one, parties) for one in consents]
        return [one for one in found if one is not None]


async def _make(change: Change, made: Consent, declared: DeclaredConsent, person: UUID | None) -> bool:
    """Keep a new consent as it came to stand; False when another with its id was faster."""
    states = _checked(made, declared, State.CREATED, person, made.created)
    after = states[-1] if states else made
    if not await store.insert(change.connection, after):
        return False
    asker = made.created_by if made.form is Form.ALTINN2 else made.receiver
    events, before = [_event(change, made, EventType.CREATED, asker)], made
    for one in states:
        happened = rules.events_of(before, one, used=_used_up(one))
        events += [_event(change, one, kind, _performer(one, person, made.receiver)) for kind in happened]
        before = one
    await store.add_events(change.connection, after, events)
    change.tell_consent(OPERATOR, ACTION, after, form=after.form.value, state=declared.state.value)
    return True


async def _change(
    change: Change, found: Consent, there: DeclaredConsent | None, declared: DeclaredConsent, person: UUID | None
) -> Outcome:
    if there is None:
        raise ConsentDeclarationError("consent_contradicted", "it is there, between parties who have no numbers")
    fields = list(contradictions(there, declared))
    if fields:
        named = ", ".join(fields)
        raise ConsentDeclarationError("consent_contradicted", f"it is there with another {named}", fields=named)
    before = found
    for after in _checked(found, declared, there.state, person, change.now):
        await change.keep(before, after, _performer(after, person, found.receiver), used=_used_up(after))
        before = after
    if before is found:
        return Outcome.UNCHANGED
    change.tell_consent(OPERATOR, ACTION, before, form=before.form.value, state=declared.state.value)
    return Outcome.CHANGED


def _checked(
    consent: Consent, declared: DeclaredConsent, before: State, person: UUID | None, at: dt.datetime
) -> list[Consent]:
    """The consent after each step on its way, by the rules that hold for everybody."""
    made, now = [], consent
    steps: list[State | None] = list(way(before, declared.state) or ())
    if declared.migrated and consent.migrated is None:  # what stands is taken over, before it can end
        steps.insert(steps.index(State.ACCEPTED) + 1 if State.ACCEPTED in steps else 0, None)
    if State.USED_UP in steps and not consent.one_time:
        raise ConsentDeclarationError("consent_not_one_time", "only a consent for one time can be used up")
    for step in steps:
        moved = replace(now, migrated=at) if step is None else _moved(now, step, person or consent.giver, at)
        if isinstance(moved, Refusal):
            raise ConsentDeclarationError(moved.reason.value, f"it can not become {step}: {moved.reason.value}")
        made.append(moved)
        now = moved
    return made


def _moved(consent: Consent, step: State, person: UUID, at: dt.datetime) -> Moved:
    match step:
        case State.OPENED:
            return rules.open_(consent, consent.required_delegator or person, at)
        case State.ACCEPTED:
            return rules.accept(consent, person, at, language=LANGUAGE)
        case State.REJECTED:
            return rules.reject(consent, person, at)
        case State.WITHDRAWN:
            return rules.withdraw(consent, at)
        case State.REVOKED:
            return rules.revoke(consent, at)
        case State.GIVEN_UP:
            return rules.give_up(consent, at)
        case State.USED_UP:
            return rules.log_use(consent, at)
        case State.CREATED:
            return consent


def _asked_at(declared: DeclaredConsent, now: dt.datetime) -> dt.datetime:
    return now if declared.valid_to > now else declared.valid_to - _DAY


def _event(change: Change, consent: Consent, kind: EventType, performed_by: UUID) -> ConsentEvent:
    at = consent.created  # all of it in one moment, told apart by its place
    event_id = time_ordered_id(at, change.fresh_id(), rules.ORDER.index(kind))
    return ConsentEvent(event_id, consent.id, kind, at, performed_by)


def _performer(consent: Consent, person: UUID | None, receiver: UUID) -> UUID:
    """Who did what the consent has just come to."""
    by_giver = {State.OPENED, State.ACCEPTED, State.REJECTED, State.REVOKED}
    return (person or consent.giver) if state_of(consent) in by_giver else receiver


def _used_up(consent: Consent) -> bool:
    return state_of(consent) is State.USED_UP


def _right(form: Form, right: DeclaredRight, resource: RegisteredResource) -> ConsentRight:
    """As it is kept: Altinn 2 has every parameter as the service spells it, Altinn 3 has keys in lower case (§4.17)."""
    given = dict(right.metadata)
    if form is Form.ALTINN2:
        given = {key: given.get(key.lower(), "") for key, _ in resource.consent.metadata}
    return ConsentRight(right.resource, right.actions, given, resource.version)


def _is_consent(resource: RegisteredResource | None) -> bool:
    return resource is not None and resource.resource_type == CONSENT_TYPE and template_of(resource) in templates()


def _attribute(number: OrgNumber | NationalId) -> Attribute:
    return Attribute(PERSON if isinstance(number, NationalId) else ORGANISATION, number)

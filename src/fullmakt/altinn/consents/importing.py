"""Consents that were given in the real Altinn 2, brought in from its export (consent.md §4.17)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from fullmakt.altinn.consents.altinn3.rules import template_of
from fullmakt.altinn.consents.export_records import Record, RecordedEvent, UnreadableRecordError, read_record
from fullmakt.altinn.consents.migrating import ACTION, OPERATOR, Migrating, Past, Taken
from fullmakt.altinn.consents.model import Consent, EndReason, EventType, Form, Status
from fullmakt.altinn.consents.ports import Neighbours
from fullmakt.altinn.consents.srr.model import Service, ServiceKey
from fullmakt.altinn.consents.srr.services import Services
from fullmakt.altinn.consents.templates import templates
from fullmakt.altinn.consents.work import Work
from fullmakt.kernel.declarations import Outcome
from fullmakt.wire.altinn.attributes import Attribute
from fullmakt.wire.altinn.consents import ConsentRight
from fullmakt.wire.altinn.parties import PartyIdentity, PartyKind
from fullmakt.wire.altinn.resources import RegisteredResource

UNREADABLE = "record_unreadable"
NO_PARTY = "consent_party_unknown"
NO_SERVICE = "no_consent_service"
LATER = "record_of_the_future"


@dataclass(frozen=True, slots=True)
class Imported:
    """What became of a record: ``outcome`` None, and why. ``facts`` are fit for the trail."""

    consent_id: UUID | None
    outcome: Outcome | None
    reason: str = ""
    facts: Mapping[str, Any] = field(default_factory=dict)


class Importing:
    """Brings in what records tell of, by the operator. To do it again does nothing."""

    def __init__(self, work: Work, migrating: Migrating, neighbours: Neighbours, services: Services) -> None:
        self._work = work
        self._migrating = migrating
        self._neighbours = neighbours
        self._services = services

    async def bring_in(self, documents: Sequence[object], *, dry_run: bool = False) -> list[Imported]:
        """Bring in the records in ``documents``, JSON values, at most ``migrating.BATCH``; what became of each.

        What is taken is taken in one transaction. Whatever can not be taken keeps no other from being.
        """
        read = [_read(document) for document in documents]
        records = [one for one in read if isinstance(one, Record)]
        parties = await self._neighbours.parties.identify({name for one in records for name in _named(one)})
        services = {key: await self._services.find(key) for key in _keys(records)}
        resources = await self._neighbours.resources.resources(
            {service.resource for service in services.values() if service is not None}
        )
        known = _Known(parties, services, resources, self._work.clock())
        drafts = [known.draft(one) if isinstance(one, Record) else one for one in read]
        refused = [one for one in drafts if isinstance(one, Imported)]
        taken = iter(
            await self._migrating.bring_in_all(
                [one for one in drafts if not isinstance(one, Imported)], dry_run=dry_run
            )
        )
        if not dry_run:
            await self._record(refused)
        return [one if isinstance(one, Imported) else _imported(next(taken)) for one in drafts]

    async def _record(self, refused: Sequence[Imported]) -> None:
        for one in refused:
            await self._work.record(OPERATOR, ACTION, one.consent_id or "consent", one.reason, **one.facts)


@dataclass(frozen=True, slots=True)
class _Known:
    """Everything that a batch of records refers to, as far as it is registered."""

    parties: Mapping[Attribute, PartyIdentity]
    services: Mapping[ServiceKey, Service | None]
    resources: Mapping[str, RegisteredResource]
    now: dt.datetime

    def draft(self, record: Record) -> tuple[Consent, Sequence[Past]] | Imported:
        """The consent that a record tells of, and its history; or why there is none."""
        for role, name in _roles(record).items():
            found = self.parties.get(name) if name is not None else None
            is_person = role != "RequiredDelegator" or (found is not None and found.kind is PartyKind.PERSON)
            if name is not None and (found is None or not is_person):
                return Imported(record.id, None, NO_PARTY, {"role": role})
        for key, _ in record.services:
            if self._resource(key) is None:
                return Imported(record.id, None, NO_SERVICE, {"service": str(key)})
        if max(record.created, *(one.at for one in record.events)) > self.now:
            return Imported(record.id, None, LATER)
        return self._consent(record), self._past(record)

    def _consent(self, record: Record) -> Consent:
        accepted = _first(record, EventType.ACCEPTED)
        found = [(self._resource(key), metadata) for key, metadata in record.services]
        rights = [(one, metadata) for one, metadata in found if one is not None]
        template = templates()[_template(accepted, rights[0][0])]
        one_time = any(self._is_one_time(key) for key, _ in record.services)
        status, at, ended, why = _standing(record, one_time=one_time)
        return Consent(
            id=record.id,
            form=Form.ALTINN2,
            giver=self._uuid(record.giver),
            receiver=self._uuid(record.receiver),
            valid_to=record.valid_to,
            rights=tuple([ConsentRight(one.identifier, metadata=metadata) for one, metadata in rights]),
            redirect_url="",
            created=record.created,
            created_by=self._uuid(record.created_by),
            handled_by=None if record.handled_by is None else self._uuid(record.handled_by),
            required_delegator=None if record.required_delegator is None else self._uuid(record.required_delegator),
            message=record.message,
            template_id=template.id,
            template_version=template.version,
            one_time=one_time,
            status=status,
            answered_at=at,
            answered_by=None if at is None else self._answerer(record),
            language="" if accepted is None else accepted.language,
            ended_at=ended,
            end_reason=why,
        )

    def _past(self, record: Record) -> list[Past]:
        """What Altinn 3 tells of it; that it lapsed is reckoned, and who did what is told by what it is."""
        by = {EventType.CREATED: self._uuid(record.created_by), EventType.USED: self._uuid(record.receiver)}
        told = [] if _first(record, EventType.CREATED) else [RecordedEvent(EventType.CREATED, record.created)]
        told += [one for one in record.events if one.type is not EventType.EXPIRED]
        return [Past(one.type, one.at, by.get(one.type, self._answerer(record))) for one in told]

    def _answerer(self, record: Record) -> UUID:
        return self._uuid(record.required_delegator or record.giver)

    def _uuid(self, name: Attribute) -> UUID:
        return self.parties[name].party_uuid

    def _resource(self, key: ServiceKey) -> RegisteredResource | None:
        service = self.services[key]
        return None if service is None else self.resources.get(service.resource)

    def _is_one_time(self, key: ServiceKey) -> bool:
        service, resource = self.services[key], self._resource(key)
        said = None if service is None else service.one_time
        return (resource is not None and resource.consent.one_time) if said is None else said


def _standing(
    record: Record, *, one_time: bool
) -> tuple[Status, dt.datetime | None, dt.datetime | None, EndReason | None]:
    """How the consent stands, when it was answered, and when and why it ended. Where a record tells of both, the no
    counts, and an end counts whenever it is said to have been."""
    accepted, rejected = _first(record, EventType.ACCEPTED), _first(record, EventType.REJECTED)
    if rejected is not None:
        return Status.REJECTED, rejected.at, None, None
    if accepted is None:
        return Status.CREATED, None, None, None
    ends = {EventType.REVOKED: EndReason.REVOKED, **({EventType.USED: EndReason.USED_UP} if one_time else {})}
    ended = next((one for one in record.events if one.type in ends), None)
    if ended is None:
        return Status.ACCEPTED, accepted.at, None, None
    return Status.REVOKED, accepted.at, max(accepted.at, ended.at), ends[ended.type]


def _template(accepted: RecordedEvent | None, resource: RegisteredResource) -> str:
    named = (accepted.template if accepted is not None else "", template_of(resource), "default")
    return next(one for one in named if one in templates())


def _first(record: Record, kind: EventType) -> RecordedEvent | None:
    return next((one for one in record.events if one.type is kind), None)


def _read(document: object) -> Record | Imported:
    try:
        return read_record(document)
    except UnreadableRecordError as error:
        return Imported(error.id, None, UNREADABLE, {"member": error.name, "what": str(error)})


def _imported(taken: Taken) -> Imported:
    if isinstance(taken.result, Outcome):
        return Imported(taken.consent_id, taken.result)
    return Imported(taken.consent_id, None, taken.reason, taken.result.facts)


def _roles(record: Record) -> Mapping[str, Attribute | None]:
    return {
        "From": record.giver,
        "To": record.receiver,
        "CreatedBy": record.created_by,
        "HandledBy": record.handled_by,
        "RequiredDelegator": record.required_delegator,
    }


def _named(record: Record) -> list[Attribute]:
    return [one for one in _roles(record).values() if one is not None]


def _keys(records: Sequence[Record]) -> list[ServiceKey]:
    return sorted({key for one in records for key, _ in one.services})

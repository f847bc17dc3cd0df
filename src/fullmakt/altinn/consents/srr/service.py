"""The use cases of SRR. Each is one transaction, with its audit events in it; a refusal is told in one of its own.

Nobody remembers entries: whoever decides by them reads them in the same moment, so that no feed has to tell of them.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import replace
from operator import itemgetter
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from fullmakt.altinn.consents.srr import rules, store
from fullmakt.altinn.consents.srr.documents import CHANGED_KEY, Changes, Fault, InvalidEntryError, condition_document
from fullmakt.altinn.consents.srr.model import Draft, Entry, Gate, Named, OperationStatus, Service, ServiceKey, Written
from fullmakt.altinn.consents.srr.ports import Owner
from fullmakt.altinn.consents.srr.services import SYSTEM, Services
from fullmakt.infra import audit
from fullmakt.infra.altinn import ForbiddenError
from fullmakt.infra.database import Database
from fullmakt.kernel.clock import Clock

PAGE = 200
"""Entries that are read, and written to whoever asks for all of them, at a time."""

REASONS = {
    OperationStatus.NOT_FOUND: "no_such_entry",
    OperationStatus.EXISTS: "already_exists",
    OperationStatus.BAD_REPORTEE: "bad_reportee",
    OperationStatus.EXPIRED: "already_expired",
}
"""What the audit trail calls what became of an entry that was not made, or not removed."""


class UnknownEntryError(LookupError):
    """There is no entry with this id."""


class SrrService:
    """SRR: owners see to the entries of their own services, and consent is gated by them."""

    def __init__(self, database: Database, clock: Clock, services: Services) -> None:
        self._database = database
        self._clock = clock
        self._services = services

    async def gates(
        self, keys: Sequence[ServiceKey], receiver: str, connection: AsyncConnection | None = None
    ) -> tuple[Gate, ...]:
        """What ``rules`` decide on: a gate for each service, for the one who is to receive the consent.

        ``receiver`` is an organisation number or a national identity number. With ``connection`` it is read in that
        transaction.
        """
        if connection is not None:
            return tuple([await _gate(connection, key, receiver) for key in keys])
        async with self._database.transaction() as own:
            return tuple([await _gate(own, key, receiver) for key in keys])

    # -- the owner's --------------------------------------------------------------------------------------------------

    async def listed(self, key: ServiceKey, by: Owner) -> AsyncIterator[Sequence[Entry]]:
        """Every entry of the caller's service, ``PAGE`` at a time, oldest first.

        A page is read when it is asked for: of what is added or removed meanwhile each may be there or not, and nothing
        is there twice.

        Raises:
            ForbiddenError: the service is not the caller's, or there is none.
        """
        await self._owned(key, by, "srr:read")
        return self._pages(key)

    async def _pages(self, key: ServiceKey) -> AsyncIterator[Sequence[Entry]]:
        after, more = 0, True
        while more:
            async with self._database.transaction() as connection:
                found = await store.page(connection, key, after, PAGE)
            more = len(found) == PAGE
            if found:
                after = found[-1].id
                yield found

    async def entries(self, key: ServiceKey, by: Owner, reportee: str | None = None) -> Sequence[Entry]:
        """The entries of the caller's service, or those of one reportee, all at once.

        Raises:
            ForbiddenError: the service is not the caller's, or there is none.
        """
        if reportee is None:
            return [entry async for page in await self.listed(key, by) for entry in page]
        await self._owned(key, by, "srr:read")
        async with self._database.transaction() as connection:
            return await store.of_reportee(connection, key, reportee)

    async def entry(self, entry_id: int, by: Owner) -> Entry:
        """One of the caller's entries.

        Raises:
            UnknownEntryError: there is none.
            ForbiddenError: its service is not the caller's.
        """
        async with self._database.transaction() as connection:
            found = await store.get(connection, entry_id)
        if found is None:
            raise UnknownEntryError
        await self._owned(found.service, by, "srr:read")
        return found

    async def add(self, drafts: Sequence[Draft], by: Owner) -> list[Written]:
        """Make entries, each that can be made. The first of a service lets it use SRR.

        Raises:
            ForbiddenError: one of the services is not the caller's; nothing is made.
        """
        services = {key: await self._owned(key, by, "srr:add") for key in {draft.service: None for draft in drafts}}
        made: dict[int, Written] = {}
        async with self._database.transaction() as connection:
            now = self._clock()
            faults = {place: rules.fault_of(draft, now) for place, draft in enumerate(drafts)}
            # In one order, whoever adds: two that add the same wait for each other in turn, and not in a circle.
            for key in sorted({draft.service for place, draft in enumerate(drafts) if faults[place] is None}):
                await store.use_srr(connection, services[key].resource, key, now)
            for place, draft in sorted(enumerate(drafts), key=_in_order):
                resource = services[draft.service].resource
                made[place] = await self._make(connection, resource, draft, faults[place], by)
        return [made[place] for place in range(len(drafts))]

    async def _make(
        self, connection: AsyncConnection, resource: str, draft: Draft, fault: OperationStatus | None, by: Owner
    ) -> Written:
        entry_id = None if fault else await store.insert(connection, resource, draft, self._clock())
        if entry_id is None:
            status = fault or OperationStatus.EXISTS
            facts = {"service": str(draft.service), "right": str(draft.right), "reportee": _shown(draft.reportee)}
            await self._record(connection, "srr:add", "deny", by, "", facts, REASONS[status])
            return Written(draft, status)
        entry = Entry(entry_id, draft.service, draft.reportee, draft.right, draft.valid_to, draft.condition)
        await self._tell(connection, "srr:add", entry, by)
        return Written(entry, OperationStatus.OK)

    async def change(self, entry_id: int, changes: Changes, by: Owner) -> Written:
        """Give an entry another time and another condition. One whose time would be over stays as it is.

        Raises:
            UnknownEntryError: there is none.
            ForbiddenError: its service is not the caller's.
            InvalidEntryError: the change is of what the entry is about.
        """
        before = await self._of_owner(entry_id, by, "srr:change")
        changed = _changed(before, changes)
        if changed:
            await self.refused("srr:change", by, "other_entry", entry=entry_id, members=changed)
            told = f"{', '.join(changed)} can not be changed: remove the entry and add another"
            raise InvalidEntryError(Fault(CHANGED_KEY, told))
        async with self._database.transaction() as connection:
            now = self._clock()
            held = await store.get(connection, entry_id, lock=True)
            if held is None:  # removed meanwhile; an id is never given out again
                raise UnknownEntryError
            if changes.valid_to <= now:
                facts = {"valid_to": changes.valid_to.isoformat()}
                await self._record(connection, "srr:change", "deny", by, f"srr:{held.id}", facts, "already_expired")
                return Written(held, OperationStatus.EXPIRED)
            after = replace(held, valid_to=changes.valid_to, condition=changes.condition)
            if after != held:
                await store.update(connection, after, now)
                await self._tell(connection, "srr:change", after, by)
            return Written(after, OperationStatus.OK)

    async def remove(self, entry_id: int, by: Owner) -> Written:
        """Remove an entry. Its service goes on using SRR.

        Raises:
            UnknownEntryError: there is none.
            ForbiddenError: its service is not the caller's.
        """
        await self._of_owner(entry_id, by, "srr:remove")
        async with self._database.transaction() as connection:
            held = await store.get(connection, entry_id, lock=True)
            if held is None:
                raise UnknownEntryError
            await store.delete(connection, entry_id)
            await self._tell(connection, "srr:remove", held, by)
            return Written(held, OperationStatus.OK)

    async def withdraw(self, key: ServiceKey, names: Sequence[Named], by: Owner) -> list[OperationStatus]:
        """Remove the caller's entries that are named, each that there is.

        Raises:
            ForbiddenError: the service is not the caller's; nothing is removed.
        """
        await self._owned(key, by, "srr:remove")
        became: dict[int, OperationStatus] = {}
        async with self._database.transaction() as connection:
            for place, name in sorted(enumerate(names), key=itemgetter(1, 0)):  # in the order that ``add`` takes them
                became[place] = await self._withdraw(connection, key, name, by)
        return [became[place] for place in range(len(names))]

    async def _withdraw(self, connection: AsyncConnection, key: ServiceKey, name: Named, by: Owner) -> OperationStatus:
        held = None
        if rules.is_reportee(name.reportee):
            found = [one for one in await store.of_reportee(connection, key, name.reportee) if one.right is name.right]
            held = await store.get(connection, found[0].id, lock=True) if found else None
        if held is None:
            status = OperationStatus.NOT_FOUND if rules.is_reportee(name.reportee) else OperationStatus.BAD_REPORTEE
            facts = {"service": str(key), "right": str(name.right), "reportee": _shown(name.reportee)}
            await self._record(connection, "srr:remove", "deny", by, "", facts, REASONS[status])
            return status
        await store.delete(connection, held.id)
        await self._tell(connection, "srr:remove", held, by)
        return OperationStatus.OK

    async def refused(self, action: str, by: Owner, reason: str, **facts: Any) -> None:
        """Keep in the audit trail that an owner was refused."""
        async with self._database.transaction() as connection:
            await self._record(connection, action, "deny", by, "", facts, reason)

    async def _of_owner(self, entry_id: int, by: Owner, action: str) -> Entry:
        async with self._database.transaction() as connection:
            found = await store.get(connection, entry_id)
        if found is None:
            await self.refused(action, by, "no_such_entry", entry=entry_id)
            raise UnknownEntryError
        await self._owned(found.service, by, action)
        return found

    async def _owned(self, key: ServiceKey, by: Owner, action: str) -> Service:
        service = await self._services.find(key)
        if service is None or service.owner != by.organisation:
            await self.refused(action, by, "others_service", service=str(key))
            raise ForbiddenError("others_service", service=str(key))
        return service

    async def _tell(self, connection: AsyncConnection, action: str, entry: Entry, by: Owner) -> None:
        facts = {
            "service": str(entry.service),
            "reportee": _shown(entry.reportee),
            "right": str(entry.right),
            "valid_to": entry.valid_to.isoformat(),
            "condition": condition_document(entry.condition) if entry.condition is not None else None,
        }
        await self._record(connection, action, "done", by, f"srr:{entry.id}", facts)

    async def _record(
        self,
        connection: AsyncConnection,
        action: str,
        outcome: str,
        by: Owner,
        subject: str,
        facts: Mapping[str, Any],
        reason: str = "",
    ) -> None:
        event = audit.AuditEvent(
            self._clock(), SYSTEM, action, outcome, actor=by.actor, subject=subject, reason=reason, facts=facts
        )
        await audit.record(connection, event)


async def _gate(connection: AsyncConnection, key: ServiceKey, receiver: str) -> Gate:
    declared = await store.service(connection, key)
    entries = await store.of_reportee(connection, key, receiver)
    return Gate(key, declared is not None and bool(declared.uses_srr), tuple(entries))


def _changed(before: Entry, changes: Changes) -> list[str]:
    """What an entry is about, and would be about something else."""
    said = {
        "ServiceCode": (changes.service, before.service),
        "Reportee": (changes.reportee, before.reportee),
        "Right": (changes.right, before.right),
    }
    return [name for name, (wanted, kept) in said.items() if wanted is not None and wanted != kept]


def _in_order(placed: tuple[int, Draft]) -> tuple[ServiceKey, str, str, int]:
    place, draft = placed
    return draft.service, draft.reportee, draft.right, place


def _shown(reportee: str) -> str:
    """The reportee as the audit trail may have it: an organisation by its number, and nobody else."""
    return reportee if len(reportee) == 9 else "a person"

"""What lies between a world and what there is, as steps in the order in which they can be taken. Pure."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping
from dataclasses import dataclass, fields
from enum import StrEnum
from graphlib import CycleError, TopologicalSorter
from typing import Any

from fullmakt.altinn.consents.declared import DeclaredConsent, as_compared
from fullmakt.altinn.parties.model import Organisation
from fullmakt.kernel.identifiers import NationalId
from fullmakt.world.errors import Fault, Place, WorldFaults
from fullmakt.world.model import ConsentService, EndedRole, Entry, Kind, Resource, World, key_of, label_of, shown
from fullmakt.world.names import references
from fullmakt.world.plan_consents import consent_faults, field_of


class Action(StrEnum):
    """What a step does."""

    CREATE = "create"
    CHANGE = "change"
    UNCHANGED = "unchanged"


_MARKS = {Action.CREATE: "+", Action.CHANGE: "~", Action.UNCHANGED: " "}


@dataclass(frozen=True, slots=True)
class Difference:
    """A field that will change."""

    field: str
    before: str
    after: str

    def __str__(self) -> str:
        return f"{self.field}: {self.before} → {self.after}"


@dataclass(frozen=True, slots=True)
class Step:
    """One entry and what has to be done for it."""

    action: Action
    kind: Kind
    entry: Entry
    differences: tuple[Difference, ...] = ()

    def __str__(self) -> str:
        told = f" ({'; '.join(map(str, self.differences))})" if self.differences else ""
        return f"{_MARKS[self.action]} {self.kind} {label_of(self.entry)}{told}"

    def as_json(self) -> dict[str, Any]:
        """The step as JSON values."""
        return {
            "action": self.action,
            "kind": self.kind,
            "entry": label_of(self.entry),
            "differences": [
                {"field": each.field, "before": each.before, "after": each.after} for each in self.differences
            ],
        }


@dataclass(frozen=True, slots=True)
class Plan:
    """All steps, those that have nothing to do included."""

    steps: tuple[Step, ...]

    @property
    def changes(self) -> tuple[Step, ...]:
        """The steps that do something."""
        return tuple(step for step in self.steps if step.action is not Action.UNCHANGED)

    def __str__(self) -> str:
        counts = {action: sum(step.action is action for step in self.steps) for action in Action}
        summary = f"{counts[Action.CREATE]} to create, {counts[Action.CHANGE]} to change"
        summary += f", {counts[Action.UNCHANGED]} as they should be"
        return "\n".join([*map(str, self.changes), summary])

    def as_json(self) -> dict[str, Any]:
        """The plan as JSON values."""
        return {"steps": [step.as_json() for step in self.steps], "changes": len(self.changes)}


def plan(world: World, current: World) -> Plan:
    """The steps from ``current`` to ``world``.

    ``current`` holds at least what ``world`` names (``Names.of``).

    Raises:
        WorldFaults: something is referred to that is neither declared nor there, or organisations stand above one
            another in a loop.
    """
    there = {kind: {key_of(entry): entry for entry in current.entries(kind)} for kind in Kind}
    faults = [*_missing(world, there), *_immovable(world, there[Kind.CLIENT]), *_consents(world, there)]
    organisations = _parents_first(world, faults)
    if faults:
        raise WorldFaults(faults)
    rest = [(kind, entry) for kind in Kind if kind is not Kind.ORGANISATION for entry in world.entries(kind)]
    entries = [*((Kind.ORGANISATION, organisation) for organisation in organisations), *rest]
    return Plan(tuple(_step(kind, entry, there[kind].get(key_of(entry))) for kind, entry in entries))


def _step(kind: Kind, entry: Entry, before: Entry | None) -> Step:
    if isinstance(entry, EndedRole):
        return _ending(kind, entry, before)
    if before is None:
        return Step(Action.CREATE, kind, entry)
    differences = tuple(_differences(before, entry))
    return Step(Action.CHANGE if differences else Action.UNCHANGED, kind, entry, differences)


def _ending(kind: Kind, entry: Entry, before: Entry | None) -> Step:
    if before is None:
        return Step(Action.UNCHANGED, kind, entry)
    return Step(Action.CHANGE, kind, entry, (Difference("state", "held", "ended"),))


def _differences(before: Entry, after: Entry) -> Iterator[Difference]:
    if isinstance(before, DeclaredConsent) and isinstance(after, DeclaredConsent):
        before, after = as_compared(before, after)
    for each in fields(after):
        old, new = getattr(before, each.name), getattr(after, each.name)
        if old != new:
            yield Difference(each.name, _told(old), _told(new))


def _told(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, NationalId):
        return shown(value)
    if isinstance(value, tuple):
        return f"[{', '.join(map(_told, value))}]"
    return "none" if value is None else str(value)


def _missing(world: World, there: Mapping[Kind, Mapping[Hashable, Entry]]) -> Iterator[Fault]:
    declared = {kind: {key_of(entry) for entry in world.entries(kind)} for kind in Kind}
    for kind in Kind:
        for number, entry in enumerate(world.entries(kind), 1):
            for reference in references(entry):
                if reference.key not in declared[reference.kind] and reference.key not in there[reference.kind]:
                    place = _place(world, kind, number, reference.field)
                    yield Fault(place, f"no {reference.kind} {_masked(reference.key)} in the file or in the database")


def _immovable(world: World, there: Mapping[Hashable, Entry]) -> Iterator[Fault]:
    """Whose a client is, and its type, never change (maskinporten.md §7.3)."""
    for number, client in enumerate(world.clients, 1):
        before = there.get(client.client_id)
        for field in ("organisation", "supplier", "integration_type") if before is not None else ():
            was = getattr(before, field)
            if was != getattr(client, field):
                place = _place(world, Kind.CLIENT, number, field)
                yield Fault(place, f"{client.client_id} is there with {_told(was)}, which never changes")


def _consents(world: World, there: Mapping[Kind, Mapping[Hashable, Entry]]) -> Iterator[Fault]:
    """What consents are about never changes, and how they stand not back (consent.md §2.4, §4.15)."""
    registered = [*there[Kind.RESOURCE].values(), *world.resources]
    resources = {one.identifier: one for one in registered if isinstance(one, Resource)}
    standing = [*there[Kind.CONSENT_SERVICE].values(), *world.consent_services]
    services = {one.resource: one for one in standing if isinstance(one, ConsentService)}
    for number, consent in enumerate(world.consents, 1):
        before = there[Kind.CONSENT].get(consent.id)
        if isinstance(before, DeclaredConsent):
            before, consent = as_compared(before, consent)
        for field, why in consent_faults(consent, before, resources, services):
            was, wanted = (_told(getattr(one, field_of(field), None)) for one in (before, consent))
            told = why or f"{consent.id} is there with {was}, which can not become {wanted}"
            yield Fault(_place(world, Kind.CONSENT, number, field), told)


def _parents_first(world: World, faults: list[Fault]) -> list[Organisation]:
    """The organisations in an order in which each comes after its parent."""
    by_orgno = {organisation.orgno: organisation for organisation in world.organisations}
    above = {orgno: [each.parent] if each.parent in by_orgno else [] for orgno, each in by_orgno.items()}
    try:
        return [by_orgno[orgno] for orgno in TopologicalSorter(above).static_order()]
    except CycleError as error:
        loop = error.args[1]
        number = world.organisations.index(by_orgno[loop[0]]) + 1
        place = _place(world, Kind.ORGANISATION, number, "parent")
        faults.append(Fault(place, f"organisations stand above one another in a loop: {' < '.join(loop)}"))
        return []


def _masked(key: Hashable) -> str:
    if isinstance(key, tuple):
        return "_".join(map(str, key))
    return shown(key) if isinstance(key, NationalId) else str(key)


def _place(world: World, kind: Kind, number: int, field: str | None) -> Place:
    line = world.lines.get((kind, number, field)) or world.lines.get((kind, number, None))
    return Place(kind, number, field, line)

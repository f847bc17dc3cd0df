"""Enterprise systems and system users in a world file."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from uuid import UUID

from fullmakt.wire.altinn.attributes import ACCESS_PACKAGE
from fullmakt.wire.altinn.systemusers import UserType
from fullmakt.world import reading as r
from fullmakt.world.errors import Fault, Place
from fullmakt.world.model import Kind, System, SystemUser, World

_IDENTIFIER = re.compile(r"[0-9]{9}_[^\s/?#]{1,200}", re.ASCII)
_PACKAGE = re.compile(r"[a-z0-9-]{1,200}", re.ASCII)
_REDIRECT = re.compile(r"https://[!-~]{1,1000}", re.ASCII)


def read_system(table: r.Table) -> System | None:
    """Read one ``[[system]]``. ``clients`` are names of clients in the same file, or client ids."""
    identifier = table.required("identifier", r.matching(_IDENTIFIER, "a system's identifier is <vendor>_<name>"))
    vendor = table.required("vendor", r.orgno)
    if table.ok and not identifier.startswith(f"{vendor}_"):
        table.fault("identifier", f"a system's identifier is <vendor>_<name>: begin it with {vendor}_")
    name = table.required("name", r.languages)
    system = System(
        identifier=identifier,
        vendor=vendor,
        name=name,
        description=table.defaulted("description", r.languages, name),
        clients=table.texts("clients", r.text),
        resources=table.texts("resources", r.text),
        packages=table.texts("packages", _package),
        redirect_urls=table.texts("redirect_urls", r.matching(_REDIRECT, "a redirect URL begins with https://")),
        visible=table.flag("visible", default=True),
    )
    return system if table.ok else None


def read_system_user(table: r.Table) -> SystemUser | None:
    """Read one ``[[system_user]]``; what it may do is ``resources`` and ``packages``, an agent's packages alone.

    A standard one may be there and have nothing: its owner may have taken all back.
    """
    owner = table.required("owner", r.orgno)
    system = table.required("system", r.text)
    kind = table.defaulted("type", r.one_of([one.value for one in UserType]), UserType.STANDARD.value)
    user = SystemUser(
        system=system,
        owner=owner,
        external_ref=table.defaulted("external_ref", r.text, str(owner)),
        title=table.defaulted("title", r.text, system),
        type=kind,
        resources=table.texts("resources", r.text),
        packages=table.texts("packages", _package),
        clients=table.texts("clients", r.orgno),
    )
    if user.type == UserType.AGENT.value and not user.packages:
        table.fault("packages", "what may it do for its clients? at least one package")
    if user.type == UserType.AGENT.value and user.resources:
        table.fault("resources", "an agent acts by packages alone")
    if user.type == UserType.STANDARD.value and user.clients:
        table.fault("clients", "an agent alone has clients")
    return user if table.ok else None


def called_clients(world: World, faults: list[Fault]) -> World:
    """The same world, each system's clients by their ids; a name that no client of the file has is a fault."""
    if any(fault.place is not None and fault.place.section == Kind.SYSTEM for fault in faults):
        return world  # those left out would make the others' numbers wrong
    ids = {client.client_id: client.client_id for client in world.clients}
    ids |= {client.name: client.client_id for client in world.clients}
    systems = [_called(system, number, ids, world.lines, faults) for number, system in enumerate(world.systems, 1)]
    return replace(world, systems=tuple(systems))


def _called(
    system: System,
    number: int,
    ids: Mapping[str, str],
    lines: Mapping[tuple[str, int, str | None], int],
    faults: list[Fault],
) -> System:
    for name in system.clients:
        if name not in ids and not _is_uuid(name):
            place = Place(Kind.SYSTEM, number, "clients", lines.get((Kind.SYSTEM, number, "clients")))
            faults.append(Fault(place, f"no client in this file is called {name[:60]!r}: declare it, or give its id"))
    return replace(system, clients=tuple(sorted({ids.get(name, name) for name in system.clients})))


def _package(raw: object) -> str:
    text = r.text(raw).removeprefix(f"{ACCESS_PACKAGE}:")
    return r.matching(_PACKAGE, "an access package is called like skatt-naering")(text)


def _is_uuid(text: str) -> bool:
    try:
        return str(UUID(text)) == text
    except ValueError:
        return False

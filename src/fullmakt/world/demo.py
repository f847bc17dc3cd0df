"""The built-in demo world: every flow of the seeds, ready to run."""

from __future__ import annotations

from dataclasses import replace
from importlib import resources
from typing import Any

from fullmakt.world.host import Host, world_of
from fullmakt.world.model import FIELD_OF, Client, Entry, Kind, Unusable, World, key_of
from fullmakt.world.parse import parse


def demo_world() -> World:
    """What ``demo.toml`` declares."""
    return parse(resources.files("fullmakt.world").joinpath("demo.toml").read_text(encoding="utf-8"))


async def apply_demo(host: Host) -> str:
    """Apply the demo world, and say in a few words what there is and what was done.

    What somebody has changed since stays as it is: what is missing is made, and clients that can no longer be used are
    mended. ``fullmakt world apply`` of the same file would put everything back.

    Raises:
        ApplyError: a system refused a step.
    """
    world, service = demo_world(), world_of(host)
    plan = await service.plan(kept(world, await service.current(world)))
    await service.apply(plan)
    counted = (Kind.ORGANISATION, Kind.PERSON, Kind.SCOPE, Kind.CLIENT)
    told = ", ".join(f"{len(world.entries(kind))} {_PLURAL[kind]}" for kind in counted)
    return f"{told} ({len(plan.changes)} changes)"


def kept(world: World, current: World) -> World:
    """``world`` with each entry that is there as it is there, but for credentials that can not be used."""
    entries: dict[str, Any] = {}
    for kind in Kind:
        there = {key_of(entry): entry for entry in current.entries(kind)}
        entries[FIELD_OF[kind]] = tuple(_kept(entry, there.get(key_of(entry))) for entry in world.entries(kind))
    return World(**entries)


def _kept(entry: Entry, there: Entry | None) -> Entry:
    if isinstance(entry, Client) and isinstance(there, Client) and isinstance(there.credentials, Unusable):
        return replace(there, credentials=entry.credentials)
    return there or entry


_PLURAL = {
    Kind.ORGANISATION: "organisations",
    Kind.PERSON: "people",
    Kind.SCOPE: "scopes",
    Kind.CLIENT: "clients",
}

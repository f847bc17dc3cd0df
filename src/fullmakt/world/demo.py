"""The built-in demo world: every flow of the seeds, ready to run."""

from __future__ import annotations

from importlib import resources

from fullmakt.world.host import Host, world_of
from fullmakt.world.model import Kind, World
from fullmakt.world.parse import parse


def demo_world() -> World:
    """What ``demo.toml`` declares."""
    return parse(resources.files("fullmakt.world").joinpath("demo.toml").read_text(encoding="utf-8"))


async def apply_demo(host: Host) -> str:
    """Apply the demo world, and say in a few words what there is and what was done.

    Raises:
        WorldFaults: what is there does not go with it (a client of the same id that is somebody else's, say).
        ApplyError: a system refused a step.
    """
    world, service = demo_world(), world_of(host)
    plan = await service.plan(world)
    await service.apply(plan)
    counted = (Kind.ORGANISATION, Kind.PERSON, Kind.SCOPE, Kind.CLIENT)
    told = ", ".join(f"{len(world.entries(kind))} {_PLURAL[kind]}" for kind in counted)
    return f"{told} ({len(plan.changes)} changes)"


_PLURAL = {
    Kind.ORGANISATION: "organisations",
    Kind.PERSON: "people",
    Kind.SCOPE: "scopes",
    Kind.CLIENT: "clients",
}

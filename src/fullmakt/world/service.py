"""Use cases: plan, apply and export a world, over the sections of the systems that keep it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import reduce
from operator import or_

from fullmakt.altinn.parties.model import Organisation
from fullmakt.world.errors import Fault, Place, WorldFaults
from fullmakt.world.export import export
from fullmakt.world.model import Kind, World, label_of
from fullmakt.world.names import Names
from fullmakt.world.plan import Plan, Step, plan
from fullmakt.world.ports import WorldSection


class ApplyError(Exception):
    """A system refused a step. The steps before it are done; applying the world again goes on from there."""

    def __init__(self, step: Step, reason: str) -> None:
        super().__init__(f"{step.kind} {label_of(step.entry)}: {reason} (what comes before it is done)")
        self.step = step


class WorldService:
    """The world of these ``sections``; ``refusals`` are the errors by which their systems say no."""

    def __init__(self, sections: Sequence[WorldSection], refusals: tuple[type[Exception], ...] = ()) -> None:
        self._sections = {kind: section for section in sections for kind in section.kinds}
        self._refusals = refusals

    async def current(self, world: World | None = None) -> World:
        """What there is of everything that ``world`` names, or of everything."""
        names = Names.of(world) if world is not None else None
        sections = dict.fromkeys(self._sections.values())
        return reduce(or_, [await section.current(names) for section in sections], World())

    async def plan(self, world: World) -> Plan:
        """The steps from what there is to ``world``.

        Raises:
            WorldFaults: it refers to what is not there, or declares what no system here keeps.
        """
        homeless = [kind for kind in Kind if kind not in self._sections and world.entries(kind)]
        if homeless:
            raise WorldFaults([self._homeless(world, kind) for kind in homeless])
        return plan(world, await self.current(world))

    async def apply(self, plan: Plan, told: Callable[[Step], None] = lambda step: None) -> None:
        """Take the steps that change something, one after the other; ``told`` hears of each that is done.

        Raises:
            ApplyError: a system refused one.
        """
        for step in plan.changes:
            try:
                await self._sections[step.kind].apply(step.entry)
            except self._refusals as error:
                raise ApplyError(step, str(error)) from error
            told(step)

    async def export(self) -> str:
        """Everything there is, as a world file that can be applied anywhere.

        Self-service takes any nine digits for an organisation: those that nobody registered are declared too.
        """
        current = await self.current()
        return export(replace(current, organisations=(*current.organisations, *_unregistered(current))))

    @staticmethod
    def _homeless(world: World, kind: Kind) -> Fault:
        line = world.lines.get((kind, 1, None))
        return Fault(Place(kind, 1, None, line), f"no system that is on here keeps a {kind}")


def _unregistered(world: World) -> list[Organisation]:
    """The organisations that entries refer to and that are not there."""
    registered = {organisation.orgno for organisation in world.organisations}
    named = Names.of(world).organisations
    return [Organisation(orgno, f"Organisation {orgno}") for orgno in sorted(named - registered)]

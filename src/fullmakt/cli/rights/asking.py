"""Opens the world for a question about rights, and finds what was named in it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from difflib import get_close_matches
from typing import TypeVar

from fullmakt.altinn.decisions.errors import UnsettledError
from fullmakt.cli.context import NoWorldError, OpenWorld, in_world
from fullmakt.cli.rights.naming import MisnamedError, party_attribute, plain
from fullmakt.cli.terminal import fail
from fullmakt.infra.telemetry import current_trace
from fullmakt.kernel.trace import Trace
from fullmakt.wire.altinn.parties import PartyIdentity
from fullmakt.wire.altinn.resources import RegisteredResource

ACTOR = "operator"
"""What the audit trail calls whoever asks at the terminal."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Asking:
    """A world that is asked, and the trace id under which the answer can be found again."""

    world: OpenWorld
    trace_id: str

    async def party(self, text: str) -> PartyIdentity:
        """The party that is meant.

        Raises:
            MisnamedError: nobody is.
        """
        attribute = party_attribute(text)
        found = (await self.world.parties.identify([attribute])).get(attribute)
        if found is None:
            raise MisnamedError(
                "the register knows nobody by the number that was given: `fullmakt world show` lists who there is"
            )
        return found

    async def resource(self, identifier: str) -> RegisteredResource:
        """The registered resource.

        Raises:
            MisnamedError: there is none of that name.
        """
        found = await self.world.rights.resources.resource(plain("resource", identifier))
        if found is None:
            known = [one.identifier for one in await self.world.rights.resources.documents()]
            close = get_close_matches(identifier, known, n=3)
            hint = f"is it {' or '.join(f'`{one}`' for one in close)}?" if close else "`fullmakt world show` lists them"
            raise MisnamedError(f"no resource is registered as {identifier}: {hint}")
        return found


def ask(question: Callable[[Asking], Awaitable[T]]) -> T:
    """Put a question to the world that the settings name; what can not be asked ends the command with exit code 2."""

    async def run(world: OpenWorld) -> T:
        trace = Trace.start()
        current_trace.set(trace)
        return await question(Asking(world, trace.trace_id))

    try:
        return in_world(run, make=False)
    except (MisnamedError, NoWorldError) as error:
        fail(str(error))
    except UnsettledError as error:
        fail(f"{error}: try again", code=1)

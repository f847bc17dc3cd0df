"""How delegations change: see ``infra.work``."""

from __future__ import annotations

from fullmakt.infra import work
from fullmakt.infra.database import Database
from fullmakt.kernel.clock import Clock, NewId
from fullmakt.wire.altinn.delegations import TOPIC

SYSTEM = "delegations"


class Change(work.Change):
    """A use case that may change what is delegated."""

    system, topic = SYSTEM, TOPIC


class Work(work.Work[Change]):
    """Opens use cases."""

    def __init__(self, database: Database, clock: Clock, new_id: NewId) -> None:
        super().__init__(Change, database, clock, new_id)

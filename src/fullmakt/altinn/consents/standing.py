"""Which consents have ended, for a data source in the same process that remembers them."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from fullmakt.altinn.consents.model import Status
from fullmakt.infra.group_commit import Connection, GroupCommit

_ENDED = "SELECT consent_id FROM consents.consent WHERE consent_id = ANY(%b::uuid[]) AND status = %b"


class Standing(GroupCommit[UUID, bool]):
    """Asks for up to 32 callers at a time: what is asked during a query makes up the next."""

    async def has_ended(self, consent_id: UUID) -> bool:
        """True when it was revoked, given up or used up; of a consent that is none of ours nothing is known.

        Raises:
            DatabaseUnavailableError: that can not be told now.
            OverloadedError: too many ask at once.
        """
        return await self.write(consent_id)

    async def write_items(self, connection: Connection, items: Sequence[UUID]) -> Sequence[bool]:
        """One query for all of them."""
        asked = (list(dict.fromkeys(items)), Status.REVOKED.value)
        cursor = await connection.cursor(binary=True).execute(_ENDED, asked, prepare=True)
        ended = {row[0] for row in await cursor.fetchall()}
        return [consent_id in ended for consent_id in items]

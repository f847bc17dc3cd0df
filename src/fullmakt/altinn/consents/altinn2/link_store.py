"""Consents that were given by a link, so that the same yes is not taken twice."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from fullmakt.altinn.consents.model import Consent
from fullmakt.altinn.consents.store import CONSENT, consents_of

_LOCK = text("SELECT pg_advisory_xact_lock(hashtextextended('consents.link:' || :giver, 0))")
_STANDING = text(
    f"{CONSENT} WHERE c.giver = :giver AND c.receiver = :receiver AND c.form = 'altinn2' AND c.status = 'Accepted'"
    " AND c.handled_by IS NULL AND c.valid_to = :valid_to AND c.redirect_url = :redirect_url"
    " ORDER BY c.last_changed, c.consent_id LIMIT 100"
)


async def take_turns(connection: AsyncConnection, giver: UUID) -> None:
    """Let nobody else give a consent of this giver's by a link until the transaction ends."""
    await connection.execute(_LOCK, {"giver": str(giver)})


async def standing(connection: AsyncConnection, draft: Consent) -> Consent | None:
    """The consent that the giver has given already to the very same; None when there is none that has not ended."""
    asked = {
        "giver": draft.giver,
        "receiver": draft.receiver,
        "valid_to": draft.valid_to,
        "redirect_url": draft.redirect_url,
    }
    found = consents_of((await connection.execute(_STANDING, asked)).mappings().all())
    return next((one for one in found if one.rights == draft.rights and one.message == draft.message), None)

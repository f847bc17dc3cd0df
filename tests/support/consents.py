"""Consents for tests: parties, and consents between them."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import Any
from uuid import UUID, uuid4

from fullmakt.altinn.consents.model import Consent, ConsentRight, Form

NOW = dt.datetime(2026, 3, 2, 12, 0, tzinfo=dt.UTC)
YEAR = dt.timedelta(days=365)
GIVER, RECEIVER, SUPPLIER, PERSON, STRANGER = (UUID(int=number) for number in range(1, 6))


def consent(**given: Any) -> Consent:
    """A consent that has just been asked for, with other members as ``given``."""
    made = Consent(
        id=uuid4(),
        form=Form.ALTINN3,
        giver=GIVER,
        receiver=RECEIVER,
        valid_to=NOW + YEAR,
        rights=(ConsentRight("ttd_5498_1", metadata={"navn": "Banken AS"}, resource_version=1),),
        redirect_url="https://bank.example/retur",
        created=NOW,
        created_by=RECEIVER,
    )
    return replace(made, **given)

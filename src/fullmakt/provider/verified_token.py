"""An access token that has been verified: the only type that an API's code should take decisions on."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from fullmakt.kernel.identifiers import NationalId, OrgNumber


@dataclass(frozen=True, slots=True)
class VerifiedToken:
    """What a Maskinporten token says, signature, issuer and time checked (maskinporten.md §3.3; RFC 9068 §2.2).

    Decide on ``consumer``, the organisation with the legal ground; ``supplier`` is who calls on its behalf, for the
    log. ``claims`` is the whole payload, for whatever has no field of its own. Personal data are left out of ``repr``.
    """

    issuer: str
    consumer: OrgNumber
    supplier: OrgNumber | None
    delegation_source: str | None
    client_id: str
    client_amr: str | None
    scopes: frozenset[str]
    audience: tuple[str, ...]
    pid: NationalId | None
    jti: str
    issued_at: dt.datetime
    expires_at: dt.datetime
    authorization_details: tuple[Mapping[str, Any], ...] = field(hash=False, repr=False)
    claims: Mapping[str, Any] = field(hash=False, repr=False)

    @property
    def caller(self) -> OrgNumber:
        """The organisation that holds the client: the supplier if there is one, else the consumer."""
        return self.supplier or self.consumer

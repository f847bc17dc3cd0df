"""An access token that has been verified: the only type that an API's code should take decisions on."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from fullmakt.kernel.identifiers import NationalId, OrgNumber
from fullmakt.wire.altinn.token_details import EnterpriseDetails, SystemUserDetails


@dataclass(frozen=True, slots=True)
class VerifiedToken:
    """What a token of Maskinporten's says, or of Altinn's exchange, signature, issuer and time checked.

    Decide on ``consumer``, the organisation with the legal ground; ``supplier`` is who calls on its behalf, for the
    log. In a token for a system user (``system_user``) the consumer is the system's vendor, and what it may do is for a
    decision point to say; so it is in a virksomhetstoken, save that ``enterprise`` holds what was decided already.
    ``claims`` is the whole payload, for whatever has no field of its own. Personal data are left out of ``repr``.

    Sources: maskinporten.md §3.3 and §5, altinn-authentication.md §2, RFC 9068 §2.2.
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
    system_user: SystemUserDetails | None = None
    enterprise: EnterpriseDetails | None = None

    @property
    def caller(self) -> OrgNumber:
        """The organisation that holds the client: the supplier if there is one, else the consumer."""
        return self.supplier or self.consumer

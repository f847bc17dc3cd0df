"""Who calls an Altinn API: an organisation by its Maskinporten token, or a person, a system user or an organisation by
Altinn's own (altinn-authentication.md §2, §5)."""

from __future__ import annotations

from dataclasses import dataclass, field
from uuid import UUID

from fullmakt.kernel.identifiers import OrgNumber
from fullmakt.wire.altinn.attributes import Attribute


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls, signature, issuer and time of the token checked.

    ``consumer`` is the organisation acted for, ``supplier`` who calls on its behalf; ``org_code`` a service owner's
    (``urn:altinn:org``); ``consumer_prefixes`` the scope prefixes the consumer owns. ``user_id``, ``party_id`` and
    ``party_uuid`` are a person's, with the authentication level 0 to 4. ``urns`` are the token's other ``urn:`` claims.
    """

    scopes: frozenset[str]
    consumer: OrgNumber | None = None
    supplier: OrgNumber | None = None
    org_code: str | None = None
    consumer_prefixes: tuple[str, ...] = ()
    client_id: str | None = None
    user_id: int | None = None
    party_id: int | None = None
    party_uuid: UUID | None = None
    auth_level: int = 0
    system_user: UUID | None = None
    system_user_org: OrgNumber | None = None
    urns: tuple[Attribute, ...] = field(default=(), repr=False)

    @property
    def actor(self) -> str:
        """What the audit trail calls it: never a person's number."""
        if self.system_user is not None:
            return f"systemuser:{self.system_user}"
        if self.party_uuid is not None and self.consumer is None:
            return f"party:{self.party_uuid}"
        return str(self.supplier or self.consumer or self.client_id or "")


class InvalidCallerError(Exception):
    """The token is not to be believed. ``reason`` is machine-readable; the API answers 401 with an empty body."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason

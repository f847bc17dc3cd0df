"""What other systems need to know of a delegation."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from fullmakt.kernel.identifiers import OrgNumber

TOPIC = "altinn.delegations"
"""The topic of the change feed on which delegations announce their changes, with keys ``to:<uuid>`` (the receiver) and
``from:<uuid>`` (the giver); API delegations also ``supplier:<orgno>``; and ``request:<uuid>``, a request for access
that was made or moved."""

MAX_LINKS = 8
"""Delegations in a chain at the most, the giver's own included: a right that has been passed on more often belongs to
nobody in particular any more. Whoever delegates is held to it, and whoever decides counts no longer chain."""


@dataclass(frozen=True, slots=True)
class DelegatedRight:
    """One delegation in force: ``giver`` has let ``receiver`` do ``actions`` on ``resource`` on its behalf.

    ``receiver`` is a party UUID or a system user's. ``instance`` is None for the whole resource. ``given_by`` is the
    party that gave it: ``giver`` itself, or one who passes on what it was given, by the delegation ``passed_on_from``;
    such a delegation holds only as long as that one does.
    """

    delegation_id: UUID
    giver: UUID
    receiver: UUID
    resource: str
    actions: frozenset[str]
    instance: str | None
    given_by: UUID
    passed_on_from: UUID | None
    created: datetime


@dataclass(frozen=True, slots=True)
class ApiDelegation:
    """A consumer has delegated an API, a resource of type MaskinportenSchema, to a supplier."""

    consumer: OrgNumber
    supplier: OrgNumber
    resource: str
    delegation_scheme_id: str | None
    scopes: tuple[str, ...]
    created: datetime

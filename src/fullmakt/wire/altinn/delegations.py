"""What other systems need to know of a delegation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from fullmakt.kernel.identifiers import OrgNumber

TOPIC = "altinn.delegations"
"""The topic of the change feed on which delegations announce their changes, with keys ``to:<uuid>`` (the receiver) and
``from:<uuid>`` (the giver); API delegations also ``supplier:<orgno>``; and ``request:<uuid>``, a request for access
that was made or moved."""

MAX_LINKS = 8
"""Delegations in a chain at the most, the giver's own included: a right that has been passed on more often belongs to
nobody in particular any more. Whoever delegates is held to it, and whoever decides counts no longer chain."""


RightsQuestion = tuple[frozenset[UUID], UUID, str]
"""What have these receivers, parties or system users, been given on behalf of this giver on this resource?"""


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


class GivenKind(StrEnum):
    """What a party gives to a system user."""

    RESOURCE = "resource"
    PACKAGE = "package"


@dataclass(frozen=True, slots=True)
class Giving:
    """Whether somebody may give a resource, or an access package, to a system user on a party's behalf.

    ``name`` is the resource's identifier, or what ``urn:altinn:accesspackage:`` ends with. ``reasons`` are codes: those
    of a delegation check (altinn-authorization.md §13.2), and ``UnknownResource``, ``UnknownPackage``,
    ``PackageNotAssignable`` and ``PackageNotDelegable``. ``sources`` are a resource's actions that may be given, by the
    delegation that each stands on (None: a role); whoever gives it hands them back as they came.
    """

    kind: GivenKind
    name: str
    permitted: bool
    reasons: tuple[str, ...]
    sources: Mapping[UUID | None, frozenset[str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Given:
    """Something that ``receiver``, a system user, has been given by ``giver``.

    ``actions`` is what it may do on a resource, empty for a package. ``via`` is the facilitator through which a
    client's package came; when ``holds`` is False the facilitator has lost it, and it counts for nothing.
    """

    kind: GivenKind
    name: str
    giver: UUID
    receiver: UUID
    actions: frozenset[str]
    via: UUID | None
    holds: bool
    created: datetime


class GivingRefusedError(Exception):
    """What was to be given can not be. ``reason`` is machine-readable; nothing of it has been kept."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason

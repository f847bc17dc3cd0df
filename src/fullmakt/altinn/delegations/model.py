"""Delegations as they are offered and kept."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from fullmakt.altinn.delegations import rules
from fullmakt.altinn.delegations.errors import DelegationRefusedError
from fullmakt.kernel.identifiers import OrgNumber
from fullmakt.wire.altinn.delegations import DelegatedRight


class ConnectionRole(StrEnum):
    """Why two parties are connected, by the code of Altinn's role."""

    RIGHTHOLDER = "rettighetshaver"
    SUPPLIER = "supplier"


@dataclass(frozen=True, slots=True)
class Performer:
    """Who carries a change out, for the history and the audit trail. ``user_id`` is a person's."""

    actor: str
    user_id: int | None = None


OPERATOR = Performer("operator")


@dataclass(frozen=True, slots=True)
class ApiParties:
    """Both sides of an API delegation: ``consumer`` gives, ``supplier`` calls with its own client."""

    consumer: OrgNumber
    supplier: OrgNumber


@dataclass(frozen=True, slots=True)
class Offer:
    """``giver`` lets ``receiver`` (a party's UUID, or a system user's) do ``actions`` on ``resource``.

    ``instance`` narrows it to one instance of the resource. ``passed_on_from`` is the delegation that the one who gives
    it stands on, when that is not ``giver`` itself. ``api`` is set for an API delegation, and with it ``registered``,
    when the resource was: what was delegated of one of the same name before then is replaced, and not passed on.

    Raises:
        DelegationRefusedError: the giver is the receiver, no action is named, or a name is none.
    """

    giver: UUID
    receiver: UUID
    resource: str
    actions: frozenset[str]
    instance: str | None = None
    passed_on_from: UUID | None = None
    api: ApiParties | None = None
    registered: datetime | None = None

    def __post_init__(self) -> None:
        fault = rules.offer_fault(self.giver, self.receiver, self.resource, self.actions, self.instance)
        if fault is not None:
            raise DelegationRefusedError(*fault)


@dataclass(frozen=True, slots=True)
class Selection:
    """Which delegations a withdrawal concerns: those of ``giver`` to ``receiver`` on ``resource``.

    ``actions`` None: all of them. ``given_by`` None: whoever gave it. Without ``instance`` only delegations of the
    whole resource are meant.
    """

    giver: UUID
    receiver: UUID
    resource: str
    actions: Collection[str] | None = None
    instance: str | None = None
    given_by: UUID | None = None


@dataclass(frozen=True, slots=True)
class StoredRight:
    """A delegation with what only this system's own pages tell: who carried it out, and for which organisations.

    ``change_id`` is the number that Altinn's internal look-ups know it by.
    """

    right: DelegatedRight
    performed_by: str
    performed_by_user: int | None = None
    api: ApiParties | None = None
    change_id: int = 0


@dataclass(frozen=True, slots=True)
class Connection:
    """``giver`` has taken ``receiver`` up among those it can delegate to."""

    connection_id: UUID
    giver: UUID
    receiver: UUID
    role: ConnectionRole
    created: datetime


@dataclass(frozen=True, slots=True)
class DelegatedPackage:
    """``giver`` has given ``receiver`` the access package ``urn:altinn:accesspackage:<name>``.

    ``via`` is the facilitator that gave it, of what it holds in ``giver`` itself: it counts only as long as it does.
    """

    delegation_id: UUID
    giver: UUID
    receiver: UUID
    package: str
    created: datetime
    via: UUID | None = None

"""What a list is, and what is asked of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Generic, NamedTuple, TypeVar
from uuid import UUID

from fullmakt.wire.altinn.attributes import ACCESS_LIST
from fullmakt.wire.altinn.parties import PartyIdentity

Item = TypeVar("Item")


class ListReference(NamedTuple):
    """A list's owner, by org code in lower case, and its identifier, in the owner's own spelling."""

    owner: str
    identifier: str

    @property
    def urn(self) -> str:
        """``urn:altinn:access-list:digdir:eformidling-dpv``."""
        return f"{ACCESS_LIST}:{self}"

    @property
    def key(self) -> str:
        """What the change feed and the audit trail call it."""
        return f"access-list:{self}"

    def __str__(self) -> str:
        return f"{self.owner}:{self.identifier}"


@dataclass(frozen=True, slots=True)
class Connection:
    """A list lets its members use a resource: for ``actions``, in alphabetical order, or for all if there are none."""

    resource: str
    actions: tuple[str, ...]
    created: datetime
    updated: datetime


@dataclass(frozen=True, slots=True)
class AccessList:
    """A list as it was at ``version``, which ``updated`` tells the time of.

    ``connections`` are None where nobody asked for them. ``id`` stays within this system.
    """

    id: int
    reference: ListReference
    name: str
    description: str
    created: datetime
    updated: datetime
    version: int
    connections: tuple[Connection, ...] | None = None


@dataclass(frozen=True, slots=True)
class Member:
    """A party on a list. ``identity`` is None when the register does not know the party any more."""

    party: UUID
    since: datetime
    identity: PartyIdentity | None = None


@dataclass(frozen=True, slots=True)
class Page(Generic[Item]):
    """Some of what belongs to a list, in order. ``following`` is the first item of the next page, if there is one."""

    of: AccessList
    items: tuple[Item, ...]
    following: Item | None = None


@dataclass(frozen=True, slots=True)
class ListsPage:
    """Some of an owner's lists by identifier; ``following`` is the identifier that the next page begins with."""

    items: tuple[AccessList, ...]
    following: str | None = None


@dataclass(frozen=True, slots=True)
class NotModified:
    """What the caller has is what there is: 304 with the list's validators."""

    of: AccessList


@dataclass(frozen=True, slots=True)
class Grant:
    """What one list gives one party: the right to use a resource since it became a member."""

    of: ListReference
    party: UUID
    since: datetime
    resource: str
    actions: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Tags:
    """The versions that an ``If-Match`` or ``If-None-Match`` header lists; None stands for ``*``, any at all."""

    versions: frozenset[int] | None

    def hold(self, version: int) -> bool:
        """True when the version is one of them."""
        return self.versions is None or version in self.versions


@dataclass(frozen=True, slots=True)
class Conditions:
    """What has to hold of the list for the request to be carried out (§12). ``page_of`` is a page token's version."""

    match: Tags | None = None
    none_match: Tags | None = None
    modified_since: datetime | None = None
    unmodified_since: datetime | None = None
    page_of: int | None = None


ALWAYS = Conditions()


class Authorization(StrEnum):
    """Whether a party may do something to a resource, as far as access lists can tell (altinn-authorization.md §10)."""

    NOT_DETERMINED = "NotDetermined"
    NOT_AUTHORIZED = "NotAuthorized"
    AUTHORIZED = "Authorized"


@dataclass(frozen=True, slots=True)
class DeclaredList:
    """A list with all that is in it: its members, and the resources that it is connected to with their action filters
    (an empty one: all actions)."""

    reference: ListReference
    name: str
    description: str
    members: tuple[Member, ...] = ()
    connections: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

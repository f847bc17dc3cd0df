"""What Maskinporten and Altinn say to each other about system users (altinn-authentication.md §10, §12;
maskinporten.md §5.1, §5.2)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from fullmakt.kernel.identifiers import InvalidIdentifierError, Iso6523, OrgNumber

TOPIC = "altinn.systemusers"
"""The topic of the change feed on which systems and system users announce their changes, with keys
``client:<client_id>`` for each client whose answers may have changed, ``system:<system id>``, ``systemuser:<uuid>`` and
``request:<uuid>``."""

LOOK_UP_SCOPE = "altinn:maskinporten/systemuser.read"
VIRKSYS_SCOPE = "altinn:maskinporten/virksys.read"


class UserType(StrEnum):
    """``standard`` acts for the organisation that owns it, ``agent`` for that organisation's clients."""

    STANDARD = "standard"
    AGENT = "agent"


class Cause(StrEnum):
    """Why there is no system user to a question. Ours: the real service answers 404 and nothing more."""

    CLIENT_UNKNOWN = "client_not_in_any_system"
    """No system has the client id, or its system is deleted."""
    OTHER_VENDOR = "system_of_another_vendor"
    """The client id is on a system of another organisation than the client's owner."""
    NO_SYSTEM_USER = "no_system_user"
    """The organisation has neither a system user nor a request for one."""
    OTHER_REFERENCE = "other_external_ref"
    """It has a system user for the system, with another external reference than the grant's."""
    NOT_APPROVED = "request_not_approved"
    """It has been asked and has not approved (yet)."""
    DELETED = "system_user_deleted"
    """It has had one, and taken it back."""
    CLIENT_OF_AGENT = "client_of_an_agent"
    """It is the client of an agent system user's owner: that owner is who must be named."""
    UNKNOWN_ORGANISATION = "unknown_organisation"
    """The number is no organisation's."""
    SCOPE_WITHOUT_RESOURCE = "scope_without_resource"
    """Virksomhetstoken: no resource in the registry refers to a scope that is asked for."""
    NOTHING_PERMITTED = "nothing_permitted"
    """Virksomhetstoken: the decision point permits the system none of the rights for the party."""
    RIGHT_MISSING = "right_missing"
    """Virksomhetstoken: the system has not got all the rights that the grant names as ``rettigheit``."""
    NOBODY_ACTS = "nobody_acts"
    """Virksomhetstoken: the party has neither a system user nor a request for one, and no agent has it for a client,
    or no longer."""
    OTHER_HELPER = "other_hjelper"
    """Virksomhetstoken: nobody whom the grant names as ``hjelper`` has the party for a client."""


@dataclass(frozen=True, slots=True)
class SystemUserQuestion:
    """``vendor`` and ``owner`` are organisation numbers; ``external_ref`` None or empty means ``owner`` itself."""

    client_id: str
    vendor: str
    owner: str
    external_ref: str | None = None


@dataclass(frozen=True, slots=True)
class SystemUserRecord:
    """A system user as others see it (§10, external DTO)."""

    id: UUID
    integration_title: str
    system_id: str
    owner: str
    created: datetime
    vendor: str
    external_ref: str
    user_type: UserType = UserType.STANDARD
    deleted: bool = False

    def document(self, *, product_name: str = "", supplier_name: str = "") -> dict[str, Any]:
        """The DTO. ``productName`` repeats the system id for Maskinporten, and is empty in the vendor's lists."""
        return {
            "id": str(self.id),
            "integrationTitle": self.integration_title,
            "systemId": self.system_id,
            "productName": product_name,
            "reporteeOrgNo": self.owner,
            "created": self.created.isoformat().replace("+00:00", "Z"),
            "isDeleted": self.deleted,
            "supplierName": supplier_name,
            "supplierOrgno": self.vendor,
            "externalRef": self.external_ref,
            "userType": self.user_type.value,
        }

    @classmethod
    def read(cls, document: Mapping[str, Any]) -> SystemUserRecord:
        """The record in a DTO.

        Raises:
            ValueError: it is none.
        """
        try:
            return cls(
                id=UUID(document["id"]),
                integration_title=str(document.get("integrationTitle", "")),
                system_id=str(document["systemId"]),
                owner=str(document["reporteeOrgNo"]),
                created=datetime.fromisoformat(document["created"]),
                vendor=str(document["supplierOrgno"]),
                external_ref=str(document["externalRef"]),
                user_type=UserType(document.get("userType", "standard")),
                deleted=document.get("isDeleted") is True,
            )
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError("not a system user") from error


@dataclass(frozen=True, slots=True)
class NoSystemUser:
    """Nothing matches, and why; ``missing`` names the rights where one of them is."""

    cause: Cause
    missing: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class VirksysQuestion:
    """Does the enterprise system with ``client_id`` have rights to ``scopes`` for ``part``?

    ``part`` and ``hjelper`` are ISO 6523 texts (``0192:999888777``). ``hjelper`` and ``rettigheit`` narrow the
    question, where the grant names them.
    """

    client_id: str
    vendor: str
    part: str
    scopes: tuple[str, ...]
    hjelper: str | None = None
    rettigheit: tuple[str, ...] | None = None

    def document(self) -> dict[str, Any]:
        """The body of the look-up (maskinporten.md §5.2); ``vendor`` is a member of ours."""
        return {
            "clientId": self.client_id,
            "systemProviderOrgNo": self.vendor,
            "part": self.part,
            "scopes": list(self.scopes),
            "hjelper": self.hjelper,
            "rettigheit": None if self.rettigheit is None else list(self.rettigheit),
        }


@dataclass(frozen=True, slots=True)
class VirksysAnswer:
    """It has: ``rettigheit`` are the identifiers of the resources that the decision point permits, sorted.

    ``hjelper`` is the organisation that the party is a client of, None when the party itself owns the system user.
    """

    part: str
    hjelper: str | None
    rettigheit: tuple[str, ...]

    def document(self) -> dict[str, Any]:
        """The answer's body; without ``hjelper`` when there is none."""
        helper = {} if self.hjelper is None else {"hjelper": self.hjelper}
        return {"part": self.part, **helper, "rettigheit": list(self.rettigheit)}


@dataclass(frozen=True, slots=True)
class ActingSystem:
    """The live system that has a client id, and its live system users that act for one party, oldest first.

    ``vendor`` is an organisation number. A standard system user acts for its owner, an agent for those that it has been
    given as clients.
    """

    system_id: str
    vendor: str
    system_users: tuple[UUID, ...]


def organisation_of(text: str) -> OrgNumber | None:
    """The number in ``0192:910753614``; None when it is no Norwegian organisation's."""
    try:
        parsed = Iso6523.parse(text)
        return OrgNumber(parsed.value) if parsed.icd == "0192" else None
    except InvalidIdentifierError:
        return None

"""What other systems need to know of parties and roles."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from uuid import UUID

from fullmakt.kernel.identifiers import NationalId, OrgNumber
from fullmakt.wire.altinn.attributes import Attribute

TOPIC = "altinn.parties"
"""The topic of the change feed on which parties announce their changes, with keys ``party:<uuid>`` (the party itself,
which roles it holds, or who holds a role in it) and, of organisations, ``organisation:<orgno>`` beside it; national
identity numbers stay out of the feed. With an organisation its sub-units are announced, in which its roles hold too."""


class PartyKind(StrEnum):
    """``urn:altinn:partytype``."""

    ORGANISATION = "organization"
    PERSON = "person"


@dataclass(frozen=True, slots=True)
class PartyIdentity:
    """A registered party and every identifier that Altinn knows it by.

    ``form`` and ``parent`` (the unit above, as party UUID) are an organisation's; ``user_id`` and ``national_id`` a
    person's.
    """

    party_id: int
    party_uuid: UUID
    kind: PartyKind
    name: str
    form: str | None = None
    orgno: OrgNumber | None = None
    parent: UUID | None = None
    user_id: int | None = None
    national_id: NationalId | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class HeldRights:
    """What one party holds in another by the register, role metadata applied.

    ``roles`` are attributes in every spelling a policy may use (``urn:altinn:rolecode:dagl``,
    ``urn:altinn:external-role:ccr:daglig-leder``, ``urn:altinn:rolecode:apiadm``, …); ``packages`` are
    ``urn:altinn:accesspackage:<name>``. ``via`` tells for each of them which register role gave it (``dagl``), for
    those who ask why.
    """

    roles: frozenset[Attribute] = frozenset()
    packages: frozenset[Attribute] = frozenset()
    via: tuple[tuple[Attribute, str], ...] = ()

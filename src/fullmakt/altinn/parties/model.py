"""Organisations, people and roles: what is said of them, and what they are called in this register."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from fullmakt.altinn.parties import rules
from fullmakt.altinn.parties.errors import InvalidPartyError
from fullmakt.kernel.identifiers import NationalId, OrgNumber

SYNTHETIC_FIRST_DIGITS = ("2", "3")
"""Skatteetaten's test population (Tenor) has organisation numbers that begin so; real ones begin with 8 or 9."""
SUB_UNIT_FORMS = ("BEDR", "AAFY")
"""Forms of sub-units (underenheter): the unit above is the main unit, whose roles hold in them too."""


def _require(field: str, fault: str | None) -> None:
    if fault is not None:
        raise InvalidPartyError(field, fault)


@dataclass(frozen=True, slots=True)
class Organisation:
    """An organisation: ``form`` is Enhetsregisteret's code, ``parent`` the unit above it.

    Raises:
        InvalidPartyError: the name or the form breaks its rule, or the organisation is its own parent.
    """

    orgno: OrgNumber
    name: str
    form: str = "AS"
    parent: OrgNumber | None = None

    def __post_init__(self) -> None:
        _require("name", rules.name_fault(self.name))
        _require("form", rules.form_fault(self.form))
        _require("parent", "an organisation is not its own parent" if self.parent == self.orgno else None)

    @property
    def is_synthetic(self) -> bool:
        """True for a number of the test population."""
        return self.orgno.startswith(SYNTHETIC_FIRST_DIGITS)

    @property
    def is_unchecked(self) -> bool:
        """True when the number fails modulus 11, as the seeds' examples 999888777 and 888666555 do."""
        return not self.orgno.has_valid_check_digit


@dataclass(frozen=True, slots=True)
class Person:
    """A person, known by fødselsnummer or D-number.

    Raises:
        InvalidPartyError: the name breaks its rule.
    """

    national_id: NationalId
    name: str

    def __post_init__(self) -> None:
        _require("name", rules.name_fault(self.name))


@dataclass(frozen=True, slots=True)
class Role:
    """``holder``, a person or an organisation (an accountant, say), holds the role ``code`` in ``organisation``.

    Raises:
        InvalidPartyError: the code breaks its rule, or an organisation holds a role in itself.
    """

    holder: NationalId | OrgNumber
    code: str
    organisation: OrgNumber

    def __post_init__(self) -> None:
        _require("code", rules.role_code_fault(self.code))
        if self.holder == self.organisation:
            raise InvalidPartyError("organisation", "an organisation holds no role in itself")


@dataclass(frozen=True, slots=True)
class Party:
    """A registered organisation or person with the identifiers that Altinn gives it."""

    party_id: int
    party_uuid: UUID
    subject: Organisation | Person


def feed_keys(orgno: OrgNumber | None, party_uuid: UUID) -> tuple[str, ...]:
    """What the change feed calls a party: by UUID, and an organisation by number too."""
    by_uuid = f"party:{party_uuid}"
    return (by_uuid,) if orgno is None else (f"organisation:{orgno}", by_uuid)


def feed_key(subject: Organisation | Person, party_uuid: UUID) -> str:
    """What the audit trail calls a party; it never holds a national identity number."""
    return f"organisation:{subject.orgno}" if isinstance(subject, Organisation) else f"party:{party_uuid}"

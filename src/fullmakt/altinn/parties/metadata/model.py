"""What role metadata consists of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from uuid import UUID

from fullmakt.wire.altinn.attributes import ACCESS_PACKAGE, ROLE, ROLE_CCR, ROLE_CODE, ROLE_CRA, Attribute
from fullmakt.wire.altinn.stable_ids import stable_id

LANGUAGES = ("nb", "nn", "en")


@dataclass(frozen=True, slots=True)
class Names:
    """A name in bokmål, nynorsk and English."""

    nb: str
    nn: str
    en: str

    def in_language(self, language: str) -> str:
        """The name in ``nb``, ``nn`` or ``en``."""
        return {"nb": self.nb, "nn": self.nn, "en": self.en}[language]


class RoleSource(StrEnum):
    """Who gives a role out; the value is the code of the provider in the metadata API."""

    REGISTER = "sys-ccr"
    GUARDIANSHIP = "sys-cra"
    ALTINN2 = "sys-altinn2"
    ALTINN3 = "sys-altinn3"


_SPELLINGS = {
    RoleSource.REGISTER: ROLE_CCR,
    RoleSource.GUARDIANSHIP: ROLE_CRA,
    RoleSource.ALTINN2: ROLE_CODE,
    RoleSource.ALTINN3: ROLE,
}


@dataclass(frozen=True, slots=True)
class RoleDefinition:
    """A role: ``name`` is what the newer spelling ends with, ``code`` what ``urn:altinn:rolecode`` calls it, if at all.

    Whoever holds a ``key_role`` acts for the organisation, also in what others have given it. ``of_person``: the role
    concerns a person's own affairs, and not an organisation's. ``assignable``: one party may give it to another.
    """

    name: str
    code: str | None
    names: Names
    source: RoleSource
    key_role: bool = False
    of_person: bool = False
    assignable: bool = False

    @property
    def id(self) -> UUID:
        """Its id in the metadata API."""
        return stable_id(self.attribute.urn)

    @property
    def attribute(self) -> Attribute:
        """The role as it is spelled today, ``urn:altinn:external-role:ccr:daglig-leder``."""
        return Attribute(_SPELLINGS[self.source], self.name)

    @property
    def spellings(self) -> frozenset[Attribute]:
        """The role in every way in which a policy may name it."""
        older = {Attribute(ROLE_CODE, self.code)} if self.code is not None else set()
        return frozenset({self.attribute} | older)


@dataclass(frozen=True, slots=True)
class Package:
    """An access package, ``urn:altinn:accesspackage:<name>``, in the area ``area``."""

    name: str
    names: Names
    area: str
    delegable: bool
    assignable: bool

    @property
    def attribute(self) -> Attribute:
        """How policies name it."""
        return Attribute(ACCESS_PACKAGE, self.name)

    @property
    def id(self) -> UUID:
        """Its id in the metadata API."""
        return stable_id(self.attribute.urn)


@dataclass(frozen=True, slots=True)
class Area:
    """Packages that belong together."""

    key: str
    names: Names
    group: str
    packages: tuple[Package, ...]

    @property
    def urn(self) -> str:
        """``accesspackage:area:personale``."""
        return f"accesspackage:area:{self.key}"

    @property
    def id(self) -> UUID:
        """Its id in the metadata API."""
        return stable_id(self.urn)


@dataclass(frozen=True, slots=True)
class Group:
    """Areas that belong together; ``type`` is ``Organisasjon`` or ``Person``, whose affairs they concern."""

    key: str
    names: Names
    type: str
    areas: tuple[Area, ...]

    @property
    def id(self) -> UUID:
        """Its id in the metadata API."""
        return stable_id(f"accesspackage:group:{self.key}")


@dataclass(frozen=True, slots=True)
class Gift:
    """Who holds any of ``held``, in an organisation of one of ``forms`` (None: of any), has ``roles`` and ``packages``.

    ``roles`` are codes and ``packages`` names.
    """

    held: frozenset[str]
    forms: frozenset[str] | None = None
    roles: frozenset[str] = frozenset()
    packages: frozenset[str] = frozenset()

    def applies(self, code: str, form: str | None) -> bool:
        """True when ``code``, held in an organisation of ``form``, gives this."""
        return code in self.held and (self.forms is None or form in self.forms)


@dataclass(frozen=True)
class Metadata:
    """All of it; every code and name in ``gifts`` is one of ``roles`` and ``packages`` (``load`` has checked)."""

    roles: tuple[RoleDefinition, ...]
    groups: tuple[Group, ...]
    gifts: tuple[Gift, ...]
    forms: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def role_by_code(self) -> Mapping[str, RoleDefinition]:
        """Roles by ``urn:altinn:rolecode``."""
        return {role.code: role for role in self.roles if role.code is not None}

    @cached_property
    def areas(self) -> tuple[Area, ...]:
        """Every area."""
        return tuple(area for group in self.groups for area in group.areas)

    @cached_property
    def area_by_key(self) -> Mapping[str, Area]:
        """Areas by key."""
        return {area.key: area for area in self.areas}

    @cached_property
    def group_by_key(self) -> Mapping[str, Group]:
        """Groups by key."""
        return {group.key: group for group in self.groups}

    @cached_property
    def packages(self) -> Mapping[str, Package]:
        """Every package, by name."""
        return {package.name: package for area in self.areas for package in area.packages}

    @cached_property
    def key_roles(self) -> frozenset[str]:
        """Codes of the register's roles whose holder acts for the organisation."""
        return frozenset(role.code for role in self.roles if role.key_role and role.code is not None)

"""What a party holds, by the roles that the register gives it. Pure functions."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import NamedTuple

from fullmakt.altinn.parties.metadata.model import Metadata, RoleDefinition
from fullmakt.wire.altinn.attributes import ROLE_CODE, Attribute
from fullmakt.wire.altinn.parties import HeldRights

PRIVATE_PERSON = "priv"
"""The role that everybody has towards themselves."""


class HeldRole(NamedTuple):
    """A role, by its code, and the form of the organisation it is held in; None for what a person is to themselves."""

    code: str
    form: str | None


class RightsTable:
    """Answers, by one body of metadata, what roles give.

    There are few combinations of roles and forms among millions of parties, so that the answers are remembered:
    holders of the same roles share one value.
    """

    def __init__(self, metadata: Metadata) -> None:
        self.metadata = metadata
        self._remembered = lru_cache(maxsize=4096)(self._held)

    def held(self, roles: Iterable[HeldRole], *, by_person: bool) -> HeldRights:
        """What ``roles`` give their holder: access packages to anybody, roles to people alone (§6, step 9)."""
        return self._remembered(frozenset(roles), by_person)

    def _held(self, roles: frozenset[HeldRole], by_person: bool) -> HeldRights:
        packages = {(package, role.code) for role in roles for package in _packages_of(self.metadata, role)}
        attributes = (
            {(attribute, role.code) for role in roles for attribute in _roles_of(self.metadata, role)}
            if by_person
            else set()
        )
        return HeldRights(
            roles=frozenset(attribute for attribute, _ in attributes),
            packages=frozenset(attribute for attribute, _ in packages),
            via=tuple(sorted(attributes | packages)),
        )


def _packages_of(metadata: Metadata, role: HeldRole) -> frozenset[Attribute]:
    names = (gift.packages for gift in metadata.gifts if gift.applies(role.code, role.form))
    return frozenset(metadata.packages[name].attribute for name in frozenset[str]().union(*names))


def _roles_of(metadata: Metadata, role: HeldRole) -> frozenset[Attribute]:
    codes = (gift.roles for gift in metadata.gifts if gift.applies(role.code, role.form))
    return frozenset[Attribute]().union(
        *(spellings(metadata, code) for code in frozenset({role.code}).union(*codes))
    )  # fmt: skip


def spellings(metadata: Metadata, code: str) -> frozenset[Attribute]:
    """Every attribute that names the role; a code that the metadata does not know has the one spelling."""
    role = metadata.role_by_code.get(code)
    return role.spellings if role is not None else frozenset({Attribute(ROLE_CODE, code)})


def packages_given(metadata: Metadata, role: RoleDefinition, form: str) -> frozenset[str]:
    """Names of the packages that ``role`` gives in organisations of ``form``."""
    if role.code is None:
        return frozenset()
    return frozenset(attribute.value for attribute in _packages_of(metadata, HeldRole(role.code, form)))


def known_roles(metadata: Metadata) -> frozenset[Attribute]:
    """Every role there is, in every spelling."""
    return frozenset(attribute for role in metadata.roles for attribute in role.spellings)


def known_packages(metadata: Metadata) -> frozenset[Attribute]:
    """Every access package there is."""
    return frozenset(package.attribute for package in metadata.packages.values())

"""Reads role metadata from its files, and lets no mistake in them through."""

from __future__ import annotations

import tomllib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from importlib import resources
from typing import Any

from fullmakt.altinn.parties.metadata.model import (
    Area,
    Gift,
    Group,
    Metadata,
    Names,
    Package,
    RoleDefinition,
    RoleSource,
)

_GUARDIAN_PREFIX = "vergemal-"
Table = Mapping[str, Any]


class MetadataError(ValueError):
    """The metadata contradicts itself, or refers to what it does not define."""


@cache
def published() -> Metadata:
    """The metadata that comes with the program, read once.

    Raises:
        MetadataError: it is not sound, which the tests would have shown.
    """
    folder = resources.files("fullmakt.altinn.parties.metadata")
    files = ("roles", "packages", "rights", "forms")
    return parse(*(tomllib.loads((folder / f"{name}.toml").read_text("utf-8")) for name in files))


def parse(roles: Table, packages: Table, rights: Table, forms: Table) -> Metadata:
    """Metadata from the tables of its files.

    Raises:
        MetadataError: a role, package or area that is not defined, or defined twice, or a member that is missing.
    """
    try:
        groups = tuple(_group(table) for table in packages["group"])
        guardians = [
            _guardian(package)
            for table, group in zip(packages["group"], groups, strict=True)
            if table.get("guardians")
            for area in group.areas
            for package in area.packages
        ]
        metadata = Metadata(
            roles=(*_roles(roles), *guardians),
            groups=groups,
            gifts=tuple(_gifts(rights, groups)),
            forms=dict(forms["forms"]),
        )
    except KeyError as error:
        raise MetadataError(f"{error} is missing") from error
    _check(metadata)
    return metadata


def _names(table: Table) -> Names:
    return Names(table["nb"], table.get("nn", table["nb"]), table["en"])


def _roles(file: Table) -> Iterator[RoleDefinition]:
    for code, table in file["ccr"].items():
        key_role = table.get("key_role", False)
        yield RoleDefinition(table["name"], code, _names(table), RoleSource.REGISTER, key_role)
    for name, table in file["cra"].items():
        yield RoleDefinition(name, None, _names(table), RoleSource.GUARDIANSHIP, of_person=True)
    for code, table in file["altinn2"].items():
        yield RoleDefinition(code, code, _names(table), RoleSource.ALTINN2)
    for name, table in file["altinn3"].items():
        yield RoleDefinition(
            name,
            table.get("code"),
            _names(table),
            RoleSource.ALTINN3,
            of_person=table.get("person", False),
            assignable=table.get("assignable", False),
        )


def _guardian(package: Package) -> RoleDefinition:
    name = package.name.removeprefix(_GUARDIAN_PREFIX)
    return RoleDefinition(name, None, package.names, RoleSource.GUARDIANSHIP, of_person=True)


def _group(table: Table) -> Group:
    areas = tuple(_area(area, table) for area in table["area"])
    return Group(table["key"], _names(table), table["type"], areas)


def _area(table: Table, group: Table) -> Area:
    by_name = not group.get("guardians", False)  # a guardian's powers are given by the authority, and not passed on
    packages = tuple(
        Package(
            name, _names(one), table["key"], one.get("delegable", by_name), one.get("assignable", by_name)
        )
        for name, one in table["packages"].items()
    )  # fmt: skip
    return Area(table["key"], _names(table), group["key"], packages)


def _gifts(file: Table, groups: Iterable[Group]) -> Iterator[Gift]:
    areas = {area.key: frozenset(package.name for package in area.packages) for group in groups for area in group.areas}
    bundles = {name: _bundle(table, areas) for name, table in file["bundles"].items()}
    for table in file["gives"]:
        bundle = bundles[table["bundle"]] if "bundle" in table else frozenset()
        forms = table.get("forms")
        yield Gift(
            frozenset(table["held"]),
            frozenset(forms) if forms is not None else None,
            frozenset(table.get("roles", ())),
            _without(bundle, table.get("except", ())) | frozenset(table.get("packages", ())),
        )


def _bundle(table: Table, areas: Mapping[str, frozenset[str]]) -> frozenset[str]:
    packages = frozenset[str]().union(*(areas[key] for key in table["areas"]))
    return _without(packages, table.get("except", ()))


def _without(packages: frozenset[str], excepted: Iterable[str]) -> frozenset[str]:
    strangers = frozenset(excepted) - packages
    if strangers:
        raise MetadataError(f"there is no {sorted(strangers)} to be excepted")
    return packages - frozenset(excepted)


def _check(metadata: Metadata) -> None:
    _no_doubles("spelling", (attribute.urn for role in metadata.roles for attribute in role.spellings))
    _no_doubles("group", (group.key for group in metadata.groups))
    _no_doubles("area", (area.key for area in metadata.areas))
    _no_doubles("package", (package.name for area in metadata.areas for package in area.packages))
    codes, packages = frozenset(metadata.role_by_code), frozenset(metadata.packages)
    for gift in metadata.gifts:
        _known("role", gift.held | gift.roles, codes)
        _known("package", gift.packages, packages)
        _known("form", gift.forms or frozenset(), frozenset(metadata.forms))


def _no_doubles(what: str, names: Iterable[str]) -> None:
    doubles = sorted(name for name, times in Counter(names).items() if times > 1)
    if doubles:
        raise MetadataError(f"{what} defined twice: {doubles}")


def _known(what: str, names: frozenset[str], known: frozenset[str]) -> None:
    if not names <= known:
        raise MetadataError(f"{what} not defined: {sorted(names - known)}")

"""Values to rows and back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, fields
from typing import Any

from sqlalchemy import RowMapping

from fullmakt.kernel.identifiers import OrgNumber, ScopeName
from fullmakt.maskinporten.selfservice.model import (
    Client,
    ClientAttributes,
    ClientKey,
    OnBehalfOf,
    Scope,
    ScopeAccess,
    ScopeAttributes,
    ScopePrefix,
)

_CLIENT_ATTRIBUTES = tuple(field.name for field in fields(ClientAttributes))
_SCOPE_ATTRIBUTES = tuple(field.name for field in fields(ScopeAttributes))


def columns_of(attributes: ClientAttributes | ScopeAttributes) -> dict[str, Any]:
    """Attributes as columns; the driver takes a list for an array, and a tuple for a record."""
    return {
        name: list(value) if isinstance(value, tuple) else dict(value) if isinstance(value, Mapping) else value
        for name, value in asdict(attributes).items()
    }


def _attributes(row: RowMapping, names: tuple[str, ...]) -> dict[str, Any]:
    return {name: tuple(row[name]) if isinstance(row[name], list) else row[name] for name in names}


def client_of(row: RowMapping, onbehalfof: tuple[OnBehalfOf, ...] = ()) -> Client:
    """A client, from its columns and the computed ``scopes`` and ``has_keys``."""
    supplier = row["supplier_orgno"]
    return Client(
        client_id=row["client_id"],
        client_orgno=OrgNumber(row["client_orgno"]),
        supplier_orgno=OrgNumber(supplier) if supplier is not None else None,
        integration_type=row["integration_type"],
        made_by_altinn=row["made_by_altinn"],
        created_by_client_id=row["created_by_client_id"],
        attributes=ClientAttributes(**_attributes(row, _CLIENT_ATTRIBUTES)),
        scopes=tuple(sorted(row["scopes"])),
        created=row["created"],
        last_updated=row["last_updated"],
        has_keys=row["has_keys"],
        onbehalfof=onbehalfof,
    )


def onbehalfof_of(row: RowMapping) -> OnBehalfOf:
    """An on-behalf-of registration."""
    return OnBehalfOf(**{field.name: row[field.name] for field in fields(OnBehalfOf)})


def key_of(row: RowMapping) -> ClientKey:
    """A registered key."""
    return ClientKey(
        kid=row["kid"],
        alg=row["alg"],
        jwk=row["jwk"],
        spki=row["spki"],
        expires=row["expires"],
        created=row["created"],
        last_updated=row["last_updated"],
        x5c=tuple(row["x5c"]) if row["x5c"] is not None else None,
        certificate=row["certificate"],
    )


def scope_of(row: RowMapping) -> Scope:
    """A scope, from its columns and its prefix's ``owner_orgno``."""
    return Scope(
        name=ScopeName(row["name"]),
        owner_orgno=OrgNumber(row["owner_orgno"]),
        attributes=ScopeAttributes(**_attributes(row, _SCOPE_ATTRIBUTES)),
        created=row["created"],
        last_updated=row["last_updated"],
    )


def access_of(row: RowMapping) -> ScopeAccess:
    """An access, with the ``owner_orgno`` of the scope's prefix."""
    return ScopeAccess(
        scope=ScopeName(row["scope"]),
        owner_orgno=OrgNumber(row["owner_orgno"]),
        consumer_orgno=OrgNumber(row["consumer_orgno"]),
        state=row["state"],
        created=row["created"],
        last_updated=row["last_updated"],
    )


def prefix_of(row: RowMapping) -> ScopePrefix:
    """A prefix."""
    return ScopePrefix(row["prefix"], OrgNumber(row["owner_orgno"]), row["active"], row["created"], row["last_updated"])

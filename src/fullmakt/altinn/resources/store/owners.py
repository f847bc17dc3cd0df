"""The service owners."""

from __future__ import annotations

import json

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from fullmakt.kernel.identifiers import OrgNumber
from fullmakt.wire.altinn.resource_registry import ServiceOwner

_OWNERS = text("SELECT code, orgno, name, homepage, logo, environments FROM resources.service_owner ORDER BY code")
_ORG_CODES = text("SELECT code, orgno FROM resources.service_owner")
_PUT_OWNER = text(
    "INSERT INTO resources.service_owner AS o (code, orgno, name, homepage, logo, environments)"
    " VALUES (:code, :orgno, CAST(:name AS jsonb), :homepage, :logo, :environments)"
    " ON CONFLICT (code) DO UPDATE SET orgno = excluded.orgno, name = excluded.name, homepage = excluded.homepage,"
    " logo = excluded.logo, environments = excluded.environments"
    " WHERE (o.orgno, o.name, o.homepage, o.logo, o.environments) IS DISTINCT FROM"
    " (excluded.orgno, excluded.name, excluded.homepage, excluded.logo, excluded.environments)"
    " RETURNING xmax = 0 AS created"
)


async def put(connection: AsyncConnection, code: str, owner: ServiceOwner) -> bool | None:
    """Store the service owner: True when it is new, False when it is changed, None when it was so already."""
    row = {
        "code": code,
        "orgno": owner.orgnr,
        "name": json.dumps(owner.name),
        "homepage": owner.homepage,
        "logo": owner.logo,
        "environments": owner.environments,
    }
    created: bool | None = (await connection.execute(_PUT_OWNER, row)).scalar()
    return created


async def everyone(connection: AsyncConnection) -> dict[str, ServiceOwner]:
    """Every service owner, by org code."""
    rows = await connection.execute(_OWNERS)
    return {
        row.code: ServiceOwner(
            name=row.name, logo=row.logo, orgnr=row.orgno, homepage=row.homepage, environments=row.environments
        )
        for row in rows
    }


async def org_codes(connection: AsyncConnection) -> dict[str, OrgNumber]:
    """The organisation number of each org code."""
    return {row.code: OrgNumber(row.orgno) for row in await connection.execute(_ORG_CODES)}

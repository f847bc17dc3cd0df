"""Which services of Altinn 2 there are. Each is a resource of type Consent: one that has been declared to stand for it,
or that is called ``{org code}_{code}_{edition}``."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Any

from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from fullmakt.altinn.consents.srr import store
from fullmakt.altinn.consents.srr.model import Service, ServiceDeclaration, ServiceKey
from fullmakt.altinn.consents.srr.ports import Registry
from fullmakt.infra import audit
from fullmakt.infra.database import Database
from fullmakt.kernel.clock import Clock
from fullmakt.kernel.declarations import Outcome
from fullmakt.wire.altinn.resource_registry import ResourceType
from fullmakt.wire.altinn.resources import RegisteredResource

SYSTEM = "consents"
_IDENTIFIER = re.compile(r"[a-z0-9-]+_(?P<code>[A-Za-z0-9]{1,20})_(?P<edition>0|[1-9][0-9]{0,8})", re.ASCII)


class ServiceTakenError(Exception):
    """Another resource stands for the service edition."""


class Services:
    """The services. What is declared goes before what resources are called."""

    def __init__(self, database: Database, clock: Clock, registry: Registry) -> None:
        self._database = database
        self._clock = clock
        self._registry = registry

    async def find(self, key: ServiceKey) -> Service | None:
        """The service edition; None when no registered resource of type Consent stands for it."""
        async with self._database.transaction() as connection:
            declared = await store.service(connection, key)
        if declared is not None:
            return _service(declared, (await self._registry.resources((declared.resource,))).get(declared.resource))
        names = [f"{code}_{key}" for code in await self._registry.org_codes()]
        named = [one for one in (await self._registry.resources(names)).values() if _is_consent(one)]
        said = await self.declared([one.identifier for one in named])
        others = {one.resource for one in said if one.key != key}  # for this one it may have been said just now
        found = [one for one in named if one.identifier not in others]
        # Of two owners with the same code and edition, nobody could tell whose is meant.
        return _service(ServiceDeclaration(found[0].identifier, key), found[0]) if len(found) == 1 else None

    async def of_resource(self, resource: str) -> Service | None:
        """The service edition that a resource stands for; None when it stands for none."""
        async with self._database.transaction() as connection:
            declared = await store.service_of_resource(connection, resource)
        if declared is None:
            named = _IDENTIFIER.fullmatch(resource)
            if named is None:
                return None
            declared = ServiceDeclaration(resource, ServiceKey(named["code"], int(named["edition"])))
        return _service(declared, (await self._registry.resources((resource,))).get(resource))

    async def declared(self, resources: Collection[str] | None = None) -> list[ServiceDeclaration]:
        """What has been said of services, of all of them or of those with these resources."""
        async with self._database.transaction() as connection:
            return await store.services(connection, resources)

    async def declare(self, declaration: ServiceDeclaration, *, actor: str = "operator") -> Outcome:
        """Let the resource stand for the service edition. What is not said (None) stays as it is.

        Raises:
            ServiceTakenError: another resource does.
        """
        try:
            async with self._database.transaction() as connection:
                before = await store.service_of_resource(connection, declaration.resource)
                if before is not None and _merged(before, declaration) == before:
                    return Outcome.UNCHANGED
                if not await store.put_service(connection, declaration, self._clock()):
                    raise ServiceTakenError(_taken(declaration))
                await self._tell(connection, declaration, actor)
        except IntegrityError as error:
            raise ServiceTakenError(_taken(declaration)) from error
        return Outcome.CREATED if before is None else Outcome.CHANGED

    async def _tell(self, connection: AsyncConnection, declaration: ServiceDeclaration, actor: str) -> None:
        said: dict[str, Any] = {
            "resource": declaration.resource,
            "uses_srr": declaration.uses_srr,
            "one_time": declaration.one_time,
            "min_level": declaration.min_level,
        }
        event = audit.AuditEvent(
            self._clock(),
            SYSTEM,
            "consent-service:declare",
            "done",
            actor=actor,
            subject=f"service:{declaration.key}",
            facts={name: value for name, value in said.items() if value is not None},
        )
        await audit.record(connection, event)


def _taken(declaration: ServiceDeclaration) -> str:
    return f"another resource than {declaration.resource} stands for {declaration.key}"


def _merged(before: ServiceDeclaration, said: ServiceDeclaration) -> ServiceDeclaration:
    return ServiceDeclaration(
        said.resource,
        said.key,
        before.uses_srr if said.uses_srr is None else said.uses_srr,
        before.one_time if said.one_time is None else said.one_time,
        before.min_level if said.min_level is None else said.min_level,
    )


def _service(declared: ServiceDeclaration, resource: RegisteredResource | None) -> Service | None:
    if resource is None or not _is_consent(resource):
        return None
    return Service(
        key=declared.key,
        resource=resource.identifier,
        owner=resource.owner_orgno,
        uses_srr=bool(declared.uses_srr),
        one_time=declared.one_time,
        min_level=declared.min_level,
    )


def _is_consent(resource: RegisteredResource) -> bool:
    return resource.resource_type == ResourceType.CONSENT

"""What may be read of resources: by anybody over HTTP, and by neighbours."""

from __future__ import annotations

from collections.abc import Collection

from fullmakt.altinn.resources.model import Search, StoredResource
from fullmakt.altinn.resources.service.work import Work
from fullmakt.altinn.resources.store import owners, resources
from fullmakt.infra import feed
from fullmakt.kernel.identifiers import OrgNumber
from fullmakt.kernel.text import is_storable
from fullmakt.wire.altinn.resource_registry import ResourceType, ServiceOwner
from fullmakt.wire.altinn.resources import TOPIC, RegisteredResource

MOST_WITH_SCOPE = 100
"""Resources that one scope leads to: each costs whoever has a token with the scope a decision."""


class Reading:
    """Reads, each in a transaction of its own."""

    def __init__(self, work: Work) -> None:
        self._work = work

    async def resource(self, identifier: str) -> RegisteredResource | None:
        """The newest version of the resource, with its policy."""
        return (await self.resources((identifier,))).get(identifier)

    async def resources(self, identifiers: Collection[str]) -> dict[str, RegisteredResource]:
        """Those of ``identifiers`` that are registered."""
        wanted = {identifier for identifier in identifiers if is_storable(identifier)}
        if not wanted:
            return {}
        async with self._work.database.transaction() as connection:
            return await resources.registered(connection, wanted)

    async def resources_with_scope(self, scope: str | None) -> tuple[RegisteredResource, ...]:
        """The API resources (type MaskinportenSchema) that carry the scope; all of them for None."""
        if scope is not None and not is_storable(scope):
            return ()
        async with self._work.database.transaction() as connection:
            return await resources.registered_with_scope(connection, scope)

    async def identifiers_with_scope(self, scope: str) -> tuple[str, ...]:
        """The identifiers of resources of any type that carry the scope, by name; a hundred at the most."""
        if not is_storable(scope):
            return ()
        async with self._work.database.transaction() as connection:
            return await resources.identifiers_with_scope(connection, scope, MOST_WITH_SCOPE)

    async def changes_since(self, version: int) -> feed.Changes:
        """What happened in the registry after ``version`` of its feed (``wire.altinn.resources.TOPIC``)."""
        async with self._work.database.transaction() as connection:
            return await feed.changes_since(connection, TOPIC, version)

    async def document(self, identifier: str, version_id: int | None = None) -> StoredResource | None:
        """The newest version of the resource's document, or the version asked for."""
        if not is_storable(identifier) or (version_id is not None and not 0 < version_id < 2**31):
            return None
        async with self._work.database.transaction() as connection:
            if version_id is None:
                return await resources.newest(connection, identifier)
            return await resources.version(connection, identifier, version_id)

    async def documents(self, *, apps: bool = True, migrated_apps: bool = False) -> list[StoredResource]:
        """Every resource; apps and migrated apps on request."""
        kinds = {ResourceType.ALTINN_APP: apps, ResourceType.MIGRATED_APP: migrated_apps}
        async with self._work.database.transaction() as connection:
            return await resources.everything(
                connection, without=[kind for kind, wanted in kinds.items() if not wanted]
            )

    async def search(self, wanted: Search) -> list[StoredResource]:
        """Every resource that has what is wanted."""
        if not is_storable(*wanted.texts()):
            return []
        async with self._work.database.transaction() as connection:
            return await resources.search(connection, wanted)

    async def org_codes(self) -> dict[str, OrgNumber]:
        """The organisation number of each service owner's org code."""
        async with self._work.database.transaction() as connection:
            return await owners.org_codes(connection)

    async def service_owners(self) -> dict[str, ServiceOwner]:
        """The service owners by org code."""
        async with self._work.database.transaction() as connection:
            return await owners.everyone(connection)

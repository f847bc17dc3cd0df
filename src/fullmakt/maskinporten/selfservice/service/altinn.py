"""Clients that Altinn's runtime makes for service owners (maskinporten.md §7.8)."""

from __future__ import annotations

from collections.abc import Sequence

from fullmakt.kernel.clock import NewId
from fullmakt.maskinporten.selfservice.errors import InvalidError
from fullmakt.maskinporten.selfservice.model import Caller, Client, ClientKey
from fullmakt.maskinporten.selfservice.rules import clients, permissions
from fullmakt.maskinporten.selfservice.rules import keys as key_rules
from fullmakt.maskinporten.selfservice.rules.permissions import Right
from fullmakt.maskinporten.selfservice.service.clients import (
    check_scopes,
    existing,
    new_client,
    new_id_of,
    put_to_rest,
    replaced,
    taken,
)
from fullmakt.maskinporten.selfservice.service.keys import put_set, registered
from fullmakt.maskinporten.selfservice.service.work import Change, Work
from fullmakt.maskinporten.selfservice.store import clients as store
from fullmakt.maskinporten.selfservice.store import keys as key_store
from fullmakt.wire.maskinporten.selfservice import ClientBody, JwkBody


class AltinnClients:
    """Use cases of the Altinn admin endpoints: a caller sees and changes what it made itself, and nothing else."""

    def __init__(self, work: Work, new_id: NewId, *, allow_ec_keys: bool) -> None:
        self._work = work
        self._new_id = new_id
        self._allow_ec = allow_ec_keys

    async def of(self, caller: Caller) -> list[Client]:
        """The active clients that the caller made."""
        async with self._work.reading(caller.name, "altinn-client:list") as connection:
            permissions.require(caller, Right.ADMINISTER_FOR_ALTINN)
            return await store.made_by(connection, caller.client_id)

    async def create(self, caller: Caller, body: ClientBody) -> Client:
        """Make a client for another organisation; the caller's is its supplier.

        Raises:
            InvalidError: the body breaks a rule, names no owner, or names a supplier.
            ConflictError: the id is taken.
        """
        client_id = new_id_of(body, self._new_id)
        async with self._work.changing(caller.name, "altinn-client:create", client_id) as change:
            permissions.require(caller, Right.ADMINISTER_FOR_ALTINN)
            if body.client_orgno is None:
                raise InvalidError.field(clients.OBJECT, "client_orgno", "client_orgno is required")
            if body.supplier_orgno is not None:
                raise InvalidError.field(clients.OBJECT, "supplier_orgno", "supplier_orgno is set by the server")
            client = new_client(
                client_id,
                clients.integration_type_of(body),
                body,
                change.now,
                owner=clients.orgno_of(body.client_orgno, "client_orgno"),
                supplier=caller.orgno,
                maker=caller.client_id,
                made_by_altinn=True,
            )
            await check_scopes(change.connection, client, caller.orgno)
            if not await store.add(change.connection, client):
                raise taken(client_id)
            change.done(f"client:{client_id}", client_orgno=client.client_orgno, scopes=client.scopes)
            return client

    async def replace(self, caller: Caller, client_id: str, body: ClientBody) -> Client:
        """Give a client new attributes and scopes in place of all that it had.

        Raises:
            NotFoundError: there is none by that id.
            InvalidError: the body breaks a rule, or names another integration type.
        """
        async with self._work.changing(caller.name, "altinn-client:update", client_id) as change:
            before = await _own(change, caller, client_id)
            client = replaced(before, body, change.now)
            await check_scopes(change.connection, client, caller.orgno, before.scopes)
            await store.replace(change.connection, client)
            change.done(f"client:{client_id}", scopes=client.scopes, active=client.attributes.active)
            return client

    async def deactivate(self, caller: Caller, client_id: str) -> None:
        """Put a client to rest.

        Raises:
            NotFoundError: there is none by that id.
        """
        async with self._work.changing(caller.name, "altinn-client:delete", client_id) as change:
            client = await _own(change, caller, client_id)
            if client.attributes.active:
                await store.replace(change.connection, put_to_rest(client, change.now))
                change.done(f"client:{client_id}")

    async def keys(self, caller: Caller, client_id: str) -> list[ClientKey]:
        """The client's keys.

        Raises:
            NotFoundError: there is no such client.
        """
        async with self._work.reading(caller.name, "altinn-client-key:list", client_id) as connection:
            permissions.require(caller, Right.ADMINISTER_FOR_ALTINN)
            permissions.require_maker(caller, await existing(connection, client_id))
            return await key_store.of_client(connection, client_id)

    async def replace_keys(self, caller: Caller, client_id: str, bodies: Sequence[JwkBody]) -> list[ClientKey]:
        """Put a new key set in place of the old one.

        The runtime's keys carry certificates that it made itself: they are kept, and nothing is locked to them.

        Raises:
            NotFoundError: there is no such client.
            InvalidError: no key, too many, or one that breaks a rule.
        """
        async with self._work.changing(caller.name, "altinn-client-key:replace", client_id) as change:
            await _own(change, caller, client_id)
            sent = key_rules.read_keys(bodies, int(change.now.timestamp()), allow_ec=self._allow_ec)
            before = {key.kid: key for key in await key_store.of_client(change.connection, client_id)}
            keys = [registered(key, None, before.get(key.kid), change.now) for key in sent]
            return await put_set(change, client_id, keys)


async def _own(change: Change, caller: Caller, client_id: str) -> Client:
    permissions.require(caller, Right.ADMINISTER_FOR_ALTINN)
    client = await existing(change.connection, client_id, lock=True)
    permissions.require_maker(caller, client)
    return client

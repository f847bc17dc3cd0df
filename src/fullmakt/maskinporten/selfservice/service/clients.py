"""Making, reading and changing clients (maskinporten.md §7.3, §7.6)."""

from __future__ import annotations

import datetime as dt
import hashlib
from dataclasses import replace

from sqlalchemy.ext.asyncio import AsyncConnection

from fullmakt.kernel.clock import NewId
from fullmakt.kernel.identifiers import OrgNumber
from fullmakt.maskinporten.selfservice.errors import ConflictError, InvalidError, NotFoundError
from fullmakt.maskinporten.selfservice.model import Caller, Client
from fullmakt.maskinporten.selfservice.rules import client_scopes, clients, permissions
from fullmakt.maskinporten.selfservice.rules.permissions import DCR_SUPPLIER, Right
from fullmakt.maskinporten.selfservice.service.work import Work
from fullmakt.maskinporten.selfservice.store import clients as store
from fullmakt.wire.maskinporten.selfservice import ClientBody, IntegrationType

DIGDIR = OrgNumber("991825827")


async def existing(connection: AsyncConnection, client_id: str, *, lock: bool = False) -> Client:
    """The client by that id.

    Raises:
        NotFoundError: there is none.
    """
    found = await store.find(connection, client_id, lock=lock) if clients.is_client_id(client_id) else None
    if found is None:
        raise NotFoundError("There is no such client")
    return found


def new_id_of(body: ClientBody, new_id: NewId) -> str:
    """The id of a client that is being made: what was asked for, or a fresh one.

    Raises:
        InvalidError: an id that no client can have.
    """
    if body.client_id is None:
        return new_id()
    if not clients.is_client_id(body.client_id):
        raise InvalidError.field(clients.OBJECT, "client_id", "client_id may hold letters, digits and . _ -")
    return body.client_id


def new_client(
    client_id: str,
    integration_type: IntegrationType,
    body: ClientBody,
    now: dt.datetime,
    *,
    owner: OrgNumber,
    supplier: OrgNumber | None,
    maker: str = "",
    made_by_altinn: bool = False,
) -> Client:
    """A client as it is made; ``maker`` is the client id of the administrator, if it was one.

    Raises:
        InvalidError: the body breaks a rule.
    """
    return Client(
        client_id=client_id,
        client_orgno=owner,
        supplier_orgno=supplier,
        integration_type=integration_type,
        made_by_altinn=made_by_altinn,
        created_by_client_id=maker,
        attributes=clients.attributes_of(body, integration_type),
        scopes=client_scopes.wanted_scopes(body.scopes, integration_type),
        created=now,
        last_updated=now,
    )


def taken(client_id: str) -> ConflictError:
    """The id is somebody's, perhaps a deactivated client's."""
    return ConflictError(f"A client with the id {client_id} exists already", clients.OBJECT, "client_id")


async def check_scopes(
    connection: AsyncConnection, client: Client, caller_orgno: OrgNumber, before: tuple[str, ...] = ()
) -> None:
    """Judge the scopes that the client did not have ``before``.

    Raises:
        InvalidError: some may not be put on it.
    """
    added = [name for name in client.scopes if name not in before]
    known = await store.standings(connection, added, client.counted_orgno)
    InvalidError.raise_for(
        client_scopes.scope_faults(added, known, client.integration_type, client.counted_orgno, caller_orgno)
    )


class Clients:
    """Use cases on clients. Every one raises ``DeniedError`` when the token or the ownership does not allow it."""

    def __init__(self, work: Work, new_id: NewId, new_secret: NewId, *, altinn: frozenset[str]) -> None:
        self._work = work
        self._new_id = new_id
        self._new_secret = new_secret
        self._altinn = altinn

    async def of(
        self,
        caller: Caller,
        *,
        inactive: bool = False,
        integration_type: str | None = None,
        client_orgno: str | None = None,
    ) -> list[Client]:
        """The caller's clients, and with ``idporten:dcr.supplier`` those it administers, filtered where asked.

        Raises:
            InvalidError: ``client_orgno`` is not nine digits.
        """
        orgno = clients.orgno_of(client_orgno, "client_orgno") if client_orgno is not None else None
        async with self._work.reading(caller.name, "client:list") as connection:
            permissions.require(caller, Right.READ_CLIENTS)
            return await store.of_organisation(
                connection,
                caller.orgno,
                as_supplier=DCR_SUPPLIER in caller.scopes,
                inactive=inactive,
                integration_type=integration_type,
                client_orgno=orgno,
            )

    async def get(self, caller: Caller, client_id: str) -> Client:
        """One client, active or not.

        Raises:
            NotFoundError: there is none by that id.
        """
        async with self._work.reading(caller.name, "client:read", client_id) as connection:
            permissions.require(caller, Right.READ_CLIENTS)
            client = await existing(connection, client_id)
            permissions.require_reader(caller, client)
            return client

    async def create(self, caller: Caller, body: ClientBody) -> tuple[Client, str | None]:
        """Make a client; its secret, when it has one, is told here and never again.

        Raises:
            InvalidError: the body breaks a rule.
            ConflictError: the id is taken.
        """
        client_id = new_id_of(body, self._new_id)
        async with self._work.changing(caller.name, "client:create", client_id) as change:
            permissions.require(caller, Right.MAKE_CLIENTS)
            client = self._new_client(caller, client_id, body, change.now)
            await check_scopes(change.connection, client, caller.orgno)
            if not await store.add(change.connection, client):
                raise taken(client_id)
            change.done(f"client:{client_id}", client_orgno=client.client_orgno, scopes=client.scopes)
            secret = None
            if client.attributes.has_secret:
                secret = await self._give_secret(change.connection, client, change.now)
            return client, secret

    def _new_client(self, caller: Caller, client_id: str, body: ClientBody, now: dt.datetime) -> Client:
        integration_type = clients.integration_type_of(body)
        owner = clients.orgno_of(body.client_orgno, "client_orgno") if body.client_orgno else caller.orgno
        supplier = permissions.supplier_of_new_client(caller, owner, integration_type, altinn=self._altinn)
        return new_client(
            client_id, integration_type, body, now, owner=owner, supplier=supplier, maker=caller.client_id
        )

    async def replace(self, caller: Caller, client_id: str, body: ClientBody) -> Client:
        """Give a client new attributes and scopes in place of all that it had.

        Raises:
            NotFoundError: there is none by that id.
            InvalidError: the body breaks a rule, or names another integration type.
        """
        async with self._work.changing(caller.name, "client:update", client_id) as change:
            permissions.require(caller, Right.CHANGE_CLIENTS)
            before = await existing(change.connection, client_id, lock=True)
            permissions.require_writer(caller, before)
            client = replaced(before, body, change.now)
            await check_scopes(change.connection, client, caller.orgno, before.scopes)
            await store.replace(change.connection, client)
            change.done(f"client:{client_id}", scopes=client.scopes, active=client.attributes.active)
            return client

    async def deactivate(self, caller: Caller, client_id: str) -> None:
        """Put a client to rest: no token for it from now on. Nothing is lost.

        Raises:
            NotFoundError: there is none by that id.
        """
        async with self._work.changing(caller.name, "client:delete", client_id) as change:
            permissions.require(caller, Right.MAKE_CLIENTS)
            client = await existing(change.connection, client_id, lock=True)
            permissions.require_writer(caller, client)
            if client.attributes.active:
                await store.replace(change.connection, put_to_rest(client, change.now))
                change.done(f"client:{client_id}")

    async def new_secret(self, caller: Caller, client_id: str) -> tuple[Client, str]:
        """Give a client a new secret in place of the old one; it is told here and never again.

        Raises:
            NotFoundError: there is none by that id.
            InvalidError: the client does not authenticate with a secret.
        """
        async with self._work.changing(caller.name, "client:new-secret", client_id) as change:
            permissions.require(caller, Right.MAKE_CLIENTS)
            client = await existing(change.connection, client_id, lock=True)
            permissions.require_writer(caller, client)
            if not client.attributes.has_secret:
                raise InvalidError.field(
                    clients.OBJECT, "token_endpoint_auth_method", "The client does not authenticate with a secret"
                )
            secret = await self._give_secret(change.connection, client, change.now)
            change.done(f"client:{client_id}")
            return client, secret

    async def _give_secret(self, connection: AsyncConnection, client: Client, now: dt.datetime) -> str:
        secret = self._new_secret()
        # 256 random bits: nothing to guess from a plain hash, and no reason for a slow one.
        digest = hashlib.sha256(secret.encode()).digest()
        await store.set_secret(connection, client.client_id, digest, now + dt.timedelta(days=clients.SECRET_DAYS))
        return secret


def replaced(before: Client, body: ClientBody, now: dt.datetime) -> Client:
    """The client as a PUT leaves it.

    Raises:
        InvalidError: the body breaks a rule, or names another integration type.
    """
    if body.integration_type not in (None, before.integration_type):
        raise InvalidError.field(clients.OBJECT, "integration_type", "integration_type can not be changed")
    return replace(
        before,
        attributes=clients.attributes_of(body, before.integration_type, before.attributes),
        scopes=client_scopes.wanted_scopes(body.scopes, before.integration_type),
        last_updated=now,
    )


def put_to_rest(client: Client, now: dt.datetime) -> Client:
    """The client, deactivated."""
    return replace(client, attributes=replace(client.attributes, active=False), last_updated=now)

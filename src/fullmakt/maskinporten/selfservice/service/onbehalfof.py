"""Registering whom a login client acts for (maskinporten.md §7.5)."""

from __future__ import annotations

import datetime as dt
import re

from fullmakt.maskinporten.selfservice.errors import ConflictError, InvalidError, NotFoundError
from fullmakt.maskinporten.selfservice.model import Caller, Client, OnBehalfOf
from fullmakt.maskinporten.selfservice.rules import permissions
from fullmakt.maskinporten.selfservice.rules.clients import orgno_of
from fullmakt.maskinporten.selfservice.rules.permissions import Right
from fullmakt.maskinporten.selfservice.service.clients import existing
from fullmakt.maskinporten.selfservice.service.work import Change, Work
from fullmakt.maskinporten.selfservice.store import clients as store
from fullmakt.wire.maskinporten.selfservice import OnBehalfOfBody

OBJECT = "OnBehalfOf"
_VALUE = re.compile(r"[A-Za-z0-9._-]{1,100}", re.ASCII)


class OnBehalfOfs:
    """Use cases on a client's on-behalf-of registrations; errors as those on clients."""

    def __init__(self, work: Work) -> None:
        self._work = work

    async def of_client(self, caller: Caller, client_id: str) -> list[OnBehalfOf]:
        """The client's registrations, by value."""
        async with self._work.reading(caller.name, "onbehalfof:list", client_id) as connection:
            permissions.require(caller, Right.READ_ONBEHALFOF)
            client = await existing(connection, client_id)
            permissions.require_reader(caller, client)
            return list(client.onbehalfof)

    async def get(self, caller: Caller, client_id: str, value: str) -> OnBehalfOf:
        """One registration.

        Raises:
            NotFoundError: the client has none by that value.
        """
        return _one(await self.of_client(caller, client_id), value)

    async def add(self, caller: Caller, client_id: str, body: OnBehalfOfBody) -> OnBehalfOf:
        """Add a registration.

        Raises:
            InvalidError: the value is missing or holds something else than letters, digits and ``. _ -``.
            ConflictError: the client has one by that value.
        """
        if body.onbehalfof is None or not _VALUE.fullmatch(body.onbehalfof):
            raise InvalidError.field(
                OBJECT, "onbehalfof", "onbehalfof is required and may hold letters, digits and . _ -"
            )
        async with self._work.changing(caller.name, "onbehalfof:create", client_id) as change:
            await _changeable(change, caller, client_id)
            entry = _entry(body.onbehalfof, body, change.now, change.now)
            if not await store.add_onbehalfof(change.connection, client_id, entry):
                raise ConflictError("The client has this registration already", OBJECT, "onbehalfof")
            change.done(f"client:{client_id}", onbehalfof=entry.value)
            return entry

    async def replace(self, caller: Caller, client_id: str, value: str, body: OnBehalfOfBody) -> OnBehalfOf:
        """Write a registration anew; its value stays.

        Raises:
            NotFoundError: the client has none by that value.
        """
        async with self._work.changing(caller.name, "onbehalfof:update", client_id) as change:
            client = await _changeable(change, caller, client_id)
            before = _one(client.onbehalfof, value)
            entry = _entry(value, body, before.created, change.now)
            await store.replace_onbehalfof(change.connection, client_id, entry)
            change.done(f"client:{client_id}", onbehalfof=value)
            return entry

    async def remove(self, caller: Caller, client_id: str, value: str) -> None:
        """Remove a registration.

        Raises:
            NotFoundError: the client has none by that value.
        """
        async with self._work.changing(caller.name, "onbehalfof:delete", client_id) as change:
            client = await _changeable(change, caller, client_id)
            _one(client.onbehalfof, value)
            await store.remove_onbehalfof(change.connection, client_id, value)
            change.done(f"client:{client_id}", onbehalfof=value)


async def _changeable(change: Change, caller: Caller, client_id: str) -> Client:
    permissions.require(caller, Right.CHANGE_ONBEHALFOF)
    client = await existing(change.connection, client_id, lock=True)
    permissions.require_writer(caller, client)
    return client


def _one(entries: list[OnBehalfOf] | tuple[OnBehalfOf, ...], value: str) -> OnBehalfOf:
    for entry in entries:
        if entry.value == value:
            return entry
    raise NotFoundError("The client has no such on-behalf-of registration")


def _entry(value: str, body: OnBehalfOfBody, created: dt.datetime, now: dt.datetime) -> OnBehalfOf:
    return OnBehalfOf(
        value=value,
        name=body.name,
        orgno=orgno_of(body.orgno, "orgno", OBJECT) if body.orgno is not None else None,
        organization_name=body.organization_name,
        description=body.description,
        uri=body.uri,
        logo_uri=body.logo_uri,
        created=created,
        last_updated=now,
    )

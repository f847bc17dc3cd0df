"""Declaring what is in the registry, for the operator: the world file, commands, tests.

No token is asked for and no ownership; the rules on members are those that everybody keeps. Every method may be called
again with the same words and then changes nothing.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from enum import StrEnum

from fullmakt.kernel.identifiers import OrgNumber, ScopeName
from fullmakt.maskinporten.selfservice.errors import Fault, InvalidError, NotFoundError
from fullmakt.maskinporten.selfservice.model import (
    Client,
    ClientKey,
    DelegationSource,
    Scope,
    ScopeAccess,
    ScopePrefix,
)
from fullmakt.maskinporten.selfservice.rules import clients
from fullmakt.maskinporten.selfservice.rules import keys as key_rules
from fullmakt.maskinporten.selfservice.rules import scopes as scope_rules
from fullmakt.maskinporten.selfservice.service.clients import existing as existing_client
from fullmakt.maskinporten.selfservice.service.clients import new_client
from fullmakt.maskinporten.selfservice.service.keys import put_set, registered
from fullmakt.maskinporten.selfservice.service.scopes import issuers
from fullmakt.maskinporten.selfservice.service.work import Change, Work
from fullmakt.maskinporten.selfservice.store import clients as client_store
from fullmakt.maskinporten.selfservice.store import keys as key_store
from fullmakt.maskinporten.selfservice.store import scopes as store
from fullmakt.wire.maskinporten.selfservice import AccessState, ClientBody, JwkBody, ScopeBody

OPERATOR = "operator"
RENEW_BEFORE = dt.timedelta(days=30)
"""A declared key that has less than this to live is renewed."""


class Declared(StrEnum):
    """What a declaration did."""

    CREATED = "created"
    CHANGED = "changed"
    UNCHANGED = "unchanged"


class Operator:
    """Declares prefixes, scopes, accesses, clients, keys and delegation sources, and reads them all back."""

    def __init__(self, work: Work, *, allow_ec_keys: bool) -> None:
        self._work = work
        self._allow_ec = allow_ec_keys

    async def declare_delegation_source(self, issuer: str, name: str) -> Declared:
        """There is this delegation source; ``issuer`` is a URL, to the letter what tokens carry."""
        async with self._work.changing(OPERATOR, "delegation-source:declare", issuer) as change:
            known = {source.issuer: source for source in await store.delegation_sources(change.connection)}
            before = known.get(issuer)
            if before is not None and before.name == name:
                return Declared.UNCHANGED
            created = before.created if before else change.now
            await store.put_delegation_source(change.connection, DelegationSource(issuer, name, created, change.now))
            change.done(name=name)
            return Declared.CHANGED if before else Declared.CREATED

    async def declare_prefix(self, prefix: str, owner: OrgNumber, *, active: bool = True) -> Declared:
        """This prefix is the organisation's; its scopes go with it.

        Raises:
            InvalidError: something else than lower-case letters, digits, ``-`` and ``_``.
        """
        if not scope_rules.is_prefix(prefix):
            raise InvalidError.field("ScopePrefix", "prefix", "prefix may hold lower-case letters, digits, - and _")
        async with self._work.changing(OPERATOR, "prefix:declare", prefix) as change:
            before = await store.find_prefix(change.connection, prefix, lock=True)
            wanted = ScopePrefix(prefix, owner, active, before.created if before else change.now, change.now)
            if before is not None and replace(before, last_updated=change.now) == wanted:
                return Declared.UNCHANGED
            await store.put_prefix(change.connection, wanted)
            change.done(f"organisation:{owner}", owner_orgno=owner)
            if before is None:
                return Declared.CREATED
            change.done(f"organisation:{before.owner_orgno}")
            for scope in await store.of_owner(change.connection, owner, inactive=True):
                if scope.name.prefix == prefix:
                    change.done(f"scope:{scope.name}")
            return Declared.CHANGED

    async def declare_scope(self, body: ScopeBody) -> Declared:
        """There is this scope, with these attributes.

        Raises:
            InvalidError: the body breaks a rule, or there is no such prefix.
        """
        name = scope_rules.name_of(body)
        async with self._work.changing(OPERATOR, "scope:declare", name) as change:
            prefix = await store.find_prefix(change.connection, name.prefix)
            if prefix is None:
                raise InvalidError.field(scope_rules.OBJECT, "prefix", f"There is no prefix {name.prefix}")
            before = await store.find(change.connection, name, lock=True)
            attributes = scope_rules.attributes_of(body, await issuers(change.connection), operator=True)
            if before is not None and before.attributes == attributes:
                return Declared.UNCHANGED
            created = before.created if before else change.now
            scope = Scope(name, prefix.owner_orgno, attributes, created, change.now)
            change.done(f"scope:{name}")
            if before is None and await store.add(change.connection, scope):
                return Declared.CREATED
            await store.replace(change.connection, scope)
            return Declared.CHANGED

    async def declare_access(self, scope: ScopeName, consumer: OrgNumber, state: AccessState = "APPROVED") -> Declared:
        """The consumer's access to the scope is in this state.

        Raises:
            NotFoundError: there is no such scope.
        """
        async with self._work.changing(OPERATOR, "access:declare", consumer) as change:
            if await store.find(change.connection, scope) is None:
                raise NotFoundError(f"There is no scope {scope}")
            before = await store.find_access(change.connection, scope, consumer)
            if not await store.set_access(change.connection, scope, consumer, state, change.now):
                return Declared.UNCHANGED
            change.done(f"scope:{scope}", scope=scope, state=state)
            return Declared.CHANGED if before else Declared.CREATED

    async def declare_client(
        self,
        client_id: str,
        owner: OrgNumber,
        body: ClientBody,
        *,
        supplier: OrgNumber | None = None,
        made_by_altinn: bool = False,
        keys: Sequence[JwkBody] | None = None,
    ) -> Declared:
        """There is this client, with these attributes and scopes; and with these ``keys``, unless they are left out.

        A client that is to have keys is declared with them: for as long as it had none, any certificate of its
        organisation would speak for it (§8.5).

        Raises:
            InvalidError: the body breaks a rule, names scopes that do not exist, or the client exists with another
                owner, supplier or type, which never change; too many keys, or one that breaks a rule.
        """
        if not clients.is_client_id(client_id):
            raise InvalidError.field(clients.OBJECT, "client_id", "client_id may hold letters, digits and . _ -")
        integration_type = clients.integration_type_of(body, operator=True)
        async with self._work.changing(OPERATOR, "client:declare", client_id) as change:
            wanted = new_client(
                client_id,
                integration_type,
                body,
                change.now,
                owner=owner,
                supplier=supplier,
                made_by_altinn=made_by_altinn,
            )
            declared = await _put_client(change, wanted)
            about_keys = Declared.UNCHANGED if keys is None else await self._put_keys(change, client_id, keys)
            if declared is about_keys is Declared.UNCHANGED:
                return Declared.UNCHANGED
            return Declared.CREATED if declared is Declared.CREATED else Declared.CHANGED

    async def declare_keys(self, client_id: str, bodies: Sequence[JwkBody]) -> Declared:
        """These are the client's keys, and no others. One that is near its end is renewed.

        Raises:
            NotFoundError: there is no such client.
            InvalidError: too many, or one that breaks a rule.
        """
        async with self._work.changing(OPERATOR, "client-key:declare", client_id) as change:
            await existing_client(change.connection, client_id, lock=True)
            return await self._put_keys(change, client_id, bodies)

    async def _put_keys(self, change: Change, client_id: str, bodies: Sequence[JwkBody]) -> Declared:
        before = {key.kid: key for key in await key_store.of_client(change.connection, client_id)}
        now = int(change.now.timestamp())
        sent = key_rules.read_keys(bodies, now, allow_ec=self._allow_ec) if bodies else []
        keys = [registered(key, None, before.get(key.kid), change.now) for key in sent]
        lasting = now + RENEW_BEFORE.total_seconds()
        if {_essence(key) for key in keys} == {_essence(key) for key in before.values()} and all(
            key.expires > lasting for key in before.values()
        ):
            return Declared.UNCHANGED
        await put_set(change, client_id, keys)
        return Declared.CHANGED if before else Declared.CREATED

    async def delegation_sources(self) -> list[DelegationSource]:
        """Every delegation source."""
        async with self._work.reading(OPERATOR, "delegation-source:list") as connection:
            return await store.delegation_sources(connection)

    async def prefixes(self) -> list[ScopePrefix]:
        """Every prefix, active or not."""
        async with self._work.reading(OPERATOR, "prefix:list-all") as connection:
            return await store.prefixes(connection, owner=None, inactive=True)

    async def scopes(self) -> list[Scope]:
        """Every scope, active or not."""
        async with self._work.reading(OPERATOR, "scope:list-all") as connection:
            return await store.everyones(connection)

    async def accesses(self, named: Collection[tuple[ScopeName, OrgNumber]] | None = None) -> list[ScopeAccess]:
        """Those of the ``named`` accesses (scope and consumer) that exist, or all of them, whatever their state."""
        async with self._work.reading(OPERATOR, "access:list-all") as connection:
            return await store.everyones_accesses(connection, named)

    async def clients(self, client_ids: Collection[str] | None = None) -> list[Client]:
        """Those of ``client_ids`` that exist, or every client, active or not."""
        async with self._work.reading(OPERATOR, "client:list-all") as connection:
            return await client_store.everyone(connection, client_ids)

    async def keys(self, client_id: str) -> list[ClientKey]:
        """A client's keys; none when there is no such client."""
        async with self._work.reading(OPERATOR, "client-key:list", client_id) as connection:
            return await key_store.of_client(connection, client_id)


async def _put_client(change: Change, wanted: Client) -> Declared:
    """Write the client, whose row is held from here on."""
    known = await client_store.standings(change.connection, wanted.scopes, wanted.client_orgno)
    InvalidError.raise_for(_missing_scopes(wanted, known.keys()))
    if await client_store.add(change.connection, wanted):
        declared = Declared.CREATED
    else:
        before = await existing_client(change.connection, wanted.client_id, lock=True)
        _require_same_identity(before, wanted)
        if before.attributes == wanted.attributes and before.scopes == wanted.scopes:
            return Declared.UNCHANGED
        await client_store.replace(change.connection, wanted)
        declared = Declared.CHANGED
    change.done(f"client:{wanted.client_id}", client_orgno=wanted.client_orgno, scopes=wanted.scopes)
    return declared


def _essence(key: ClientKey) -> tuple[object, ...]:
    return key.kid, key.spki, key.alg, key.x5c


def _missing_scopes(client: Client, known: Collection[str]) -> Iterator[Fault]:
    """A login client's ``openid`` and ``profile``, and krr's fixed scopes, need not be anybody's."""
    if client.integration_type == "krr":
        return
    login = clients.LOGIN_SCOPES if client.integration_type in clients.LOGIN_TYPES else ()
    for name in client.scopes:
        if name not in known and name not in login:
            yield Fault(f"The scope {name} does not exist", clients.OBJECT, "scopes")


def _require_same_identity(before: Client, wanted: Client) -> None:
    for name in ("client_orgno", "supplier_orgno", "integration_type", "made_by_altinn"):
        if getattr(before, name) != getattr(wanted, name):
            raise InvalidError.field(clients.OBJECT, name, f"{name} of client {before.client_id} can not be changed")

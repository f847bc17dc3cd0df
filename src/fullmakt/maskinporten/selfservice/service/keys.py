"""Registering clients' keys (maskinporten.md §7.4)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence

from sqlalchemy.ext.asyncio import AsyncConnection

from fullmakt.jose.keys import is_key_id
from fullmakt.kernel.clock import NewId
from fullmakt.maskinporten.selfservice.errors import InvalidError, NotFoundError
from fullmakt.maskinporten.selfservice.model import Caller, Client, ClientKey
from fullmakt.maskinporten.selfservice.ports import CertificateCheck, CertificateRefusedError, CheckedCertificate
from fullmakt.maskinporten.selfservice.rules import keys as rules
from fullmakt.maskinporten.selfservice.rules import permissions
from fullmakt.maskinporten.selfservice.rules.keys import SentKey
from fullmakt.maskinporten.selfservice.rules.permissions import Right
from fullmakt.maskinporten.selfservice.service.clients import existing
from fullmakt.maskinporten.selfservice.service.work import Change, Work
from fullmakt.maskinporten.selfservice.store import keys as store
from fullmakt.wire.maskinporten.selfservice import JwkBody

Verdicts = Mapping[tuple[str, ...], CheckedCertificate | CertificateRefusedError]
"""What chains are worth, by their text."""


def registered(key: SentKey, certificate: bytes | None, before: ClientKey | None, now: dt.datetime) -> ClientKey:
    """The key as it goes into the registry; posting the one that is there (``before``) again renews it."""
    spki = key.public_key.to_der()
    return ClientKey(
        kid=key.kid,
        alg=key.alg,
        jwk=key.jwk,
        spki=spki,
        expires=key.expires,
        created=before.created if before is not None and before.spki == spki else now,
        last_updated=now,
        x5c=key.x5c,
        certificate=certificate,
    )


class Keys:
    """Use cases on a client's keys. Every one raises ``DeniedError`` and ``NotFoundError`` as those on clients do."""

    def __init__(self, work: Work, new_id: NewId, certificates: CertificateCheck, *, allow_ec_keys: bool) -> None:
        self._work = work
        self._new_id = new_id
        self._certificates = certificates
        self._allow_ec = allow_ec_keys

    async def of_client(self, caller: Caller, client_id: str) -> list[ClientKey]:
        """The client's keys, the oldest first."""
        async with self._work.reading(caller.name, "client-key:list", client_id) as connection:
            await _readable(connection, caller, client_id)
            return await store.of_client(connection, client_id)

    async def get(self, caller: Caller, client_id: str, kid: str) -> ClientKey:
        """One key.

        Raises:
            NotFoundError: the client has none by that ``kid``.
        """
        for key in await self.of_client(caller, client_id):
            if key.kid == kid:
                return key
        raise NotFoundError("The client has no such key")

    async def replace_all(self, caller: Caller, client_id: str, bodies: Sequence[JwkBody]) -> list[ClientKey]:
        """Put a new key set in place of the old one, whole.

        Raises:
            InvalidError: no key, too many, or one that breaks a rule.
        """
        checked = await self._check_certificates(caller, client_id, bodies)
        async with self._work.changing(caller.name, "client-key:replace", client_id) as change:
            client = await changeable(change.connection, caller, client_id)
            sent = rules.read_keys(bodies, int(change.now.timestamp()), allow_ec=self._allow_ec)
            before = {key.kid: key for key in await store.of_client(change.connection, client_id)}
            keys = [
                registered(
                    key, certificate_for(key, client, checked, at=f"keys[{index}]."), before.get(key.kid), change.now
                )
                for index, key in enumerate(sent)
            ]
            return await put_set(change, client_id, keys)

    async def remove_all(self, caller: Caller, client_id: str) -> None:
        """Take all keys from the client."""
        async with self._work.changing(caller.name, "client-key:remove-all", client_id) as change:
            await changeable(change.connection, caller, client_id)
            if await store.remove_all_but(change.connection, client_id, ()):
                change.done(f"client:{client_id}")

    async def put(self, caller: Caller, client_id: str, kid: str, body: JwkBody) -> ClientKey:
        """Add one key, or put it in place of the one that has its ``kid``.

        Raises:
            InvalidError: the key breaks a rule, is one too many, or is called something else than ``kid``.
        """
        if body.kid is None:
            body = body.model_copy(update={"kid": kid})
        if body.kid != kid:
            raise InvalidError.field(rules.OBJECT, "kid", "kid must be the one in the path")
        checked = await self._check_certificates(caller, client_id, [body])
        async with self._work.changing(caller.name, "client-key:put", client_id) as change:
            client = await changeable(change.connection, caller, client_id)
            sent = rules.read_key(body, int(change.now.timestamp()), allow_ec=self._allow_ec)
            return await put_one(change, client, sent, checked)

    async def add(self, caller: Caller, client_id: str, sent: JwkBody | str) -> ClientKey:
        """Add what a person pasted: a JWK, or PEM, for which we make the ``kid``.

        PEM of a key that was pasted before renews that one, under the ``kid`` that it has (§7.4, rule 5).

        Raises:
            InvalidError: it is no key, breaks a rule, or is one too many.
        """
        checked = {} if isinstance(sent, str) else await self._check_certificates(caller, client_id, [sent])
        async with self._work.changing(caller.name, "client-key:add", client_id) as change:
            client = await changeable(change.connection, caller, client_id)
            now = int(change.now.timestamp())
            if isinstance(sent, str):
                key = rules.read_pem_key(sent, self._new_id(), now, allow_ec=self._allow_ec)
                key = rules.named_as_before(key, await store.of_client(change.connection, client_id))
            else:
                key = rules.read_key(sent, now, allow_ec=self._allow_ec)
            return await put_one(change, client, key, checked)

    async def remove(self, caller: Caller, client_id: str, kid: str) -> None:
        """Take one key from the client.

        Raises:
            NotFoundError: the client has none by that ``kid``.
        """
        async with self._work.changing(caller.name, "client-key:remove", client_id) as change:
            await changeable(change.connection, caller, client_id)
            if not is_key_id(kid) or not await store.remove(change.connection, client_id, kid):
                raise NotFoundError("The client has no such key")
            change.done(f"client:{client_id}", kids=[kid])

    async def _check_certificates(self, caller: Caller, client_id: str, bodies: Sequence[JwkBody]) -> Verdicts:
        """What the certificates that come with the keys are worth, by their text.

        It may take a fetch over the network, so it is done before the transaction that holds the client's row, and
        only for a caller that may change the client.
        """
        chains = [tuple(body.x5c) for body in bodies[: rules.MAX_KEYS] if body.x5c]
        if not chains:
            return {}
        async with self._work.reading(caller.name, "client-key:check", client_id) as connection:
            await changeable(connection, caller, client_id, lock=False)
        verdicts: dict[tuple[str, ...], CheckedCertificate | CertificateRefusedError] = {}
        for chain in chains:
            try:
                verdicts[chain] = await self._certificates.check(chain)
            except CertificateRefusedError as refused:
                verdicts[chain] = refused
        return verdicts


def certificate_for(key: SentKey, client: Client, verdicts: Verdicts, at: str = "") -> bytes | None:
    """The leaf (DER) that the key is to be locked to; None for a key without a certificate.

    Raises:
        InvalidError: the certificate does not hold, is another organisation's, or speaks for another key.
    """
    if key.x5c is None:
        return None
    verdict = verdicts[key.x5c]
    if isinstance(verdict, CertificateRefusedError):
        raise InvalidError.field(rules.OBJECT, f"{at}x5c", str(verdict))
    if verdict.orgno not in (client.client_orgno, client.supplier_orgno):
        raise InvalidError.field(
            rules.OBJECT, f"{at}x5c", f"The certificate is {verdict.orgno}'s, not the client's organisation's"
        )
    if verdict.public_key.to_der() != key.public_key.to_der():
        raise InvalidError.field(rules.OBJECT, f"{at}x5c", "The certificate speaks for another key than the JWK's")
    return verdict.leaf


async def put_one(change: Change, client: Client, sent: SentKey, verdicts: Verdicts) -> ClientKey:
    """Add one key to the client, or put it in place of the one that has its ``kid``; the client's row is held.

    Raises:
        InvalidError: it is one too many, or its certificate does not fit.
    """
    before = {key.kid: key for key in await store.of_client(change.connection, client.client_id)}
    rules.require_room(len(before.keys() | {sent.kid}))
    key = registered(sent, certificate_for(sent, client, verdicts), before.get(sent.kid), change.now)
    await store.put(change.connection, client.client_id, [key])
    change.done(f"client:{client.client_id}", kids=[key.kid])
    return key


async def put_set(change: Change, client_id: str, keys: Sequence[ClientKey]) -> list[ClientKey]:
    """Make these the client's keys, and no others; the client's row is held."""
    await store.remove_all_but(change.connection, client_id, [key.kid for key in keys])
    await store.put(change.connection, client_id, keys)
    change.done(f"client:{client_id}", kids=[key.kid for key in keys])
    return await store.of_client(change.connection, client_id)


async def _readable(connection: AsyncConnection, caller: Caller, client_id: str) -> Client:
    permissions.require(caller, Right.READ_CLIENTS)
    client = await existing(connection, client_id)
    permissions.require_reader(caller, client)
    return client


async def changeable(connection: AsyncConnection, caller: Caller, client_id: str, *, lock: bool = True) -> Client:
    """The client, which the caller may give and take keys; with ``lock``, its row is held.

    Raises:
        DeniedError: the caller may not.
        NotFoundError: there is no such client.
    """
    permissions.require(caller, Right.CHANGE_CLIENTS)
    client = await existing(connection, client_id, lock=lock)
    permissions.require_writer(caller, client)
    return client

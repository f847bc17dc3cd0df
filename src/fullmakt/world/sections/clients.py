"""Clients: registered with self-service, their private halves and profiles in the state folder.

The private half is on disk before the public half is registered, and the profile is written last: whoever finds a
profile finds a client that works, and after a crash in between the same key is registered by the next attempt.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Container, Mapping, Sequence
from datetime import datetime
from itertools import chain, count

from fullmakt.kernel.clock import Clock
from fullmakt.kernel.identifiers import OrgNumber, ScopeName
from fullmakt.maskinporten.selfservice import model as registry
from fullmakt.maskinporten.selfservice.service import Operator
from fullmakt.maskinporten.selfservice.service.operator import RENEW_BEFORE
from fullmakt.wire.maskinporten.grant import INTEGRATION_TYPES_WITH_GRANT
from fullmakt.wire.maskinporten.selfservice import ClientBody, JwkBody
from fullmakt.world.certificates import Certificates, UnfitCertificateError
from fullmakt.world.files import Profile, WorldFiles
from fullmakt.world.model import (
    Client,
    Credentials,
    EnterpriseCertificate,
    Entry,
    GeneratedKey,
    Kind,
    PublicJwk,
    PublicKeys,
    Unusable,
    World,
)
from fullmakt.world.names import Names


class ClientsSection:
    """Clients as a ``WorldSection``. ``certificates`` is None where there is no PKI of our own."""

    kinds = (Kind.CLIENT,)

    def __init__(self, operator: Operator, files: WorldFiles, certificates: Certificates | None, clock: Clock) -> None:
        self._operator = operator
        self._files = files
        self._certificates = certificates
        self._clock = clock

    async def current(self, names: Names | None) -> World:
        """The named clients as they are registered, with credentials as far as they can be used from here."""
        if names is None:
            return World(clients=tuple([client async for client in self._all()]))
        wanted = {client.client_id: client for client in names.clients}
        found = [
            _client(client, wanted[client.client_id].name, await self._usable(client, wanted[client.client_id]))
            for client in await self._operator.clients(list(wanted))
        ]
        return World(clients=tuple(found))

    async def apply(self, entry: Entry) -> None:
        """Make the private half, register the public one, write the profile; in this order."""
        if not isinstance(entry, Client):
            raise TypeError(f"self-service keeps no {type(entry).__name__} here")
        jwks = await self._prepare(entry)
        body = ClientBody.model_validate(
            {
                "client_name": entry.client_name,
                "description": entry.description,
                "integration_type": entry.integration_type,
                "active": entry.active,
                "scopes": list(entry.scopes),
                "access_token_lifetime": entry.access_token_lifetime,
            }
        )
        keys = [JwkBody.model_validate(jwk) for jwk in jwks]
        await self._operator.declare_client(
            entry.client_id, entry.organisation, body, supplier=entry.supplier, keys=keys
        )
        await asyncio.to_thread(self._files.write_profile, self._profile(entry))

    async def _prepare(self, client: Client) -> list[Mapping[str, str]]:
        """What must be in the state folder first; returns the public keys to register."""
        match client.credentials:
            case GeneratedKey():
                key = await asyncio.to_thread(self._files.ensure_key, client.name)
                return [key.public_jwk()]
            case PublicKeys(jwks):
                return [jwk.as_dict() for jwk in jwks]
            case EnterpriseCertificate():
                if self._certificates is not None:
                    store = self._files.client_certificate(client.name)
                    await self._certificates.ensure(store, client.organisation)
                return []
            case other:
                raise TypeError(f"credentials that can not be declared: {other}")

    def _profile(self, client: Client) -> Profile:
        by_certificate = client.credentials == EnterpriseCertificate()
        with_file = by_certificate and self._certificates is not None
        store = self._files.client_certificate(client.name)
        return Profile(
            alias=client.name,
            client_id=client.client_id,
            organisation=client.organisation,
            supplier=client.supplier,
            integration_type=client.integration_type,
            scopes=client.scopes,
            authentication="certificate" if by_certificate else "key",
            key_file=self._files.key_path(client.name).name if client.credentials == GeneratedKey() else None,
            certificate_file=store.p12.name if with_file else None,
            password_file=store.password.name if with_file else None,
        )

    async def _usable(self, client: registry.Client, wanted: Client) -> Credentials:
        """The credentials as they are, seen with the eyes of somebody who wants ``wanted``."""
        keys = await self._operator.keys(client.client_id)
        found = _registered(keys)
        if found == wanted.credentials and not client.attributes.active:
            return found  # at rest it needs nothing here
        if soon := _expiring(keys, self._clock()):
            return Unusable(f"key {soon.kid} expires in less than {RENEW_BEFORE.days} days")
        if wanted.credentials == GeneratedKey():
            found = await self._generated(wanted.name, found)
        if wanted.credentials == found == EnterpriseCertificate() and self._certificates is not None:
            found = await self._certified(wanted.name, client.client_orgno, self._certificates)
        if found == wanted.credentials and not await self._has_profile(client, wanted.name, found):
            return Unusable("the profile in the state folder is missing or old")
        return found

    async def _has_profile(self, client: registry.Client, name: str, found: Credentials) -> bool:
        """Whether its profile is as it should be. One that signs elsewhere needs none to go by its owner's name."""
        profile = await asyncio.to_thread(self._files.profile, name)
        wanted = self._profile(_client(client, name, found))
        signs_elsewhere = wanted.key_file is None and wanted.certificate_file is None
        return profile == wanted or (profile is None and signs_elsewhere and _is_owners_name(client, name))

    async def _generated(self, name: str, registered: Credentials) -> Credentials:
        if not isinstance(registered, PublicKeys):
            return Unusable("it has no registered key")
        if await asyncio.to_thread(self._files.public_key, name) is None:
            return Unusable("its private key is not in the state folder")
        return GeneratedKey() if await self._is_ours(name, registered) else registered

    async def _certified(self, name: str, orgno: OrgNumber, certificates: Certificates) -> Credentials:
        try:
            holder = await certificates.check(self._files.client_certificate(name))
        except UnfitCertificateError as error:
            return Unusable(str(error))
        return EnterpriseCertificate() if holder == orgno else Unusable(f"the certificate is {holder}'s")

    async def _is_ours(self, name: str, registered: Credentials) -> bool:
        """True when the one key that is registered has its private half in the state folder."""
        key = await asyncio.to_thread(self._files.public_key, name)
        return key is not None and registered == PublicKeys((PublicJwk.of(key),))

    async def _all(self) -> AsyncIterator[Client]:
        """Every client there is, those that no world file can declare with the reason."""
        names = {profile.client_id: profile.alias for profile in await asyncio.to_thread(self._profiles)}
        taken = set(names.values())
        for client in await self._operator.clients():
            name = names.get(client.client_id) or _free_name(client, taken)
            taken.add(name)
            yield _client(client, name, _undeclarable(client) or await self._exported(client.client_id, name))

    def _profiles(self) -> list[Profile]:
        return list(self._files.profiles())

    async def _exported(self, client_id: str, name: str) -> Credentials:
        keys = await self._operator.keys(client_id)
        if any(key.x5c for key in keys):
            return Unusable("it has a key that is locked to a certificate")
        found = _registered(keys)
        return GeneratedKey() if await self._is_ours(name, found) else found


def _client(client: registry.Client, name: str, credentials: Credentials) -> Client:
    return Client(
        name=name,
        client_id=client.client_id,
        organisation=client.client_orgno,
        credentials=credentials,
        client_name=client.attributes.client_name,
        description=client.attributes.description or "",
        supplier=client.supplier_orgno,
        integration_type=client.integration_type,
        # A login client's openid and profile are nobody's scopes, and it is not declared in a world file anyhow.
        scopes=tuple(sorted(ScopeName(scope) for scope in client.scopes if ":" in scope)),
        access_token_lifetime=client.attributes.access_token_lifetime,
        active=client.attributes.active,
    )


def _undeclarable(client: registry.Client) -> Unusable | None:
    if client.integration_type not in INTEGRATION_TYPES_WITH_GRANT:
        return Unusable(f"clients of type {client.integration_type} are not declared in world files")
    if client.made_by_altinn:
        return Unusable("it was made by Altinn")
    if client.integration_type == "altinn_virksys" and not client.has_keys:
        return Unusable("it has no key yet")
    return None


def _registered(keys: Sequence[registry.ClientKey]) -> Credentials:
    if not keys:
        return EnterpriseCertificate()
    return PublicKeys(tuple(_jwk(key) for key in sorted(keys, key=lambda key: key.kid)))


def _jwk(key: registry.ClientKey) -> PublicJwk:
    alg = {"alg": key.alg} if key.alg is not None else {}
    return PublicJwk.of({**key.jwk, "use": "sig", "kid": key.kid, **alg})


def _expiring(keys: Sequence[registry.ClientKey], now: datetime) -> registry.ClientKey | None:
    limit = (now + RENEW_BEFORE).timestamp()
    return next((key for key in keys if key.expires <= limit), None)


def _free_name(client: registry.Client, taken: Container[str]) -> str:
    """A name for a client that has none on this machine, made of the one that its owner gave it."""
    stem = _stem(client)
    return next(name for name in chain([stem], (f"{stem}-{number}" for number in count(2))) if name not in taken)


def _is_owners_name(client: registry.Client, name: str) -> bool:
    """Whether ``_free_name`` comes to ``name``."""
    return re.fullmatch(rf"{_stem(client)}(-[0-9]+)?", name) is not None


def _stem(client: registry.Client) -> str:
    return re.sub(r"[^a-z0-9]+", "-", client.attributes.client_name.lower()).strip("-")[:50] or "client"

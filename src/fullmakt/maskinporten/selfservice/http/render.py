"""The registry's values as the documents of the wire."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

from pydantic import BaseModel
from starlette.responses import JSONResponse

from fullmakt.maskinporten.selfservice.model import (
    Client,
    ClientKey,
    DelegationSource,
    OnBehalfOf,
    Scope,
    ScopeAccess,
    ScopePrefix,
)
from fullmakt.maskinporten.selfservice.ports import OrganisationNames
from fullmakt.wire.maskinporten.selfservice import (
    ClientDocument,
    DelegationSourceDocument,
    JwkDocument,
    JwksDocument,
    KeyStatus,
    OnBehalfOfDocument,
    ScopeAccessDocument,
    ScopeDocument,
    ScopePrefixDocument,
)


def answer(document: BaseModel | Iterable[BaseModel], status: int = 200) -> JSONResponse:
    """One document or many, as JSON. Nothing of this is for a cache: it may hold a secret, and is the caller's own."""
    body: Any
    if isinstance(document, BaseModel):
        body = document.model_dump(mode="json")
    else:
        body = [one.model_dump(mode="json") for one in document]
    return JSONResponse(body, status, headers={"Cache-Control": "no-store"})


def client(client: Client, secret: str | None = None) -> ClientDocument:
    """A client, with its secret in the one answer that tells it."""
    return ClientDocument(
        client_id=client.client_id,
        client_orgno=client.client_orgno,
        supplier_orgno=client.supplier_orgno,
        integration_type=client.integration_type,
        scopes=list(client.scopes),
        onbehalfof=[onbehalfof(entry) for entry in client.onbehalfof],
        created=client.created,
        last_updated=client.last_updated,
        jwks_uri=f"/clients/{client.client_id}/jwks" if client.has_keys else None,
        client_secret=secret,
        key_status=_key_status(client),
        **asdict(client.attributes),
    )


def _key_status(client: Client) -> KeyStatus | None:
    """Of an enterprise system alone: other clients of Maskinporten can do without a key."""
    if client.integration_type != "altinn_virksys":
        return None
    return "registered" if client.has_keys else "missing"


def onbehalfof(entry: OnBehalfOf) -> OnBehalfOfDocument:
    """An on-behalf-of registration."""
    members = asdict(entry)
    return OnBehalfOfDocument(onbehalfof=members.pop("value"), **members)


def key(key: ClientKey) -> JwkDocument:
    """A registered key."""
    return JwkDocument(
        **key.jwk,
        kid=key.kid,
        alg=key.alg,
        x5c=list(key.x5c) if key.x5c is not None else None,
        exp=key.expires,
        created=key.created,
        last_updated=key.last_updated,
    )


def keys(keys: Iterable[ClientKey]) -> JwksDocument:
    """A client's key set."""
    registered = list(keys)
    return JwksDocument(
        keys=[key(one) for one in registered],
        created=min((one.created for one in registered), default=None),
        last_updated=max((one.last_updated for one in registered), default=None),
    )


def scope(scope: Scope) -> ScopeDocument:
    """A scope, its texts in further languages beside its own."""
    members = asdict(scope.attributes)
    translations = members.pop("translations")
    return ScopeDocument(
        name=scope.name,
        prefix=scope.name.prefix,
        subscope=scope.name.subscope,
        owner_orgno=scope.owner_orgno,
        created=scope.created,
        last_updated=scope.last_updated,
        **members,
        **translations,
    )


async def accesses(accesses: Iterable[ScopeAccess], names: OrganisationNames) -> list[ScopeAccessDocument]:
    """Accesses, with the names of both organisations."""
    found = list(accesses)
    known = await names.organisation_names({orgno for one in found for orgno in (one.owner_orgno, one.consumer_orgno)})
    return [
        ScopeAccessDocument(
            **asdict(one),
            owner_organization_name=known.get(one.owner_orgno),
            consumer_organization_name=known.get(one.consumer_orgno),
        )
        for one in found
    ]


async def prefixes(prefixes: Iterable[ScopePrefix], names: OrganisationNames) -> list[ScopePrefixDocument]:
    """Prefixes, with the names of their owners."""
    found = list(prefixes)
    known = await names.organisation_names({one.owner_orgno for one in found})
    return [ScopePrefixDocument(**asdict(one), organization_name=known.get(one.owner_orgno)) for one in found]


def delegation_source(source: DelegationSource) -> DelegationSourceDocument:
    """A delegation source."""
    return DelegationSourceDocument(**asdict(source), lastUpdated=source.last_updated)

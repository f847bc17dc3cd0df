"""``[[client]]``: a client and how it authenticates (maskinporten.md §7.3 and §7.4)."""

from __future__ import annotations

from typing import Any

from fullmakt.jose.keys import InvalidKeyError, PublicKey, is_key_id
from fullmakt.kernel.identifiers import ScopeName
from fullmakt.maskinporten.selfservice.rules.clients import KRR_SCOPES, is_client_id
from fullmakt.maskinporten.selfservice.rules.keys import MAX_KEYS
from fullmakt.wire.maskinporten.grant import INTEGRATION_TYPES_WITH_GRANT
from fullmakt.world import reading as r
from fullmakt.world.model import (
    Client,
    Credentials,
    EnterpriseCertificate,
    GeneratedKey,
    KeyFile,
    PublicJwk,
    PublicKeys,
    default_client_id,
)

_WAYS = ("key", "key_file", "jwk", "authentication")


def read_client(table: r.Table) -> Client | None:
    """Read one ``[[client]]``."""
    name = table.required("name", r.local_name)
    integration_type = table.defaulted("integration_type", r.one_of(INTEGRATION_TYPES_WITH_GRANT), "maskinporten")
    client = Client(
        name=name,
        client_id=table.defaulted(
            "client_id",
            _client_id,
            default_client_id(name) if name else "",
        ),
        organisation=table.required("organisation", r.orgno),
        credentials=_credentials(table),
        client_name=table.defaulted("client_name", r.text, name),
        description=table.defaulted("description", r.text, name),
        supplier=table.optional("supplier", r.orgno),
        integration_type=integration_type,
        scopes=_scopes(table, integration_type),
        access_token_lifetime=table.number_of("access_token_lifetime", 120, least=1),
        active=table.flag("active", default=True),
    )
    if client.integration_type == "altinn_virksys" and client.credentials == EnterpriseCertificate():
        table.fault("authentication", "a client of type altinn_virksys needs a registered key")
    return client if table.ok else None


def _scopes(table: r.Table, integration_type: str) -> tuple[ScopeName, ...]:
    scopes = table.texts("scopes", r.scope_name)
    if integration_type != "krr":
        return scopes
    fixed = tuple(map(ScopeName, KRR_SCOPES))
    if scopes not in ((), fixed):
        table.fault("scopes", f"a client of type krr has {' and '.join(fixed)}, and no others")
    return fixed


def _client_id(raw: object) -> str:
    value = r.text(raw)
    if not is_client_id(value):
        raise r.FaultyFieldError("a client id is letters, digits and . _ -")
    return value


def _credentials(table: r.Table) -> Credentials:
    given = [way for way in _WAYS if table.has(way)]
    if len(given) != 1:
        table.fault(
            given[1] if given else None,
            'how does the client authenticate? One of key = "generate", key_file, jwk, authentication = "certificate"',
        )
    if "key_file" in given:
        return KeyFile(table.required("key_file", r.text))
    if "jwk" in given:
        return table.required("jwk", public_keys)
    if "authentication" in given:
        table.required("authentication", r.one_of({"certificate"}))
        return EnterpriseCertificate()
    if "key" in given:
        table.required("key", r.one_of({"generate"}))
    return GeneratedKey()


def public_keys(raw: object) -> PublicKeys:
    """Read a public JWK (a table) or several (an array of tables).

    Raises:
        FaultyFieldError: not a usable public key, more than five, or two with one ``kid``.
    """
    jwks = raw if isinstance(raw, list) else [raw]
    if not 1 <= len(jwks) <= MAX_KEYS:
        raise r.FaultyFieldError(f"a client has one to {MAX_KEYS} keys")
    keys = sorted((public_jwk(jwk) for jwk in jwks), key=lambda jwk: jwk.kid)
    if len({key.kid for key in keys}) != len(keys):
        raise r.FaultyFieldError("two keys have the same kid")
    return PublicKeys(tuple(keys))


def public_jwk(raw: object) -> PublicJwk:
    """Read a public JWK; ``kid`` defaults to its thumbprint, ``use`` is ``sig``.

    Raises:
        FaultyFieldError: private or unknown members, or numbers that make no usable key.
    """
    if not isinstance(raw, dict):
        raise r.FaultyFieldError(f"a JWK is a table, not {r.type_name(raw)}")
    members: dict[str, Any] = {"use": "sig", **raw}
    if not all(isinstance(value, str) for value in members.values()):
        raise r.FaultyFieldError("the members of a public JWK are texts")
    try:
        key = PublicKey.from_jwk(members)
    except InvalidKeyError as error:
        raise r.FaultyFieldError(str(error)) from error
    members.setdefault("kid", key.thumbprint)
    if unknown := sorted(members.keys() - key.to_jwk().keys() - {"use", "alg", "kid"}):
        raise r.FaultyFieldError(f"a public JWK has no {', '.join(unknown)} here")
    if members["use"] != "sig" or ("alg" in members and members["alg"] not in key.algorithms):
        raise r.FaultyFieldError(f"use is sig, and alg one of {', '.join(sorted(key.algorithms))}")
    if not is_key_id(members["kid"]):
        raise r.FaultyFieldError("a kid is letters, digits and . _ -")
    return PublicJwk.of(members)

"""Keys: what they are, and whether self-service would take them for a client."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import ValidationError

from fullmakt.cli.inspection.masking import masked
from fullmakt.cli.inspection.report import Finding, Report, failed, passed, refused, unchecked
from fullmakt.cli.inspection.surroundings import NO_WORLD, Surroundings
from fullmakt.jose.compact import b64url_decode
from fullmakt.jose.keys import PRIVATE_MEMBERS, InvalidKeyError, LocalSigner, PublicKey
from fullmakt.maskinporten.selfservice.errors import InvalidError
from fullmakt.maskinporten.selfservice.rules.keys import SentKey, read_key, read_keys, read_pem_key
from fullmakt.maskinporten.tokens.model import Refusal
from fullmakt.wire.maskinporten.registry import RegisteredClient
from fullmakt.wire.maskinporten.selfservice import JwkBody

_MADE_BY_SELF_SERVICE = "Grants are signed with it and name the kid. The certificate in the file is not sent."
_PRIVATE = "This is a private key. Keep it where it is, and give others its public half only."


async def inspect_jwk(members: Mapping[str, Any], around: Surroundings) -> Report:
    """A JWK, judged as one to register on a client; of a private one, its public half is judged."""
    private = bool(PRIVATE_MEMBERS & members.keys())
    public = {name: value for name, value in members.items() if name not in PRIVATE_MEMBERS}
    sent, findings = _judge_one(public, around)
    if sent is not None:
        findings += await judge_registration(sent.public_key, around)
    return Report(
        "private_jwk" if private else "jwk",
        "Private key (JWK)" if private else "Public key (JWK)",
        {**masked(public), **_about(public)},
        tuple(findings),
        (_PRIVATE,) if private else (),
    )


def inspect_jwks(keys: Sequence[object], around: Surroundings) -> Report:
    """A key set, judged as one to register on a client."""
    usable = [key for key in keys if isinstance(key, Mapping)]
    findings = [failed("registration", f"`keys[{index}]` is no object") for index, key in enumerate(keys)
                if not isinstance(key, Mapping)]  # fmt: skip
    bodies = []
    for index, key in enumerate(usable):
        body, faults = _body(key, f"keys[{index}].")
        findings += faults
        if body is not None:
            bodies.append(body)
    if not findings:
        try:
            read_keys(bodies, int(around.now.timestamp()), allow_ec=around.config.allow_ec_keys)
            findings.append(passed("registration", "self-service would take it as a client's key set"))
        except InvalidError as error:
            findings += _faults(error)
    private = any(PRIVATE_MEMBERS & key.keys() for key in usable)
    parts = [Report("jwk", f"Key {index + 1}", {**masked(key), **_about(key)}) for index, key in enumerate(usable)]
    title = f"Key set (JWKS) with {len(keys)} key{'' if len(keys) == 1 else 's'}"
    return Report("jwks", title, {}, tuple(findings), (_PRIVATE,) if private else (), tuple(parts))


async def inspect_public_pem(pem: bytes, around: Surroundings) -> Report:
    """A PEM public key, judged as one to register on a client."""
    try:
        sent = read_pem_key(
            pem.decode("ascii", "replace"),
            "-",
            int(around.now.timestamp()),
            allow_ec=around.config.allow_ec_keys,
        )
    except InvalidError as error:
        return Report("public_key", "Public key (PEM)", {}, tuple(_faults(error)))
    findings = [_can_be_registered(), *await judge_registration(sent.public_key, around)]
    return Report("public_key", "Public key (PEM)", about_key(sent.public_key), tuple(findings))


async def inspect_private_key(key: LocalSigner, around: Surroundings, form: str, kid: str | None = None) -> Report:
    """A private key, by its public half; one that self-service has made is registered under ``kid``."""
    sent, findings = _judge_one(key.public_jwk(), around)
    if sent is not None:
        findings += await judge_registration(sent.public_key, around)
    if kid is None:
        return Report("private_key", f"Private key ({form})", about_key(key.public), tuple(findings), (_PRIVATE,))
    content = {"kid": kid, **about_key(key.public)}
    notes = (_PRIVATE, _MADE_BY_SELF_SERVICE)
    return Report("key_file", f"Registered key, made by self-service ({form})", content, tuple(findings), notes)


def about_key(key: PublicKey) -> dict[str, Any]:
    """What can be told of any public key."""
    jwk = key.to_jwk()
    if jwk["kty"] == "RSA":
        kind = f"RSA, {int.from_bytes(b64url_decode(jwk['n'].encode())).bit_length()} bits"
    else:
        kind = f"EC, {jwk['crv']}"
    return {"key": kind, "thumbprint (RFC 7638)": key.thumbprint}


def _about(jwk: Mapping[str, Any]) -> dict[str, Any]:
    try:
        return about_key(PublicKey.from_jwk({name: jwk[name] for name in jwk if name not in PRIVATE_MEMBERS}))
    except InvalidKeyError:
        return {}


# -- self-service's rules -----------------------------------------------------------------------------------------


def _judge_one(jwk: Mapping[str, Any], around: Surroundings) -> tuple[SentKey | None, list[Finding]]:
    body, faults = _body(jwk, "")
    if body is None:
        return None, faults
    try:
        sent = read_key(body, int(around.now.timestamp()), allow_ec=around.config.allow_ec_keys)
    except InvalidError as error:
        return None, _faults(error)
    return sent, [_can_be_registered()]


def _can_be_registered() -> Finding:
    return passed("registration", "self-service would take it for a client")


def _body(jwk: Mapping[str, Any], at: str) -> tuple[JwkBody | None, list[Finding]]:
    try:
        return JwkBody.model_validate(dict(jwk)), []
    except ValidationError as error:
        # Place and message alone: pydantic would repeat the value, and that may be anything.
        faults = error.errors(include_input=False, include_url=False, include_context=False)
        places = [(at + ".".join(map(str, fault["loc"])), fault["msg"]) for fault in faults]
        return None, [failed("registration", f"`{place}`: {message}") for place, message in places]


def _faults(error: InvalidError) -> list[Finding]:
    return [
        failed("registration", f"`{fault.field}`: {fault.message}" if fault.field else fault.message)
        for fault in error.faults
    ]


# -- on a client --------------------------------------------------------------------------------------------------


async def client_of(around: Surroundings) -> tuple[RegisteredClient | None, list[Finding]]:
    """The client that was named, if one was; what there is to say when it can not be found."""
    if around.client_id is None:
        return None, []
    if around.world is None:
        return None, [unchecked("client", f"whether it is registered on `{around.client_id}`: {NO_WORLD}")]
    client = (await around.world.registry.clients([around.client_id])).get(around.client_id)
    if client is None:
        refusal = Refusal("client_not_found", {"client_id": around.client_id, "found": False})
        return None, [refused("client", refusal)]
    return client, []


async def judge_registration(key: PublicKey, around: Surroundings) -> list[Finding]:
    """Is the key registered on the client that was named, and still good?"""
    client, findings = await client_of(around)
    if client is None:
        return findings
    registered = next((each for each in client.keys if each.der == key.to_der()), None)
    if registered is None:
        kids = sorted(each.kid for each in client.keys)
        return [refused("client", Refusal("unknown_kid", {"client_id": client.client_id, "registered": kids}))]
    if registered.expires_at <= around.now.timestamp():
        facts = {"client_id": client.client_id, "kid": registered.kid, "expired_at": registered.expires_at}
        return [refused("client", Refusal("expired_key", facts))]
    return [passed("client", f"is registered on `{client.client_id}` as `{registered.kid}`")]

"""Inspects whatever was recognised."""

from __future__ import annotations

from collections.abc import Sequence

from cryptography import x509

from fullmakt.cli.inspection.access_tokens import inspect_access_token, looks_like_access_token
from fullmakt.cli.inspection.certificates import certificate_report, is_authority, judge_chain, public_key_of
from fullmakt.cli.inspection.consent_tokens import inspect_consent_token, looks_like_consent_token
from fullmakt.cli.inspection.grants import inspect_grant
from fullmakt.cli.inspection.keys import (
    client_of,
    inspect_jwk,
    inspect_jwks,
    inspect_private_key,
    inspect_public_pem,
)
from fullmakt.cli.inspection.reading import Jwk, Jwks, Jwt, KeyStore, PublicPem, Thing
from fullmakt.cli.inspection.report import Finding, Report, failed, passed, refused
from fullmakt.cli.inspection.surroundings import Surroundings
from fullmakt.jose.compact import MalformedJwtError, parse_compact
from fullmakt.jose.keys import LocalSigner
from fullmakt.maskinporten.tokens import rules as token_rules
from fullmakt.maskinporten.tokens.model import Refusal
from fullmakt.wire.maskinporten.registry import RegisteredClient


async def inspect(thing: Thing, around: Surroundings) -> Report:
    """Tell what ``thing`` is and whether it would be accepted."""
    match thing:
        case Jwt(text):
            return await _inspect_jwt(text, around)
        case Jwk(members):
            return await inspect_jwk(members, around)
        case Jwks(keys):
            return inspect_jwks(keys, around)
        case PublicPem(pem):
            return await inspect_public_pem(pem, around)
        case KeyStore(form, certificates, key, kid):
            if key is None:
                return await _inspect_certificates(form, certificates, around)
            if not certificates or kid is not None:
                return await inspect_private_key(key, around, form, kid)
            return await _inspect_key_store(form, certificates, key, around)


async def _inspect_jwt(text: str, around: Surroundings) -> Report:
    try:
        jws = parse_compact(text)
    except MalformedJwtError as error:
        finding = refused("token", token_rules.malformed("assertion", str(error)))
        return Report("jwt", "Something like a JWT that can not be read", {}, (finding,))
    if looks_like_access_token(jws):
        return inspect_access_token(jws, around)
    if looks_like_consent_token(jws):
        return await inspect_consent_token(jws, around)
    return await inspect_grant(jws, around)


async def _inspect_certificates(form: str, certificates: Sequence[x509.Certificate], around: Surroundings) -> Report:
    """A chain, judged by its leaf; or CA certificates alone, which are there to be trusted and not to be judged."""
    parts = tuple(map(certificate_report, certificates))
    if not parts:
        return Report("key_store", f"Empty key store ({form})", {})
    if all(map(is_authority, certificates)):
        return Report("trust_store", f"CA certificates ({form})", {}, (), (_SPEAKS_FOR_NO_CLIENT,), parts)
    client, findings = await client_of(around)
    if client is not None:
        findings.append(_judge_use(client, certificates[0], around))
    findings += await judge_chain(certificates, around, client)
    title = f"Certificate ({form})" if len(parts) == 1 else f"Certificate chain ({form})"
    return Report("certificate", title, {}, tuple(findings), (), parts)


def _judge_use(client: RegisteredClient, certificate: x509.Certificate, around: Surroundings) -> Finding:
    """May the client sign with this certificate: by a key that is registered, or by sending it along?"""
    key = public_key_of(certificate)
    registered = next((each for each in client.keys if key is not None and each.der == key.to_der()), None)
    if registered is not None:
        return passed("client", f"its key is registered on `{client.client_id}` as `{registered.kid}`")
    keys = {each.kid: each for each in client.keys}
    refusal = token_rules.choose_key(client, keys, {"alg": "RS256", "x5c": []}, around.now.timestamp())
    if isinstance(refusal, Refusal):
        return refused("client", refusal)
    return passed("client", f"`{client.client_id}` has no registered key, and signs with certificates")


_SPEAKS_FOR_NO_CLIENT = "A CA's certificate is there for verifiers to trust; no client signs with it."


async def _inspect_key_store(
    form: str, certificates: Sequence[x509.Certificate], key: LocalSigner, around: Surroundings
) -> Report:
    """A private key with certificates: those that are its own first, whatever their order in the file."""
    spki = key.public.to_der()
    own = [each for each in certificates if (held := public_key_of(each)) is not None and held.to_der() == spki]
    ordered = [*own, *(each for each in certificates if each not in own)]
    report = await _inspect_certificates(form, ordered, around)
    pair = (
        passed("pair", "the private key is the certificate's")
        if own
        else failed("pair", "the private key belongs to none of the certificates")
    )
    note = "There is a private key in it: keep it where it is."
    return Report(
        "key_store", f"Private key with its certificate ({form})", report.content, (pair, *report.findings),
        (note,), report.parts,
    )  # fmt: skip

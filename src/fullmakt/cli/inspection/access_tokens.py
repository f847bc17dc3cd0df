"""An access token as an API would see it: by the provider SDK's rules (maskinporten.md §3.6)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from typing import Any

from fullmakt.cli.inspection.bearer_faults import (
    Token,
    faults_of,
    refused_by,
    repairs_of_claims,
    signed,
    unsigned,
    with_member,
)
from fullmakt.cli.inspection.details import say_details
from fullmakt.cli.inspection.masking import masked
from fullmakt.cli.inspection.report import Finding, Report, passed, unchecked
from fullmakt.cli.inspection.surroundings import NO_WORLD, Surroundings
from fullmakt.jose.compact import UnverifiedJws
from fullmakt.jose.keys import LocalSigner
from fullmakt.kernel.identifiers import Iso6523
from fullmakt.provider import rules
from fullmakt.provider.errors import BearerError, InvalidTokenError, Reason
from fullmakt.provider.verified_token import VerifiedToken
from fullmakt.provider.verifier import DEFAULT_LEEWAY

_OF_THE_SIGNATURE = frozenset({Reason.UNKNOWN_KID, Reason.ALGORITHM, Reason.BAD_SIGNATURE})
_CLAIMS_OF_A_TOKEN = frozenset({"consumer", "client_amr"})


def looks_like_access_token(jws: UnverifiedJws) -> bool:
    """True for what a token server made; what a client made has neither a consumer nor a way of authentication."""
    typ = str(jws.unverified_header.get("typ", "")).lower()
    return bool(_CLAIMS_OF_A_TOKEN & jws.unverified_payload.keys()) or typ.endswith("at+jwt")


def inspect_access_token(jws: UnverifiedJws, around: Surroundings) -> Report:
    """Judge an access token as an API of this world would, or as one that trusts the token's own issuer."""
    claimed = jws.unverified_payload.get("iss")
    issuer = around.config.issuer if around.world is not None else claimed if isinstance(claimed, str) else ""
    expected = rules.Expected(issuer, None, DEFAULT_LEEWAY)
    header_faults = _header_faults(jws, expected)
    claim_faults, verified = _claim_faults(jws, expected, around.now)
    findings = [
        *(refused_by("token", fault) for fault in header_faults),
        _judge_signature(jws, expected, around),
        *(refused_by("claims", fault) for fault in claim_faults),
    ]
    if verified is not None and not claim_faults:
        findings += _say(verified, around.now)
    if around.world is None:
        findings.append(unchecked("issuer", f"whether `{issuer}` is the issuer to trust: {NO_WORLD}"))
    return Report(
        "access_token",
        "Access token",
        {"header": masked(jws.unverified_header), "claims": masked(jws.unverified_payload)},
        tuple(findings),
    )


# -- header and issuer --------------------------------------------------------------------------------------------


def _header_faults(jws: UnverifiedJws, expected: rules.Expected) -> list[BearerError]:
    def header(name: str, value: object) -> Callable[[Token], Token]:
        return lambda token: (with_member(token[0], name, value), token[1])

    given: Token = (jws.unverified_header, jws.unverified_payload)
    return faults_of(
        given,
        lambda token: rules.read(unsigned(token), expected),
        [
            header("alg", "RS256"), header("crit", None), header("typ", None), header("kid", "-"),
            lambda token: (token[0], with_member(token[1], "iss", expected.issuer)),
        ],
    ).found  # fmt: skip


# -- signature ----------------------------------------------------------------------------------------------------


def _judge_signature(jws: UnverifiedJws, expected: rules.Expected, around: Surroundings) -> Finding:
    alg, kid = jws.unverified_header.get("alg"), jws.unverified_header.get("kid")
    if not isinstance(alg, str) or alg not in rules.ALGORITHMS or not isinstance(kid, str):
        return unchecked("signature", "not with such a header")
    if around.world is None:
        return unchecked("signature", f"the issuer's keys are not known: {NO_WORLD}")
    try:
        rules.accept(rules.PresentedToken(kid, alg, jws), around.world.issuer_keys.get(kid), expected, around.now)
    except InvalidTokenError as error:
        if error.reason in _OF_THE_SIGNATURE:
            return refused_by("signature", error)
    return passed("signature", f"was made by the issuer's key `{kid}`")


# -- claims -------------------------------------------------------------------------------------------------------


def _claim_faults(
    jws: UnverifiedJws, expected: rules.Expected, now: dt.datetime
) -> tuple[list[BearerError], VerifiedToken | None]:
    """What an API would say of the claims, had the issuer signed them.

    The rule reads claims under a good signature only. So that they can be judged whoever signed them, they are signed
    anew here, with a key that is thrown away.
    """
    throwaway = LocalSigner.generate(ec_key=True)

    def accept(claims: Mapping[str, Any]) -> VerifiedToken:
        return rules.accept(rules.read(signed(claims, throwaway), expected), throwaway.public, expected, now)

    seconds = int(now.timestamp())
    stand_ins = {
        "iss": expected.issuer, "exp": seconds + 60, "iat": seconds, "client_id": "-", "jti": "-",
        "consumer": {"authority": Iso6523.AUTHORITY, "ID": "0192:000000000"},
    }  # fmt: skip
    claims: Mapping[str, Any] = jws.unverified_payload
    faults = faults_of(claims, accept, repairs_of_claims(claims, stand_ins))
    # A wrong issuer was told of with the header already.
    found = [fault for fault in faults.found if fault.reason is not Reason.WRONG_ISSUER]
    return found, None if faults.mended is None else accept(faults.mended)


def _say(token: VerifiedToken, now: dt.datetime) -> list[Finding]:
    left = token.expires_at - now
    caller = f", with {token.supplier} calling on its behalf" if token.supplier else ""
    return [
        passed("claims", f"is for organisation {token.consumer}{caller}"),
        *say_details(token),
        passed("time", f"is good for {left.total_seconds():.0f} seconds more"),
    ]

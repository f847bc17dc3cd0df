"""A consent token of Altinn 2's as a data source would see it: by the provider SDK's rules (consent.md §2.9)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any
from uuid import UUID

from fullmakt.cli.inspection.bearer_faults import (
    Token,
    faults_of,
    refused_by,
    repairs_of_claims,
    signed,
    unsigned,
    with_member,
)
from fullmakt.cli.inspection.masking import masked
from fullmakt.cli.inspection.report import Finding, Outcome, Report, failed, passed, unchecked
from fullmakt.cli.inspection.surroundings import NO_WORLD, Surroundings
from fullmakt.jose.compact import UnverifiedJws
from fullmakt.jose.keys import LocalSigner
from fullmakt.kernel.identifiers import InvalidIdentifierError, NationalId
from fullmakt.provider import BearerError, Consent, ConsentCause, ConsentRight, NoConsentError, consent_token
from fullmakt.provider.consent_model import Party
from fullmakt.provider.consent_verifier import DEFAULT_LEEWAY

_OF_THE_SIGNATURE = frozenset({ConsentCause.UNKNOWN_KID, ConsentCause.BAD_SIGNATURE})
_OF_THE_TIME = frozenset({ConsentCause.EXPIRED, ConsentCause.NOT_YET_VALID})
_SERVICES = frozenset({"Services", "ServiceCodes"})
_PEOPLE = ("OfferedBy", "RequiredDelegator")
_NOTES = (
    "A data source also holds it against Maskinporten's token, and against what is asked for and of whom.",
    "Whether the consent has ended since is not in the token: ask for a fresh one to know.",
)


def looks_like_consent_token(jws: UnverifiedJws) -> bool:
    """True for what Altinn 2 made: its name, or the code of a consent beside services."""
    claims = jws.unverified_payload
    return claims.get("iss") == consent_token.ISSUER or (
        "AuthorizationCode" in claims and bool(_SERVICES & claims.keys())
    )


async def inspect_consent_token(jws: UnverifiedJws, around: Surroundings) -> Report:
    """Judge a consent token as a data source would that trusts the Altinn of this world."""
    claim_faults, consent = _claim_faults(jws, around.now)
    findings = [
        *(refused_by("token", fault) for fault in _header_faults(jws)),
        await _judge_signature(jws, around),
        *(refused_by("time" if _is_of_the_time(fault) else "claims", fault) for fault in claim_faults),
    ]
    if consent is not None and all(map(_is_of_the_time, claim_faults)):
        findings.append(_say(consent, around.now))
        if not claim_faults:
            left = jws.unverified_payload["exp"] - around.now.timestamp()
            findings.append(passed("time", f"is good for {left:.0f} seconds more"))
    return Report(
        "consent_token",
        "Consent token (Altinn 2)",
        {"header": masked(jws.unverified_header), "claims": _shown_claims(jws.unverified_payload)},
        tuple(findings),
        _NOTES,
    )


# -- header and signature -----------------------------------------------------------------------------------------


def _header_faults(jws: UnverifiedJws) -> list[BearerError]:
    def header(*names: str, value: object) -> Callable[[Token], Token]:
        def repair(token: Token) -> Token:
            members = token[0]
            for name in names:
                members = with_member(members, name, value)
            return members, token[1]

        return repair

    given: Token = (jws.unverified_header, jws.unverified_payload)
    return faults_of(
        given,
        lambda token: consent_token.read(unsigned(token), consent_token.ISSUER),
        [
            header("alg", value=consent_token.ALGORITHM),
            header("crit", "typ", value=None),
            header("kid", value="-"),
            lambda token: (token[0], with_member(token[1], "iss", consent_token.ISSUER)),
        ],
    ).found


async def _judge_signature(jws: UnverifiedJws, around: Surroundings) -> Finding:
    header = jws.unverified_header
    kid = header.get("kid", header.get("x5t"))
    if header.get("alg") != consent_token.ALGORITHM or not isinstance(kid, str):
        return unchecked("signature", "not with such a header")
    if around.world is None:
        return unchecked("signature", f"Altinn's keys are not known: {NO_WORLD}")
    if around.world.altinn_keys is None:
        return unchecked("signature", "there is no Altinn here to ask")
    key = await around.world.altinn_keys.find(kid)
    try:
        consent_token.accept(consent_token.PresentedConsent(kid, jws), key, DEFAULT_LEEWAY, around.now)
    except NoConsentError as error:
        if error.cause in _OF_THE_SIGNATURE:
            return refused_by("signature", error)
    return passed("signature", f"was made by Altinn's key `{kid}`")


# -- claims -------------------------------------------------------------------------------------------------------


def _claim_faults(jws: UnverifiedJws, now: dt.datetime) -> tuple[list[BearerError], Consent | None]:
    """What a data source would say of the claims, had Altinn signed them; and the consent without those faults.

    The rule reads claims under a good signature only: they are signed anew here, with a key that is thrown away.
    """
    throwaway = _throwaway()

    def accept(claims: Mapping[str, Any]) -> Consent:
        token = signed({**claims, "iss": consent_token.ISSUER}, throwaway)  # another `iss` the header's check tells of
        presented = consent_token.read(token, consent_token.ISSUER)
        return consent_token.accept(presented, throwaway.public, DEFAULT_LEEWAY, now)

    seconds = int(now.timestamp())
    stand_ins = {
        "exp": seconds + 60, "nbf": seconds, "iat": seconds, "AuthorizationCode": str(UUID(int=0)),
        "OfferedBy": "000000000", "CoveredBy": "000000000", "ValidToDate": seconds + 60, "Services": ["-_-"],
    }  # fmt: skip
    claims: Mapping[str, Any] = jws.unverified_payload
    faults = faults_of(claims, accept, repairs_of_claims(claims, stand_ins))
    return faults.found, None if faults.mended is None else accept(faults.mended)


@cache
def _throwaway() -> LocalSigner:
    """One is enough for a process: what it signs stays here."""
    return LocalSigner.generate(kid="-")


def _is_of_the_time(error: BearerError) -> bool:
    """True where the token's seconds are over, or not here yet; the consent itself can be read."""
    return isinstance(error, NoConsentError) and error.cause in _OF_THE_TIME


def _say(consent: Consent, now: dt.datetime) -> Finding:
    until = consent.valid_to.isoformat(timespec="seconds")
    if consent.valid_to <= now:
        return failed(
            "consent", f"consent {consent.id} has lapsed: it was good until {until}", reason=ConsentCause.LAPSED
        )
    through = f", through its supplier {consent.handled_by}," if consent.handled_by is not None else ""
    rights = masked("; ".join(map(_right, consent.rights)))
    text = (
        f"consent {consent.id} lets {_named(consent.receiver)}{through} have {rights}"
        f" of {_named(consent.giver)}, until {until}"
    )
    return Finding("consent", Outcome.PASSED, text)


def _right(right: ConsentRight) -> str:
    said = ", ".join(f"{name}={value}" for name, value in right.metadata.items())
    return str(masked(f"{right.resource} ({said})" if said else right.resource))


def _named(party: Party) -> str:
    """A synthetic number is nobody's, and is shown."""
    return str(party) if isinstance(party, NationalId) and party.is_synthetic else str(masked(str(party)))


def _shown_claims(claims: Mapping[str, Any]) -> dict[str, Any]:
    return {**masked(claims), **{name: _named(party) for name in _PEOPLE if (party := _person(claims.get(name)))}}


def _person(value: object) -> NationalId | None:
    try:
        return NationalId(value) if isinstance(value, str) else None
    except InvalidIdentifierError:
        return None

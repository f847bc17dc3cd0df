"""Every fault of a token by the provider SDK's rules: what access tokens and Altinn 2's consent tokens share."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias, TypeVar

from fullmakt.cli.inspection.faults import Faults, every_fault
from fullmakt.cli.inspection.masking import masked
from fullmakt.cli.inspection.report import Finding, Outcome
from fullmakt.jose.compact import b64url_encode
from fullmakt.jose.keys import LocalSigner
from fullmakt.provider import BearerError, NoConsentError

Token: TypeAlias = tuple[Mapping[str, Any], Mapping[str, Any]]
"""Header and claims."""
Subject = TypeVar("Subject")


def faults_of(
    subject: Subject, judge: Callable[[Subject], object], repairs: Sequence[Callable[[Subject], Subject]]
) -> Faults[Subject, BearerError]:
    """Every fault for which ``judge`` raises."""

    def check(each: Subject) -> BearerError | None:
        try:
            judge(each)
        except BearerError as error:
            return error
        return None

    return every_fault(subject, check, repairs, same=lambda error: (reason_of(error), error.description))


def repairs_of_claims(
    claims: Mapping[str, Any], stand_ins: Mapping[str, Any]
) -> list[Callable[[Mapping[str, Any]], Mapping[str, Any]]]:
    """For each claim that has a stand-in, to put that in its place; for each other one, to leave it out."""
    others = sorted(claims.keys() - stand_ins.keys())
    mend = {**stand_ins, **dict.fromkeys(others)}
    return [lambda each, name=name, value=value: with_member(each, name, value) for name, value in mend.items()]  # type: ignore[misc]


def with_member(members: Mapping[str, Any], name: str, value: object) -> dict[str, Any]:
    """``members`` with another value, or without that member when it is None."""
    return {each: other for each, other in {**members, name: value}.items() if other is not None or each != name}


def unsigned(token: Token) -> str:
    """The token in compact form, with an empty signature: for rules that do not look at it yet."""
    header, claims = (b64url_encode(_json(part)) for part in token)
    return b".".join((header, claims, b"")).decode()


def signed(claims: Mapping[str, Any], signer: LocalSigner) -> str:
    """The claims under a good signature, for rules that read them under no other."""
    return signer.sign(_json(claims)).decode()


def refused_by(check: str, error: BearerError) -> Finding:
    """The check found what an API would refuse in this way."""
    return Finding(check, Outcome.FAILED, str(masked(error.description)), reason=reason_of(error))


def reason_of(error: BearerError) -> str:
    """The most precise reason there is, for machines."""
    return error.cause if isinstance(error, NoConsentError) else error.reason


def _json(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()

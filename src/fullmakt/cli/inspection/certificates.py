"""Enterprise certificates: what they say, and by which rules they would be refused."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, TypeAlias

from cryptography import x509
from cryptography.hazmat.primitives import hashes

from fullmakt.cli.inspection.faults import Faults, every_fault
from fullmakt.cli.inspection.masking import masked
from fullmakt.cli.inspection.report import Finding, Report, passed, refused, unchecked
from fullmakt.cli.inspection.surroundings import NO_WORLD, Surroundings
from fullmakt.infra.crl import CrlUnavailableError
from fullmakt.jose.certificates import UNREADABLE, crl_urls, organisation_number, policy_oids
from fullmakt.jose.chains import (
    CertificateRejectedError,
    Rejection,
    TrustAnchors,
    ValidatedCertificate,
    check_revocation,
    validate_chain,
)
from fullmakt.jose.keys import InvalidKeyError, PublicKey
from fullmakt.maskinporten.tokens import rules
from fullmakt.maskinporten.tokens.model import Refusal
from fullmakt.wire.maskinporten.registry import RegisteredClient

_WORLDS_BUSINESS = frozenset({Rejection.UNTRUSTED, Rejection.POLICY})
"""What can not be said without knowing whom a world trusts."""

_Question: TypeAlias = tuple[TrustAnchors, dt.datetime]


def certificate_report(certificate: x509.Certificate) -> Report:
    """What a certificate says; nothing of it is judged."""
    content: dict[str, Any] = {
        "subject": masked(_read(lambda: certificate.subject.rfc4514_string())),
        "issuer": masked(_read(lambda: certificate.issuer.rfc4514_string())),
        "serial": f"{certificate.serial_number:x}",
        "valid from": _read(lambda: f"{certificate.not_valid_before_utc:%Y-%m-%d %H:%M:%S} UTC"),
        "valid until": _read(lambda: f"{certificate.not_valid_after_utc:%Y-%m-%d %H:%M:%S} UTC"),
        "organisation": _read(lambda: organisation_number(certificate.subject)),
        "policies": _read(lambda: list(policy_oids(certificate))),
        "CRL": _read(lambda: masked(list(crl_urls(certificate)))),
        "CA": is_authority(certificate),
        "SHA-256": certificate.fingerprint(hashes.SHA256()).hex(),
    }
    shown = {name: value for name, value in content.items() if value not in (None, [], False)}
    return Report("certificate", "Certificate of a CA" if content["CA"] else "Certificate", shown)


def _read(ask: Callable[[], Any]) -> Any:
    """The answer, or that there is none: the library parses late, so any field may turn out to be broken."""
    try:
        return ask()
    except UNREADABLE as error:
        return f"can not be read ({type(error).__name__})"


def is_authority(certificate: x509.Certificate) -> bool:
    """True when the certificate says that it is a CA's."""
    try:
        return certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except (x509.ExtensionNotFound, *UNREADABLE):
        return False


async def judge_chain(
    certificates: Sequence[x509.Certificate], around: Surroundings, client: RegisteredClient | None = None
) -> list[Finding]:
    """Would the first certificate be accepted (with the others' help), and does it speak for ``client``?"""
    if around.world is None:
        return _judge_alone(certificates, around.now)
    faults = _all_faults(certificates, around.world.anchors, around.now)
    findings = [_rejected(fault) for fault in faults.found]
    if faults.mended is None:
        findings.append(unchecked("certificate", "what comes after that can not be checked"))
        return findings
    validated = validate_chain(certificates, *faults.mended)
    if not findings:
        findings.append(passed("certificate", f"leads to a CA that this world trusts: organisation {validated.orgno}"))
    if around.config.revocation and Rejection.UNTRUSTED not in {fault.reason for fault in faults.found}:
        findings.append(await _judge_revocation(validated, around))
    if client is not None:
        refusal = rules.check_certificate_owner(client, validated.orgno)
        findings.append(
            passed("owner", f"belongs to the organisation of client {client.client_id}")
            if refusal is None
            else refused("owner", refusal)
        )
    return findings


def _judge_alone(certificates: Sequence[x509.Certificate], now: dt.datetime) -> list[Finding]:
    """What can be said without a world: all but whether the issuer is trusted."""
    faults = _all_faults(certificates, TrustAnchors(()), now)
    findings = [_rejected(fault) for fault in faults.found if fault.reason not in _WORLDS_BUSINESS]
    return [*findings, unchecked("certificate", f"whether the issuer is trusted and has revoked it: {NO_WORLD}")]


def _all_faults(
    certificates: Sequence[x509.Certificate], anchors: TrustAnchors, now: dt.datetime
) -> Faults[_Question, CertificateRejectedError]:
    """The faults of a chain, and the anchors and the time under which it would have none."""
    leaf = certificates[0]

    def check(question: _Question) -> CertificateRejectedError | None:
        try:
            validate_chain(certificates, *question)
        except CertificateRejectedError as error:
            return error
        return None

    def when_valid(question: _Question) -> _Question:
        return question[0], min(max(question[1], leaf.not_valid_before_utc), leaf.not_valid_after_utc)

    def with_its_authorities(question: _Question) -> _Question:
        sent = tuple(certificate for certificate in certificates[1:] if is_authority(certificate))
        return replace(question[0], roots=(*question[0].roots, *sent)), question[1]

    def with_its_policies(question: _Question) -> _Question:
        claimed = _read(lambda: policy_oids(leaf))
        return replace(question[0], policies=tuple(claimed) if isinstance(claimed, tuple) else ()), question[1]

    return every_fault(
        (anchors, now),
        check,
        [when_valid, with_its_authorities, with_its_policies],
        same=lambda fault: fault.reason,
    )


def _rejected(error: CertificateRejectedError) -> Finding:
    finding = refused("certificate", Refusal("invalid_certificate", {"problem": error.reason, "detail": str(error)}))
    return replace(finding, facts={"problem": str(error.reason)})


async def _judge_revocation(validated: ValidatedCertificate, around: Surroundings) -> Finding:
    if around.world is None:
        return unchecked("revocation", NO_WORLD)
    try:
        check_revocation(validated, await around.world.lists(validated), around.now)
    except CertificateRejectedError as error:
        return replace(_rejected(error), check="revocation")
    except CrlUnavailableError as error:
        return unchecked("revocation", str(error))
    return passed("revocation", "is not on the issuer's CRL")


def public_key_of(certificate: x509.Certificate) -> PublicKey | None:
    """The key that a certificate speaks for, None when it is one that nobody uses here."""
    try:
        return PublicKey.from_certificate(certificate)
    except (InvalidKeyError, *UNREADABLE):
        return None

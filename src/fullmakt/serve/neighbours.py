"""Ports answered by neighbours: who is trusted to issue certificates, and whether an uploaded one holds."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from fullmakt.jose.chains import TrustAnchors
from fullmakt.kernel.clock import Clock
from fullmakt.maskinporten.selfservice.ports import CertificateRefusedError, CheckedCertificate
from fullmakt.maskinporten.tokens.certificates import Certificates
from fullmakt.maskinporten.tokens.model import Refusal
from fullmakt.pki.service import Pki


def read_anchors(files: Sequence[Path], policies: Sequence[str]) -> TrustAnchors:
    """The anchors in PEM files: a certificate that issued itself is a root, any other an intermediate.

    Raises:
        OSError: a file can not be read.
        ValueError: something in a file is not a certificate.
    """
    certificates = [one for file in files for one in x509.load_pem_x509_certificates(file.read_bytes())]
    roots = tuple(one for one in certificates if one.issuer == one.subject)
    intermediates = tuple(one for one in certificates if one.issuer != one.subject)
    return TrustAnchors(roots, intermediates, tuple(policies))


class TrustedIssuers:
    """The token server's ``Anchors``: those that are configured, and our own issuers where they are on."""

    def __init__(self, configured: TrustAnchors, pki: Pki | None) -> None:
        self._configured = configured
        self._pki = pki
        self._own: TrustAnchors | None = None
        self._both = configured

    async def anchors(self) -> TrustAnchors:
        """The same object as long as nothing has changed, for callers who remember verdicts."""
        if self._pki is None:
            return self._configured
        own = await self._pki.anchors()
        if own is not self._own:
            self._own = own
            self._both = TrustAnchors(
                (*self._configured.roots, *own.roots),
                (*self._configured.intermediates, *own.intermediates),
                tuple(dict.fromkeys((*self._configured.policies, *own.policies))),
            )
        return self._both


class UploadedCertificates:
    """Self-service's ``CertificateCheck``, by the same rules as the token endpoint's."""

    def __init__(self, certificates: Certificates, clock: Clock) -> None:
        self._certificates = certificates
        self._clock = clock

    async def check(self, x5c: Sequence[str]) -> CheckedCertificate:
        """Validate the chain, revocation included.

        Raises:
            CertificateRefusedError: it does not hold, and why.
            CrlUnavailableError: whether it is revoked can not be told now.
        """
        verdict = await self._certificates.check(list(x5c), self._clock())
        if isinstance(verdict, Refusal):
            raise CertificateRefusedError(str(verdict.facts.get("detail") or verdict.facts["problem"]))
        certificate = verdict.certificate
        leaf = certificate.leaf.public_bytes(Encoding.DER)
        return CheckedCertificate(certificate.orgno, certificate.public_key, leaf)

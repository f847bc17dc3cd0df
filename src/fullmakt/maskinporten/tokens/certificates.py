"""Enterprise certificates: validated against the anchors, checked against the issuer's CRL, and remembered for a while.

Source: maskinporten.md §2.4 and §2.5. A chain costs 200 to 300 µs to validate, so the verdict is kept until a
certificate of the path expires, the anchors change, or there is a new CRL (``infra.crl`` looks every ``crl_max_age``
seconds). A certificate that names no CRL can not be checked, and is refused.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime

from cryptography import x509

from fullmakt.infra.crl import CrlSource
from fullmakt.jose.chains import (
    CertificateRejectedError,
    MalformedX5cError,
    Rejection,
    TrustAnchors,
    ValidatedCertificate,
    check_revocation,
    parse_x5c,
    validate_chain,
)
from fullmakt.maskinporten.tokens.config import TokensConfig
from fullmakt.maskinporten.tokens.model import Refusal
from fullmakt.maskinporten.tokens.ports import Anchors

_REMEMBERED = 10_000


_BAD_LISTS = frozenset({Rejection.CRL_STALE, Rejection.CRL_UNTRUSTED})


@dataclass(frozen=True, slots=True)
class _Verdict:
    """A chain that held under ``anchors``, its leaf on none of ``crls`` (None when nobody has looked)."""

    certificate: ValidatedCertificate
    anchors: TrustAnchors
    crls: tuple[x509.CertificateRevocationList, ...] | None


class Certificates:
    """Says whether a certificate speaks for an organisation now."""

    def __init__(self, anchors: Anchors, crls: CrlSource, config: TokensConfig) -> None:
        self._anchors = anchors
        self._crls = crls
        self._config = config
        self._known: OrderedDict[bytes, _Verdict] = OrderedDict()

    async def from_header(self, header_segment: bytes, x5c: object, now: datetime) -> ValidatedCertificate | Refusal:
        """The certificate of a grant's ``x5c`` header, or MP-123 or MP-120.

        Raises:
            CrlUnavailableError: whether the certificate is revoked can not be told now.
        """
        try:
            return await self._checked(header_segment, x5c, now)
        except MalformedX5cError as error:
            return Refusal("invalid_x5c", {"problem": str(error)})
        except CertificateRejectedError as error:
            return Refusal("invalid_certificate", {"problem": error.reason, "detail": str(error)})

    async def registered(self, der: bytes, now: datetime) -> Refusal | None:
        """Check the certificate that a registered key is locked to (§2.4).

        Raises:
            CrlUnavailableError: as above.
        """
        try:
            await self._checked(der, x509.load_der_x509_certificate(der), now)
        except CertificateRejectedError as error:
            return Refusal("invalid_certificate", {"problem": error.reason, "detail": str(error)})
        return None

    async def _checked(self, presented: bytes, source: object, now: datetime) -> ValidatedCertificate:
        # Not kept as it came: it may be 60 KiB of anybody's choosing, ten thousand times.
        name = hashlib.blake2b(presented, digest_size=16).digest()
        anchors = await self._anchors.anchors()
        known = self._known.get(name)
        if known is None or known.anchors is not anchors or now >= known.certificate.not_after:
            chain = (source,) if isinstance(source, x509.Certificate) else parse_x5c(source)
            known = _Verdict(validate_chain(chain, anchors, now), anchors, None)
        if self._config.revocation:
            crls = tuple([await self._crls.get(url) for url in known.certificate.crl_urls])
            if known.crls != crls:
                self._check_revocation(known.certificate, crls, now)
                known = _Verdict(known.certificate, anchors, crls)
        self._known[name] = known
        while len(self._known) > _REMEMBERED:
            self._known.popitem(last=False)
        return known.certificate

    def _check_revocation(
        self, certificate: ValidatedCertificate, crls: tuple[x509.CertificateRevocationList, ...], now: datetime
    ) -> None:
        try:
            check_revocation(certificate, crls, now)
        except CertificateRejectedError as error:
            if error.reason in _BAD_LISTS:  # the issuer may have mended it: look again next time
                for url in certificate.crl_urls:
                    self._crls.forget(url)
            raise

    def forget(self) -> None:
        """Drop all that is remembered."""
        self._known.clear()

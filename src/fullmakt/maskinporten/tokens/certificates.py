"""Enterprise certificates: validated against the anchors, checked against the issuer's CRL, and remembered for a while.

Source: maskinporten.md §2.4 and §2.5. A chain costs 100 to 200 µs to validate, so a result is kept until the first of:
the anchors change, the CRL is due again, or a certificate of the path expires.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from datetime import datetime, timedelta

from cryptography import x509

from fullmakt.infra.crl import CrlSource
from fullmakt.jose.chains import (
    CertificateRejectedError,
    MalformedX5cError,
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


class Certificates:
    """Says whether a certificate speaks for an organisation now."""

    def __init__(self, anchors: Anchors, crls: CrlSource, config: TokensConfig) -> None:
        self._anchors = anchors
        self._crls = crls
        self._config = config
        self._known: OrderedDict[bytes, tuple[ValidatedCertificate, TrustAnchors, datetime]] = OrderedDict()

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
        if known is not None and known[1] is anchors and now < known[2]:
            return known[0]
        chain = (source,) if isinstance(source, x509.Certificate) else parse_x5c(source)
        validated = validate_chain(chain, anchors, now)
        until = validated.not_after
        if self._config.revocation and validated.crl_urls:
            crls = [await self._crls.get(url) for url in validated.crl_urls]
            check_revocation(validated, crls, now)
            due = [crl.next_update_utc for crl in crls if crl.next_update_utc is not None]
            until = min(until, now + timedelta(seconds=self._config.crl_max_age), *due)
        self._known[name] = (validated, anchors, until)
        while len(self._known) > _REMEMBERED:
            self._known.popitem(last=False)
        return validated

    def forget(self) -> None:
        """Drop all that is remembered."""
        self._known.clear()

"""Enterprise certificates: validated against the anchors, checked against the issuer's CRL, and remembered for a while.

Source: maskinporten.md §2.4 and §2.5. A chain costs 200 to 300 µs to validate, so the verdict is kept until a
certificate of the path expires, the anchors change, or there is a new CRL (``infra.crl`` looks every ``crl_max_age``
seconds). A certificate that names no CRL can not be revoked in this way, and passes (§2.5 rule 6); one whose CRLs lie
where nobody can fetch them is refused.
"""

from __future__ import annotations

import base64
import hashlib
from collections import OrderedDict
from dataclasses import dataclass, replace
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
from fullmakt.wire.maskinporten.registry import RegisteredKey

_BAD_LISTS = frozenset({Rejection.CRL_STALE, Rejection.CRL_UNTRUSTED})


@dataclass(frozen=True, slots=True)
class TrustedCertificate:
    """A certificate whose chain held under ``anchors``, on none of ``crls`` (None when nobody has looked).

    ``leaf`` and ``presented`` are digests: of its leaf, and of all that was presented with it.
    """

    certificate: ValidatedCertificate
    anchors: TrustAnchors
    crls: tuple[x509.CertificateRevocationList, ...] | None
    leaf: bytes
    presented: bytes


class Certificates:
    """Says whether a certificate speaks for an organisation now; remembers the ``capacity`` that were used last."""

    def __init__(self, anchors: Anchors, crls: CrlSource, config: TokensConfig, *, capacity: int = 10_000) -> None:
        self._anchors = anchors
        self._crls = crls
        self._config = config
        self._capacity = capacity
        self._known: OrderedDict[bytes, TrustedCertificate] = OrderedDict()

    async def check(self, x5c: object, now: datetime) -> TrustedCertificate | Refusal:
        """The certificate of an ``x5c`` header, or MP-123 or MP-120.

        Raises:
            CrlUnavailableError: whether the certificate is revoked can not be told now.
        """
        try:
            return await self._checked(x5c, now)
        except MalformedX5cError as error:
            return Refusal("invalid_x5c", {"problem": str(error)})
        except CertificateRejectedError as error:
            return Refusal("invalid_certificate", {"problem": error.reason, "detail": str(error)})

    async def check_registered(self, key: RegisteredKey, now: datetime) -> Refusal | None:
        """Check the certificate that a registered key is locked to, if any (§2.4); call it when the signature has held.

        Raises:
            CrlUnavailableError: as above.
        """
        if key.certificate is None:
            return None
        x5c = list(key.x5c) or [base64.b64encode(key.certificate).decode()]
        trusted = await self.check(x5c, now)
        if isinstance(trusted, Refusal):
            return trusted
        self.remember(trusted)
        return None

    def remember(self, trusted: TrustedCertificate) -> None:
        """Keep the verdict, one for each leaf; call it when the signature has held.

        Before that anybody can present a certificate, with ever other junk beside it, and push out everybody else's.
        """
        self._known[trusted.leaf] = trusted
        self._known.move_to_end(trusted.leaf)
        while len(self._known) > self._capacity:
            self._known.popitem(last=False)

    async def _checked(self, x5c: object, now: datetime) -> TrustedCertificate:
        leaf, presented = _digests(x5c)
        anchors = await self._anchors.anchors()
        trusted = self._known.get(leaf)
        if (
            trusted is None
            or trusted.presented != presented
            or trusted.anchors is not anchors
            or now >= trusted.certificate.not_after
        ):
            validated = validate_chain(parse_x5c(x5c), anchors, now)
            trusted = TrustedCertificate(validated, anchors, None, leaf, presented)
        if self._config.revocation:
            crls = tuple([await self._crls.get(url) for url in trusted.certificate.crl_urls])
            if trusted.crls != crls:
                self._check_revocation(trusted.certificate, crls, now)
                trusted = replace(trusted, crls=crls)
        return trusted

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


def _digests(x5c: object) -> tuple[bytes, bytes]:
    """Stand for the leaf and for the whole: not kept as they came, for that may be 60 KiB ten thousand times.

    What is not an array of strings gets a digest that nothing is remembered under.
    """
    if not isinstance(x5c, list) or not x5c or not all(isinstance(one, str) for one in x5c):
        return b"", b""
    return _digest("".join(x5c[0].split())), _digest("\n".join(x5c))


def _digest(text: str) -> bytes:
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest()

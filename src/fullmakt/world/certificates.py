"""Enterprise certificates of our own PKI in the state folder: whether one will do, and a fresh one where none does."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Awaitable, Callable
from contextlib import suppress

from cryptography import x509
from cryptography.hazmat.primitives.serialization.pkcs12 import load_pkcs12

from fullmakt.jose.chains import CertificateRejectedError, ValidatedCertificate, check_revocation, validate_chain
from fullmakt.kernel.clock import Clock
from fullmakt.kernel.identifiers import OrgNumber
from fullmakt.pki.errors import InvalidRequestError, UnknownAuthorityError
from fullmakt.pki.exports import pkcs12
from fullmakt.pki.model import IssuedCertificate
from fullmakt.pki.service import Pki
from fullmakt.world.files import KeyStoreFiles, WorldFiles, write_private

RENEW_BEFORE = dt.timedelta(days=30)
"""A certificate with less than this to live is replaced."""
MAX_NAME = 64
"""Characters of an organisation's name in a certificate (X.520)."""

OrganisationName = Callable[[OrgNumber], Awaitable[str | None]]


class UnfitCertificateError(Exception):
    """A certificate in the state folder will not do; the message says why."""


class Certificates:
    """Looks after the key stores in ``files``, which it fills with what ``pki`` issues."""

    def __init__(self, pki: Pki, files: WorldFiles, clock: Clock, organisation_name: OrganisationName) -> None:
        self._pki = pki
        self._files = files
        self._clock = clock
        self._organisation_name = organisation_name

    async def check(self, store: KeyStoreFiles) -> OrgNumber:
        """Whose the certificate there is.

        Raises:
            UnfitCertificateError: there is none, or not one that can be used for a while yet.
        """
        chain = await asyncio.to_thread(_read, store)
        now = self._clock()
        try:
            certificate = validate_chain(chain, await self._pki.anchors(), now)
            check_revocation(certificate, await self._crls(certificate), now)
        except CertificateRejectedError as error:
            raise UnfitCertificateError(str(error)) from error
        except UnknownAuthorityError as error:
            raise UnfitCertificateError("the certificate names a CRL that is not published here") from error
        if certificate.not_after < now + RENEW_BEFORE:
            raise UnfitCertificateError(f"the certificate expires on {certificate.not_after:%Y-%m-%d}")
        return certificate.orgno

    async def ensure(self, store: KeyStoreFiles, orgno: OrgNumber) -> None:
        """See to it that there is a certificate of the organisation that can be used."""
        with suppress(UnfitCertificateError):
            if await self.check(store) == orgno:
                return
        issued = await self._issue(orgno)
        password = await asyncio.to_thread(self._files.ensure_password, store)
        await asyncio.to_thread(write_private, store.p12, pkcs12(issued, password))

    async def _issue(self, orgno: OrgNumber) -> IssuedCertificate:
        name = (await self._organisation_name(orgno) or orgno)[:MAX_NAME].strip()
        try:
            return await self._pki.issue(orgno, name)
        except InvalidRequestError:  # a name that no certificate can hold
            return await self._pki.issue(orgno, f"Organisation {orgno}")

    async def _crls(self, certificate: ValidatedCertificate) -> list[x509.CertificateRevocationList]:
        """The CRLs that the certificate names, from where we publish them.

        Raises:
            UnknownAuthorityError: it names one that we do not publish, the base URL having changed, say.
        """
        crls = []
        for url in certificate.crl_urls:
            path = url.removeprefix(f"{self._pki.base_url}/crl/")
            published = await self._pki.crl(path.removesuffix(".crl"))
            crls.append(x509.load_der_x509_crl(published.der))
        return crls


def _read(store: KeyStoreFiles) -> list[x509.Certificate]:
    """The certificates in a key store, the leaf first."""
    try:
        contents = load_pkcs12(store.p12.read_bytes(), store.password.read_bytes().strip())
    except FileNotFoundError as error:
        raise UnfitCertificateError("there is no certificate in the state folder") from error
    except (OSError, ValueError) as error:
        raise UnfitCertificateError(f"the key store can not be opened: {type(error).__name__}") from error
    if contents.cert is None or contents.key is None:
        raise UnfitCertificateError("the key store holds no certificate with its key")
    return [contents.cert.certificate, *(other.certificate for other in contents.additional_certs)]

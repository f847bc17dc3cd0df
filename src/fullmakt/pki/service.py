"""Use cases: set the CAs up, issue and revoke certificates, publish what verifiers need."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from sqlalchemy.ext.asyncio import AsyncConnection

from fullmakt.infra import feed
from fullmakt.infra.audit import AuditEvent, record
from fullmakt.infra.database import Database
from fullmakt.infra.secrets import MasterKey
from fullmakt.jose.certificates import TEST_POLICIES
from fullmakt.jose.chains import TrustAnchors
from fullmakt.jose.keys import MIN_RSA_BITS, LocalSigner
from fullmakt.kernel.clock import Clock
from fullmakt.kernel.identifiers import OrgNumber
from fullmakt.pki import rules, store
from fullmakt.pki.errors import InvalidRequestError, NotSetUpError, UnknownAuthorityError, UnknownCertificateError
from fullmakt.pki.model import (
    Authority,
    AuthorityProfile,
    CertificateRecord,
    Environment,
    IssuedCertificate,
    PublishedCrl,
    Seid,
    format_serial,
    parse_serial,
)

SYSTEM = "pki"
TOPIC = "pki"
"""Of the change feed; the keys are ``authority:<name>``, ``certificate:<serial>`` and ``crl:<name>``."""


class Pki:
    """A test PKI in the shape of the Norwegian issuers: a hierarchy that is trusted, and a twin that is not.

    ``base_url`` is where ``http.app`` is served; the certificates name it. ``crl_lifetime`` is how far ahead of its
    making a CRL's ``nextUpdate`` lies; it is made anew at half of that, and at each revocation. ``new_key`` makes the
    private keys, of CAs and of organisations.
    """

    def __init__(
        self,
        database: Database,
        clock: Clock,
        master_key: MasterKey,
        base_url: str,
        *,
        crl_lifetime: dt.timedelta = dt.timedelta(days=1),
        new_serial: Callable[[], int] = x509.random_serial_number,
        new_key: Callable[[], LocalSigner] = LocalSigner.generate,
    ) -> None:
        self._database = database
        self._clock = clock
        self._master_key = master_key
        self._base_url = base_url.rstrip("/")
        self._crl_lifetime = crl_lifetime
        self._new_serial = new_serial
        self._new_key = new_key
        self._authorities: Mapping[str, Authority] | None = None
        self._anchors: TrustAnchors | None = None

    @property
    def base_url(self) -> str:
        """Where the CRLs and the CAs' certificates are served, without a slash at the end."""
        return self._base_url

    async def ensure(self) -> bool:
        """Create the CAs, unless they exist; safe to call from many nodes at once. True when this call made them."""
        async with self._database.transaction() as connection:
            if rules.AUTHORITIES.keys() <= (await store.authority_certificates(connection)).keys():
                return False
        # Keys take a second to make, and no transaction is open meanwhile: of two nodes that both make them, the
        # database keeps the first one's.
        keys = {name: await asyncio.to_thread(self._new_key) for name in rules.AUTHORITIES}
        now = self._clock()
        async with self._database.transaction() as connection:
            for profile in rules.AUTHORITIES.values():
                certificate = self._sign_authority(profile, keys, now)
                sealed = self._master_key.seal(keys[profile.name].to_pem(), _context(profile.name))
                if not await store.add_authority(connection, profile.name, certificate, sealed, now):
                    return False
                await _audit(connection, now, "authority:create", profile.name, {"serial": _serial(certificate)})
            await feed.publish(connection, TOPIC, [f"authority:{name}" for name in rules.AUTHORITIES])
        return True

    async def issue(
        self,
        orgno: OrgNumber,
        name: str,
        *,
        seid: Seid = 2,
        days: int = rules.DEFAULT_DAYS,
        expired: bool = False,
        revoked: bool = False,
        wrong_environment: bool = False,
        key: LocalSigner | None = None,
        actor: str = "operator",
    ) -> IssuedCertificate:
        """Issue an enterprise certificate, a good one or one that a verifier must refuse.

        ``key`` is the organisation's own, RSA of 2048 bits or more or P-256; by default one is made. It is returned
        and not kept. ``wrong_environment`` issues from the production twin.

        Raises:
            InvalidRequestError: a name, key, profile or number of days that can not be.
            NotSetUpError: ``ensure`` was never called.
        """
        now = self._clock()
        profile = rules.issuing_authority(seid, wrong_environment=wrong_environment)
        subject = rules.organisation_subject(orgno, name, seid)
        valid = rules.validity(now, days, expired=expired)
        root = (await self.authorities())[profile.issuer].certificate
        if key is None:
            key = await asyncio.to_thread(self._new_key)
        if key.native.key_size < MIN_RSA_BITS and key.alg.startswith("RS"):
            raise InvalidRequestError(f"an RSA key has at least {MIN_RSA_BITS} bits")
        async with self._database.transaction() as connection:
            issuer, issuer_key = await self._open(connection, profile.name)
            leaf = rules.organisation_certificate(
                subject, profile, key.native.public_key(), issuer_key.native.public_key(),
                serial=self._new_serial(), valid=valid, base_url=self._base_url,
            ).sign(issuer_key.native, hashes.SHA256())  # fmt: skip
            issued = _record_of(leaf, profile, orgno, now, revoked=revoked)
            await store.add_certificate(connection, issued)
            facts = {"orgno": orgno, "authority": profile.name, "not_after": issued.not_after.isoformat()}
            await _audit(connection, now, "certificate:issue", issued.serial, {**facts, "revoked": revoked}, actor)
            if revoked:
                # Not as of `now`: while the key was made, another node may have published a list.
                await self._publish_crl(connection, profile.name, self._clock())
            await feed.publish(connection, TOPIC, _changed(issued, crl=revoked))
        return IssuedCertificate(issued, (leaf, issuer, root), key)

    async def revoke(self, serial: str, *, actor: str = "operator") -> CertificateRecord:
        """Revoke a certificate and publish the CRL that says so. Doing it again changes nothing.

        Raises:
            InvalidRequestError: ``serial`` is not a serial number in hexadecimal.
            UnknownCertificateError: no certificate of ours has it.
        """
        serial = parse_serial(serial)
        async with self._database.transaction() as connection:
            known = await store.certificate_for_update(connection, serial)
            if known is None:
                raise UnknownCertificateError(f"no certificate has the serial number {serial}")
            if known.revoked_at is None:
                now = self._clock()
                await store.revoke(connection, serial, now)
                await self._publish_crl(connection, known.authority, now)
                await _audit(connection, now, "certificate:revoke", serial, {"orgno": known.orgno}, actor)
                await feed.publish(connection, TOPIC, _changed(known, crl=True))
                known = replace(known, revoked_at=now)
        return known

    async def certificates(self, orgno: OrgNumber | None = None, *, limit: int = 100) -> Sequence[CertificateRecord]:
        """The last certificates issued, newest first; of one organisation, or of all."""
        async with self._database.transaction() as connection:
            return await store.newest(connection, orgno, limit)

    async def authorities(self) -> Mapping[str, Authority]:
        """Every CA by name, an issuer before those that it signs.

        Raises:
            NotSetUpError: ``ensure`` was never called.
        """
        if self._authorities is None:
            async with self._database.transaction() as connection:
                certificates = await store.authority_certificates(connection)
            if not rules.AUTHORITIES.keys() <= certificates.keys():
                raise NotSetUpError("the certificate authorities are not set up")
            # Never changed once made, so never asked for again.
            self._authorities = {
                name: Authority(profile, certificates[name]) for name, profile in rules.AUTHORITIES.items()
            }
        return self._authorities

    async def anchors(self) -> TrustAnchors:
        """What a token server for this world trusts: the test hierarchy. The same object each time.

        Raises:
            NotSetUpError: ``ensure`` was never called.
        """
        if self._anchors is None:
            trusted = [
                authority
                for authority in (await self.authorities()).values()
                if authority.profile.environment is Environment.TEST
            ]
            self._anchors = TrustAnchors(
                roots=tuple(authority.certificate for authority in trusted if authority.profile.is_root),
                intermediates=tuple(authority.certificate for authority in trusted if not authority.profile.is_root),
                policies=TEST_POLICIES,
            )
        return self._anchors

    async def crl(self, name: str) -> PublishedCrl:
        """The revocation list of a CA as it is now.

        Raises:
            UnknownAuthorityError: there is no such CA.
            NotSetUpError: ``ensure`` was never called.
        """
        if name not in rules.AUTHORITIES:
            raise UnknownAuthorityError("there is no such certificate authority")
        now = self._clock()
        async with self._database.transaction() as connection:
            published = await store.crl(connection, name)
        if published is not None and not self._is_due(published, now):
            return published
        async with self._database.transaction() as connection:
            await store.authority(connection, name, lock=True)
            published = await store.crl(connection, name)
            if published is None or self._is_due(published, now):  # unless another node was faster
                published = await self._publish_crl(connection, name, now)
                await feed.publish(connection, TOPIC, [f"crl:{name}"])
        return published

    def _is_due(self, published: PublishedCrl, now: dt.datetime) -> bool:
        return now >= published.next_update - self._crl_lifetime / 2

    async def _publish_crl(self, connection: AsyncConnection, name: str, now: dt.datetime) -> PublishedCrl:
        """Sign the CA's list anew. The lock makes the numbers rise and no revocation get lost between two of these."""
        _, key = await self._open(connection, name, lock=True)
        before = await store.crl(connection, name)
        number = before.number + 1 if before else 1
        next_update = now + self._crl_lifetime
        builder = rules.revocation_list(
            rules.AUTHORITIES[name], key.native.public_key(), await store.revoked(connection, name),
            number=number, this_update=now, next_update=next_update,
        )  # fmt: skip
        der = builder.sign(key.native, hashes.SHA256()).public_bytes(Encoding.DER)
        published = PublishedCrl(name, number, der, now, next_update)
        await store.put_crl(connection, published)
        return published

    async def _open(
        self, connection: AsyncConnection, name: str, *, lock: bool = False
    ) -> tuple[x509.Certificate, LocalSigner]:
        stored = await store.authority(connection, name, lock=lock)
        if stored is None:
            raise NotSetUpError("the certificate authorities are not set up")
        return stored.certificate, LocalSigner.from_pem(self._master_key.open(stored.sealed_key, _context(name)))

    def _sign_authority(
        self, profile: AuthorityProfile, keys: Mapping[str, LocalSigner], now: dt.datetime
    ) -> x509.Certificate:
        issuer_key = keys[profile.issuer].native
        return rules.authority_certificate(
            profile, keys[profile.name].native.public_key(), issuer_key.public_key(),
            serial=self._new_serial(), now=now, base_url=self._base_url,
        ).sign(issuer_key, hashes.SHA256())  # fmt: skip


def _record_of(
    leaf: x509.Certificate, issuer: AuthorityProfile, orgno: OrgNumber, now: dt.datetime, *, revoked: bool
) -> CertificateRecord:
    return CertificateRecord(
        serial=_serial(leaf),
        authority=issuer.name,
        orgno=orgno,
        subject=rules.distinguished_name(leaf.subject),
        not_before=leaf.not_valid_before_utc,
        not_after=leaf.not_valid_after_utc,
        issued_at=now,
        revoked_at=now if revoked else None,
    )


def _changed(certificate: CertificateRecord, *, crl: bool) -> list[str]:
    keys = [f"certificate:{certificate.serial}"]
    return [*keys, f"crl:{certificate.authority}"] if crl else keys


def _serial(certificate: x509.Certificate) -> str:
    return format_serial(certificate.serial_number)


def _context(name: str) -> str:
    return f"pki.authority:{name}"


async def _audit(
    connection: AsyncConnection,
    now: dt.datetime,
    action: str,
    subject: str,
    facts: Mapping[str, object],
    actor: str = "operator",
) -> None:
    event = AuditEvent(
        at=now, system=SYSTEM, action=action, outcome="done",
        actor=actor, subject=subject, facts=facts,
    )  # fmt: skip
    await record(connection, event)

"""Ports answered by neighbours: what is delegated, who is trusted to issue certificates, and which of them hold."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from fullmakt.altinn.delegations.service import DelegationsService
from fullmakt.altinn.parties.metadata.model import Metadata, Package
from fullmakt.altinn.resources.service import ResourcesService
from fullmakt.infra.database import Database
from fullmakt.infra.feed import Changes, JoinedFeed
from fullmakt.jose.chains import TrustAnchors
from fullmakt.kernel.clock import Clock
from fullmakt.maskinporten.selfservice.ports import CertificateRefusedError, CheckedCertificate
from fullmakt.maskinporten.tokens.certificates import Certificates
from fullmakt.maskinporten.tokens.model import Refusal
from fullmakt.pki.service import Pki
from fullmakt.wire.altinn import delegations as delegations_wire
from fullmakt.wire.altinn import resources as resources_wire
from fullmakt.wire.altinn.attributes import Attribute
from fullmakt.wire.altinn.resources import RegisteredResource


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


class DelegatedScopes:
    """The token server's ``Delegations``, answered by the system that keeps them in this process."""

    topics = (delegations_wire.TOPIC, resources_wire.TOPIC)

    def __init__(self, delegations: DelegationsService, database: Database) -> None:
        self._delegations = delegations
        self._database = database
        self._feed = JoinedFeed(*self.topics)

    async def delegated_scopes(self, pairs: Collection[tuple[str, str]]) -> dict[tuple[str, str], frozenset[str]]:
        """The scopes of every API that the consumer has delegated to the supplier."""
        return await self._delegations.delegated_scopes(pairs)

    async def changes_since(self, version: int) -> Changes:
        """What changed; access lists and mere requests have nothing to do with delegated scopes."""
        async with self._database.transaction() as connection:
            changes = await self._feed.changes_since(connection, version)
        return Changes(changes.version, tuple(key for key in changes.keys if not key.startswith(_NO_CONCERN)))


_NO_CONCERN = ("access-list:", "member:", "request:")


class KnownPackages:
    """Access management's ``Packages``: those of the role metadata."""

    def __init__(self, metadata: Metadata) -> None:
        packages = metadata.packages.values()
        self._packages = {str(key): each for each in packages for key in (each.name, each.attribute.urn, each.id)}

    def package(self, identifier: str) -> Package | None:
        """The package with that name, URN or id."""
        return self._packages.get(identifier)


class ResourcesBySubject:
    """The role metadata's ``ResourcesBySubject``, answered by the resource registry."""

    def __init__(self, resources: ResourcesService) -> None:
        self._resources = resources

    async def resources_with_subjects(
        self, subjects: Collection[Attribute]
    ) -> dict[Attribute, Sequence[RegisteredResource]]:
        """The resources whose policy lets each of ``subjects`` do something."""
        found = await self._resources.policies.by_subjects([subject.urn for subject in subjects])
        names = {one.subject.urn: one.resources for one in found}
        known = await self._resources.resources({name for each in names.values() for name in each})
        return {
            subject: [known[name] for name in names[urn] if name in known]
            for subject in subjects
            if (urn := subject.urn.lower()) in names
        }


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

"""Is this enterprise certificate one to trust? Chains validated to trust anchors, and revocation looked up.

Pure: the trust anchors, the time and the CRLs are handed in. The path itself is the ``cryptography`` library's work;
around it stand the rules of maskinporten.md §2.5, in its order.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Self

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, ed25519, rsa
from cryptography.x509.oid import ExtensionOID
from cryptography.x509.verification import ExtensionPolicy, PolicyBuilder, Store, VerificationError

from fullmakt.jose.certificates import (
    MAX_CERTIFICATES,
    UNREADABLE,
    CertificateRejectedError,
    MalformedX5cError,
    Rejection,
    crl_urls,
    has_distribution_points,
    organisation_number,
    parse_x5c,
    policy_matches,
    policy_oids,
    printable,
)
from fullmakt.jose.keys import InvalidKeyError, PublicKey
from fullmakt.kernel.identifiers import OrgNumber

__all__ = [
    "CertificateRejectedError",
    "MalformedX5cError",
    "Rejection",
    "TrustAnchors",
    "ValidatedCertificate",
    "check_revocation",
    "parse_x5c",
    "validate_chain",
]

_RECOGNISED_CRITICAL = frozenset({ExtensionOID.KEY_USAGE, ExtensionOID.BASIC_CONSTRAINTS})
_CLOCK_SKEW = dt.timedelta(minutes=5)
"""How far ahead of us the clock of a CRL's issuer may be."""


@dataclass(frozen=True)
class TrustAnchors:
    """Whom we trust: root certificates, intermediates to complete a leaf-only ``x5c``, and the policies allowed.

    A policy is an OID, or a prefix of one with a trailing ``*``. Without roots nothing is trusted, and without
    policies nothing is allowed.

    Raises:
        ValueError: a root is not a CA's certificate.
    """

    roots: tuple[x509.Certificate, ...]
    intermediates: tuple[x509.Certificate, ...] = ()
    policies: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for certificate in self.roots:
            if not _is_authority(certificate):
                raise ValueError(f"a trust anchor is a CA's certificate, not {printable(certificate.subject)}")

    @classmethod
    def from_pem(cls, roots: bytes, intermediates: bytes = b"", policies: Iterable[str] = ()) -> Self:
        """Read PEM bundles.

        Raises:
            ValueError: no root in the bundle, or something in it is not a certificate or not a CA's.
        """
        return cls(
            tuple(x509.load_pem_x509_certificates(roots)),
            tuple(x509.load_pem_x509_certificates(intermediates)) if intermediates.strip() else (),
            tuple(policies),
        )

    @cached_property
    def _store(self) -> Store:
        return Store(list(self.roots))

    @cached_property
    def _by_subject(self) -> Mapping[x509.Name, Sequence[x509.Certificate]]:
        authorities: dict[x509.Name, list[x509.Certificate]] = defaultdict(list)
        for certificate in (*self.roots, *self.intermediates):
            authorities[certificate.subject].append(certificate)
        return dict(authorities)


@dataclass(frozen=True, slots=True)
class ValidatedCertificate:
    """An enterprise certificate that chains to a trust anchor. Only ``validate_chain`` makes these.

    ``chain`` goes from the leaf to the root; ``not_after`` is the earliest end of validity in it, and so the limit to
    how long the verdict may be remembered. Revocation is another question: ``check_revocation``.
    """

    leaf: x509.Certificate
    public_key: PublicKey
    orgno: OrgNumber
    issuer: x509.Certificate
    chain: tuple[x509.Certificate, ...]
    not_after: dt.datetime
    crl_urls: tuple[str, ...]


def validate_chain(
    certificates: Sequence[x509.Certificate], anchors: TrustAnchors, now: dt.datetime
) -> ValidatedCertificate:
    """Decide whether the first of ``certificates`` is an enterprise certificate to trust at ``now``.

    The others may help to find the path; in which order they come, and whether any comes, does not matter.

    Raises:
        CertificateRejectedError: the first rule of maskinporten.md §2.5 that it breaks; revocation is not looked at.
    """
    if not certificates:
        raise CertificateRejectedError(Rejection.MALFORMED, "there is no certificate")
    if len(certificates) > MAX_CERTIFICATES:
        message = f"the chain has {len(certificates)} certificates: {MAX_CERTIFICATES} is the most"
        raise CertificateRejectedError(Rejection.CHAIN_TOO_LONG, message)
    leaf = certificates[0]
    try:
        _check_validity(leaf, now)
        _check_not_self_signed(leaf)
        _check_extensions(leaf)
        public_key = _read_key(leaf)
        chain = _find_path(leaf, certificates[1:], anchors, now)
        _check_policies(leaf, anchors.policies)
        orgno = organisation_number(leaf.subject)
        distribution_points = crl_urls(leaf)
    except CertificateRejectedError:
        raise
    except UNREADABLE as error:
        message = f"a field of the certificate can not be read ({type(error).__name__})"
        raise CertificateRejectedError(Rejection.MALFORMED, message) from error
    if orgno is None:
        message = "the subject holds no organisation number, neither in serialNumber, O nor organizationIdentifier"
        raise CertificateRejectedError(Rejection.NO_ORGANISATION_NUMBER, message)
    return ValidatedCertificate(
        leaf=leaf,
        public_key=public_key,
        orgno=orgno,
        issuer=chain[1],
        chain=chain,
        not_after=min(certificate.not_valid_after_utc for certificate in chain),
        crl_urls=distribution_points,
    )


def _check_validity(leaf: x509.Certificate, now: dt.datetime) -> None:
    if now < leaf.not_valid_before_utc:
        message = f"the certificate is not valid before {leaf.not_valid_before_utc:%Y-%m-%dT%H:%M:%SZ}"
        raise CertificateRejectedError(Rejection.NOT_YET_VALID, message)
    if now > leaf.not_valid_after_utc:
        message = f"the certificate expired at {leaf.not_valid_after_utc:%Y-%m-%dT%H:%M:%SZ}"
        raise CertificateRejectedError(Rejection.EXPIRED, message)


def _check_not_self_signed(leaf: x509.Certificate) -> None:
    if leaf.issuer == leaf.subject:
        raise CertificateRejectedError(Rejection.SELF_SIGNED, "the certificate is its own issuer")


def _check_extensions(leaf: x509.Certificate) -> None:
    unknown = [
        extension.oid.dotted_string
        for extension in leaf.extensions
        if extension.critical and extension.oid not in _RECOGNISED_CRITICAL
    ]
    if unknown:
        message = f"critical extensions that are not recognised: {', '.join(unknown)}"
        raise CertificateRejectedError(Rejection.CRITICAL_EXTENSION, message)
    try:
        leaf.extensions.get_extension_for_class(x509.KeyUsage)
    except x509.ExtensionNotFound:
        # Any usage will do: real clients use the authentication certificate as well as the signing one.
        raise CertificateRejectedError(Rejection.KEY_USAGE_MISSING, "the certificate has no keyUsage") from None
    try:
        constraints = leaf.extensions.get_extension_for_class(x509.BasicConstraints).value
    except x509.ExtensionNotFound:
        return
    if constraints.ca:
        raise CertificateRejectedError(Rejection.CA_CERTIFICATE, "a CA's own certificate speaks for no client")


def _read_key(leaf: x509.Certificate) -> PublicKey:
    try:
        return PublicKey.from_certificate(leaf)
    except InvalidKeyError as error:
        is_rsa = isinstance(leaf.public_key(), rsa.RSAPublicKey)
        reason = Rejection.WEAK_KEY if is_rsa else Rejection.UNSUPPORTED_KEY
        raise CertificateRejectedError(reason, str(error)) from error


def _find_path(
    leaf: x509.Certificate, sent: Sequence[x509.Certificate], anchors: TrustAnchors, now: dt.datetime
) -> tuple[x509.Certificate, ...]:
    no_path = f"no path to a trusted root from the issuer {printable(leaf.issuer)} at {now:%Y-%m-%dT%H:%M:%SZ}"
    if not anchors.roots:
        raise CertificateRejectedError(Rejection.UNTRUSTED, no_path)
    verifier = (
        PolicyBuilder()
        .store(anchors._store)
        .time(now)
        # The library's default for leaves is the web's: it asks for a SAN, which enterprise certificates do not have.
        .extension_policies(ca_policy=ExtensionPolicy.webpki_defaults_ca(), ee_policy=ExtensionPolicy.permit_all())
        .build_client_verifier()
    )
    intermediates = [*anchors.intermediates, *_vouched_for(sent, anchors)]
    try:
        return tuple(verifier.verify(leaf, intermediates).chain)
    except VerificationError as error:
        raise CertificateRejectedError(Rejection.UNTRUSTED, no_path) from error


def _vouched_for(sent: Iterable[x509.Certificate], anchors: TrustAnchors) -> list[x509.Certificate]:
    """The CA certificates among ``sent`` that a CA we trust has signed, or one that it vouches for, and so on.

    They come from whoever asks. Left to the search for a path they would let a stranger choose how many signatures,
    by how large keys, we check; here each costs one check for every trusted CA of its issuer's name.
    """
    authorities = {subject: list(same_name) for subject, same_name in anchors._by_subject.items()}
    vouched: list[x509.Certificate] = []
    waiting = [certificate for certificate in sent if _is_authority(certificate)]
    found = True
    while found:
        found = False
        for certificate in list(waiting):
            if any(_issued(authority, certificate) for authority in authorities.get(certificate.issuer, ())):
                waiting.remove(certificate)
                vouched.append(certificate)
                authorities.setdefault(certificate.subject, []).append(certificate)
                found = True
    return vouched


def _is_authority(certificate: x509.Certificate) -> bool:
    try:
        return certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except (x509.ExtensionNotFound, *UNREADABLE):
        return False


def _issued(authority: x509.Certificate, certificate: x509.Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(authority)
    except (InvalidSignature, *UNREADABLE):
        return False
    return True


def _check_policies(leaf: x509.Certificate, allowed: Sequence[str]) -> None:
    claimed = policy_oids(leaf)
    if not any(policy_matches(oid, allowed) for oid in claimed):
        message = (
            f"no allowed policy: the certificate has {', '.join(claimed) or 'none'}, allowed are {', '.join(allowed)}"
        )
        raise CertificateRejectedError(Rejection.POLICY, message)


def check_revocation(
    validated: ValidatedCertificate, crls: Sequence[x509.CertificateRevocationList], now: dt.datetime
) -> None:
    """Refuse the certificate when one of ``crls``, fetched from each of its ``crl_urls``, lists it.

    A CRL that can not be relied on refuses it too, and so does one that lies where nobody can fetch it (LDAP alone). A
    certificate without distribution points can not be revoked in this way, and passes without a CRL (maskinporten.md
    §2.5 rule 6).

    Raises:
        CertificateRejectedError: ``revoked``, ``crl_missing``, ``crl_stale`` or ``crl_untrusted``.
    """
    if not crls and has_distribution_points(validated.leaf):
        raise CertificateRejectedError(Rejection.CRL_MISSING, "there is no CRL to look the certificate up in")
    for crl in crls:
        try:
            _check_crl_signature(crl, validated.issuer)
            _check_crl_scope(crl, validated.crl_urls)
            _check_crl_freshness(crl, now)
            entry = crl.get_revoked_certificate_by_serial_number(validated.leaf.serial_number)
        except CertificateRejectedError:
            raise
        except (x509.ExtensionNotFound, *UNREADABLE) as error:
            message = f"a field of the CRL can not be read ({type(error).__name__})"
            raise CertificateRejectedError(Rejection.CRL_UNTRUSTED, message) from error
        if entry is not None:
            message = f"the certificate was revoked at {entry.revocation_date_utc:%Y-%m-%dT%H:%M:%SZ}"
            raise CertificateRejectedError(Rejection.REVOKED, message)


def _check_crl_signature(crl: x509.CertificateRevocationList, issuer: x509.Certificate) -> None:
    key = issuer.public_key()
    usage = issuer.extensions.get_extension_for_class(x509.KeyUsage).value
    signed = (
        crl.issuer == issuer.subject
        and usage.crl_sign
        and isinstance(
            key,
            rsa.RSAPublicKey
            | ec.EllipticCurvePublicKey
            | dsa.DSAPublicKey
            | ed25519.Ed25519PublicKey
            | ed448.Ed448PublicKey,
        )
        and crl.is_signature_valid(key)
    )
    if not signed:
        message = f"the CRL is not signed by the certificate's issuer, {printable(issuer.subject)}"
        raise CertificateRejectedError(Rejection.CRL_UNTRUSTED, message)


def _check_crl_scope(crl: x509.CertificateRevocationList, urls: Sequence[str]) -> None:
    """RFC 5280 §5.2.5, §6.3.3: a CRL of a part of the certificates says nothing about the rest."""
    for extension in crl.extensions:
        value = extension.value
        if isinstance(value, x509.IssuingDistributionPoint):
            partial = value.only_contains_ca_certs or value.only_contains_attribute_certs or value.only_some_reasons
            names = {name.value for name in value.full_name or () if isinstance(name, x509.UniformResourceIdentifier)}
            elsewhere = bool(names) and names.isdisjoint(urls)
            if partial or elsewhere or value.indirect_crl or value.relative_name:
                raise CertificateRejectedError(Rejection.CRL_UNTRUSTED, "the CRL does not cover this certificate")
        elif extension.critical:
            message = f"the CRL has a critical extension that is not recognised: {extension.oid.dotted_string}"
            raise CertificateRejectedError(Rejection.CRL_UNTRUSTED, message)


def _check_crl_freshness(crl: x509.CertificateRevocationList, now: dt.datetime) -> None:
    until = crl.next_update_utc
    if crl.last_update_utc > now + _CLOCK_SKEW:
        message = f"the CRL is from the future, {crl.last_update_utc:%Y-%m-%dT%H:%M:%SZ}"
        raise CertificateRejectedError(Rejection.CRL_STALE, message)
    if until is None or until <= now:
        message = (
            f"the CRL was good until {until:%Y-%m-%dT%H:%M:%SZ}"
            if until
            else "the CRL does not say how long it is good"
        )
        raise CertificateRejectedError(Rejection.CRL_STALE, message)

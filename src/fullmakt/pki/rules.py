"""What goes into a certificate, a CA's certificate and a CRL: the profiles of the Norwegian issuers.

Sources: RFC 5280, the SEID profiles, maskinporten.md §2.5 and §2.7.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from types import MappingProxyType

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import AuthorityInformationAccessOID, NameOID

from fullmakt.jose.certificates import organisation_number
from fullmakt.kernel.identifiers import OrgNumber
from fullmakt.pki.errors import InvalidRequestError
from fullmakt.pki.model import AuthorityProfile, CertificateRecord, Environment, Seid

PublicKey = rsa.RSAPublicKey | ec.EllipticCurvePublicKey

DEFAULT_DAYS = 3 * 365
"""A Norwegian enterprise certificate lives three years (maskinporten.md §2.5)."""
MAX_DAYS = 5 * 365
BACKDATED = dt.timedelta(hours=1)
"""A certificate is valid from a little before now, for verifiers whose clock is behind."""
_CA_BACKDATED = dt.timedelta(days=10 * 365)
"""Old enough that the certificates issued as expired lie within its life."""
_CA_LIFETIME = dt.timedelta(days=30 * 365)
_KEPT_ON_CRL = dt.timedelta(days=30)
"""A revoked certificate stays listed so long after it has expired (RFC 5280 §3.3: at least once)."""
_MAX_NAME = 64
"""X.520 counts characters; the library that writes the certificate counts bytes."""
_ANY_POLICY = "2.5.29.32.0"

AUTHORITIES = MappingProxyType(
    {
        profile.name: profile
        for profile in (
            AuthorityProfile(Environment.TEST, "root", "Fullmakt Test Root CA"),
            AuthorityProfile(Environment.TEST, "seid1", "Fullmakt Class 3 Test CA SEID 1", "2.16.578.1.26.1.0.3.2"),
            AuthorityProfile(
                Environment.TEST, "seid2", "Fullmakt Legal Person Test CA SEID 2", "2.16.578.1.29.913.200.1.0"
            ),
            AuthorityProfile(Environment.PRODUCTION, "root", "Fullmakt Production Twin Root CA"),
            AuthorityProfile(
                Environment.PRODUCTION, "seid1", "Fullmakt Class 3 Production Twin CA SEID 1", "2.16.578.1.26.1.3.2"
            ),
            AuthorityProfile(
                Environment.PRODUCTION,
                "seid2",
                "Fullmakt Legal Person Production Twin CA SEID 2",
                "2.16.578.1.29.13.200.1.0",
            ),
        )
    }
)
"""Every CA by name, an issuer before those that it signs."""


def issuing_authority(seid: Seid, *, wrong_environment: bool) -> AuthorityProfile:
    """The CA that issues certificates of that generation."""
    environment = Environment.PRODUCTION if wrong_environment else Environment.TEST
    try:
        return AUTHORITIES[f"{environment}-seid{seid}"]
    except KeyError:
        raise InvalidRequestError("the SEID profile is 1 or 2") from None


def authority_subject(profile: AuthorityProfile) -> x509.Name:
    """The distinguished name of a CA."""
    return x509.Name(
        [
            x509.NameAttribute(NameOID.COUNTRY_NAME, "NO"),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Fullmakt"),
            x509.NameAttribute(NameOID.COMMON_NAME, profile.common_name),
        ]
    )


def organisation_subject(orgno: OrgNumber, name: str, seid: Seid) -> x509.Name:
    """The distinguished name of an organisation, in the old shape or the new.

    Raises:
        InvalidRequestError: the name is empty, longer than X.520 lets it be, holds control characters, or ends in
            another organisation's number, which the token server would take for the organisation's own.
    """
    name = name.strip()
    if not name or not name.isprintable() or len(name.encode()) > _MAX_NAME:
        raise InvalidRequestError(f"an organisation's name is printable, and 1 to {_MAX_NAME} bytes of UTF-8")
    identifier = (
        x509.NameAttribute(NameOID.SERIAL_NUMBER, orgno)
        if seid == 1
        else x509.NameAttribute(NameOID.ORGANIZATION_IDENTIFIER, f"NTRNO-{orgno}")
    )
    subject = x509.Name(
        [
            x509.NameAttribute(NameOID.COUNTRY_NAME, "NO"),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, name),
            x509.NameAttribute(NameOID.COMMON_NAME, name),
            identifier,
        ]
    )
    if organisation_number(subject) != orgno:
        raise InvalidRequestError("the name ends in another organisation number")
    return subject


def distinguished_name(name: x509.Name) -> str:
    """A name as RFC 4514 writes it, with a word for the attribute of which it knows the number alone."""
    return name.rfc4514_string({NameOID.ORGANIZATION_IDENTIFIER: "organizationIdentifier"})


def validity(now: dt.datetime, days: int, *, expired: bool) -> tuple[dt.datetime, dt.datetime]:
    """From when to when a certificate of ``days`` days is valid; one issued as expired ended a day ago.

    Raises:
        InvalidRequestError: fewer than 1 or more than ``MAX_DAYS`` days.
    """
    if not 1 <= days <= MAX_DAYS:
        raise InvalidRequestError(f"a certificate is valid for 1 to {MAX_DAYS} days")
    start = now - dt.timedelta(days=days + 1) if expired else now - BACKDATED
    return start, start + dt.timedelta(days=days)


def authority_certificate(
    profile: AuthorityProfile,
    key: PublicKey,
    issuer_key: PublicKey,
    *,
    serial: int,
    now: dt.datetime,
    base_url: str,
) -> x509.CertificateBuilder:
    """A CA's certificate, ready to be signed by its issuer; ``key`` and ``issuer_key`` are the same for a root."""
    start = now - _CA_BACKDATED
    issuer = AUTHORITIES[profile.issuer]
    builder = (
        _certificate(authority_subject(profile), authority_subject(issuer), key, issuer_key, serial=serial)
        .not_valid_before(start)
        .not_valid_after(start + _CA_LIFETIME)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None if profile.is_root else 0), critical=True)
        .add_extension(_key_usage("key_cert_sign", "crl_sign"), critical=True)
    )
    if profile.is_root:
        return builder
    return _with_policy_and_addresses(builder, _ANY_POLICY, issuer, base_url)


def organisation_certificate(
    subject: x509.Name,
    issuer: AuthorityProfile,
    key: PublicKey,
    issuer_key: PublicKey,
    *,
    serial: int,
    valid: tuple[dt.datetime, dt.datetime],
    base_url: str,
) -> x509.CertificateBuilder:
    """An enterprise certificate, ready to be signed by ``issuer``."""
    builder = (
        _certificate(subject, authority_subject(issuer), key, issuer_key, serial=serial)
        .not_valid_before(valid[0])
        .not_valid_after(valid[1])
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=False)
        .add_extension(_key_usage("digital_signature", "content_commitment"), critical=True)
    )
    return _with_policy_and_addresses(builder, issuer.policy or _ANY_POLICY, issuer, base_url)


def revocation_list(
    authority: AuthorityProfile,
    key: PublicKey,
    revoked: Iterable[CertificateRecord],
    *,
    number: int,
    this_update: dt.datetime,
    next_update: dt.datetime,
) -> x509.CertificateRevocationListBuilder:
    """A complete CRL (RFC 5280 §5), ready to be signed by ``authority``."""
    builder = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(authority_subject(authority))
        .last_update(this_update)
        .next_update(next_update)
        .add_extension(x509.CRLNumber(number), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(key), critical=False)
    )
    for record in revoked:
        if record.revoked_at is None or record.not_after + _KEPT_ON_CRL < this_update:
            continue
        entry = x509.RevokedCertificateBuilder().serial_number(int(record.serial, 16))
        builder = builder.add_revoked_certificate(entry.revocation_date(record.revoked_at).build())
    return builder


def _certificate(
    subject: x509.Name, issuer: x509.Name, key: PublicKey, issuer_key: PublicKey, *, serial: int
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(serial)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key), critical=False)
    )


def _key_usage(*used: str) -> x509.KeyUsage:
    bits = dict.fromkeys(
        (
            "digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement",
            "key_cert_sign", "crl_sign", "encipher_only", "decipher_only",
        ),
        False,
    )  # fmt: skip
    return x509.KeyUsage(**{**bits, **dict.fromkeys(used, True)})


def _with_policy_and_addresses(
    builder: x509.CertificateBuilder, policy: str, issuer: AuthorityProfile, base_url: str
) -> x509.CertificateBuilder:
    crl = x509.UniformResourceIdentifier(crl_url(base_url, issuer))
    certificate = x509.UniformResourceIdentifier(certificate_url(base_url, issuer))
    return (
        builder.add_extension(
            x509.CertificatePolicies([x509.PolicyInformation(x509.ObjectIdentifier(policy), None)]), critical=False
        )
        .add_extension(x509.CRLDistributionPoints([x509.DistributionPoint([crl], None, None, None)]), critical=False)
        .add_extension(
            x509.AuthorityInformationAccess(
                [x509.AccessDescription(AuthorityInformationAccessOID.CA_ISSUERS, certificate)]
            ),
            critical=False,
        )
    )


def crl_url(base_url: str, authority: AuthorityProfile) -> str:
    """Where a CA's CRL is served."""
    return f"{base_url}/crl/{authority.name}.crl"


def certificate_url(base_url: str, authority: AuthorityProfile) -> str:
    """Where a CA's own certificate is served."""
    return f"{base_url}/ca/{authority.name}.cer"

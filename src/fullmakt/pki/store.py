"""The tables ``pki.authority``, ``pki.certificate`` and ``pki.crl``, and every statement that touches them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from sqlalchemy import RowMapping, text
from sqlalchemy.ext.asyncio import AsyncConnection

from fullmakt.kernel.identifiers import OrgNumber
from fullmakt.pki.model import CertificateRecord, PublishedCrl

_ADD_AUTHORITY = text(
    "INSERT INTO pki.authority (name, certificate, sealed_key, created_at)"
    " VALUES (:name, :certificate, :sealed_key, :now) ON CONFLICT DO NOTHING"
)
_CERTIFICATES_OF_AUTHORITIES = text("SELECT name, certificate FROM pki.authority")
_AUTHORITY = text("SELECT certificate, sealed_key FROM pki.authority WHERE name = :name")
_LOCK_AUTHORITY = text("SELECT certificate, sealed_key FROM pki.authority WHERE name = :name FOR NO KEY UPDATE")

_RECORD = "serial, authority, orgno, subject, not_before, not_after, issued_at, revoked_at"
_ADD_CERTIFICATE = text(
    f"INSERT INTO pki.certificate ({_RECORD}) VALUES"  # noqa: S608 - a list of columns
    " (:serial, :authority, :orgno, :subject, :not_before, :not_after, :issued_at, :revoked_at)"
)
_CERTIFICATE_FOR_UPDATE = text(f"SELECT {_RECORD} FROM pki.certificate WHERE serial = :serial FOR UPDATE")  # noqa: S608
_REVOKE = text("UPDATE pki.certificate SET revoked_at = :now WHERE serial = :serial")
_REVOKED = text(
    f"SELECT {_RECORD} FROM pki.certificate"  # noqa: S608
    " WHERE authority = :authority AND revoked_at IS NOT NULL ORDER BY revoked_at, serial"
)
_NEWEST = text(
    f"SELECT {_RECORD} FROM pki.certificate WHERE CAST(:orgno AS text) IS NULL OR orgno = :orgno"  # noqa: S608
    " ORDER BY issued_at DESC, serial LIMIT :limit"
)

_CRL = text("SELECT authority, number, der, this_update, next_update FROM pki.crl WHERE authority = :authority")
_PUT_CRL = text(
    "INSERT INTO pki.crl (authority, number, der, this_update, next_update)"
    " VALUES (:authority, :number, :der, :this_update, :next_update) ON CONFLICT (authority) DO UPDATE"
    " SET number = excluded.number, der = excluded.der,"
    "     this_update = excluded.this_update, next_update = excluded.next_update"
)


class StoredAuthority(NamedTuple):
    """A CA's certificate and its sealed private key."""

    certificate: x509.Certificate
    sealed_key: bytes


async def add_authority(
    connection: AsyncConnection, name: str, certificate: x509.Certificate, sealed_key: bytes, now: datetime
) -> bool:
    """Keep a new CA; False when one of that name exists, also when another node is just making it."""
    done = await connection.execute(
        _ADD_AUTHORITY,
        {
            "name": name, "certificate": certificate.public_bytes(Encoding.DER),
            "sealed_key": sealed_key, "now": now,
        },
    )  # fmt: skip
    return done.rowcount == 1


async def authority_certificates(connection: AsyncConnection) -> dict[str, x509.Certificate]:
    """The certificate of every CA, by name."""
    rows = (await connection.execute(_CERTIFICATES_OF_AUTHORITIES)).all()
    return {row.name: x509.load_der_x509_certificate(row.certificate) for row in rows}


async def authority(connection: AsyncConnection, name: str, *, lock: bool = False) -> StoredAuthority | None:
    """One CA; with ``lock`` the caller alone may publish a CRL for it until the end of the transaction."""
    row = (await connection.execute(_LOCK_AUTHORITY if lock else _AUTHORITY, {"name": name})).one_or_none()
    if row is None:
        return None
    return StoredAuthority(x509.load_der_x509_certificate(row.certificate), row.sealed_key)


async def add_certificate(connection: AsyncConnection, record: CertificateRecord) -> None:
    """Remember a certificate that was issued."""
    await connection.execute(_ADD_CERTIFICATE, asdict(record))


async def certificate_for_update(connection: AsyncConnection, serial: str) -> CertificateRecord | None:
    """A certificate by its serial number, locked until the end of the transaction."""
    row = (await connection.execute(_CERTIFICATE_FOR_UPDATE, {"serial": serial})).mappings().one_or_none()
    return None if row is None else _record(row)


async def revoke(connection: AsyncConnection, serial: str, now: datetime) -> None:
    """Mark a certificate as revoked."""
    await connection.execute(_REVOKE, {"serial": serial, "now": now})


async def revoked(connection: AsyncConnection, authority: str) -> Sequence[CertificateRecord]:
    """Every certificate of a CA that was revoked, in the order in which they were."""
    rows = (await connection.execute(_REVOKED, {"authority": authority})).mappings()
    return [_record(row) for row in rows]


async def newest(connection: AsyncConnection, orgno: OrgNumber | None, limit: int) -> Sequence[CertificateRecord]:
    """The last certificates issued, of one organisation or of all."""
    rows = (await connection.execute(_NEWEST, {"orgno": orgno, "limit": limit})).mappings()
    return [_record(row) for row in rows]


async def crl(connection: AsyncConnection, authority: str) -> PublishedCrl | None:
    """The list that a CA has published last."""
    row = (await connection.execute(_CRL, {"authority": authority})).mappings().one_or_none()
    return None if row is None else PublishedCrl(**row)


async def put_crl(connection: AsyncConnection, published: PublishedCrl) -> None:
    """Let this be the list that a CA has published last."""
    await connection.execute(_PUT_CRL, asdict(published))


def _record(row: RowMapping) -> CertificateRecord:
    return CertificateRecord(**{**row, "orgno": OrgNumber(row["orgno"])})

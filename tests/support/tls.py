"""HTTPS in tests: a certificate for ``localhost`` as ``openssl req -x509`` makes them, and callers who trust it."""

from __future__ import annotations

import datetime as dt
import ipaddress
import ssl
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from cryptography.x509.oid import NameOID

from fullmakt.pki.exports import pem_bundle
from fullmakt.pki.model import IssuedCertificate


@dataclass(frozen=True, slots=True)
class ServerFiles:
    """A server's certificate and its key, in PEM."""

    certificate: Path
    key: Path

    def __str__(self) -> str:
        return self.certificate.stem


def server_files(
    folder: Path, name: str = "server", *, curve: bool = False, password: str | None = None
) -> ServerFiles:
    """A new certificate for ``localhost`` in ``folder``: RSA, or with ``curve`` P-256."""
    key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey
    key = ec.generate_private_key(ec.SECP256R1()) if curve else rsa.generate_private_key(65537, 2048)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    names = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    certificate = (
        x509.CertificateBuilder(subject, subject, key.public_key(), x509.random_serial_number())
        .not_valid_before(dt.datetime(2020, 1, 1, tzinfo=dt.UTC))
        .not_valid_after(dt.datetime(2099, 1, 1, tzinfo=dt.UTC))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .sign(key, hashes.SHA256())
    )
    sealing = BestAvailableEncryption(password.encode()) if password else NoEncryption()
    files = ServerFiles(folder / f"{name}.pem", folder / f"{name}.key")
    files.certificate.write_bytes(certificate.public_bytes(Encoding.PEM))
    files.key.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, sealing))
    return files


def calling(server: ServerFiles, own: Path | None = None) -> ssl.SSLContext:
    """How a caller connects that trusts ``server``, and shows the certificate in the file ``own``."""
    context = ssl.create_default_context(cafile=server.certificate)
    if own is not None:
        context.load_cert_chain(own)
    return context


def client_file(folder: Path, issued: IssuedCertificate, *, certificates: int = 1) -> Path:
    """A file with the key of a certificate, and the first so many ``certificates`` of its chain."""
    file = folder / f"{issued.record.serial}-{certificates}.pem"
    file.write_bytes(issued.key.to_pem() + pem_bundle(issued.chain[:certificates]))
    return file

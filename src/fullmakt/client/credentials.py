"""Who asks for tokens, where, and what it signs with."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, pkcs12

from fullmakt.jose.key_file import registered_name
from fullmakt.jose.keys import InvalidKeyError, LocalSigner, PublicKey, Signer


@dataclass(frozen=True, slots=True)
class Credentials:
    """A client of a token server, with its signing key.

    issuer: the token server, as its metadata document has it: ``https://test.maskinporten.no/``.
    client_id: the client's id, the grant's ``iss``.
    signer: a registered key, whose ``kid`` goes into the header, or, with ``certificates``, that of an enterprise
        certificate. Keys in an HSM are signers too.
    certificates: the enterprise certificate, leaf first, each base64 of DER as in ``x5c``; empty for a registered key.
    metadata_url: where the metadata is, if not at a well-known place under the issuer.
    """

    issuer: str
    client_id: str
    signer: Signer = field(repr=False)
    certificates: tuple[str, ...] = field(default=(), repr=False)
    metadata_url: str | None = None

    @classmethod
    def from_jwk(cls, issuer: str, client_id: str, jwk: Mapping[str, Any], *, metadata_url: str | None = None) -> Self:
        """Use a registered key, as a private JWK with its ``kid``.

        Raises:
            InvalidKeyError: not a private RSA or P-256 JWK.
        """
        return cls(issuer, client_id, LocalSigner.from_jwk(dict(jwk)), metadata_url=metadata_url)

    @classmethod
    def from_pem(
        cls,
        issuer: str,
        client_id: str,
        *,
        key: bytes,
        kid: str | None = None,
        password: bytes | None = None,
        certificates: bytes = b"",
        metadata_url: str | None = None,
    ) -> Self:
        """Use a PEM private key: a registered one with its ``kid``, or that of an enterprise certificate.

        ``certificates`` is the latter in PEM, leaf first; the chain above it may follow.

        Raises:
            InvalidKeyError: not a private RSA or P-256 key, not certificates, or a key of another certificate.
        """
        signer = LocalSigner.from_pem(key, kid, password)
        try:
            chain = x509.load_pem_x509_certificates(certificates) if certificates else []
        except ValueError as error:
            raise InvalidKeyError("these are not PEM certificates") from error
        return cls(issuer, client_id, signer, _x5c(signer, chain), metadata_url)

    @classmethod
    def from_pkcs12(
        cls,
        issuer: str,
        client_id: str,
        *,
        p12: bytes,
        password: bytes | None,
        kid: str | None = None,
        metadata_url: str | None = None,
    ) -> Self:
        """Use what is in a PKCS#12 file (``.p12``, ``.pfx``): an enterprise certificate as Buypass and Commfides give
        them, or a registered key.

        A file that self-service has made is known by the name of its key, and is a registered key; so is one whose
        ``kid`` is told. The certificate in it is not sent then.

        Raises:
            InvalidKeyError: not PKCS#12, a wrong password, or no key in it, or, without ``kid``, none with its
                certificate.
        """
        try:
            store = pkcs12.load_pkcs12(p12, password)
        except ValueError as error:
            raise InvalidKeyError("this is not a PKCS#12 file (or the password is wrong)") from error
        if store.key is None or (store.cert is None and kid is None):
            raise InvalidKeyError("the PKCS#12 file holds no private key with its certificate")
        signer = LocalSigner.from_native(store.key, kid)
        if store.cert is None or kid is not None or registered_name(store, signer) is not None:
            return cls(issuer, client_id, signer, metadata_url=metadata_url)
        chain = [store.cert.certificate, *(entry.certificate for entry in store.additional_certs)]
        return cls(issuer, client_id, signer, _x5c(signer, chain), metadata_url)


def _x5c(signer: LocalSigner, chain: list[x509.Certificate]) -> tuple[str, ...]:
    if chain and PublicKey.from_certificate(chain[0]).to_der() != signer.public.to_der():
        raise InvalidKeyError("the first certificate is not that of the key")
    return tuple(base64.b64encode(certificate.public_bytes(Encoding.DER)).decode() for certificate in chain)

"""PKCS#12 files with a client's key pair: which of them hold a registered key, and which an enterprise certificate."""

from __future__ import annotations

from cryptography.hazmat.primitives.serialization.pkcs12 import PKCS12KeyAndCertificates

from fullmakt.jose.keys import LocalSigner


def registered_name(store: PKCS12KeyAndCertificates, signer: LocalSigner) -> str | None:
    """The ``kid`` that the file's key, ``signer``, is registered under; None for an enterprise certificate's.

    Self-service gives the entry that name, the key's own thumbprint (RFC 7638), which no issuer of certificates does.
    The certificate beside such a key is its own and says nothing.
    """
    alias = None if store.cert is None else store.cert.friendly_name
    thumbprint = signer.public.thumbprint
    return thumbprint if alias == thumbprint.encode() else None

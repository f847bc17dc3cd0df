"""A world to hold things against, as values."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

from cryptography import x509

from fullmakt.cli.inspection.surroundings import Known
from fullmakt.infra.crl import CrlUnavailableError
from fullmakt.jose.chains import TrustAnchors, ValidatedCertificate
from fullmakt.jose.keys import LocalSigner
from fullmakt.maskinporten.tokens.config import TokensConfig
from fullmakt.wire.maskinporten.registry import RegisteredClient
from tests.support import certificates as make
from tests.support.tokens import ISSUER, RegistryInMemory, key_number

ROOT = make.root()
ISSUING = ROOT.ca("Issuing", path_length=0)
ANCHORS = TrustAnchors((ROOT.certificate,), (ISSUING.certificate,), ("2.16.578.1.29.913.200.*",))
ISSUER_KEY = key_number(9)


@cache
def leaf_signer() -> LocalSigner:
    """The private key of the leaves that ``certificates`` makes."""
    return LocalSigner.from_native(make.rsa_key("leaf"), kid="leaf")


def known(
    *clients: RegisteredClient,
    revoked: Sequence[x509.Certificate] = (),
    crl_is_there: bool = True,
    **settings: Any,
) -> Known:
    """A world with these clients, whose CA has revoked these certificates; ``settings`` are the token server's."""

    async def lists(_certificate: ValidatedCertificate) -> Sequence[x509.CertificateRevocationList]:
        if not crl_is_there:
            raise CrlUnavailableError("http://crl.example does not answer")
        return [ISSUING.crl(*revoked)]

    keys = {ISSUER_KEY.kid: ISSUER_KEY.public}
    return Known(TokensConfig(issuer=ISSUER, **settings), RegistryInMemory(*clients), ANCHORS, keys, lists)

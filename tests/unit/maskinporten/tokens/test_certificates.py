"""Which certificates are trusted, and which verdicts are remembered."""

from __future__ import annotations

import httpx2
import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from fullmakt.infra.crl import CrlSource
from fullmakt.jose.chains import TrustAnchors
from fullmakt.kernel.clock import FixedClock
from fullmakt.maskinporten.tokens.certificates import Certificates, TrustedCertificate
from fullmakt.maskinporten.tokens.config import TokensConfig
from fullmakt.maskinporten.tokens.model import Refusal
from tests.support import certificates as make
from tests.support.tokens import ISSUER, NOW, registered_key

ROOT = make.root()
ISSUING = ROOT.ca("Issuing")
LEAF = ISSUING.leaf()
CHAIN = make.x5c(LEAF, ISSUING.certificate)


class RootAlone:
    """Trusts one root, and knows no intermediates."""

    def __init__(self) -> None:
        self._anchors = TrustAnchors((ROOT.certificate,), (), (make.POLICY,))

    async def anchors(self) -> TrustAnchors:
        """As the port has it."""
        return self._anchors


def of_capacity(capacity: int) -> Certificates:
    config = TokensConfig(ISSUER, revocation=False)
    return Certificates(RootAlone(), CrlSource(httpx2.AsyncClient(), FixedClock(NOW)), config, capacity=capacity)


@pytest.fixture
def certificates() -> Certificates:
    return of_capacity(10)


async def trusted(certificates: Certificates, x5c: object) -> TrustedCertificate:
    verdict = await certificates.check(x5c, NOW)
    assert isinstance(verdict, TrustedCertificate), verdict
    return verdict


async def test_a_verdict_is_remembered_when_it_is_told_that_the_signature_held(certificates: Certificates) -> None:
    first = await trusted(certificates, CHAIN)
    assert (await trusted(certificates, CHAIN)).certificate is not first.certificate
    certificates.remember(first)
    assert await trusted(certificates, CHAIN) is first


async def test_one_verdict_is_remembered_for_a_leaf_whatever_comes_with_it(certificates: Certificates) -> None:
    for junk in range(5):
        stranger = make.root(f"Stranger {junk}").certificate
        for x5c in ([*CHAIN, *make.x5c(stranger)], [f"{CHAIN[0][:junk]} {CHAIN[0][junk:]}", *CHAIN[1:]]):
            certificates.remember(await trusted(certificates, x5c))
    assert len(certificates._known) == 1


async def test_another_chain_to_a_leaf_that_is_remembered_is_looked_at(certificates: Certificates) -> None:
    certificates.remember(await trusted(certificates, CHAIN))
    verdict = await certificates.check(CHAIN[:1], NOW)
    assert isinstance(verdict, Refusal)
    assert verdict.reason == "invalid_certificate"


@pytest.mark.parametrize("x5c", [None, "x", [], {}, [None], [CHAIN[0], 1], ["\ud800"], ["MIIB"]])
async def test_what_is_no_chain_is_an_invalid_header(certificates: Certificates, x5c: object) -> None:
    verdict = await certificates.check(x5c, NOW)
    assert isinstance(verdict, Refusal)
    assert verdict.reason == "invalid_x5c"


async def test_the_certificates_used_last_are_kept() -> None:
    certificates = of_capacity(2)
    chains = [make.x5c(ISSUING.leaf(), ISSUING.certificate) for _ in range(3)]
    first, second, third = [await trusted(certificates, chain) for chain in chains]
    for verdict in (first, second, first, third):
        certificates.remember(verdict)
    assert await trusted(certificates, chains[0]) is first
    assert await trusted(certificates, chains[2]) is third
    assert await trusted(certificates, chains[1]) is not second


async def test_a_registered_key_stands_on_the_chain_that_it_was_registered_with(certificates: Certificates) -> None:
    der = LEAF.public_bytes(Encoding.DER)
    assert await certificates.check_registered(registered_key(), NOW) is None
    assert await certificates.check_registered(registered_key(certificate=der, x5c=tuple(CHAIN)), NOW) is None
    alone = await certificates.check_registered(registered_key(certificate=der), NOW)
    assert alone is not None
    assert alone.reason == "invalid_certificate"

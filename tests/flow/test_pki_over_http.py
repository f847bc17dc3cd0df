"""A verifier meets the PKI over HTTP only: trust anchors, CRLs and the CAs' certificates from their addresses."""

from __future__ import annotations

import datetime as dt
from collections.abc import AsyncIterator

import httpx2
import pytest
from cryptography import x509

from fullmakt.infra.crl import CrlSource, CrlUnavailableError
from fullmakt.infra.database import Database
from fullmakt.infra.secrets import MasterKey
from fullmakt.jose.certificates import TEST_POLICIES
from fullmakt.jose.chains import (
    CertificateRejectedError,
    Rejection,
    TrustAnchors,
    check_revocation,
    parse_x5c,
    validate_chain,
)
from fullmakt.kernel.clock import FixedClock
from fullmakt.kernel.identifiers import OrgNumber
from fullmakt.pki.http import app
from fullmakt.pki.service import Pki
from tests.support.pki import set_up_pki

ORGNO = OrgNumber("910753614")
BASE_URL = "http://pki.example"


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(dt.datetime(2026, 11, 21, 12, 0, tzinfo=dt.UTC))


@pytest.fixture
async def pki(database: Database, clock: FixedClock) -> Pki:
    return await set_up_pki(database, clock, BASE_URL)


@pytest.fixture
async def client(pki: Pki) -> AsyncIterator[httpx2.AsyncClient]:
    transport = httpx2.ASGITransport(app(pki))
    async with httpx2.AsyncClient(transport=transport, base_url=BASE_URL) as client:
        yield client


async def test_a_verifier_trusts_a_certificate_until_it_is_revoked(
    pki: Pki, client: httpx2.AsyncClient, clock: FixedClock
) -> None:
    bundle = x509.load_pem_x509_certificates((await client.get("/ca/bundle.pem")).content)
    anchors = TrustAnchors((bundle[0],), tuple(bundle[1:]), TEST_POLICIES)
    crls = CrlSource(client, clock, max_age=60)
    issued = await pki.issue(ORGNO, "Skarpnes og Ula")
    validated = validate_chain(parse_x5c(issued.x5c[:1]), anchors, clock())

    async def check() -> None:
        check_revocation(validated, [await crls.get(url) for url in validated.crl_urls], clock())

    await check()
    await pki.revoke(issued.record.serial)
    clock.advance(seconds=60)
    with pytest.raises(CertificateRejectedError) as caught:
        await check()
    assert caught.value.reason == Rejection.REVOKED


async def test_the_issuers_certificate_lies_where_the_leaf_says(pki: Pki, client: httpx2.AsyncClient) -> None:
    issued = await pki.issue(ORGNO, "Skarpnes og Ula", seid=1, wrong_environment=True)
    (access,) = issued.leaf.extensions.get_extension_for_class(x509.AuthorityInformationAccess).value
    response = await client.get(access.access_location.value)
    assert response.headers["content-type"] == "application/pkix-cert"
    assert x509.load_der_x509_certificate(response.content) == issued.chain[1]


async def test_a_crl_is_served_with_its_type_and_can_be_asked_for_again_cheaply(
    pki: Pki, client: httpx2.AsyncClient
) -> None:
    first = await client.get("/crl/test-seid2.crl")
    assert first.headers["content-type"] == "application/pkix-crl"
    assert first.headers["cache-control"] == "public, max-age=60"
    for tag in (first.headers["etag"], f'"other", W/{first.headers["etag"]}', "*"):
        again = await client.get("/crl/test-seid2.crl", headers={"If-None-Match": tag})
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", first.headers["etag"])
    await pki.issue(ORGNO, "Skarpnes og Ula", revoked=True)
    changed = await client.get("/crl/test-seid2.crl", headers={"If-None-Match": first.headers["etag"]})
    assert changed.status_code == 200
    assert len(x509.load_der_x509_crl(changed.content)) == 1


async def test_the_listing_leads_to_everything(client: httpx2.AsyncClient) -> None:
    listing = (await client.get("/")).json()
    assert [authority["name"] for authority in listing["authorities"]] == [
        "test-root", "test-seid1", "test-seid2", "production-root", "production-seid1", "production-seid2",
    ]  # fmt: skip
    for authority in listing["authorities"]:
        certificate = x509.load_der_x509_certificate((await client.get(authority["certificate"])).content)
        crl = x509.load_der_x509_crl((await client.get(authority["crl"])).content)
        assert authority["subject"] == certificate.subject.rfc4514_string()
        assert crl.issuer == certificate.subject
        key = certificate.public_key()
        assert crl.is_signature_valid(key)  # type: ignore[arg-type]
    bundle = x509.load_pem_x509_certificates((await client.get(listing["bundle"])).content)
    assert [len(bundle), bundle[0].subject.rfc4514_string()] == [3, "CN=Fullmakt Test Root CA,O=Fullmakt,C=NO"]


@pytest.mark.parametrize(
    "path", ["/crl/nobody.crl", "/ca/nobody.cer", "/crl/test-root%00.crl", "/ca/%ff.cer", "/crl/%ED%A0%80.crl"]
)
async def test_an_unknown_ca_is_not_found(client: httpx2.AsyncClient, path: str) -> None:
    response = await client.get(path)
    assert response.status_code == 404
    assert response.json() == {
        "type": "about:blank", "title": "Not Found", "status": 404, "detail": "there is no such certificate authority",
    }  # fmt: skip


async def test_what_is_not_served_is_a_problem_with_the_methods_that_are(client: httpx2.AsyncClient) -> None:
    for response, status in ((await client.get("/nothing"), 404), (await client.post("/crl/test-root.crl"), 405)):
        assert (response.status_code, response.headers["content-type"]) == (status, "application/problem+json")
    assert set(response.headers["allow"].split(", ")) == {"GET", "HEAD"}


@pytest.mark.parametrize("path", ["/", "/crl/test-root.crl", "/ca/test-root.cer", "/ca/bundle.pem"])
async def test_before_the_cas_are_made_the_service_is_unavailable(
    database: Database, clock: FixedClock, path: str
) -> None:
    transport = httpx2.ASGITransport(app(Pki(database, clock, MasterKey(bytes(32)), BASE_URL)))
    async with httpx2.AsyncClient(transport=transport, base_url=BASE_URL) as client:
        assert (await client.get(path)).status_code == 503
        with pytest.raises(CrlUnavailableError, match="503"):
            await CrlSource(client, clock).get(f"{BASE_URL}/crl/test-root.crl")


async def test_without_a_database_the_service_is_unavailable(clock: FixedClock) -> None:
    database = Database("postgresql://nobody@127.0.0.1:9/none")
    transport = httpx2.ASGITransport(app(Pki(database, clock, MasterKey(bytes(32)), BASE_URL)))
    async with httpx2.AsyncClient(transport=transport, base_url=BASE_URL) as client:
        response = await client.get("/crl/test-root.crl")
    assert (response.status_code, response.headers["content-type"]) == (503, "application/problem+json")

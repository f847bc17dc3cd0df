"""What openssl and Java say to our certificates, CRLs and key stores: judges that share no code with us."""

from __future__ import annotations

import datetime as dt
import shutil
import subprocess
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, pkcs12

from fullmakt.infra.database import Database
from fullmakt.jose.chains import CertificateRejectedError, TrustAnchors, validate_chain
from fullmakt.kernel.clock import FixedClock
from fullmakt.kernel.identifiers import OrgNumber
from fullmakt.pki import exports
from fullmakt.pki.errors import InvalidRequestError
from fullmakt.pki.model import IssuedCertificate
from fullmakt.pki.service import Pki
from tests.support import certificates as make
from tests.support.certificates import NOW, Ca
from tests.support.pki import set_up_pki

ORGNO = OrgNumber("910753614")
PASSWORD = "changeit"


def run(*command: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([str(part) for part in command], capture_output=True, text=True, check=False, timeout=60)


@pytest.fixture
async def pki(database: Database) -> Pki:
    return await set_up_pki(database, FixedClock(NOW))


async def openssl_verdict(pki: Pki, issued: IssuedCertificate, folder: Path, now: dt.datetime = NOW) -> str:
    """``OK``, or openssl's reason, for the leaf against the bundle and the CRL that we serve."""
    anchors = await pki.anchors()
    crl = x509.load_der_x509_crl((await pki.crl(issued.record.authority)).der)
    (folder / "roots.pem").write_bytes(exports.pem_bundle(anchors.roots) + crl.public_bytes(Encoding.PEM))
    (folder / "issuing.pem").write_bytes(exports.pem_bundle(anchors.intermediates))
    (folder / "leaf.pem").write_bytes(exports.pem_bundle(issued.chain[:1]))
    done = run(
        "openssl", "verify", "-x509_strict", "-crl_check", "-attime", str(int(now.timestamp())),
        "-CAfile", folder / "roots.pem", "-untrusted", folder / "issuing.pem", folder / "leaf.pem",
    )  # fmt: skip
    return "OK" if done.returncode == 0 else done.stderr


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ({}, "OK"),
        ({"seid": 1}, "OK"),
        ({"expired": True}, "certificate has expired"),
        ({"revoked": True}, "certificate revoked"),
        ({"wrong_environment": True}, "unable to get local issuer certificate"),
    ],
)
async def test_openssl_agrees_on_what_is_good_and_bad(
    pki: Pki, tmp_path: Path, asked: dict[str, object], expected: str
) -> None:
    issued = await pki.issue(ORGNO, "Skarpnes og Ula", **asked)  # type: ignore[arg-type]
    assert expected in await openssl_verdict(pki, issued, tmp_path)


async def test_openssl_reads_the_key_store(pki: Pki, tmp_path: Path) -> None:
    issued = await pki.issue(ORGNO, "Skarpnes og Ula")
    store = tmp_path / "store.p12"
    store.write_bytes(exports.pkcs12(issued, PASSWORD))
    done = run("openssl", "pkcs12", "-in", store, "-passin", f"pass:{PASSWORD}", "-nodes")
    assert (done.stdout.count("BEGIN CERTIFICATE"), done.stdout.count("BEGIN PRIVATE KEY")) == (3, 1)
    assert f"friendlyName: {ORGNO}" in done.stdout


async def test_the_key_store_reads_back(pki: Pki) -> None:
    issued = await pki.issue(ORGNO, "Skarpnes og Ula")
    store = pkcs12.load_pkcs12(exports.pkcs12(issued, PASSWORD), PASSWORD.encode())
    assert store.cert is not None
    assert store.cert.certificate == issued.leaf
    assert [entry.certificate for entry in store.additional_certs] == list(issued.chain[1:])


async def test_the_trust_store_reads_back(pki: Pki) -> None:
    authorities = list((await pki.authorities()).values())
    store = pkcs12.load_pkcs12(exports.java_trust_store(authorities, PASSWORD), PASSWORD.encode())
    assert {entry.friendly_name: entry.certificate for entry in store.additional_certs} == {
        authority.profile.name.encode(): authority.certificate for authority in authorities
    }


async def test_java_reads_both_stores(pki: Pki, tmp_path: Path) -> None:
    """Where there is a Java: it takes the trust store for PKCS#12 and for JKS, and its entries for trusted ones."""
    if shutil.which("keytool") is None:
        return
    issued = await pki.issue(ORGNO, "Skarpnes og Ula")
    keys, trust = tmp_path / "keys.p12", tmp_path / "truststore.jks"
    keys.write_bytes(exports.pkcs12(issued, PASSWORD))
    trust.write_bytes(exports.java_trust_store((await pki.authorities()).values(), PASSWORD))
    listed = run("keytool", "-list", "-v", "-keystore", keys, "-storepass", PASSWORD).stdout
    assert "Entry type: PrivateKeyEntry" in listed
    assert "Certificate chain length: 3" in listed
    for kind in ("JKS", "PKCS12"):
        listed = run("keytool", "-list", "-keystore", trust, "-storetype", kind, "-storepass", PASSWORD).stdout
        assert listed.count("trustedCertEntry") == 6
        assert "test-seid2" in listed


@pytest.mark.parametrize("password", ["", "short", "long enough\0", "long\nenough", "\ud800" * 8])
async def test_a_password_that_java_could_not_take_is_refused(pki: Pki, password: str) -> None:
    authorities = (await pki.authorities()).values()
    with pytest.raises(InvalidRequestError):
        exports.java_trust_store(authorities, password)


ROOT = make.root()
ISSUING = ROOT.ca("Issuing", path_length=0)
DAY = dt.timedelta(days=1)


@pytest.mark.parametrize(
    "case",
    [
        pytest.param(lambda: (ISSUING.leaf(), ISSUING), id="good"),
        pytest.param(lambda: (ISSUING.leaf(key=make.ec_key("leaf")), ISSUING), id="elliptic"),
        pytest.param(lambda: (ISSUING.leaf(subject=make.SEID1), ISSUING), id="old shape"),
        pytest.param(lambda: (ISSUING.leaf(valid=(NOW - 2 * DAY, NOW - DAY)), ISSUING), id="expired"),
        pytest.param(lambda: (ISSUING.leaf(valid=(NOW + DAY, NOW + 2 * DAY)), ISSUING), id="not yet valid"),
        pytest.param(lambda: (ISSUING.leaf(signed_by=make.rsa_key("forger")), ISSUING), id="forged"),
        pytest.param(lambda: below(make.root("Stranger")), id="another root"),
        pytest.param(lambda: below(ROOT.ca("Old", valid=(NOW - 2 * DAY, NOW - DAY))), id="expired issuer"),
        pytest.param(lambda: below(ROOT.ca("No CA", is_ca=False)), id="issuer is no CA"),
        pytest.param(lambda: below(ROOT.ca("Mute", usage=make.key_usage("crl_sign"))), id="issuer may not sign"),
        pytest.param(lambda: below(ISSUING.ca("Too deep")), id="path too long"),
    ],
)
def test_openssl_finds_a_path_where_we_do_and_nowhere_else(case: object, tmp_path: Path) -> None:
    assert callable(case)
    leaf, issuer = case()
    (tmp_path / "root.pem").write_bytes(exports.pem_bundle([ROOT.certificate]))
    (tmp_path / "sent.pem").write_bytes(exports.pem_bundle([issuer.certificate, ISSUING.certificate]))
    (tmp_path / "leaf.pem").write_bytes(exports.pem_bundle([leaf]))
    theirs = run(
        "openssl", "verify", "-attime", str(int(NOW.timestamp())), "-CAfile", tmp_path / "root.pem",
        "-untrusted", tmp_path / "sent.pem", tmp_path / "leaf.pem",
    )  # fmt: skip
    anchors = TrustAnchors((ROOT.certificate,), (), ("*",))
    try:
        validate_chain([leaf, issuer.certificate, ISSUING.certificate], anchors, NOW)
        ours = True
    except CertificateRejectedError:
        ours = False
    assert ours == (theirs.returncode == 0), theirs.stderr


def below(issuer: Ca) -> tuple[x509.Certificate, Ca]:
    return issuer.leaf(), issuer

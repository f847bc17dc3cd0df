"""Certificates, judged by the rules of the certificate path, to the last of those that can be reached."""

from __future__ import annotations

import datetime as dt

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from fullmakt.cli.inspection.certificates import certificate_report
from fullmakt.cli.inspection.inspecting import inspect
from fullmakt.cli.inspection.reading import KeyStore
from fullmakt.cli.inspection.report import Outcome, Report, Verdict
from fullmakt.cli.inspection.surroundings import Known, Surroundings
from tests.support import certificates as make
from tests.support.tokens import CLIENT_ID, NOW, ORGNO, SUPPLIER, key_number, registered_client, registered_key
from tests.unit.cli.worlds import ISSUING, ROOT, known, leaf_signer

DAY = dt.timedelta(days=1)
PAST = (NOW - 9 * DAY, NOW - DAY)
OTHER_POLICY = {"policies": (make.policies("1.2.3"), False)}
OTHER_ROOT = make.root("Production root")


async def judge(*certificates: x509.Certificate, world: Known | None = None, client_id: str | None = None) -> Report:
    return await inspect(KeyStore("PEM", certificates), Surroundings(NOW, world or known(), client_id))


def problems(report: Report) -> list[object]:
    failed = [finding for finding in report.findings if finding.outcome is Outcome.FAILED]
    assert {finding.code for finding in failed} <= {"MP-120"}
    return [finding.facts["problem"] for finding in failed]


async def test_a_good_leaf_would_be_accepted() -> None:
    report = await judge(ISSUING.leaf())
    assert (report.kind, report.verdict) == ("certificate", Verdict.ACCEPTED)
    (certificate,) = report.parts
    assert certificate.content["organisation"] == ORGNO
    assert certificate.content["policies"] == [make.POLICY]
    assert certificate.content["CRL"] == [make.CRL_URL]


@pytest.mark.parametrize(
    ("chain", "expected"),
    [
        ([ISSUING.leaf(valid=PAST)], ["expired"]),
        ([ISSUING.leaf(valid=(NOW + DAY, NOW + 9 * DAY))], ["not_yet_valid"]),
        ([ISSUING.leaf(extensions=OTHER_POLICY)], ["policy"]),
        ([ISSUING.leaf(extensions={"usage": None})], ["key_usage_missing"]),
        ([ISSUING.leaf(subject=make.distinguished_name(C="NO", O="Nobody"))], ["no_organisation_number"]),
        ([ISSUING.leaf(key=make.rsa_key("weak", 1024))], ["weak_key"]),
        ([OTHER_ROOT.leaf()], ["untrusted"]),
        ([OTHER_ROOT.leaf(valid=PAST, extensions=OTHER_POLICY), OTHER_ROOT.certificate],
         ["expired", "untrusted", "policy"]),
    ],
)  # fmt: skip
async def test_every_broken_rule_is_named(chain: list[x509.Certificate], expected: list[str]) -> None:
    report = await judge(*chain)
    assert problems(report) == expected
    assert report.verdict is Verdict.REFUSED


async def test_revocation_is_looked_up_where_the_certificate_says() -> None:
    leaf = ISSUING.leaf()
    assert problems(await judge(leaf, world=known(revoked=[leaf]))) == ["revoked"]
    unavailable = await judge(leaf, world=known(crl_is_there=False))
    assert unavailable.verdict is Verdict.UNDECIDED
    assert unavailable.findings[-1].text == "http://crl.example does not answer"
    assert (await judge(leaf, world=known(revoked=[leaf], revocation=False))).verdict is Verdict.ACCEPTED


async def test_without_a_world_its_own_faults_are_named_and_trust_is_not_judged() -> None:
    for leaf, expected in ((ISSUING.leaf(), []), (ISSUING.leaf(valid=PAST), ["expired"])):
        report = await inspect(KeyStore("DER", (leaf,)), Surroundings(NOW))
        assert problems(report) == expected
        assert report.findings[-1].outcome is Outcome.UNCHECKED


async def test_certificates_of_cas_are_shown_and_not_judged() -> None:
    report = await judge(ROOT.certificate, ISSUING.certificate)
    assert (report.kind, report.verdict, len(report.parts)) == ("trust_store", None, 2)


async def test_a_key_store_is_judged_by_the_certificate_that_is_its_key_s() -> None:
    chain = (ROOT.certificate, ISSUING.certificate, ISSUING.leaf())
    report = await inspect(KeyStore("PKCS#12", chain, leaf_signer()), Surroundings(NOW, known()))
    assert (report.kind, report.verdict) == ("key_store", Verdict.ACCEPTED)
    assert [part.title for part in report.parts] == ["Certificate", "Certificate of a CA", "Certificate of a CA"]
    stray = await inspect(KeyStore("PEM", chain[2:], key_number(1)), Surroundings(NOW, known()))
    assert [f.check for f in stray.findings if f.outcome is Outcome.FAILED] == ["pair"]


async def test_an_empty_key_store_is_just_that() -> None:
    report = await judge()
    assert (report.kind, report.verdict) == ("key_store", None)


async def test_a_named_client_must_be_one_that_may_sign_with_it() -> None:
    leaf = ISSUING.leaf()
    without_keys = registered_client(keys=())
    assert (await judge(leaf, world=known(without_keys), client_id=CLIENT_ID)).verdict is Verdict.ACCEPTED
    registered = registered_client(keys=(registered_key(leaf_signer()),))
    assert (await judge(leaf, world=known(registered), client_id=CLIENT_ID)).verdict is Verdict.ACCEPTED
    for client, reason in (
        (registered_client(), "key_required"),
        (registered_client(keys=(), client_orgno=SUPPLIER), "wrong_certificate_owner"),
        (registered_client(client_id="another"), "client_not_found"),
    ):
        report = await judge(leaf, world=known(client), client_id=CLIENT_ID)
        assert [f.reason for f in report.findings if f.outcome is Outcome.FAILED] == [reason]


def test_what_can_not_be_read_in_a_certificate_is_said_and_no_more() -> None:
    """A certificate whose extensions are broken parses; the library finds out when it is asked for them."""
    der = ISSUING.leaf().public_bytes(Encoding.DER)
    broken = x509.load_der_x509_certificate(der.replace(b"\x06\x03\x55\x1d\x20", b"\x06\x03\x55\x1d\x0f"))
    report = certificate_report(broken)
    assert report.content["policies"] == "can not be read (DuplicateExtension)"

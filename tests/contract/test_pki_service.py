"""The PKI on PostgreSQL: created once, issuing in the issuers' shape, revoking for good."""

from __future__ import annotations

import asyncio
import datetime as dt

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.x509.oid import AuthorityInformationAccessOID, ExtensionOID
from sqlalchemy import text

from fullmakt.infra import feed
from fullmakt.infra.database import Database
from fullmakt.infra.secrets import MasterKey, MasterKeyError
from fullmakt.jose.chains import CertificateRejectedError, Rejection, check_revocation, parse_x5c, validate_chain
from fullmakt.jose.keys import LocalSigner
from fullmakt.kernel.clock import FixedClock
from fullmakt.kernel.identifiers import OrgNumber
from fullmakt.pki import rules
from fullmakt.pki.errors import InvalidRequestError, NotSetUpError, UnknownAuthorityError, UnknownCertificateError
from fullmakt.pki.model import IssuedCertificate
from fullmakt.pki.service import TOPIC, Pki
from tests.support.certificates import ec_key, rsa_key
from tests.support.pki import BASE_URL, MASTER_KEY, key_maker, set_up_pki

ORGNO = OrgNumber("910753614")
NAME = "Skarpnes og Ula"


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(dt.datetime(2026, 11, 21, 12, 0, tzinfo=dt.UTC))


@pytest.fixture
async def pki(database: Database, clock: FixedClock) -> Pki:
    return await set_up_pki(database, clock)


async def verdict(pki: Pki, issued: IssuedCertificate, now: dt.datetime) -> str:
    """What a token server would say to the certificate, sent as most clients do: the leaf alone."""
    try:
        validated = validate_chain(parse_x5c(issued.x5c[:1]), await pki.anchors(), now)
        crl = await pki.crl(issued.record.authority)
        check_revocation(validated, [x509.load_der_x509_crl(crl.der)], now)
    except CertificateRejectedError as error:
        return error.reason
    return f"{validated.orgno}"


async def test_the_cas_are_made_once_however_many_nodes_begin(database: Database, clock: FixedClock) -> None:
    nodes = [Pki(database, clock, MASTER_KEY, BASE_URL, new_key=key_maker(f"node{n}")) for n in range(3)]
    assert sorted(await asyncio.gather(*(node.ensure() for node in nodes))) == [False, False, True]
    assert not await nodes[0].ensure()
    assert await nodes[0].authorities() == await nodes[2].authorities()
    issued = await nodes[1].issue(ORGNO, NAME)
    assert await verdict(nodes[2], issued, clock()) == ORGNO


async def test_before_they_are_made_nothing_can_be_issued(database: Database, clock: FixedClock) -> None:
    pki = Pki(database, clock, MASTER_KEY, BASE_URL)
    for use in (pki.issue(ORGNO, NAME), pki.anchors(), pki.crl("test-root"), pki.authorities()):
        with pytest.raises(NotSetUpError):
            await use


async def test_keys_of_cas_are_sealed_and_keys_of_organisations_not_kept(
    database: Database, clock: FixedClock, pki: Pki
) -> None:
    issued = await pki.issue(ORGNO, NAME)
    der = issued.key.native.private_bytes(
        serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    async with database.transaction() as connection:
        rows = (await connection.execute(text("SELECT sealed_key FROM pki.authority"))).scalars().all()
        kept = (await connection.execute(text("SELECT CAST(c AS text) FROM pki.certificate c"))).scalars().all()
    assert len(rows) == len(rules.AUTHORITIES)
    assert not any(b"PRIVATE" in row for row in rows)
    assert not any(der.hex() in row for row in kept)
    with pytest.raises(MasterKeyError):
        await Pki(database, clock, MasterKey(bytes([1] * 32)), BASE_URL).issue(ORGNO, NAME)


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ({}, ORGNO),
        ({"seid": 1}, ORGNO),
        ({"seid": 2, "days": 1}, ORGNO),
        ({"expired": True}, Rejection.EXPIRED),
        ({"expired": True, "days": 1825}, Rejection.EXPIRED),
        ({"revoked": True}, Rejection.REVOKED),
        ({"revoked": True, "seid": 1}, Rejection.REVOKED),
        ({"wrong_environment": True}, Rejection.UNTRUSTED),
        ({"wrong_environment": True, "revoked": True, "seid": 1}, Rejection.UNTRUSTED),
    ],
)
async def test_a_certificate_is_as_good_or_bad_as_was_asked_for(
    pki: Pki, clock: FixedClock, asked: dict[str, object], expected: str
) -> None:
    issued = await pki.issue(ORGNO, NAME, **asked)  # type: ignore[arg-type]
    assert await verdict(pki, issued, clock()) == expected


async def test_a_leaf_is_in_the_shape_of_the_norwegian_issuers(pki: Pki) -> None:
    leaf = (await pki.issue(ORGNO, NAME, seid=1)).leaf
    extensions = leaf.extensions
    usage = extensions.get_extension_for_class(x509.KeyUsage)
    assert usage.critical
    assert (usage.value.digital_signature, usage.value.content_commitment, usage.value.key_encipherment) == (
        True, True, False
    )  # fmt: skip
    (policy,) = extensions.get_extension_for_class(x509.CertificatePolicies).value
    assert policy.policy_identifier.dotted_string == "2.16.578.1.26.1.0.3.2"
    (point,) = extensions.get_extension_for_class(x509.CRLDistributionPoints).value
    assert [name.value for name in point.full_name or ()] == [f"{BASE_URL}/crl/test-seid1.crl"]
    (access,) = extensions.get_extension_for_class(x509.AuthorityInformationAccess).value
    assert access.access_method == AuthorityInformationAccessOID.CA_ISSUERS
    assert access.access_location.value == f"{BASE_URL}/ca/test-seid1.cer"
    assert {extension.oid for extension in extensions if extension.critical} == {ExtensionOID.KEY_USAGE}
    assert leaf.not_valid_after_utc - leaf.not_valid_before_utc == dt.timedelta(days=1095)
    assert leaf.subject.rfc4514_string() == f"2.5.4.5={ORGNO},CN={NAME},O={NAME},C=NO"


async def test_the_chain_goes_from_the_leaf_to_the_root(pki: Pki) -> None:
    issued = await pki.issue(ORGNO, NAME, wrong_environment=True)
    authorities = await pki.authorities()
    assert issued.chain[1:] == (
        authorities["production-seid2"].certificate,
        authorities["production-root"].certificate,
    )
    assert parse_x5c(issued.x5c) == issued.chain[:2]


async def test_an_organisation_may_bring_its_own_key(pki: Pki, clock: FixedClock) -> None:
    for native in (rsa_key("own", 3072), ec_key("own")):
        issued = await pki.issue(ORGNO, NAME, key=LocalSigner.from_native(native))
        assert issued.leaf.public_key() == native.public_key()
        assert await verdict(pki, issued, clock()) == ORGNO
    with pytest.raises(InvalidRequestError, match="2048"):
        await pki.issue(ORGNO, NAME, key=LocalSigner.from_native(rsa_key("own weak", 1024)))


async def test_a_refused_order_leaves_nothing_behind(pki: Pki, database: Database) -> None:
    for name, days in (("", 1), ("a\0b", 1), ("Liar - 974760673", 1), (NAME, 0)):
        with pytest.raises(InvalidRequestError):
            await pki.issue(ORGNO, name, days=days)
    assert await pki.certificates() == []


async def test_a_revocation_is_on_the_crl_at_once_and_for_good(pki: Pki, clock: FixedClock) -> None:
    good, bad = await pki.issue(ORGNO, NAME), await pki.issue(ORGNO, NAME)
    before = await pki.crl("test-seid2")
    clock.advance(minutes=1)
    record = await pki.revoke(bad.record.serial.lower())
    assert record.revoked_at == clock()
    assert (await pki.crl("test-seid2")).number == before.number + 1
    clock.advance(minutes=1)
    assert await pki.revoke(bad.record.serial) == record
    assert (await pki.crl("test-seid2")).number == before.number + 1
    assert [await verdict(pki, issued, clock()) for issued in (good, bad)] == [ORGNO, Rejection.REVOKED]


async def test_revocations_on_two_nodes_at_once_are_all_listed(database: Database, clock: FixedClock) -> None:
    first, second = await set_up_pki(database, clock), await set_up_pki(database, clock)
    issued = [await first.issue(ORGNO, NAME) for _ in range(8)]
    nodes = (first, second)
    await asyncio.gather(*(nodes[number % 2].revoke(each.record.serial) for number, each in enumerate(issued)))
    published = await first.crl("test-seid2")
    listed = {entry.serial_number for entry in x509.load_der_x509_crl(published.der)}
    assert listed == {each.leaf.serial_number for each in issued}
    assert published.number == 8


async def test_a_crl_is_made_anew_at_half_its_life_and_is_the_same_on_every_node(
    database: Database, clock: FixedClock
) -> None:
    first, second = await set_up_pki(database, clock), await set_up_pki(database, clock)
    crls = await asyncio.gather(*(node.crl("test-seid1") for node in (first, second) * 3))
    assert {(crl.number, crl.der) for crl in crls} == {(1, crls[0].der)}
    clock.advance(hours=11, minutes=59)
    assert await second.crl("test-seid1") == crls[0]
    clock.advance(minutes=1)
    renewed = await asyncio.gather(*(node.crl("test-seid1") for node in (first, second) * 3))
    assert {crl.number for crl in renewed} == {2}
    parsed = x509.load_der_x509_crl(renewed[0].der)
    assert parsed.next_update_utc == clock() + dt.timedelta(days=1)
    assert parsed.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number == 2


async def test_a_revoked_certificate_leaves_the_crl_a_month_after_it_expired(pki: Pki, clock: FixedClock) -> None:
    await pki.issue(ORGNO, NAME, revoked=True, days=1)
    clock.advance(days=30)
    assert len(x509.load_der_x509_crl((await pki.crl("test-seid2")).der)) == 1
    clock.advance(days=2)
    assert len(x509.load_der_x509_crl((await pki.crl("test-seid2")).der)) == 0


@pytest.mark.parametrize("serial", ["00", "ABCDEF"])
async def test_a_serial_number_that_is_not_ours_can_not_be_revoked(pki: Pki, serial: str) -> None:
    with pytest.raises(UnknownCertificateError, match=serial):
        await pki.revoke(serial)


@pytest.mark.parametrize("name", ["", "root", "test-root\0", "\ud800"])
async def test_an_unknown_ca_has_no_crl(pki: Pki, name: str) -> None:
    with pytest.raises(UnknownAuthorityError):
        await pki.crl(name)


async def test_what_is_issued_is_listed_newest_first(pki: Pki, clock: FixedClock) -> None:
    other = OrgNumber("974760673")
    records = []
    for orgno in (ORGNO, other, ORGNO):
        records.append((await pki.issue(orgno, NAME)).record)
        clock.advance(seconds=1)
    assert await pki.certificates() == records[::-1]
    assert await pki.certificates(ORGNO) == [records[2], records[0]]
    assert await pki.certificates(limit=1) == [records[2]]


async def test_every_change_is_audited_and_announced(pki: Pki, database: Database) -> None:
    async with database.transaction() as connection:
        since = await feed.current_version(connection, TOPIC)
    issued = await pki.issue(ORGNO, NAME, actor="910753614")
    await pki.revoke(issued.record.serial)
    serial = issued.record.serial
    async with database.transaction() as connection:
        changes = await feed.changes_since(connection, TOPIC, since)
        rows = (await connection.execute(text("SELECT * FROM audit.event WHERE system = 'pki' ORDER BY id"))).all()
    assert list(changes.keys) == [f"certificate:{serial}", f"certificate:{serial}", "crl:test-seid2"]
    assert [(row.action, row.actor) for row in rows[:6]] == [("authority:create", "operator")] * 6
    assert [(row.action, row.subject, row.actor, row.outcome) for row in rows[6:]] == [
        ("certificate:issue", serial, "910753614", "done"),
        ("certificate:revoke", serial, "operator", "done"),
    ]
    assert rows[6].facts["orgno"] == ORGNO


async def test_an_issue_that_fails_half_way_leaves_nothing(database: Database, clock: FixedClock) -> None:
    pki = Pki(database, clock, MASTER_KEY, BASE_URL, new_serial=lambda: 7, new_key=key_maker())
    await pki.ensure()
    await pki.issue(ORGNO, NAME)
    with pytest.raises(Exception, match="certificate_pkey"):
        await pki.issue(ORGNO, NAME)
    async with database.transaction() as connection:
        issues = await connection.execute(text("SELECT count(*) FROM audit.event WHERE action = 'certificate:issue'"))
    assert issues.scalar_one() == 1

"""An organisation rotates its clients' keys (maskinporten.md §7.4)."""

from __future__ import annotations

import asyncio
import json
import logging
import re
from typing import Any

import httpx2
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from cryptography.x509.oid import NameOID
from sqlalchemy import text

from fullmakt.infra.database import Database
from fullmakt.jose.keys import LocalSigner
from fullmakt.kernel.clock import FixedClock
from fullmakt.kernel.identifiers import OrgNumber
from fullmakt.maskinporten.selfservice.ports import CheckedCertificate
from fullmakt.maskinporten.selfservice.registry import PostgresRegistry
from tests.support.selfservice import CONSUMER, START, STRANGER, Api, client_body

YEAR = 365 * 24 * 3600
EXP = int(START.timestamp()) + YEAR
AT = "2026-11-21T12:00:00.123+00:00"
SIGNERS = [LocalSigner.generate(kid=f"key-{number}") for number in range(2)]
EC = LocalSigner.generate(ec_key=True, kid="ec")
PUBLIC = (Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
JWKS = "/clients/c1/jwks"
KEY = "https://api.samarbeid.test/api/v2/clients/c1/key"


@pytest.fixture
async def api(database: Database) -> Api:
    api = Api(database)
    await api.service.operator.declare_client("c1", CONSUMER, client_body())
    return api


@pytest.fixture
def me(api: Api) -> httpx2.AsyncClient:
    return api.caller(CONSUMER, {"idporten:dcr.write"}, lifetime=2 * YEAR)


def jwk(number: int = 0, **more: Any) -> dict[str, Any]:
    return {**SIGNERS[number].public_jwk(), **more}


def stored(sent: dict[str, Any], *, exp: int = EXP, created: str = AT, last_updated: str = AT) -> dict[str, Any]:
    return {**sent, "exp": exp, "created": created, "last_updated": last_updated}


async def test_a_set_is_posted_replaced_and_removed(me: httpx2.AsyncClient) -> None:
    assert (await me.get(JWKS)).json() == {"keys": []}
    first = await me.post(JWKS, json={"keys": [jwk()]})
    assert first.status_code == 200
    assert first.json() == {"keys": [stored(jwk())], "created": AT, "last_updated": AT}
    assert (await me.get("/clients/c1")).json()["jwks_uri"] == "/clients/c1/jwks"
    second = await me.put(JWKS, json=[jwk(1)])
    assert [key["kid"] for key in second.json()["keys"]] == ["key-1"]
    assert (await me.get(JWKS)).json() == second.json()
    gone = await me.delete(JWKS)
    assert (gone.status_code, gone.content) == (200, b"")
    assert (await me.get(JWKS)).json() == {"keys": []}
    assert "jwks_uri" not in (await me.get("/clients/c1")).json()


async def test_a_rotation_job_posts_back_what_it_got_and_one_more(me: httpx2.AsyncClient, api: Api) -> None:
    await me.post(JWKS, json={"keys": [jwk()]})
    api.clock.advance(days=100)
    there = (await me.get(JWKS)).json()
    response = await me.post(JWKS, json={**there, "keys": [*there["keys"], jwk(1)]})
    later = "2027-03-01T12:00:00.123+00:00"
    assert response.json()["keys"] == [
        stored(jwk(), last_updated=later),
        stored(jwk(1), exp=EXP + 100 * 24 * 3600, created=later, last_updated=later),
    ]


async def test_posting_a_key_again_renews_it(me: httpx2.AsyncClient, api: Api) -> None:
    await me.post(JWKS, json={"keys": [jwk()]})
    api.clock.advance(days=400)
    renewed = await me.post(JWKS, json={"keys": [jwk()]})
    (key,) = renewed.json()["keys"]
    assert (key["exp"], key["created"]) == (EXP + 400 * 24 * 3600, AT)


async def test_another_key_by_the_same_name_is_a_new_key(me: httpx2.AsyncClient, api: Api) -> None:
    await me.post(JWKS, json={"keys": [jwk()]})
    api.clock.advance(seconds=1)
    (key,) = (await me.post(JWKS, json={"keys": [jwk(1, kid="key-0")]})).json()["keys"]
    assert key["created"] == "2026-11-21T12:00:01.123+00:00"


async def test_single_keys_are_put_read_and_removed(me: httpx2.AsyncClient) -> None:
    put = await me.put(f"{JWKS}/key-0", json=jwk())
    assert (put.status_code, put.json()) == (200, stored(jwk()))
    unnamed = {name: value for name, value in jwk(1).items() if name != "kid"}
    assert (await me.put(f"{JWKS}/other", json=unnamed)).json()["kid"] == "other"
    assert (await me.put(f"{JWKS}/other", json=jwk(1))).status_code == 400
    assert (await me.put(f"{JWKS}/a%00b", json=unnamed)).status_code == 400
    assert (await me.get(f"{JWKS}/key-0")).json() == stored(jwk())
    gone = await me.delete(f"{JWKS}/key-0")
    assert (gone.status_code, gone.content) == (200, b"")
    for missing in ("key-0", "a%00b", "%F0%9F%98%80"):
        assert (await me.get(f"{JWKS}/{missing}")).status_code == 404
        assert (await me.delete(f"{JWKS}/{missing}")).status_code == 404


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"keys": []}, "keys"),
        ({"keys": [jwk(kid=f"k{number}") for number in range(6)]}, "keys"),
        ({"keys": [jwk(), jwk()]}, "keys"),
        ({}, "keys"),
        ([jwk(use="enc")], "keys[0].use"),
        ([{**jwk(), "use": None}], "keys[0].use"),
        ([jwk(), jwk(1, kid="a b")], "keys[1].kid"),
        ([jwk(d="x")], "keys[0].d"),
        ([jwk(alg="ES256")], "keys[0].alg"),
        ([jwk(exp=int(START.timestamp()))], "keys[0].exp"),
        ([jwk(n="AQAB")], "keys[0].n"),
        ([jwk(x5c="MIIB")], "keys.0.x5c"),
        ([jwk(x5c=["MIIB"])], "keys[0].x5c"),
        ([{"kty": "oct", "k": "c2VjcmV0", "kid": "a", "use": "sig"}], "keys[0].k"),
        (["key"], "keys.0"),
    ],
)
async def test_a_set_that_breaks_a_rule_changes_nothing(me: httpx2.AsyncClient, body: object, field: str) -> None:
    await me.post(JWKS, json={"keys": [jwk(kid="before")]})
    response = await me.post(JWKS, json=body)
    assert response.status_code == 400
    assert field in [error["fieldIdentifier"] for error in response.json()["errors"]]
    assert [key["kid"] for key in (await me.get(JWKS)).json()["keys"]] == ["before"]
    assert "c2VjcmV0" not in response.text


async def test_the_sixth_key_is_one_too_many(me: httpx2.AsyncClient) -> None:
    await me.post(JWKS, json={"keys": [jwk(kid=f"k{number}") for number in range(5)]})
    assert (await me.put(f"{JWKS}/k5", json=jwk(kid="k5"))).status_code == 400
    assert (await me.put(f"{JWKS}/k4", json=jwk(1, kid="k4"))).status_code == 200


def pem(signer: LocalSigner) -> bytes:
    return signer.native.public_key().public_bytes(*PUBLIC)


def certificate(signer: LocalSigner, clock: FixedClock) -> bytes:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "self-made")])
    now = clock()
    built = x509.CertificateBuilder(name, name, signer.native.public_key(), 1, now, now.replace(year=now.year + 1))
    return built.sign(signer.native, hashes.SHA256()).public_bytes(Encoding.PEM)


async def test_a_person_pastes_a_jwk_a_public_key_or_a_certificate(me: httpx2.AsyncClient, api: Api) -> None:
    as_jwk = await me.post(KEY, json=jwk(), headers={"Content-Type": "text/plain"})
    assert (as_jwk.status_code, as_jwk.json()) == (200, stored(jwk()))
    for number, form in enumerate((pem(SIGNERS[0]), certificate(SIGNERS[1], api.clock))):
        pasted = await me.post(KEY, content=form, headers={"Content-Type": "text/plain"})
        assert pasted.status_code == 200, pasted.text
        assert pasted.json() == stored(jwk(number, kid=pasted.json()["kid"]))
        assert len(pasted.json()["kid"]) == 36
    assert len((await me.get(JWKS)).json()["keys"]) == 3


async def test_the_same_key_pasted_again_as_pem_is_renewed_under_its_kid(me: httpx2.AsyncClient, api: Api) -> None:
    async def paste(form: bytes) -> dict[str, Any]:
        answer = await me.post(KEY, content=form, headers={"Content-Type": "text/plain"})
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    first = await paste(pem(SIGNERS[0]))
    other = await paste(pem(SIGNERS[1]))
    api.clock.advance(days=1)
    again = await paste(pem(SIGNERS[0]))
    later = "2026-11-22T12:00:00.123+00:00"
    assert again == stored(jwk(kid=first["kid"]), exp=EXP + 24 * 3600, last_updated=later)
    assert (await paste(certificate(SIGNERS[0], api.clock)))["kid"] == first["kid"]
    assert {key["kid"] for key in (await me.get(JWKS)).json()["keys"]} == {first["kid"], other["kid"]}


async def test_the_same_pem_pasted_many_times_at_once_is_one_key(me: httpx2.AsyncClient) -> None:
    headers = {"Content-Type": "text/plain"}
    answers = await asyncio.gather(*(me.post(KEY, content=pem(SIGNERS[0]), headers=headers) for _ in range(7)))
    assert [answer.status_code for answer in answers] == [200] * 7
    (key,) = (await me.get(JWKS)).json()["keys"]
    assert {answer.json()["kid"] for answer in answers} == {key["kid"]}


@pytest.mark.parametrize("more", [{"kid": "my-key"}, {"alg": "RS512"}, {"x5c": ["MIIGood"]}], ids=str)
async def test_a_key_that_was_registered_otherwise_is_left_as_it_is_by_its_pem(
    me: httpx2.AsyncClient, api: Api, more: dict[str, Any]
) -> None:
    api.certificates.good["MIIGood"] = checked(CONSUMER, SIGNERS[0])
    own = jwk(**{"kid": "5a6d4a9e-3b0a-4a68-9b0e-2f6f6c2d7c11", **more})
    assert (await me.post(JWKS, json=[own])).status_code == 200
    api.clock.advance(days=1)
    pasted = await me.post(KEY, content=pem(SIGNERS[0]), headers={"Content-Type": "text/plain"})
    assert pasted.json()["kid"] != own["kid"]
    assert stored(own) in (await me.get(JWKS)).json()["keys"]


@pytest.mark.parametrize(
    "sent",
    [b"", b"hello", b"{", b'{"kty":', b'{"kty": 1}', b"\xff\xfe", SIGNERS[0].to_pem(), b'{"a":' * 5000, "æ".encode()],
    ids=range(9),
)
async def test_something_else_pasted_is_refused(me: httpx2.AsyncClient, sent: bytes) -> None:
    response = await me.post(KEY, content=sent, headers={"Content-Type": "text/plain"})
    assert response.status_code == 400
    assert response.json()["errors"][0]["errorMessage"]
    assert (await me.get(JWKS)).json() == {"keys": []}


def private_forms() -> dict[str, bytes]:
    """A private key in each form that somebody may paste by mistake."""
    native = SIGNERS[0].native
    assert isinstance(native, rsa.RSAPrivateKey)
    return {
        "PKCS#8": SIGNERS[0].to_pem(),
        "encrypted": SIGNERS[0].to_pem(b"password"),
        "PKCS#1": native.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()),
        "OpenSSH": native.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption()),
        "after a certificate": certificate(SIGNERS[0], FixedClock(START)) + SIGNERS[0].to_pem(),
        "JWK": json.dumps(SIGNERS[0].private_jwk()).encode(),
    }


@pytest.mark.parametrize("form", private_forms())
async def test_a_private_key_is_refused_and_neither_repeated_nor_written_down(
    me: httpx2.AsyncClient, database: Database, caplog: pytest.LogCaptureFixture, form: str
) -> None:
    caplog.set_level(logging.DEBUG)
    sent = private_forms()[form]
    response = await me.post(KEY, content=sent, headers={"Content-Type": "text/plain"})
    assert response.status_code == 400
    assert "send the public half only, and make a new key, for this one is no longer secret" in response.text
    assert (await me.get(JWKS)).json() == {"keys": []}
    async with database.transaction() as connection:
        events = (await connection.execute(text("SELECT e::text FROM audit.event AS e"))).scalars().all()
    assert any("no longer secret" in event for event in events)
    words = [word for word in re.findall(r"[\w+/=-]{24,}", sent.decode()) if "PRIVATE" not in word]
    for place in (response.text, caplog.text, *events):
        assert [word for word in words if word in place] == []


def weak() -> bytes:
    return rsa.generate_private_key(65537, 1024).public_key().public_bytes(*PUBLIC)  # noqa: S505 - that is the point


@pytest.mark.parametrize(
    ("sent", "told"),
    [
        (weak(), "the RSA key has 1024 bits: 2048 is the least"),
        (EC.native.public_key().public_bytes(*PUBLIC), "the key must be an RSA key"),
        (json.dumps(EC.public_jwk()).encode(), "kty must be RSA"),
        (json.dumps({"keys": [jwk()]}).encode(), "kty: Field required"),
        (b"ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABAQC7 me@home", "this is not a PEM public key or certificate"),
    ],
    ids=["weak", "elliptic PEM", "elliptic JWK", "a set", "for SSH"],
)
async def test_what_is_wrong_with_a_pasted_key_is_said_in_words(me: httpx2.AsyncClient, sent: bytes, told: str) -> None:
    response = await me.post(KEY, content=sent, headers={"Content-Type": "text/plain"})
    assert response.status_code == 400
    assert told in [error["errorMessage"] for error in response.json()["errors"]]


async def test_a_pasted_certificate_that_has_expired_is_refused(me: httpx2.AsyncClient, api: Api) -> None:
    old = certificate(SIGNERS[0], api.clock)
    api.clock.advance(days=366)
    response = await me.post(KEY, content=old, headers={"Content-Type": "text/plain"})
    assert response.status_code == 400
    assert response.json()["errors"][0]["errorMessage"] == (
        "the certificate expired on 2027-11-21: send one that is valid, or its public key alone"
    )


async def test_what_notepad_puts_before_a_text_is_passed_over(me: httpx2.AsyncClient) -> None:
    for sent in (pem(SIGNERS[0]).replace(b"\n", b"\r\n"), json.dumps(jwk(1)).encode()):
        response = await me.post(KEY, content=b"\xef\xbb\xbf" + sent, headers={"Content-Type": "text/plain"})
        assert response.status_code == 200, response.text


def checked(orgno: OrgNumber, signer: LocalSigner) -> CheckedCertificate:
    return CheckedCertificate(orgno, signer.public, b"leaf")


async def test_a_key_with_a_certificate_is_locked_to_it(me: httpx2.AsyncClient, api: Api, database: Database) -> None:
    api.certificates.good["MIIGood"] = checked(CONSUMER, SIGNERS[0])
    response = await me.post(JWKS, json=[jwk(x5c=["MIIGood", "MIICa"])])
    assert response.json()["keys"] == [stored(jwk(x5c=["MIIGood", "MIICa"]))]
    registry = PostgresRegistry(database)
    ((key,),) = [client.keys for client in (await registry.clients(["c1"])).values()]
    assert (key.certificate, key.x5c) == (b"leaf", ("MIIGood", "MIICa"))
    await registry.close()
    assert (await me.put(f"{JWKS}/key-0", json=jwk(x5c=["MIIGood"]))).status_code == 200


@pytest.mark.parametrize(
    ("owner", "signer", "told"),
    [
        (None, SIGNERS[0], "not issued by anybody we trust"),
        (STRANGER, SIGNERS[0], "not the client's organisation's"),
        (CONSUMER, SIGNERS[1], "speaks for another key"),
    ],
)
async def test_a_certificate_must_hold_be_the_owners_and_fit_the_key(
    me: httpx2.AsyncClient, api: Api, owner: OrgNumber | None, signer: LocalSigner, told: str
) -> None:
    if owner is not None:
        api.certificates.good["MII"] = checked(owner, signer)
    for attempt in (
        me.post(JWKS, json=[jwk(x5c=["MII"])]),
        me.put(f"{JWKS}/key-0", json=jwk(x5c=["MII"])),
        me.post(KEY, json=jwk(x5c=["MII"])),
    ):
        response = await attempt
        assert (response.status_code, told in response.text) == (400, True)


async def test_elliptic_keys_are_taken_where_they_are_allowed(database: Database) -> None:
    key = LocalSigner.generate(ec_key=True)
    api = Api(database, allow_ec_keys=True)
    await api.service.operator.declare_client("c1", CONSUMER, client_body())
    response = await api.caller(CONSUMER).post(JWKS, json=[key.public_jwk()])
    assert response.json()["keys"] == [stored(key.public_jwk())]
    strict = Api(database)
    assert (await strict.caller(CONSUMER).post(JWKS, json=[key.public_jwk()])).status_code == 400


async def test_the_modify_scope_changes_keys_and_makes_no_clients(api: Api) -> None:
    me = api.caller(CONSUMER, {"idporten:dcr.modify"})
    assert (await me.post(JWKS, json=[jwk()])).status_code == 200
    assert (await me.post("/clients", json=client_body().model_dump())).status_code == 403
    assert (await me.delete("/clients/c1")).status_code == 403
    assert (await me.get(JWKS)).status_code == 403

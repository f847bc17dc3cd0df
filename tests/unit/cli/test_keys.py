"""Keys, judged as self-service would take them."""

from __future__ import annotations

import json
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from fullmakt.cli.inspection.inspecting import inspect
from fullmakt.cli.inspection.reading import Jwk, Jwks, KeyStore, PublicPem, Thing
from fullmakt.cli.inspection.report import Outcome, Report, Verdict
from fullmakt.cli.inspection.surroundings import Surroundings
from fullmakt.jose.keys import LocalSigner
from fullmakt.wire.maskinporten.registry import RegisteredClient
from tests.support import certificates as make
from tests.support.tokens import CLIENT_ID, NOW, SECONDS, ec_key, key_number, registered_client, registered_key
from tests.unit.cli.worlds import known

PUBLIC = key_number(1).public_jwk()
PRIVATE = key_number(1).private_jwk()


async def judge(thing: Thing, *clients: RegisteredClient, client_id: str | None = None, **settings: Any) -> Report:
    return await inspect(thing, Surroundings(NOW, known(*clients, **settings), client_id))


def pem(bits: int = 2048) -> bytes:
    public = make.rsa_key("pem", bits).public_key()
    return public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def problems(report: Report) -> list[str]:
    return [finding.text for finding in report.findings if finding.outcome is Outcome.FAILED]


async def test_a_public_key_says_what_it_is() -> None:
    report = await judge(Jwk(PUBLIC))
    assert (report.kind, report.verdict) == ("jwk", Verdict.ACCEPTED)
    assert report.content["key"] == "RSA, 2048 bits"
    assert report.content["thumbprint (RFC 7638)"] == key_number(1).public.thumbprint


@pytest.mark.parametrize(
    ("thing", "kind"),
    [(Jwk(PRIVATE), "private_jwk"), (Jwks([PRIVATE]), "jwks"), (KeyStore("PEM", (), key_number(1)), "private_key")],
)
async def test_of_a_private_key_nothing_private_is_shown(thing: Thing, kind: str) -> None:
    report = await judge(thing)
    assert report.kind == kind
    assert "private key" in report.notes[0].lower()
    shown = json.dumps(report.document())
    assert not any(PRIVATE[name] in shown for name in ("d", "p", "q", "dp", "dq", "qi"))


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"use": "enc"}, ["`use`: use is required and must be sig"]),
        ({"alg": "PS256"}, ["`alg`: alg must be one of RS256, RS384, RS512"]),
        ({"kid": "a b"}, ["`kid`: kid is required and may hold letters, digits and . _ -"]),
        ({"exp": 1, "use": None}, ["`use`: use is required and must be sig", "`exp`: exp has passed"]),
        ({"exp": SECONDS - 1}, ["`exp`: exp has passed"]),
        ({"n": "AQAB"}, ["`n`: the RSA key has 17 bits: 2048 is the least"]),
        ({"kty": 7}, ["`kty`: Input should be a valid string"]),
        ({"x5c": "no list"}, ["`x5c`: Input should be a valid list"]),
    ],
)  # fmt: skip
async def test_each_rule_that_self_service_would_name_is_named(changes: dict[str, Any], expected: list[str]) -> None:
    report = await judge(Jwk({**PUBLIC, **changes}))
    assert problems(report) == expected
    assert report.verdict is Verdict.REFUSED


async def test_elliptic_curves_are_taken_where_the_world_takes_them() -> None:
    thing = Jwk(ec_key().public_jwk())
    assert problems(await judge(thing)) == ["`kty`: kty must be RSA"]
    report = await judge(thing, allow_ec_keys=True)
    assert report.verdict is Verdict.ACCEPTED
    assert report.content["key"] == "EC, P-256"


async def test_a_set_is_judged_as_one() -> None:
    two = Jwks([PUBLIC, key_number(2).public_jwk()])
    assert (await judge(two)).verdict is Verdict.ACCEPTED
    assert problems(await judge(Jwks([PUBLIC, PUBLIC]))) == ["`keys`: Every key must have a kid of its own"]
    assert problems(await judge(Jwks([]))) == [
        "`keys`: At least one key is required: use DELETE to remove the last one"
    ]
    assert problems(await judge(Jwks([{**PUBLIC, "use": "enc"}]))) == ["`keys[0].use`: use is required and must be sig"]
    assert problems(await judge(Jwks([PUBLIC, 7, {}]))) == ["`keys[1]` is no object", "`keys[1].kty`: Field required"]


async def test_pem_is_judged_by_its_key() -> None:
    report = await judge(PublicPem(pem()))
    assert (report.kind, report.verdict, report.content["key"]) == ("public_key", Verdict.ACCEPTED, "RSA, 2048 bits")
    assert problems(await judge(PublicPem(pem(1024)))) == ["the RSA key has 1024 bits: 2048 is the least"]


async def test_a_named_client_s_registration_is_looked_up() -> None:
    good = await judge(Jwk(PUBLIC), registered_client(), client_id=CLIENT_ID)
    assert good.verdict is Verdict.ACCEPTED
    assert good.findings[-1].text == f"is registered on `{CLIENT_ID}` as `key-1`"
    expired = registered_client(keys=(registered_key(expires_at=SECONDS - 1.0),))
    cases: list[tuple[RegisteredClient, str, LocalSigner]] = [
        (registered_client(), "unknown_kid", key_number(2)),
        (expired, "expired_key", key_number(1)),
        (registered_client(client_id="somebody-else"), "client_not_found", key_number(1)),
    ]
    for client, reason, key in cases:
        report = await judge(Jwk(key.public_jwk()), client, client_id=CLIENT_ID)
        assert [finding.reason for finding in report.findings if finding.outcome is Outcome.FAILED] == [reason]


async def test_without_a_world_a_registration_can_not_be_looked_up() -> None:
    report = await inspect(Jwk(PUBLIC), Surroundings(NOW, None, CLIENT_ID))
    assert report.verdict is Verdict.UNDECIDED

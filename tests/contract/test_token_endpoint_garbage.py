"""Whatever is thrown at the token endpoint: the right 4xx in the right form, never a 500, a token or half a record."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from fullmakt.infra.database import Database
from fullmakt.jose.compact import b64url_encode
from fullmakt.kernel.clock import FixedClock
from fullmakt.kernel.identifiers import OrgNumber
from fullmakt.wire.maskinporten.grant import GRANT_TYPE, KNOWN_CLAIMS
from tests.support.refusals import Prober
from tests.support.token_nodes import Node, node, set_up_pki
from tests.support.tokens import (
    ABSENT,
    CLIENT_ID,
    NOW,
    ORGNO,
    SCOPE,
    SECONDS,
    SUPPLIER,
    RegistryRows,
    claims_of,
    key_number,
    sign,
)

garbage = settings(
    max_examples=60, derandomize=True, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@pytest.fixture
async def server(database_url: str, database: Database) -> AsyncIterator[Node]:
    """A server with a client that has a key, and one that has none."""
    rows = RegistryRows(database)
    await rows.scope()
    await rows.client()
    await rows.client("without-keys", keys=[])
    clock = FixedClock(NOW)
    pki, crls = await set_up_pki(database, clock)
    async with node(database_url, clock=clock, anchors=pki, crls=crls) as server:
        yield server


@pytest.fixture
def prober(server: Node) -> Prober:
    return Prober(server)


# -- requests ---------------------------------------------------------------------------------------------------------

_CONTENT_TYPES = st.sampled_from(
    [None, "", "application/x-www-form-urlencoded", "application/x-www-form-urlencoded; charset=utf-16",
     "application/json", "multipart/form-data; boundary=x", "text/plain", ";", "application/x-www-form-urlencoded" * 99]
)  # fmt: skip


@garbage
@given(form=st.binary(max_size=200), content_type=_CONTENT_TYPES)
async def test_any_bytes_as_a_form(prober: Prober, form: bytes, content_type: str | None) -> None:
    await prober.send(form, content_type)


_FRAGMENTS = st.sampled_from(
    [b"grant_type", b"assertion", b"=", b"&", b"%", b"%00", b"%ff", b"%ed%a0%80", b"+", b";", b"\x00", b"a.b.c",
     GRANT_TYPE.encode(), b"\xc3", b"\xed\xa0\x80", b"eyJhbGciOiJub25lIn0.e30."]
)  # fmt: skip


@garbage
@given(fragments=st.lists(_FRAGMENTS, max_size=30))
async def test_forms_put_together_at_random(prober: Prober, fragments: list[bytes]) -> None:
    await prober.send(b"".join(fragments))


@garbage
@given(assertion=st.text(st.characters(codec="utf-8"), max_size=200))
async def test_any_text_as_an_assertion(prober: Prober, assertion: str) -> None:
    await prober.refuse(assertion)


# -- what stands in a JWT ---------------------------------------------------------------------------------------------

_SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), st.text(max_size=12),
    st.sampled_from(["\x00", "\x7f", "\u2028", "a\x00b", "'", '"', "%s", "{}", "${x}", "\U0001f600", "٣", " "]),
)  # fmt: skip
_JSON = st.recursive(
    _SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@garbage
@given(header=st.binary(max_size=60), payload=st.binary(max_size=60), signature=st.binary(max_size=60))
async def test_three_parts_of_anything(prober: Prober, header: bytes, payload: bytes, signature: bytes) -> None:
    await prober.refuse(b".".join(map(b64url_encode, (header, payload, signature))).decode())


@garbage
@given(header=_JSON, claims=_JSON)
async def test_three_parts_of_json(prober: Prober, header: Any, claims: Any) -> None:
    parts = (json.dumps(header).encode(), json.dumps(claims).encode(), b"signature")
    await prober.refuse(b".".join(map(b64url_encode, parts)).decode())


def _right(claim: str, value: Any) -> bool:
    """Whether a value may well be right for a claim; generous where random values seldom come by."""
    number = isinstance(value, int | float) and not isinstance(value, bool)
    match claim:
        case "jti" | "sub":
            return isinstance(value, str | None)
        case "iat" | "exp" | "nbf":
            return value is None or (number and 0 <= value <= SECONDS + 200)
        case "resource":
            return value is None or ":" in json.dumps(value)
        case "pid" | "iss_onbehalfof" | "authorization_details" | "consumer_org":
            return value is None
    return False


@garbage
@given(claim=st.sampled_from(sorted(KNOWN_CLAIMS)), value=_JSON)
async def test_every_claim_with_every_wrong_value(prober: Prober, claim: str, value: Any) -> None:
    assume(not _right(claim, value))
    await prober.refuse(sign(claims_of(**{claim: value})), authentic=True)


@garbage
@given(claim=st.text(max_size=12), value=_JSON)
async def test_every_claim_that_nobody_knows(prober: Prober, claim: str, value: Any) -> None:
    assume(claim not in KNOWN_CLAIMS)
    await prober.refuse(sign(claims_of(**{claim: value})))


@garbage
@given(member=st.sampled_from(["alg", "kid", "crit"]), value=_JSON)
async def test_every_header_with_every_wrong_value(prober: Prober, member: str, value: Any) -> None:
    await prober.refuse(sign(claims_of(), **{member: value}))


@garbage
@given(x5c=_JSON | st.lists(st.text("MIIabc+/=-_\n ", max_size=40), max_size=5))
async def test_every_x5c(prober: Prober, x5c: Any) -> None:
    text = await prober.refuse(sign(claims_of(iss="without-keys"), kid=ABSENT, x5c=x5c))
    assert "Invalid JWT header x5c" in text


@garbage
@given(scope=st.text(max_size=40) | st.lists(st.text(max_size=8), max_size=9).map(" ".join))
async def test_scopes_in_every_script(prober: Prober, scope: str) -> None:
    assume(set(scope.split()) != {SCOPE})
    await prober.refuse(sign(claims_of(scope=scope)), authentic=True)


@garbage
@given(iat=st.integers(-130, 20), exp=st.integers(-5, 135))
async def test_the_edges_of_time_to_the_second(server: Node, prober: Prober, iat: int, exp: int) -> None:
    grant = sign(claims_of(iat=SECONDS + iat, exp=SECONDS + exp))
    if iat <= 10 and 0 < exp <= iat + 120:
        assert (await server.post(grant)).status_code == 200
    else:
        await prober.refuse(grant, authentic=True)


# -- what stands in no JWT --------------------------------------------------------------------------------------------


def _nested(depth: int, opening: str, closing: str) -> bytes:
    details = opening * depth + "1" + closing * depth
    return json.dumps(claims_of(authorization_details=ABSENT))[:-1].encode() + f',"sub":{details}}}'.encode()


def _with(raw: str, **replaced: Any) -> bytes:
    """The claims with text put in as it stands, as JSON or not."""
    return json.dumps(claims_of(**replaced))[:-1].encode() + b"," + raw.encode() + b"}"


PAYLOADS: dict[str, bytes] = {
    "a claim twice": _with(f'"iss":"{CLIENT_ID}"'),
    "a claim twice, once escaped": _with(f'"\\u0069ss":"{CLIENT_ID}"'),
    "NaN": _with('"nbf":NaN'),
    "Infinity": _with('"nbf":-Infinity'),
    "a number beyond every float": _with('"nbf":1e999'),
    "a number of 5000 digits": _with('"nbf":' + "9" * 5_000),
    "a number of 4000 digits": _with('"nbf":' + "9" * 4_000),
    "a time of 4000 digits": _with('"exp":' + "9" * 4_000, exp=ABSENT),
    "a lone surrogate": _with('"jti":"\\ud800"', jti=ABSENT),
    "a lone surrogate in a name": _with('"\\udfff":1'),
    "NUL in iss": _with('"iss":"a\\u0000b"', iss=ABSENT),
    "NUL in scope": _with('"scope":"a:b\\u0000"', scope=ABSENT),
    "NUL in jti": _with('"jti":"\\u0000"', jti=ABSENT),
    "NUL in aud": _with('"aud":"\\u0000"', aud=ABSENT),
    "NUL in a name": _with('"\\u0000":1'),
    "NUL in authorization_details": _with('"authorization_details":[{"type":"\\u0000"}]'),
    "a byte order mark": b"\xef\xbb\xbf" + json.dumps(claims_of()).encode(),
    "UTF-16": json.dumps(claims_of()).encode("utf-16"),
    "Latin-1": _with('"sub":"\xe6"').decode().encode("latin-1"),
    "something behind it": json.dumps(claims_of()).encode() + b"{}",
    "an array": b"[" + json.dumps(claims_of()).encode() + b"]",
    "a string": json.dumps(json.dumps(claims_of())).encode(),
    "nothing": b"",
    "a comment": b"/**/" + json.dumps(claims_of()).encode(),
    **{f"arrays {depth} deep": _nested(depth, "[", "]") for depth in (31, 33, 500, 900, 950, 980, 1_000, 9_000)},
    **{f"objects {depth} deep": _nested(depth, '{"a":', "}") for depth in (33, 800, 3_000)},
    "arrays side by side": _with('"sub":[' + "[]," * 9_000 + "[]]"),
    "a long string": _with('"sub":"' + "x" * 40_000 + '"'),
    "a thousand claims": _with(",".join(f'"c{number}":{number}' for number in range(1_000))),
}


async def test_json_that_no_token_may_hold(prober: Prober, subtests: pytest.Subtests) -> None:
    for what, payload in PAYLOADS.items():
        with subtests.test(what):
            await prober.refuse(sign(payload), authentic=True)


HEADERS: dict[str, bytes] = {
    "alg twice": b'{"alg":"none","alg":"RS256","kid":"key-1"}',
    "kid twice": b'{"alg":"RS256","kid":"key-1","kid":"key-1"}',
    "NUL in kid": b'{"alg":"RS256","kid":"key-1\\u0000"}',
    "a lone surrogate": b'{"alg":"RS256","kid":"\\ud800"}',
    "NaN": b'{"alg":"RS256","kid":"key-1","typ":NaN}',
    "nested": b'{"alg":"RS256","kid":"key-1","typ":' + b"[" * 900 + b"]" * 900 + b"}",
    "an alg of 4000 digits": b'{"kid":"key-1","alg":' + b"9" * 4_000 + b"}",
    "a kid of 4000 digits": b'{"alg":"RS256","kid":' + b"9" * 4_000 + b"}",
    "a nested alg": b'{"kid":"key-1","alg":' + b"[" * 30 + b"]" * 30 + b"}",
    "a nested kid": b'{"alg":"RS256","kid":' + b'{"a":' * 30 + b"1" + b"}" * 30 + b"}",
    "a long kid": b'{"alg":"RS256","kid":"' + b"x" * 40_000 + b'"}',
    "b64 false": b'{"alg":"RS256","kid":"key-1","b64":false,"crit":["b64"]}',
    "not an object": b'["RS256"]',
    "nothing": b"",
}


async def test_headers_that_no_token_may_have(prober: Prober, subtests: pytest.Subtests) -> None:
    for what, header in HEADERS.items():
        with subtests.test(what):
            await prober.refuse(key_number(1).sign(json.dumps(claims_of()).encode(), header).decode())


async def test_no_signature_no_key_of_the_headers_own_and_no_mac(prober: Prober, subtests: pytest.Subtests) -> None:
    stranger = key_number(2)
    spki = key_number(1).native.public_key()
    pem = spki.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    der = spki.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    modulus = key_number(1).public_jwk()["n"].encode()
    for alg in ("none", "None", "NONE", "nOnE", "", "RS256"):
        with subtests.test("without a signature", alg=alg):
            unsigned = sign(claims_of(), alg=alg).rpartition(".")[0]
            await prober.refuse(unsigned + ".")
            await prober.refuse(unsigned)
    for alg, digest in (("HS256", hashlib.sha256), ("HS384", hashlib.sha384), ("HS512", hashlib.sha512)):
        for secret in (pem, pem.strip(), der, modulus, b""):
            with subtests.test("a MAC with the public key", alg=alg):
                for claimed in (alg, "RS256"):
                    signed = sign(claims_of(), alg=claimed).rpartition(".")[0]
                    mac = b64url_encode(hmac.new(secret, signed.encode(), digest).digest()).decode()
                    await prober.refuse(f"{signed}.{mac}")
    keys_of_its_own: list[dict[str, Any]] = [
        {"jwk": stranger.public_jwk()},
        {"jku": "http://127.0.0.1:1/jwks"},
        {"x5u": "http://127.0.0.1:1/x"},
        {"x5c": []},
        {"x5t": "x"},
    ]
    for header in keys_of_its_own:
        with subtests.test("a key of the header's own", header=header):
            await prober.refuse(sign(claims_of(), stranger, kid="key-1", **header))


async def test_a_grant_cut_anywhere(prober: Prober) -> None:
    grant = sign(claims_of())
    for length in [*range(0, len(grant) - 1, 7), len(grant) - 1]:
        cut = grant[:length]
        if cut:
            await prober.refuse(cut)


@garbage
@given(place=st.integers(0, 10_000), bit=st.integers(0, 7))
async def test_a_grant_with_a_bit_turned(prober: Prober, place: int, bit: int) -> None:
    grant = bytearray(sign(claims_of()).encode())
    place %= len(grant) - 1  # the last character's last bits are padding, which no decoder must look at (RFC 4648 §3.5)
    grant[place] ^= 1 << bit
    await prober.refuse(grant.decode("latin-1"))


@pytest.mark.parametrize("break_", ["\n", "\r\n", " ", "=", "==", "\x00", "\t"])
async def test_stray_characters_anywhere_in_a_grant(prober: Prober, break_: str) -> None:
    grant = sign(claims_of())
    for place in (0, 10, grant.index("."), grant.rindex("."), len(grant)):
        await prober.refuse(grant[:place] + break_ + grant[place:])


# -- chains -----------------------------------------------------------------------------------------------------------


@pytest.fixture
async def certificates(server: Node, database: Database) -> list[str]:
    """Real ones in base64: the client's organisation's, another's, their issuers', and each with its end damaged."""
    pki, _ = await set_up_pki(database, FixedClock(NOW))
    good = await pki.issue(OrgNumber(ORGNO), "Testbanken AS")
    stranger = await pki.issue(OrgNumber(SUPPLIER), "En annen AS", wrong_environment=True)
    real = [*good.x5c, *stranger.x5c]
    return real + [base64.b64encode(base64.b64decode(one)[:-20] + bytes(20)).decode() for one in real]


@garbage
@given(order=st.lists(st.integers(0, 7), min_size=1, max_size=12), cut=st.integers(0, 2_000))
async def test_no_chain_of_real_certificates_helps_who_has_not_the_leafs_key(
    prober: Prober, certificates: list[str], order: list[int], cut: int
) -> None:
    chain = [certificates[number] for number in order]
    for x5c in (chain, [chain[0][:cut], *chain[1:]], chain * 4):
        await prober.refuse(sign(claims_of(iss="without-keys"), key_number(3), kid=ABSENT, x5c=x5c))

"""Signing by eights: the same signatures as one by one, and none that is wrong."""

from __future__ import annotations

import ctypes
import logging
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from hypothesis import given
from hypothesis import strategies as st

from fullmakt.jose.compact import parse_compact
from fullmakt.jose.keys import LocalSigner
from fullmakt.jose.multi_buffer import WIDTH, MultiBuffer, MultiBufferUnavailableError, RsaLanes, SignatureFaultError


@pytest.fixture(scope="module")
def library() -> MultiBuffer:
    try:
        return MultiBuffer.load()
    except MultiBufferUnavailableError as error:
        pytest.skip(f"this machine signs one by one: {error}")


@pytest.fixture(scope="module")
def signer(library: MultiBuffer) -> LocalSigner:
    signer = LocalSigner.generate()
    signer.use(library)
    return signer


def _one_by_one(signer: LocalSigner, payloads: list[bytes]) -> list[bytes]:
    return [signer.sign(payload) for payload in payloads]


@pytest.mark.parametrize("bits", [2048, 3072, 4096])
@pytest.mark.parametrize("count", [0, 1, 2, 3, 7, 8, 9, 11, 20])
def test_tokens_are_those_that_are_made_one_by_one(library: MultiBuffer, bits: int, count: int) -> None:
    """PKCS #1 v1.5 has one signature for each text: they must be equal to the byte."""
    signer = _signer_of(bits)
    signer.use(library)
    payloads = [b'{"jti":"%d"}' % number for number in range(count)]
    assert signer.sign_all([(payload, None) for payload in payloads]) == _one_by_one(signer, payloads)


_SIGNERS: dict[int, LocalSigner] = {}


def _signer_of(bits: int) -> LocalSigner:
    return _SIGNERS.setdefault(bits, LocalSigner.generate(bits=bits))


@given(payloads=st.lists(st.binary(max_size=2_000), min_size=3, max_size=2 * WIDTH))
def test_any_payload_is_signed_as_it_is(signer: LocalSigner, payloads: list[bytes]) -> None:
    for payload, token in zip(payloads, signer.sign_all([(one, None) for one in payloads]), strict=True):
        assert token == signer.sign(payload)


def test_each_token_may_have_a_header_of_its_own(signer: LocalSigner) -> None:
    headers = [None, b'{"typ":"at+jwt"}', None, b'{"typ":"other"}']
    tokens = signer.sign_all([(b"{}", header) for header in headers])
    assert tokens == [signer.sign(b"{}", header) for header in headers]
    assert [parse_compact(token.decode()).unverified_header.get("typ") for token in tokens] == [
        None, "at+jwt", None, "other",
    ]  # fmt: skip


def test_a_signature_that_came_out_wrong_is_not_handed_out(
    library: MultiBuffer, caplog: pytest.LogCaptureFixture
) -> None:
    """One bit of one prime turned over, as a fault of the processor would: such a signature would tell the key."""
    signer = LocalSigner.generate()
    signer.use(library)
    lanes = signer._lanes
    assert lanes is not None
    ctypes.memset(lanes._numbers[2], lanes._numbers[2].raw[0] ^ 1, 1)
    with pytest.raises(SignatureFaultError):
        lanes.sign([b"a", b"b", b"c"])
    payloads = [b"%d" % number for number in range(WIDTH + 3)]
    with caplog.at_level(logging.CRITICAL):
        assert signer.sign_all([(one, None) for one in payloads]) == _one_by_one(signer, payloads)
    assert len(caplog.records) == 1
    assert signer._lanes is None


def test_threads_do_not_get_each_others_signatures(signer: LocalSigner) -> None:
    def sign(thread: int) -> bool:
        payloads = [b"%d %d" % (thread, number) for number in range(WIDTH)]
        return signer.sign_all([(one, None) for one in payloads]) == _one_by_one(signer, payloads)

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(sign, range(40)))


@pytest.mark.parametrize(("exponent", "bits"), [(3, 2048), (65537, 2056)])
def test_a_key_that_it_does_not_take_signs_one_by_one(library: MultiBuffer, exponent: int, bits: int) -> None:
    key = rsa.generate_private_key(exponent, bits)
    assert library.lanes(key) is None
    signer = LocalSigner.from_native(key)
    signer.use(library)
    assert signer.sign_all([(b"x", None)] * 4) == [signer.sign(b"x")] * 4


def test_ec_keys_and_other_algorithms_are_left_alone(library: MultiBuffer) -> None:
    other = LocalSigner.from_jwk({**LocalSigner.generate().private_jwk(), "alg": "RS512"})
    for signer in (LocalSigner.generate(ec_key=True), other):
        signer.use(library)
        assert all(
            signer.public.verify(signer.alg, jws.signing_input, jws.signature)
            for jws in map(parse_compact, [one.decode() for one in signer.sign_all([(b"{}", None)] * 4)])
        )


def test_its_lanes_take_a_key_it_was_made_for_alone(library: MultiBuffer) -> None:
    first, second = LocalSigner.generate(), LocalSigner.generate()
    first.use(library)
    second.use(library)
    assert first.sign_all([(b"{}", None)] * 8) == [first.sign(b"{}")] * 8
    assert second.sign_all([(b"{}", None)] * 8) == [second.sign(b"{}")] * 8
    assert isinstance(second._lanes, RsaLanes)


def test_what_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(MultiBufferUnavailableError):
        MultiBuffer.load(tmp_path / "libcrypto_mb.so")
    (tmp_path / "other.so").write_bytes(b"no library")
    with pytest.raises(MultiBufferUnavailableError):
        MultiBuffer.load(tmp_path / "other.so")

"""RSA signatures eight at a time, by Intel's multi-buffer library where the machine has it.

The library (``libcrypto_mb``, of Intel's Cryptography Primitives) works on eight numbers in one instruction, on
processors with AVX-512 IFMA: eight signatures take a little longer than two that are made one by one. Its arithmetic
takes the same time for every key, so that nothing is learnt of the key from how long a signature takes. What it does
not do is to look at its own result, and one wrong result, by a fault of the processor, gives an RSA key away: every
signature is therefore checked with the public key before it is handed out. Why, and where it comes from:
docs/decisions/0009.
"""

from __future__ import annotations

import ctypes
import hashlib
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import rsa

WIDTH = 8
"""Signatures that are made at once."""
WORTHWHILE = 3
"""As many as this are quicker made at once, though the other places stand empty."""

_EXPONENT = 65537
_ALGORITHMS = {2048: 1, 3072: 2, 4096: 3}
"""Key sizes in bits, and the library's numbers for them (``enum MBX_ALGO``)."""
_SHA256_PREFIX = bytes.fromhex("3031300d060960864801650304020105000420")
"""What stands before a SHA-256 hash in a signature (RFC 8017 §9.2, note 1)."""
_VERSIONS = ("13", "12", "11")
_Pointers = ctypes.c_void_p * WIDTH


class MultiBufferUnavailableError(Exception):
    """The library can not be used here; the message says why."""


class SignatureFaultError(Exception):
    """A signature did not verify with the key that made it: nothing was handed out."""


class MultiBuffer:
    """The library, loaded."""

    def __init__(self, library: ctypes.CDLL) -> None:
        self._library = library
        self._takes = {bits for bits, number in _ALGORITHMS.items() if _widths(library, number) & WIDTH}
        if not self._takes:
            raise MultiBufferUnavailableError("the processor has no AVX-512 IFMA")

    @classmethod
    def load(cls, path: Path | None = None) -> MultiBuffer:
        """The library at ``path``, or where packages put it: in this environment's ``lib`` folder, or the system's.

        Raises:
            MultiBufferUnavailableError: there is none, it does not load, or the processor lacks what it needs.
        """
        if not sys.platform.startswith("linux"):
            raise MultiBufferUnavailableError("it is used on Linux alone")
        error = "there is no libcrypto_mb"
        for name in [str(path)] if path is not None else _usual_places():
            try:
                return cls(ctypes.CDLL(name))
            except (OSError, AttributeError) as problem:
                error = str(problem)
        raise MultiBufferUnavailableError(error)

    def lanes(self, key: rsa.RSAPrivateKey) -> RsaLanes | None:
        """Where signatures with ``key`` are made; None for a key that the library does not take."""
        public = key.public_key().public_numbers()
        if key.key_size not in self._takes or public.e != _EXPONENT:
            return None
        return RsaLanes(self._library, key)


class RsaLanes:
    """Makes RS256 signatures with one key, up to eight at a time. Threads take turns."""

    def __init__(self, library: ctypes.CDLL, key: rsa.RSAPrivateKey) -> None:
        bits, size = key.key_size, key.key_size // 8
        numbers = key.private_numbers()
        private = (numbers.p, numbers.q, numbers.dmp1, numbers.dmq1, numbers.iqmp)
        self._size = size
        self._lock = threading.Lock()
        self._messages, self._signatures, self._checked = (ctypes.create_string_buffer(WIDTH * size) for _ in range(3))
        self._numbers = [_number(one, size // 2) for one in private] + [_number(numbers.public_numbers.n, size)]
        *crt, modulus = [_same(number) for number in self._numbers]
        signatures = _each(self._signatures, size)
        sign_with = _method(library, f"mbx_RSA{bits // 1024}K_private_crt_Method")
        check_with = _method(library, f"mbx_RSA{bits // 1024}K_pub65537_Method")
        self._private = library.mbx_rsa_private_crt_mb8
        self._private.argtypes = [ctypes.c_void_p] * 7 + [ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p]
        self._private.restype = ctypes.c_uint32
        self._sign_by = (_each(self._messages, size), signatures, *crt, bits, sign_with, _room(library, sign_with))
        self._public = library.mbx_rsa_public_mb8
        self._public.argtypes = [ctypes.c_void_p] * 3 + [ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p]
        self._public.restype = ctypes.c_uint32
        checked = _each(self._checked, size)
        self._check_by = (signatures, checked, modulus, bits, check_with, _room(library, check_with))
        self._padding = b"\x00\x01" + b"\xff" * (size - 3 - len(_SHA256_PREFIX) - 32) + b"\x00" + _SHA256_PREFIX

    def sign(self, messages: Sequence[bytes]) -> list[bytes]:
        """RSASSA-PKCS1-v1_5 signatures over the SHA-256 of one to eight messages, in order (RFC 8017 §8.2.1).

        Raises:
            SignatureFaultError: the processor or the library did not do as it should.
        """
        encoded = b"".join([self._padding + hashlib.sha256(message).digest() for message in messages])
        with self._lock:
            # The places beyond keep what they had: what is made of it is not looked at.
            ctypes.memmove(self._messages, encoded, len(encoded))
            if self._private(*self._sign_by) or self._public(*self._check_by):
                raise SignatureFaultError("the multi-buffer library reports an error")
            if self._checked.raw[: len(encoded)] != encoded:
                raise SignatureFaultError("a signature does not verify")
            made = self._signatures.raw
        return [made[start : start + self._size] for start in range(0, len(encoded), self._size)]


def _usual_places() -> list[str]:
    own = Path(sys.prefix) / "lib"
    names = [f"libcrypto_mb.so.{version}" for version in _VERSIONS]
    return [*[str(own / name) for name in names if (own / name).exists()], *names]


def _widths(library: ctypes.CDLL, algorithm: int) -> int:
    library.mbx_get_algo_info.restype = ctypes.c_uint64
    return int(library.mbx_get_algo_info(algorithm))


def _method(library: ctypes.CDLL, name: str) -> ctypes.c_void_p:
    function = getattr(library, name)
    function.restype = ctypes.c_void_p
    return ctypes.c_void_p(function())


def _room(library: ctypes.CDLL, method: ctypes.c_void_p) -> ctypes.Array[ctypes.c_char]:
    library.mbx_RSA_Method_BufSize.argtypes = [ctypes.c_void_p]
    return ctypes.create_string_buffer(library.mbx_RSA_Method_BufSize(method))


def _number(value: int, size: int) -> ctypes.Array[ctypes.c_char]:
    return ctypes.create_string_buffer(value.to_bytes(size, "little"), size)


def _same(number: ctypes.Array[ctypes.c_char]) -> ctypes.Array[ctypes.c_void_p]:
    return _Pointers(*[ctypes.addressof(number)] * WIDTH)


def _each(room: ctypes.Array[ctypes.c_char], size: int) -> ctypes.Array[ctypes.c_void_p]:
    return _Pointers(*[ctypes.addressof(room) + place * size for place in range(WIDTH)])

"""Public and private keys: JWKs in and out, PEM in, signatures made and checked.

The signature arithmetic is joserfc's, by way of its algorithm objects: its ``serialize_compact`` and
``deserialize_compact`` cost 20 to 60 µs more a token than those (measured 2026-11-21), which the token endpoint can not
spare. Sources: RFC 7515, 7517, 7518, 7638.
"""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol, Self

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, RSAKey
from joserfc.jws import JWSRegistry

from fullmakt.jose.compact import MalformedJwtError, b64url_decode, b64url_encode
from fullmakt.jose.multi_buffer import WIDTH, WORTHWHILE, MultiBuffer, RsaLanes, SignatureFaultError

_log = logging.getLogger(__name__)

RSA_ALGORITHMS = frozenset({"RS256", "RS384", "RS512"})
EC_ALGORITHMS = frozenset({"ES256"})
PRIVATE_MEMBERS = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})
MIN_RSA_BITS = 2048
MAX_RSA_BITS = 8192
"""Larger keys are refused: one verification with a 16 384-bit key stalls everybody else."""

MAX_RSA_EXPONENT_BITS = 64
"""65537 has 17; with 2048 a verification costs as much as a signature, and more."""

_ALGORITHMS = {name: JWSRegistry.algorithms[name] for name in (*RSA_ALGORITHMS, *EC_ALGORITHMS)}
_KID = re.compile(r"[A-Za-z0-9._-]{1,255}", re.ASCII)
_B64URL = re.compile(r"[A-Za-z0-9_-]+", re.ASCII)


class InvalidKeyError(ValueError):
    """The key can not be used; the message says why, fit to be shown to whoever sent it. It never holds the key."""


class _VerifyingRSAKey(RSAKey):
    """A public key that verifies and no more, as ``PublicKey`` knows.

    joserfc writes the key's JWK to find out what may be done with it: 10 µs and a kilobyte for each client that is
    remembered (measured 2026-11-21).
    """

    def get_op_key(self, operation: str) -> Any:
        return self.public_key


@dataclass(frozen=True, slots=True)
class PublicKey:
    """A parsed public key, ready to verify. ``alg`` is what the key was registered for, None when it names none."""

    _key: RSAKey | ECKey
    alg: str | None = None

    @classmethod
    def from_jwk(cls, jwk: dict[str, Any]) -> Self:
        """Read a public RSA or P-256 JWK.

        Raises:
            InvalidKeyError: private members, another key type, a bad number, fewer than 2048 or more than 8192 bits.
        """
        private = sorted(PRIVATE_MEMBERS & jwk.keys())
        if private:
            raise InvalidKeyError(f"the JWK holds private members ({', '.join(private)}): send the public half only")
        kty = jwk.get("kty")
        names = {"RSA": ("n", "e"), "EC": ("crv", "x", "y")}.get(kty if isinstance(kty, str) else "")
        if names is None:
            raise InvalidKeyError("kty must be RSA")
        for name in names:
            if not isinstance(jwk.get(name), str) or not _B64URL.fullmatch(jwk[name]):
                raise InvalidKeyError(f"{name} is missing or not base64url")
        if len(jwk.get("n", "")) > MAX_RSA_BITS // 5 or len(jwk.get("e", "")) > 12:
            raise InvalidKeyError(f"an RSA key has at most {MAX_RSA_BITS} bits")
        if kty == "RSA":
            _check_bits(_modulus_bits(jwk["n"]))  # before joserfc, which warns of small keys and takes them
        try:
            numbers = {"kty": kty, **{name: jwk[name] for name in names}}
            key: RSAKey | ECKey = RSAKey.import_key(numbers) if kty == "RSA" else ECKey.import_key(numbers)
            native = key.public_key
        except (JoseError, ValueError, TypeError, KeyError, UnsupportedAlgorithm) as error:
            raise InvalidKeyError("the JWK's numbers make no key") from error
        _check_strength(native)
        alg = jwk.get("alg")
        return cls(key, alg if isinstance(alg, str) else None)

    @classmethod
    def from_der(cls, der: bytes, alg: str | None = None) -> Self:
        """Read a SubjectPublicKeyInfo that ``to_der`` wrote: the quick way in, for keys checked when they came."""
        native = serialization.load_der_public_key(der)
        if isinstance(native, rsa.RSAPublicKey):
            return cls(_VerifyingRSAKey(native, native), alg)
        if isinstance(native, ec.EllipticCurvePublicKey):
            return cls(ECKey(native, native), alg)
        raise InvalidKeyError("only RSA and P-256 keys are used")

    @classmethod
    def from_certificate(cls, certificate: x509.Certificate) -> Self:
        """The key that a certificate speaks for.

        Raises:
            InvalidKeyError: neither RSA nor P-256, or too weak.
        """
        native = certificate.public_key()
        if not isinstance(native, rsa.RSAPublicKey | ec.EllipticCurvePublicKey):
            raise InvalidKeyError("the certificate's key is neither RSA nor P-256")
        _check_strength(native)
        der = native.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
        return cls.from_der(der)

    @classmethod
    def from_pem(cls, pem: bytes) -> Self:
        """Read a PEM public key or certificate.

        Raises:
            InvalidKeyError: a private key, garbage, or a key that is too weak.
        """
        if b"PRIVATE KEY" in pem:
            raise InvalidKeyError("this is a private key: keep it, and send the public half")
        try:
            if b"BEGIN CERTIFICATE" in pem:
                return cls.from_certificate(x509.load_pem_x509_certificate(pem))
            native = serialization.load_pem_public_key(pem)
        except (ValueError, UnsupportedAlgorithm) as error:
            raise InvalidKeyError("this is not a PEM public key or certificate") from error
        if not isinstance(native, rsa.RSAPublicKey | ec.EllipticCurvePublicKey):
            raise InvalidKeyError("the key is neither RSA nor P-256")
        _check_strength(native)
        return cls.from_der(
            native.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
        )

    @property
    def algorithms(self) -> frozenset[str]:
        """The JWS algorithms this kind of key can verify."""
        return RSA_ALGORITHMS if isinstance(self._key, RSAKey) else EC_ALGORITHMS

    def verify(self, alg: str, signing_input: bytes, signature: bytes) -> bool:
        """True when ``signature`` over ``signing_input`` was made by this key with ``alg``; never raises."""
        if alg not in self.algorithms:
            return False
        try:
            return bool(_ALGORITHMS[alg].verify(signing_input, signature, self._key))
        except (JoseError, ValueError):
            return False

    def to_der(self) -> bytes:
        """SubjectPublicKeyInfo in DER."""
        native = self._key.public_key
        return native.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)

    def to_jwk(self) -> dict[str, Any]:
        """The bare JWK: ``kty`` and its numbers, nothing else."""
        return dict(self._key.as_dict(private=False))

    @property
    def thumbprint(self) -> str:
        """RFC 7638 SHA-256 thumbprint, 43 characters of base64url."""
        return str(self._key.thumbprint())


def _check_strength(native: object) -> None:
    if isinstance(native, rsa.RSAPublicKey):
        _check_bits(native.key_size)
        if native.public_numbers().e.bit_length() > MAX_RSA_EXPONENT_BITS:
            raise InvalidKeyError(f"the RSA key's exponent has more than {MAX_RSA_EXPONENT_BITS} bits")
    elif isinstance(native, ec.EllipticCurvePublicKey) and not isinstance(native.curve, ec.SECP256R1):
        raise InvalidKeyError("an EC key must be on P-256")


def _check_bits(bits: int) -> None:
    if bits < MIN_RSA_BITS:
        raise InvalidKeyError(f"the RSA key has {bits} bits: {MIN_RSA_BITS} is the least")
    if bits > MAX_RSA_BITS:
        raise InvalidKeyError(f"the RSA key has {bits} bits: {MAX_RSA_BITS} is the most")


def _modulus_bits(n: str) -> int:
    try:
        return int.from_bytes(b64url_decode(n.encode())).bit_length()
    except MalformedJwtError as error:
        raise InvalidKeyError("n is not base64url") from error


def is_key_id(text: object) -> bool:
    """True for a ``kid`` as the self-service API takes them: letters, digits and ``. _ -`` (maskinporten.md §7.4)."""
    return isinstance(text, str) and _KID.fullmatch(text) is not None


class Signer(Protocol):
    """Signs compact JWTs. The key may live in this process or in an HSM.

    ``kid`` and ``alg`` go into the header; ``sign`` takes the payload as JSON bytes and returns the compact JWS, and
    ``sign_all`` many, handed over as pairs of payload and header, in their order.
    """

    @property
    def kid(self) -> str: ...

    @property
    def alg(self) -> str: ...

    def sign(self, payload: bytes, header: bytes | None = None) -> bytes: ...

    def sign_all(self, tokens: Sequence[tuple[bytes, bytes | None]]) -> list[bytes]: ...


class LocalSigner:
    """A private key held in this process.

    ``sign`` writes Maskinporten's header, ``{"kid": …, "alg": …}``, unless it is handed another (as JSON bytes).
    """

    def __init__(self, key: RSAKey | ECKey, kid: str | None = None, alg: str | None = None) -> None:
        self._key = key
        self.kid: str = kid or str(key.thumbprint())
        self.alg: str = alg or ("RS256" if isinstance(key, RSAKey) else "ES256")
        self._algorithm = _ALGORITHMS[self.alg]
        self._lanes: RsaLanes | None = None
        self._header_segment = b64url_encode(self.header()) + b"."

    @classmethod
    def generate(cls, *, bits: int = 2048, ec_key: bool = False, kid: str | None = None) -> Self:
        """Make a fresh RSA key (or P-256 with ``ec_key``); ``kid`` defaults to its thumbprint."""
        return cls(ECKey.generate_key("P-256") if ec_key else RSAKey.generate_key(bits), kid)

    @classmethod
    def from_pem(cls, pem: bytes, kid: str | None = None, password: bytes | None = None) -> Self:
        """Read a PEM private key.

        Raises:
            InvalidKeyError: not a private RSA or P-256 key, or a wrong password.
        """
        try:
            native = serialization.load_pem_private_key(pem, password)
        except (ValueError, TypeError, UnsupportedAlgorithm) as error:
            raise InvalidKeyError("this is not a PEM private key (or the password is wrong)") from error
        return cls.from_native(native, kid)

    @classmethod
    def from_native(cls, native: object, kid: str | None = None) -> Self:
        """Take a private key of the ``cryptography`` library.

        Raises:
            InvalidKeyError: neither RSA nor P-256.
        """
        if isinstance(native, rsa.RSAPrivateKey):
            return cls(RSAKey(native, native), kid)
        if isinstance(native, ec.EllipticCurvePrivateKey):
            _check_strength(native.public_key())
            return cls(ECKey(native, native), kid)
        raise InvalidKeyError("only RSA and P-256 keys sign here")

    @classmethod
    def from_jwk(cls, jwk: dict[str, Any]) -> Self:
        """Read a private JWK; its ``kid`` and ``alg`` are used when it has them.

        Raises:
            InvalidKeyError: not a private RSA or P-256 JWK, too weak or too large, or ``alg`` is of another kind.
        """
        if "d" not in jwk:
            raise InvalidKeyError("the JWK has no private half")
        public = PublicKey.from_jwk({name: value for name, value in jwk.items() if name not in PRIVATE_MEMBERS})
        if public.alg is not None and public.alg not in public.algorithms:
            raise InvalidKeyError(f"a key of this kind signs with {', '.join(sorted(public.algorithms))}")
        kid = jwk.get("kid")
        try:
            key: RSAKey | ECKey = RSAKey.import_key(jwk) if jwk["kty"] == "RSA" else ECKey.import_key(jwk)
        except (JoseError, ValueError, TypeError, KeyError, UnsupportedAlgorithm) as error:
            raise InvalidKeyError("this is not a private JWK") from error
        return cls(key, kid if isinstance(kid, str) else None, public.alg)

    def header(self, **more: object) -> bytes:
        """The JOSE header with ``kid`` and ``alg`` first and ``more`` after."""
        return json.dumps({"kid": self.kid, "alg": self.alg, **more}, separators=(",", ":")).encode()

    def sign(self, payload: bytes, header: bytes | None = None) -> bytes:
        signing_input = self._signing_input(payload, header)
        return signing_input + b"." + b64url_encode(self._signature(signing_input))

    def sign_all(self, tokens: Sequence[tuple[bytes, bytes | None]]) -> list[bytes]:
        inputs = [self._signing_input(payload, header) for payload, header in tokens]
        made = self._signatures(inputs)
        return [one + b"." + b64url_encode(signature) for one, signature in zip(inputs, made, strict=True)]

    def use(self, library: MultiBuffer) -> None:
        """From now on sign by eights, where there is enough to sign and the key is one that ``library`` takes."""
        if self.alg == "RS256" and isinstance(self.native, rsa.RSAPrivateKey):
            self._lanes = library.lanes(self.native)

    def _signing_input(self, payload: bytes, header: bytes | None) -> bytes:
        head = self._header_segment if header is None else b64url_encode(header) + b"."
        return head + b64url_encode(payload)

    def _signature(self, signing_input: bytes) -> bytes:
        signature: bytes = self._algorithm.sign(signing_input, self._key)
        return signature

    def _signatures(self, inputs: Sequence[bytes]) -> list[bytes]:
        made: list[bytes] = []
        while self._lanes is not None and len(inputs) - len(made) >= WORTHWHILE:
            try:
                made += self._lanes.sign(inputs[len(made) : len(made) + WIDTH])
            except SignatureFaultError:
                _log.critical("signing by eights has failed: one by one from now on, and the machine wants a look")
                self._lanes = None
        return made + [self._signature(one) for one in inputs[len(made) :]]

    @property
    def public(self) -> PublicKey:
        """The public half."""
        return PublicKey.from_der(
            self._key.public_key.public_bytes(
                serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
            ),
            self.alg,
        )

    def public_jwk(self) -> dict[str, Any]:
        """The public JWK with ``use``, ``alg`` and ``kid``, as a JWKS or a client registration wants it."""
        return {**self.public.to_jwk(), "use": "sig", "alg": self.alg, "kid": self.kid}

    def private_jwk(self) -> dict[str, Any]:
        """The private JWK. Write it to a file of mode 0600 or to an encrypted column; never to a log."""
        return {**self._key.as_dict(private=True), "use": "sig", "alg": self.alg, "kid": self.kid}

    def to_pem(self, password: bytes | None = None) -> bytes:
        """PKCS#8 PEM, encrypted when a password is given."""
        encryption: serialization.KeySerializationEncryption = (
            serialization.BestAvailableEncryption(password) if password else serialization.NoEncryption()
        )
        native = self._key.private_key
        if native is None:
            raise InvalidKeyError("the key has no private half")
        return native.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption)

    @property
    def native(self) -> rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey:
        """The key itself, for certificates and PKCS#12."""
        key = self._key.private_key
        if key is None:
            raise InvalidKeyError("the key has no private half")
        return key

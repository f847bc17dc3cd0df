"""What is this? Recognises tokens, keys and certificates in the forms in which people have them."""

from __future__ import annotations

import re
import warnings
from dataclasses import dataclass
from typing import Any, TypeAlias
from urllib.parse import unquote_plus

from cryptography import x509
from cryptography.hazmat.primitives.serialization import pkcs12

from fullmakt.jose.certificates import UNREADABLE
from fullmakt.jose.key_file import registered_name
from fullmakt.jose.keys import InvalidKeyError, LocalSigner
from fullmakt.jose.strict_json import StrictJsonError, loads_object

MAX_BYTES = 1024 * 1024
MAX_CERTIFICATES = 100

_PEM_LABEL = re.compile(rb"-----BEGIN ([A-Z0-9 ]{1,40})-----")
_PFX_VERSION = re.compile(rb"\x30(?:[\x00-\x80]|[\x81-\x84].{1,4}?)\x02\x01\x03", re.DOTALL)
"""A PKCS#12 file begins as a sequence whose first member is the number 3 (RFC 7292 §4)."""
_ASSERTION = re.compile(r"\bassertion=([^&\s'\"]+)")
_JWT = re.compile(r"e[wy][A-Za-z0-9_.\s=+/-]{8,}", re.ASCII)
"""How ``{`` and what may follow it begin in base64; line breaks and padding are faults that the rules tell of."""


class UnreadableError(ValueError):
    """Nothing that can be inspected; the message says what is wrong, and never repeats what was read."""


@dataclass(frozen=True, slots=True)
class Jwt:
    """A compact JWT, not parsed yet."""

    text: str


@dataclass(frozen=True, slots=True)
class Jwk:
    """A JWK, public or private."""

    members: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Jwks:
    """A key set."""

    keys: list[Any]


@dataclass(frozen=True, slots=True)
class PublicPem:
    """A PEM public key."""

    pem: bytes


@dataclass(frozen=True, slots=True)
class KeyStore:
    """Certificates, leaf first, and their private key where it lies with them; ``form`` says what they came in.

    ``kid`` is what the key is registered under, where self-service has made the file.
    """

    form: str
    certificates: tuple[x509.Certificate, ...]
    key: LocalSigner | None = None
    kid: str | None = None


Thing: TypeAlias = Jwt | Jwk | Jwks | PublicPem | KeyStore


def recognise(data: bytes, password: str | None = None) -> Thing:
    """Tell what ``data`` is; ``password`` opens PKCS#12 files and encrypted private keys.

    Raises:
        UnreadableError: it is none of those, or it can not be opened.
    """
    if len(data) > MAX_BYTES:
        raise UnreadableError(f"more than {MAX_BYTES} bytes: that is no token, key or certificate")
    if b"-----BEGIN " in data:
        return _from_pem(data, password)
    if data[:1] == b"\x30":  # a DER sequence; no text that can be inspected begins with the digit 0
        return _from_der(data, password)
    try:
        text = data.decode().strip()
    except UnicodeDecodeError as error:
        raise UnreadableError("neither text nor a certificate in DER or PKCS#12") from error
    return _from_text(text)


# -- text ---------------------------------------------------------------------------------------------------------


def _from_text(text: str) -> Thing:
    if sent := _ASSERTION.search(text):  # a form, or the command that would send it
        return Jwt(unquote_plus(sent[1]))
    text = text.removeprefix("Authorization:").strip()
    if text[:7].lower() == "bearer ":
        text = text[7:].strip()
    if len(text) > 1 and text[0] == text[-1] == '"':  # as Altinn 2 hands its consent tokens out
        text = text[1:-1]
    if text[:1] in ("{", "["):
        return _from_json(text)
    if _JWT.fullmatch(text):
        return Jwt(text)
    raise UnreadableError("neither a JWT, a JWK or JWKS, PEM, nor a file of that name")


def _from_json(text: str) -> Thing:
    document = text if text[0] == "{" else f'{{"keys":{text}}}'  # a bare array of keys is in use too
    try:
        members = loads_object(document.encode())
    except StrictJsonError as error:
        raise UnreadableError(f"JSON that can not be read: {error}") from error
    if isinstance(members.get("keys"), list):
        return Jwks(members["keys"])
    if "kty" in members:
        return Jwk(members)
    for name in ("access_token", "assertion"):  # an answer of the token endpoint, and what was sent there
        if isinstance(members.get(name), str):
            return Jwt(members[name])
    raise UnreadableError("JSON, but neither a JWK, a JWKS, nor an answer with an access_token")


# -- PEM ----------------------------------------------------------------------------------------------------------


def _from_pem(data: bytes, password: str | None) -> Thing:
    labels = [label.decode() for label in _PEM_LABEL.findall(data)]
    certificates = _pem_certificates(data) if "CERTIFICATE" in labels else ()
    private = [label for label in labels if label.endswith("PRIVATE KEY")]
    if private:
        return KeyStore("PEM", certificates, _pem_private_key(data, password))
    if certificates:
        return KeyStore("PEM", certificates)
    if "PUBLIC KEY" in labels or "RSA PUBLIC KEY" in labels:
        return PublicPem(data)
    raise UnreadableError(f"PEM of another kind: {', '.join(labels) or 'no label'}"[:200])


def _pem_certificates(data: bytes) -> tuple[x509.Certificate, ...]:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a serial number below 1, for one: it is said when the chain is judged
            return _not_too_many(x509.load_pem_x509_certificates(data))
    except UNREADABLE as error:
        raise UnreadableError("a certificate in PEM that can not be read") from error


def _pem_private_key(data: bytes, password: str | None) -> LocalSigner:
    start = re.search(rb"-----BEGIN [A-Z ]*PRIVATE KEY-----", data)
    try:
        return LocalSigner.from_pem(data[start.start() if start else 0 :], password=_encoded(password))
    except InvalidKeyError as error:
        raise UnreadableError(f"a private key in PEM that can not be opened: {error}") from error


# -- DER ----------------------------------------------------------------------------------------------------------


def _from_der(data: bytes, password: str | None) -> Thing:
    if _PFX_VERSION.match(data):
        return _from_pkcs12(data, password)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return KeyStore("DER", (x509.load_der_x509_certificate(data),))
    except UNREADABLE as error:
        raise UnreadableError("binary, but neither a certificate in DER nor PKCS#12") from error


def _from_pkcs12(data: bytes, password: str | None) -> Thing:
    try:
        store = pkcs12.load_pkcs12(data, _encoded(password))
    except (*UNREADABLE, OverflowError) as error:
        hint = "the password is wrong, or it is damaged" if password else "give its password with --password"
        raise UnreadableError(f"a PKCS#12 file that can not be opened: {hint}") from error
    leaf = [store.cert.certificate] if store.cert else []
    others = [entry.certificate for entry in store.additional_certs]
    try:
        key = LocalSigner.from_native(store.key) if store.key is not None else None
    except InvalidKeyError as error:
        raise UnreadableError(f"a PKCS#12 file whose key is of no use: {error}") from error
    kid = None if key is None else registered_name(store, key)
    return KeyStore("PKCS#12", _not_too_many([*leaf, *others]), key, kid)


def _not_too_many(certificates: list[x509.Certificate]) -> tuple[x509.Certificate, ...]:
    if len(certificates) > MAX_CERTIFICATES:
        raise UnreadableError(f"{len(certificates)} certificates: {MAX_CERTIFICATES} is the most that is looked at")
    return tuple(certificates)


def _encoded(password: str | None) -> bytes | None:
    return password.encode(errors="surrogateescape") if password else None

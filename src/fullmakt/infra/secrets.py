"""Secrets at rest: private keys in the database are sealed under a master key that is not in it."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_KEY_BYTES = 32
_NONCE_BYTES = 12


class MasterKeyError(Exception):
    """The master key is missing, malformed, or not the one that sealed the secret."""


class MasterKey:
    """Seals and opens secrets with AES-256-GCM.

    ``context`` (table and row, for instance ``tokens.signing_key:kid``) is bound to the sealed bytes, so that a secret
    moved to another row does not open.
    """

    def __init__(self, key: bytes) -> None:
        if len(key) != _KEY_BYTES:
            raise MasterKeyError(f"the master key is {_KEY_BYTES} bytes in hexadecimal")
        self._aead = AESGCM(key)

    @classmethod
    def load(cls, path: Path) -> MasterKey:
        """Read the key (hexadecimal) from a file.

        Raises:
            MasterKeyError: no such file, or not 64 hexadecimal digits.
        """
        try:
            return cls(bytes.fromhex(path.read_text(encoding="ascii").strip()))
        except (OSError, ValueError) as error:
            raise MasterKeyError(f"can not read the master key from {path}: {type(error).__name__}") from error

    @classmethod
    def load_or_create(cls, path: Path) -> MasterKey:
        """Read the key, or make one in a new file that only its owner can read."""
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            fresh = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
            descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "w", encoding="ascii") as file:
                file.write(secrets.token_hex(_KEY_BYTES))
                file.flush()
                os.fsync(file.fileno())
            try:
                os.link(fresh, path)  # atomic, and the loser of a race keeps the winner's key
            except FileExistsError:
                pass
            finally:
                fresh.unlink()
        return cls.load(path)

    def seal(self, secret: bytes, context: str) -> bytes:
        """Encrypt; the nonce goes first."""
        nonce = secrets.token_bytes(_NONCE_BYTES)
        return nonce + self._aead.encrypt(nonce, secret, context.encode())

    def open(self, sealed: bytes, context: str) -> bytes:
        """Decrypt.

        Raises:
            MasterKeyError: another key, another context, or changed bytes.
        """
        try:
            return self._aead.decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], context.encode())
        except (InvalidTag, ValueError) as error:
            raise MasterKeyError(f"the master key does not open {context}: is it the one that sealed it?") from error

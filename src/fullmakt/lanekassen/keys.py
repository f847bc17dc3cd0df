"""The keys that Lånekassen sends those it lets in (lanekassen-saldo.md §2, §10)."""

from __future__ import annotations

import hashlib
import os
import secrets
from collections.abc import Iterable, Mapping
from pathlib import Path

from fullmakt.kernel.identifiers import OrgNumber


class ApiKeys:
    """Which organisation a key is of. Keys are compared by their SHA-256, so that time tells nothing of them."""

    def __init__(self, keys: Mapping[OrgNumber, str] | None = None) -> None:
        self._holders: dict[bytes, OrgNumber] = {}
        for organisation, key in (keys or {}).items():
            self.add(organisation, key)

    def add(self, organisation: OrgNumber, key: str) -> None:
        """Let the organisation in with this key too."""
        self._holders[_hash(key)] = organisation

    def holder(self, key: str) -> OrgNumber | None:
        """Whose it is; None when it is nobody's."""
        return self._holders.get(_hash(key))


def generated_keys(folder: Path, organisations: Iterable[OrgNumber]) -> dict[OrgNumber, str]:
    """A key for each, from ``folder``, where those that are missing are made: ``<orgno>.key``, for the owner's eyes."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return {organisation: _generated(key_file(folder, organisation)) for organisation in organisations}


def key_file(folder: Path, organisation: OrgNumber) -> Path:
    """Where an organisation's generated key lies."""
    return folder / f"{organisation}.key"


def _generated(file: Path) -> str:
    """Processes that start together may all come here: the first one's key counts, and is whole when it is there."""
    if not file.exists():
        own = file.with_suffix(f".{secrets.token_hex(8)}")
        with open(own, "x", opener=lambda path, flags: os.open(path, flags, 0o600)) as new:
            new.write(secrets.token_urlsafe(32))
        try:
            os.link(own, file)
        except FileExistsError:
            pass
        finally:
            own.unlink()
    return file.read_text().strip()


def _hash(key: str) -> bytes:
    return hashlib.sha256(key.encode()).digest()

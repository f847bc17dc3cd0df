"""A client of the world on this machine: ``<state>/clients/<alias>.json``, as ``fullmakt world apply`` writes it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from fullmakt.client import Credentials


class NoSuchClientError(Exception):
    """The world has no client of that name; the message lists those it has."""


@dataclass(frozen=True, slots=True)
class Profile:
    """A client's alias, its folder and what the file says."""

    folder: Path
    document: dict[str, str]

    @property
    def client_id(self) -> str:
        """The client's id, ``iss`` of its grants."""
        return self.document["client_id"]

    def credentials(self, issuer: str) -> Credentials:
        """What it signs with: its registered key, or its enterprise certificate."""
        if "key_file" in self.document:
            jwk = json.loads(self._read("key_file"))
            return Credentials.from_jwk(issuer, self.client_id, jwk)
        password = self._read("password_file").strip()
        return Credentials.from_pkcs12(issuer, self.client_id, p12=self._read("certificate_file"), password=password)

    def _read(self, name: str) -> bytes:
        return (self.folder / self.document[name]).read_bytes()


def profile_of(state: Path, alias: str) -> Profile:
    """The profile of a client, by its alias or its client id.

    Raises:
        NoSuchClientError: there is none.
    """
    folder = state / "clients"
    known: list[str] = []
    for file in sorted(folder.glob("*.json")):
        if file.name.endswith(".jwk.json"):
            continue
        document = json.loads(file.read_text(encoding="utf-8"))
        if alias in (file.stem, document.get("client_id")):
            return Profile(folder, document)
        known.append(file.stem)
    if not known:
        raise NoSuchClientError(f"no clients in {folder}: run `fullmakt up` first, or set FULLMAKT_STATE to its folder")
    raise NoSuchClientError(f"no client is called {alias!r}; there are: {', '.join(known)}")

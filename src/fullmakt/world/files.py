"""What a world keeps in the state folder: private keys, certificates, and a profile for each client.

``<state>/clients/<name>.json`` is the profile that commands read; beside it lie ``<name>.jwk.json`` (the private JWK)
or ``<name>.p12`` and ``<name>.password``. ``<state>/certificates`` holds the certificates that belong to no client,
``<state>/api-keys`` the secrets of Altinn 2's API keys.
Everything is readable by its owner alone, and written whole or not at all.
"""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from fullmakt.jose.keys import PRIVATE_MEMBERS, InvalidKeyError, LocalSigner
from fullmakt.jose.strict_json import StrictJsonError, loads_object


class StateFolderError(Exception):
    """A file in the state folder can not be read, or is not what its name says."""


@dataclass(frozen=True, slots=True)
class Profile:
    """What a command needs to act as a client. The files are named relative to the profile's folder.

    ``key_file`` is None for a client whose private key is elsewhere; ``certificate_file`` (PKCS#12) and
    ``password_file`` are there when it authenticates with a certificate of our PKI.
    """

    alias: str
    client_id: str
    organisation: str
    integration_type: str
    scopes: tuple[str, ...]
    authentication: str
    supplier: str | None = None
    key_file: str | None = None
    certificate_file: str | None = None
    password_file: str | None = None


@dataclass(frozen=True, slots=True)
class KeyStoreFiles:
    """A PKCS#12 key store and the file with its password."""

    p12: Path
    password: Path


class WorldFiles:
    """The files of the world whose state folder is ``state``; ``new_key`` makes the private keys of clients."""

    def __init__(self, state: Path, new_key: Callable[[], LocalSigner] = LocalSigner.generate) -> None:
        self.clients = state / "clients"
        self.certificates = state / "certificates"
        self.api_keys = state / "api-keys"
        self._new_key = new_key

    def key_path(self, name: str) -> Path:
        """Where the private JWK of a client lies."""
        return self.clients / f"{name}.jwk.json"

    def client_certificate(self, name: str) -> KeyStoreFiles:
        """Where a client's certificate lies."""
        return KeyStoreFiles(self.clients / f"{name}.p12", self.clients / f"{name}.password")

    def certificate(self, name: str) -> KeyStoreFiles:
        """Where a certificate that belongs to no client lies."""
        return KeyStoreFiles(self.certificates / f"{name}.p12", self.certificates / f"{name}.password")

    def api_key_path(self, name: str) -> Path:
        """Where the secret of an API key lies."""
        return self.api_keys / name

    def api_key(self, name: str) -> str | None:
        """The secret of an API key, None when it is not here."""
        try:
            return self.api_key_path(name).read_text(encoding="ascii").strip()
        except (OSError, UnicodeDecodeError):
            return None

    def ensure_api_key(self, name: str, fresh: str) -> str:
        """The secret of an API key: what is there, else ``fresh``, which is kept."""
        write_private(self.api_key_path(name), fresh.encode(), keep_existing=True)
        return self.api_key_path(name).read_text(encoding="ascii").strip()

    def certificate_names(self) -> list[str]:
        """What the certificates that belong to no client are called."""
        return sorted(path.stem for path in self.certificates.glob("*.p12"))

    def public_key(self, name: str) -> dict[str, str] | None:
        """The public half of a client's private key as a JWK, None when it has none here.

        It is read and not tried: checking an RSA key takes longer than everything else that a plan does.
        """
        try:
            jwk = loads_object(self.key_path(name).read_bytes())
        except (OSError, StrictJsonError):
            return None
        return {member: value for member, value in jwk.items() if member not in PRIVATE_MEMBERS}

    def ensure_key(self, name: str) -> LocalSigner:
        """The private key of a client, made if it is not there. Of two that make one at once both get the same.

        Raises:
            StateFolderError: what is there is not a private JWK; it is left as it is.
        """
        path = self.key_path(name)
        if not path.exists():
            write_private(path, json.dumps(self._new_key().private_jwk()).encode(), keep_existing=True)
        try:
            return LocalSigner.from_jwk(loads_object(path.read_bytes()))
        except (OSError, StrictJsonError, InvalidKeyError) as error:
            raise StateFolderError(f"{path} is not a private JWK: {type(error).__name__}") from error

    def ensure_password(self, files: KeyStoreFiles) -> str:
        """The password of a key store, made if it is not there."""
        if not files.password.exists():
            write_private(files.password, secrets.token_urlsafe(24).encode(), keep_existing=True)
        return files.password.read_text(encoding="ascii")

    def profile(self, name: str) -> Profile | None:
        """The profile of a client; None when there is none, or one that an older version wrote in another shape."""
        try:
            members = loads_object((self.clients / f"{name}.json").read_bytes())
            return Profile(**{**members, "scopes": tuple(members["scopes"])})
        except (OSError, StrictJsonError, TypeError, KeyError):
            return None

    def profiles(self) -> Iterator[Profile]:
        """All profiles, by name."""
        for path in sorted(self.clients.glob("*.json")):
            if not path.name.endswith(".jwk.json"):
                found = self.profile(path.stem)
                if found is not None:
                    yield found

    def write_profile(self, profile: Profile) -> None:
        """Write a profile, in the place of the one before."""
        said = {member: value for member, value in asdict(profile).items() if value is not None}
        text = json.dumps(said, indent=2, ensure_ascii=False) + "\n"
        write_private(self.clients / f"{profile.alias}.json", text.encode())


def write_private(path: Path, data: bytes, *, keep_existing: bool = False) -> None:
    """Write a file that its owner alone can read; whoever reads it sees all of it or what was there before.

    With ``keep_existing``, a file that is there already stays.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    path.parent.chmod(0o700)
    fresh = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        if keep_existing:
            try:
                os.link(fresh, path)
            except FileExistsError:
                return
        else:
            fresh.replace(path)
    finally:
        fresh.unlink(missing_ok=True)

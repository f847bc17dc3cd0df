"""A client of the world on this machine, and what it signs with: the profiles that ``fullmakt world apply`` writes."""

from __future__ import annotations

import os
from pathlib import Path

from fullmakt.client import Credentials
from fullmakt.jose.keys import InvalidKeyError
from fullmakt.jose.strict_json import StrictJsonError, loads_object
from fullmakt.world.files import Profile, WorldFiles

_MEND = "`fullmakt world apply` of the client's file, or `fullmakt up` for the demo world, mends it"


class ProfileError(Exception):
    """Nobody can act as this client from here; the message says why, and what to do."""


class NoSuchClientError(ProfileError):
    """The world has no client of that name; the message lists those it has."""


def profile_of(state: Path, alias: str) -> Profile:
    """The profile of a client, by its alias or its client id.

    Raises:
        NoSuchClientError: there is none.
        ProfileError: the state folder can not be read.
    """
    files = WorldFiles(state)
    if not _has_files(files.clients):
        raise NoSuchClientError(
            f"no clients in {files.clients}: run `fullmakt up` first, or set FULLMAKT_STATE to its folder"
        )
    known: list[str] = []
    for profile in files.profiles():
        if alias in (profile.alias, profile.client_id):
            return profile
        known.append(profile.alias)
    raise NoSuchClientError(f"no client is called {alias!r}; there are: {', '.join(known) or 'none'}")


def credentials_of(state: Path, profile: Profile, issuer: str) -> Credentials:
    """What the client signs with: its registered key, or its enterprise certificate.

    Raises:
        ProfileError: neither is on this machine, or it can not be read.
    """
    folder = WorldFiles(state).clients
    try:
        if profile.key_file is not None:
            jwk = loads_object((folder / profile.key_file).read_bytes())
            return Credentials.from_jwk(issuer, profile.client_id, jwk)
        if profile.certificate_file is not None and profile.password_file is not None:
            return Credentials.from_pkcs12(
                issuer,
                profile.client_id,
                p12=(folder / profile.certificate_file).read_bytes(),
                password=(folder / profile.password_file).read_bytes().strip(),
            )
    except OSError as error:
        raise ProfileError(f"{error.filename}: {error.strerror}; {_MEND}") from error
    except (StrictJsonError, InvalidKeyError) as error:
        raise ProfileError(f"what {profile.alias} signs with can not be used: {error}; {_MEND}") from error
    what = "certificate" if profile.authentication == "certificate" else "private key"
    raise ProfileError(
        f"the {what} of {profile.alias} is not on this machine: ask for its tokens where it is, or choose a client "
        "that `fullmakt world show` lists with `key` or `certificate`"
    )


def _has_files(folder: Path) -> bool:
    try:
        return bool(os.listdir(folder))
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError as error:
        raise ProfileError(f"{folder}: {error.strerror}") from error

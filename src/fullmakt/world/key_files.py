"""``key_file = "…"``: public keys in files beside the world file."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from fullmakt.jose.keys import InvalidKeyError, PublicKey
from fullmakt.jose.strict_json import StrictJsonError, loads_object
from fullmakt.world.errors import Fault, Place, WorldFaults
from fullmakt.world.model import Client, KeyFile, Kind, PublicKeys, World
from fullmakt.world.parse import parse
from fullmakt.world.parse_client import public_keys
from fullmakt.world.reading import FaultyFieldError

MAX_KEY_FILE_BYTES = 256 * 1024


def load(path: Path) -> World:
    """Read a world file and the key files that it names; those are looked for from the folder that it lies in.

    Raises:
        WorldFaults: it can not be read, is faulty, or a key file is.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not UTF-8"
        raise WorldFaults([Fault(None, f"can not read {path}: {reason}")]) from error
    return resolve(parse(text), path.parent)


def resolve(world: World, folder: Path) -> World:
    """The world with the keys in the place of the names of their files.

    Raises:
        WorldFaults: a file can not be read, or holds no public key.
    """
    faults: list[Fault] = []
    clients: list[Client] = []
    for number, client in enumerate(world.clients, 1):
        if isinstance(client.credentials, KeyFile):
            try:
                client = replace(client, credentials=_read(folder / client.credentials.path))
            except FaultyFieldError as error:
                line = world.lines.get((Kind.CLIENT, number, "key_file"))
                faults.append(Fault(Place(Kind.CLIENT, number, "key_file", line), str(error)))
        clients.append(client)
    if faults:
        raise WorldFaults(faults)
    return replace(world, clients=tuple(clients))


def _read(path: Path) -> PublicKeys:
    try:
        with path.open("rb") as file:
            data = file.read(MAX_KEY_FILE_BYTES)
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        reason = error.strerror if isinstance(error, OSError) else "not a file name"
        raise FaultyFieldError(f"can not read {path.name!r}: {reason}") from error
    if b"-----BEGIN" in data:
        try:
            return public_keys(PublicKey.from_pem(data).to_jwk())
        except InvalidKeyError as error:
            raise FaultyFieldError(str(error)) from error
    try:
        document = loads_object(data)
    except StrictJsonError as error:
        raise FaultyFieldError(f"{path.name!r} holds neither a JWK, a JWKS nor PEM") from error
    return public_keys(document.get("keys", document))

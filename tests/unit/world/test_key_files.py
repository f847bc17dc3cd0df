"""A world file may name files with public keys."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from fullmakt.jose.keys import LocalSigner
from fullmakt.world.errors import WorldFaults
from fullmakt.world.key_files import load
from fullmakt.world.model import PublicKeys
from tests.unit.world.strategies import KEYS

CLIENT = '[[client]]\nname = "a"\norganisation = "910753614"\nkey_file = "keys/key"\n'


@pytest.fixture(scope="module")
def signer() -> LocalSigner:
    return LocalSigner.generate(kid="mine")


@pytest.fixture
def world_file(tmp_path: Path) -> Path:
    (tmp_path / "keys").mkdir()
    path = tmp_path / "world.toml"
    path.write_text(CLIENT)
    return path


def _kids(world_file: Path, content: bytes) -> list[str]:
    (world_file.parent / "keys" / "key").write_bytes(content)
    (client,) = load(world_file).clients
    assert isinstance(client.credentials, PublicKeys)
    return [jwk.kid for jwk in client.credentials.jwks]


def _fault(world_file: Path, content: bytes | None) -> str:
    if content is not None:
        (world_file.parent / "keys" / "key").write_bytes(content)
    with pytest.raises(WorldFaults) as refused:
        load(world_file)
    return str(refused.value)


def test_a_jwk_and_a_jwks_keep_their_kids(world_file: Path, signer: LocalSigner) -> None:
    assert _kids(world_file, json.dumps(signer.public_jwk()).encode()) == ["mine"]
    jwks = {"keys": [key.as_dict() for key in KEYS]}
    assert _kids(world_file, json.dumps(jwks).encode()) == ["key-0", "key-1", "key-2"]


def test_pem_is_called_by_its_thumbprint(world_file: Path, signer: LocalSigner) -> None:
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    pem = signer.native.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    assert _kids(world_file, pem) == [signer.public.thumbprint]


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (None, "can not read 'key': No such file or directory"),
        (b"", "'key' holds neither a JWK, a JWKS nor PEM"),
        (b"[]", "'key' holds neither a JWK, a JWKS nor PEM"),
        (b"-----BEGIN NONSENSE-----", "this is not a PEM public key or certificate"),
        (b"{}", "kty must be RSA"),
        (b'{"keys": {}}', "kty must be RSA"),
        (b'{"keys": 1}', "a JWK is a table, not a number"),
    ],
)
def test_a_file_without_a_public_key_is_a_fault(world_file: Path, content: bytes | None, told: str) -> None:
    assert _fault(world_file, content) == f"line 4, [[client]] number 1, key_file: {told}"


def test_a_private_key_is_refused_and_not_repeated(world_file: Path, signer: LocalSigner) -> None:
    for content in (signer.to_pem(), json.dumps(signer.private_jwk()).encode()):
        told = _fault(world_file, content)
        assert "private" in told
        assert signer.private_jwk()["d"] not in told


def test_a_name_that_is_no_file_name_is_a_fault(world_file: Path) -> None:
    world_file.write_text(CLIENT.replace("keys/key", "keys"))
    assert _fault(world_file, None).endswith("can not read 'keys': Is a directory")


@pytest.mark.parametrize(("content", "told"), [(None, "No such file or directory"), (b"name = '\xff'", "not UTF-8")])
def test_a_world_file_that_can_not_be_read_is_a_fault(world_file: Path, content: bytes | None, told: str) -> None:
    if content is None:
        world_file.unlink()
    else:
        world_file.write_bytes(content)
    assert _fault(world_file, None) == f"can not read {world_file}: {told}"

"""Private files are their owner's alone, written whole or not at all."""

from __future__ import annotations

import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from fullmakt.jose.keys import LocalSigner
from fullmakt.world.files import Profile, StateFolderError, WorldFiles, write_private

PROFILE = Profile("demo", "id-1", "910753614", "maskinporten", ("a:b",), "key", key_file="demo.jwk.json")


def test_a_file_is_private_and_so_is_its_folder(tmp_path: Path) -> None:
    path = tmp_path / "new" / "secret"
    write_private(path, b"1")
    write_private(path, b"2")
    assert path.read_bytes() == b"2"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert list(path.parent.iterdir()) == [path]


def test_a_file_that_is_to_stay_stays(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    write_private(path, b"1", keep_existing=True)
    write_private(path, b"2", keep_existing=True)
    assert path.read_bytes() == b"1"
    assert list(tmp_path.iterdir()) == [path]


def test_all_who_make_a_key_at_once_get_the_same(tmp_path: Path) -> None:
    files = WorldFiles(tmp_path)
    with ThreadPoolExecutor(4) as pool:
        kids = {key.kid for key in pool.map(files.ensure_key, ["demo"] * 4)}
    assert len(kids) == 1
    assert [path.name for path in files.clients.iterdir()] == ["demo.jwk.json"]


def test_the_public_half_is_what_would_be_registered(tmp_path: Path) -> None:
    files = WorldFiles(tmp_path)
    assert files.public_key("demo") is None
    assert files.ensure_key("demo").public_jwk() == files.public_key("demo")


@pytest.mark.parametrize("content", [b"", b"{}", b'{"kty": "RSA", "n": "AQAB", "e": "AQAB"}', b"\xff"])
def test_a_broken_key_file_is_told_of_and_left_alone(tmp_path: Path, content: bytes) -> None:
    files = WorldFiles(tmp_path)
    write_private(files.key_path("demo"), content)
    with pytest.raises(StateFolderError, match="is not a private JWK"):
        files.ensure_key("demo")
    assert files.key_path("demo").read_bytes() == content


def test_a_profile_is_read_as_it_was_written(tmp_path: Path) -> None:
    files = WorldFiles(tmp_path)
    files.ensure_key("demo")
    assert files.profile("demo") is None
    files.write_profile(PROFILE)
    assert files.profile("demo") == PROFILE
    assert list(files.profiles()) == [PROFILE]


@pytest.mark.parametrize("content", [b"", b"{}", b'{"alias": "demo"}', b'{"scopes": [], "colour": "red"}', b"[]"])
def test_a_profile_of_another_shape_counts_as_none(tmp_path: Path, content: bytes) -> None:
    files = WorldFiles(tmp_path)
    write_private(files.clients / "demo.json", content)
    assert files.profile("demo") is None
    assert list(files.profiles()) == []


def test_a_password_is_made_once(tmp_path: Path) -> None:
    files = WorldFiles(tmp_path)
    store = files.client_certificate("demo")
    password = files.ensure_password(store)
    assert len(password) >= 24
    assert files.ensure_password(store) == password


def test_keys_are_made_by_whom_one_says(tmp_path: Path) -> None:
    signer = LocalSigner.generate()
    assert WorldFiles(tmp_path, lambda: signer).ensure_key("demo").kid == signer.kid

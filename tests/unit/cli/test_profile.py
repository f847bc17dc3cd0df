"""Who can be acted as from this machine, and what is said when nobody can."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from fullmakt.cli.profile import NoSuchClientError, ProfileError, credentials_of, profile_of
from fullmakt.world.files import Profile, WorldFiles, write_private

ISSUER = "https://issuer.test/"
PROFILE = Profile(
    alias="demo",
    client_id="c1",
    organisation="910753614",
    integration_type="maskinporten",
    scopes=("a:b",),
    authentication="key",
    key_file="demo.jwk.json",
)


@pytest.fixture
def files(tmp_path: Path) -> WorldFiles:
    files = WorldFiles(tmp_path)
    files.ensure_key("demo")
    files.write_profile(PROFILE)
    return files


@pytest.mark.usefixtures("files")
@pytest.mark.parametrize("name", ["demo", "c1"])
def test_a_client_is_known_by_its_alias_and_its_id(tmp_path: Path, name: str) -> None:
    profile = profile_of(tmp_path, name)
    assert profile == PROFILE
    credentials = credentials_of(tmp_path, profile, ISSUER)
    assert (credentials.issuer, credentials.client_id, credentials.certificates) == (ISSUER, "c1", ())


@pytest.mark.usefixtures("files")
def test_a_name_that_is_nobodys_is_answered_with_those_there_are(tmp_path: Path) -> None:
    with pytest.raises(NoSuchClientError, match="no client is called 'other'; there are: demo"):
        profile_of(tmp_path, "other")


def test_a_profile_that_can_not_be_read_hides_none_of_the_others(files: WorldFiles, tmp_path: Path) -> None:
    write_private(files.clients / "broken.json", b"{")
    assert profile_of(tmp_path, "demo") == PROFILE


@pytest.mark.parametrize("state", ["missing", "file"])
def test_a_folder_that_is_no_state_folder_is_told(tmp_path: Path, state: str) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(NoSuchClientError, match="run `fullmakt up` first, or set FULLMAKT_STATE"):
        profile_of(tmp_path / state, "demo")


@pytest.mark.parametrize(
    ("authentication", "what"), [("key", "the private key of demo"), ("certificate", "the certificate of demo")]
)
def test_a_client_whose_keys_are_elsewhere_can_not_be_acted_as(tmp_path: Path, authentication: str, what: str) -> None:
    profile = replace(PROFILE, key_file=None, authentication=authentication)
    with pytest.raises(ProfileError, match=f"{what} is not on this machine"):
        credentials_of(tmp_path, profile, ISSUER)


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (Path.unlink, "No such file or directory"),
        (lambda path: path.write_text("["), "can not be used"),
        (lambda path: path.write_text("[]"), "not a JSON object"),
        (lambda path: path.write_text('{"kty": "RSA", "n": "AQAB", "e": "AQAB"}'), "no private half|not a private JWK"),
    ],
)
def test_a_key_that_can_not_be_read_is_told_with_what_mends_it(
    files: WorldFiles, tmp_path: Path, damage: Callable[[Path], object], message: str
) -> None:
    damage(files.key_path("demo"))
    with pytest.raises(ProfileError, match=f"(?s)({message}).*`fullmakt world apply`") as caught:
        credentials_of(tmp_path, PROFILE, ISSUER)
    assert "AQAB" not in str(caught.value)


def test_a_key_store_that_can_not_be_read_is_told(files: WorldFiles, tmp_path: Path) -> None:
    write_private(files.clients / "demo.p12", b"not PKCS#12")
    write_private(files.clients / "demo.password", b"password")
    profile = replace(PROFILE, key_file=None, certificate_file="demo.p12", password_file="demo.password")
    with pytest.raises(ProfileError, match="not a PKCS#12 file"):
        credentials_of(tmp_path, profile, ISSUER)

"""When Lånekassen's data source is served, and what its settings may be."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from fullmakt.serve.settings import ConfigError, Settings

PRODUCTION: dict[str, Any] = {
    "environment": "production", "url": "https://fullmakt.example.no", "database_url": "postgresql://x@y/z",
}  # fmt: skip


def settings(tmp_path: Path, **changes: Any) -> Settings:
    key = tmp_path / "master.key"
    key.write_text("0" * 64)
    return Settings.model_validate({"state": tmp_path, "master_key_file": key, **changes})


def test_it_is_there_where_the_demo_world_is_unless_the_settings_say_otherwise(tmp_path: Path) -> None:
    assert settings(tmp_path).system_urls["lanekassen"] == "http://localhost:8080/lanekassen/"
    assert not settings(tmp_path, insecure={"demo_world": False}).has_lanekassen
    assert not settings(tmp_path, lanekassen={"enabled": False}).has_lanekassen
    assert "lanekassen" not in settings(tmp_path, **PRODUCTION).system_urls
    assert settings(tmp_path, **PRODUCTION, lanekassen={"enabled": True}).has_lanekassen


def test_api_keys_are_by_organisation_number_and_not_shown(tmp_path: Path) -> None:
    keys = {"910753614": "very-secret"}
    shown = settings(tmp_path, lanekassen={"api_keys": keys}).model_dump(mode="json")
    assert "very-secret" not in str(shown)
    with pytest.raises(ConfigError, match="api_keys"):
        settings(tmp_path, lanekassen={"api_keys": {"91075361": "very-secret"}})


@pytest.mark.parametrize(
    "section",
    [
        {"url": "ftp://x"},
        {"altinn2_url": "no url"},
        {"unknown_key_status": 403},
        {"requests_per_second": 0},
        {"burst": 0},
        {"delay": -1},
        {"url": "http://localhost:8080/pki"},
    ],
    ids=str,
)
def test_what_can_not_be_is_told(tmp_path: Path, section: dict[str, Any]) -> None:
    with pytest.raises(ConfigError):
        settings(tmp_path, lanekassen=section)

"""A wheel holds everything that the program reads beside its modules, and an editable install points at the sources."""

from __future__ import annotations

from pathlib import Path
from zipfile import ZipFile

import pytest
from hatchling.builders.wheel import WheelBuilder

ROOT = Path(__file__).parents[2]
SOURCES = ROOT / "src"


def build(folder: Path, version: str) -> ZipFile:
    (path,) = WheelBuilder(str(ROOT)).build(directory=str(folder), versions=[version])
    return ZipFile(path)


@pytest.fixture(scope="module")
def names(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    with build(tmp_path_factory.mktemp("wheel"), "standard") as wheel:
        return set(wheel.namelist())


def test_every_file_of_the_sources_is_in_it(names: set[str]) -> None:
    files = {str(file.relative_to(SOURCES)) for file in (SOURCES / "fullmakt").rglob("*") if file.is_file()}
    assert {file for file in files if "__pycache__" not in file} <= names


@pytest.mark.parametrize(
    "name",
    [
        "fullmakt/py.typed",
        "fullmakt/world/demo.toml",
        "fullmakt/infra/alembic/env.py",
        "fullmakt/infra/migrations_infra/infra_0001_audit_and_feed.py",
        "fullmakt/maskinporten/selfservice/migrations/selfservice_0001_registry.py",
        "fullmakt/portal/templates/front.html",
        "fullmakt/portal/locale/nn/LC_MESSAGES/portal.po",
        "fullmakt/portal/static/portal.css",
        "fullmakt/examples/whoami/app.py",
    ],
)
def test_what_is_read_at_run_time_is_in_it(names: set[str], name: str) -> None:
    assert name in names


def test_nothing_else_is_in_it(names: set[str]) -> None:
    tops = {name.split("/")[0] for name in names}
    assert {name for name in tops if not name.endswith(".dist-info")} == {"fullmakt"}


def test_an_editable_install_points_at_the_sources(tmp_path: Path) -> None:
    with build(tmp_path, "editable") as wheel:
        (pth,) = (name for name in wheel.namelist() if name.endswith(".pth"))
        assert wheel.read(pth).decode().strip() == str(SOURCES)
        assert not [name for name in wheel.namelist() if name.startswith("fullmakt/")]

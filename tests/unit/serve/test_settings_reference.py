"""The reference page of the settings is complete, and the one that is committed is current."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel

from fullmakt.serve.settings import Settings
from fullmakt.serve.settings_reference import reference

PAGE = Path(__file__).parents[3] / "docs" / "reference" / "settings.md"


def test_the_committed_page_is_current() -> None:
    assert PAGE.read_text(encoding="utf-8") == reference()


def test_every_setting_says_what_it_is() -> None:
    sections = [field.annotation for field in Settings.model_fields.values() if not field.description]
    assert sections
    for section in sections:
        assert isinstance(section, type)
        assert issubclass(section, BaseModel)
        assert all(field.description for field in section.model_fields.values()), section


def test_the_variable_of_a_nested_setting_is_the_one_that_works() -> None:
    assert "`FULLMAKT_PORT`" in reference()
    assert "`FULLMAKT_MASKINPORTEN__JWKS_MAX_AGE`" in reference()

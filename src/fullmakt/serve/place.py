"""Where the world of the settings is: at which port and URL it is served, and whether anybody has made it."""

from __future__ import annotations

import json
from pathlib import Path

from fullmakt.cli.context import Place
from fullmakt.infra.state_folder import is_made
from fullmakt.jose.strict_json import StrictJsonError, loads_object
from fullmakt.serve.settings import Settings, load_settings

_SERVED = "served.json"


def remember_served(settings: Settings) -> None:
    """Note at which port and URL the state folder is served, for commands that are run without saying so."""
    path = settings.state / _SERVED
    path.write_text(json.dumps({"port": settings.port, "url": settings.url}), encoding="utf-8")


def settings_of_state(config: Path | None = None) -> Settings:
    """The settings, with port and URL as they were last served where nobody sets them.

    Raises:
        ConfigError: with every fault found.
    """
    settings = load_settings(config)
    try:
        served = loads_object((settings.state / _SERVED).read_bytes())
    except (OSError, StrictJsonError):  # never served, or cut off by a full disk
        return settings
    unset = {name: value for name, value in served.items() if value and name not in settings.model_fields_set}
    return load_settings(config, **unset) if unset else settings


def find_place() -> Place:
    """The world of the settings, for commands that need no database."""
    settings = settings_of_state()
    state = settings.state.resolve()
    return Place(
        state,
        settings.issuer,
        settings.base_url,
        exists=bool(settings.database_url) or is_made(state),
        systems={
            **settings.system_urls,
            "altinn2": f"{settings.altinn2_url}/",
            "testtools": f"{settings.test_tools_url}/",
        },
    )

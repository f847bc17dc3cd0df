"""The example APIs, served beside the systems so that a first token has somewhere to go."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.types import ASGIApp

from fullmakt.cli.profile import credentials_of, profile_of
from fullmakt.client import AsyncMaskinportenClient
from fullmakt.provider import DecisionClient
from fullmakt.serve.settings import Settings
from fullmakt.serve.systems import PACKAGE

_PLACES = (PACKAGE / "examples", PACKAGE.parent.parent / "examples")
"""In an installed wheel, and in a checkout."""
_API_OWNER = "demo-skatt-admin"
"""The client of the demo world by which ``tynn`` asks the decision point."""


def examples(settings: Settings) -> ASGIApp:
    """Each at its name; ``tynn`` only where the demo world is, with whose client it asks the decision point."""
    issuer = settings.issuer
    apps = [_load("whoami").create(issuer), _load("virksomhetstoken").create(issuer)]
    if settings.has_demo_world:
        owner = _ApiOwner(settings.state, issuer)
        apps.append(_load("tynn").create(issuer, DecisionClient(settings.decisions_url, auth=owner.token)))
    return Starlette(routes=[route for app in apps for route in app.routes])


class _ApiOwner:
    """Gets tokens as the owner of the example API, whose client the demo world makes after the server has started."""

    def __init__(self, state: Path, issuer: str) -> None:
        self._state = state
        self._issuer = issuer
        self._client: AsyncMaskinportenClient | None = None

    async def token(self) -> str:
        """A token with which to ask the decision point."""
        if self._client is None:
            profile = profile_of(self._state, _API_OWNER)
            self._client = AsyncMaskinportenClient(credentials_of(self._state, profile, self._issuer))
        return (await self._client.token("altinn:authorization/authorize")).value


def _load(name: str) -> Any:
    path = next(place / name / "app.py" for place in _PLACES if (place / name / "app.py").is_file())
    spec = importlib.util.spec_from_file_location(f"fullmakt_example_{name}", path)
    if spec is None or spec.loader is None:
        raise ImportError(f"{path} can not be imported")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module

"""The example APIs, served beside the systems so that a first token has somewhere to go."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

from starlette.types import ASGIApp

from fullmakt.serve.systems import PACKAGE

_PLACES = (PACKAGE / "examples", PACKAGE.parent.parent / "examples")
"""In an installed wheel, and in a checkout."""


def whoami(issuer: str) -> ASGIApp:
    """``examples/whoami``, trusting ``issuer``."""
    app: ASGIApp = _load(Path("whoami") / "app.py").create(issuer)
    return app


def _load(file: Path) -> Any:
    path = next(place / file for place in _PLACES if (place / file).is_file())
    spec = importlib.util.spec_from_file_location(f"fullmakt_example_{file.parent.name}", path)
    if spec is None or spec.loader is None:
        raise ImportError(f"{path} can not be imported")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module

"""The OpenAPI document, as JSON at ``/openapi.json`` and where the real service has it (maskinporten.md §7.1)."""

from __future__ import annotations

import json
from typing import Any

from fastapi import Request
from starlette.responses import Response

from fullmakt.wire.maskinporten.selfservice import ErrorDocument

ERRORS: dict[int | str, dict[str, Any]] = {
    401: {"description": "The token is missing or not to be believed; no body"},
    "default": {"description": "An error", "model": ErrorDocument},
}
"""What every operation may answer besides."""


async def document(request: Request) -> Response:
    """The document as YAML. JSON is YAML (YAML 1.2 §1.3), so this is the JSON one with line breaks."""
    text = json.dumps(request.app.openapi(), indent=2, ensure_ascii=False)
    return Response(text, media_type="application/yaml")

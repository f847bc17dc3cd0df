"""What goes out."""

from __future__ import annotations

from collections.abc import Mapping

import orjson
from starlette.responses import Response

SUCCEEDED = {"succeeded": True}


def json_response(document: object, headers: Mapping[str, str] | None = None) -> Response:
    """200 with the document."""
    return Response(orjson.dumps(document), headers=dict(headers or {}), media_type="application/json")

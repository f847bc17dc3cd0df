"""The OpenAPI document where the real service has it (maskinporten.md §7.1), and a page for people who look for one."""

from __future__ import annotations

import base64
import hashlib
import json
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fastapi import FastAPI, Request
from jinja2 import Environment, StrictUndefined
from markupsafe import Markup
from starlette.responses import HTMLResponse, JSONResponse, Response

from fullmakt.wire.maskinporten.selfservice import ErrorDocument

ERRORS: dict[int | str, dict[str, Any]] = {
    401: {"description": "The token is missing or not to be believed; no body"},
    "default": {"description": "An error", "model": ErrorDocument},
}
"""What every operation may answer besides."""

_STYLE = (
    "body{font:1rem/1.5 system-ui,sans-serif;margin:0 auto;max-width:72rem;padding:1rem;color-scheme:light dark}"
    "table{border-collapse:collapse;width:100%}th,td{text-align:left;vertical-align:top;padding:.25rem 1rem .25rem 0}"
    "td:nth-child(2){overflow-wrap:anywhere}"
)
_HEADERS = {
    # Nothing but the one style sheet, told by its hash: no scripts, no assets of others.
    "Content-Security-Policy": (
        f"default-src 'none'; style-src 'sha256-{base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()}';"
        " base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
_PAGE = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True).from_string(
    Path(__file__).with_name("reference.html").read_text(encoding="utf-8")
)


def publish(api: FastAPI) -> None:
    """Serve the document and the page about it."""
    api.add_api_route("/v3/api-docs.yaml", _as_yaml, include_in_schema=False)
    api.add_api_route("/v3/api-docs", _as_json, include_in_schema=False)
    for path in ("/", "/swagger-ui", "/swagger-ui.html", "/swagger-ui/index.html"):
        api.add_api_route(path, _page, include_in_schema=False)


async def _as_json(request: Request) -> Response:
    return JSONResponse(request.app.openapi())


async def _as_yaml(request: Request) -> Response:
    """The document as YAML. JSON is YAML (YAML 1.2 §1.3), so this is the JSON one with line breaks."""
    text = json.dumps(request.app.openapi(), indent=2, ensure_ascii=False)
    return Response(text, media_type="application/yaml")


async def _page(request: Request) -> Response:
    document = request.app.openapi()
    page = _PAGE.render(
        info=document["info"],
        base_url=document["servers"][0]["url"],
        tags=_by_tag(document["paths"]),
        style=Markup(_STYLE),  # noqa: S704 - it is the constant above
    )
    return HTMLResponse(page, headers=_HEADERS)


def _by_tag(paths: Mapping[str, Mapping[str, Any]]) -> list[tuple[str, list[dict[str, Any]]]]:
    tags: defaultdict[str, list[dict[str, Any]]] = defaultdict(list)
    for path, operations in paths.items():
        for method, operation in operations.items():
            tags[operation["tags"][0]].append(
                {
                    "method": method.upper(),
                    "path": path,
                    "description": operation["description"],
                    "public": "security" not in operation,
                }
            )
    return sorted(tags.items())

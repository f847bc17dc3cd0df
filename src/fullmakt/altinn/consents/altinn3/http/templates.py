"""The list of templates, for anybody (consent.md §4.14)."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from fullmakt.altinn.consents.altinn3.http.door import json
from fullmakt.altinn.consents.templates import templates
from fullmakt.infra.routes import folded_route

PATH = "/api/v1/consent/templates"


def routes() -> list[BaseRoute]:
    """The route."""

    async def everything(_request: Request) -> Response:
        return json([template.document() for template in templates().values()])

    return [folded_route(PATH, everything)]

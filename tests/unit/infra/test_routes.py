"""Paths in any case, with or without a slash at the end."""

from __future__ import annotations

import pytest
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Match

from fullmakt.infra.routes import folded_route


async def endpoint(_request: Request) -> Response:
    return Response()


ROUTE = folded_route("/api/v1/resources/{id}", endpoint)


def match(path: str) -> tuple[bool, object]:
    found, child = ROUTE.matches({"type": "http", "method": "GET", "path": path})
    return found is Match.FULL, child.get("path_params", {}).get("id")


@pytest.mark.parametrize("path", ["/api/v1/resources/Skjema", "/API/V1/Resources/Skjema", "/api/v1/resources/Skjema/"])
def test_a_path_is_matched_in_any_case_and_its_parameters_keep_theirs(path: str) -> None:
    assert match(path) == (True, "Skjema")


@pytest.mark.parametrize(
    "path", ["/api/v1/reſources/x", "/apı/v1/resources/x", "/api/v1/resources", "/api/v1/resources/x//"]
)
def test_a_letter_that_only_looks_like_another_is_another(path: str) -> None:
    assert match(path)[0] is False

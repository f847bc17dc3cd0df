"""What the page of wenche's asks of its back end when a user sets it up. Steps in, as JSON; answers out."""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
from typing import Any

import httpx  # type: ignore[import-not-found]  # both are in the environment that runs this
from wenche.web.backend import lag_app  # type: ignore[import-not-found]


async def answers(steps: list[str]) -> list[dict[str, Any]]:
    """The answer to each step: its status, and what it says."""
    transport = httpx.ASGITransport(lag_app("test"), raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://wenche.test/api/oppsett/") as page:
        found = [await page.post(step) for step in steps]
    return [{"status": answer.status_code, "says": _said(answer)} for answer in found]


def _said(answer: httpx.Response) -> Any:
    try:
        return answer.json()
    except ValueError:
        return answer.text


with contextlib.redirect_stdout(sys.stderr):  # it prints what it does
    found = asyncio.run(answers(json.load(sys.stdin)))
json.dump(found, sys.stdout)

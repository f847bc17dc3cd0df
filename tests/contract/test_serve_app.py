"""One process, every system at its URL: what an orchestrator asks for is there wherever the systems lie."""

from __future__ import annotations

from pathlib import Path

import httpx2
import pytest

from fullmakt.serve.app import create
from fullmakt.serve.assembly import assemble
from fullmakt.serve.settings import Settings


@pytest.mark.parametrize("base", ["https://maskinporten.example.no", "https://example.no/all"])
@pytest.mark.parametrize("issuer", [None, "https://maskinporten.example.no/"])
async def test_health_and_metrics_answer_even_where_a_system_has_the_base_url(
    database_url: str, tmp_path: Path, base: str, issuer: str | None
) -> None:
    settings = Settings.model_validate({"state": tmp_path, "url": base, "maskinporten": {"url": issuer}})
    assembly = assemble(settings, database_url)
    try:
        await assembly.start()
        transport = httpx2.ASGITransport(app=create(assembly))
        async with httpx2.AsyncClient(transport=transport) as http:
            assert (await http.get(f"{base}/healthz")).json() == {"status": "ok"}
            assert (await http.get(f"{base}/readyz")).status_code == 200
            assert "fullmakt_tokens_issued" in (await http.get(f"{base}/metrics")).text
            assert (await http.get(f"{settings.issuer}jwk")).status_code == 200
            assert (await http.get(f"{settings.issuer}errors/MP-250")).status_code == 200
            assert (await http.get(f"{base}/healthz/more")).status_code == 404
    finally:
        await assembly.stop()

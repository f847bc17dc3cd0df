"""A key file's password through a real gateway, as the settings name it; and what the settings refuse."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import httpx2
import pytest
from cryptography.hazmat.primitives.serialization import pkcs12

from fullmakt.client import AsyncMaskinportenClient, Credentials
from fullmakt.infra.database import Database
from fullmakt.serve.app import create
from fullmakt.serve.assembly import assemble
from fullmakt.serve.settings import ConfigError, Settings
from tests.support.sms import gateway
from tests.support.world import World

BASE = "http://localhost:8080"


async def test_the_gateway_has_the_password_and_a_gateway_that_was_down_is_asked_anew(
    database_url: str, database: Database, tmp_path: Path
) -> None:
    world = World(database, tmp_path / "world")
    admin = await world.client("admin", scopes=["idporten:dcr.write"])
    system = await world.client("system", key=None)
    path = f"{BASE}/selvbetjening/api/v1/clients/{system.client_id}"
    async with gateway(503, 202) as serving:
        sms = {"url": serving.url, "token": "gateway-token", "sender": "Etat"}
        assembly = assemble(
            Settings.model_validate({"state": tmp_path, "pki": {"enabled": False}, "sms": sms}), database_url
        )
        await assembly.start()
        async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app=create(assembly))) as http:
            tokens = AsyncMaskinportenClient(
                Credentials(f"{BASE}/maskinporten/", admin.client_id, admin.key), http=http
            )
            http.headers["Authorization"] = f"Bearer {(await tokens.token('idporten:dcr.write')).value}"
            down = await http.post(f"{path}/keys/p12", json={"phone": "+4799999123"})
            assert (down.status_code, down.headers["retry-after"]) == (503, "5")
            assert (await http.get(f"{path}/jwks")).json() == {"keys": []}
            answer = await http.post(f"{path}/keys/p12", json={"phone": "+4799999123"})
            assert answer.status_code == 200
            kids = [key["kid"] for key in (await http.get(f"{path}/jwks")).json()["keys"]]
        await assembly.stop()
    first, second = serving.bodies
    assert first["reference"] != second["reference"]
    assert (second["from"], second["to"]) == ("Etat", "+4799999123")
    assert serving.header("authorization") == "Bearer gateway-token"
    (password,) = re.findall(r"\w{5}(?:-\w{5}){3}", second["text"])
    assert pkcs12.load_pkcs12(answer.content, password.encode()).key is not None
    assert kids == [answer.headers["x-key-id"]]


@pytest.mark.parametrize(
    ("sms", "fault"),
    [
        ({"url": "ftp://gateway.example.no"}, "sms.url: not an http(s) URL"),
        ({"url": "https://me:pass@gateway.example.no"}, "sms.url: a public URL holds no user name"),
        ({"url": "http://gateway.example.no"}, "sms.url: production serves https"),
        ({"sender": "Etaten for alt mulig"}, "sms.sender: "),
        ({"sender": "<b>"}, "sms.sender: "),
        ({"sender": ""}, "sms.sender: "),
        ({"tokn": "x"}, "sms.tokn: unknown setting"),
    ],
    ids=["another protocol", "a password in it", "no TLS", "long sender", "odd sender", "no sender", "misspelt"],
)
def test_what_can_be_no_gateway_is_a_fault(tmp_path: Path, sms: dict[str, Any], fault: str) -> None:
    key = tmp_path / "master.key"
    key.write_text("00" * 32)
    with pytest.raises(ConfigError) as caught:
        Settings.model_validate(
            {
                "environment": "production", "url": "https://fullmakt.example.no", "master_key_file": key,
                "database_url": "postgresql://fullmakt@db.example.no/fullmakt", "sms": sms,
            }
        )  # fmt: skip
    assert [told for told in caught.value.faults if not told.startswith(fault)] == []


def test_the_gateways_token_is_not_shown() -> None:
    settings = Settings.model_validate({"sms": {"url": "https://gateway.example.no", "token": "gateway-token"}})
    assert "gateway-token" not in repr(settings) + settings.model_dump_json()

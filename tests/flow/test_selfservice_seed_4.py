"""Seed 4, "Opprette virksomhetsystem": Altinn's portal makes an enterprise system's client for its vendor, and the
vendor gets a key on it in each of three ways (maskinporten.md §8)."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx2
import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from fullmakt.client import AsyncMaskinportenClient, Credentials, TokenRequest, build_grant
from fullmakt.client.grant import grant_form
from fullmakt.infra.database import Database
from fullmakt.jose.keys import LocalSigner
from fullmakt.kernel.clock import new_uuid, system_clock
from fullmakt.kernel.identifiers import OrgNumber
from fullmakt.serve.app import create
from fullmakt.serve.assembly import Assembly, assemble
from fullmakt.serve.settings import Settings
from tests.support.tokens import payload_of
from tests.support.world import DIGDIR, STRANGER, ClientHandle, World

BASE = "http://localhost:8080"
ISSUER = f"{BASE}/maskinporten/"
VISMA = OrgNumber("312044005")
SCOPE = "skatteetaten:mva"
KEY = LocalSigner.generate()
NEEDS_KEY = (
    "Invalid assertion. Client authentication failed. Invalid JWT. The client requires pre-registered jwk and no key"
    " identifier (kid) provided"
)


class Place:
    """The whole in one process, and Altinn's back end with the token that the seed gives it."""

    def __init__(self, assembly: Assembly, altinn: ClientHandle) -> None:
        transport = httpx2.ASGITransport(app=create(assembly))
        self.http = httpx2.AsyncClient(transport=transport, base_url=f"{BASE}/selvbetjening")
        self._credentials = Credentials(ISSUER, altinn.client_id, altinn.key)

    async def altinn(self, method: str, path: str, **more: Any) -> httpx2.Response:
        """A call on a token with ``idporten:dcr.write`` and ``idporten:dcr.supplier``."""
        tokens = AsyncMaskinportenClient(self._credentials, http=self.http)
        token = await tokens.token("idporten:dcr.write idporten:dcr.supplier")
        headers = {"Authorization": f"Bearer {token.value}", **more.pop("headers", {})}
        return await self.http.request(method, path, headers=headers, **more)

    async def made(self, name: str = "Turboskatt", owner: OrgNumber = VISMA) -> str:
        """A system of the owner's."""
        answer = await self.altinn("POST", "/client", json=drawn(client_name=name, client_orgno=owner))
        assert answer.status_code == 200, answer.text
        return str(answer.json()["client_id"])

    async def token(self, client_id: str, signer: LocalSigner) -> httpx2.Response:
        """What the system's own grant comes to."""
        credentials = Credentials(ISSUER, client_id, signer)
        request = TokenRequest.of(SCOPE)
        grant = build_grant(credentials, request, audience=ISSUER, now=system_clock(), jti=new_uuid())
        return await self.http.post(f"{ISSUER}token", data=grant_form(grant))


def drawn(**changes: Any) -> dict[str, Any]:
    """The body that the seed draws."""
    return {
        "client_name": "Turboskatt for Øvre Toten Regnskapstjenester",
        "Description": "Her kan det stå ein lengre tekst om du vil",
        "scope": [SCOPE],
        "client_orgno": VISMA,
        "integration_type": "altinn_virksys",
        "application_type": "web",
        "token_endpoint_auth_method": "private_key_jwt",
        "grant_types": ["urn:ietf:params:oauth:grant-type:jwt-bearer"],
        **changes,
    }


@pytest.fixture
async def place(database_url: str, database: Database, tmp_path: Path) -> AsyncIterator[Place]:
    world = World(database, tmp_path / "world")
    altinn = await world.client("altinn", org=DIGDIR, scopes=["idporten:dcr.write", "idporten:dcr.supplier"])
    await world.client("ordinary", org=VISMA, scopes=[SCOPE])
    await world.scope("skatteetaten:open", accessible_for_all=True)
    await world.access(SCOPE, STRANGER)
    assembly = assemble(Settings.model_validate({"state": tmp_path, "pki": {"enabled": False}}), database_url)
    await assembly.start()
    opened = Place(assembly, altinn)
    yield opened
    await opened.http.aclose()
    await assembly.stop()


def pem(signer: LocalSigner) -> bytes:
    return signer.native.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


async def paste_pem(place: Place, client_id: str) -> LocalSigner:
    """The first way."""
    headers = {"Content-Type": "text/plain"}
    answer = await place.altinn("POST", f"/api/v2/clients/{client_id}/key", content=pem(KEY), headers=headers)
    assert answer.status_code == 200
    return LocalSigner.from_native(KEY.native, answer.json()["kid"])


async def paste_jwk(place: Place, client_id: str) -> LocalSigner:
    """The first way, and the end of the second: what the browser made is sent as a JWK."""
    answer = await place.altinn("POST", f"/api/v2/clients/{client_id}/key", json=KEY.public_jwk())
    assert (answer.status_code, answer.json()["kid"]) == (200, KEY.kid)
    return KEY


async def get_file(place: Place, client_id: str) -> LocalSigner:
    """The third way."""
    answer = await place.altinn("POST", f"/clients/{client_id}/keys/p12", json={"phone": "+4799999123"})
    assert answer.status_code == 200
    text = (await place.http.get(f"{BASE}/innboks.json")).json()["texts"][0]
    assert text["to"] == "+4799999123"
    (password,) = re.findall(r"\w{5}(?:-\w{5}){3}", text["text"])
    credentials = Credentials.from_pkcs12(ISSUER, client_id, p12=answer.content, password=password.encode())
    assert credentials.certificates == ()
    assert isinstance(credentials.signer, LocalSigner)
    assert credentials.signer.kid == answer.headers["x-key-id"]
    return credentials.signer


async def test_the_portal_lists_systems_and_scopes_and_makes_a_system(place: Place) -> None:
    listed = '/clients?integration_type="altinn_virksys"'
    assert (await place.altinn("GET", listed)).json() == []
    grantable = await place.altinn("GET", f"/scopes/access/for_consumer?consumer_org={VISMA}")
    assert [(one["scope"], one["state"], one["consumer_orgno"]) for one in grantable.json()] == [
        (SCOPE, "APPROVED", VISMA)
    ]
    more = await place.altinn("GET", f"/scopes/access/for_consumer?consumer_org={VISMA}&include_open=true")
    assert [one["scope"] for one in more.json()] == [SCOPE, "skatteetaten:open"]
    # The seed's own example has eight digits.
    assert (await place.altinn("GET", "/scopes/access/for_consumer?consumer_org=99988877")).status_code == 400

    made = await place.altinn("POST", "/client", json=drawn())
    assert made.status_code == 200
    client = made.json()
    assert {name: client[name] for name in client if name not in ("client_id", "created", "last_updated")} == {
        "client_name": "Turboskatt for Øvre Toten Regnskapstjenester",
        "description": "Her kan det stå ein lengre tekst om du vil",
        "client_orgno": VISMA, "supplier_orgno": DIGDIR, "active": True, "application_type": "web",
        "integration_type": "altinn_virksys", "scopes": [SCOPE], "token_endpoint_auth_method": "private_key_jwt",
        "grant_types": ["urn:ietf:params:oauth:grant-type:jwt-bearer"], "access_token_lifetime": 120,
        "refresh_token_lifetime": 600, "refresh_token_usage": "ONETIME", "authorization_lifetime": 7200,
        "redirect_uris": [], "post_logout_redirect_uris": [], "frontchannel_logout_uri": None,
        "frontchannel_logout_session_required": False, "sso_disabled": False, "code_challenge_method": "S256",
        "logo_uri": None, "client_uri": None, "onbehalfof": [], "key_status": "missing",
    }  # fmt: skip
    assert (await place.altinn("GET", listed)).json() == [client]
    other = await place.made(owner=STRANGER)
    assert {one["client_id"] for one in (await place.altinn("GET", listed)).json()} == {client["client_id"], other}
    assert (await place.altinn("GET", f"{listed}&client_orgno={VISMA}")).json() == [client]


async def test_what_the_portal_leaves_out_is_as_the_seed_has_it(place: Place) -> None:
    least = {name: drawn()[name] for name in ("client_name", "Description", "client_orgno", "integration_type")}
    client = (await place.altinn("POST", "/client", json=least)).json()
    assert (client["application_type"], client["token_endpoint_auth_method"]) == ("web", "private_key_jwt")
    assert (client["grant_types"], client["scopes"]) == (drawn()["grant_types"], [])


@pytest.mark.parametrize("way", [paste_pem, paste_jwk, get_file])
async def test_a_system_gets_its_first_token_when_it_has_a_key_and_not_before(
    place: Place, way: Callable[[Place, str], Awaitable[LocalSigner]]
) -> None:
    client_id = await place.made()
    early = await place.token(client_id, KEY)
    assert (early.status_code, early.json()["error"]) == (400, "invalid_grant")
    assert early.json()["error_description"].startswith(NEEDS_KEY)

    signer = await way(place, client_id)
    answer = await place.token(client_id, signer)
    assert answer.status_code == 200, answer.text
    claims = payload_of(answer.json()["access_token"])
    assert claims["consumer"] == {"authority": "iso6523-actorid-upis", "ID": f"0192:{VISMA}"}
    assert (claims["scope"], claims["client_amr"]) == (SCOPE, "private_key_jwt")
    assert "supplier" not in claims
    assert (await place.altinn("GET", f"/clients/{client_id}")).json()["key_status"] == "registered"


async def test_the_portal_edits_a_system_and_puts_it_to_rest(place: Place) -> None:
    client_id = await place.made()
    await paste_jwk(place, client_id)
    path = f"/clients/{client_id}"
    there = (await place.altinn("GET", path)).json()
    edited = await place.altinn("PUT", path, json={**there, "client_name": "Turboskatt 2", "scopes": [SCOPE]})
    assert (edited.status_code, edited.json()["client_name"]) == (200, "Turboskatt 2")
    assert (await place.token(client_id, KEY)).status_code == 200
    gone = await place.altinn("DELETE", path)
    assert (gone.status_code, gone.content) == (200, b"")
    assert (await place.token(client_id, KEY)).json()["error_uri"] == f"{ISSUER}errors/MP-100"


async def test_a_scope_that_the_vendor_has_not_been_granted_is_not_for_its_system(place: Place) -> None:
    refused = await place.altinn("POST", "/client", json=drawn(scope=["idporten:dcr.write", SCOPE]))
    assert refused.status_code == 400
    assert [error["fieldIdentifier"] for error in refused.json()["errors"]] == ["scopes"]

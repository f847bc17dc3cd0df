"""Lånekassen's API in the whole house, a token server with its clients, and an Altinn 2 in small beside it."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx2
from sqlalchemy import text

from fullmakt.altinn.parties.model import Organisation
from fullmakt.altinn.resources.policies.standard import standard_policy
from fullmakt.client import AsyncMaskinportenClient, Credentials
from fullmakt.kernel.clock import FixedClock
from fullmakt.kernel.identifiers import OrgNumber
from fullmakt.lanekassen.config import SCOPE
from fullmakt.lanekassen.store import Consents
from fullmakt.serve.app import create
from fullmakt.serve.assembly import Assembly, assemble
from fullmakt.serve.settings import Settings
from fullmakt.wire.altinn.resource_registry import ResourceDocument
from tests.support.consent_tokens import ALTINN, CONSENT_ID, GIVER, FakeAltinn
from tests.support.tokens import RegistryRows, key_number, payload_of

BASE = "http://localhost:8080"
ACCOUNTS = f"{BASE}/lanekassen/saldo/v1/Accounts"
OWNER, BANK, VENDOR = OrgNumber("313579247"), OrgNumber("910753614"), OrgNumber("312044005")
STRANGER = OrgNumber("312468018")
API_KEYS = {BANK: "the-banks-own-key", VENDOR: "the-vendors-own-key", STRANGER: "a-strangers-own-key"}
CLIENTS = {BANK: "0e0f2a54-6a2c-4f59-9c29-9f8a0d1ab001", VENDOR: "0e0f2a54-6a2c-4f59-9c29-9f8a0d1ab002"}
OTHER_SCOPE = "lanekassen:lan/v1/annet"
RESOURCE = "lanekassen-saldoopplysninger"
DELEGATION_SOURCE = "https://tt02.altinn.no/"
REQUEST_ID = "4a1f6f0e-request"
TEXTS = {
    400: "One or more headers are invalid",
    401: "Authorization token is invalid",
    403: "Consent token is invalid",
    404: "Requested PSU_ID does not exist",
    429: "Too busy",
    500: "Unknown error. Contact support if the error persists",
}
OTHERS = "01085301957"
"""Another customer."""
NO_CUSTOMER = "05895199925"
"""Somebody whom Lånekassen does not know."""


class Town(httpx2.AsyncBaseTransport):
    """Where the house's own requests go: to Altinn, or back to the house."""

    def __init__(self, altinn: FakeAltinn) -> None:
        self._altinn = httpx2.ASGITransport(altinn.app)
        self.house: httpx2.ASGITransport | None = None

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """To whom the URL says."""
        if self.house is not None and str(request.url).startswith(BASE):
            return await self.house.handle_async_request(request)
        return await self._altinn.handle_async_request(request)


class Setting:
    """The house, and whoever calls Lånekassen."""

    def __init__(self, assembly: Assembly, http: httpx2.AsyncClient, altinn: FakeAltinn) -> None:
        self.assembly = assembly
        self.altinn = altinn
        self.http = http

    @property
    def consents(self) -> Consents:
        """What Lånekassen remembers."""
        assert self.assembly.lanekassen is not None
        return self.assembly.lanekassen.sources.consents

    async def fill(self) -> None:
        """The bank with the scope, and the vendor to whom it has delegated it."""
        registers, rows = self.assembly.rights, RegistryRows(self.assembly.database)
        for orgno in (OWNER, BANK, VENDOR):
            await registers.parties.declare_organisation(Organisation(orgno, f"Org {orgno}"))
        policy = standard_policy(RESOURCE, roles=["apiadm"], actions=["ScopeAccess"])
        await registers.resources.declare_resource(_resource(), policy)
        await registers.declarations.declare_api_delegation(BANK, VENDOR, RESOURCE)
        await rows.prefix("lanekassen", OWNER)
        await rows.delegation_source(DELEGATION_SOURCE)
        for scope in (SCOPE, OTHER_SCOPE):
            await rows.scope(scope, access=[BANK], delegation_source=DELEGATION_SOURCE)
        for number, (orgno, client) in enumerate(CLIENTS.items(), 1):
            await rows.client(client, client_orgno=orgno, scopes=[SCOPE, OTHER_SCOPE], keys=[key_number(number)])

    async def token(self, holder: OrgNumber = BANK, scope: str = SCOPE, **asked: Any) -> str:
        """A token of the token server's."""
        number = 1 + list(CLIENTS).index(holder)
        credentials = Credentials(self.assembly.settings.issuer, CLIENTS[holder], key_number(number))
        client = AsyncMaskinportenClient(credentials, clock=self.assembly.clock, http=self.http)
        return (await client.token(scope, **asked)).value

    async def odd_token(self, header: Mapping[str, Any] | None = None, /, **changes: Any) -> str:
        """A token that the token server would not issue, with its signature: a good one's claims with ``changes``."""
        claims = {**payload_of(await self.token()), **changes}
        signer = (await self.assembly.signing_keys.ring()).signer_at(self.assembly.clock())
        head = None if header is None else json.dumps({"kid": signer.kid, "alg": signer.alg, **header}).encode()
        kept = {name: value for name, value in claims.items() if value is not None}
        return signer.sign(json.dumps(kept).encode(), head).decode()

    def consent(self, **changes: Any) -> str:
        """A consent token to the bank, from the customer that all are about."""
        return self.altinn.mint(**{"CoveredBy": str(BANK), **changes})

    async def ask(self, token: str | None = None, /, *, url: str = ACCOUNTS, **headers: Any) -> httpx2.Response:
        """A call, good but for what is given; a header's name has ``__`` for a dash, and None leaves it out."""
        given: dict[str, Any] = {
            "ApiKey": API_KEYS[BANK],
            "Authorization": await self.token() if token is None else token,
            "PSU_ID": GIVER,
            "X-Request-Id": REQUEST_ID,
        }
        given |= {name.replace("__", "-"): value for name, value in headers.items()}
        sent = [(name, value) for name, value in given.items() if value is not None]
        return await self.http.get(url, headers=sent)

    async def trail(self) -> Sequence[Mapping[str, Any]]:
        """Lånekassen's own events, oldest first."""
        async with self.assembly.database.transaction() as connection:
            query = "SELECT * FROM audit.event WHERE system = 'lanekassen' ORDER BY id"
            return [dict(row) for row in (await connection.execute(text(query))).mappings()]


@asynccontextmanager
async def setting(
    database_url: str,
    state: Path,
    clock: FixedClock,
    *,
    filled: bool = True,
    maskinporten: Mapping[str, Any] | None = None,
    **settings: Any,
) -> AsyncIterator[Setting]:
    """The house with Lånekassen set up as in ``settings``, which trusts an Altinn of the tests' own.

    ``maskinporten`` is that section of the settings; nobody can fetch a list of revoked certificates in a test.
    """
    altinn = FakeAltinn(clock)
    section = {"altinn2_url": ALTINN, "api_keys": {str(orgno): key for orgno, key in API_KEYS.items()}, **settings}
    sections = {"lanekassen": section, "maskinporten": maskinporten or {}}
    house = Settings.model_validate({"state": state, **sections})
    town = Town(altinn)
    assembly = assemble(house, database_url, clock=clock, http=httpx2.AsyncClient(transport=town))
    transport = town.house = httpx2.ASGITransport(app=create(assembly), client=("127.0.0.1", 50_000))
    try:
        await assembly.start()
        async with httpx2.AsyncClient(transport=transport) as http:
            there = Setting(assembly, http, altinn)
            if filled:
                await there.fill()
            yield there
    finally:
        await assembly.stop()


def consent_details(**changes: Any) -> list[dict[str, Any]]:
    """The consent in Maskinporten's token (consent.md §4.10)."""
    element = {
        "type": "urn:altinn:consent",
        "id": str(CONSENT_ID),
        "from": f"urn:altinn:person:identifier-no:{GIVER}",
        "to": {"authority": "iso6523-actorid-upis", "ID": f"0192:{BANK}"},
        "consented": "2026-01-15T10:34:39.676924+00:00",
        "validTo": "2026-12-20T10:34:34.836+00:00",
        "consentRights": [right("lanekassen_5498_1")],
    }
    return [element | changes]


def right(resource: str, action: str = "consent") -> dict[str, Any]:
    """An element of ``consentRights``."""
    named = [{"type": "urn:altinn:resource", "value": resource}]
    return {"action": [action], "resource": named, "metadata": {"navn": "Banken AS"}}


def _resource() -> ResourceDocument:
    texts = dict.fromkeys(("nb", "nn", "en"), "Saldo")
    references = [{"referenceSource": "ExternalPlatform", "reference": SCOPE, "referenceType": "MaskinportenScope"}]
    return ResourceDocument.model_validate(
        {
            "identifier": RESOURCE, "title": texts, "description": texts, "rightDescription": texts,
            "status": "Active", "resourceType": "MaskinportenSchema", "delegable": True, "visible": True,
            "hasCompetentAuthority": {"organization": "991825827", "orgcode": "digdir", "name": texts},
            "resourceReferences": references, "contactPoints": [{"category": "x", "email": "x@example.no"}],
        }
    )  # fmt: skip


async def refused(there: Setting, answer: httpx2.Response, status: int, check: int, reason: str) -> None:
    """It is refused with the contract's text, and the trail tells by which check and why, and nothing secret."""
    assert (answer.status_code, answer.text) == (status, TEXTS[status])
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert answer.headers["x-request-id"] == REQUEST_ID
    event = (await there.trail())[-1]
    assert (event["action"], event["outcome"]) == ("balance:read", "deny")
    assert (event["facts"]["check"], event["reason"]) == (check, reason)
    told = json.dumps(event, default=str)
    for secret in (GIVER, OTHERS, *API_KEYS.values(), "eyJ"):
        assert secret not in told


async def balance(answer: httpx2.Response) -> list[str]:
    """The names of the sub-accounts of an answer that is one."""
    assert answer.status_code == 200, answer.text
    return [account["Name"] for account in answer.json()["Accounts"]]

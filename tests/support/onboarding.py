"""The four processes of seed 002 as calls (consent.md §6), each by whoever does it, with its own token, over HTTP.

``begin`` does what is done by hand in the real chain: registers, Lånekassen's prefix, a client for each organisation's
administration, Altinn's own scopes with the package that delegates them, and API keys.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2

from fullmakt.altinn.consents.keys.model import ApiKeyDeclaration
from fullmakt.altinn.parties.model import Organisation, Person, Role
from fullmakt.altinn.resources.policies import consent_policy
from fullmakt.altinn.resources.policies.standard import standard_policy
from fullmakt.client import AsyncMaskinportenClient, Credentials
from fullmakt.kernel.clock import FixedClock
from fullmakt.kernel.identifiers import NationalId, OrgNumber
from fullmakt.lanekassen.config import SCOPE
from fullmakt.wire.altinn.resource_registry import ResourceDocument, ServiceOwner
from tests.support.consent_tokens import GIVER
from tests.support.fake_issuer import key
from tests.support.lanekassen import API_KEYS, BANK, BASE, DELEGATION_SOURCE, OWNER, VENDOR, Setting, setting
from tests.support.tokens import NOW, RegistryRows

SELF = f"{BASE}/selvbetjening/api/v1"
REGISTRY = f"{BASE}/altinn/resourceregistry/api/v1/resource"
ALTINN2 = f"{BASE}/altinn2"
ALTINN3 = f"{BASE}/altinn/accessmanagement/api/v1"
DIGDIR = OrgNumber("991825827")
DIRECTOR, VENDORS_DIRECTOR = NationalId("05895199925"), NationalId("12846799972")
READ, WRITE, TOKENS = "altinn:consentrequests.read", "altinn:consentrequests.write", "altinn:consenttokens"
CONSENT_SCOPES = (READ, WRITE, TOKENS)
CONSENT_PACKAGE, API, SERVICE = "altinn-samtykke-api", "lanekassen-saldoopplysninger", "lanekassen_5498_1"
ADMINISTRATION = {
    OWNER: (
        "idporten:scopes.read", "idporten:scopes.write", "altinn:resourceregistry/resource.write",
        "altinn:serviceowner/srr.read", "altinn:serviceowner/srr.write",
    ),
    BANK: ("idporten:dcr.write", "idporten:scopes.write"),
    VENDOR: ("idporten:dcr.write",),
}  # fmt: skip
TEXTS = dict.fromkeys(("nb", "nn", "en"), "Saldo på studielån")


@dataclass(frozen=True, slots=True)
class Client:
    """A client of Maskinporten's, and whose it is."""

    holder: OrgNumber
    credentials: Credentials


class Onboarding:
    """Everybody in seed 002, before anything has been set up."""

    def __init__(self, there: Setting) -> None:
        self.there = there
        self.altinns_keys: dict[OrgNumber, str] = {}
        self._issuer = there.assembly.settings.issuer
        self._made = 0

    async def begin(self) -> None:
        """What is done by hand."""
        registers, rows = self.there.assembly.rights, RegistryRows(self.there.assembly.database)
        for number, name in ((OWNER, "Lånekassen"), (BANK, "Banken AS"), (VENDOR, "Leverandør AS"), (DIGDIR, "Digdir")):
            await registers.parties.declare_organisation(Organisation(number, name))
        for person, name in ((GIVER, "Gabrielle Grønseth"), (DIRECTOR, "Banksjef"), (VENDORS_DIRECTOR, "Leder")):
            await registers.parties.declare_person(Person(NationalId(person), name))
        await registers.parties.grant_role(Role(DIRECTOR, "dagl", BANK))
        await registers.parties.grant_role(Role(VENDORS_DIRECTOR, "dagl", VENDOR))
        for code, owner in (("lanekassen", OWNER), ("digdir", DIGDIR)):
            await registers.resources.declare_service_owner(code, ServiceOwner(orgnr=owner))
        await registers.resources.ensure_platform_resources()
        package = ResourceDocument.model_validate(api_document(CONSENT_PACKAGE, CONSENT_SCOPES, DIGDIR, "digdir"))
        await registers.resources.declare_resource(package, api_policy(CONSENT_PACKAGE))
        await rows.delegation_source(DELEGATION_SOURCE)
        await rows.prefix("lanekassen", OWNER)
        for prefix in ("altinn", "idporten"):
            await rows.prefix(prefix, DIGDIR)
        for scope in CONSENT_SCOPES:
            await rows.scope(scope, access=[BANK], delegation_source=DELEGATION_SOURCE)
        for scope in sorted({scope for scopes in ADMINISTRATION.values() for scope in scopes}):
            await rows.scope(scope, access=[one for one, held in ADMINISTRATION.items() if scope in held])
        for holder, scopes in ADMINISTRATION.items():
            await rows.client(f"admin-{holder}", client_orgno=holder, scopes=scopes, keys=[key(f"admin-{holder}")])
        for holder in ADMINISTRATION:
            declared = ApiKeyDeclaration(f"key-{holder}", holder, (), holder == OWNER)
            made = await self.there.assembly.altinn.consents.keys.declare(declared)
            assert made.secret is not None
            self.altinns_keys[holder] = made.secret

    # -- tokens -------------------------------------------------------------------------------------------------------

    async def token(self, client: Client | OrgNumber, *scopes: str, **asked: Any) -> str:
        """A token of Maskinporten's; an organisation stands for its administration's client."""
        credentials = client.credentials if isinstance(client, Client) else self._administration(client)
        maskinporten = AsyncMaskinportenClient(credentials, clock=self.there.assembly.clock, http=self.there.http)
        return (await maskinporten.token(" ".join(scopes), **asked)).value

    def _administration(self, holder: OrgNumber) -> Credentials:
        return Credentials(self._issuer, f"admin-{holder}", key(f"admin-{holder}"))

    async def person(self, person: str, method: str, path: str, **more: Any) -> httpx2.Response:
        """A call to access management by somebody who has logged in."""
        asked = {"env": "local", "pid": person, "scopes": "altinn:portal/enduser", "authLvl": "4"}
        token = (await self.there.http.get(f"{BASE}/altinn/testtools/api/GetPersonalToken", params=asked)).text
        return await self._send(method, f"{ALTINN3}/{path}", token, **more)

    async def call(
        self,
        who: Client | OrgNumber,
        scope: str,
        method: str,
        url: str,
        *,
        consumer: OrgNumber | None = None,
        **more: Any,
    ) -> httpx2.Response:
        """A call with a token for one scope, and with the caller's own API key of Altinn's."""
        asked = {} if consumer is None else {"consumer_org": consumer}
        holder = who.holder if isinstance(who, Client) else who
        headers = {"ApiKey": self.altinns_keys[holder], "Accept": "application/json"}
        return await self._send(method, url, await self.token(who, scope, **asked), headers=headers, **more)

    async def _send(
        self, method: str, url: str, token: str, *, headers: dict[str, str] | None = None, **more: Any
    ) -> httpx2.Response:
        sent = {"Authorization": f"Bearer {token}", **(headers or {})}
        return await self.there.http.request(method, url, headers=sent, **more)

    # -- the processes ------------------------------------------------------------------------------------------------

    async def create_api(self, who: OrgNumber = OWNER) -> httpx2.Response:
        """1.2: a scope, which can be delegated; the answer."""
        body = {
            "prefix": "lanekassen", "subscope": SCOPE.removeprefix("lanekassen:"), "description": "Saldoopplysninger",
            "delegation_source": DELEGATION_SOURCE, "at_max_age": 120,
        }  # fmt: skip
        return await self.call(who, "idporten:scopes.write", "POST", f"{SELF}/scopes", json=body)

    async def tie_api(self) -> None:
        """1.3: an API resource with the scope."""
        await self._publish(api_document(API, [SCOPE], OWNER, "lanekassen"), api_policy(API))

    async def create_service(self, identifier: str = SERVICE) -> None:
        """2: a consent service."""
        terms = {
            "consentTemplate": "default", "consentMetadata": {"Navn": {"optional": False}}, "isOneTimeConsent": False,
            "consentText": dict.fromkeys(("nb", "nn", "en"), "{Navn} kan hente saldoen din."),
        }  # fmt: skip
        document = {**_document(identifier, "Consent", OWNER, "lanekassen"), **terms}
        await self._publish(document, consent_policy(identifier, roles=["priv"], min_level=3))

    async def _publish(self, document: dict[str, Any], policy: bytes) -> None:
        scope = "altinn:resourceregistry/resource.write"
        made = await self.call(OWNER, scope, "POST", REGISTRY, json=document)
        assert made.status_code == 201, made.text
        file = {"policyFile": ("policy.xml", policy, "text/xml")}
        made = await self.call(OWNER, scope, "POST", f"{REGISTRY}/{document['identifier']}/policy", files=file)
        assert made.status_code == 201, made.text

    async def let_in_maskinporten(self, consumer: OrgNumber = BANK) -> None:
        """3.1: the consumer may have the scope."""
        url = f"{SELF}/scopes/access/{consumer}"
        answer = await self.call(OWNER, "idporten:scopes.write", "PUT", url, params={"scope": SCOPE})
        assert answer.json()["state"] == "APPROVED", answer.text

    async def list_in_srr(self, *consumers: OrgNumber, domains: Sequence[str] = ("*.bank.example",)) -> None:
        """3.2: the consumers may receive consents to the service."""
        entries = [
            {
                "ServiceCode": "5498", "ServiceEditionCode": 1, "Reportee": one, "Right": "Read",
                "ValidTo": "2099-01-01T00:00:00Z", "Condition": {"AllowedRedirectDomain": [*domains]},
            }
            for one in consumers
        ]  # fmt: skip
        answer = await self.call(
            OWNER, "altinn:serviceowner/srr.write", "POST", f"{ALTINN2}/api/serviceowner/srr", json=entries
        )
        assert [one["OperationStatus"] for one in answer.json()] == ["OK"] * len(entries), answer.text

    async def client(self, holder: OrgNumber, *scopes: str) -> Client:
        """4: a client with a key of its own."""
        body = {
            "client_name": f"{scopes[0]} ({holder})", "description": "x", "integration_type": "maskinporten",
            "grant_types": ["urn:ietf:params:oauth:grant-type:jwt-bearer"],
            "token_endpoint_auth_method": "private_key_jwt", "scopes": [*scopes],
        }  # fmt: skip
        made = await self.call(holder, "idporten:dcr.write", "POST", f"{SELF}/clients", json=body)
        assert made.is_success, made.text
        self._made += 1
        signer = key(f"client-{self._made}")
        url = f"{SELF}/clients/{made.json()['client_id']}/jwks"
        keys = {"keys": [signer.public_jwk()]}
        answer = await self.call(holder, "idporten:dcr.write", "POST", url, json=keys)
        assert answer.is_success, answer.text
        return Client(holder, Credentials(self._issuer, made.json()["client_id"], signer))

    async def delegate(self, *packages: str) -> None:
        """4b.2: the bank's managing director delegates API packages to the vendor."""
        bank = await self.party(BANK)
        about = {"party": bank, "supplier": VENDOR}
        answer = await self.person(DIRECTOR, "POST", "enduser/maskinportensuppliers", params=about)
        assert answer.status_code == 200, answer.text
        for package in packages:
            asked = {**about, "resource": package}
            answer = await self.person(DIRECTOR, "POST", "enduser/maskinportensuppliers/resources", params=asked)
            assert answer.status_code == 200, answer.text

    async def party(self, number: OrgNumber) -> str:
        """The UUID of an organisation's party."""
        found = await self.there.http.get(f"{BASE}/altinn/register/api/v1/organizations/{number}")
        return str(found.json()["partyUuid"])

    # -- run time -----------------------------------------------------------------------------------------------------

    async def ask(self, who: Client, *, consumer: OrgNumber | None = None, **changes: Any) -> httpx2.Response:
        """A request for consent, in Altinn 2's form; ``consumer`` is whom a supplier does it for."""
        body = {
            "CoveredBy": consumer or who.holder, "OfferedBy": GIVER, "OfferedByName": "Grønseth", "RequestMessage": {},
            "ValidTo": "2027-05-01T10:00:00Z", "RedirectUrl": "https://www.bank.example/retur",
            "RequestResources": [{"ServiceCode": "5498", "ServiceEditionCode": 1, "Metadata": {"Navn": "Banken AS"}}],
            **({} if consumer is None else {"HandledBy": who.holder}), **changes,
        }  # fmt: skip
        url = f"{ALTINN2}/api/consentRequests"
        return await self.call(who, WRITE, "POST", url, consumer=consumer, json=body)

    async def consent_token(self, who: Client, code: str, *, consumer: OrgNumber | None = None) -> str:
        """What the code of a consent is exchanged for, out of its quotes."""
        url = f"{ALTINN2}/api/authorization/token/{code}"
        answer = await self.call(who, TOKENS, "GET", url, consumer=consumer)
        assert answer.status_code == 200, answer.text
        return str(answer.json())

    async def balance(self, who: Client, consent: str, *, consumer: OrgNumber | None = None) -> httpx2.Response:
        """The balance, asked for with both tokens."""
        token = await self.token(who, SCOPE, **({} if consumer is None else {"consumer_org": consumer}))
        return await self.there.ask(token, ApiKey=API_KEYS[who.holder], Consent__ID=consent)


def api_policy(identifier: str) -> bytes:
    """Whoever has the API role may delegate it."""
    return standard_policy(identifier, roles=["apiadm"], actions=["ScopeAccess"], min_level=3)


def api_document(identifier: str, scopes: Sequence[str], owner: OrgNumber, code: str) -> dict[str, Any]:
    """An API resource with scopes."""
    references = [
        {"referenceSource": "Altinn3", "reference": scope, "referenceType": "MaskinportenScope"} for scope in scopes
    ]
    return {**_document(identifier, "MaskinportenSchema", owner, code), "resourceReferences": references}


def _document(identifier: str, kind: str, owner: OrgNumber, code: str) -> dict[str, Any]:
    return {
        "identifier": identifier, "title": TEXTS, "description": TEXTS, "rightDescription": TEXTS, "status": "Active",
        "resourceType": kind, "hasCompetentAuthority": {"organization": owner, "orgcode": code, "name": TEXTS},
    }  # fmt: skip


@asynccontextmanager
async def onboarding(database_url: str, state: Path) -> AsyncIterator[Onboarding]:
    """The house, with nothing in it but what is done by hand."""
    async with setting(database_url, state, FixedClock(NOW), filled=False, altinn2_url=None, burst=1_000) as there:
        found = Onboarding(there)
        await found.begin()
        yield found

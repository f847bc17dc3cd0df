"""Altinn 2's form of consent over ASGI: two banks, two suppliers, people, and services of the loan fund's."""

from __future__ import annotations

import base64
import datetime as dt
import json
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

import httpx2
from sqlalchemy import text
from starlette.applications import Starlette

from fullmakt.altinn.consents.altinn2.callers import Door
from fullmakt.altinn.consents.altinn2.http import HANDLERS, edge_error, routes
from fullmakt.altinn.consents.altinn2.http.door import Admission
from fullmakt.altinn.consents.altinn2.ports import BadCertificate
from fullmakt.altinn.consents.altinn2.service import Altinn2Consents
from fullmakt.altinn.consents.keys.model import ApiKeyDeclaration
from fullmakt.altinn.consents.keys.service import ApiKeys
from fullmakt.altinn.consents.model import Consent
from fullmakt.altinn.consents.ports import Neighbours
from fullmakt.altinn.consents.service import ConsentsService
from fullmakt.altinn.consents.srr.domains import parse_pattern
from fullmakt.altinn.consents.srr.model import Condition, Draft, Entry, Right, ServiceDeclaration, ServiceKey
from fullmakt.altinn.consents.srr.service import SrrService
from fullmakt.altinn.consents.srr.services import Services
from fullmakt.altinn.exchange.keys import AltinnKeys
from fullmakt.infra.database import Database
from fullmakt.infra.http import SystemEdge
from fullmakt.infra.secrets import MasterKey
from fullmakt.kernel.clock import FixedClock, new_uuid
from fullmakt.kernel.identifiers import OrgNumber
from fullmakt.wire.altinn import attributes as ids
from fullmakt.wire.altinn.attributes import Attribute
from fullmakt.wire.altinn.callers import Caller
from fullmakt.wire.altinn.consents2 import OWNER_SCOPES, READ_SCOPES, TOKEN_SCOPES, TOKEN_WRITE_SCOPES, WRITE_SCOPES
from fullmakt.wire.altinn.parties import PartyIdentity
from fullmakt.wire.altinn.resources import CONSENT, ConsentTerms
from tests.support.delegations import FakeAuthority, FakeCallers, FakeDecision, FakeParties, FakeResources

NOW = dt.datetime(2026, 5, 4, 10, 0, tzinfo=dt.UTC)
URL = "https://altinn2.test"
REQUESTS = "/api/consentRequests"
TOKEN = "/api/authorization/token"
KARI, OLA = "08027202285", "30918899991"
BANK, OTHER_BANK, SUPPLIER, OTHER_SUPPLIER, OWNER = "313876144", "312044005", "310149942", "310943223", "960885406"
SHOP = "910753614"
LOAN, TAX = ServiceKey("5498", 1), ServiceKey("4629", 2)
ALL_SCOPES = (*READ_SCOPES, *WRITE_SCOPES, *TOKEN_SCOPES, *TOKEN_WRITE_SCOPES, *OWNER_SCOPES)
CERTIFICATE_HEADER = "X-Client-Certificate"
ITSELF = UUID(int=0)
"""The party of who acts for itself."""


class Registry(FakeResources):
    """The resource registry, with a service owner."""

    async def org_codes(self) -> Mapping[str, OrgNumber]:
        return {"lanekassen": OrgNumber(OWNER)}


class Authority(FakeAuthority):
    """A decision point that is asked on behalf of nobody else too."""

    async def may(
        self, subject: Sequence[Attribute], action: str, resource: str, party: UUID | None, *, actor: str = ""
    ) -> FakeDecision:
        return await super().may(subject, action, resource, party or ITSELF, actor=actor)


class Certificates:
    """Takes for a certificate what names an organisation."""

    async def organisation_of(self, x5c: Sequence[str]) -> OrgNumber | BadCertificate:
        number = base64.b64decode(x5c[0]).decode(errors="replace")
        is_one = number.isdigit() and len(number) == 9
        return OrgNumber(number) if is_one else BadCertificate({"problem": "untrusted"})


def certificate_of(number: str) -> str:
    """What a proxy would hand on for the organisation."""
    return base64.b64encode(number.encode()).decode()


class Altinn2World:
    """The system, its neighbours, and a client to it."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.clock = FixedClock(NOW)
        self.parties, self.resources = FakeParties(), Registry()
        self.authority, self.callers = Authority(), FakeCallers()
        self.kari = self.parties.person(KARI, "Kari Grønseth")
        self.ola = self.parties.person(OLA, "Ola Låntaker")
        self.organisations = {
            number: self.parties.organisation(number, name)
            for number, name in (
                (BANK, "Banken AS"),
                (OTHER_BANK, "Annen Bank AS"),
                (SUPPLIER, "Leverandør AS"),
                (OTHER_SUPPLIER, "Annen Leverandør AS"),
                (OWNER, "Statens lånekasse"),
                (SHOP, "Butikken AS"),
            )
        }
        self.secrets: dict[str, str] = {}
        for resource, terms in (
            ("lanekassen_5498_1", ConsentTerms("default", (), (("Navn", False),))),
            ("lanekassen_4629_2", ConsentTerms("default", (), (("inntektsaar", False), ("fritekst", True)))),
            ("lanekassen_4630_1", ConsentTerms("sblanesoknad")),
            ("lanekassen_4631_1", ConsentTerms("default", one_time=True)),
            ("lanekassen_4632_1", ConsentTerms("default")),
        ):
            self.resources.add(resource, resource_type=CONSENT, actions=("consent",))
            self.resources.change(resource, consent=terms, owner_orgno=OrgNumber(OWNER), owner_code="lanekassen")
            for person in (self.kari, self.ola):
                self.authority.permit(person, resource, person, "consent")
            for one in self.organisations.values():
                self.may_ask(one, resource)
        self.authority.permit(self.kari, "altinn_access_management", self.kari, "read", "write")
        self.authority.permit(self.ola, "altinn_access_management", self.ola, "read", "write")
        self.signer = AltinnKeys(database, MasterKey(bytes(32)), self.clock, "https://altinn.test/")
        self.keys = ApiKeys(database, self.clock, new_uuid)
        self.services = Services(database, self.clock, self.resources)
        self.srr = SrrService(database, self.clock, self.services)
        self.consents = ConsentsService(
            database, self.clock, new_uuid, Neighbours(self.parties, self.resources, self.authority)
        )
        self.service = Altinn2Consents(self.consents, self.services, self.srr, self.signer)
        self.http = self._client(Door(self.keys, self.callers, Certificates(), CERTIFICATE_HEADER))
        self.http_without_certificates = self._client(Door(self.keys, self.callers, Certificates()))

    def _client(self, door: Door) -> httpx2.AsyncClient:
        table = routes(self.service, Admission(door, self.service), URL)
        app = Starlette(routes=table, exception_handlers=dict(HANDLERS))
        return httpx2.AsyncClient(transport=httpx2.ASGITransport(app=SystemEdge(app, error=edge_error)), base_url=URL)

    async def begin(self) -> Altinn2World:
        """Give everybody an API key, and a token that is its number; suppliers act for ``BANK`` as ``delegated:…``."""
        for number in self.organisations:
            await self.give_key(number, owner=number == OWNER)
            self.callers.organisation(number, number, *ALL_SCOPES)
        for number in (SUPPLIER, OTHER_SUPPLIER):
            self.callers.known[f"delegated:{number}"] = Caller(
                frozenset(ALL_SCOPES), consumer=OrgNumber(BANK), supplier=OrgNumber(number)
            )
        return self

    async def give_key(self, number: str, *domains: str, owner: bool = False) -> str:
        """An API key of an organisation, which it uses from now on."""
        declaration = ApiKeyDeclaration(f"{number}:{len(await self.keys.listed())}", OrgNumber(number), domains, owner)
        made = await self.keys.declare(declaration)
        assert made.secret is not None
        self.secrets[number] = made.secret
        return made.secret

    def may_ask(self, who: PartyIdentity, resource: str) -> None:
        """Let the policy of a resource let an organisation ask."""
        subject = Attribute(ids.PARTY_UUID, str(who.party_uuid))
        self.authority.rules.add((subject, "requestconsent", resource, ITSELF))

    async def send(
        self, who: str, method: str, path: str, *, token: str | None = "", key: str | None = "", **more: Any
    ) -> httpx2.Response:
        """A request by an organisation, with its key and its token, or others, or none (None)."""
        headers = {"Accept": "application/hal+json", **more.pop("headers", {})}
        if key is not None:
            headers["ApiKey"] = key or self.secrets[who]
        if token is not None:
            headers["Authorization"] = f"Bearer {token or who}"
        return await self.http.request(method, path, headers=headers, **more)

    async def ask(self, who: str = BANK, /, *, token: str = "", **changes: Any) -> httpx2.Response:
        """A request for consent."""
        return await self.send(who, "POST", REQUESTS, token=token, json=body(**changes))

    async def code(self, who: str = BANK, /, *, token: str = "", **changes: Any) -> str:
        """The code of a request that was made."""
        answer = await self.ask(who, token=token, **changes)
        assert answer.status_code == 200, answer.text
        return str(answer.json()["AuthorizationCode"])

    async def given(self, who: str = BANK, /, *, token: str = "", **changes: Any) -> str:
        """The code of a consent that Kari has given."""
        code = await self.code(who, token=token, **changes)
        await self.accept(code)
        return code

    async def consent(self, code: str) -> Consent:
        """The consent as it is kept."""
        found = await self.consents.using.find(UUID(code))
        assert found is not None
        return found.consent

    async def accept(self, code: str, who: PartyIdentity | None = None) -> Consent:
        """Let Kari, or somebody, say yes."""
        caller = self.caller(who or self.kari)
        return (await self.consents.answering.accept(UUID(code), caller, language="nb")).consent

    async def reject(self, code: str, who: PartyIdentity | None = None) -> Consent:
        """Let Kari, or somebody, say no."""
        return (await self.consents.answering.reject(UUID(code), self.caller(who or self.kari))).consent

    async def revoke(self, code: str) -> None:
        """Let Kari take her consent back."""
        await self.consents.answering.revoke(UUID(code), self.caller(self.kari))

    def caller(self, who: PartyIdentity) -> Caller:
        """A person who has logged in."""
        return Caller(frozenset({"altinn:portal/enduser"}), party_uuid=who.party_uuid, auth_level=4)

    async def draw(self, code: str, who: str = BANK, *, token: str | None = None, **more: Any) -> httpx2.Response:
        """Fetch a consent token, with the API key alone unless told."""
        return await self.send(who, "GET", f"{TOKEN}/{code}", token=token, **more)

    async def claims(self, code: str, who: str = BANK, *, token: str | None = None) -> dict[str, Any]:
        """What a consent token says."""
        answer = await self.draw(code, who, token=token, headers={"Accept": "application/json"})
        assert answer.status_code == 200, answer.text
        return part(answer.json(), 1)

    async def list_in_srr(
        self,
        service: ServiceKey,
        reportee: str = BANK,
        *,
        days: int = 365,
        handled_by: str | None = None,
        domains: Sequence[str] = (),
    ) -> Entry:
        """Let SRR list somebody as a receiver."""
        condition = Condition(
            handled_by=OrgNumber(handled_by) if handled_by else None,
            domains=tuple(map(parse_pattern, domains)),
        )
        draft = Draft(service, reportee, Right.READ, self.clock() + dt.timedelta(days=days), condition)
        [written] = await self.srr.add([draft], await self.owner())
        assert isinstance(written.item, Entry)
        return written.item

    async def end_in_srr(self, entry: Entry) -> None:
        """Take somebody off SRR's list."""
        await self.srr.remove(entry.id, await self.owner())

    async def owner(self) -> Any:
        """The owner of the services, as SRR is asked by it."""
        key = await self.keys.holder(self.secrets[OWNER])
        assert key is not None
        return _Owner(key.organisation)

    async def uses_srr(self, resource: str, key: ServiceKey) -> None:
        """Let SRR gate a service."""
        await self.services.declare(ServiceDeclaration(resource, key, uses_srr=True))

    async def audited(self, prefix: str = "consent") -> list[tuple[str, str, str]]:
        """Action, outcome and reason of every event."""
        async with self.database.transaction() as connection:
            rows = await connection.execute(
                text("SELECT action, outcome, reason FROM audit.event WHERE action LIKE :like ORDER BY id"),
                {"like": f"{prefix}%"},
            )
            return [(row.action, row.outcome, row.reason) for row in rows]

    async def trail(self) -> str:
        """Everything that the audit trail holds, in one text."""
        async with self.database.transaction() as connection:
            rows = await connection.execute(text("SELECT to_jsonb(e) AS event FROM audit.event e"))
            return json.dumps([row.event for row in rows])

    async def close(self) -> None:
        """Let go."""
        await self.http.aclose()
        await self.http_without_certificates.aclose()


class _Owner:
    def __init__(self, organisation: OrgNumber) -> None:
        self.organisation = organisation
        self.actor = str(organisation)


def part(token: str, number: int) -> dict[str, Any]:
    """The header (0) or the claims (1) of a JWT."""
    text = token.split(".")[number]
    found = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    assert isinstance(found, dict)
    return found


def service(key: ServiceKey = LOAN, **metadata: Any) -> dict[str, Any]:
    """A service of a request."""
    return {"ServiceCode": key.code, "ServiceEditionCode": key.edition, "Metadata": metadata}


def body(**changes: Any) -> dict[str, Any]:
    """A request for consent."""
    document = {
        "CoveredBy": BANK,
        "OfferedBy": KARI,
        "OfferedByName": "GRØNSETH",
        "ValidTo": "2027-05-01T10:00:00.000Z",
        "RedirectUrl": "https://bank.example/samtykke/retur",
        "RequestResources": [service(Navn="Banken AS")],
        "RequestMessage": {},
        "PortalViewMode": "Hide",
        **changes,
    }
    return {name: value for name, value in document.items() if value is not None}


def codes(answer: httpx2.Response, status: int = 400) -> list[str]:
    """The error codes of an array of errors."""
    assert answer.status_code == status, answer.text
    errors = answer.json()
    assert isinstance(errors, list)
    assert all(error.keys() == {"ErrorCode", "ErrorMessage"} for error in errors)
    return [error["ErrorCode"] for error in errors]

"""Consents for tests: plain ones between made-up parties, and Altinn 3's form over ASGI among real neighbours."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import Any
from uuid import UUID, uuid4

import httpx2
from sqlalchemy import text

from fullmakt.altinn.consents.altinn3.http import Urls, routes
from fullmakt.altinn.consents.model import Consent, ConsentRight, Form
from fullmakt.altinn.consents.ports import Neighbours
from fullmakt.altinn.consents.service import ConsentsService
from fullmakt.altinn.decisions.config import DecisionsConfig
from fullmakt.altinn.decisions.service import DecisionPoint
from fullmakt.altinn.decisions.store import DecisionFeed, DecisionJournal
from fullmakt.altinn.delegations.service import DelegationsService
from fullmakt.altinn.parties.model import Organisation
from fullmakt.altinn.parties.service import PartiesService
from fullmakt.altinn.resources.access_lists.service import AccessLists
from fullmakt.altinn.resources.policies import consent_policy
from fullmakt.altinn.resources.service import ResourcesService
from fullmakt.infra.altinn import HANDLERS
from fullmakt.infra.database import Database
from fullmakt.infra.http import SystemEdge, routed
from fullmakt.kernel.clock import FixedClock, new_uuid
from fullmakt.kernel.identifiers import NationalId, OrgNumber
from fullmakt.wire.altinn import attributes as ids
from fullmakt.wire.altinn.attributes import Attribute
from fullmakt.wire.altinn.callers import Caller
from fullmakt.wire.altinn.consents import LOOK_UP_SCOPE, ORG_SCOPE, READ_SCOPE, WRITE_SCOPE
from fullmakt.wire.altinn.resource_registry import ServiceOwner
from tests.support.delegations import FakeCallers
from tests.support.parties import Register, national_id, orgno
from tests.support.resources import SKD, resource

NOW = dt.datetime(2026, 3, 2, 12, 0, tzinfo=dt.UTC)
YEAR = dt.timedelta(days=365)
GIVER, RECEIVER, SUPPLIER, PERSON, STRANGER = (UUID(int=number) for number in range(1, 6))

REQUESTS = "/api/v1/enterprise/consentrequests"
EVENTS = f"{REQUESTS}/events"
BFF = "/api/v1/bff"
LOOK_UP = "/api/v1/maskinporten/consent/lookup"
EXT = "/api/v1/ext"
API, PAGES = "https://altinn.test/accessmanagement", "https://altinn.test"
INCOME, BALANCE, LOAN, ONCE, CLOSED, FORM = (
    "skd_4628_1", "skd_5498_1", "skd_4630_1", "skd_4629_1", "skd_4631_1", "skd-skjema"
)  # fmt: skip

BANK, OTHER_BANK, AGENT, FIRM = (orgno(number) for number in (1, 2, 3, 4))
KARI, OLA, DIRECTOR = (national_id(number) for number in (1, 2, 3))
"""Kari and Ola are people, the director is in charge of FIRM."""


def consent(**given: Any) -> Consent:
    """A consent that has just been asked for, with other members as ``given``."""
    made = Consent(
        id=uuid4(),
        form=Form.ALTINN3,
        giver=GIVER,
        receiver=RECEIVER,
        valid_to=NOW + YEAR,
        rights=(ConsentRight("ttd_5498_1", metadata={"navn": "Banken AS"}, resource_version=1),),
        redirect_url="https://bank.example/retur",
        created=NOW,
        created_by=RECEIVER,
    )
    return replace(made, **given)


def person_urn(number: str) -> str:
    """A person's URN."""
    return f"{ids.PERSON}:{number}"


def organisation_urn(number: str) -> str:
    """An organisation's URN."""
    return f"{ids.ORGANISATION}:{number}"


def right(identifier: str = INCOME, **metadata: str) -> dict[str, Any]:
    """A right as it is sent."""
    return {
        "action": ["consent"],
        "resource": [{"type": "urn:altinn:resource", "value": identifier}],
        "metadata": metadata,
    }


def wish(**changes: Any) -> dict[str, Any]:
    """A request of the bank's to Kari that nothing is wrong with; ``changes`` replace members, None takes one out."""
    document: dict[str, Any] = {
        "id": str(uuid4()),
        "from": person_urn(KARI),
        "to": organisation_urn(BANK),
        "validTo": (NOW + YEAR).isoformat(),
        "consentRights": [right(inntektsaar="2025")],
        "requestMessage": {"nb": "Vi vurderer lånet ditt", "nn": "Vi vurderer lånet ditt", "en": "About your loan"},
        "redirectUrl": "https://bank.example/lan?sak=1",
        **changes,
    }
    return {name: member for name, member in document.items() if member is not None}


class ConsentSetting:
    """Altinn 3's form of consent, with real parties, resources, access lists and decisions, and a client to it.

    Callers are known by the names of their tokens: ``bank``, ``other`` and ``owner`` are organisations, ``reader`` may
    read for the bank alone, ``agent`` is its supplier, ``broker`` asks on behalf of others, ``maskinporten`` looks up;
    ``kari``, ``ola`` and ``director`` are people, ``weak`` is Kari with a low authentication level.
    """

    def __init__(self, database: Database, *, strict: bool = False, page_size: int = 100) -> None:
        self.database = database
        self.clock = FixedClock(NOW)
        self.parties = PartiesService(database, self.clock, new_uuid)
        self.register = Register(self.parties)
        self.resources = ResourcesService(database, self.clock, subjects=self.parties, deletable=True)
        self.lists = AccessLists(database, self.clock, self.parties, self.resources)
        delegations = DelegationsService(database, self.clock, new_uuid, resources=self.resources, parties=self.parties)
        self.journal = DecisionJournal(database)
        self.decisions = DecisionPoint(
            DecisionsConfig(),
            parties=self.parties,
            resources=self.resources,
            policy_index=self.resources.policies,
            access_lists=self.lists,
            delegations=delegations,
            feed=lambda: DecisionFeed(database),
            journal=self.journal,
            clock=self.clock,
        )
        self.callers = FakeCallers()
        neighbours = Neighbours(self.parties, self.resources, self.decisions)
        self.service = ConsentsService(database, self.clock, new_uuid, neighbours)
        table = routes(self.service, self.callers, Urls(API, PAGES), page_size=page_size, strict=strict)
        self.client = httpx2.AsyncClient(
            transport=httpx2.ASGITransport(app=SystemEdge(routed(table, HANDLERS)), raise_app_exceptions=False),
            base_url="https://altinn.test",
        )

    async def end(self) -> None:
        """Let go of connections."""
        await self.client.aclose()
        await self.journal.close()

    async def begin(self) -> ConsentSetting:
        """Let everybody be there."""
        for number in (1, 2, 3, 4):
            await self.register.organisation(number)
            await self.register.person(number)
        await self.register.grant(DIRECTOR, "dagl", 4)
        await self.parties.declare_organisation(Organisation(SKD, "Skatteetaten"))
        await self.resources.declare_service_owner("skd", ServiceOwner(orgnr=SKD))
        await self.resources.ensure_platform_resources()
        await self.service_of(INCOME, metadata=("inntektsaar",))
        await self.service_of(BALANCE, metadata=("Navn",), level=3)
        await self.service_of(LOAN, template="sblanesoknad")
        await self.service_of(ONCE, one_time=True)
        await self.service_of(CLOSED, lists=("skd:banker",))
        form = resource(FORM, resourceType="GenericAccessResource", resourceReferences=None)
        await self.resources.declare_resource(form, consent_policy(FORM, roles=["priv"]))
        self._organisations()
        for name, person in (("kari", KARI), ("ola", OLA), ("director", DIRECTOR)):
            self.callers.known[name] = await self.person(person)
        self.callers.known["weak"] = await self.person(KARI, level=2)
        return self

    def _organisations(self) -> None:
        both = (READ_SCOPE, WRITE_SCOPE)
        for name, consumer, scopes in (
            ("bank", BANK, both),
            ("reader", BANK, (READ_SCOPE,)),
            ("other", OTHER_BANK, both),
            ("broker", OTHER_BANK, (ORG_SCOPE,)),
            ("owner", SKD, ("altinn:serviceowner/consents",)),
        ):
            self.callers.known[name] = Caller(frozenset(scopes), consumer=consumer)
        self.callers.known["agent"] = Caller(frozenset(both), consumer=BANK, supplier=AGENT)
        self.callers.known["agent-itself"] = Caller(frozenset(both), consumer=AGENT)
        self.callers.known["maskinporten"] = Caller(frozenset({LOOK_UP_SCOPE}), client_id="maskinporten")
        self.callers.known["nobody"] = Caller(frozenset({*both, LOOK_UP_SCOPE}))

    async def service_of(
        self,
        identifier: str,
        *,
        metadata: tuple[str, ...] = (),
        template: str | None = None,
        one_time: bool = False,
        lists: tuple[str, ...] = (),
        level: int = 0,
        **members: Any,
    ) -> None:
        """Let there be something to consent to, for people and for whoever is in charge of an organisation; ``members``
        are others of its resource."""
        document = resource(
            identifier,
            resourceType="Consent",
            resourceReferences=None,
            consentTemplate=template,
            consentText={"nb": "Inntekt for **{inntektsaar}**", "nn": "Inntekt", "en": "Income"},
            consentMetadata={key: {"optional": True} for key in metadata},
            isOneTimeConsent=one_time,
            **members,
        )
        policy = consent_policy(identifier, roles=["priv", "dagl"], lists=lists, min_level=level)
        await self.resources.declare_resource(document, policy)

    async def person(self, number: NationalId, level: int = 4) -> Caller:
        """The person, as one who has logged in."""
        name = Attribute(ids.PERSON, number)
        known = (await self.parties.identify([name]))[name]
        return Caller(
            frozenset({"altinn:portal/enduser"}),
            user_id=known.user_id,
            party_id=known.party_id,
            party_uuid=known.party_uuid,
            auth_level=level,
        )

    async def uuid(self, number: NationalId | OrgNumber) -> UUID:
        """The UUID of a party."""
        return await self.register.uuid(number)

    async def call(self, who: str | None, method: str, path: str, body: object = None, **query: Any) -> httpx2.Response:
        """A request by whoever has that token."""
        headers = {"Authorization": f"Bearer {who}"} if who else {}
        return await self.client.request(method, path, params=query, headers=headers, json=body)

    async def requested(self, who: str = "bank", **changes: Any) -> dict[str, Any]:
        """A request that has been made, as it is answered."""
        answer = await self.call(who, "POST", REQUESTS, wish(**changes))
        assert answer.status_code == 201, answer.text
        return dict(answer.json())

    async def accepted(self, who: str = "bank", **changes: Any) -> str:
        """The id of a consent that Kari has given."""
        made = await self.requested(who, **changes)
        answer = await self.call("kari", "POST", f"{BFF}/consentrequests/{made['id']}/accept", {"language": "nb"})
        assert answer.status_code == 200, answer.text
        return str(made["id"])

    async def told(self) -> list[tuple[str, str, str]]:
        """What the audit trail says of consents: action, outcome and reason of each event."""
        rows = await self.rows("SELECT action, outcome, reason FROM audit.event WHERE system = 'consents' ORDER BY id")
        return [(row[0], row[1], row[2]) for row in rows]

    async def rows(self, statement: str, **values: Any) -> list[Any]:
        """What a statement finds."""
        async with self.database.transaction() as connection:
            return [tuple(row) for row in await connection.execute(text(statement), values)]


def codes(answer: httpx2.Response) -> list[str]:
    """The codes of an answer's problems, and of the rules that are broken, in order."""
    assert answer.headers["content-type"] == "application/problem+json", answer.text
    return _codes(answer.json())


def _codes(problem: dict[str, Any]) -> list[str]:
    inner = [code for one in problem.get("problems", ()) for code in _codes(one)]
    faults = [fault["code"] for fault in problem.get("validationErrors", ())]
    return inner or faults or [problem["code"]]

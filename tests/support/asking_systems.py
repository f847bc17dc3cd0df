"""A small world for system users: a vendor, organisations and their people, an accountant and its client."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

import httpx2
from sqlalchemy import text
from starlette.applications import Starlette

from fullmakt.altinn.delegations.model import OPERATOR
from fullmakt.altinn.delegations.service import DelegationsService
from fullmakt.altinn.delegations.system_users import SystemUserDelegations
from fullmakt.altinn.systemusers.http import Urls, routes
from fullmakt.altinn.systemusers.ports import Neighbours
from fullmakt.altinn.systemusers.register import rules as register_rules
from fullmakt.altinn.systemusers.register.http import routes as register_routes
from fullmakt.altinn.systemusers.register.service import RegisterService
from fullmakt.altinn.systemusers.service import SystemUsersService
from fullmakt.infra.altinn import HANDLERS
from fullmakt.infra.database import Database
from fullmakt.infra.http import SystemEdge
from fullmakt.kernel.clock import FixedClock, new_uuid
from fullmakt.kernel.identifiers import OrgNumber
from fullmakt.wire.altinn import attributes as ids
from fullmakt.wire.altinn.attributes import Attribute
from fullmakt.wire.altinn.callers import InvalidCallerError
from fullmakt.wire.altinn.parties import HeldRights, PartyIdentity
from tests.support.delegations import FakeAuthority, FakeCallers, FakePackages, FakeParties, FakeResources
from tests.support.systemusers import START, SYSTEM, VENDOR, definition, package, right

API, PAGES = "https://platform.test/authentication", "https://am.ui.test"
REQUEST = "/api/v1/systemuser/request"
CHANGE = "/api/v1/systemuser/changerequest"
USERS = "/api/v1/systemuser"
PUBLIC = "/api/v1/enduser/systemuser"
CLIENT = "client-of-smartcloud"
CUSTOMER, ACCOUNTANT, CLIENT_ORG = OrgNumber("310000101"), OrgNumber("310000102"), OrgNumber("310000103")
VENDORS_SCOPES = (
    "altinn:authentication/systemuser.request.write",
    "altinn:authentication/systemuser.request.read",
    register_rules.WRITE_SCOPE,
)
ENDUSER = ("altinn:portal/enduser", "altinn:clientdelegations.read", "altinn:clientdelegations.write")
MASKINPORTEN = ("altinn:maskinporten/systemuser.read", "altinn:maskinporten/virksys.read")
_SAID: dict[str, Any] = {
    "rights": [right("krav"), right("melding")],
    "accessPackages": [package("skatt"), package("for-kunder")],
    "isVisible": False,
}
MANAGEMENT, ADMINISTRATION = "altinn_access_management", "altinn_client_administration"


class FakeScopes:
    """Resources by the scopes that they refer to."""

    def __init__(self) -> None:
        self.known: dict[str, list[str]] = {}

    async def identifiers_with_scope(self, scope: str) -> list[str]:
        return self.known.get(scope, [])


class FakePlatformTokens:
    """Tokens that are the names of their issuers."""

    async def issuer_of(self, token: str) -> str:
        if token == "forged":
            raise InvalidCallerError("bad_signature")
        return token


class SystemUsersWorld:
    """Kari decides in ``customer``, Ola may look there; Rita decides in ``accountant``, which keeps ``client``'s books.

    A person's token is the name in lower case; ``vendor`` and ``rival`` are vendors', ``maskinporten`` is its own. The
    vendor's system has the resources ``krav`` and ``melding`` and the packages ``skatt`` and ``for-kunder``.
    """

    def __init__(self, database: Database) -> None:
        self.database = database
        self.clock = FixedClock(START)
        self.parties, self.resources, self.packages = FakeParties(), FakeResources(), FakePackages()
        self.authority, self.callers, self.scopes = FakeAuthority(), FakeCallers(), FakeScopes()
        self._people_and_organisations()
        self._things()
        self.delegations = DelegationsService(
            database, self.clock, new_uuid, resources=self.resources, parties=self.parties
        )
        self.rights = SystemUserDelegations(
            self.delegations,
            parties=self.parties,
            resources=self.resources,
            packages=self.packages,
            authority=self.authority,
        )
        self.neighbours = Neighbours(
            parties=self.parties,
            resources=self.resources,
            packages=self.packages,
            scopes=self.scopes,
            authority=self.authority,
            rights=self.rights,
            clients_of_agents=self.delegations,
        )
        self.service = SystemUsersService(database, self.clock, new_uuid, self.neighbours)
        self.register = RegisterService(
            database, self.clock, new_uuid, resources=self.resources, packages=self.packages
        )
        served = Starlette(
            routes=[
                *routes(self.service, self.callers, FakePlatformTokens(), Urls(API, PAGES)),
                *register_routes(self.register, self.callers),
            ],
            exception_handlers=dict(HANDLERS),
        )
        self.http = httpx2.AsyncClient(
            transport=httpx2.ASGITransport(app=SystemEdge(served), raise_app_exceptions=False),
            base_url="https://platform.test",
        )

    def _people_and_organisations(self) -> None:
        parties = self.parties
        self.vendor = parties.organisation(VENDOR, "Smart Sky")
        self.customer = parties.organisation(CUSTOMER, "Kunde")
        self.accountant = parties.organisation(ACCOUNTANT, "Regnskap")
        self.client = parties.organisation(CLIENT_ORG, "Klient")
        self.kari = parties.person("05895199925", "Kari")
        self.ola = parties.person("24907999889", "Ola")
        self.rita = parties.person("17865599978", "Rita")
        for token, who in (("kari", self.kari), ("ola", self.ola), ("rita", self.rita)):
            self.callers.person(token, who, *ENDUSER)
        self.callers.organisation("vendor", VENDOR, *VENDORS_SCOPES)
        self.callers.organisation("rival", "310000002", *VENDORS_SCOPES)
        self.callers.organisation("maskinporten", "991825827", *MASKINPORTEN)
        self.callers.organisation("admin", "991825827", "altinn:authentication/systemuser.admin")
        for who, party in ((self.kari, self.customer), (self.rita, self.accountant)):
            self.authority.permit(who, MANAGEMENT, party, "read", "write")
            self.authority.permit(who, ADMINISTRATION, party, "read", "write")
        self.authority.permit(self.ola, MANAGEMENT, self.customer, "read")
        self.hold(self.kari, self.customer, "skatt", "moms")
        self.hold(self.rita, self.accountant, "skatt")
        self.hold(self.accountant, self.client, "for-kunder")

    def _things(self) -> None:
        for name in ("krav", "melding", "annet"):
            self.resources.add(name, resource_type="GenericAccessResource")
            self.authority.permit(self.kari, name, self.customer, "read", "write")
        self.packages.add("skatt")
        self.packages.add("moms")
        self.packages.add("for-kunder", assignable=False)
        self.packages.add("bundet", delegable=False)

    def hold(self, holder: PartyIdentity, party: PartyIdentity, *packages: str) -> None:
        """Let ``holder`` hold these packages in ``party`` by the register, and no others."""
        held = frozenset(Attribute(ids.ACCESS_PACKAGE, name) for name in packages)
        self.parties.hold(holder, party, HeldRights(packages=held))

    # -- what is done --

    async def send(self, token: str | None, method: str, path: str, **more: Any) -> httpx2.Response:
        """A request with the token."""
        headers = {**more.pop("headers", {}), **({"Authorization": f"Bearer {token}"} if token else {})}
        return await self.http.request(method, path, headers=headers, **more)

    async def registered(self, called: str = "smartcloud", /, **changes: Any) -> str:
        """The id of a system of the vendor's."""
        said = {**_SAID, **changes}
        answer = await self.send("vendor", "POST", "/api/v1/systemregister/vendor", json=definition(called, **said))
        assert answer.status_code == 200, answer.text
        return f"{VENDOR}_{called}"

    async def redefined(self, **changes: Any) -> None:
        """Give the vendor's system another definition."""
        said = {**_SAID, **changes}
        answer = await self.send(
            "vendor", "PUT", f"/api/v1/systemregister/vendor/{SYSTEM}", json=definition("smartcloud", **said)
        )
        assert answer.status_code == 200, answer.text

    async def ask(self, *, agent: bool = False, by: str = "vendor", **changes: Any) -> httpx2.Response:
        """A vendor's request: of the customer, or for an agent of the accountant."""
        body = asked_of_accountant(**changes) if agent else asked(**changes)
        return await self.send(by, "POST", f"{REQUEST}/vendor{'/agent' if agent else ''}", json=body)

    async def requested(self, *, agent: bool = False, **changes: Any) -> str:
        """The id of a new request."""
        answer = await self.ask(agent=agent, **changes)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["id"])

    async def answer(
        self, token: str, verb: str, request_id: str, party: PartyIdentity | None = None, *, agent: bool = False
    ) -> httpx2.Response:
        """``approve``, ``reject`` or ``escalate`` a request."""
        whose = party or (self.accountant if agent else self.customer)
        part = "/agent" if agent else ""
        return await self.send(token, "POST", f"{REQUEST}{part}/{whose.party_id}/{request_id}/{verb}")

    async def approved(self, *, agent: bool = False, **changes: Any) -> UUID:
        """The id of a system user."""
        request_id = await self.requested(agent=agent, **changes)
        answer = await self.answer("rita" if agent else "kari", "approve", request_id, agent=agent)
        assert (answer.status_code, answer.text) == (200, "true")
        return UUID(request_id)

    async def status_of(self, request_id: object) -> str:
        """How a request stands, to its vendor."""
        answer = await self.send("vendor", "GET", f"{REQUEST}/vendor/{request_id}")
        assert answer.status_code == 200, answer.text
        return str(answer.json()["status"])

    async def look_up(self, by: str = "maskinporten", **changes: Any) -> httpx2.Response:
        """Maskinporten's question."""
        query = {
            "clientId": CLIENT,
            "systemProviderOrgNo": VENDOR,
            "systemUserOwnerOrgNo": CUSTOMER,
            **changes,
        }
        return await self.send(by, "GET", f"{USERS}/byExternalId", params=query)

    async def give_package(self, giver: PartyIdentity, receiver: PartyIdentity, name: str) -> None:
        """Let ``receiver`` have a package of ``giver``'s by delegation."""
        await self.delegations.give_package(giver.party_uuid, receiver.party_uuid, name, OPERATOR)

    async def given(self, system_user: UUID) -> list[tuple[str, str, bool]]:
        """Kind and name of everything that a system user has been given, and whether it counts."""
        return [(one.kind.value, one.name, one.holds) for one in await self.rights.given(system_user)]

    # -- what is left behind --

    async def told(self, prefix: str = "") -> list[tuple[str, str, str]]:
        """Action, outcome and reason of the system users' events in the audit trail."""
        return await self.rows(
            "SELECT action, outcome, reason FROM audit.event WHERE system = 'systemusers' AND action LIKE :like"
            " ORDER BY id",
            like=f"{prefix}%",
        )

    async def announced(self) -> list[str]:
        """The keys that the feed tells of, in order."""
        rows = await self.rows("SELECT key FROM feed.change WHERE topic = 'altinn.systemusers' ORDER BY version, key")
        return [key for (key,) in rows]

    async def rows(self, statement: str, **values: object) -> list[Any]:
        """What a statement finds."""
        async with self.database.transaction() as connection:
            return [tuple(row) for row in await connection.execute(text(statement), values)]

    async def close(self) -> None:
        """Let go."""
        await self.http.aclose()


def asked(**changes: Any) -> dict[str, Any]:
    """A request for a standard system user; ``changes`` replace members, None takes one out."""
    body = {
        "systemId": SYSTEM,
        "partyOrgNo": CUSTOMER,
        "rights": [right("krav")],
        "accessPackages": [package("skatt")],
        "redirectUrl": "https://smartcloud.example/receipt?state=1",
        **changes,
    }
    return {name: value for name, value in body.items() if value is not None}


def asked_of_accountant(**changes: Any) -> dict[str, Any]:
    """A request for an agent."""
    return asked(**{"partyOrgNo": ACCOUNTANT, "rights": None, "accessPackages": [package("for-kunder")], **changes})


def problem_of(answer: httpx2.Response) -> tuple[int, str]:
    """Status and code of a problem document."""
    assert answer.headers["content-type"] == "application/problem+json", answer.text
    return answer.status_code, str(answer.json()["code"]).removeprefix("AUTH-000")


def somebody() -> UUID:
    """An id that nobody has."""
    return uuid4()

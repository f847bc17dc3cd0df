"""Access lists in process: a register and a registry that hold what a test puts into them, and callers by name."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from uuid import UUID

import httpx2

from fullmakt.altinn.resources.access_lists import rules
from fullmakt.altinn.resources.access_lists.http import app
from fullmakt.altinn.resources.access_lists.service import AccessLists
from fullmakt.infra.database import Database
from fullmakt.kernel.clock import Clock, FixedClock
from fullmakt.kernel.identifiers import OrgNumber
from fullmakt.wire.altinn import attributes as ids
from fullmakt.wire.altinn.attributes import Attribute
from fullmakt.wire.altinn.callers import Caller, InvalidCallerError
from fullmakt.wire.altinn.parties import PartyIdentity, PartyKind
from fullmakt.wire.altinn.resources import RegisteredResource

START = dt.datetime(2026, 1, 5, 10, 11, 12, 123456, tzinfo=dt.UTC)
URL = "https://platform.test/resourceregistry"
LISTS = "/api/v1/access-lists"
DIGDIR, SKD = OrgNumber("991825827"), OrgNumber("974761076")
ORG_CODES = {"digdir": DIGDIR, "skd": SKD}


def organisation(number: int) -> PartyIdentity:
    """The ``number``-th organisation of the register; higher numbers have higher UUIDs."""
    orgno = OrgNumber(f"{310_000_000 + number}")
    party_uuid = UUID(int=(0xA << 124) + number)
    return PartyIdentity(50_000_000 + number, party_uuid, PartyKind.ORGANISATION, f"Virksomhet {number}", "AS", orgno)


PERSON = PartyIdentity(60_000_001, UUID(int=(0xF << 124) + 1), PartyKind.PERSON, "Kari Nordmann", user_id=20_000_001)


class Register:
    """Parties by whatever they are known by."""

    def __init__(self, *parties: PartyIdentity) -> None:
        self._by_name: dict[Attribute, PartyIdentity] = {}
        for party in parties:
            self._by_name[Attribute(ids.PARTY_UUID, str(party.party_uuid))] = party
            self._by_name[Attribute(ids.PARTY_ID, str(party.party_id))] = party
            if party.orgno is not None:
                self._by_name[Attribute(ids.ORGANISATION, party.orgno)] = party

    async def identify(self, attributes: Collection[Attribute]) -> dict[Attribute, PartyIdentity]:
        """As the register of parties."""
        return {each: self._by_name[each] for each in attributes if each in self._by_name}

    def forget(self, party: PartyIdentity) -> None:
        """Let nobody have heard of the party."""
        self._by_name = {name: each for name, each in self._by_name.items() if each != party}


class Registry:
    """Resources, and who owns what."""

    def __init__(self, *resources: RegisteredResource) -> None:
        self._resources = {resource.identifier: resource for resource in resources}

    async def resources(self, identifiers: Collection[str]) -> Mapping[str, RegisteredResource]:
        return {each: self._resources[each] for each in identifiers if each in self._resources}

    async def org_codes(self) -> Mapping[str, OrgNumber]:
        return ORG_CODES


def resource(identifier: str, owner: str = "digdir", orgno: OrgNumber | None = DIGDIR) -> RegisteredResource:
    """A resource behind access lists."""
    return RegisteredResource(
        identifier=identifier,
        version=1,
        resource_type="GenericAccessResource",
        title=(),
        owner_orgno=orgno,
        owner_code=owner,
        delegable=True,
        visible=True,
        access_list_enabled=True,
    )


class Callers:
    """Whoever a test lets in; the token is a name."""

    def __init__(self, **callers: Caller) -> None:
        self.known = callers

    async def identify(self, token: str) -> Caller:
        if token not in self.known:
            raise InvalidCallerError("unknown")
        return self.known[token]


class Platform:
    """Platform tokens that name their issuer."""

    async def issuer_of(self, token: str) -> str:
        if not token.startswith("from-"):
            raise InvalidCallerError("unknown")
        return token.removeprefix("from-")


def caller(consumer: OrgNumber, *scopes: str, org_code: str | None = None) -> Caller:
    """An organisation with these scopes."""
    return Caller(frozenset(scopes), consumer=consumer, org_code=org_code)


CALLERS = {
    "writer": caller(DIGDIR, rules.WRITE_SCOPE),
    "reader": caller(DIGDIR, rules.READ_SCOPE),
    "by_code": Caller(frozenset({rules.WRITE_SCOPE}), org_code="digdir"),
    "other": caller(SKD, rules.WRITE_SCOPE, org_code="skd"),
    "admin": caller(SKD, rules.ADMIN_SCOPE),
    "pdp": caller(SKD, rules.PDP_SCOPE),
    "pdp_writer": caller(SKD, rules.PDP_SCOPE, rules.WRITE_SCOPE),
    "nobody": caller(DIGDIR, "altinn:resourceregistry/access-list.write"),
}


@dataclass
class Setting:
    """Everything that a test of access lists needs."""

    database: Database
    clock: Clock = field(default_factory=lambda: FixedClock(START))
    register: Register = field(default_factory=lambda: Register(*map(organisation, range(300)), PERSON))
    registry: Registry = field(
        default_factory=lambda: Registry(
            *(resource(f"api-{number:03}") for number in range(130)), resource("skatt-api", "skd", SKD)
        )
    )

    def __post_init__(self) -> None:
        self.service = AccessLists(self.database, self.clock, self.register, self.registry)

    def client(self, who: str | None = "writer", *, platform: str | None = None) -> httpx2.AsyncClient:
        """A client that calls as one of ``CALLERS``, as somebody unknown, or as nobody at all."""
        headers = {"Authorization": f"Bearer {who}"} if who else {}
        if platform:
            headers["PlatformAccessToken"] = platform
        served = app(self.service, Callers(**CALLERS), base_url=URL, platform=Platform())
        return httpx2.AsyncClient(
            transport=httpx2.ASGITransport(app=served, raise_app_exceptions=False),
            base_url="http://registry.test",
            headers=headers,
        )


def members(*numbers: int) -> dict[str, list[str]]:
    """A body that names organisations by number."""
    return {"data": [f"{ids.ORGANISATION}:{organisation(number).orgno}" for number in numbers]}

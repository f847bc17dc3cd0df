"""The whole house with a vendor that asks organisations for system users, and a browser that follows confirm links."""

from __future__ import annotations

import re
from html import unescape
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

import httpx2
from sqlalchemy import text

from fullmakt.altinn.delegations.model import OPERATOR, Offer
from fullmakt.altinn.parties.model import Organisation, Person, Role
from fullmakt.altinn.resources.policies.standard import standard_policy
from fullmakt.kernel.identifiers import NationalId, OrgNumber
from fullmakt.serve.assembly import Assembly
from fullmakt.wire.altinn import attributes as ids
from fullmakt.wire.altinn.attributes import Attribute
from fullmakt.wire.altinn.resource_registry import ResourceDocument
from tests.support.resources import register_owners
from tests.support.systemusers import definition, package, right

ALTINN = "http://localhost:8080/altinn"
AUTHENTICATION = f"{ALTINN}/authentication/api/v1"
VENDOR, BANK = OrgNumber("312044005"), OrgNumber("910753614")
KARI, OLA, JONAS = NationalId("05895199925"), NationalId("24907999889"), NationalId("30918899991")
SYSTEM = f"{VENDOR}_smartcloud"
RECEIPT = "https://smartcloud.example/receipt?state=1&x=%C3%A6"
_SCOPES = (
    "altinn:authentication/systemregister.write,altinn:authentication/systemuser.request.read,"
    "altinn:authentication/systemuser.request.write"
)
_AGE = (
    "UPDATE systemusers.request SET created = created - :days * interval '1 day' WHERE request_id = :id",
    "UPDATE systemusers.change_request SET created = created - :days * interval '1 day' WHERE change_request_id = :id",
)
_TEXTS = {"nb": "Skjemaet", "nn": "Skjemaet", "en": "The form"}
SAID: dict[str, Any] = {
    "name": {"nb": "Skysky", "nn": "Skyskya", "en": "Smart <Cloud>"},
    "rights": [right("form"), right("closed")],
    "accessPackages": [package("merverdiavgift"), package("regnskapsforer-lonn"), package("lonn")],
    "isVisible": False,
}


class AskingPages:
    """Kari decides in the bank, Ola may look there, Jonas has nothing to do with it.

    The vendor's system has the resources ``form`` and ``closed``, the latter for nobody, and three packages, of which
    ``regnskapsforer-lonn`` is for agents.
    """

    def __init__(self, assembly: Assembly, http: httpx2.AsyncClient) -> None:
        self.assembly = assembly
        self.browser = http
        self._token = ""

    async def fill(self) -> None:
        """Let everybody and everything be there."""
        registers = self.assembly.altinn.registers
        for orgno, name in ((VENDOR, "Smart Sky"), (BANK, "Bank <ASA>")):
            await registers.parties.declare_organisation(Organisation(orgno, name))
        for number, name in ((KARI, "Kari"), (OLA, "Ola"), (JONAS, "Jonas")):
            await registers.parties.declare_person(Person(number, name))
        await registers.parties.grant_role(Role(KARI, "dagl", BANK))
        await register_owners(registers.resources)
        for name, role in (("form", "dagl"), ("closed", "lede")):
            policy = standard_policy(name, roles=[role], actions=["read", "write"])
            await registers.resources.declare_resource(_resource(name), policy)
        bank, ola = await self.uuid_of(ids.ORGANISATION, BANK), await self.uuid_of(ids.PERSON, OLA)
        only_read = Offer(bank, ola, "altinn_access_management", frozenset({"read"}))
        await registers.delegations.delegate(only_read, OPERATOR)
        self._token = await self._vendors_token()
        await self.send("POST", "systemregister/vendor", definition("smartcloud", owner=VENDOR, **SAID))

    async def _vendors_token(self) -> str:
        query = {"env": "local", "scopes": _SCOPES, "orgNo": str(VENDOR)}
        answer = await self.browser.get(f"{ALTINN}/testtools/api/GetEnterpriseToken", params=query)
        return answer.text

    async def uuid_of(self, what: str, number: str) -> Any:
        """Somebody's party UUID."""
        name = Attribute(what, number)
        return (await self.assembly.parties.identify([name]))[name].party_uuid

    # -- the vendor ---------------------------------------------------------------------------------------------------

    async def send(self, method: str, path: str, body: Any = None, **query: str) -> httpx2.Response:
        """The vendor's call to Altinn's authentication, which succeeds."""
        answer = await self.browser.request(
            method, f"{AUTHENTICATION}/{path}", json=body, params=query,
            headers={"Authorization": f"Bearer {self._token}"},
        )  # fmt: skip
        assert answer.is_success, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer

    async def redefined(self, **changes: Any) -> None:
        """Give the system another definition."""
        said = {**SAID, **changes}
        await self.send("PUT", f"systemregister/vendor/{SYSTEM}", definition("smartcloud", owner=VENDOR, **said))

    async def asked(self, *, agent: bool = False, **changes: Any) -> str:
        """The confirm link of a new request of the bank; ``changes`` replace members, None takes one out."""
        packages = [package("regnskapsforer-lonn" if agent else "merverdiavgift")]
        body = {
            "systemId": SYSTEM, "partyOrgNo": BANK, "rights": None if agent else [right("form")],
            "accessPackages": packages, "redirectUrl": RECEIPT, **changes,
        }  # fmt: skip
        sent = {name: value for name, value in body.items() if value is not None}
        answer = await self.send("POST", f"systemuser/request/vendor{'/agent' if agent else ''}", sent)
        assert answer.status_code == 201
        return str(answer.json()["confirmUrl"])

    async def asked_for_change(self, system_user: str, **changes: Any) -> str:
        """The confirm link of a new change request."""
        body = {
            "requiredRights": [], "unwantedRights": [right("form")], "requiredAccessPackages": [package("lonn")],
            "unwantedAccessPackages": [], "redirectUrl": RECEIPT, **changes,
        }  # fmt: skip
        query = {"correlation-id": self.assembly.altinn.new_id(), "system-user-id": system_user}
        answer = await self.send("POST", "systemuser/changerequest/vendor", body, **query)
        assert answer.status_code == 201
        return str(answer.json()["confirmUrl"])

    async def approved(self) -> str:
        """The id of a system user that Kari has said yes to."""
        url = await self.asked()
        assert (await self.answer(url, "approve")).status_code == 303
        return id_in(url)

    async def status_of(self, url: str) -> str:
        """How the request behind a confirm link stands, to its vendor."""
        kind = urlsplit(url).path.rpartition("/")[2]
        paths = {"request": "request/vendor", "agentrequest": "request/vendor/agent"}
        path = paths.get(kind, "changerequest/vendor")
        return str((await self.send("GET", f"systemuser/{path}/{id_in(url)}")).json()["status"])

    async def take_back(self, url: str) -> None:
        """Let the vendor delete what it asked for."""
        kind = "changerequest" if "changerequest" in url else "request"
        await self.send("DELETE", f"systemuser/{kind}/vendor/{id_in(url)}")

    async def given(self, system_user: str) -> set[str]:
        """What a system user has been given, by name."""
        given = await self.assembly.altinn.system_user_delegations.given(UUID(system_user))
        return {one.name for one in given if one.holds}

    async def execute(self, statement: str, **values: object) -> list[Any]:
        """What a statement does or finds, behind everybody's back."""
        async with self.assembly.database.transaction() as connection:
            done = await connection.execute(text(statement), values)
            return [tuple(row) for row in done] if done.returns_rows else []

    async def age(self, url: str, days: int) -> None:
        """Let a request have been made so many days earlier."""
        for statement in _AGE:
            await self.execute(statement, days=days, id=id_in(url))

    async def refusals(self) -> list[tuple[str, str, str]]:
        """Action, reason and actor of what was refused, in the system users' trail."""
        return await self.execute(
            "SELECT action, reason, actor FROM audit.event WHERE system = 'systemusers' AND outcome = 'deny'"
            " ORDER BY id"
        )

    # -- the browser --------------------------------------------------------------------------------------------------

    async def page(self, url: str, language: str = "en", code: int = 200) -> str:
        """The page's text."""
        answer = await self.browser.get(url, params={**_query(url), "lang": language})
        assert answer.status_code == code, answer.text
        return unescape(answer.text)

    async def filled(self, url: str, **changes: str) -> dict[str, str]:
        """The form that the page has, its first person picked."""
        page = await self.page(url)
        found = {name: re.search(rf'name="{name}" value="([^"]*)"', page) for name in ("token", "person")}
        return {**{name: one[1] if one else "" for name, one in found.items()}, **changes}

    async def post(self, url: str, form: dict[str, str]) -> httpx2.Response:
        """Send a form."""
        return await self.browser.post(url, params={**_query(url), "lang": "en"}, data=form)

    async def answer(self, url: str, answer: str, **changes: str) -> httpx2.Response:
        """Fill the page's form in, and send it."""
        return await self.post(url, await self.filled(url, answer=answer, **changes))


def id_in(url: str) -> str:
    """The request that a confirm link leads to."""
    return _query(url)["id"]


def _query(url: str) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}


def _resource(name: str) -> ResourceDocument:
    texts = _TEXTS if name == "form" else dict.fromkeys(("nb", "nn", "en"), name)
    document = {
        "identifier": name, "title": texts, "description": texts, "rightDescription": texts, "status": "Active",
        "resourceType": "GenericAccessResource", "delegable": True, "visible": True,
        "hasCompetentAuthority": {"organization": "991825827", "orgcode": "digdir", "name": texts},
        "contactPoints": [{"category": "x", "email": "x@example.no"}],
    }  # fmt: skip
    return ResourceDocument.model_validate(document)

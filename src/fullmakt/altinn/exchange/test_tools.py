"""Altinn's tokens for whomever one names, as AltinnTestTools hands them out (altinn-authentication.md §13).

For developers' machines and test environments alone: who can reach it is everybody. The real one asks for a password;
any, or none, is taken here, so that suites written for it run.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp

from fullmakt.altinn.exchange.ports import Parties
from fullmakt.altinn.exchange.rules import person_claims
from fullmakt.altinn.exchange.service import ExchangeService
from fullmakt.altinn.exchange.tokens import is_platform_issuer
from fullmakt.infra.altinn import HANDLERS
from fullmakt.infra.http import SystemEdge
from fullmakt.infra.routes import folded_route
from fullmakt.kernel.clock import Clock, NewId, new_token_id
from fullmakt.kernel.identifiers import InvalidIdentifierError, Iso6523, OrgNumber
from fullmakt.wire.altinn.attributes import AUTH_LEVEL, PARTY_ID, PARTY_UUID, PERSON, SERVICE_OWNER, USER_ID, Attribute
from fullmakt.wire.altinn.callers import AUTH_METHOD, ORG_NUMBER
from fullmakt.wire.altinn.parties import PartyIdentity
from fullmakt.wire.altinn.problems import BindingError

ISSUED_BY = "altinn-test-tools"
DEFAULT_SYSTEM_USER_ORG = "991825827"
DEFAULT_LIFETIME = 1_800
"""Seconds."""
LONGEST_LIFETIME = 86_400 * 365

_ENVIRONMENTS = re.compile(r"[a-z0-9]{1,10}", re.ASCII)
_DIGITS = re.compile(r"[0-9]{1,10}", re.ASCII)
_SEPARATORS = re.compile(r"[ ,]+")

Claims = dict[str, Any]


class _Asked:
    """The parameters of a request; names are compared without regard to case."""

    def __init__(self, request: Request) -> None:
        self._given = {name.lower(): value.strip() for name, value in request.query_params.items()}
        if not _ENVIRONMENTS.fullmatch(self._given.get("env", "")):
            raise _fault("env", "say which environment: any short name will do")

    def text(self, name: str, default: str = "") -> str:
        return self._given.get(name.lower()) or default

    def required(self, name: str) -> str:
        value = self.text(name)
        if not value:
            raise _fault(name, "missing")
        return value

    def number(self, name: str, default: int, most: int) -> int:
        value = self.text(name)
        if not value:
            return default
        if not _DIGITS.fullmatch(value) or int(value) > most:
            raise _fault(name, f"a whole number from 0 to {most}")
        return int(value)

    def uuid(self, name: str) -> str:
        try:
            return str(UUID(self.required(name)))
        except ValueError as error:
            raise _fault(name, "a UUID") from error

    def organisation(self, name: str, default: str = "") -> OrgNumber | None:
        value = self.text(name, default)
        try:
            return OrgNumber(value) if value else None
        except InvalidIdentifierError as error:
            raise _fault(name, str(error)) from error

    def scopes(self, default: str = "") -> str:
        return " ".join(filter(None, _SEPARATORS.split(self.text("scopes", default))))


def _fault(name: str, message: str) -> BindingError:
    return BindingError({name: [message]})


def tools_app(service: ExchangeService, parties: Parties, clock: Clock, new_id: NewId) -> ASGIApp:
    """The helper's app; its routes lie below ``/api``.

    ``GetEnterpriseToken``, ``GetPersonalToken``, ``GetSystemUserToken`` and ``GetPlatformAccessToken`` → 200 with the
    bare token; 400 with the parameter that is wrong.
    """
    tools = _TestTools(service, parties, clock, new_id)
    routes = [
        folded_route("/api/GetEnterpriseToken", tools.endpoint(tools.enterprise)),
        folded_route("/api/GetPersonalToken", tools.endpoint(tools.person)),
        folded_route("/api/GetSystemUserToken", tools.endpoint(tools.system_user)),
        folded_route("/api/GetPlatformAccessToken", tools.platform),
    ]
    return SystemEdge(Starlette(routes=routes, exception_handlers=dict(HANDLERS)))


class _TestTools:
    def __init__(self, service: ExchangeService, parties: Parties, clock: Clock, new_id: NewId) -> None:
        self._service, self._parties, self._clock, self._new_id = service, parties, clock, new_id

    def endpoint(self, claims_of: Callable[[_Asked], Awaitable[Claims]]) -> Callable[[Request], Awaitable[Response]]:
        """An endpoint that answers with a token of these claims."""

        async def answer(request: Request) -> Response:
            asked = _Asked(request)
            claims = {**await claims_of(asked), "jti": new_token_id(), "actual_iss": ISSUED_BY}
            expires = self._clock() + timedelta(seconds=asked.number("ttl", DEFAULT_LIFETIME, LONGEST_LIFETIME))
            token = await self._service.issue(claims, actor=ISSUED_BY, expires=expires, keep_arrays=True)
            return PlainTextResponse(token, headers={"Cache-Control": "no-store"})

        return answer

    async def platform(self, request: Request) -> Response:
        """A ``PlatformAccessToken``."""
        asked = _Asked(request)
        issuer, app = asked.text("org", "platform"), asked.required("app")
        if not is_platform_issuer(issuer):
            raise _fault("org", "platform, or an org code")
        expires = self._clock() + timedelta(seconds=asked.number("ttl", DEFAULT_LIFETIME, LONGEST_LIFETIME))
        token = await self._service.issue_platform(issuer, app[:255], actor=ISSUED_BY, expires=expires)
        return PlainTextResponse(token, headers={"Cache-Control": "no-store"})

    async def enterprise(self, asked: _Asked) -> Claims:
        """An organisation's token."""
        orgno = asked.organisation("orgNo", DEFAULT_SYSTEM_USER_ORG)
        claims = {
            **self._organisation(asked, orgno),
            "scope": asked.scopes(asked.required("scopes")),
            ORG_NUMBER: str(orgno),
            AUTH_METHOD: "maskinporten",
            AUTH_LEVEL: 3,
        }
        if asked.text("org"):
            claims[SERVICE_OWNER] = asked.text("org")
        if asked.text("delegationSource"):
            claims["delegation_source"] = asked.text("delegationSource")
        return claims

    async def person(self, asked: _Asked) -> Claims:
        """A person's token; who it is is told by ``pid``, ``userId``, ``partyId`` or ``partyuuid``."""
        person = await self._find(asked)
        level = asked.number("authLvl", 3, 4)
        claims = {
            **person_claims(person),
            **({"pid": str(person.national_id)} if person.national_id is not None else {}),
            "scope": asked.scopes("altinn:enduser"),
            "token_type": "Bearer",
            "client_id": asked.text("clientId") or self._new_id(),
            "client_amr": asked.text("clientAmr", "virksomhetssertifikat"),
            "acr": f"Level{level}",
            "urn:altinn:username": asked.text("userName"),
            AUTH_METHOD: "BankID",
            AUTH_LEVEL: str(level),
        }
        consumer = asked.organisation("consumerOrgNo")
        return {**claims, "consumer": _party(consumer)} if consumer is not None else claims

    async def system_user(self, asked: _Asked) -> Claims:
        """A system user's token."""
        owner = asked.organisation("systemUserOrg", DEFAULT_SYSTEM_USER_ORG)
        details = {
            "type": "urn:altinn:systemuser",
            "systemuser_id": [asked.uuid("systemUserId")],
            "systemuser_org": _party(owner),
            "system_id": asked.text("systemId", "the_matrix"),
        }
        vendor = asked.organisation("orgNo", DEFAULT_SYSTEM_USER_ORG)
        return {**self._organisation(asked, vendor), "scope": asked.scopes(), "authorization_details": [details]}

    def _organisation(self, asked: _Asked, orgno: OrgNumber | None) -> Claims:
        supplier = asked.organisation("supplierOrgNo")
        claims: Claims = {
            "token_type": "Bearer",
            "client_id": asked.text("clientId") or self._new_id(),
            "consumer": _party(orgno),
        }
        return {**claims, "supplier": _party(supplier)} if supplier is not None else claims

    async def _find(self, asked: _Asked) -> PartyIdentity:
        named = {"pid": PERSON, "userId": USER_ID, "partyId": PARTY_ID, "partyuuid": PARTY_UUID}
        for name, attribute_id in named.items():
            if asked.text(name):
                attribute = Attribute(attribute_id, asked.text(name))
                person = (await self._parties.identify([attribute])).get(attribute)
                if person is None or person.user_id is None:
                    raise _fault(name, "nobody in the register is known by that")
                return person
        raise _fault("pid", "say who: pid, userId, partyId or partyuuid")


def _party(orgno: OrgNumber | None) -> Mapping[str, str]:
    return {"authority": Iso6523.AUTHORITY, "ID": f"0192:{orgno}"}

"""Altinn's tokens for whomever one names, as AltinnTestTools hands them out (altinn-authentication.md §13).

For developers' machines and test environments alone: who can reach it is everybody. The real one asks for a password;
any, or none, is taken here, so that suites written for it run.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp

from fullmakt.altinn.exchange.ports import Parties
from fullmakt.altinn.exchange.rules import person_claims
from fullmakt.altinn.exchange.service import ExchangeService
from fullmakt.altinn.exchange.test_issuer import ENVIRONMENT as OWN_ENVIRONMENT
from fullmakt.altinn.exchange.test_issuer import OwnIssuer
from fullmakt.altinn.exchange.test_parameters import Asked, fault
from fullmakt.altinn.exchange.tokens import is_platform_issuer
from fullmakt.infra.altinn import HANDLERS
from fullmakt.infra.http import SystemEdge, routed
from fullmakt.infra.routes import folded_route
from fullmakt.kernel.clock import Clock, NewId, new_token_id
from fullmakt.kernel.identifiers import Iso6523, OrgNumber
from fullmakt.wire.altinn.attributes import AUTH_LEVEL, PARTY_ID, PARTY_UUID, PERSON, SERVICE_OWNER, USER_ID, Attribute
from fullmakt.wire.altinn.callers import AUTH_METHOD, ORG_NUMBER
from fullmakt.wire.altinn.parties import PartyIdentity

ISSUED_BY = "altinn-test-tools"
DEFAULT_SYSTEM_USER_ORG = "991825827"
DEFAULT_LIFETIME = 1_800
"""Seconds."""
LONGEST_LIFETIME = 86_400 * 365
CONSENT_LIFETIME = 30
CONSENT_ISSUER = "altinn.no"


_SERVICE = re.compile(r"[A-Za-z0-9]{1,20}_[A-Za-z0-9]{1,20}", re.ASCII)
_EMAIL = re.compile(r"[^@\s]{1,64}@[^@\s]{1,190}")
_LARGEST_ID = 2**31 - 1

Claims = dict[str, Any]


def tools_app(service: ExchangeService, parties: Parties, clock: Clock, new_id: NewId) -> ASGIApp:
    """The helper's app; its routes lie below ``/api``.

    ``Get…Token`` → 200 with the bare token; 400 with the parameter that is wrong. In the environment ``none`` the
    issuer is the helper's own, and says so at ``.well-known/oauth-authorization-server``.
    """
    tools = _TestTools(service, parties, clock, new_id)
    routes = [
        folded_route("/api/GetEnterpriseToken", tools.endpoint(tools.enterprise)),
        folded_route("/api/GetEnterpriseUserToken", tools.endpoint(tools.enterprise_user)),
        folded_route("/api/GetPersonalToken", tools.endpoint(tools.person)),
        folded_route("/api/GetSelfIdentifiedUserToken", tools.endpoint(tools.self_identified)),
        folded_route("/api/GetSelfRegisteredEmailUserToken", tools.endpoint(tools.by_email)),
        folded_route("/api/GetSystemUserToken", tools.endpoint(tools.system_user)),
        folded_route("/api/GetPlatformAccessToken", tools.platform_access),
        folded_route("/api/GetPlatformToken", tools.platform),
        folded_route("/api/GetConsentToken", tools.consent),
        *tools.own.routes(),
    ]
    return SystemEdge(routed(routes, HANDLERS))


class _TestTools:
    def __init__(self, service: ExchangeService, parties: Parties, clock: Clock, new_id: NewId) -> None:
        self._service, self._parties, self._clock, self._new_id = service, parties, clock, new_id
        self.own = OwnIssuer()

    def endpoint(self, claims_of: Callable[[Asked], Awaitable[Claims]]) -> Callable[[Request], Awaitable[Response]]:
        """An endpoint that answers with a token of these claims."""

        async def answer(request: Request) -> Response:
            asked = Asked(request)
            claims = {**await claims_of(asked), "jti": new_token_id(), "actual_iss": ISSUED_BY}
            now, expires = self._times(asked)
            if asked.environment == OWN_ENVIRONMENT:
                times = {"iss": self.own.issuer(request), "iat": _seconds(now), "nbf": _seconds(now)}
                return _bare(self.own.sign({**claims, **times, "exp": _seconds(expires)}))
            return _bare(await self._service.issue(claims, actor=ISSUED_BY, expires=expires, keep_arrays=True))

        return answer

    def _times(self, asked: Asked, lifetime: int = DEFAULT_LIFETIME) -> tuple[datetime, datetime]:
        now = self._clock()
        return now, now + timedelta(seconds=asked.number("ttl", lifetime, LONGEST_LIFETIME))

    async def platform_access(self, request: Request) -> Response:
        """A ``PlatformAccessToken``."""
        asked = Asked(request)
        issuer, app = asked.text("org", "platform"), asked.required("app")
        if not is_platform_issuer(issuer):
            raise fault("org", "platform, or an org code")
        return await self._of_component(asked, issuer, app)

    async def platform(self, request: Request) -> Response:
        """A component's token with Altinn's own issuer; it is no ``PlatformAccessToken``, and nobody's either."""
        asked = Asked(request)
        return await self._of_component(asked, self._service.config.issuer, asked.required("app"))

    async def _of_component(self, asked: Asked, issuer: str, app: str) -> Response:
        _, expires = self._times(asked)
        return _bare(await self._service.issue_platform(issuer, app[:255], actor=ISSUED_BY, expires=expires))

    async def consent(self, request: Request) -> Response:
        """Altinn 2's token for a consent: which services, from whom, to whom."""
        asked = Asked(request)
        codes = asked.required("serviceCodes").split(".")
        if not all(map(_SERVICE.fullmatch, codes)):
            raise fault("serviceCodes", "codes such as 5252_1, with full stops between")
        told = [each for code in codes for each in (code, *asked.about(code))]
        handler = asked.party("handledBy")
        now, expires = self._times(asked, CONSENT_LIFETIME)
        claims = {
            "Services": told if len(told) > 1 else told[0],
            "AuthorizationCode": asked.uuid("authorizationCode", self._new_id()),
            "OfferedBy": asked.party("offeredBy", required=True),
            "CoveredBy": asked.party("coveredBy", required=True),
            **({"HandledBy": handler} if handler else {}),
            "DelegatedDate": _seconds(now) - 10,
            "ValidToDate": _seconds(expires),
            "iss": CONSENT_ISSUER,
            "actual_iss": ISSUED_BY,
            "exp": _seconds(expires),
            "nbf": _seconds(now),
        }
        return _bare(await self._service.sign(claims, actor=ISSUED_BY))

    async def enterprise(self, asked: Asked) -> Claims:
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

    async def enterprise_user(self, asked: Asked) -> Claims:
        """The token of an enterprise's user, of the kind that Altinn 2 knew."""
        asked.required("orgNo")
        orgno = asked.organisation("orgNo")
        party_id, user_id = (_whole(asked, name) for name in ("partyId", "userId"))
        return {
            **self._organisation(asked, orgno),
            "scope": asked.scopes(),
            USER_ID: user_id,
            "urn:altinn:username": asked.required("userName"),
            PARTY_ID: party_id,
            ORG_NUMBER: str(orgno),
            AUTH_METHOD: "virksomhetsbruker",
            AUTH_LEVEL: 3,
        }

    async def self_identified(self, asked: Asked) -> Claims:
        """The token of somebody who has a user name and no national identity number: level 0."""
        chance = UUID(self._new_id()).int
        return self._unknown_person(asked, chance, asked.text("username", f"SIUser{chance % 9_000 + 1_000}"))

    async def by_email(self, asked: Asked) -> Claims:
        """The same for somebody who is known by an address."""
        email = asked.required("email")
        if not _EMAIL.fullmatch(email):
            raise fault("email", "an address")
        claims = self._unknown_person(asked, UUID(self._new_id()).int, f"epost:{email}")
        return {**claims, "email": email, "acr": "selfregistered-email"}

    def _unknown_person(self, asked: Asked, chance: int, name: str) -> Claims:
        party_id = asked.number("partyId", chance % 2_000_000 + 5_000_000, _LARGEST_ID)
        user_id = asked.number("userId", 0, _LARGEST_ID)
        return {
            "nameid": str(user_id),
            USER_ID: str(user_id),
            "urn:altinn:username": name[:255],
            PARTY_ID: party_id,
            PARTY_UUID: asked.uuid("partyuuid", self._new_id()),
            "scope": asked.scopes("altinn:portal/enduser"),
            "token_type": "Bearer",
            "client_id": self._new_id(),
            AUTH_METHOD: "SelfIdentified",
            AUTH_LEVEL: "0",
        }

    async def person(self, asked: Asked) -> Claims:
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

    async def system_user(self, asked: Asked) -> Claims:
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

    def _organisation(self, asked: Asked, orgno: OrgNumber | None) -> Claims:
        supplier = asked.organisation("supplierOrgNo")
        claims: Claims = {
            "token_type": "Bearer",
            "client_id": asked.text("clientId") or self._new_id(),
            "consumer": _party(orgno),
        }
        return {**claims, "supplier": _party(supplier)} if supplier is not None else claims

    async def _find(self, asked: Asked) -> PartyIdentity:
        named = {"pid": PERSON, "userId": USER_ID, "partyId": PARTY_ID, "partyuuid": PARTY_UUID}
        for name, attribute_id in named.items():
            if asked.text(name):
                attribute = Attribute(attribute_id, asked.text(name))
                person = (await self._parties.identify([attribute])).get(attribute)
                if person is None or person.user_id is None:
                    raise fault(name, "nobody in the register is known by that")
                return person
        raise fault("pid", "say who: pid, userId, partyId or partyuuid")


def _whole(asked: Asked, name: str) -> int:
    asked.required(name)
    return asked.number(name, 0, _LARGEST_ID)


def _seconds(moment: datetime) -> int:
    return int(moment.timestamp())


def _bare(token: str) -> Response:
    return PlainTextResponse(token, headers={"Cache-Control": "no-store"})


def _party(orgno: OrgNumber | None) -> Mapping[str, str]:
    return {"authority": Iso6523.AUTHORITY, "ID": f"0192:{orgno}"}

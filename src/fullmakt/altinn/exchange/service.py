"""Use cases: exchange a token, refresh one, say whether one is good."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from fullmakt.altinn.exchange import rules
from fullmakt.altinn.exchange.config import ExchangeConfig
from fullmakt.altinn.exchange.errors import (
    EnterpriseUsersGoneError,
    ExchangeRefusedError,
    TokenRefusedError,
    UnknownProviderError,
)
from fullmakt.altinn.exchange.keys import AltinnKeys
from fullmakt.altinn.exchange.ports import ClaimsVerifier, MaskinportenVerifier, Parties, ServiceOwners
from fullmakt.altinn.exchange.tokens import AltinnTokens, PlatformTokens
from fullmakt.infra.audit import AuditEvent, record
from fullmakt.infra.database import Database
from fullmakt.infra.unavailable import NeighbourUnavailableError
from fullmakt.jose.compact import MalformedJwtError, parse_compact
from fullmakt.kernel.clock import Clock, NewId
from fullmakt.kernel.identifiers import InvalidIdentifierError, NationalId
from fullmakt.provider import BearerError, IssuerUnavailableError, VerifiedToken
from fullmakt.wire.altinn.attributes import PERSON, USER_ID, Attribute
from fullmakt.wire.altinn.callers import InvalidCallerError, caller_from_claims

SYSTEM = "exchange"


class ExchangeService:
    """Altinn's token issuer. Every token that is issued or refused leaves an audit event before it leaves the house.

    ``idporten`` verifies people's tokens; without it they are all refused, as are those of Altinn Studio.
    """

    def __init__(
        self,
        config: ExchangeConfig,
        database: Database,
        keys: AltinnKeys,
        maskinporten: MaskinportenVerifier,
        parties: Parties,
        service_owners: ServiceOwners,
        clock: Clock,
        new_id: NewId,
        *,
        idporten: ClaimsVerifier | None = None,
    ) -> None:
        self.config = config
        self._database = database
        self._keys = keys
        self._maskinporten = maskinporten
        self._idporten = idporten
        self._parties = parties
        self._service_owners = service_owners
        self._clock = clock
        self._new_id = new_id
        self.tokens = AltinnTokens(config.issuer, keys, clock)
        self.platform_tokens = PlatformTokens(keys, clock)

    async def exchange(self, provider: str, token: str, *, test: bool = False, enterprise_user: bool = False) -> str:
        """An Altinn token for a token of ``provider``, whose name is compared without regard to case.

        ``enterprise_user`` says that an enterprise user's name and password came with the token.

        Raises:
            TokenRefusedError: the token is not to be believed, or lacks a claim.
            EnterpriseUsersGoneError: with one of Maskinporten's came an enterprise user.
            UnknownProviderError: nobody of that name is trusted.
            ScopeRefusedError: ID-porten's, and for none of Altinn's scopes.
            UnavailableError: it can not be told now.
        """
        try:
            _require_readable(token)
            match provider.lower():
                case "maskinporten" if enterprise_user:
                    raise EnterpriseUsersGoneError
                case "maskinporten":
                    return await self._from_maskinporten(token, test=test)
                case "id-porten":
                    return await self._from_idporten(token)
                case "altinnstudio":
                    raise TokenRefusedError("issuer_not_configured")
            raise UnknownProviderError(provider)
        except ExchangeRefusedError as error:
            await self._record("token:exchange", "deny", reason=error.reason)
            raise

    async def issue(
        self, claims: Mapping[str, Any], *, actor: str, expires: datetime | None = None, keep_arrays: bool = False
    ) -> str:
        """A signed token with ``claims`` and the issuer's own, for who has made sure that they are true."""
        now = self._clock()
        sid = rules.session_id(now, UUID(self._new_id()))
        issue = rules.Issue(self.config.issuer, now, sid, self.config.collapse_arrays and not keep_arrays)
        finished = issue.finish(claims, expires)
        ring = await self._keys.ring()
        await self._record("token:exchange", "permit", actor, {"sid": str(sid), "kid": ring.signer.signer.kid})
        return ring.signer.sign(finished)

    async def issue_platform(self, issuer: str, app: str, *, actor: str, expires: datetime) -> str:
        """A ``PlatformAccessToken`` of a component ``app``; ``issuer`` is ``platform`` or an org code (§1)."""
        now = int(self._clock().timestamp())
        claims = {"urn:altinn:app": app, "iss": issuer, "nbf": now, "iat": now, "exp": int(expires.timestamp())}
        ring = await self._keys.ring()
        await self._record(
            "token:issue", "permit", actor, {"issuer": issuer, "app": app, "kid": ring.signer.signer.kid}
        )
        return ring.signer.sign(claims)

    async def sign(self, claims: Mapping[str, Any], *, actor: str) -> str:
        """A token of Altinn 2's with ``claims`` as they are, ``iss`` among them, for who has made sure of them."""
        ring = await self._keys.ring()
        facts = {"issuer": str(claims["iss"]), "kid": ring.signer.signer.kid}
        await self._record("token:issue", "permit", actor, facts)
        return ring.signer.sign_as_altinn2(claims)

    async def refresh(self, token: str, *, enrich_pid: bool = False) -> str:
        """The same token with 30 new minutes; ``enrich_pid`` adds the number of the person it is for.

        Raises:
            TokenRefusedError: it is not one of ours, or its session has lasted for 12 hours.
        """
        try:
            _require_readable(token)
            claims = rules.refreshed(await self.tokens.claims(token), self._clock())
        except TokenRefusedError as error:
            await self._record("token:refresh", "deny", reason=error.reason)
            raise
        if enrich_pid:
            claims = await self._with_pid(claims)
        ring = await self._keys.ring()
        await self._record("token:refresh", "permit", _actor(claims), {"sid": str(claims["sid"])})
        return ring.signer.sign(claims)

    async def introspect(self, token: str) -> dict[str, Any]:
        """``{"active": true, "iss": …}`` for a token of ours that still holds, else ``{"active": false}`` (§4)."""
        try:
            claims = await self.tokens.claims(token)
        except TokenRefusedError:
            return {"active": False}
        return {"active": True, "iss": claims["iss"]}

    async def jwks(self) -> dict[str, Any]:
        """The published keys (RFC 7517 §5)."""
        return {"keys": [dict(key.jwk) for key in (await self._keys.ring()).keys.values()]}

    async def _from_maskinporten(self, token: str, *, test: bool) -> str:
        verified = await self._verified(token)
        codes = await self._service_owners.org_codes()
        claims = rules.from_maskinporten(verified.claims, verified.consumer, codes, test=test)
        return await self.issue(claims, actor=verified.caller)

    async def _verified(self, token: str) -> VerifiedToken:
        try:
            return await self._maskinporten.verify(token)
        except IssuerUnavailableError as error:
            raise NeighbourUnavailableError("Maskinporten's keys are not to be had") from error
        except BearerError as error:
            raise TokenRefusedError(str(error.reason)) from error

    async def _from_idporten(self, token: str) -> str:
        if self._idporten is None:
            raise TokenRefusedError("issuer_not_configured")
        claims = await self._idporten.claims(token)
        rules.check_idporten_scopes(claims)
        attribute = Attribute(PERSON, _pid(claims))
        person = (await self._parties.identify([attribute])).get(attribute)
        if person is None:
            raise TokenRefusedError("unknown_person")
        expires = datetime.fromtimestamp(claims["exp"], UTC)
        return await self.issue(
            rules.from_idporten(claims, person), actor=f"party:{person.party_uuid}", expires=expires
        )

    async def _with_pid(self, claims: dict[str, Any]) -> dict[str, Any]:
        attribute = Attribute(USER_ID, str(claims.get(USER_ID, "")))
        person = (await self._parties.identify([attribute])).get(attribute) if attribute.value else None
        return claims if person is None or person.national_id is None else {**claims, "pid": str(person.national_id)}

    async def _record(
        self, action: str, outcome: str, actor: str = "", facts: Mapping[str, Any] | None = None, *, reason: str = ""
    ) -> None:
        event = AuditEvent(
            at=self._clock(), system=SYSTEM, action=action, outcome=outcome, reason=reason, actor=actor,
            facts=facts or {},
        )  # fmt: skip
        async with self._database.transaction() as connection:
            await record(connection, event)


def _require_readable(token: str) -> None:
    """Let nothing through that can not be read as a JWT at all."""
    if not token:
        raise TokenRefusedError("missing")
    try:
        parse_compact(token)
    except MalformedJwtError as error:
        raise TokenRefusedError("malformed") from error


def _pid(claims: Mapping[str, Any]) -> NationalId:
    try:
        return NationalId(str(claims.get("pid", "")))
    except InvalidIdentifierError as error:
        raise TokenRefusedError("no_pid") from error


def _actor(claims: Mapping[str, Any]) -> str:
    try:
        return caller_from_claims(claims).actor
    except InvalidCallerError:
        return ""

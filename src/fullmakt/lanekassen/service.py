"""The one use case: what does this person owe, for this caller (lanekassen-saldo.md §5, §6)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from fullmakt.infra.audit import AuditEvent
from fullmakt.kernel.clock import Clock
from fullmakt.kernel.identifiers import NationalId, OrgNumber
from fullmakt.lanekassen import rules
from fullmakt.lanekassen.config import RESOURCE, SCOPE, SERVICE, LanekassenConfig
from fullmakt.lanekassen.errors import Reason, Refusal, RefusedError
from fullmakt.lanekassen.keys import ApiKeys
from fullmakt.lanekassen.ledger import balances
from fullmakt.lanekassen.model import Balance, Customer
from fullmakt.lanekassen.ports import ConsentTokens, Standing
from fullmakt.lanekassen.rules import Call
from fullmakt.lanekassen.store import SYSTEM, Consents, Entry, Journal
from fullmakt.lanekassen.throttle import Throttle
from fullmakt.provider import (
    BearerError,
    Consent,
    ConsentCause,
    ConsentForm,
    InsufficientScopeError,
    IssuerUnavailableError,
    NoConsentError,
    VerifiedToken,
    Verifier,
    consent_of,
    require_consent,
)

_CHECKS: Mapping[ConsentCause, int] = {
    ConsentCause.MISSING: 7,
    ConsentCause.ENDED: 7,
    ConsentCause.OTHER_SERVICE: 9,
    ConsentCause.NOT_COVERED: 9,
    ConsentCause.OTHER_RECEIVER: 10,
    ConsentCause.OTHER_GIVER: 11,
    ConsentCause.LAPSED: 12,
    ConsentCause.OTHER_SUPPLIER: 13,
}
"""The contract's numbers; whatever is wrong with the token itself is check 8."""


@dataclass(frozen=True, slots=True)
class Owed:
    """What the person owes, sub-account by sub-account."""

    person: NationalId
    balances: tuple[Balance, ...]


@dataclass(frozen=True, slots=True)
class Sources:
    """Whom the data source believes, and what it remembers."""

    tokens: Verifier
    consent_tokens: ConsentTokens
    standing: Standing
    consents: Consents
    journal: Journal


class BalanceService:
    """Answers one question, to whoever brings what it takes."""

    def __init__(
        self,
        config: LanekassenConfig,
        sources: Sources,
        keys: ApiKeys,
        customers: Mapping[NationalId, Customer],
        clock: Clock,
    ) -> None:
        self.config = config
        self.keys = keys
        self._sources = sources
        self._customers = customers
        self._clock = clock
        self._throttle = Throttle(config.rate, config.burst)

    async def owed(self, call: Call) -> Owed | Refusal:
        """The balances, or which check failed. Both are in the audit trail by then, save for a caller in a hurry.

        Raises:
            IssuerUnavailableError: whether a token is genuine can not be told now.
            UnavailableError: nor can whether a consent stands, or the trail be written.
            OverloadedError: too many wait for that already.
        """
        now = self._clock()
        holder = self.keys.holder(call.api_key)
        if holder is None:
            return await self._refused(Refusal(2, self.config.unknown_key_status, Reason.UNKNOWN_API_KEY), now)
        if not self._throttle.admits(holder, now):
            return Refusal(3, 429, Reason.TOO_BUSY)
        try:
            token = await self._token(call, holder)
        except RefusedError as refused:
            return await self._refused(refused.refusal, now, holder)
        caller = rules.facts_of(token)
        try:
            consent = await self._consent(call, token, now)
            customer = self._customer(call)
        except NoConsentError as none:
            return await self._refused(Refusal(_CHECKS.get(none.cause, 8), 403, none.cause, caller), now, holder)
        except RefusedError as refused:
            told = refused.refusal
            facts = {**caller, **told.facts}
            return await self._refused(Refusal(told.check, told.status, told.reason, facts), now, holder)
        event = AuditEvent(
            now, SYSTEM, "balance:read", "permit", actor=holder, subject=str(consent.id), reason="consent",
            facts={**caller, "form": consent.form},
        )  # fmt: skip
        # One that came in a token of its own is remembered; one in Maskinporten's token comes with every call.
        await self._sources.journal.write(Entry(event, None if call.consent is None else consent))
        return Owed(call.person, balances(customer.postings, now))

    async def _token(self, call: Call, holder: OrgNumber) -> VerifiedToken:
        """Checks 4 to 6."""
        try:
            text = rules.maskinporten_token(call, strict=self.config.strict)
            token = await self._sources.tokens.verify(text, scopes=[SCOPE])
        except IssuerUnavailableError:
            raise
        except InsufficientScopeError as error:
            raise RefusedError(5, 401, Reason.INSUFFICIENT_SCOPE) from error
        except BearerError as error:
            raise RefusedError(4, 401, Reason.INVALID_TOKEN, why=error.reason.value) from error
        rules.check_audience(token, self.config.url)
        rules.check_consumer(token, holder)
        return token

    async def _consent(self, call: Call, token: VerifiedToken, now: datetime) -> Consent:
        """Checks 7 to 13, of a consent token, of the consent in Maskinporten's token, or of one that is remembered."""
        consent = await self._presented(call, token) or await self._remembered(call, token)
        services = (RESOURCE,) if consent is not None and consent.form is ConsentForm.ALTINN3 else (SERVICE,)
        require_consent(consent, token, call.person, services=services, now=now)
        assert consent is not None  # noqa: S101 - it would have been refused
        return consent

    async def _presented(self, call: Call, token: VerifiedToken) -> Consent | None:
        if call.consent is None:
            return consent_of(token)
        rules.check_quotes(call.consent, strict=self.config.strict)
        return await self._sources.consent_tokens.verify(call.consent)

    async def _remembered(self, call: Call, token: VerifiedToken) -> Consent | None:
        consent = await self._sources.consents.find(token.consumer, call.person, SERVICE)
        if consent is not None and await self._sources.standing.has_ended(consent.id):
            await self._sources.consents.forget([consent.id])
            raise NoConsentError(ConsentCause.ENDED, "The consent has ended")
        return consent

    def _customer(self, call: Call) -> Customer:
        """Check 14, after all that protects who it is."""
        customer = self._customers.get(call.person)
        if customer is None:
            raise RefusedError(14, 404, Reason.UNKNOWN_PERSON)
        return customer

    async def _refused(self, refusal: Refusal, now: datetime, holder: str = "") -> Refusal:
        facts = {**refusal.facts, "check": refusal.check}
        event = AuditEvent(now, SYSTEM, "balance:read", "deny", actor=holder, reason=refusal.reason, facts=facts)
        await self._sources.journal.write(Entry(event))
        return refusal

"""Consents that have been given: tokens are drawn on them, uses are told of, and they are given up (§2.8 to §2.10)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from fullmakt.altinn.consents import rules, store
from fullmakt.altinn.consents.altinn2.callers import Enterprise
from fullmakt.altinn.consents.altinn2.documents import Known, claims_of
from fullmakt.altinn.consents.altinn2.errors import NoConsentTokenError, NotAdmittedError
from fullmakt.altinn.consents.altinn2.parties import PartiesOfConsents
from fullmakt.altinn.consents.altinn2.ports import Signer
from fullmakt.altinn.consents.errors import ConsentRefusedError
from fullmakt.altinn.consents.model import Consent, Form
from fullmakt.altinn.consents.rules import Reason, Refusal
from fullmakt.altinn.consents.service import ConsentsService
from fullmakt.altinn.consents.srr import rules as srr_rules
from fullmakt.altinn.consents.srr.model import ServiceKey
from fullmakt.altinn.consents.srr.service import SrrService
from fullmakt.altinn.consents.using import only
from fullmakt.kernel.identifiers import OrgNumber


@dataclass(frozen=True, slots=True)
class _Claim:
    """A consent, and by what right somebody comes with its code. ``supplier`` is who acts for the receiver, and
    ``by_srr`` says that it has nothing but SRR to act on."""

    consent: Consent
    known: Known
    party: UUID
    supplier: OrgNumber | None = None
    by_srr: bool = False

    @property
    def services(self) -> list[ServiceKey]:
        """What SRR is asked about."""
        return [self.known.service(right.resource) for right in self.consent.rights]

    @property
    def receiver(self) -> str:
        """Whom SRR is asked about."""
        return self.known.number(self.consent.receiver) or ""


class Drawing:
    """Draws on consents of Altinn 2's form. Whatever keeps one from it, the answer is the same: nobody learns whether
    there is a consent, nor what has become of it."""

    def __init__(self, consents: ConsentsService, srr: SrrService, parties: PartiesOfConsents, signer: Signer) -> None:
        self._consents = consents
        self._srr = srr
        self._parties = parties
        self._signer = signer

    async def token(self, code: UUID, by: Enterprise) -> str:
        """A consent token, a compact JWT that is good for 30 seconds; as often as it is asked for.

        Raises:
            NoConsentTokenError: there is none to be had.
        """
        work = self._consents.work
        async with self._refusing("consent:token", code, by):
            claim = await self._claimed(code, by)
            now = await self._check(claim)
        supplier = None if claim.supplier is None else str(claim.supplier)
        token = await self._signer.sign_as_altinn2(claims_of(claim.consent, claim.known, supplier).claims(now))
        await work.record(by.actor, "consent:token", code, outcome="permit", supplier=supplier)
        return token

    async def give_up(self, code: UUID, by: Enterprise) -> None:
        """Do without the consent.

        Raises:
            NoConsentTokenError: it is not there to be given up.
        """
        async with self._refusing("consent:give-up", code, by):
            claim = await self._claimed(code, by)
            await self._check_supplier(claim)
            await self._consents.using.give_up(code, claim.party, by.actor, only(claim.party))

    async def log_use(self, code: UUID, service: ServiceKey, used_at: datetime, by: Enterprise) -> None:
        """Say that the consent was used for the service. One that is good for one time ends with that.

        Whoever receives it says so, or handles it for the receiver, or owns the service.

        Raises:
            NoConsentTokenError: it can not be used, or is not about the service.
        """
        async with self._refusing("consent:use", code, by):
            found = await self._parties.services.find(service)
            owner = found is not None and found.owner == by.organisation and by.on_behalf_of is None
            claim = await self._claimed(code, by, owner=owner)
            if found is None or found.resource not in {right.resource for right in claim.consent.rights}:
                raise NoConsentTokenError(Reason.NOT_FOUND, service=str(service))
            await self._check_supplier(claim)
            await self._consents.using.log_use(code, claim.party, by.actor, _anybody, used_at=used_at)

    async def _claimed(self, code: UUID, by: Enterprise, *, owner: bool = False) -> _Claim:
        """The consent, and by what right the caller comes with its code; ``owner`` of the service is one."""
        organisation, on_behalf_of = await self._parties.of_caller(by)
        async with self._consents.work.database.transaction() as connection:
            consent = await store.get(connection, code)
        if consent is None or consent.form is not Form.ALTINN2:
            raise NoConsentTokenError(Reason.NOT_FOUND)
        own = organisation.party_uuid
        known = await self._parties.known([consent])
        if owner or (on_behalf_of is None and consent.receiver == own):
            return _Claim(consent, known, own)
        receives = on_behalf_of is None or on_behalf_of.party_uuid == consent.receiver
        if consent.handled_by != own or not receives:
            raise NoConsentTokenError("not_the_receiver")
        return _Claim(consent, known, own, by.organisation, by_srr=on_behalf_of is None)

    async def _check(self, claim: _Claim) -> datetime:
        """Make sure, in one moment, that the consent stands, and that SRR, asked each time (§3.1), lets it be drawn.

        Returns that moment.
        """
        async with self._consents.work.database.transaction() as connection:
            now = self._consents.work.clock()
            current = await store.get(connection, claim.consent.id)
            refusal = Refusal(Reason.NOT_FOUND) if current is None else rules.drawn_refusal(current, now)
            if refusal is not None:
                raise NoConsentTokenError(refusal.reason, **refusal.facts)
            await self._check_srr(claim, now, connection)
        return now

    async def _check_supplier(self, claim: _Claim) -> None:
        """A supplier that has nothing else to act on is named in SRR whatever it does (§2.14)."""
        if claim.by_srr:
            await self._check_srr(claim, self._consents.work.clock())

    async def _check_srr(self, claim: _Claim, now: datetime, connection: AsyncConnection | None = None) -> None:
        gates = await self._srr.gates(claim.services, claim.receiver, connection)
        refusal = srr_rules.may_receive(gates, now, handled_by=claim.supplier, by_certificate=claim.by_srr)
        if refusal is not None:
            raise NoConsentTokenError(refusal.reason, **refusal.facts)

    def _refusing(self, action: str, code: UUID, by: Enterprise) -> _Refusing:
        return _Refusing(self._consents, action, code, by)


class _Refusing:
    """A block that refuses in one way alone; what the model refuses has been written down by it."""

    def __init__(self, consents: ConsentsService, action: str, code: UUID, by: Enterprise) -> None:
        self._consents, self._action, self._code, self._by = consents, action, code, by

    async def __aenter__(self) -> None:
        return None

    async def __aexit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        if isinstance(error, ConsentRefusedError):
            raise NoConsentTokenError(error.reason, **error.facts) from error
        if isinstance(error, NoConsentTokenError | NotAdmittedError):
            record = self._consents.work.record
            await record(self._by.actor, self._action, self._code, str(error.reason), **error.facts)
        if isinstance(error, NotAdmittedError):
            raise NoConsentTokenError(error.reason, **error.facts) from error


def _anybody(_consent: Consent) -> None:
    """The claim has been looked at."""

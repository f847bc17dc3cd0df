"""Consents that have been given: tokens are drawn on them, uses are told of, and they are given up (§2.8 to §2.10)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

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
from fullmakt.kernel.identifiers import OrgNumber
from fullmakt.wire.altinn.parties import PartyIdentity


@dataclass(frozen=True, slots=True)
class _Claimant:
    """Who comes with a code. ``supplier`` is the organisation where it acts for the receiver, and ``by_srr`` says that
    it has nothing but SRR to act on."""

    party: PartyIdentity
    supplier: OrgNumber | None = None
    by_srr: bool = False


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
            organisation, on_behalf_of = await self._parties.of_caller(by)
            consent = await self._held(code)
            claimant = _claimant(consent, by, organisation, on_behalf_of)
            known = await self._parties.known([consent])
            now = await self._check(consent, claimant, known)
        claims = claims_of(consent, known, None if claimant.supplier is None else str(claimant.supplier))
        token = await self._signer.sign_as_altinn2(claims.claims(now))
        facts = {"supplier": str(claimant.supplier)} if claimant.supplier is not None else {}
        await work.record(by.actor, "consent:token", code, outcome="permit", **facts)
        return token

    async def give_up(self, code: UUID, by: Enterprise) -> None:
        """Do without the consent.

        Raises:
            NoConsentTokenError: it is not there to be given up.
        """
        async with self._refusing("consent:give-up", code, by, told=True):
            organisation, on_behalf_of = await self._parties.of_caller(by)
            admits = _admission(by, organisation, on_behalf_of)
            await self._consents.using.give_up(code, organisation.party_uuid, by.actor, admits)

    async def log_use(self, code: UUID, service: ServiceKey, used_at: datetime, by: Enterprise) -> None:
        """Say that the consent was used for the service. One that is good for one time ends with that.

        Whoever receives it says so, or handles it for the receiver, or owns the service.

        Raises:
            NoConsentTokenError: it can not be used, or is not about the service.
        """
        async with self._refusing("consent:use", code, by, told=True):
            organisation, on_behalf_of = await self._parties.of_caller(by)
            found = await self._parties.services.find(service)
            owns = found is not None and found.owner == by.organisation and by.on_behalf_of is None

            def admits(consent: Consent) -> Refusal | None:
                about = found is not None and found.resource in {right.resource for right in consent.rights}
                if not about:
                    return Refusal(Reason.NOT_FOUND, {"service": str(service)})
                if owns and consent.form is Form.ALTINN2:
                    return None
                return _admission(by, organisation, on_behalf_of)(consent)

            await self._consents.using.log_use(code, organisation.party_uuid, by.actor, admits, used_at=used_at)

    async def _held(self, code: UUID) -> Consent:
        async with self._consents.work.database.transaction() as connection:
            consent = await store.get(connection, code)
        if consent is None:
            raise NoConsentTokenError(Reason.NOT_FOUND)
        return consent

    async def _check(self, consent: Consent, claimant: _Claimant, known: Known) -> datetime:
        """Make sure, in one moment, that the consent stands, and that SRR, asked each time (§3.1), lets it be drawn.

        Returns that moment.
        """
        keys = [known.service(right.resource) for right in consent.rights]
        async with self._consents.work.database.transaction() as connection:
            now = self._consents.work.clock()
            current = await store.get(connection, consent.id)
            _must(Refusal(Reason.NOT_FOUND) if current is None else rules.drawn_refusal(current, now))
            gates = await self._srr.gates(keys, known.number(consent.receiver) or "", connection)
        refusal = srr_rules.may_receive(gates, now, handled_by=claimant.supplier, by_certificate=claimant.by_srr)
        if refusal is not None:
            raise NoConsentTokenError(refusal.reason, **refusal.facts)
        return now

    def _refusing(self, action: str, code: UUID, by: Enterprise, *, told: bool = False) -> _Refusing:
        return _Refusing(self._consents, action, code, by, told=told)


class _Refusing:
    """A block that refuses in one way alone. ``told``: what the model refuses has been written down by it."""

    def __init__(self, consents: ConsentsService, action: str, code: UUID, by: Enterprise, *, told: bool) -> None:
        self._consents, self._action, self._code, self._by, self._told = consents, action, code, by, told

    async def __aenter__(self) -> None:
        return None

    async def __aexit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        if isinstance(error, ConsentRefusedError):
            if not self._told:
                await self._record(error.reason, error.facts)
            raise NoConsentTokenError(error.reason, **error.facts) from error
        if isinstance(error, NoConsentTokenError | NotAdmittedError):
            await self._record(error.reason, error.facts)
        if isinstance(error, NotAdmittedError):
            raise NoConsentTokenError(error.reason, **error.facts) from error

    async def _record(self, reason: str, facts: Mapping[str, Any]) -> None:
        await self._consents.work.record(self._by.actor, self._action, self._code, str(reason), **facts)


def _must(refusal: Refusal | None) -> None:
    if refusal is not None:
        raise NoConsentTokenError(refusal.reason, **refusal.facts)


def _claimant(
    consent: Consent, by: Enterprise, organisation: PartyIdentity, on_behalf_of: PartyIdentity | None
) -> _Claimant:
    """Who draws: the receiver itself, or the supplier that handles the consent for it (§2.8)."""
    if consent.form is not Form.ALTINN2:
        raise NoConsentTokenError(Reason.NOT_FOUND, form=consent.form.value)
    if on_behalf_of is None and consent.receiver == organisation.party_uuid:
        return _Claimant(organisation)
    if consent.handled_by != organisation.party_uuid:
        raise NoConsentTokenError("not_the_receiver")
    if on_behalf_of is not None and on_behalf_of.party_uuid != consent.receiver:
        raise NoConsentTokenError("not_the_receiver")
    return _Claimant(organisation, by.organisation, by_srr=on_behalf_of is None)


def _admission(
    by: Enterprise, organisation: PartyIdentity, on_behalf_of: PartyIdentity | None
) -> Callable[[Consent], Refusal | None]:
    def admits(consent: Consent) -> Refusal | None:
        try:
            _claimant(consent, by, organisation, on_behalf_of)
        except NoConsentTokenError as error:
            return Refusal(Reason.NOT_FOUND, error.facts)
        return None

    return admits

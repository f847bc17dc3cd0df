"""Everything that Altinn 2's form of consent does."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from fullmakt.altinn.consents.altinn2 import rules, store
from fullmakt.altinn.consents.altinn2.callers import Enterprise
from fullmakt.altinn.consents.altinn2.documents import Known
from fullmakt.altinn.consents.altinn2.drawing import Drawing
from fullmakt.altinn.consents.altinn2.errors import NotAdmittedError, RequestRefusedError, UnknownRequestError
from fullmakt.altinn.consents.altinn2.parties import PartiesOfConsents
from fullmakt.altinn.consents.altinn2.ports import Signer
from fullmakt.altinn.consents.altinn2.requesting import Requesting
from fullmakt.altinn.consents.altinn2.store import Place, Wanted
from fullmakt.altinn.consents.answering import Gate
from fullmakt.altinn.consents.errors import ConsentRefusedError
from fullmakt.altinn.consents.feeds import LAG
from fullmakt.altinn.consents.model import Consent, Form, Status
from fullmakt.altinn.consents.rules import Reason, Refusal
from fullmakt.altinn.consents.service import ConsentsService
from fullmakt.altinn.consents.srr import rules as srr_rules
from fullmakt.altinn.consents.srr.model import ServiceKey
from fullmakt.altinn.consents.srr.service import SrrService
from fullmakt.altinn.consents.srr.services import Services
from fullmakt.wire.altinn.consents2 import ConsentError, ErrorCode, RequestStatus
from fullmakt.wire.altinn.parties import PartyIdentity

NOT_THE_OWNER = "The service is not the caller's."
MAX_REQUESTS = 1_000
MAX_CONSENTS = 2_000
"""Entries of a page, ours both. Altinn's pages of consents hold up to 10 000 (§2.11), which took a worker most of a
second to put together, while its other callers waited."""


@dataclass(frozen=True, slots=True)
class Page:
    """A part of a list, and everything that it refers to; ``token`` leads to the next, None at the end."""

    consents: list[Consent]
    known: Known
    token: str | None


@dataclass(frozen=True, slots=True)
class Filter:
    """Which requests are wanted: those ``sent`` and those ``received``, of ``statuses`` (any when empty), for
    ``service``."""

    sent: bool = True
    received: bool = True
    statuses: Collection[RequestStatus] = ()
    service: ServiceKey | None = None


class Altinn2Consents:
    """The use cases, over the same consents as Altinn 3's form.

    Wherever consents of this form are answered, SRR is asked.
    """

    def __init__(self, consents: ConsentsService, services: Services, srr: SrrService, signer: Signer) -> None:
        self.consents = consents
        self.parties = PartiesOfConsents(consents.neighbours, services)
        self.requesting = Requesting(consents, services, srr)
        self.drawing = Drawing(consents, srr, self.parties, signer)
        self.signer = signer
        self._services = services
        self._srr = srr
        consents.answering.gated(self.gate_of)

    async def read(self, code: UUID, by: Enterprise) -> Consent:
        """A request, to those who may know of it.

        Raises:
            UnknownRequestError: there is none, or it is not the caller's.
        """
        organisation, on_behalf_of = await self._caller(by, "consent:read")
        found = await self.consents.using.find(code)
        if found is None or not rules.is_seen_by(found.consent, organisation, on_behalf_of):
            await self.consents.work.record(by.actor, "consent:read", code, Reason.NOT_FOUND.value)
            raise UnknownRequestError
        return found.consent

    async def withdraw(self, code: UUID, by: Enterprise) -> None:
        """Take a request back, as long as nobody has answered it.

        Raises:
            UnknownRequestError: there is none, or it is not one that the caller has asked.
            RequestRefusedError: it has been answered.
        """
        organisation, on_behalf_of = await self._caller(by, "consent:withdraw")

        def admits(consent: Consent) -> Refusal | None:
            asked = organisation.party_uuid in {consent.receiver, consent.handled_by}
            seen = asked and rules.is_seen_by(consent, organisation, on_behalf_of)
            return None if seen else Refusal(Reason.NOT_FOUND)

        try:
            await self.consents.using.withdraw(code, organisation.party_uuid, by.actor, admits)
        except ConsentRefusedError as error:
            if error.reason is Reason.NOT_FOUND:
                raise UnknownRequestError from error
            text = "The request has been answered, and can not be withdrawn."
            raise RequestRefusedError(ConsentError(ErrorCode.ANSWERED, text)) from error

    async def listed(self, wanted: Filter, place: Place, by: Enterprise) -> Page:
        """A page of the caller's requests, by when they changed last."""
        organisation, on_behalf_of = await self._caller(by, "consent:read")
        service = None if wanted.service is None else await self._services.find(wanted.service)
        sides = _sides(wanted, is_supplier=on_behalf_of is not None)
        if not sides or (wanted.service is not None and service is None):
            return Page([], Known({}, {}), None)
        looked_for = Wanted(
            party=organisation.party_uuid,
            sides=sides,
            consumer=None if on_behalf_of is None else on_behalf_of.party_uuid,
            states=_states(wanted.statuses),
            resource=None if service is None else service.resource,
        )
        async with self.consents.work.database.transaction() as connection:
            found = await store.requests(connection, looked_for, place, MAX_REQUESTS)
        return await self._page(found, MAX_REQUESTS)

    async def owned(self, key: ServiceKey, statuses: Collection[Status], place: Place, by: Enterprise) -> Page:
        """A page of the consents to the caller's own service, by when they changed last; lapsed ones are left out.

        It goes on behind the last of those that changed ``LAG`` ago or earlier: among the newer, something older may
        yet be written down. They are read again. With a page of nothing else the list has its end there, for now.

        Raises:
            NotAdmittedError: the service is not the caller's, or there is none.
        """
        service = await self._services.find(key)
        if service is None or service.owner != by.organisation:
            error = NotAdmittedError("not_the_owner", NOT_THE_OWNER, service=str(key))
            await self.refused("consent:list", f"service:{key}", error, by.actor)
            raise error
        certain = self.consents.work.clock() - LAG
        found = await self.consents.feeds.of_resources(
            [service.resource], MAX_CONSENTS, after=(place.at, place.id), statuses=statuses
        )
        return await self._page(found, MAX_CONSENTS, certain)

    async def gate_of(self, consent: Consent) -> Gate | None:
        """What SRR has to say when this consent is accepted (§3.4), in the transaction of the answer; None for one of
        Altinn 3's form. What has to be looked up elsewhere is looked up now."""
        if consent.form is not Form.ALTINN2:
            return None
        keys, receiver = await self._gated(consent)

        async def gate(connection: AsyncConnection, _consent: Consent) -> Refusal | None:
            gates = await self._srr.gates(keys, receiver, connection)
            refusal = srr_rules.may_receive(gates, self.consents.work.clock())
            return None if refusal is None else Refusal(Reason.GATE_CLOSED, {"why": refusal.reason, **refusal.facts})

        return gate

    async def refused(self, action: str, subject: str, error: NotAdmittedError, actor: str) -> None:
        """Keep in the audit trail that an enterprise was not let in."""
        await self.consents.work.record(actor, action, subject, error.reason, **error.facts)

    async def unread(self, action: str, reason: str, by: Enterprise) -> None:
        """Keep in the audit trail that what an enterprise sent could not be read."""
        await self.consents.work.record(by.actor, action, "consent", reason)

    async def _caller(self, by: Enterprise, action: str) -> tuple[PartyIdentity, PartyIdentity | None]:
        try:
            return await self.parties.of_caller(by)
        except NotAdmittedError as error:
            await self.consents.work.record(by.actor, action, "consent", error.reason)
            raise

    async def _gated(self, consent: Consent) -> tuple[list[ServiceKey], str]:
        known = await self.parties.known([consent])
        return [known.service(right.resource) for right in consent.rights], known.number(consent.receiver) or ""

    async def _page(self, found: list[Consent], most: int, certain: dt.datetime | None = None) -> Page:
        """The page; a full one goes on behind its last entry, of those no newer than ``certain``."""
        passed = [one for one in found if certain is None or one.last_changed <= certain]
        token = Place.after(passed[-1]).token if passed and len(found) == most else None
        return Page(found, await self.parties.known(found), token)


def _sides(wanted: Filter, *, is_supplier: bool) -> tuple[str, ...]:
    """A supplier that acts for a receiver sees what it has sent for it, and nothing of the receiver's own."""
    if is_supplier:
        return ("supplier",) if wanted.sent else ()
    return (*(("receiver", "handler") if wanted.sent else ()), *(("giver",) if wanted.received else ()))


def _states(statuses: Collection[RequestStatus]) -> tuple[str, ...] | None:
    """The statuses as the store tells them apart."""
    names = {RequestStatus.UNOPENED: "Created"}
    return tuple(sorted(names.get(one, one.value) for one in statuses)) if statuses else None

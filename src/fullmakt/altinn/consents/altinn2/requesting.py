"""A request for consent is made (consent.md §2.2, §2.14, §3.4)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from fullmakt.altinn.consents.altinn2 import rules
from fullmakt.altinn.consents.altinn2.asking import Asked, read_asked
from fullmakt.altinn.consents.altinn2.callers import Enterprise
from fullmakt.altinn.consents.altinn2.drafting import (
    Drafting,
    Wished,
    destination,
    party_numbered,
    redirect_errors,
    refused_by_srr,
    rights_of,
    template_errors,
    time_errors,
)
from fullmakt.altinn.consents.altinn2.errors import RequestRefusedError
from fullmakt.altinn.consents.model import Consent, Form
from fullmakt.altinn.consents.service import ConsentsService
from fullmakt.altinn.consents.srr import rules as srr_rules
from fullmakt.altinn.consents.srr.service import SrrService
from fullmakt.altinn.consents.srr.services import Services
from fullmakt.altinn.consents.templates import Template, template_of
from fullmakt.wire.altinn.consents2 import ConsentError, ErrorCode
from fullmakt.wire.altinn.parties import PartyIdentity


class Requesting:
    """Makes requests. Who may ask is found out before anything of who is asked, and nothing is told of that."""

    def __init__(self, consents: ConsentsService, services: Services, srr: SrrService) -> None:
        self._consents = consents
        self._drafting = Drafting(consents.neighbours, services)
        self._srr = srr

    async def request(self, body: Mapping[str, Any], by: Enterprise) -> Consent:
        """The request in a body, made.

        Raises:
            RequestRefusedError: it can not be; every fault that has been found.
        """
        try:
            return await self._requested(read_asked(body), by)
        except RequestRefusedError as error:
            facts = {"codes": [one.code.value for one in error.errors], **error.facts}
            await self._consents.work.record(by.actor, "consent:request", "consent", error.reason, **facts)
            raise

    async def _requested(self, asked: Asked, by: Enterprise) -> Consent:
        _check_caller(asked, by)
        wished = await self._drafting.wished(asked.services)
        receiver = await self._drafting.receiver(asked.covered_by)
        await self._drafting.check_may_ask(receiver, wished, by.actor)
        await self._check_srr(asked, by)
        consent = await self._drafted(asked, wished, receiver)

        async def gate(connection: AsyncConnection, _consent: Consent) -> None:
            await self._check_srr(asked, by, connection)

        return (await self._consents.using.request(consent, consent.created_by, by.actor, gate=gate)).consent

    async def _check_srr(self, asked: Asked, by: Enterprise, connection: AsyncConnection | None = None) -> None:
        """What SRR says, and where it says nothing of redirects, the API key."""
        gates = await self._srr.gates([one.key for one in asked.services], asked.covered_by, connection)
        now, handler = self._consents.work.clock(), by.organisation if asked.handled_by else None
        by_certificate = handler is not None and by.on_behalf_of is None
        refusal = srr_rules.may_receive(gates, now, handled_by=handler, by_certificate=by_certificate)
        back = destination(asked.redirect_url)
        if refusal is None and back is not None:
            refusal = srr_rules.allowed_redirect(gates, now, back, by.key.domains)
        if refusal is not None:
            raise refused_by_srr(refusal)

    async def _drafted(self, asked: Asked, wished: Sequence[Wished], receiver: PartyIdentity) -> Consent:
        now = self._consents.work.clock()
        errors: list[ConsentError] = []
        parties = await self._parties(asked)
        giver, delegator, handler = (parties.get(name) for name in ("OfferedBy", "RequiredDelegator", "HandledBy"))
        errors += _party_errors(asked, parties)
        errors += time_errors(asked.valid_to, now)
        rights, missing = rights_of(wished)
        errors += missing
        template = template_of(wished[0].template)
        errors += [*template_errors(wished)] or _message_errors(asked, template)
        errors += redirect_errors(asked.redirect_url)
        if errors or giver is None or asked.valid_to is None:
            raise RequestRefusedError(*errors)
        return Consent(
            id=UUID(self._consents.work.new_id()),
            form=Form.ALTINN2,
            giver=giver.party_uuid,
            receiver=receiver.party_uuid,
            handled_by=None if handler is None else handler.party_uuid,
            required_delegator=None if delegator is None else delegator.party_uuid,
            valid_to=asked.valid_to,
            rights=rights,
            redirect_url=asked.redirect_url,
            created=now,
            created_by=(handler or receiver).party_uuid,
            message=asked.message,
            portal_view_mode=asked.portal_view_mode,
            template_id=template.id,
            template_version=template.version,
            one_time=any(one.one_time for one in wished),
        )

    async def _parties(self, asked: Asked) -> Mapping[str, PartyIdentity]:
        """Those that the request names by numbers that are right, in one look-up."""
        named = {
            "OfferedBy": party_numbered(asked.offered_by),
            "RequiredDelegator": party_numbered(asked.required_delegator),
            "HandledBy": party_numbered(asked.handled_by),
        }
        wanted = [attribute for attribute in named.values() if attribute is not None]
        found = await self._consents.neighbours.parties.identify(wanted)
        return {name: found[one] for name, one in named.items() if one is not None and one in found}


def _check_caller(asked: Asked, by: Enterprise) -> None:
    """A receiver asks for itself; whoever acts for another says so by ``HandledBy``."""
    if not asked.handled_by:
        if asked.covered_by != by.organisation or by.on_behalf_of is not None:
            text = "CoveredBy is not the organization that is authenticated."
            raise RequestRefusedError(ConsentError(ErrorCode.RECEIVER, text))
        return
    allowed = asked.handled_by == by.organisation and asked.covered_by != by.organisation
    if not allowed or by.on_behalf_of not in {None, asked.covered_by}:
        text = "HandledBy is not the organization that is authenticated for CoveredBy."
        raise RequestRefusedError(ConsentError(ErrorCode.SUPPLIER, text))


def _message_errors(asked: Asked, template: Template) -> Iterator[ConsentError]:
    if asked.message and not template.is_message_set_in_request:
        text = "RequestMessage must be empty: the service's template has a message of its own."
        yield ConsentError(ErrorCode.MESSAGE, text)


def _party_errors(asked: Asked, parties: Mapping[str, PartyIdentity]) -> Iterator[ConsentError]:
    giver, delegator = parties.get("OfferedBy"), parties.get("RequiredDelegator")
    if giver is None or not rules.is_name_of(asked.offered_by_name, giver):
        yield rules.no_such_party(asked.offered_by)
    if asked.required_delegator or asked.required_delegator_name:
        is_person = delegator is not None and delegator.national_id is not None
        if not is_person or delegator is None or not rules.is_name_of(asked.required_delegator_name, delegator):
            yield rules.no_such_party(asked.required_delegator)
    if asked.handled_by and "HandledBy" not in parties:
        yield rules.no_such_party(asked.handled_by)

"""Requests of old, which are a link and nothing else until somebody says yes (consent.md §2.7, decision 8)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from fullmakt.altinn.consents import rules as consent_rules
from fullmakt.altinn.consents.altinn2 import link_store, rules
from fullmakt.altinn.consents.altinn2.drafting import (
    Drafting,
    Wished,
    destination,
    party_numbered,
    redirect_errors,
    refused_by_srr,
    rights_of,
    time_errors,
)
from fullmakt.altinn.consents.altinn2.errors import RequestRefusedError
from fullmakt.altinn.consents.altinn2.links import Link, read_link
from fullmakt.altinn.consents.altinn2.redirects import vouched
from fullmakt.altinn.consents.errors import ConsentRefusedError
from fullmakt.altinn.consents.keys.service import ApiKeys
from fullmakt.altinn.consents.model import Consent, ConsentRight, Form
from fullmakt.altinn.consents.rules import Reason, Refusal
from fullmakt.altinn.consents.service import ConsentsService
from fullmakt.altinn.consents.srr import rules as srr_rules
from fullmakt.altinn.consents.srr.service import SrrService
from fullmakt.altinn.consents.srr.services import Services
from fullmakt.altinn.consents.templates import template_of
from fullmakt.wire.altinn.attributes import PARTY_UUID, Attribute
from fullmakt.wire.altinn.callers import Caller
from fullmakt.wire.altinn.consents2 import ConsentError, ErrorCode
from fullmakt.wire.altinn.parties import PartyIdentity, PartyKind

ACTOR = "link"
"""Who asks, to the audit trail: nobody has proved to be the receiver."""
STANDARD = "default"
"""The template that links may have; the others need a request that is registered (§2.13)."""
_NOBODY_YET = UUID(int=0)
_SOMEBODY = PartyIdentity(0, _NOBODY_YET, PartyKind.PERSON, "")


@dataclass(frozen=True, slots=True)
class LinkRequest:
    """What a link asks for, which can be had as things stand.

    ``giver`` is how the one who is asked reads in it: an organisation by its name, and any person as nobody in
    particular, registered or not. ``draft`` is the consent that a yes would make, but for its giver.
    """

    link: Link
    draft: Consent
    giver: PartyIdentity


class Linking:
    """The use cases. Who may ask is found out before anything of who is asked, and nothing is told of that."""

    def __init__(self, consents: ConsentsService, services: Services, srr: SrrService, keys: ApiKeys) -> None:
        self._consents = consents
        self._work = consents.work
        self._drafting = Drafting(consents.neighbours, services)
        self._srr = srr
        self._keys = keys

    async def find(self, members: Iterable[tuple[str, str]]) -> LinkRequest:
        """The request in the members of a link's query.

        Raises:
            RequestRefusedError: it can not be had; every fault that has been found.
        """
        try:
            return await self._found(read_link(members))
        except RequestRefusedError as error:
            codes = [one.code.value for one in error.errors]
            await self._work.record(ACTOR, "consent:request", "consent", error.reason, codes=codes, **error.facts)
            raise

    async def accept(self, request: LinkRequest, caller: Caller, *, language: str, shown: Mapping[str, Any]) -> Consent:
        """Ask and say yes in one, in ``language`` and to what was ``shown``. What the giver has given to the very same
        before, and is not over, is given back as it is: the same yes is taken once.

        Raises:
            ConsentRefusedError: the link is for somebody else, or the caller can not give it; its time is over.
            RequestRefusedError: the receiver may not have it any more, or nobody be sent there.
        """
        action = "consent:accept"
        async with self._auditing(action, request, caller):
            draft = await self._for(request, caller)
            person = await self._consents.answering.admit(draft, caller, "write")
            async with self._work.changing() as change:
                await link_store.take_turns(change.connection, draft.giver)
                await self._check_gates(request.link, change.connection)
                found = await link_store.standing(change.connection, draft)
                if found is not None:
                    return found
                draft = replace(draft, created=change.now)
                given = consent_rules.accept(draft, person, change.now, language=language, shown=shown)
                if isinstance(given, Refusal):
                    raise ConsentRefusedError.of(given)
                await change.keep(None, draft, draft.receiver)
                await change.keep(draft, given, person)
                change.tell_consent(ACTOR, "consent:request", draft, **_told(draft))
                change.tell_consent(caller.actor, action, given, language=language)
                return given

    async def reject(self, request: LinkRequest, caller: Caller) -> None:
        """Say no: nothing is made.

        Raises:
            ConsentRefusedError: as ``accept``; or it has been given already, and stands.
        """
        action = "consent:reject"
        async with self._auditing(action, request, caller):
            draft = await self._for(request, caller)
            await self._consents.answering.admit(draft, caller, "write")
            async with self._work.database.transaction() as connection:
                if await link_store.standing(connection, draft) is not None:
                    raise ConsentRefusedError(Reason.NOT_PENDING)
        await self._work.record(caller.actor, action, draft.id, outcome="done", **_told(draft))

    async def _found(self, link: Link) -> LinkRequest:
        wished = await self._drafting.wished(link.services)
        receiver = await self._drafting.receiver(link.covered_by)
        await self._drafting.check_may_ask(receiver, wished, ACTOR)
        now, giver = self._work.clock(), await self._reads_as(link.offered_by)
        _check_templates(wished)
        rights, missing = rights_of(wished)
        errors = [*time_errors(link.valid_to, now, "ValidToDate"), *missing, *redirect_errors(link.redirect_url)]
        if giver is None:
            errors.append(rules.no_such_party(link.offered_by))
        if errors or giver is None:
            raise RequestRefusedError(*errors)
        await self._check_gates(link)
        one_time = any(one.one_time for one in wished)
        return LinkRequest(link, self._draft(link, giver, receiver, rights, now, one_time=one_time), giver)

    def _draft(
        self,
        link: Link,
        giver: PartyIdentity,
        receiver: PartyIdentity,
        rights: tuple[ConsentRight, ...],
        now: datetime,
        *,
        one_time: bool,
    ) -> Consent:
        template = template_of(STANDARD)
        return Consent(
            id=UUID(self._work.new_id()),
            form=Form.ALTINN2,
            giver=giver.party_uuid,
            receiver=receiver.party_uuid,
            valid_to=link.valid_to,
            rights=rights,
            redirect_url=link.redirect_url,
            created=now,
            created_by=receiver.party_uuid,
            message={link.language or "nb": link.message},
            template_id=template.id,
            template_version=template.version,
            one_time=one_time,
        )

    async def _reads_as(self, offered_by: str) -> PartyIdentity | None:
        """Who is asked, as far as anybody may be told who has not proved who they are; None of a number that is none,
        and of an organisation that is not registered."""
        if not offered_by:
            return _SOMEBODY
        name = party_numbered(offered_by)
        if name is None or len(offered_by) == 11:
            return None if name is None else _SOMEBODY
        return await self._consents.neighbours.party(name)

    async def _for(self, request: LinkRequest, caller: Caller) -> Consent:
        """The consent that this person would give."""
        who = None if caller.party_uuid is None else Attribute(PARTY_UUID, str(caller.party_uuid))
        person = None if who is None else await self._consents.neighbours.party(who)
        if person is None or person.national_id is None:
            raise ConsentRefusedError(Reason.NOT_AUTHORIZED, why="no_person")
        if not request.link.is_for(person.national_id):
            raise ConsentRefusedError(Reason.OTHER_PERSON)
        name = party_numbered(request.link.offered_by)
        giver = person if name is None else await self._consents.neighbours.party(name)
        if giver is None:
            raise ConsentRefusedError(Reason.NOT_AUTHORIZED, why="no_such_giver")
        return replace(request.draft, giver=giver.party_uuid)

    async def _check_gates(self, link: Link, connection: AsyncConnection | None = None) -> None:
        """SRR lists the receiver, and the redirect URL is one that SRR or a key of the receiver's names."""
        gates = await self._srr.gates([one.key for one in link.services], link.covered_by, connection)
        keys = await self._keys.of_organisation(link.covered_by, connection)
        now, back = self._work.clock(), destination(link.redirect_url)
        refusal = srr_rules.may_receive(gates, now)
        if refusal is None and back is not None:
            refusal = vouched(gates, now, back, keys)
        if refusal is not None:
            raise refused_by_srr(refusal)

    @asynccontextmanager
    async def _auditing(self, action: str, request: LinkRequest, caller: Caller) -> AsyncIterator[None]:
        """A block whose refusal is written down, of the consent that there would have been."""
        try:
            yield
        except (ConsentRefusedError, RequestRefusedError) as error:
            await self._work.record(caller.actor, action, request.draft.id, str(error.reason), **error.facts)
            raise


def _check_templates(wished: Sequence[Wished]) -> None:
    others = [one.asked.key for one in wished if one.template != STANDARD]
    if others:
        texts = [f"The service {key} can not be asked for by a link: its template needs a request." for key in others]
        errors = [ConsentError(ErrorCode.TEMPLATES, text) for text in texts]
        raise RequestRefusedError(*errors, reason="template_needs_a_request")


def _told(draft: Consent) -> dict[str, Any]:
    """What the audit trail tells of a request that was a link."""
    resources = sorted({right.resource for right in draft.rights})
    return {"form": draft.form.value, "resources": resources, "receiver": str(draft.receiver), "by": "link"}

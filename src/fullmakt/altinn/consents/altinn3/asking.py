"""A request for consent in Altinn 3's form, from whoever needs it (consent.md §4.4)."""

from __future__ import annotations

from collections.abc import Mapping

from fullmakt.altinn.consents import rules as common
from fullmakt.altinn.consents.altinn3 import problems, rules
from fullmakt.altinn.consents.altinn3.problems import ConsentProblemError
from fullmakt.altinn.consents.altinn3.wishes import Wish
from fullmakt.altinn.consents.model import Consent, Form
from fullmakt.altinn.consents.service import ConsentsService
from fullmakt.altinn.consents.templates import templates
from fullmakt.altinn.consents.using import Kept
from fullmakt.infra.altinn import ForbiddenError
from fullmakt.kernel.identifiers import OrgNumber
from fullmakt.wire.altinn import attributes as ids
from fullmakt.wire.altinn.attributes import Attribute
from fullmakt.wire.altinn.callers import Caller, InvalidCallerError
from fullmakt.wire.altinn.consents import ORG_SCOPE
from fullmakt.wire.altinn.parties import PartyIdentity, PartyKind
from fullmakt.wire.altinn.resources import RegisteredResource

REQUEST = "requestconsent"
"""The action that whoever asks has to be permitted."""


class Asking:
    """Makes requests, by the real server's steps in their order. In ``strict`` mode nothing in them is ours."""

    def __init__(self, service: ConsentsService, *, strict: bool) -> None:
        self._service = service
        self._strict = strict

    async def request(self, wish: Wish, caller: Caller) -> Kept:
        """The request; ``Kept.created`` is False when it had been made before.

        Raises:
            InvalidCallerError: the token is no organisation's.
            ForbiddenError: the caller asks on behalf of another, or may not ask for one of the resources.
            ConsentProblemError: what is wrong with it.
        """
        consumer = consumer_of(caller)
        handler = caller.supplier
        if wish.receiver != Attribute(ids.ORGANISATION, consumer):
            if ORG_SCOPE not in caller.scopes:
                raise ForbiddenError("not_the_receiver")
            handler = consumer
        await self._require_permission(wish, consumer, caller)
        parties = await self._parties(wish, consumer, handler, caller.supplier)
        known = await self._service.neighbours.resources.resources(
            {resource for right in wish.rights for resource in right.resources}
        )
        found = rules.faults(
            wish.rights,
            wish.valid_to,
            wish.redirect_url,
            self._notification_url(wish),
            known=known,
            templates=templates().keys(),
            now=self._service.work.clock(),
        )
        if found:
            raise problems.one_of(found)
        consent = self._consent(wish, parties, handler, known, caller)
        return await self._keep(consent, parties[Attribute(ids.ORGANISATION, consumer)], caller)

    async def _require_permission(self, wish: Wish, consumer: OrgNumber, caller: Caller) -> None:
        """The first resource of each right decides (§4.4, 4); what the permit obliges to is not looked at."""
        subject = [Attribute(ids.ORGANISATION, consumer)]
        for resource in dict.fromkeys(right.resources[0] for right in wish.rights):
            decision = await self._service.neighbours.authority.may(
                subject, REQUEST, resource, None, actor=caller.actor
            )
            if not decision.permitted:
                raise ForbiddenError("not_permitted", action=REQUEST, resource=resource, why=decision.reason)

    async def _parties(
        self, wish: Wish, consumer: OrgNumber, handler: OrgNumber | None, supplier: OrgNumber | None
    ) -> Mapping[Attribute, PartyIdentity]:
        """Everybody who has to do with it; the first who is not registered is told of alone (§4.4, 5)."""
        organisations = [Attribute(ids.ORGANISATION, one) for one in (handler, supplier, consumer) if one is not None]
        named = [one for one in (wish.giver, wish.receiver, wish.required_delegator) if one is not None]
        found = await self._service.neighbours.parties.identify([*named, *organisations])
        for name in (*named, *organisations):
            usable = name.id in {ids.PERSON, ids.ORGANISATION} and name in found
            if not usable or (name == wish.required_delegator and found[name].kind is not PartyKind.PERSON):
                raise _unknown(name)
        return found

    def _consent(
        self,
        wish: Wish,
        parties: Mapping[Attribute, PartyIdentity],
        handler: OrgNumber | None,
        known: Mapping[str, RegisteredResource],
        caller: Caller,
    ) -> Consent:
        resources = [known[right.resources[0]] for right in wish.rights]
        template = templates()[rules.template_of(resources[0])]
        maker = Attribute(ids.ORGANISATION, caller.supplier or consumer_of(caller))
        required = wish.required_delegator
        return Consent(
            id=wish.id,
            form=Form.ALTINN3,
            giver=parties[wish.giver].party_uuid,
            receiver=parties[wish.receiver].party_uuid,
            valid_to=wish.valid_to,
            rights=rules.rights_of(wish.rights, known),
            redirect_url=wish.redirect_url,
            created=self._service.work.clock(),
            created_by=parties[maker].party_uuid,
            handled_by=parties[Attribute(ids.ORGANISATION, handler)].party_uuid if handler else None,
            required_delegator=parties[required].party_uuid if required else None,
            message=wish.message,
            portal_view_mode=wish.portal_view_mode,
            template_id=template.id,
            template_version=template.version,
            one_time=any(resource.consent.one_time for resource in resources),
            notification_url=self._notification_url(wish),
        )

    def _notification_url(self, wish: Wish) -> str:
        return "" if self._strict else wish.notification_url

    async def _keep(self, consent: Consent, asker: PartyIdentity, caller: Caller) -> Kept:
        kept = await self._service.using.request(consent, asker.party_uuid, caller.actor)
        if kept.created or (kept.consent.in_altinn3 and common.same_parties(kept.consent, consent)):
            return kept
        raise ConsentProblemError(problems.ID_EXISTS, requestId=str(consent.id))


def consumer_of(caller: Caller) -> OrgNumber:
    """The organisation that is acted for.

    Raises:
        InvalidCallerError: the token names none.
    """
    if caller.consumer is None:
        raise InvalidCallerError("no_consumer")
    return caller.consumer


def _unknown(name: Attribute) -> ConsentProblemError:
    """Whoever is not registered is named to whoever named them."""
    if name.id == ids.PERSON:
        return ConsentProblemError(problems.UNKNOWN_PERSON, fnumber=name.urn)
    return ConsentProblemError(problems.UNKNOWN_ORGANISATION, orgnr=name.urn)

"""A request for consent is made (consent.md §2.2, §2.14, §3.4)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from fullmakt.altinn.consents.altinn2 import rules
from fullmakt.altinn.consents.altinn2.asking import Asked, AskedService, read_asked
from fullmakt.altinn.consents.altinn2.callers import Enterprise
from fullmakt.altinn.consents.altinn2.errors import RequestRefusedError
from fullmakt.altinn.consents.model import Consent, ConsentRight, Form
from fullmakt.altinn.consents.service import ConsentsService
from fullmakt.altinn.consents.srr import rules as srr_rules
from fullmakt.altinn.consents.srr.domains import Destination, InvalidDestinationError, destination_of
from fullmakt.altinn.consents.srr.model import Service, ServiceKey
from fullmakt.altinn.consents.srr.service import SrrService
from fullmakt.altinn.consents.srr.services import Services
from fullmakt.altinn.consents.templates import Template, template_of
from fullmakt.altinn.consents.texts import redirect_parts
from fullmakt.kernel.identifiers import InvalidIdentifierError, NationalId, OrgNumber
from fullmakt.wire.altinn.attributes import ORGANISATION, PARTY_UUID, PERSON, Attribute
from fullmakt.wire.altinn.consents2 import ConsentError, ErrorCode
from fullmakt.wire.altinn.parties import PartyIdentity
from fullmakt.wire.altinn.resources import RegisteredResource

REQUEST_ACTION = "requestconsent"

_OF_SRR = {
    "not_in_srr": (ErrorCode.NOT_LISTED, "CoveredBy is not listed as a receiver of consents to {service}."),
    "srr_expired": (ErrorCode.NOT_LISTED, "CoveredBy is not listed as a receiver of consents to {service} any more."),
    "supplier_not_in_srr": (ErrorCode.SUPPLIER, "HandledBy may not act for CoveredBy on {service}."),
    "redirect_not_allowed": (ErrorCode.REDIRECT, "RedirectUrl is not on a domain that is allowed here."),
}


@dataclass(frozen=True, slots=True)
class _Wished:
    """A service that there is, with what was said of it."""

    asked: AskedService
    service: Service
    resource: RegisteredResource

    def right(self) -> Iterator[ConsentRight | ConsentError]:
        """The right of the consent, or what is missing for it."""
        defined = dict(self.resource.consent.metadata)
        values: dict[str, str] = {}
        for one in rules.parameters(defined, self.asked.metadata, str(self.asked.key)):
            if isinstance(one, ConsentError):
                yield one
            else:
                values[one[0]] = one[1]
        yield ConsentRight(self.resource.identifier, metadata=values, resource_version=self.resource.version)

    @property
    def template(self) -> str:
        """The template's id."""
        return self.resource.consent.template or "default"

    @property
    def one_time(self) -> bool:
        said = self.service.one_time
        return self.resource.consent.one_time if said is None else said


class Requesting:
    """Makes requests. Who may ask is found out before anything of who is asked, and nothing is told of that."""

    def __init__(self, consents: ConsentsService, services: Services, srr: SrrService) -> None:
        self._consents = consents
        self._services = services
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
        wished = await self._wished(asked)
        receiver = await self._receiver(asked)
        await self._check_may_ask(receiver, wished, by)
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
        destination = _destination(asked.redirect_url)
        if refusal is None and destination is not None:
            refusal = srr_rules.allowed_redirect(gates, now, destination, by.key.domains)
        if refusal is not None:
            code, words = _OF_SRR[refusal.reason]
            error = ConsentError(code, words.format(**{"service": "the service", **refusal.facts}))
            raise RequestRefusedError(error, reason=refusal.reason, facts=refusal.facts)

    async def _wished(self, asked: Asked) -> list[_Wished]:
        found = {one.key: await self._services.find(one.key) for one in asked.services}
        resources = await self._consents.neighbours.resources.resources(
            [service.resource for service in found.values() if service is not None]
        )
        wished, unknown = [], []
        for one in asked.services:
            service = found[one.key]
            resource = None if service is None else resources.get(service.resource)
            if service is None or resource is None:
                unknown.append(one.key)
            else:
                wished.append(_Wished(one, service, resource))
        if unknown:
            raise RequestRefusedError(*[_no_service(key) for key in unknown])
        return wished

    async def _receiver(self, asked: Asked) -> PartyIdentity:
        found = await self._consents.neighbours.party(Attribute(ORGANISATION, asked.covered_by))
        if found is None:
            raise RequestRefusedError(rules.no_such_party(asked.covered_by))
        return found

    async def _check_may_ask(self, receiver: PartyIdentity, wished: Sequence[_Wished], by: Enterprise) -> None:
        """Both forms stand on the same resource: its policy says who may ask in either."""
        subject = [Attribute(PARTY_UUID, str(receiver.party_uuid))]
        for one in wished:
            resource = one.resource.identifier
            decision = await self._consents.neighbours.authority.may(
                subject, REQUEST_ACTION, resource, None, actor=by.actor
            )
            if not decision.permitted:
                text = f"CoveredBy may not ask for consent to {one.asked.key}."
                facts = {"why": decision.reason, "action": REQUEST_ACTION, "resource": resource}
                raise RequestRefusedError(ConsentError(ErrorCode.NOT_ALLOWED, text), facts=facts)

    async def _drafted(self, asked: Asked, wished: Sequence[_Wished], receiver: PartyIdentity) -> Consent:
        now = self._consents.work.clock()
        errors: list[ConsentError] = []
        rights: list[ConsentRight] = []
        parties = await self._parties(asked)
        giver, delegator, handler = (parties.get(name) for name in ("OfferedBy", "RequiredDelegator", "HandledBy"))
        errors += _party_errors(asked, parties)
        errors += _time_errors(asked.valid_to, now)
        for one in (one for service in wished for one in service.right()):
            if isinstance(one, ConsentError):
                errors.append(one)
            else:
                rights.append(one)
        template = template_of(wished[0].template)
        errors += _template_errors(asked, wished, template)
        if _destination(asked.redirect_url) is None:
            errors.append(ConsentError(ErrorCode.REDIRECT, "RedirectUrl is not an absolute URL that can be sent to."))
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
            rights=tuple(rights),
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
            "OfferedBy": _attribute(asked.offered_by),
            "RequiredDelegator": _attribute(asked.required_delegator),
            "HandledBy": _attribute(asked.handled_by),
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


def _template_errors(asked: Asked, wished: Sequence[_Wished], template: Template) -> Iterator[ConsentError]:
    if len({one.template for one in wished}) > 1:
        yield ConsentError(ErrorCode.TEMPLATES, "The services do not share a template.")
    elif asked.message and not template.is_message_set_in_request:
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


def _time_errors(valid_to: datetime | None, now: datetime) -> Iterator[ConsentError]:
    if valid_to is None or valid_to <= now:
        yield ConsentError(ErrorCode.VALID_TO, "ValidTo is required, and must be in the future.")


def _destination(url: str) -> Destination | None:
    """Where a URL goes to; None when nobody may be sent there, or it could be taken for another."""
    try:
        return None if redirect_parts(url) is None else destination_of(url)
    except InvalidDestinationError:
        return None


def _attribute(number: str) -> Attribute | None:
    """A person, by a number whose check digits fit, or an organisation; None when the number is none."""
    try:
        if len(number) == 11:
            return Attribute(PERSON, NationalId(number))
        return Attribute(ORGANISATION, OrgNumber(number)) if number else None
    except InvalidIdentifierError:
        return None


def _no_service(key: ServiceKey) -> ConsentError:
    return ConsentError(ErrorCode.SERVICE, f"There is no service {key} that can be consented to.")

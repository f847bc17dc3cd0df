"""What every request of Altinn 2's form goes through, however it is made: services, parameters, template, receiver."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from fullmakt.altinn.consents.altinn2 import rules
from fullmakt.altinn.consents.altinn2.asking import AskedService
from fullmakt.altinn.consents.altinn2.errors import RequestRefusedError
from fullmakt.altinn.consents.model import ConsentRight
from fullmakt.altinn.consents.ports import Neighbours
from fullmakt.altinn.consents.srr.domains import Destination, InvalidDestinationError, destination_of
from fullmakt.altinn.consents.srr.model import Service, ServiceKey
from fullmakt.altinn.consents.srr.rules import Refusal
from fullmakt.altinn.consents.srr.services import Services
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
    "redirect_not_vouched_for": (
        ErrorCode.REDIRECT,
        "RedirectUrl is not on a domain that SRR, or an API key, names for CoveredBy.",
    ),
}


@dataclass(frozen=True, slots=True)
class Wished:
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
        """True when a consent to the service is good for one time."""
        said = self.service.one_time
        return self.resource.consent.one_time if said is None else said


class Drafting:
    """Finds what a request is about, and whether its receiver may ask for that."""

    def __init__(self, neighbours: Neighbours, services: Services) -> None:
        self._neighbours = neighbours
        self._services = services

    async def wished(self, asked: Sequence[AskedService]) -> list[Wished]:
        """The services that are asked for.

        Raises:
            RequestRefusedError: one of them is none that can be consented to.
        """
        found = {one.key: await self._services.find(one.key) for one in asked}
        resources = await self._neighbours.resources.resources(
            [service.resource for service in found.values() if service is not None]
        )
        wished, unknown = [], []
        for one in asked:
            service = found[one.key]
            resource = None if service is None else resources.get(service.resource)
            if service is None or resource is None:
                unknown.append(one.key)
            else:
                wished.append(Wished(one, service, resource))
        if unknown:
            raise RequestRefusedError(*[_no_service(key) for key in unknown])
        return wished

    async def receiver(self, number: str) -> PartyIdentity:
        """The organisation that ``CoveredBy`` names.

        Raises:
            RequestRefusedError: it is not registered.
        """
        found = await self._neighbours.party(Attribute(ORGANISATION, number))
        if found is None:
            raise RequestRefusedError(rules.no_such_party(number))
        return found

    async def check_may_ask(self, receiver: PartyIdentity, wished: Sequence[Wished], actor: str) -> None:
        """Both forms stand on the same resource: its policy says who may ask in either.

        Raises:
            RequestRefusedError: the receiver may not.
        """
        subject = [Attribute(PARTY_UUID, str(receiver.party_uuid))]
        for one in wished:
            resource = one.resource.identifier
            decision = await self._neighbours.authority.may(subject, REQUEST_ACTION, resource, None, actor=actor)
            if not decision.permitted:
                text = f"CoveredBy may not ask for consent to {one.asked.key}."
                facts = {"why": decision.reason, "action": REQUEST_ACTION, "resource": resource}
                raise RequestRefusedError(ConsentError(ErrorCode.NOT_ALLOWED, text), facts=facts)


def rights_of(wished: Sequence[Wished]) -> tuple[tuple[ConsentRight, ...], list[ConsentError]]:
    """The rights of a consent to the services, and everything that is missing for them."""
    found = [one for service in wished for one in service.right()]
    rights = tuple([one for one in found if isinstance(one, ConsentRight)])
    return rights, [one for one in found if isinstance(one, ConsentError)]


def template_errors(wished: Sequence[Wished]) -> Iterator[ConsentError]:
    """All services of a request are worded alike."""
    if len({one.template for one in wished}) > 1:
        yield ConsentError(ErrorCode.TEMPLATES, "The services do not share a template.")


def time_errors(valid_to: datetime | None, now: datetime, name: str = "ValidTo") -> Iterator[ConsentError]:
    """The time until which consent is asked for, which the request calls ``name``, is ahead."""
    if valid_to is None or valid_to <= now:
        yield ConsentError(ErrorCode.VALID_TO, f"{name} is required, and must be in the future.")


def redirect_errors(url: str) -> Iterator[ConsentError]:
    """``RedirectUrl`` is one that somebody may be sent to, were its domain allowed."""
    if destination(url) is None:
        yield ConsentError(ErrorCode.REDIRECT, "RedirectUrl is not an absolute URL that can be sent to.")


def refused_by_srr(refusal: Refusal) -> RequestRefusedError:
    """What is said of a request that SRR, or the API key's domains, do not let happen."""
    code, words = _OF_SRR[refusal.reason]
    error = ConsentError(code, words.format(**{"service": "the service", **refusal.facts}))
    return RequestRefusedError(error, reason=refusal.reason, facts=refusal.facts)


def destination(url: str) -> Destination | None:
    """Where a URL goes to; None when nobody may be sent there, or it could be taken for another."""
    try:
        return None if redirect_parts(url) is None else destination_of(url)
    except InvalidDestinationError:
        return None


def party_numbered(number: str) -> Attribute | None:
    """A person, by a number whose check digits fit, or an organisation; None when the number is none."""
    try:
        if len(number) == 11:
            return Attribute(PERSON, NationalId(number))
        return Attribute(ORGANISATION, OrgNumber(number)) if number else None
    except InvalidIdentifierError:
        return None


def _no_service(key: ServiceKey) -> ConsentError:
    return ConsentError(ErrorCode.SERVICE, f"There is no service {key} that can be consented to.")

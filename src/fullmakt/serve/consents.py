"""Puts consents of both of Altinn's forms together, and introduces them to the token server, which draws them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from starlette.routing import BaseRoute
from starlette.types import ASGIApp, Receive, Scope, Send

from fullmakt.altinn.consents.altinn2.callers import Door
from fullmakt.altinn.consents.altinn2.http import HANDLERS as ALTINN2_HANDLERS
from fullmakt.altinn.consents.altinn2.http import edge_error
from fullmakt.altinn.consents.altinn2.http import routes as altinn2_routes
from fullmakt.altinn.consents.altinn2.http.door import Admission
from fullmakt.altinn.consents.altinn2.http.systems import Systems
from fullmakt.altinn.consents.altinn2.ports import BadCertificate
from fullmakt.altinn.consents.altinn2.service import Altinn2Consents
from fullmakt.altinn.consents.altinn3.http import Urls
from fullmakt.altinn.consents.altinn3.http import routes as altinn3_routes
from fullmakt.altinn.consents.declaring import Declaring
from fullmakt.altinn.consents.importing import Importing
from fullmakt.altinn.consents.keys.service import ApiKeys
from fullmakt.altinn.consents.ports import Neighbours
from fullmakt.altinn.consents.sending import Sending
from fullmakt.altinn.consents.service import ConsentsService
from fullmakt.altinn.consents.showing import Showing
from fullmakt.altinn.consents.srr.http import HANDLERS as SRR_HANDLERS
from fullmakt.altinn.consents.srr.http import routes as srr_routes
from fullmakt.altinn.consents.srr.service import SrrService
from fullmakt.altinn.consents.srr.services import Services
from fullmakt.altinn.consents.srr.soap.http import soap_app
from fullmakt.altinn.decisions.service import DecisionPoint
from fullmakt.altinn.exchange.keys import AltinnKeys
from fullmakt.altinn.parties.service import PartiesService
from fullmakt.altinn.resources.service import ResourcesService
from fullmakt.infra.altinn import Callers
from fullmakt.infra.database import Database
from fullmakt.infra.feed import current_version
from fullmakt.infra.http import SystemEdge, routed
from fullmakt.kernel.clock import Clock, NewId
from fullmakt.kernel.identifiers import OrgNumber
from fullmakt.maskinporten.tokens.certificates import Certificates
from fullmakt.maskinporten.tokens.model import Refusal
from fullmakt.serve.settings_sections import ConsentsSettings
from fullmakt.wire.altinn.consents import TOPIC, ConsentQuestion, FoundConsent, NoConsent


class ConsentsToCome:
    """The consents, for the token server, which is put together before them: its ``Consents``.

    ``are`` is called when they are there, and before anybody asks.
    """

    topic = TOPIC

    def __init__(self, database: Database) -> None:
        self._database = database
        self._service: ConsentsService | None = None

    def are(self, service: ConsentsService) -> None:
        """From here on ``service`` answers."""
        self._service = service

    async def look_up(self, question: ConsentQuestion) -> FoundConsent | NoConsent:
        """The consent as it stands now, or every cause why it can not be drawn."""
        if self._service is None:
            raise RuntimeError("the consents have not been put together")
        return await self._service.look_up(question)

    async def version(self) -> int:
        """How often any consent has changed."""
        async with self._database.transaction() as connection:
            return await current_version(connection, TOPIC)


class EnterpriseCertificates:
    """Altinn 2's ``EnterpriseCertificates``, by the same rules as the token endpoint's."""

    def __init__(self, certificates: Certificates, clock: Clock) -> None:
        self._certificates = certificates
        self._clock = clock

    async def organisation_of(self, x5c: Sequence[str]) -> OrgNumber | BadCertificate:
        """The organisation, or why the certificate is not to be believed."""
        verdict = await self._certificates.check(list(x5c), self._clock())
        return BadCertificate(verdict.facts) if isinstance(verdict, Refusal) else verdict.certificate.orgno


@dataclass(frozen=True, slots=True)
class Consents:
    """Consents, the services they are for, the service owners' registry and the API keys."""

    settings: ConsentsSettings
    service: ConsentsService
    showing: Showing
    services: Services
    srr: SrrService
    keys: ApiKeys
    altinn2: Altinn2Consents
    sending: Sending
    declaring: Declaring
    importing: Importing

    def routes(self, callers: Callers, urls: Urls) -> list[BaseRoute]:
        """Altinn 3's form, below access management's URL."""
        section = self.settings
        return altinn3_routes(self.service, callers, urls, page_size=section.page_size, strict=section.strict)

    def altinn2_app(
        self,
        callers: Callers,
        certificates: EnterpriseCertificates,
        url: str,
        otherwise: ASGIApp,
        *,
        soap: bool,
    ) -> ASGIApp:
        """Altinn 2's form and the registry, at ``url``, the latter over SOAP too with ``soap``; what is none of theirs
        goes to ``otherwise``."""
        door = Door(self.keys, callers, certificates, self.settings.client_certificate_header)
        admission = Admission(door, self.altinn2)
        routes = [
            *altinn2_routes(self.altinn2, admission, url, mask=self.settings.mask_numbers),
            *srr_routes(self.srr, admission, url),
        ]
        app = SystemEdge(routed(routes, {**ALTINN2_HANDLERS, **SRR_HANDLERS}), error=edge_error)
        others = {"/delegationrequests": otherwise}
        if soap:
            others["/registerexternal/"] = soap_app(self.srr, Systems(self.keys, self.service.work), url)
        return _Altinn2(app, others)


class _Altinn2:
    """Several systems' apps at one URL: ``others`` by what is in their paths, and everything else is about consent."""

    def __init__(self, consents: ASGIApp, others: Mapping[str, ASGIApp]) -> None:
        self._consents = consents
        self._others = others

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = str(scope.get("path", "")).lower()
        app = next((app for part, app in self._others.items() if part in path), self._consents)
        await app(scope, receive, send)


def assemble_consents(
    section: ConsentsSettings,
    database: Database,
    clock: Clock,
    new_id: NewId,
    *,
    parties: PartiesService,
    resources: ResourcesService,
    decisions: DecisionPoint,
    signer: AltinnKeys,
) -> Consents:
    """Wire them. ``signer`` signs the tokens of Altinn 2's form."""
    service = ConsentsService(database, clock, new_id, Neighbours(parties, resources, decisions))
    services = Services(database, clock, resources)
    srr = SrrService(database, clock, services)
    altinn2 = Altinn2Consents(service, services, srr, signer)
    service.answering.gated(altinn2.gate_of)
    return Consents(
        settings=section,
        service=service,
        showing=Showing(service),
        services=services,
        srr=srr,
        keys=ApiKeys(database, clock, new_id),
        altinn2=altinn2,
        sending=Sending(database, clock),
        declaring=Declaring(service.work, service.neighbours, services),
        importing=Importing(service.work, service.migrating, service.neighbours, services),
    )

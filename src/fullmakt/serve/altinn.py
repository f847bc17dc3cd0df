"""Puts Altinn's systems together: who is whose neighbour, and where each is mounted."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import httpx2
from starlette.routing import Route
from starlette.types import ASGIApp

from fullmakt.altinn.consents.altinn3.http import Urls as ConsentUrls
from fullmakt.altinn.decisions.config import DecisionsConfig
from fullmakt.altinn.decisions.http import app as decisions_app
from fullmakt.altinn.decisions.service import DecisionPoint
from fullmakt.altinn.decisions.store import DecisionFeed, DecisionJournal
from fullmakt.altinn.delegations.declarations import Declarations
from fullmakt.altinn.delegations.http import AccessManagement
from fullmakt.altinn.delegations.http import app as delegations_app
from fullmakt.altinn.delegations.http.schemes import schemes_app
from fullmakt.altinn.delegations.requests.documents import Urls
from fullmakt.altinn.delegations.requests.http import altinn2_app
from fullmakt.altinn.delegations.requests.http import routes as request_routes
from fullmakt.altinn.delegations.requests.service import RequestsService
from fullmakt.altinn.delegations.service import DelegationsService
from fullmakt.altinn.delegations.system_users import SystemUserDelegations
from fullmakt.altinn.exchange.config import ExchangeConfig
from fullmakt.altinn.exchange.http import app as exchange_app
from fullmakt.altinn.exchange.keys import AltinnKeys
from fullmakt.altinn.exchange.service import ExchangeService
from fullmakt.altinn.exchange.test_tools import tools_app
from fullmakt.altinn.exchange.tokens import TokenCallers
from fullmakt.altinn.parties.http import app as parties_app
from fullmakt.altinn.parties.http_metadata import metadata_app
from fullmakt.altinn.parties.metadata.load import published
from fullmakt.altinn.parties.service import PartiesService
from fullmakt.altinn.resources.access_lists.http import HANDLERS as ACCESS_LIST_HANDLERS
from fullmakt.altinn.resources.access_lists.http import authorization_route
from fullmakt.altinn.resources.access_lists.http import routes as access_list_routes
from fullmakt.altinn.resources.access_lists.service import AccessLists
from fullmakt.altinn.resources.http import app as resources_app
from fullmakt.altinn.resources.service import ResourcesService
from fullmakt.altinn.systemusers.http import Urls as SystemUserUrls
from fullmakt.infra.database import Database
from fullmakt.infra.secrets import MasterKey
from fullmakt.kernel.clock import Clock, NewId, new_token_id
from fullmakt.kernel.identifiers import OrgNumber
from fullmakt.maskinporten.tokens.certificates import Certificates
from fullmakt.portal.consent_links import link_routes
from fullmakt.portal.consents import ALTINN2_PATH as ALTINN2_CONSENT_PAGES
from fullmakt.portal.consents import PATH as CONSENT_PAGES
from fullmakt.portal.consents import consent_pages
from fullmakt.portal.requests import PATH as REQUEST_PAGES
from fullmakt.portal.requests import old_request_pages, request_pages
from fullmakt.portal.system_users import PATH as SYSTEM_USER_PAGES
from fullmakt.portal.system_users import system_user_pages
from fullmakt.provider import TokenVerifier, TrustedIssuers, Verifier
from fullmakt.serve.consent_links import link_desk
from fullmakt.serve.consent_pages import consent_desk
from fullmakt.serve.consents import Consents, ConsentsToCome, EnterpriseCertificates, assemble_consents
from fullmakt.serve.neighbours import KnownPackages, ResourcesBySubject
from fullmakt.serve.notifier import HttpNotifier
from fullmakt.serve.picked_people import PickedPeople
from fullmakt.serve.request_pages import RequestDesk
from fullmakt.serve.settings import Settings, SystemName
from fullmakt.serve.system_user_pages import SystemUserDesk
from fullmakt.serve.systemusers import SystemUsers, SystemUsersToCome, assemble_system_users


class Registers:
    """What Altinn keeps: parties, resources, access lists, delegations. They need nobody outside.

    ``deletable`` lets resources be removed, as in test environments.
    """

    def __init__(self, database: Database, clock: Clock, new_id: NewId, *, deletable: bool) -> None:
        self.parties = PartiesService(database, clock, new_id)
        self.resources = ResourcesService(database, clock, subjects=self.parties, deletable=deletable)
        self.access_lists = AccessLists(database, clock, self.parties, self.resources)
        self.delegations = DelegationsService(database, clock, new_id, resources=self.resources, parties=self.parties)
        self.declarations = Declarations(self.delegations, parties=self.parties, resources=self.resources)
        self.system_users = SystemUsersToCome()
        self.consents = ConsentsToCome(database)


@dataclass(frozen=True, slots=True)
class Altinn:
    """Altinn's systems, wired and not yet started."""

    settings: Settings
    clock: Clock
    new_id: NewId
    registers: Registers
    requests: RequestsService
    decisions: DecisionPoint
    journal: DecisionJournal
    system_users: SystemUsers
    consents: Consents
    exchange: ExchangeService
    keys: AltinnKeys
    callers: TokenCallers
    certificates: EnterpriseCertificates
    notifier: HttpNotifier

    async def start(self) -> None:
        """Make what must be there."""
        if self.settings.serves("resourceregistry"):
            await self.registers.resources.ensure_platform_resources()
        if self.settings.serves("accessmanagement") and not self.settings.consents.strict:
            self.consents.sending.start(self.notifier)

    async def stop(self) -> None:
        """Write what waits."""
        await self.consents.sending.stop()
        await self.journal.close()

    def mounts(self) -> Iterator[tuple[SystemName, str, ASGIApp]]:
        """Every system with its public URL and its app."""
        settings = self.settings
        yield "register", settings.parties_url, parties_app(self.registers.parties)
        yield "resourceregistry", settings.resources_url, self._resources_app()
        yield (
            "accessmanagement",
            settings.delegations_url,
            delegations_app(
                self._access_management,
                *request_routes(self.requests, self.callers, self._request_urls),
                *self.consents.routes(self.callers, ConsentUrls(settings.delegations_url, settings.base_url)),
            ),
        )
        if settings.in_development:  # the real service has turned them off
            yield (
                "accessmanagement",
                f"{settings.altinn2_url}/maskinporten-api",
                schemes_app(self._access_management),
            )
        yield "accessmanagement", settings.altinn2_url, self._altinn2_app()
        yield "accessmanagement", f"{settings.base_url}{REQUEST_PAGES}", self._request_pages()
        yield (
            "accessmanagement",
            f"{settings.altinn2_url}/ui/DelegationRequest/send",
            old_request_pages(settings.base_url),
        )
        yield "accessmanagement", f"{settings.base_url}{CONSENT_PAGES}", self._consent_pages()
        yield (
            "accessmanagement",
            f"{settings.altinn2_url}{ALTINN2_CONSENT_PAGES}",
            self._consent_pages(*self._consent_links()),
        )
        yield (
            "accessmanagement",
            f"{settings.delegations_url}/api/v1/meta",
            metadata_app(ResourcesBySubject(self.registers.resources)),
        )
        yield "authorization", settings.decisions_url, self._decisions_app()
        yield "authentication", settings.exchange_url, self._exchange_app()
        yield "authentication", f"{settings.base_url}{SYSTEM_USER_PAGES}", self._system_user_pages()
        if settings.has_test_tokens:
            yield "authentication", settings.test_tools_url, self._test_tools_app()

    def _resources_app(self) -> ASGIApp:
        registers, url = self.registers, self.settings.resources_url
        return resources_app(
            registers.resources,
            self.callers,
            base_url=url,
            further=access_list_routes(
                registers.access_lists, self.callers, base_url=url, platform=self.exchange.platform_tokens
            ),
            handlers=ACCESS_LIST_HANDLERS,
        )

    def _altinn2_app(self) -> ASGIApp:
        requests = altinn2_app(self.requests, self.callers, self._request_urls)
        return self.consents.altinn2_app(
            self.callers,
            self.certificates,
            self.settings.altinn2_url,
            requests,
            soap=self.settings.has_srr_soap,
        )

    def _exchange_app(self) -> ASGIApp:
        settings = self.settings
        urls = SystemUserUrls(api=settings.exchange_url, pages=settings.base_url)
        further = self.system_users.routes(self.callers, self.exchange.platform_tokens, urls)
        return exchange_app(self.exchange, self.callers, further)

    def _decisions_app(self) -> ASGIApp:
        route = authorization_route(self.registers.access_lists, self.exchange.platform_tokens)
        return decisions_app(self.decisions, self.callers, (route,))

    @property
    def _access_management(self) -> AccessManagement:
        registers, owners = self.registers, self.settings.delegations.package_owners
        return AccessManagement(
            service=registers.delegations,
            parties=registers.parties,
            resources=registers.resources,
            authority=self.decisions,
            packages=self.requests.packages,
            callers=self.callers,
            package_owners={OrgNumber(owner): names for owner, names in owners.items()},
        )

    @property
    def system_user_delegations(self) -> SystemUserDelegations:
        """Access management, as the system that keeps system users knows it."""
        return self.system_users.rights

    @property
    def _request_urls(self) -> Urls:
        settings = self.settings
        return Urls(api=settings.delegations_url, pages=settings.base_url, altinn2=settings.altinn2_url)

    def _request_pages(self) -> ASGIApp:
        """Where tokens are to be had for anybody, anybody may be picked; elsewhere login is yet to come."""
        registers = self.registers
        desk = RequestDesk(self.requests, PickedPeople(self.decisions, registers.parties), registers.resources)
        return request_pages(
            desk if self.settings.has_test_tokens else None, self.settings.base_url, new_token=new_token_id
        )

    def _consent_pages(self, *further: Route) -> ASGIApp:
        """As the pages of requests for access."""
        settings, people = self.settings, PickedPeople(self.decisions, self.registers.parties)
        desk = consent_desk(self.consents, people, self.clock) if settings.has_test_tokens else None
        return consent_pages(desk, settings.base_url, new_token_id, further)

    def _consent_links(self) -> list[Route]:
        """Altinn 2's requests of old, among its consent pages."""
        settings, people = self.settings, PickedPeople(self.decisions, self.registers.parties)
        desk = link_desk(self.consents, people) if settings.has_test_tokens else None
        return link_routes(desk, settings.base_url, new_token_id)

    def _system_user_pages(self) -> ASGIApp:
        """As the pages of requests for access."""
        registers = self.registers
        desk = SystemUserDesk(
            self.system_users.service,
            PickedPeople(self.decisions, registers.parties),
            registers.parties,
            registers.resources,
            KnownPackages(published()),
        )
        return system_user_pages(
            desk if self.settings.has_test_tokens else None, self.settings.base_url, new_token=new_token_id
        )

    def _test_tools_app(self) -> ASGIApp:
        return tools_app(self.exchange, self.registers.parties, self.clock, self.new_id)


def assemble_altinn(
    settings: Settings,
    registers: Registers,
    database: Database,
    clock: Clock,
    new_id: NewId,
    master_key: MasterKey,
    verifier: TokenVerifier,
    certificates: Certificates,
    http: httpx2.AsyncClient,
) -> Altinn:
    """Wire Altinn's systems; ``verifier`` is for Maskinporten's tokens, ``certificates`` tells good ones from bad."""
    parties, resources, delegations = registers.parties, registers.resources, registers.delegations
    config = _decisions_config(settings)
    journal = DecisionJournal(database, max_queue=config.max_queue)
    decisions = decision_point(config, registers, database, journal, clock)
    exchange_config = ExchangeConfig(settings.exchange_url, collapse_arrays=settings.exchange.collapse_arrays)
    keys = AltinnKeys(database, master_key, clock, exchange_config.issuer)
    trusted = _trusted(settings, verifier, clock)
    exchange = ExchangeService(exchange_config, database, keys, trusted, parties, resources, clock, new_id)
    packages = KnownPackages(published())
    requests = RequestsService(
        delegations,
        parties=parties,
        resources=resources,
        packages=packages,
        authority=decisions,
    )
    system_users = assemble_system_users(
        database,
        clock,
        new_id,
        parties=parties,
        resources=resources,
        delegations=delegations,
        packages=packages,
        decisions=decisions,
    )
    registers.system_users.are(system_users.service)
    consents = assemble_consents(
        settings.consents,
        database,
        clock,
        new_id,
        parties=parties,
        resources=resources,
        decisions=decisions,
        signer=keys,
    )
    registers.consents.are(consents.service)
    return Altinn(
        settings=settings,
        clock=clock,
        new_id=new_id,
        registers=registers,
        requests=requests,
        decisions=decisions,
        journal=journal,
        system_users=system_users,
        consents=consents,
        certificates=EnterpriseCertificates(certificates, clock),
        notifier=HttpNotifier(http, anywhere=settings.in_development),
        exchange=exchange,
        keys=keys,
        callers=TokenCallers(exchange.tokens, trusted, clock),
    )


def decision_point(
    config: DecisionsConfig, registers: Registers, database: Database, journal: DecisionJournal, clock: Clock
) -> DecisionPoint:
    """The decision point on what ``registers`` keep."""
    return DecisionPoint(
        config,
        parties=registers.parties,
        resources=registers.resources,
        access_lists=registers.access_lists,
        delegations=registers.delegations,
        policy_index=registers.resources.policies,
        feed=lambda: DecisionFeed(database),
        journal=journal,
        clock=clock,
        system_users=registers.system_users,
    )


def _trusted(settings: Settings, verifier: TokenVerifier, clock: Clock) -> Verifier:
    """Whose tokens Altinn takes: those of our Maskinporten, and of another where one is named (§2.1)."""
    other = settings.exchange.alternative_issuer
    return verifier if other is None else TrustedIssuers(verifier, TokenVerifier(other, clock=clock))


def _decisions_config(settings: Settings) -> DecisionsConfig:
    key = settings.decisions.subscription_key
    return DecisionsConfig(
        url=settings.decisions_url,
        subscription_keys=frozenset({key.get_secret_value()}) if key is not None else frozenset(),
        explain=settings.explains_decisions,
        insecure_internal=settings.has_test_tokens,
        strict_targets=settings.decisions.strict_targets,
    )

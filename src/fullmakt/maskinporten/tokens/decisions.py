"""What a grant is answered, on what is remembered of the registry and of Altinn; nothing is written here.

An outcome carries the versions that it was found on. Whoever writes it down does so only if they still hold
(docs/decisions/0002), and after that has failed calls ``catch_up`` and asks anew.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from fullmakt.infra.database import answered_within
from fullmakt.infra.unavailable import NeighbourUnavailableError
from fullmakt.jose.compact import UnverifiedJws
from fullmakt.maskinporten.tokens import rules
from fullmakt.maskinporten.tokens.authentication import Authenticated, authenticate
from fullmakt.maskinporten.tokens.certificates import Certificates
from fullmakt.maskinporten.tokens.config import TokensConfig
from fullmakt.maskinporten.tokens.delegation_cache import DelegationCache
from fullmakt.maskinporten.tokens.model import Enrichment, Refusal, Standing, TokenPlan, UnverifiedGrant, Watched
from fullmakt.maskinporten.tokens.ports import Consents
from fullmakt.maskinporten.tokens.registry_cache import ClientEntry, RegistryCache
from fullmakt.maskinporten.tokens.system_user_cache import SystemUserCache
from fullmakt.wire.altinn.consents import ConsentQuestion, FoundConsent, NoConsent
from fullmakt.wire.altinn.systemusers import SystemUserQuestion
from fullmakt.wire.maskinporten.registry import RegisteredClient

_NOTHING = Enrichment()
_PATIENCE = 5.0
"""Seconds that Altinn has for each answer about a consent."""


class Permit(NamedTuple):
    """A yes: what the client gets for this grant, and what Altinn's answer adds to it."""

    plan: TokenPlan
    grant: UnverifiedGrant
    signed_by: str
    enrichment: Enrichment = _NOTHING


class Outcome(NamedTuple):
    """What was decided on the registry at ``version``, not yet written.

    ``standing`` and ``watched`` are there when it rests on Altinn too. ``claim`` is there once the signature has held:
    from then on the grant is used up, whatever comes of it.
    """

    version: int
    answer: Permit | Refusal
    grant: UnverifiedGrant | None = None
    claim: bytes | None = None
    standing: Standing | None = None
    watched: Watched | None = None


class _Grounds(NamedTuple):
    """What an answer of Altinn's rests on."""

    standing: Standing | None = None
    watched: Watched | None = None


class Decisions:
    """Decides on grants, by the rules in their order.

    ``delegations``, ``system_users`` and ``consents`` are None where there is no Altinn to ask.
    """

    def __init__(
        self,
        config: TokensConfig,
        cache: RegistryCache,
        certificates: Certificates,
        delegations: DelegationCache | None = None,
        system_users: SystemUserCache | None = None,
        consents: Consents | None = None,
    ) -> None:
        self._config = config
        self._cache = cache
        self._certificates = certificates
        self._delegations = delegations
        self._system_users = system_users
        self._consents = consents
        self.details_types = rules.supported_details(
            config, system_users=system_users is not None, consents=consents is not None
        )

    @property
    def version(self) -> int:
        """The version of the registry that is known here."""
        return self._cache.version

    def hear(self, changed: Sequence[str]) -> None:
        """The registry has changed."""
        if self._delegations is not None:
            self._delegations.hear_of_registry(changed)

    async def catch_up(self, outcome: Outcome) -> None:
        """Learn of what has changed since the outcome was found."""
        await self._cache.catch_up()
        if outcome.standing is not None:
            for cache in (self._delegations, self._system_users):
                if cache is not None and cache.standing.topics == outcome.standing.topics:
                    await cache.catch_up()

    async def decide(self, jws: UnverifiedJws, now: datetime) -> Outcome:
        """Steps 3 to 14, in order; the replay, step 9, is the ledger's."""
        version = self._cache.version
        refusal = rules.check_header(jws, self._config)
        if refusal is not None:
            return Outcome(version, refusal)
        grant = rules.read_grant(jws.unverified_payload, self._config)
        if isinstance(grant, Refusal):
            return Outcome(version, grant)
        # The version stays the one from before: the feed may move on between a load and the moment that it wakes us.
        entry = self._cache.get(grant.client_id) or await self._cache.load(grant.client_id)
        if entry is None:
            return Outcome(version, rules.client_not_found(grant), grant)
        refusal = rules.check_client(entry.client, grant) or rules.check_audience(grant, self._config)
        if refusal is not None:
            return Outcome(version, refusal, grant)
        who = await authenticate(jws, entry, self._certificates, now)
        if isinstance(who, Refusal):
            return Outcome(version, who, grant)
        refusal = rules.check_times(grant, now.timestamp(), self._config)
        if refusal is not None:
            return Outcome(version, refusal, grant)
        claim = claim_of(grant, jws)
        refusal = rules.check_claim_syntax(grant, self._config)
        if refusal is not None:
            return Outcome(version, refusal, grant, claim)
        grounds = _Grounds()
        if self._delegations is None or not rules.acts_for_another(entry.client, grant.consumer_org):
            answer = _permit(self._plan(entry, grant, who.amr), grant, who)
        else:
            grounds = _Grounds(self._delegations.standing)
            answer = _permit(await self._plan_for_another(self._delegations, entry, grant, who.amr), grant, who)
        if grant.authorization_details is not None and isinstance(answer, Permit):
            answer, grounds = await self._enrich(answer, grant.authorization_details, entry.client, grounds)
        return Outcome(version, answer, grant, claim, *grounds)

    def _plan(self, entry: ClientEntry, grant: UnverifiedGrant, amr: str) -> TokenPlan | Refusal:
        question = (grant.scope, grant.consumer_org, amr)
        plan = entry.plans.get(question)
        if plan is None:
            plan = rules.plan_token(entry.client, grant, amr, self._config)
            entry.remember(question, plan)
        return plan

    async def _plan_for_another(
        self, delegations: DelegationCache, entry: ClientEntry, grant: UnverifiedGrant, amr: str
    ) -> TokenPlan | Refusal:
        """Steps 11 to 13 for a supplier that asks for a consumer."""
        question = (rules.access_holder(entry.client), grant.consumer_org or "", grant.scopes)
        known = delegations.get(question) or await delegations.load(question)
        if known is None:
            return rules.plan_token(entry.client, grant, amr, self._config)
        plan = known.plans.get((entry, amr))
        if plan is None:
            plan = rules.plan_token(entry.client, grant, amr, self._config, known.acting)
            known.remember((entry, amr), plan)
        return plan

    async def _enrich(
        self, permit: Permit, asked: Sequence[object], client: RegisteredClient, grounds: _Grounds
    ) -> tuple[Permit | Refusal, _Grounds]:
        """Step 14: what Altinn says of the authorization details, and what that rests on."""
        details = rules.read_details(asked, self.details_types)
        if isinstance(details, Refusal):
            return details, grounds
        question = rules.details_question(details, client, permit.grant)
        if isinstance(question, Refusal):
            return question, grounds
        answer: rules.Answer
        if isinstance(question, ConsentQuestion):
            answer, watched = await answered_within(_PATIENCE, self._look_up(question))
            grounds = grounds._replace(watched=watched)
        else:
            answer, standing = await self._ask_of_systems(question)
            grounds = grounds._replace(standing=standing)
        enrichment = rules.enrich(client, question, answer)
        return enrichment if isinstance(enrichment, Refusal) else permit._replace(enrichment=enrichment), grounds

    async def _ask_of_systems(self, question: rules.SystemQuestion) -> tuple[rules.Answer, Standing]:
        altinn = self._system_users
        if altinn is None:  # but then neither type is supported
            raise NeighbourUnavailableError("there is no Altinn to ask")
        if not isinstance(question, SystemUserQuestion):
            return await altinn.virksys(question)
        standing = altinn.standing
        answer = altinn.get(question) or await altinn.load(question)
        if answer is None:
            raise NeighbourUnavailableError("Altinn left a question unanswered")
        return answer, standing

    async def _look_up(self, question: ConsentQuestion) -> tuple[FoundConsent | NoConsent, Watched | None]:
        """A consent is asked for each time, after the version of its feed: it is seldom drawn twice without a change
        of some other, and its time may run out with none."""
        consents = self._consents
        if consents is None:  # but then the type is not supported
            raise NeighbourUnavailableError("there is no Altinn to ask")
        watched = None
        if consents.topic is not None:
            watched = Watched(consents.topic, f"consent:{question.id}", await consents.version())
        return await consents.look_up(question), watched


def _permit(plan: TokenPlan | Refusal, grant: UnverifiedGrant, who: Authenticated) -> Permit | Refusal:
    if isinstance(plan, Refusal):
        return plan
    return rules.check_resource(plan, grant) or Permit(plan, grant, who.signed_by)


def claim_of(grant: UnverifiedGrant, jws: UnverifiedJws) -> bytes:
    """16 bytes that stand for the grant: its client and its ``jti``, or without one what was signed.

    The signature is left out: an ECDSA signature has a twin that verifies as well.
    """
    if grant.jti is not None:
        name = b"jti\0" + grant.jti.encode()
    else:
        name = b"hash\0" + hashlib.sha256(jws.signing_input).digest()
    return hashlib.blake2b(grant.client_id.encode() + b"\0" + name, digest_size=16).digest()

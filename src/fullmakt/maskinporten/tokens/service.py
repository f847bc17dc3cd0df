"""The token endpoint's use case: a grant in, a token or a refusal out, and either one written down before it leaves."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
from collections.abc import Coroutine, Sequence
from datetime import datetime
from typing import Any, TypeVar

import structlog

from fullmakt.infra.audit import clean_facts, clean_text
from fullmakt.infra.group_commit import OverloadedError
from fullmakt.infra.unavailable import UnavailableError
from fullmakt.jose.compact import MalformedJwtError, parse_compact
from fullmakt.kernel.clock import Clock, new_token_id
from fullmakt.maskinporten.tokens import rules
from fullmakt.maskinporten.tokens.certificates import Certificates
from fullmakt.maskinporten.tokens.config import TokensConfig
from fullmakt.maskinporten.tokens.decisions import Decisions, Outcome, Permit
from fullmakt.maskinporten.tokens.delegation_cache import DelegationCache
from fullmakt.maskinporten.tokens.drafts import Draft
from fullmakt.maskinporten.tokens.key_ring import KeyRing
from fullmakt.maskinporten.tokens.ledger import SLICE, Decision, Ledger, Result, Verdict
from fullmakt.maskinporten.tokens.model import IssuedToken, Refusal, UnverifiedGrant
from fullmakt.maskinporten.tokens.ports import Consents
from fullmakt.maskinporten.tokens.registry_cache import RegistryCache
from fullmakt.maskinporten.tokens.signing import CurrentRing, SigningKeys
from fullmakt.maskinporten.tokens.system_user_cache import SystemUserCache

_log = structlog.get_logger("fullmakt.tokens")

_ATTEMPTS = 20
"""How often a request is decided anew because the registry changed meanwhile, before it is told to come back."""
_CLAIM_KEPT = 10
"""Seconds beyond the grant's expiry for which its claim is kept (maskinporten.md §2.3 step 9)."""
_POLL = 1.0
"""Seconds between looks at the feed when no request does it."""

_FORGET_EVERY = 10
"""Looks at the feed between two at the claims that may be forgotten."""

_Answer = TypeVar("_Answer")


class TokenService:
    """Maskinporten's token endpoint.

    All it is given: the registry by way of its cache, the ledger, the signing keys, the certificates, and the clock.
    """

    def __init__(
        self,
        config: TokensConfig,
        cache: RegistryCache,
        ledger: Ledger,
        signing_keys: SigningKeys,
        certificates: Certificates,
        clock: Clock,
        delegations: DelegationCache | None = None,
        system_users: SystemUserCache | None = None,
        consents: Consents | None = None,
    ) -> None:
        self.config = config
        self._cache = cache
        self._decisions = Decisions(config, cache, certificates, delegations, system_users, consents)
        self._ledger = ledger
        self._clock = clock
        self._ring = CurrentRing(signing_keys.ring)
        cache.on_change = self._hear
        self._upkeep: asyncio.Task[None] | None = None

    # -- life ---------------------------------------------------------------------------------------------------------

    async def start(self) -> None:
        """Load the signing keys, meet the feed, and begin the upkeep."""
        await self._cache.catch_up()
        await self._ring.renew()
        self._upkeep = asyncio.create_task(self._keep_up())

    async def stop(self) -> None:
        """End the upkeep and write what waits."""
        if self._upkeep is not None:
            self._upkeep.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._upkeep
        await self._ledger.close()

    @property
    def ready(self) -> bool:
        """True when there are keys to sign with."""
        return self._ring.loaded

    def _hear(self, changed: Sequence[str]) -> None:
        """The registry has changed."""
        self._ring.hear(changed)
        self._decisions.hear(changed)

    async def _keep_up(self) -> None:
        """Each second look at the feed, for a quiet node must publish new keys too; now and then forget old claims."""
        for turn in itertools.count():
            await asyncio.sleep(_POLL)
            try:
                await self._cache.catch_up()
                await self._ring.renew()
                if turn % _FORGET_EVERY == 0:
                    await self._forget_claims()
            except UnavailableError as error:
                _log.warning("upkeep_waits_for_database", cause=_cause_of(error))
            except Exception:  # whatever it was, the next turn must come
                _log.exception("upkeep_failed")

    async def _forget_claims(self) -> None:
        while await self._ledger.forget_expired(int(self._clock().timestamp())) == SLICE:
            pass

    # -- what is published --------------------------------------------------------------------------------------------

    @property
    def ring(self) -> KeyRing:
        """The signing keys.

        Raises:
            UnavailableError: before ``start``.
        """
        return self._ring.ring

    @property
    def details_types(self) -> tuple[str, ...]:
        """The types of ``authorization_details`` that can be asked for."""
        return self._decisions.details_types

    def jwks(self) -> bytes:
        """The public key set, as JSON."""
        return self.ring.jwks(self._clock())

    # -- tokens -------------------------------------------------------------------------------------------------------

    async def issue(self, assertion: str, trace_id: str) -> IssuedToken | Refusal:
        """Answer one grant. The decision is durable, and the grant used up, before this returns."""
        return await self._or_unavailable(self._issue(assertion, trace_id))

    async def refuse(self, refusal: Refusal, trace_id: str) -> Refusal:
        """Write down a refusal that was made before there was a grant to read, and that no registry would change."""
        return await self._or_unavailable(self._refuse(refusal, trace_id))

    async def _or_unavailable(self, answer: Coroutine[Any, Any, _Answer]) -> _Answer | Refusal:
        try:
            return await answer
        except UnavailableError as error:
            _log.warning("dependency_unavailable", error=type(error).__name__, cause=_cause_of(error))
            return Refusal("temporarily_unavailable", {"detail": "A system this server depends on does not answer"})
        except OverloadedError:
            return Refusal("temporarily_unavailable", {"detail": "Too many requests at once"})

    async def _refuse(self, refusal: Refusal, trace_id: str, grant: UnverifiedGrant | None = None) -> Refusal:
        for _ in range(_ATTEMPTS):
            outcome = Outcome(self._cache.version, refusal, grant)
            if await self._write(outcome, "", trace_id, self._clock()) is not Verdict.STALE:
                break
            await self._cache.catch_up()
        return refusal

    async def _issue(self, assertion: str, trace_id: str) -> IssuedToken | Refusal:
        try:
            jws = parse_compact(assertion)
        except MalformedJwtError as error:
            return await self._refuse(rules.malformed("assertion", str(error)), trace_id)
        for _ in range(_ATTEMPTS):
            if self._ring.stale:  # before the registry's version is read, so that the ring is no older than it
                await self._ring.renew()
            now = self._clock()
            outcome = await self._decisions.decide(jws, now)
            token_id = new_token_id()
            answer, alone = outcome.answer, self._ledger.idle
            draft = None if isinstance(answer, Refusal) else self._draft(answer, token_id, now)
            writing = self._write(outcome, token_id, trace_id, now, draft)
            if alone and draft is not None:
                # PostgreSQL commits while we sign, which takes a third off a lone request. In company there is enough
                # to do meanwhile, and a signature in between would hold up the others' statement.
                await asyncio.sleep(0)
                draft.sign()
            verdict = await writing
            if isinstance(answer, Permit) and isinstance(verdict, bytes):
                return IssuedToken(verdict, answer.plan.reply_tail)
            if isinstance(answer, Refusal) and verdict is Verdict.WRITTEN:
                return answer
            if verdict is Verdict.REPLAYED:
                grant = outcome.grant
                return await self._refuse(Refusal("replayed", {"jti": grant.jti if grant else None}), trace_id, grant)
            await self._decisions.catch_up(outcome)
        return Refusal("temporarily_unavailable", {"detail": "The registry is changing too fast"})

    def _draft(self, permit: Permit, token_id: str, now: datetime) -> Draft:
        signer = self.ring.signer_at(now)
        payload = rules.token_payload(permit.plan, permit.grant, token_id, int(now.timestamp()))
        if permit.enrichment.claims:
            payload = payload[:-1] + permit.enrichment.claims + b"}"
        if not rules.is_rfc9068(permit.grant, self.config):
            return Draft(signer, payload)
        header = json.dumps({"kid": signer.kid, "alg": signer.alg, "typ": "at+jwt"}).encode()
        payload = payload[:-1] + b',"sub":' + json.dumps(permit.grant.client_id).encode() + b"}"
        return Draft(signer, payload, header)

    def _write(
        self,
        outcome: Outcome,
        token_id: str,
        trace_id: str,
        now: datetime,
        draft: Draft | None = None,
    ) -> asyncio.Future[Result]:
        grant, answer = outcome.grant, outcome.answer
        if isinstance(answer, Refusal):
            reason, facts = answer.reason, json.dumps(clean_facts(answer.facts))
            actor, subject = (clean_text(grant.client_id), clean_text(grant.scope)) if grant is not None else ("", "")
        else:  # all that a permit names stands in a register: there is nothing to clean, nor to escape
            reason, actor, subject = "", answer.grant.client_id, answer.grant.scope
            acting = f',"supplier":"{answer.plan.supplier}"' if answer.plan.supplier else ""
            facts = (
                f'{{"jti":"{token_id}","signed_by":"{answer.signed_by}","consumer":"{answer.plan.consumer}"{acting}'
                f"{answer.enrichment.facts}}}"
            )
        expires_at = int(grant.expires_at) + _CLAIM_KEPT if grant is not None else 0
        return self._ledger.write(
            Decision(
                outcome.claim,
                expires_at,
                outcome.version,
                reason,
                trace_id,
                actor,
                subject,
                facts,
                now,
                outcome.standing,
                outcome.watched,
                draft,
            )
        )


def _cause_of(error: Exception) -> str:
    """What lies behind an outage, for the log: the first line, which in PostgreSQL's errors holds no values."""
    cause = error.__cause__ or error
    return clean_text(f"{type(cause).__name__}: {cause}".partition("\n")[0])

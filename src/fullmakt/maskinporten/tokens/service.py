"""The token endpoint's use case: a grant in, a token or a refusal out, and either one written down before it leaves."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import itertools
import json
from collections.abc import Callable, Coroutine, Sequence
from datetime import datetime
from functools import cache, partial
from typing import Any, NamedTuple, TypeVar

import structlog

from fullmakt.infra.audit import clean_facts, clean_text
from fullmakt.infra.crl import CrlUnavailableError
from fullmakt.infra.database import DatabaseUnavailableError
from fullmakt.infra.group_commit import OverloadedError
from fullmakt.jose.compact import MalformedJwtError, UnverifiedJws, parse_compact
from fullmakt.kernel.clock import Clock, new_token_id
from fullmakt.maskinporten.tokens import rules
from fullmakt.maskinporten.tokens.certificates import Certificates
from fullmakt.maskinporten.tokens.config import TokensConfig
from fullmakt.maskinporten.tokens.delegation_cache import DelegationCache
from fullmakt.maskinporten.tokens.key_ring import KeyRing
from fullmakt.maskinporten.tokens.ledger import SLICE, Decision, Ledger, Result, Verdict
from fullmakt.maskinporten.tokens.model import IssuedToken, Refusal, TokenPlan, UnverifiedGrant
from fullmakt.maskinporten.tokens.registry_cache import ClientEntry, RegistryCache
from fullmakt.maskinporten.tokens.signing import CurrentRing, SigningKeys
from fullmakt.wire.maskinporten.grant import AMR_CERTIFICATE, AMR_KEY

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


class _Permit(NamedTuple):
    """A yes: what the client gets for this grant."""

    plan: TokenPlan
    grant: UnverifiedGrant
    signed_by: str


class _Authenticated(NamedTuple):
    """Who signed: ``amr`` as in ``client_amr``; ``signed_by`` is the registered ``kid`` or the certificate's serial."""

    amr: str
    signed_by: str


class _Outcome(NamedTuple):
    """What was decided on the registry at ``version``, not yet written.

    ``delegations`` is the version of Altinn's feed, when it rests on that too.
    ``claim`` is there once the signature has held: from then on the grant is used up, whatever comes of it.
    """

    version: int
    answer: _Permit | Refusal
    grant: UnverifiedGrant | None = None
    claim: bytes | None = None
    delegations: int | None = None


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
    ) -> None:
        self.config = config
        self._cache = cache
        self._delegations = delegations
        self._ledger = ledger
        self._certificates = certificates
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
        if self._delegations is not None:
            self._delegations.hear_of_registry(changed)

    async def _keep_up(self) -> None:
        """Each second look at the feed, for a quiet node must publish new keys too; now and then forget old claims."""
        for turn in itertools.count():
            await asyncio.sleep(_POLL)
            try:
                await self._cache.catch_up()
                await self._ring.renew()
                if turn % _FORGET_EVERY == 0:
                    await self._forget_claims()
            except DatabaseUnavailableError as error:
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
            DatabaseUnavailableError: before ``start``.
        """
        return self._ring.ring

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
        except (DatabaseUnavailableError, CrlUnavailableError) as error:
            _log.warning("dependency_unavailable", error=type(error).__name__, cause=_cause_of(error))
            return Refusal("temporarily_unavailable", {"detail": "A system this server depends on does not answer"})
        except OverloadedError:
            return Refusal("temporarily_unavailable", {"detail": "Too many requests at once"})

    async def _refuse(self, refusal: Refusal, trace_id: str, grant: UnverifiedGrant | None = None) -> Refusal:
        for _ in range(_ATTEMPTS):
            outcome = _Outcome(self._cache.version, refusal, grant)
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
            outcome = await self._decide(jws, now)
            token_id = new_token_id()
            answer, alone = outcome.answer, self._ledger.idle
            sign = None if isinstance(answer, Refusal) else cache(partial(self._sign, answer, token_id, now))
            writing = self._write(outcome, token_id, trace_id, now, sign)
            if alone and sign is not None:
                # PostgreSQL commits while we sign, which takes a third off a lone request. In company there is enough
                # to do meanwhile, and a signature in between would hold up the others' statement.
                await asyncio.sleep(0)
                sign()
            verdict = await writing
            if isinstance(answer, _Permit) and isinstance(verdict, bytes):
                return IssuedToken(verdict, answer.plan.reply_tail)
            if isinstance(answer, Refusal) and verdict is Verdict.WRITTEN:
                return answer
            if verdict is Verdict.REPLAYED:
                grant = outcome.grant
                return await self._refuse(Refusal("replayed", {"jti": grant.jti if grant else None}), trace_id, grant)
            await self._catch_up(outcome)
        return Refusal("temporarily_unavailable", {"detail": "The registry is changing too fast"})

    async def _catch_up(self, outcome: _Outcome) -> None:
        """Learn of what has changed since the outcome was found."""
        await self._cache.catch_up()
        if outcome.delegations is not None and self._delegations is not None:
            await self._delegations.catch_up()

    async def _decide(self, jws: UnverifiedJws, now: datetime) -> _Outcome:
        """Steps 3 to 14, in order."""
        version = self._cache.version
        refusal = rules.check_header(jws, self.config)
        if refusal is not None:
            return _Outcome(version, refusal)
        grant = rules.read_grant(jws.unverified_payload, self.config)
        if isinstance(grant, Refusal):
            return _Outcome(version, grant)
        # The version stays the one from before: the feed may move on between a load and the moment that it wakes us.
        entry = self._cache.get(grant.client_id) or await self._cache.load(grant.client_id)
        if entry is None:
            return _Outcome(version, rules.client_not_found(grant), grant)
        refusal = rules.check_client(entry.client, grant) or rules.check_audience(grant, self.config)
        if refusal is not None:
            return _Outcome(version, refusal, grant)
        who = await self._authenticate(jws, entry, now)
        if isinstance(who, Refusal):
            return _Outcome(version, who, grant)
        refusal = rules.check_times(grant, now.timestamp(), self.config)
        if refusal is not None:
            return _Outcome(version, refusal, grant)
        claim = _claim(grant, jws)
        refusal = rules.check_claim_syntax(grant, self.config)
        if refusal is not None:
            return _Outcome(version, refusal, grant, claim)
        if self._delegations is None or not rules.acts_for_another(entry.client, grant.consumer_org):
            return _Outcome(version, self._permit(self._plan(entry, grant, who.amr), grant, who), grant, claim)
        delegations = self._delegations.version
        plan = await self._plan_for_another(self._delegations, entry, grant, who.amr)
        return _Outcome(version, self._permit(plan, grant, who), grant, claim, delegations)

    def _permit(self, plan: TokenPlan | Refusal, grant: UnverifiedGrant, who: _Authenticated) -> _Permit | Refusal:
        """Step 14, and the rest of what the plan does not hold; step 9, the replay, is the ledger's."""
        if isinstance(plan, Refusal):
            return plan
        refusal = rules.check_resource(plan, grant) or rules.check_authorization_details(grant)
        return refusal or _Permit(plan, grant, who.signed_by)

    async def _authenticate(self, jws: UnverifiedJws, entry: ClientEntry, now: datetime) -> _Authenticated | Refusal:
        """Step 7: the signature, by a registered key or an enterprise certificate."""
        header = jws.unverified_header
        key = rules.choose_key(entry.client, entry.keys, header, now.timestamp())
        if isinstance(key, Refusal):
            return key
        if key is not None:
            if not entry.public_key(key).verify(header["alg"], jws.signing_input, jws.signature):
                return Refusal("invalid_signature", {"kid": key.kid, "alg": header["alg"]})
            if key.certificate is not None:
                refusal = await self._certificates.check_registered(key, now)
                if refusal is not None:
                    return refusal
            return _Authenticated(AMR_KEY, key.kid)
        trusted = await self._certificates.check(header["x5c"], now)
        if isinstance(trusted, Refusal):
            return trusted
        certificate = trusted.certificate
        if not certificate.public_key.verify(header["alg"], jws.signing_input, jws.signature):
            return Refusal("invalid_signature", {"certificate": certificate.orgno, "alg": header["alg"]})
        self._certificates.remember(trusted)
        return rules.check_certificate_owner(entry.client, certificate.orgno) or _Authenticated(
            AMR_CERTIFICATE, f"{certificate.leaf.serial_number:x}"
        )

    def _plan(self, entry: ClientEntry, grant: UnverifiedGrant, amr: str) -> TokenPlan | Refusal:
        question = (grant.scope, grant.consumer_org, amr)
        plan = entry.plans.get(question)
        if plan is None:
            plan = rules.plan_token(entry.client, grant, amr, self.config)
            entry.remember(question, plan)
        return plan

    async def _plan_for_another(
        self, delegations: DelegationCache, entry: ClientEntry, grant: UnverifiedGrant, amr: str
    ) -> TokenPlan | Refusal:
        """Steps 11 to 13 for a supplier that asks for a consumer."""
        question = (rules.access_holder(entry.client), grant.consumer_org or "", grant.scopes)
        known = delegations.get(question) or await delegations.load(question)
        if known is None:
            return rules.plan_token(entry.client, grant, amr, self.config)
        plan = known.plans.get((entry, amr))
        if plan is None:
            plan = rules.plan_token(entry.client, grant, amr, self.config, known.acting)
            known.remember((entry, amr), plan)
        return plan

    def _sign(self, permit: _Permit, token_id: str, now: datetime) -> bytes:
        signer = self.ring.signer_at(now)
        payload = rules.token_payload(permit.plan, permit.grant, token_id, int(now.timestamp()))
        if not rules.is_rfc9068(permit.grant, self.config):
            return signer.sign(payload)
        header = json.dumps({"kid": signer.kid, "alg": signer.alg, "typ": "at+jwt"}).encode()
        payload = payload[:-1] + b',"sub":' + json.dumps(permit.grant.client_id).encode() + b"}"
        return signer.sign(payload, header)

    def _write(
        self,
        outcome: _Outcome,
        token_id: str,
        trace_id: str,
        now: datetime,
        sign: Callable[[], bytes] | None = None,
    ) -> asyncio.Future[Result]:
        grant, answer = outcome.grant, outcome.answer
        if isinstance(answer, Refusal):
            reason, facts = answer.reason, json.dumps(clean_facts(answer.facts))
            actor, subject = (clean_text(grant.client_id), clean_text(grant.scope)) if grant is not None else ("", "")
        else:  # all that a permit names stands in the registry: there is nothing to clean, nor to escape
            reason, actor, subject = "", answer.grant.client_id, answer.grant.scope
            acting = f',"supplier":"{answer.plan.supplier}"' if answer.plan.supplier else ""
            facts = (
                f'{{"jti":"{token_id}","signed_by":"{answer.signed_by}","consumer":"{answer.plan.consumer}"{acting}}}'
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
                outcome.delegations,
                sign,
            )
        )


def _cause_of(error: Exception) -> str:
    """What lies behind an outage, for the log: the first line, which in PostgreSQL's errors holds no values."""
    cause = error.__cause__ or error
    return clean_text(f"{type(cause).__name__}: {cause}".partition("\n")[0])


def _claim(grant: UnverifiedGrant, jws: UnverifiedJws) -> bytes:
    """16 bytes that stand for the grant: its client and its ``jti``, or without one what was signed.

    The signature is left out: an ECDSA signature has a twin that verifies as well.
    """
    if grant.jti is not None:
        name = b"jti\0" + grant.jti.encode()
    else:
        name = b"hash\0" + hashlib.sha256(jws.signing_input).digest()
    return hashlib.blake2b(grant.client_id.encode() + b"\0" + name, digest_size=16).digest()

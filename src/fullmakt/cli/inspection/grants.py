"""A grant before it is sent, or after it was refused: by the token endpoint's own rules, in its order."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from cryptography import x509

from fullmakt.cli.inspection.certificates import certificate_report, judge_chain, public_key_of
from fullmakt.cli.inspection.details import judge_details
from fullmakt.cli.inspection.faults import every_fault
from fullmakt.cli.inspection.masking import masked
from fullmakt.cli.inspection.report import Finding, Outcome, Report, passed, refused, unchecked
from fullmakt.cli.inspection.surroundings import NO_WORLD, Surroundings
from fullmakt.jose.chains import CertificateRejectedError, MalformedX5cError, parse_x5c
from fullmakt.jose.compact import UnverifiedJws
from fullmakt.jose.keys import PublicKey
from fullmakt.maskinporten.tokens import rules
from fullmakt.maskinporten.tokens.config import TokensConfig
from fullmakt.maskinporten.tokens.delegation_cache import look_up
from fullmakt.maskinporten.tokens.model import ActingFor, Refusal, TokenPlan, UnverifiedGrant
from fullmakt.wire.maskinporten.grant import AMR_CERTIFICATE, AMR_KEY, KNOWN_CLAIMS, MAX_GRANT_LIFETIME
from fullmakt.wire.maskinporten.registry import RegisteredClient

_ONCE = "A grant is good once: whether this one has been used is not looked up."
_FIRST = "Of several reasons the token server names the first."


async def inspect_grant(jws: UnverifiedJws, around: Surroundings) -> Report:
    """Judge a grant; ``around.now`` is when it would arrive."""
    header_findings, alg_is_good = _judge_header(jws, around.config)
    claim_findings, grant, told = _judge_claims(jws.unverified_payload, around)
    findings = [*header_findings, *claim_findings]
    parts: list[Report] = []
    if grant is not None:
        client, client_findings = await _judge_client(grant, told, around)
        findings += client_findings
        findings += _judge_audience(grant, told, around)
        signature = _Signature(jws, client, around, parts)
        findings += await signature.judge(alg_is_good=alg_is_good)
        findings += _judge_times(grant, told, around)
        findings += _judge_syntax(grant, around.config)
        findings += await _judge_scopes(grant, client, told, around)
        findings += await judge_details(grant, client, around)
    return Report(
        "grant",
        "JWT grant (an assertion for the token endpoint)",
        {"header": masked(jws.unverified_header), "claims": masked(jws.unverified_payload)},
        tuple(findings),
        (_FIRST,) if sum(finding.outcome is Outcome.FAILED for finding in findings) > 1 else (_ONCE,),
        tuple(parts),
    )


def _kind_of(refusal: Refusal) -> tuple[str, object]:
    return refusal.reason, refusal.facts.get("where")


# -- header and claims --------------------------------------------------------------------------------------------


def _judge_header(jws: UnverifiedJws, config: TokensConfig) -> tuple[list[Finding], bool]:
    """The faults of the header, and whether its ``alg`` is none of them."""
    faults = every_fault(
        jws,
        lambda each: rules.check_header(each, config),
        [
            lambda each: each._replace(unverified_header={**each.unverified_header, "alg": "RS256"}),
            lambda each: each._replace(unverified_header=_without(each.unverified_header, "crit")),
        ],
        same=_kind_of,
    ).found
    findings = [refused("header", fault) for fault in faults]
    return findings, all(fault.reason != "invalid_signature" for fault in faults)


def _without(members: Mapping[str, Any], name: str) -> dict[str, Any]:
    return {each: value for each, value in members.items() if each != name}


def _judge_claims(
    claims: Mapping[str, Any], around: Surroundings
) -> tuple[list[Finding], UnverifiedGrant | None, frozenset[str]]:
    """The faults of the claims, a grant of those that have none, and the names of what it says itself."""
    now = int(around.now.timestamp())
    # In place of claims that are missing or wrong, so that the rest can be judged; what depends on them is not.
    stand_ins = {"aud": around.config.issuer, "iss": "-", "scope": "-", "iat": now, "exp": now + MAX_GRANT_LIFETIME}

    def mend(name: str) -> Callable[[Mapping[str, Any]], Mapping[str, Any]]:
        if name in stand_ins:
            return lambda each: {**each, name: stand_ins[name]}
        return lambda each: _without(each, name)

    def check(each: Mapping[str, Any]) -> Refusal | None:
        grant = rules.read_grant(each, around.config)
        return grant if isinstance(grant, Refusal) else None

    names = sorted(claims.keys() - KNOWN_CLAIMS) + sorted(KNOWN_CLAIMS)
    faults = every_fault(claims, check, [mend(name) for name in names], same=_kind_of)
    findings = [refused("claims", fault) for fault in faults.found]
    mended = faults.mended
    grant = rules.read_grant(mended, around.config) if mended is not None else None
    if mended is None or not isinstance(grant, UnverifiedGrant):
        return [*findings, unchecked("claims", "what comes after that can not be checked")], None, frozenset()
    if not findings:
        findings.append(passed("claims", "all that are required are there, and each is of its type"))
    told = frozenset(name for name, value in mended.items() if name in claims and claims[name] == value)
    return findings, grant, told


def _judge_audience(grant: UnverifiedGrant, told: frozenset[str], around: Surroundings) -> list[Finding]:
    if "aud" not in told:
        return []
    if around.world is None:
        return [unchecked("audience", f"whether `aud` is the issuer: {NO_WORLD}")]
    refusal = rules.check_audience(grant, around.config)
    return [refused("audience", refusal) if refusal else passed("audience", f"`aud` is {around.config.issuer}")]


# -- client -------------------------------------------------------------------------------------------------------


async def _judge_client(
    grant: UnverifiedGrant, told: frozenset[str], around: Surroundings
) -> tuple[RegisteredClient | None, list[Finding]]:
    if "iss" not in told:
        return None, []
    if around.world is None:
        return None, [unchecked("client", f"whether there is a client `{grant.client_id}`: {NO_WORLD}")]
    found = await around.world.registry.clients([grant.client_id])
    client = found.get(grant.client_id)
    if client is None:
        return None, [refused("client", rules.client_not_found(grant))]
    refusal = rules.check_client(client, grant)
    if refusal is not None:
        return client, [refused("client", refusal)]
    return client, [passed("client", f"`{client.client_id}` is a client of organisation {client.client_orgno}")]


# -- key and signature --------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Signature:
    """Who signed. ``parts`` takes the reports of the certificates on the way."""

    jws: UnverifiedJws
    client: RegisteredClient | None
    around: Surroundings
    parts: list[Report]

    async def judge(self, *, alg_is_good: bool) -> list[Finding]:
        """By a registered key, or by an enterprise certificate."""
        header = self.jws.unverified_header
        if self.client is None:
            return await self._judge_unknown()
        if not alg_is_good:
            return [unchecked("signature", "not with such an `alg`")]
        keys = {key.kid: key for key in self.client.keys}
        faults = every_fault(
            self.around.now.timestamp(),
            lambda now: _refusal(rules.choose_key(self.client, keys, header, now)) if self.client else None,
            [lambda _: float("-inf")],  # before any key had expired
            same=_kind_of,
        )
        findings = [refused("key", fault) for fault in faults.found]
        if faults.mended is None:
            return findings
        key = rules.choose_key(self.client, keys, header, faults.mended)
        if key is None:
            return [*findings, *await self._judge_x5c(self.client)]
        if isinstance(key, Refusal):
            return findings
        if not findings:
            findings.append(passed("key", f"`{key.kid}` is registered on the client"))
        if key.certificate is not None:
            chain = parse_x5c(list(key.x5c)) if key.x5c else (x509.load_der_x509_certificate(key.certificate),)
            self.parts.append(certificate_report(chain[0]))
            findings += await judge_chain(chain, self.around)
        return [*findings, self._verify(PublicKey.from_der(key.der, key.alg), {"kid": key.kid})]

    async def _judge_unknown(self) -> list[Finding]:
        """Without its client, no key can be looked up; a certificate that the grant brings along can be looked at."""
        if "x5c" not in self.jws.unverified_header:
            return [unchecked("signature", "the client's keys are not known")]
        return await self._judge_x5c(None)

    async def _judge_x5c(self, client: RegisteredClient | None) -> list[Finding]:
        try:
            chain = parse_x5c(self.jws.unverified_header["x5c"])
        except MalformedX5cError as error:
            return [refused("certificate", Refusal("invalid_x5c", {"problem": str(error)}))]
        except CertificateRejectedError as error:
            refusal = Refusal("invalid_certificate", {"problem": error.reason, "detail": str(error)})
            return [refused("certificate", refusal)]
        self.parts.extend(map(certificate_report, chain))
        findings = await judge_chain(chain, self.around, client)
        key = public_key_of(chain[0])
        return findings if key is None else [*findings, self._verify(key, {})]

    def _verify(self, key: PublicKey, facts: Mapping[str, object]) -> Finding:
        alg = self.jws.unverified_header.get("alg")
        if isinstance(alg, str) and key.verify(alg, self.jws.signing_input, self.jws.signature):
            return passed("signature", "was made by that key")
        return refused("signature", Refusal("invalid_signature", {**facts, "alg": alg}))


def _refusal(answer: object) -> Refusal | None:
    return answer if isinstance(answer, Refusal) else None


# -- time and the other claims ------------------------------------------------------------------------------------


def _judge_times(grant: UnverifiedGrant, told: frozenset[str], around: Surroundings) -> list[Finding]:
    if not {"iat", "exp"} <= told:
        return []
    now = around.now.timestamp()

    def sent_now(each: UnverifiedGrant) -> UnverifiedGrant:
        return each._replace(issued_at=now, expires_at=each.expires_at + now - each.issued_at)

    faults = every_fault(
        grant,
        lambda each: rules.check_times(each, now, around.config),
        [
            lambda each: each._replace(not_before=None),
            sent_now,
            lambda each: each._replace(expires_at=each.issued_at + MAX_GRANT_LIFETIME),
        ],
        same=_kind_of,
    ).found
    if faults:
        facts = {"iat": grant.issued_at, "exp": grant.expires_at, "now": round(now, 3)}
        return [replace(refused("time", fault), facts=facts) for fault in faults]
    return [passed("time", f"is good for {grant.expires_at - now:.0f} seconds more")]


def _judge_syntax(grant: UnverifiedGrant, config: TokensConfig) -> list[Finding]:
    faults = every_fault(
        grant,
        lambda each: rules.check_claim_syntax(each, config),
        [
            lambda each: each._replace(iss_onbehalfof=None),
            lambda each: each._replace(consumer_org=None),
            lambda each: each._replace(authorization_details=None),
            lambda each: each._replace(pid=None),
            lambda each: each._replace(resource=()),
        ],
        same=_kind_of,
    ).found
    return [refused("claims", fault) for fault in faults]


# -- what is asked for --------------------------------------------------------------------------------------------


async def _judge_scopes(
    grant: UnverifiedGrant, client: RegisteredClient | None, told: frozenset[str], around: Surroundings
) -> list[Finding]:
    if "scope" not in told:
        return []
    if client is None:
        return [unchecked("scope", "what the client may have is not known")]
    acting = await _acting_for(client, grant, grant.scopes, around)
    plan = rules.plan_token(client, grant, AMR_KEY if client.keys else AMR_CERTIFICATE, around.config, acting)
    if isinstance(plan, TokenPlan):
        refusal = rules.check_resource(plan, grant)
        if refusal is not None:
            return [refused("resource", refusal)]
        text = f"the token would be for organisation {plan.consumer} and live {plan.lifetime} seconds"
        return [passed("scope", f"every scope may be had: {text}")]
    findings = [finding for name in grant.scopes for finding in _judge_scope(grant, client, name, acting)]
    # The token server looks at all scopes for one fault before it looks for the next: its own comes first.
    return sorted(findings, key=lambda finding: finding.reason != plan.reason) or [refused("scope", plan)]


async def _acting_for(
    client: RegisteredClient, grant: UnverifiedGrant, scopes: tuple[str, ...], around: Surroundings
) -> ActingFor | None:
    """What stands behind a grant for another organisation; None for one's own, and where nobody can tell."""
    consumer, world = grant.consumer_org, around.world
    if consumer is None or not rules.acts_for_another(client, consumer) or world is None or world.delegations is None:
        return None
    question = (rules.access_holder(client), consumer, scopes)
    return (await look_up(world.registry, world.delegations, [question]))[question]


def _judge_scope(
    grant: UnverifiedGrant, client: RegisteredClient, name: str, acting: ActingFor | None
) -> list[Finding]:
    """The faults of one scope, as if it were asked for alone."""
    scopes = rules.check_scopes(client, (name,))
    if isinstance(scopes, Refusal):
        return [refused("scope", scopes)]
    faults = [
        rules.check_consumer_org(client, scopes, grant.consumer_org),
        rules.check_access(client, scopes, acting),
        rules.check_delegation(scopes, acting) if acting is not None else None,
    ]
    return [refused("scope", fault) for fault in faults if fault is not None]

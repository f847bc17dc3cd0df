"""What a grant asks for in ``authorization_details``, by the token endpoint's rules; and what a token says there."""

from __future__ import annotations

from collections.abc import Sequence

from fullmakt.cli.inspection.report import Finding, Outcome, passed, refused, unchecked
from fullmakt.cli.inspection.surroundings import NO_WORLD, Known, Surroundings
from fullmakt.maskinporten.tokens import rules
from fullmakt.maskinporten.tokens.model import ConsentAsked, Refusal, UnverifiedGrant
from fullmakt.provider import Consent, NoConsentError, consent_of
from fullmakt.provider.verified_token import VerifiedToken
from fullmakt.wire.altinn.consents import CONSENT_TYPE, ConsentQuestion, FoundConsent
from fullmakt.wire.altinn.systemusers import SystemUserRecord, VirksysAnswer, VirksysQuestion
from fullmakt.wire.altinn.token_details import ENTERPRISE_TYPE, SYSTEM_USER_TYPE
from fullmakt.wire.maskinporten.registry import RegisteredClient

_CHECK = "authorization_details"
_ALL = (SYSTEM_USER_TYPE, CONSENT_TYPE, ENTERPRISE_TYPE)


async def judge_details(grant: UnverifiedGrant, client: RegisteredClient | None, around: Surroundings) -> list[Finding]:
    """The findings on a grant's authorization details; none when it has none."""
    if grant.authorization_details is None:
        return []
    world = around.world
    supported: tuple[str, ...] = _ALL
    if world is not None:
        supported = rules.supported_details(
            world.config, system_users=world.system_users is not None, consents=world.consents is not None
        )
    details = rules.read_details(grant.authorization_details, supported)
    if isinstance(details, Refusal):
        return [refused(_CHECK, details)]
    if world is None:
        return [unchecked(_CHECK, f"whether Altinn has such a {_noun(details)}: {NO_WORLD}")]
    if client is None:
        return [unchecked(_CHECK, "whose token it would be is not known")]
    question = rules.details_question(details, client, grant)
    if isinstance(question, Refusal):
        return [refused(_CHECK, question)]
    answer = await _ask(world, question)
    if answer is None:
        return [unchecked(_CHECK, "there is no Altinn here to ask")]
    enrichment = rules.enrich(client, question, answer)
    if isinstance(enrichment, Refusal):
        return [refused(_CHECK, enrichment)]
    return [passed(_CHECK, _said(answer))]


def _noun(details: rules.Details) -> str:
    return "consent" if isinstance(details, ConsentAsked) else "system user"


async def _ask(world: Known, question: rules.Question) -> rules.Answer | None:
    if isinstance(question, ConsentQuestion):
        return None if world.consents is None else await world.consents.look_up(question)
    if world.system_users is None:
        return None
    if isinstance(question, VirksysQuestion):
        return await world.system_users.virksys(question)
    found = (await world.system_users.system_users([question])).get(question)
    return found or await world.system_users.why_none(question)


def _said(answer: rules.Answer) -> str:
    match answer:
        case SystemUserRecord():
            return (
                f"the token would be for system user {answer.id} of organisation {answer.owner}, in {answer.system_id}"
            )
        case VirksysAnswer():
            return f"the token would say that {_rights(answer.part, answer.hjelper, answer.rettigheit)}"
        case FoundConsent():
            return f"the token would carry {_consent(answer)}"
        case _:  # refusals, of which the rules have said
            return "Altinn knows of none"


def say_details(token: VerifiedToken) -> list[Finding]:
    """Whom an access token lets a system act for, and which consent it carries."""
    said = []
    if token.system_user is not None:
        user = token.system_user
        owner = f" of organisation {user.organisation}" if user.organisation else ""
        system = f" in system {user.system_id}" if user.system_id else ""
        said.append(f"is for system user {user.id}{owner}{system}; what it may do, the API asks Altinn")
    if token.enterprise is not None:
        rights = token.enterprise
        said.append(f"says that {_rights(rights.part, rights.hjelper, sorted(rights.rettigheit))}")
    findings = [passed(_CHECK, text) for text in said]
    try:
        consent = consent_of(token)
    except NoConsentError as error:
        return [*findings, Finding(_CHECK, Outcome.FAILED, error.description, reason=error.cause)]
    return findings if consent is None else [*findings, passed(_CHECK, f"carries {_consent(consent)}")]


def _rights(part: str, helper: str | None, rights: Sequence[str]) -> str:
    through = f" through {helper}" if helper else ""
    return f"the system acts for {part}{through} with the rights {', '.join(rights) or '(none)'}"


def _consent(consent: FoundConsent | Consent) -> str:
    """Without the giver, who may be a person."""
    resources = ", ".join(sorted({right.resource for right in consent.rights}))
    until = consent.valid_to.isoformat(timespec="seconds")
    return f"consent {consent.id} to {resources}, given to organisation {consent.receiver} and good until {until}"

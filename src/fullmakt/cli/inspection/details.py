"""What a grant asks for in ``authorization_details``, by the token endpoint's rules; and what a token says there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fullmakt.cli.inspection.report import Finding, passed, refused, unchecked
from fullmakt.cli.inspection.surroundings import NO_WORLD, Known, Surroundings
from fullmakt.maskinporten.tokens import rules
from fullmakt.maskinporten.tokens.model import Refusal, UnverifiedGrant
from fullmakt.wire.altinn.systemusers import (
    NoSystemUser,
    SystemUserQuestion,
    SystemUserRecord,
    VirksysAnswer,
    VirksysQuestion,
)
from fullmakt.wire.maskinporten.grant import SYSTEM_USER_DETAILS, VIRKSYS_DETAILS
from fullmakt.wire.maskinporten.registry import RegisteredClient

_CHECK = "authorization_details"
_ALL = (SYSTEM_USER_DETAILS, VIRKSYS_DETAILS)


async def judge_details(grant: UnverifiedGrant, client: RegisteredClient | None, around: Surroundings) -> list[Finding]:
    """The findings on a grant's authorization details; none when it has none."""
    if grant.authorization_details is None:
        return []
    world = around.world
    supported = _ALL if world is None else rules.supported_details(world.config, altinn=world.system_users is not None)
    details = rules.read_details(grant.authorization_details, supported)
    if isinstance(details, Refusal):
        return [refused(_CHECK, details)]
    if world is None:
        return [unchecked(_CHECK, f"whether Altinn has such a system user: {NO_WORLD}")]
    if client is None:
        return [unchecked(_CHECK, "whose system it would be is not known")]
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


async def _ask(
    world: Known, question: SystemUserQuestion | VirksysQuestion
) -> SystemUserRecord | VirksysAnswer | NoSystemUser | None:
    if world.system_users is None:
        return None
    if isinstance(question, VirksysQuestion):
        return await world.system_users.virksys(question)
    return (await world.system_users.system_users([question])).get(question)


def _said(answer: SystemUserRecord | VirksysAnswer | NoSystemUser) -> str:
    match answer:
        case SystemUserRecord():
            return (
                f"the token would be for system user {answer.id} of organisation {answer.owner}, in {answer.system_id}"
            )
        case VirksysAnswer():
            return f"the token would say that {_rights(answer.document())}"
        case NoSystemUser():
            return answer.cause.value


def say_details(details: Mapping[str, Any]) -> str | None:
    """What an access token's element says, in words; None for a type or a shape that is not known here."""
    try:
        if details.get("type") == SYSTEM_USER_DETAILS:
            return (
                f"is for system user {', '.join(details['systemuser_id'])} of {details['systemuser_org']['ID']}, "
                f"in system {details['system_id']}; what it may do the API asks Altinn"
            )
        if details.get("type") == VIRKSYS_DETAILS:
            return f"says that {_rights(details)}"
    except (KeyError, TypeError):
        return None
    return None


def _rights(element: Mapping[str, Any]) -> str:
    helper = f" through {element['hjelper']}" if element.get("hjelper") else ""
    return f"the system acts for {element['part']}{helper} with the rights {', '.join(element['rettigheit'])}"

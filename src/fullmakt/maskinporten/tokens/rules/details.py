"""Step 14: rich authorization requests. What a grant may ask for, what is asked of Altinn, and what the token says.

Source: maskinporten.md §5; consent.md §4.9, §4.10; RFC 9396.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any
from uuid import UUID

from fullmakt.kernel.identifiers import InvalidIdentifierError, Iso6523, NationalId, OrgNumber
from fullmakt.maskinporten.tokens.config import TokensConfig
from fullmakt.maskinporten.tokens.model import (
    ConsentAsked,
    Enrichment,
    Refusal,
    SystemUserAsked,
    UnverifiedGrant,
    VirksysAsked,
)
from fullmakt.maskinporten.tokens.rules.grant import malformed
from fullmakt.wire.altinn.attributes import ORGANISATION, PERSON
from fullmakt.wire.altinn.consents import CONSENT_TYPE, ConsentQuestion, FoundConsent, NoConsent
from fullmakt.wire.altinn.systemusers import (
    Cause,
    NoSystemUser,
    SystemUserQuestion,
    SystemUserRecord,
    VirksysAnswer,
    VirksysQuestion,
)
from fullmakt.wire.altinn.token_details import ENTERPRISE_TYPE, SYSTEM_USER_TYPE
from fullmakt.wire.maskinporten.errors import CONSENT_REASONS
from fullmakt.wire.maskinporten.grant import VIRKSYS_CLIENT
from fullmakt.wire.maskinporten.registry import RegisteredClient

Details = SystemUserAsked | VirksysAsked | ConsentAsked
SystemQuestion = SystemUserQuestion | VirksysQuestion
Question = SystemQuestion | ConsentQuestion
Answer = SystemUserRecord | VirksysAnswer | NoSystemUser | FoundConsent | NoConsent

_MEMBERS = {
    SYSTEM_USER_TYPE: frozenset({"type", "systemuser_org", "externalRef"}),
    ENTERPRISE_TYPE: frozenset({"type", "part", "hjelper", "rettigheit"}),
    CONSENT_TYPE: frozenset({"type", "id", "from"}),
}
_MEMBERS_OF_ORG = frozenset({"authority", "ID"})
_ORGANISATION = re.compile(r"0192:([0-9]{9})", re.ASCII)
_CONSENT_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII | re.IGNORECASE)
_IDENTIFIER = re.compile(r"[!-~æøåÆØÅ]{1,200}")
_MAX_RETTIGHEIT = 100
_MAX_NAMED = 5
_MAX_EXTERNAL_REF = 255
_OF_RIGHTS = frozenset(
    {
        Cause.SCOPE_WITHOUT_RESOURCE,
        Cause.NOTHING_PERMITTED,
        Cause.RIGHT_MISSING,
        Cause.NOBODY_ACTS,
        Cause.OTHER_HELPER,
    }
)
"""Causes that can not be why there is no system user, whatever an Altinn elsewhere says."""
_NOT_IN_DESCRIPTION = re.compile(r"[^ !#-\[\]-~]|[0-9]{11}")
"""What RFC 6749 §5.2 keeps out of ``error_description``, and what could be a person's number."""


def supported_details(config: TokensConfig, *, system_users: bool, consents: bool = False) -> tuple[str, ...]:
    """The types that can be asked for: those that there is an Altinn to ask about, and that are on."""
    types = (
        (SYSTEM_USER_TYPE, system_users),
        (CONSENT_TYPE, consents),
        (ENTERPRISE_TYPE, system_users and config.virksys),
    )
    return tuple(kind for kind, there in types if there)


# -- what the grant asks for --------------------------------------------------------------------------------------


def read_details(details: Sequence[Any], supported: Collection[str]) -> Details | Refusal:
    """What the one object in ``authorization_details`` asks for: MP-301, then MP-302, then MP-303."""
    if len(details) != 1 or not isinstance(details[0], dict):
        return malformed("authorization_details", "must hold exactly one object")
    element: dict[str, Any] = details[0]
    kind = element.get("type")
    if not isinstance(kind, str) or kind not in supported:
        problem = "there is no type" if kind is None else f"{_shown(kind)} is not supported"
        return _unknown_type(f"{problem}; supported: {', '.join(supported) or 'none'}", supported)
    refusal = _unknown_members(element, _MEMBERS[kind])
    if refusal is not None:
        return refusal
    return _READERS[kind](element)


def _unknown_type(detail: str, supported: Collection[str]) -> Refusal:
    return Refusal("unknown_authorization_details_type", {"detail": detail, "supported": list(supported)})


def _unknown_members(element: Mapping[str, Any], known: Collection[str], place: str = "") -> Refusal | None:
    unknown = sorted(element.keys() - known)
    if not unknown:
        return None
    meant = {_folded(name): name for name in known}
    named = [
        f"{place}{_shown(name)}" + (f" (is it {place}{meant[_folded(name)]}?)" if _folded(name) in meant else "")
        for name in unknown[:5]
    ]
    more = f" and {len(unknown) - 5} more" if len(unknown) > 5 else ""
    return Refusal("unknown_authorization_details_field", {"detail": f"{', '.join(named)}{more}"})


def _folded(name: str) -> str:
    """Names that differ in case and underscores alone: drafts spelled them ``systemuserorg``, ``systemUserOrg``."""
    return name.replace("_", "").lower()


def _shown(value: object) -> str:
    """What was sent, as far as it may stand in ``error_description``."""
    text = value if isinstance(value, str) else json.dumps(value)
    return _NOT_IN_DESCRIPTION.sub("?", text)[:60]


def _bad_value(member: str, problem: str) -> Refusal:
    return Refusal("invalid_authorization_details", {"detail": f"{member}: {problem}", "member": member})


def _read_system_user(element: Mapping[str, Any]) -> SystemUserAsked | Refusal:
    organisation = element.get("systemuser_org")
    if not isinstance(organisation, dict):
        problem = "missing" if organisation is None else "must be an object with authority and ID"
        return _bad_value("systemuser_org", problem)
    refusal = _unknown_members(organisation, _MEMBERS_OF_ORG, "systemuser_org.")
    if refusal is not None:
        return refusal
    if organisation.get("authority") != Iso6523.AUTHORITY:
        return _bad_value("systemuser_org.authority", f"must be {Iso6523.AUTHORITY}")
    owner = _orgno(organisation.get("ID"))
    if owner is None:
        return _bad_value("systemuser_org.ID", "must be 0192: and nine digits")
    reference = element.get("externalRef")
    if reference is None:
        return SystemUserAsked(owner)
    if not isinstance(reference, str) or len(reference) > _MAX_EXTERNAL_REF or not reference.isprintable():
        return _bad_value("externalRef", f"must be a text of at most {_MAX_EXTERNAL_REF} characters, on one line")
    return SystemUserAsked(owner, reference or None)  # Altinn reads an empty one as none


def _read_virksys(element: Mapping[str, Any]) -> VirksysAsked | Refusal:
    part, helper, rights = (element.get(name) for name in ("part", "hjelper", "rettigheit"))
    if part is None:
        return _bad_value("part", "missing")
    for name, value in (("part", part), ("hjelper", helper)):
        if value is not None and _orgno(value) is None:
            return _bad_value(name, "must be 0192: and nine digits")
    if rights is None:
        return VirksysAsked(part, helper)
    if not isinstance(rights, list) or not 0 < len(rights) <= _MAX_RETTIGHEIT:
        return _bad_value("rettigheit", f"must be an array of 1 to {_MAX_RETTIGHEIT} identifiers")
    if not all(isinstance(one, str) and _IDENTIFIER.fullmatch(one) for one in rights):
        return _bad_value("rettigheit", "must hold identifiers of rights")
    return VirksysAsked(part, helper, tuple(dict.fromkeys(rights)))


def _read_consent(element: Mapping[str, Any]) -> ConsentAsked | Refusal:
    consent, giver = element.get("id"), element.get("from")
    for name, value in (("id", consent), ("from", giver)):
        if value is None:
            return _bad_value(name, "missing")
    if not isinstance(consent, str) or not _CONSENT_ID.fullmatch(consent):
        return _bad_value("id", "must be a UUID")
    problem = _giver_problem(giver) if isinstance(giver, str) else "must be a text"
    return ConsentAsked(UUID(consent), str(giver)) if problem is None else _bad_value("from", problem)


def _giver_problem(giver: str) -> str | None:
    """What is wrong with a giver's URN. Its number is never repeated."""
    kind, _, number = giver.rpartition(":")
    try:
        if kind == PERSON:
            NationalId(number)
        elif kind == ORGANISATION:
            OrgNumber(number)
        else:
            return f"must be {PERSON} or {ORGANISATION}, a colon, and a number"
    except InvalidIdentifierError:
        digits = "eleven digits, the last two of which fit" if kind == PERSON else "nine digits"
        return f"{kind} takes {digits}"
    return None


_READERS: Mapping[str, Callable[[Mapping[str, Any]], Details | Refusal]] = {
    SYSTEM_USER_TYPE: _read_system_user,
    ENTERPRISE_TYPE: _read_virksys,
    CONSENT_TYPE: _read_consent,
}


def _orgno(value: object) -> str | None:
    """The nine digits of an organisation; their check digit is Altinn's business (§5.2)."""
    found = _ORGANISATION.fullmatch(value) if isinstance(value, str) else None
    return found[1] if found else None


# -- what Altinn is asked, and says -------------------------------------------------------------------------------


def details_question(details: Details, client: RegisteredClient, grant: UnverifiedGrant) -> Question | Refusal:
    """What to ask Altinn. The system's vendor has to be the client's owner, whoever made the client for it.

    The receiver of a consent is whom the token is for: the client's owner, or the consumer that a supplier asks for.
    A virksomhetstoken is for clients that are an enterprise system, and for nobody else (§5.2): MP-301.
    """
    if isinstance(details, SystemUserAsked):
        return SystemUserQuestion(client.client_id, client.client_orgno, details.owner, details.external_ref)
    if isinstance(details, ConsentAsked):
        return ConsentQuestion(details.id, details.giver, OrgNumber(grant.consumer_org or client.client_orgno))
    if client.integration_type != VIRKSYS_CLIENT:
        return _unknown_type(
            f"{ENTERPRISE_TYPE} is for clients with integration_type {VIRKSYS_CLIENT}, and the client has"
            f" {client.integration_type}",
            (SYSTEM_USER_TYPE,),
        )
    return VirksysQuestion(
        client.client_id, client.client_orgno, details.part, grant.scopes, details.hjelper, details.rettigheit
    )


def enrich(client: RegisteredClient, question: Question, answer: Answer) -> Enrichment | Refusal:
    """What the token says beside the usual, and what the trail keeps of it.

    Or MP-303, under the name of what it was.
    """
    if isinstance(question, ConsentQuestion):
        return _enrich_with_consent(question, answer)
    if isinstance(answer, NoSystemUser):
        return _refusal_of(question, answer)
    if isinstance(answer, SystemUserRecord):
        element: dict[str, Any] = {
            "type": SYSTEM_USER_TYPE,
            "systemuser_org": {"authority": Iso6523.AUTHORITY, "ID": f"0192:{answer.owner}"},
            "systemuser_id": [str(answer.id)],
            "system_id": answer.system_id,
        }
        facts = {"systemuser_id": str(answer.id), "system_id": answer.system_id, "owner": answer.owner}
        return Enrichment(_members({"authorization_details": [element]}).encode(), _members(facts))
    if not isinstance(answer, VirksysAnswer):
        raise TypeError("an answer to another question")
    said = answer.document()
    element = {"type": ENTERPRISE_TYPE, **said}
    claims = {"client_name": client.client_name, "authorization_details": [element]}
    return Enrichment(_members(claims).encode(), _members(said))


def _refusal_of(question: SystemQuestion, answer: NoSystemUser) -> Refusal:
    cause, facts = answer.cause, _facts(question)
    if isinstance(question, SystemUserQuestion):
        return Refusal((Cause.NO_SYSTEM_USER if cause in _OF_RIGHTS else cause).value, facts)
    if cause is Cause.RIGHT_MISSING:
        asked = question.rettigheit or ()
        named = [name for name in asked if name in answer.missing] or asked
        if not named:
            return Refusal(Cause.NOTHING_PERMITTED.value, facts)
        facts["missing"] = ", ".join(_shown(name) for name in named[:_MAX_NAMED])
    return Refusal(cause.value, facts)


def _enrich_with_consent(question: ConsentQuestion, answer: Answer) -> Enrichment | Refusal:
    facts: dict[str, Any] = {"id": str(question.id), "receiver": str(question.receiver)}
    if isinstance(answer, NoConsent):
        told = next(reason for cause, reason in CONSENT_REASONS.items() if cause in answer.causes)
        causes = {cause.value: cause.meaning for cause in CONSENT_REASONS if cause in answer.causes}
        return Refusal(told, {**facts, "causes": causes})
    if not isinstance(answer, FoundConsent):
        raise TypeError("an answer to another question")
    if answer.receiver != question.receiver:  # Altinn's look-up lets the supplier see it too (consent.md §4.9)
        return Refusal("consent_for_another_receiver", facts)
    resources = sorted({right.resource for right in answer.rights})
    claims = {"authorization_details": [_consent_element(answer)]}
    return Enrichment(_members(claims).encode(), _members({"consent_id": str(answer.id), "resources": resources}))


def _consent_element(found: FoundConsent) -> dict[str, Any]:
    """As the look-up has it, and ``metadata`` only where there is any (§5.3)."""
    element = found.element()
    rights = [{name: value for name, value in one.items() if value != {}} for one in element["consentRights"]]
    return {**element, "consentRights": rights}


def _facts(question: SystemQuestion) -> dict[str, Any]:
    facts: dict[str, Any] = {"client_id": question.client_id, "vendor": question.vendor}
    if isinstance(question, SystemUserQuestion):
        facts["owner"] = question.owner
        if question.external_ref is not None:
            facts["externalRef"] = question.external_ref
    else:
        facts |= {"owner": _orgno(question.part), "scopes": " ".join(question.scopes)}
        if question.hjelper is not None:
            facts["hjelper"] = question.hjelper
        if question.rettigheit is not None:
            facts["rettigheit"] = list(question.rettigheit)
    return facts


def _members(document: Mapping[str, Any]) -> str:
    return "," + json.dumps(document, ensure_ascii=False, separators=(",", ":"))[1:-1]

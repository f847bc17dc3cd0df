"""Step 14: rich authorization requests. What a grant may ask for, what is asked of Altinn, and what the token says.

Source: maskinporten.md §5.1, §5.2; RFC 9396.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from fullmakt.kernel.identifiers import Iso6523
from fullmakt.maskinporten.tokens.config import TokensConfig
from fullmakt.maskinporten.tokens.model import (
    Enrichment,
    Refusal,
    SystemUserAsked,
    UnverifiedGrant,
    VirksysAsked,
)
from fullmakt.maskinporten.tokens.rules.grant import malformed
from fullmakt.wire.altinn.systemusers import (
    Cause,
    NoSystemUser,
    SystemUserQuestion,
    SystemUserRecord,
    VirksysAnswer,
    VirksysQuestion,
)
from fullmakt.wire.altinn.token_details import ENTERPRISE_TYPE, SYSTEM_USER_TYPE
from fullmakt.wire.maskinporten.grant import VIRKSYS_CLIENT
from fullmakt.wire.maskinporten.registry import RegisteredClient

Details = SystemUserAsked | VirksysAsked
Question = SystemUserQuestion | VirksysQuestion
Answer = SystemUserRecord | VirksysAnswer | NoSystemUser

_MEMBERS = {
    SYSTEM_USER_TYPE: frozenset({"type", "systemuser_org", "externalRef"}),
    ENTERPRISE_TYPE: frozenset({"type", "part", "hjelper", "rettigheit"}),
}
_MEMBERS_OF_ORG = frozenset({"authority", "ID"})
_ORGANISATION = re.compile(r"0192:([0-9]{9})", re.ASCII)
_IDENTIFIER = re.compile(r"[!-~æøåÆØÅ]{1,200}")
_MAX_RETTIGHEIT = 100
_MAX_EXTERNAL_REF = 255
_OF_RIGHTS = frozenset({Cause.SCOPE_WITHOUT_RESOURCE, Cause.NOTHING_PERMITTED, Cause.OTHER_HELPER})
"""Causes that can not be why there is no system user, whatever an Altinn elsewhere says."""
_NOT_IN_DESCRIPTION = re.compile(r"[^ !#-\[\]-~]|[0-9]{11}")
"""What RFC 6749 §5.2 keeps out of ``error_description``, and what could be a person's number."""


def supported_details(config: TokensConfig, *, altinn: bool) -> tuple[str, ...]:
    """The types that can be asked for: none without an Altinn to ask."""
    if not altinn:
        return ()
    return (SYSTEM_USER_TYPE, ENTERPRISE_TYPE) if config.virksys else (SYSTEM_USER_TYPE,)


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
    return _read_system_user(element) if kind == SYSTEM_USER_TYPE else _read_virksys(element)


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


def _orgno(value: object) -> str | None:
    """The nine digits of an organisation; their check digit is Altinn's business (§5.2)."""
    found = _ORGANISATION.fullmatch(value) if isinstance(value, str) else None
    return found[1] if found else None


# -- what Altinn is asked, and says -------------------------------------------------------------------------------


def details_question(details: Details, client: RegisteredClient, grant: UnverifiedGrant) -> Question | Refusal:
    """What to ask Altinn. The system's vendor has to be the client's owner, whoever made the client for it.

    A virksomhetstoken is for clients that are an enterprise system, and for nobody else (§5.2): MP-301.
    """
    if isinstance(details, SystemUserAsked):
        return SystemUserQuestion(client.client_id, client.client_orgno, details.owner, details.external_ref)
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

    Or ``invalid_altinn_customer_configuration``, under the name of what it was.
    """
    if isinstance(answer, NoSystemUser):
        by_right = isinstance(question, VirksysQuestion) or answer.cause not in _OF_RIGHTS
        return Refusal((answer.cause if by_right else Cause.NO_SYSTEM_USER).value, _facts(question))
    if isinstance(answer, SystemUserRecord):
        element: dict[str, Any] = {
            "type": SYSTEM_USER_TYPE,
            "systemuser_org": {"authority": Iso6523.AUTHORITY, "ID": f"0192:{answer.owner}"},
            "systemuser_id": [str(answer.id)],
            "system_id": answer.system_id,
        }
        facts = {"systemuser_id": str(answer.id), "system_id": answer.system_id, "owner": answer.owner}
        return Enrichment(_members({"authorization_details": [element]}).encode(), _members(facts))
    said = answer.document()
    element = {"type": ENTERPRISE_TYPE, **said}
    claims = {"client_name": client.client_name, "authorization_details": [element]}
    return Enrichment(_members(claims).encode(), _members(said))


def _facts(question: Question) -> dict[str, Any]:
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

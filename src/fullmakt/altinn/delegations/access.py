"""Who may manage what has been delegated: the decision point is asked as any other service asks it
(altinn-authorization.md §11)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from uuid import UUID

from fullmakt.altinn.delegations.ports import Authority, Decision
from fullmakt.infra.altinn import ForbiddenError
from fullmakt.wire.altinn import attributes as ids
from fullmakt.wire.altinn.attributes import Attribute
from fullmakt.wire.altinn.callers import Caller
from fullmakt.wire.altinn.resources import MASKINPORTEN_SCHEMA, RegisteredResource

API_DELEGATION = "altinn_maskinporten_scope_delegation"
ACCESS_MANAGEMENT = "altinn_access_management"
PORTAL_SCOPE = "altinn:portal/enduser"

_LEVEL = "urn:altinn:minimum-authenticationlevel"
_NOT_LISTED = frozenset({"not_on_access_list", "access_list_lacks_action", "party_is_no_organisation"})


@dataclass(frozen=True, slots=True)
class Delegable:
    """Whether the caller may delegate ``action``, and the reason codes (§13.2).

    ``standing_on`` is the delegation that the caller has the right by, if that is how; ``level`` the authentication
    level that is asked for, when the caller's is lower.
    """

    action: str
    permitted: bool
    reasons: tuple[str, ...]
    standing_on: UUID | None = None
    level: int | None = None


def subject_of(caller: Caller) -> list[Attribute]:
    """The subject of a decision about the caller: one identity, a person's before an organisation's.

    Raises:
        ForbiddenError: the token is nobody's in particular.
    """
    if caller.system_user is not None:
        return [Attribute(ids.SYSTEM_USER, str(caller.system_user))]
    if caller.party_uuid is not None:
        return [Attribute(ids.PARTY_UUID, str(caller.party_uuid))]
    if caller.user_id is not None:
        return [Attribute(ids.USER_ID, str(caller.user_id))]
    if caller.party_id is not None:
        return [Attribute(ids.PARTY_ID, str(caller.party_id))]
    raise ForbiddenError("nobody_in_particular")


async def require(authority: Authority, caller: Caller, action: str, resource: str, party: UUID) -> None:
    """Let nobody through who may not do ``action`` on ``resource``, one of the platform's own, for ``party``.

    Raises:
        ForbiddenError: the caller may not, or has not proved well enough who it is.
    """
    decision = await authority.may(subject_of(caller), action, resource, party, actor=caller.actor)
    facts = {"action": action, "resource": resource, "party": str(party)}
    if not decision.permitted:
        raise ForbiddenError("not_permitted", why=decision.reason, **facts)
    level = missing_level(decision, caller)
    if level is not None:
        raise ForbiddenError("authentication_level", required=level, level=caller.auth_level, **facts)


def missing_level(decision: Decision, caller: Caller) -> int | None:
    """The authentication level that the permit asks for, when the caller's is lower. A system user has none."""
    if caller.system_user is not None:
        return None
    levels = [
        int(value.value)
        for obligation in decision.obligations
        for value in obligation.assignments
        if value.category == _LEVEL and value.value.isdecimal()
    ]
    required = max(levels, default=0)
    return required if caller.auth_level < required else None


async def delegable(
    authority: Authority, caller: Caller, resource: RegisteredResource, party: UUID, *, api: bool
) -> list[Delegable]:
    """What the caller may delegate of ``resource`` on behalf of ``party``: one answer for each action of its policy.

    ``api``: a MaskinportenSchema is what it is about; by other doors such a resource is not delegated.
    """
    decisions: Mapping[str, Decision] = await authority.delegable_actions(
        subject_of(caller), resource.identifier, party, actor=caller.actor
    )
    return [_delegable(action, decision, caller, resource, api) for action, decision in decisions.items()]


def _delegable(action: str, decision: Decision, caller: Caller, resource: RegisteredResource, api: bool) -> Delegable:
    level = missing_level(decision, caller)
    is_api = resource.resource_type == MASKINPORTEN_SCHEMA
    reasons = list(_reasons(decision))
    if level is not None:
        reasons = ["InsufficientAuthenticationLevel"]
    if not resource.delegable:
        reasons.append("ResourceNotDelegable")
    if not api and is_api:
        reasons.append("ResourceIsMaskinPortenSchema")
    permitted = decision.permitted and level is None and resource.delegable and (api or not is_api)
    standing_on = decision.facts.get("delegation") if decision.reason == "delegation" else None
    return Delegable(action, permitted, tuple(reasons), UUID(str(standing_on)) if standing_on else None, level)


def _reasons(decision: Decision) -> tuple[str, ...]:
    if decision.permitted:
        return ("DelegationAccess",) if decision.reason == "delegation" else ("RoleAccess",)
    if decision.reason in _NOT_LISTED:
        return ("AccessListValidationFail",)
    if decision.reason in {"no_right", "denied_by_rule"}:
        return ("MissingRoleAccess", "MissingDelegationAccess")
    return ("Unknown",)


def by_source(rights: Iterable[Delegable]) -> dict[UUID | None, list[str]]:
    """Actions by the delegation that the caller has them by; None for those it has by a role."""
    sources: dict[UUID | None, list[str]] = {}
    for right in rights:
        sources.setdefault(right.standing_on, []).append(right.action)
    return sources

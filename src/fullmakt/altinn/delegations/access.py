"""Who may manage what has been delegated, and give what: of rights the decision point is asked, as any other service
asks it (altinn-authorization.md §11); who may give an access package is told here alone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from uuid import UUID

from fullmakt.altinn.delegations.ports import AccessPackage, Authority, Decision, Parties
from fullmakt.altinn.delegations.service import DelegationsService
from fullmakt.infra.altinn import ForbiddenError
from fullmakt.wire.altinn import attributes as ids
from fullmakt.wire.altinn.attributes import Attribute
from fullmakt.wire.altinn.callers import Caller
from fullmakt.wire.altinn.parties import HeldRights
from fullmakt.wire.altinn.resources import MASKINPORTEN_SCHEMA, RegisteredResource
from fullmakt.wire.altinn.xacml_json import required_level

API_DELEGATION = "altinn_maskinporten_scope_delegation"
ACCESS_MANAGEMENT = "altinn_access_management"
PORTAL_SCOPE = "altinn:portal/enduser"
MAIN_ADMINISTRATOR = "hovedadministrator"
"""The role, and the package, whose holder gives any package on, held or not, and grants its own requests."""

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


def owns_prefix(caller: Caller, scope: str) -> bool:
    """True when the scope begins with a prefix that the caller's token says it owns (§12)."""
    return any(scope.startswith(f"{prefix}:") for prefix in caller.consumer_prefixes)


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
    required = required_level(decision.obligations)
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


class PackageReason(StrEnum):
    """Why an access package may be given, or may not; the first two are the protocol's own (§13.2)."""

    ACCESS = "PackageAccess"
    MISSING = "MissingPackageAccess"
    NOT_ASSIGNABLE = "PackageNotAssignable"
    """It is never given by name; as a rule it comes with a role in the register."""
    NOT_DELEGABLE = "PackageNotDelegable"
    """It was given to the one who would give it, and may not be given on."""


@dataclass(frozen=True, slots=True)
class PackageAccess:
    """Whether somebody may give an access package on a party's behalf.

    ``rests_on`` is the package, or the main administrator's role or package, that lets them, None when they are the
    party itself; ``delegation`` the delegation that they have that by, None when the register says so.
    """

    reasons: tuple[PackageReason, ...]
    rests_on: Attribute | None = None
    delegation: UUID | None = None

    @property
    def permitted(self) -> bool:
        """True when they may."""
        return self.reasons == (PackageReason.ACCESS,)


@dataclass(frozen=True, slots=True)
class Standing:
    """What ``holder`` has in ``party``: ``held`` by the register, ``given`` as packages that the party gave, by itself
    or by way of an organisation that it acts for by a key role. ``holder`` is None when it is no registered party."""

    party: UUID
    holder: UUID | None
    held: HeldRights = field(default_factory=HeldRights)
    given: Mapping[str, UUID] = field(default_factory=dict)

    @property
    def main_administrator(self) -> bool:
        """True for the main administrator of the party."""
        return self._administers() is not None

    def to_give(self, package: AccessPackage) -> PackageAccess:
        """May the holder give ``package`` on behalf of the party?

        Who is the party may give whatever it has, who holds the package by the register may give it, and who was given
        it may as far as it is delegable. The main administrator may give any package. None of them gives what is not
        assignable.
        """
        access = self._has(package)
        if package.assignable:
            return access
        return replace(access, reasons=(*access.reasons, PackageReason.NOT_ASSIGNABLE))

    def _has(self, package: AccessPackage) -> PackageAccess:
        wanted = Attribute(ids.ACCESS_PACKAGE, package.name)
        if self.holder == self.party:
            return PackageAccess((PackageReason.ACCESS,))
        if wanted in self.held.packages:
            return PackageAccess((PackageReason.ACCESS,), wanted)
        was_given = package.name in self.given
        if was_given and package.delegable:
            return PackageAccess((PackageReason.ACCESS,), wanted, self.given[package.name])
        administers = self._administers()
        if administers is not None and administers != wanted:
            return PackageAccess((PackageReason.ACCESS,), administers, self.given.get(administers.value))
        return PackageAccess((PackageReason.NOT_DELEGABLE if was_given else PackageReason.MISSING,))

    def _administers(self) -> Attribute | None:
        role, package = Attribute(ids.ROLE, MAIN_ADMINISTRATOR), Attribute(ids.ACCESS_PACKAGE, MAIN_ADMINISTRATOR)
        if role in self.held.roles:
            return role
        return package if package in self.held.packages or MAIN_ADMINISTRATOR in self.given else None


async def standing(parties: Parties, service: DelegationsService, caller: Caller, party: UUID) -> Standing:
    """What the caller has in ``party``. A system user gives nothing on: it has no standing.

    Raises:
        ForbiddenError: the caller is nobody in particular.
    """
    (subject,) = subject_of(caller)
    holder = (await parties.identify([subject])).get(subject)
    if holder is None:
        return Standing(party, None)
    acts_for = await parties.key_role_organisations(holder.party_uuid)
    receivers = [holder.party_uuid, *(one for one in acts_for if one != party)]
    held = [await parties.held(receiver, party) for receiver in receivers]
    given = await service.delegated_packages(receivers=receivers, giver=party)
    # The roles of an organisation are its own; its packages are also those of whoever acts for it.
    rights = HeldRights(held[0].roles, frozenset().union(*(one.packages for one in held)))
    return Standing(party, holder.party_uuid, rights, {one.package: one.delegation_id for one in reversed(given)})

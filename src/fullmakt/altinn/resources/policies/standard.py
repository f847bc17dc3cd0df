"""The policy that most resources have: these roles may do this, at this level (altinn-authorization.md §9)."""

from __future__ import annotations

from collections.abc import Iterable

from fullmakt.wire.altinn.attributes import (
    ACCESS_LIST,
    ACCESS_PACKAGE,
    ACTION,
    ACTION_CATEGORY,
    PARTY_TYPE,
    RESOURCE,
    RESOURCE_CATEGORY,
    ROLE_CODE,
    SERVICE_OWNER,
    SUBJECT_CATEGORY,
    Attribute,
)
from fullmakt.wire.altinn.policy import (
    AnyOf,
    Assignment,
    Effect,
    Literal,
    Match,
    Obligation,
    Policy,
    Rule,
    write_policy,
)
from fullmakt.wire.altinn.xacml_names import (
    INTEGER,
    MINIMUM_LEVEL,
    MINIMUM_LEVEL_ORG,
    STRING,
    STRING_EQUAL,
    STRING_EQUAL_IGNORE_CASE,
)

_DENY_OVERRIDES = "urn:oasis:names:tc:xacml:3.0:rule-combining-algorithm:deny-overrides"
_HIGHEST_LEVEL_OF_AN_ORG = 3
"""What a service owner's token is at; more could not be met."""


def standard_policy(
    resource: str,
    *,
    roles: Iterable[str],
    actions: Iterable[str],
    min_level: int = 0,
    org_code: str | None = None,
    packages: Iterable[str] = (),
) -> bytes:
    """The XML of a policy that lets whoever holds one of ``roles`` or ``packages`` do each of ``actions``.

    A role is a code (``apiadm``), or a whole URN (``urn:altinn:external-role:ccr:daglig-leder``). ``org_code`` lets the
    service owner do the same. ``min_level`` is the authentication level, 0 (no demand) to 4. The same arguments give
    the same bytes.

    Raises:
        ValueError: nobody or nothing is named, a name is empty or no URN, or the level is none.
    """
    subjects = [*(_subject(role) for role in roles), *(Attribute(ACCESS_PACKAGE, package) for package in packages)]
    wanted = [Attribute(ACTION, action) for action in actions]
    if not resource or not wanted or not (subjects or org_code) or not all(one.value for one in (*subjects, *wanted)):
        raise ValueError("a policy names a resource, at least one action, and at least one role, package or org code")
    if not 0 <= min_level <= 4:
        raise ValueError("an authentication level is a number from 0 to 4")
    holders = [subjects, [Attribute(SERVICE_OWNER, org_code)] if org_code else []]
    rules = [_rule(resource, number, who, wanted) for number, who in enumerate(filter(None, holders), start=1)]
    policy = Policy(
        policy_id=f"urn:altinn:policyid:{resource}",
        version="1.0",
        rule_combining=_DENY_OVERRIDES,
        rules=tuple(rules),
        obligations=_levels(min_level, for_org=org_code is not None),
    )
    return write_policy(policy)


def consent_policy(
    resource: str,
    *,
    roles: Iterable[str],
    packages: Iterable[str] = (),
    lists: Iterable[str] = (),
    action: str = "consent",
    min_level: int = 0,
) -> bytes:
    """The XML of a policy for a consent resource (consent.md §4.13).

    Whoever holds one of ``roles`` or ``packages`` may give the consent, which is to do ``action``. Organisations on one
    of the access lists (``<owner>:<list>``) may ask for it; any organisation when there are none. ``min_level`` is the
    giver's authentication level, 0 (no demand) to 4.

    Raises:
        ValueError: nobody may give it, a name is empty or no URN, or the level is none.
    """
    givers = [*(_subject(role) for role in roles), *(Attribute(ACCESS_PACKAGE, package) for package in packages)]
    askers = [Attribute(ACCESS_LIST, one) for one in lists] or [Attribute(PARTY_TYPE, "organization")]
    if not resource or not action or not givers or not all(one.value for one in (*givers, *askers)):
        raise ValueError("a consent resource has an identifier, and somebody who may give the consent")
    if not 0 <= min_level <= 4:
        raise ValueError("an authentication level is a number from 0 to 4")
    rules = (
        _rule(resource, 1, askers, [Attribute(ACTION, "requestconsent")]),
        _rule(resource, 2, givers, [Attribute(ACTION, action)]),
    )
    policy = Policy(
        policy_id=f"urn:altinn:policyid:{resource}",
        version="1.0",
        rule_combining=_DENY_OVERRIDES,
        rules=rules,
        obligations=_levels(min_level, for_org=False),
    )
    return write_policy(policy)


def _subject(role: str) -> Attribute:
    if not role.startswith("urn:"):
        return Attribute(ROLE_CODE, role)
    kind, _, value = role.rpartition(":")
    return Attribute(kind, value)


def _rule(resource: str, number: int, subjects: list[Attribute], actions: list[Attribute]) -> Rule:
    return Rule(
        rule_id=f"urn:altinn:resource:{resource}:ruleid:{number}",
        effect=Effect.PERMIT,
        target=(
            _one_of(subjects, SUBJECT_CATEGORY, STRING_EQUAL_IGNORE_CASE),
            _one_of([Attribute(RESOURCE, resource)], RESOURCE_CATEGORY, STRING_EQUAL),
            _one_of(actions, ACTION_CATEGORY, STRING_EQUAL_IGNORE_CASE),
        ),
    )


def _one_of(attributes: list[Attribute], category: str, function: str) -> AnyOf:
    return tuple((Match(function, one.value, STRING, one.id, category, STRING),) for one in attributes)


def _levels(level: int, *, for_org: bool) -> tuple[Obligation, ...]:
    if level == 0:
        return ()
    levels = [(MINIMUM_LEVEL, level)]
    if for_org:
        levels.append((MINIMUM_LEVEL_ORG, min(level, _HIGHEST_LEVEL_OF_AN_ORG)))
    return tuple(
        Obligation(
            obligation_id=f"urn:altinn:obligation:authenticationLevel{number}",
            fulfill_on=Effect.PERMIT,
            assignments=(
                Assignment(f"urn:altinn:obligation-assignment:{number}", Literal(str(value), INTEGER), category),
            ),
        )
        for number, (category, value) in enumerate(levels, start=1)
    )

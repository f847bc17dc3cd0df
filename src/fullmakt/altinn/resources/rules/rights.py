"""What a policy gives, read out for people and portals (altinn-resource-registry.md §5).

Of a policy's rules those that permit are read: a rule that denies gives nobody anything.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from fullmakt.altinn.resources.errors import TooManyCombinationsError
from fullmakt.altinn.resources.rules.targets import Alternative, alternatives, combinations
from fullmakt.wire.altinn.attributes import (
    ACCESS_PACKAGE,
    ACTION,
    ACTION_CATEGORY,
    APP,
    RESOURCE,
    RESOURCE_CATEGORY,
    ROLE_CCR,
    ROLE_CODE,
    ROLE_CRA,
    SERVICE_OWNER,
    SUBJECT_CATEGORY,
    Attribute,
)
from fullmakt.wire.altinn.policy import Effect, Policy, Rule
from fullmakt.wire.altinn.xacml_names import COMBINING_ALGORITHMS, STRING_EQUAL, STRING_EQUAL_IGNORE_CASE

MAX_COMBINATIONS = 100_000
"""Rules that come to more are not written out: three lists of a thousand alternatives would be a thousand million."""

DELEGATION = "urn:altinn:resource:delegation"
"""The subject by which an app's policy names those that the app itself has given a right."""

_RIGHT_HOLDERS = frozenset({ROLE_CODE, ROLE_CCR, ROLE_CRA, ACCESS_PACKAGE})

_ACTION_NAMES: Mapping[str, Mapping[str, str]] = {
    "read": {"nb": "Les", "nn": "Les", "en": "Read"},
    "write": {"nb": "Skriv", "nn": "Skriv", "en": "Write"},
    "complete": {"nb": "Fullfør", "nn": "Fullfør", "en": "Complete"},
    "delete": {"nb": "Slett", "nn": "Slett", "en": "Delete"},
    "confirm": {"nb": "Bekreft", "nn": "Stadfest", "en": "Confirm"},
    "instantiate": {"nb": "Opprett", "nn": "Opprett", "en": "Instantiate"},
    "sign": {"nb": "Signer", "nn": "Signer", "en": "Sign"},
    "reject": {"nb": "Avvis", "nn": "Avvis", "en": "Reject"},
    "subscribe": {"nb": "Abonner", "nn": "Abonner", "en": "Subscribe"},
}

_EQUALITIES = frozenset({STRING_EQUAL, STRING_EQUAL_IGNORE_CASE})

Attributes = tuple[Attribute, ...]


@dataclass(frozen=True, slots=True)
class FlatRule:
    """One combination of a rule's alternatives: who may do what on what."""

    subject: Attributes
    action: Attribute
    resource: Attributes


@dataclass(slots=True)
class Right:
    """An action on a resource, or on a part of one, and the alternatives of who may."""

    action: Attribute
    resource: Attributes
    subjects: list[Attributes] = field(default_factory=list)

    @property
    def key(self) -> str:
        """``read;rrh-innrapportering;brg;52a1…``: values by the order of their URNs, and MD5 over UTF-16LE of it all.

        The hash names a right, it guards nothing.
        """
        ordered = sorted(self.resource, key=lambda attribute: attribute.urn)
        hashed = ";".join([self.action.value, *(attribute.urn for attribute in ordered)])
        digest = hashlib.md5(hashed.encode("utf-16-le"), usedforsecurity=False).hexdigest()
        return ";".join([self.action.value, *(attribute.value for attribute in ordered), digest])

    @property
    def subject_types(self) -> list[str]:
        """The attribute ids of the subjects, in lower case."""
        return sorted({attribute.id.lower() for together in self.subjects for attribute in together})

    @property
    def direct_key(self) -> str:
        """The key that the connections API knows it by: ``01`` and SHA-256 over the URNs in lower case."""
        ordered = sorted(self.resource, key=lambda attribute: attribute.id.lower())
        internal = ":".join([*(attribute.urn for attribute in ordered), self.action.urn])
        return "01" + hashlib.sha256(internal.lower().encode()).hexdigest()

    def name(self, resource: str, language: str) -> str:
        """What to call it: the action in words, and in brackets the parts of the resource that it is about."""
        value = self.action.value
        words = _ACTION_NAMES.get(value.lower(), {}).get(language, value)
        parts = (attribute.value for attribute in sorted(self.resource, key=lambda one: one.urn, reverse=True))
        tail = [f"({part.rpartition(':')[2]})" for part in parts if part.lower() != resource.lower()]
        return " ".join([words[:1].upper() + words[1:], *tail])


def flat_rules(policy: Policy) -> list[FlatRule]:
    """One entry for each combination of subject, action and resource, in the policy's order, repetitions included.

    Raises:
        TooManyCombinationsError: there are more than ``MAX_COMBINATIONS``.
    """
    permitting = [rule for rule in policy.rules if rule.effect is Effect.PERMIT]
    if sum(combinations(alternatives(rule)) for rule in permitting) > MAX_COMBINATIONS:
        raise TooManyCombinationsError
    return [flat for rule in permitting for flat in _flatten(rule)]


def rights(policy: Policy) -> list[Right]:
    """The flat rules put together by action and resource.

    Raises:
        TooManyCombinationsError: see ``flat_rules``.
    """
    found: dict[tuple[Attribute, frozenset[Attribute]], Right] = {}
    for flat in flat_rules(policy):
        key = (flat.action, frozenset(flat.resource))
        found.setdefault(key, Right(flat.action, flat.resource)).subjects.append(flat.subject)
    return list(found.values())


def direct_rights(
    policy: Policy, resource: str, *, service_owner_rights: bool = False, app_rights: bool = False
) -> list[Right]:
    """The rights on this resource that roles and packages give; on request also the service owner's and the app's own.

    Raises:
        TooManyCombinationsError: see ``flat_rules``.
    """
    wanted = _RIGHT_HOLDERS | ({SERVICE_OWNER} if service_owner_rights else set())
    wanted |= {DELEGATION} if app_rights else set()
    found: dict[str, Right] = {}
    for right in rights(policy):
        subjects = [together for together in right.subjects if len(together) == 1 and together[0].id in wanted]
        parts = _as_registered(right.resource)
        if subjects and any(part.id == RESOURCE and part.value.lower() == resource.lower() for part in parts):
            direct = Right(Attribute(ACTION, right.action.value), parts)
            found.setdefault(direct.direct_key, direct).subjects.extend(subjects)
    return list(found.values())


def subjects(policy: Policy) -> list[Attribute]:
    """Every subject that some rule permits something, in lower case, each once, in the policy's order."""
    named = (
        Attribute(match.attribute_id.lower(), match.value.lower())
        for rule in policy.rules
        if rule.effect is Effect.PERMIT
        for together in alternatives(rule).get(SUBJECT_CATEGORY, ())
        for match in together
    )
    return list(dict.fromkeys(named))


def permits_unnamed(policy: Policy) -> bool:
    """Whether somebody may be permitted something and be none of ``subjects``.

    So it is with a rule that asks nothing of its subject, or compares it otherwise than by equal text, and where
    whatever no rule denies is permitted.
    """
    if COMBINING_ALGORITHMS.get(policy.rule_combining) == "permit-unless-deny":
        return True
    return any(
        all(match.function not in _EQUALITIES for match in together)
        for rule in policy.rules
        if rule.effect is Effect.PERMIT
        for together in alternatives(rule).get(SUBJECT_CATEGORY, ((),))
    )


def _flatten(rule: Rule) -> Iterator[FlatRule]:
    """Nothing for a rule that names no action: it is about them all, and a right is about one."""
    by_category = alternatives(rule)
    who = [_attributes(one) for one in by_category.get(SUBJECT_CATEGORY, ((),))]
    what = [_attributes(one) for one in by_category.get(RESOURCE_CATEGORY, ((),))]
    actions = [_attributes(one)[0] for one in by_category.get(ACTION_CATEGORY, ()) if len(one) == 1]
    for subject in who:
        for action in actions:
            for resource in what:
                yield FlatRule(subject, action, resource)


def _attributes(alternative: Alternative) -> Attributes:
    return tuple([Attribute(match.attribute_id, match.value) for match in alternative])


def _as_registered(resource: Sequence[Attribute]) -> Attributes:
    """An app by the identifier that the registry has it under."""
    values = dict(resource)
    if SERVICE_OWNER not in values or APP not in values:
        return tuple(resource)
    rest = tuple(part for part in resource if part.id not in {SERVICE_OWNER, APP})
    return (*rest, Attribute(RESOURCE, f"app_{values[SERVICE_OWNER]}_{values[APP]}"))

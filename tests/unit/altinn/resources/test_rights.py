"""What is read out of a policy, and the keys that rights are known by."""

from __future__ import annotations

import hashlib

import pytest

from fullmakt.altinn.resources.errors import TooManyCombinationsError
from fullmakt.altinn.resources.rules.rights import DELEGATION, Right, direct_rights, flat_rules, rights, subjects
from fullmakt.wire.altinn.attributes import (
    ACTION,
    ACTION_CATEGORY,
    APP,
    RESOURCE,
    RESOURCE_CATEGORY,
    ROLE_CODE,
    SERVICE_OWNER,
    SUBJECT_CATEGORY,
    Attribute,
)
from fullmakt.wire.altinn.policy import Policy, parse_policy
from tests.support.resources import any_of, match, policy_xml, rule_xml

ID = "skd-finans-scope"


def _policy(*rules: str) -> Policy:
    return parse_policy(policy_xml(*rules))


def test_the_key_is_the_one_that_altinn_gives() -> None:
    right = Right(Attribute(ACTION, "read"), (Attribute(SERVICE_OWNER, "brg"), Attribute(APP, "rrh-innrapportering")))
    assert right.key == "read;rrh-innrapportering;brg;52a1e8911c3a9d3a7d2b837ae29a0dd8"


def test_the_direct_key_is_a_digest_of_the_urns_in_lower_case() -> None:
    right = Right(Attribute(ACTION, "ScopeAccess"), (Attribute(RESOURCE, ID),))
    said = f"urn:altinn:resource:{ID}:{ACTION}:scopeaccess"
    assert right.direct_key == "01" + hashlib.sha256(said.encode()).hexdigest()


@pytest.mark.parametrize(
    ("action", "parts", "language", "name"),
    [
        ("read", (), "nb", "Les"),
        ("Confirm", (), "nn", "Stadfest"),
        ("sign", (), "en", "Sign"),
        ("scopeAccess", (), "nb", "ScopeAccess"),
        ("read", (Attribute("urn:altinn:task", "task_1"),), "nb", "Les (task_1)"),
        ("read", (), "xx", "Read"),
    ],
)
def test_a_right_is_named_in_words(action: str, parts: tuple[Attribute, ...], language: str, name: str) -> None:
    assert Right(Attribute(ACTION, action), (Attribute(RESOURCE, ID), *parts)).name(ID, language) == name


def test_rights_come_together_by_action_and_resource() -> None:
    policy = _policy(
        rule_xml(roles=("dagl", "lede")), rule_xml(rule_id="2", roles=("regn",), actions=("read", "write"))
    )
    read, write = rights(policy)
    assert [who[0].value for who in read.subjects] == ["dagl", "lede", "regn"]
    assert [who[0].value for who in write.subjects] == ["regn"]
    assert len(flat_rules(policy)) == 4


def test_who_is_denied_has_no_right() -> None:
    policy = _policy(rule_xml(effect="Deny"))
    assert (rights(policy), subjects(policy), direct_rights(policy, ID)) == ([], [], [])


def test_a_rule_without_an_action_or_of_two_at_once_gives_no_right() -> None:
    both = match(ACTION, "read", ACTION_CATEGORY) + match(ACTION, "write", ACTION_CATEGORY)
    policy = _policy(rule_xml(actions=()), rule_xml(actions=()).replace("</Target>", f"{any_of(both)}</Target>"))
    assert rights(policy) == []
    assert subjects(policy) == [Attribute(ROLE_CODE, "dagl")]


def test_direct_rights_are_what_roles_and_packages_give() -> None:
    def by(attribute: str) -> str:
        who = any_of(match(attribute, "x", SUBJECT_CATEGORY))
        return rule_xml(rule_id=attribute, roles=(), actions=(attribute,)).replace("<Target>", f"<Target>{who}")

    two = any_of(match(ROLE_CODE, "x", SUBJECT_CATEGORY) + match(ROLE_CODE, "y", SUBJECT_CATEGORY))
    policy = _policy(
        *(by(attribute) for attribute in (ROLE_CODE, "urn:altinn:accesspackage", SERVICE_OWNER, DELEGATION)),
        rule_xml(rule_id="two", roles=(), actions=("both",)).replace("<Target>", f"<Target>{two}"),
        rule_xml("another-resource"),
    )
    own = [ROLE_CODE, "urn:altinn:accesspackage"]
    assert [right.action.value for right in direct_rights(policy, ID)] == own
    found = direct_rights(policy, ID.upper(), service_owner_rights=True, app_rights=True)
    assert [right.action.value for right in found] == [*own, SERVICE_OWNER, DELEGATION]


def test_a_part_of_a_resource_is_a_right_of_its_own() -> None:
    here = match(RESOURCE, ID, RESOURCE_CATEGORY)
    parts = any_of(here, here + match("urn:altinn:task", "task_1", RESOURCE_CATEGORY))
    policy = _policy(rule_xml("").replace("</Target>", f"{parts}</Target>"))
    assert [len(right.resource) for right in rights(policy)] == [1, 2]
    assert len({right.direct_key for right in direct_rights(policy, ID)}) == 2


def test_more_than_a_hundred_thousand_combinations_are_not_written_out() -> None:
    names = [str(number) for number in range(400)]
    with pytest.raises(TooManyCombinationsError):
        flat_rules(_policy(rule_xml(roles=names, actions=names)))

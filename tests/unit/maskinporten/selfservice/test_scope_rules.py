"""Which members a scope may have (maskinporten.md §7.7)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from fullmakt.kernel.identifiers import ScopeName
from fullmakt.maskinporten.selfservice.errors import InvalidError
from fullmakt.maskinporten.selfservice.model import Scope, ScopeAttributes
from fullmakt.maskinporten.selfservice.rules import scopes
from fullmakt.wire.maskinporten.selfservice import ScopeBody
from tests.unit.maskinporten.selfservice.values import NOW, OWNER

ALTINN = "https://tt02.altinn.no/"


def body(**members: Any) -> ScopeBody:
    return ScopeBody.model_validate({"prefix": "provider", "subscope": "read", "description": "d", **members})


@pytest.mark.parametrize("subscope", ["read", "register/v1.read", "a:b", "lån"])
def test_a_name_is_prefix_and_subscope(subscope: str) -> None:
    assert scopes.name_of(body(subscope=subscope, name="something:else")) == f"provider:{subscope}"


@pytest.mark.parametrize(
    ("members", "field"),
    [
        ({"prefix": None}, "prefix"),
        ({"subscope": None}, "subscope"),
        ({"prefix": "Provider"}, "prefix"),
        ({"prefix": "a:b"}, "prefix"),
        ({"subscope": "a b"}, "subscope"),
        ({"subscope": "a" * 250}, "subscope"),
        ({"subscope": '"'}, "subscope"),
    ],
)
def test_a_name_that_can_not_be_is_told(members: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidError) as caught:
        scopes.name_of(body(**members))
    assert [fault.field for fault in caught.value.faults] == [field]


def test_a_scope_is_public_open_to_all_types_and_active_unless_told() -> None:
    made = scopes.attributes_of(body(**{"description#en": "in English", "unknown": 1}), ())
    assert made == ScopeAttributes("d", translations={"description#en": "in English"})
    assert (made.visibility, made.allowed_integration_types, made.active) == ("PUBLIC", (), True)


def test_a_delegation_source_must_be_one_that_there_is() -> None:
    assert scopes.attributes_of(body(delegation_source=ALTINN), {ALTINN}).delegation_source == ALTINN
    assert scopes.attributes_of(body(delegation_source=""), {ALTINN}).delegation_source is None
    with pytest.raises(InvalidError, match="/delegationsources"):
        scopes.attributes_of(body(delegation_source="https://tt02.altinn.no"), {ALTINN})


def test_internal_scopes_are_the_operators() -> None:
    assert scopes.attributes_of(body(visibility="internal"), (), operator=True).visibility == "INTERNAL"
    with pytest.raises(InvalidError, match="PUBLIC or PRIVATE"):
        scopes.attributes_of(body(visibility="INTERNAL"), ())


def test_an_internal_scope_stays_so_when_its_owner_sends_back_what_it_got() -> None:
    internal = ScopeAttributes("d", visibility="INTERNAL")
    assert scopes.attributes_of(body(visibility="INTERNAL"), (), internal).visibility == "INTERNAL"
    with pytest.raises(InvalidError, match="PUBLIC or PRIVATE"):
        scopes.attributes_of(body(visibility="INTERNAL"), (), ScopeAttributes("d", visibility="PRIVATE"))


def test_a_replacement_goes_back_to_the_defaults_but_wakes_nobody() -> None:
    before = replace(scopes.attributes_of(body(at_max_age=500, **{"description#en": "x"}), ()), active=False)
    after = scopes.attributes_of(body(), (), before)
    assert (after.at_max_age, after.translations, after.active) == (0, {}, False)
    assert scopes.attributes_of(body(active=True), (), before).active


def test_a_scope_never_changes_its_name() -> None:
    scope = Scope(ScopeName("provider:read"), OWNER, ScopeAttributes("d"), NOW, NOW)
    scopes.require_same_name(body(), scope)
    scopes.require_same_name(body(prefix=None, subscope=None), scope)
    for member in ("prefix", "subscope"):
        with pytest.raises(InvalidError, match=f"{member} can not be changed"):
            scopes.require_same_name(body(**{member: "other"}), scope)

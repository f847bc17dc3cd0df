"""Which scopes may be put on a client (maskinporten.md §7.6)."""

from __future__ import annotations

import pytest

from fullmakt.maskinporten.selfservice.model import ScopeStanding
from fullmakt.maskinporten.selfservice.rules.client_scopes import scope_faults, wanted_scopes
from fullmakt.maskinporten.selfservice.rules.clients import KRR_SCOPES
from fullmakt.wire.maskinporten.selfservice import IntegrationType
from tests.unit.maskinporten.selfservice.values import OWNER, STRANGER, SUPPLIER

NAME = "provider:read"


def standing(**more: object) -> ScopeStanding:
    fields: dict[str, object] = {
        "name": NAME,
        "active": True,
        "owner_orgno": STRANGER,
        "approved": False,
        "accessible_for_all": False,
        "delegation_source": None,
        "allowed_integration_types": (),
        **more,
    }
    return ScopeStanding(**fields)  # type: ignore[arg-type]


def messages(
    stands: ScopeStanding | None, name: str = NAME, integration_type: IntegrationType = "maskinporten"
) -> list[str]:
    known = {stands.name: stands} if stands else {}
    return [fault.message for fault in scope_faults([name], known, integration_type, OWNER, OWNER)]


@pytest.mark.parametrize(
    "more",
    [
        {"approved": True},
        {"accessible_for_all": True},
        {"delegation_source": "https://tt02.altinn.no/"},
        {"owner_orgno": OWNER},
        {"approved": True, "allowed_integration_types": ("krr", "maskinporten")},
    ],
)
def test_access_openness_delegation_or_ownership_lets_a_scope_on(more: dict[str, object]) -> None:
    assert messages(standing(**more)) == []


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ({}, "has not been granted to 310000027"),
        ({"approved": True, "active": False}, "is not active"),
        ({"approved": True, "allowed_integration_types": ("krr",)}, "is not allowed for maskinporten clients"),
    ],
)
def test_nothing_else_does(more: dict[str, object], told: str) -> None:
    assert messages(standing(**more)) == [f"The scope {NAME} {told}"]


def test_a_scope_that_is_not_there_is_told() -> None:
    assert messages(None) == [f"The scope {NAME} does not exist"]


@pytest.mark.parametrize(
    "name", ["idporten:dcr.write", "idporten:dcr/onbehalfof:write", "idporten:scopes.read", "idporten:dcr.altinn"]
)
def test_nobody_makes_itself_an_administrator(name: str) -> None:
    assert messages(standing(name=name, approved=True, owner_orgno=OWNER), name) == [
        f"The scope {name} is handed out by the operator"
    ]


def test_logging_in_is_nobodys_scope() -> None:
    assert messages(None, "openid", "idporten") == []
    assert messages(None, "openid", "maskinporten") == ["The scope openid does not exist"]


def test_the_supplier_that_owns_the_prefix_needs_no_access() -> None:
    owned = standing(owner_orgno=SUPPLIER)
    assert list(scope_faults([NAME], {NAME: owned}, "maskinporten", OWNER, SUPPLIER)) == []


def test_each_scope_is_wanted_once_and_those_of_krr_are_fixed() -> None:
    assert wanted_scopes(["b:x", "a:x", "b:x"], "maskinporten") == ("a:x", "b:x")
    assert wanted_scopes(None, "maskinporten") == ()
    assert wanted_scopes(["b:x"], "krr") == KRR_SCOPES
    assert list(scope_faults(KRR_SCOPES, {}, "krr", OWNER, OWNER)) == []

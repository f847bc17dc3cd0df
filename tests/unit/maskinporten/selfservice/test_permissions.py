"""Who may do what (maskinporten.md §7.2, §7.3)."""

from __future__ import annotations

import pytest

from fullmakt.kernel.identifiers import OrgNumber
from fullmakt.maskinporten.selfservice.errors import DeniedError
from fullmakt.maskinporten.selfservice.model import Client
from fullmakt.maskinporten.selfservice.rules import permissions
from fullmakt.maskinporten.selfservice.rules.permissions import DCR_ALTINN, DCR_SUPPLIER, DCR_WRITE, Right
from tests.unit.maskinporten.selfservice.values import ALTINN, OWNER, STRANGER, SUPPLIER, caller, client

OWN = client()
SUPPLIED = client(supplier_orgno=SUPPLIER)
VIRKSYS = client(supplier_orgno=ALTINN, integration_type="altinn_virksys")
BY_ALTINN = client(supplier_orgno=ALTINN, made_by_altinn=True)


@pytest.mark.parametrize(
    ("right", "scope"), [(right, scope) for right in Right for scope in right.value], ids=lambda value: str(value)
)
def test_each_scope_of_a_right_is_enough(right: Right, scope: str) -> None:
    permissions.require(caller(OWNER, scope), right)


@pytest.mark.parametrize("right", Right)
def test_no_right_comes_without_a_scope(right: Right) -> None:
    with pytest.raises(DeniedError) as denied:
        permissions.require(caller(OWNER, "provider:read"), right)
    assert denied.value.reason == "missing_scope"
    assert right.value[0] in str(denied.value)


@pytest.mark.parametrize(
    ("right", "scope"),
    [
        (Right.READ_CLIENTS, "idporten:dcr.modify"),
        (Right.CHANGE_CLIENTS, "idporten:dcr.read"),
        (Right.MAKE_CLIENTS, "idporten:dcr.modify"),
        (Right.MAKE_CLIENTS, DCR_SUPPLIER),
        (Right.CHANGE_CLIENTS, "idporten:dcr/onbehalfof:write"),
        (Right.CHANGE_SCOPES, "idporten:scopes.read"),
        (Right.ADMINISTER_FOR_ALTINN, DCR_WRITE),
        (Right.LOOK_INTO_OTHERS, "idporten:scopes.read"),
    ],
)
def test_a_smaller_scope_is_not_enough(right: Right, scope: str) -> None:
    with pytest.raises(DeniedError):
        permissions.require(caller(OWNER, scope), right)


@pytest.mark.parametrize(
    ("the_client", "orgno", "scopes", "reads", "writes"),
    [
        (OWN, OWNER, (), True, True),
        (OWN, STRANGER, (DCR_SUPPLIER,), False, False),
        (SUPPLIED, OWNER, (), True, False),
        (SUPPLIED, SUPPLIER, (DCR_SUPPLIER,), True, True),
        (SUPPLIED, SUPPLIER, (), False, False),
        (SUPPLIED, STRANGER, (DCR_SUPPLIER,), False, False),
        (VIRKSYS, OWNER, (), True, True),
        (VIRKSYS, ALTINN, (DCR_SUPPLIER,), True, True),
        (VIRKSYS, ALTINN, (), False, False),
        (BY_ALTINN, OWNER, (), True, False),
        (BY_ALTINN, ALTINN, (DCR_SUPPLIER,), True, True),
        (BY_ALTINN, STRANGER, (DCR_SUPPLIER, DCR_ALTINN), False, False),
    ],
)
def test_ownership_decides_who_reads_and_who_writes(
    the_client: Client, orgno: OrgNumber, scopes: tuple[str, ...], reads: bool, writes: bool
) -> None:
    who = caller(orgno, *scopes)
    for may, rule in ((reads, permissions.require_reader), (writes, permissions.require_writer)):
        if may:
            rule(who, the_client)
        else:
            with pytest.raises(DeniedError):
                rule(who, the_client)


def test_a_client_made_through_the_altinn_endpoints_is_for_its_maker_alone() -> None:
    permissions.require_maker(caller(ALTINN, client_id="admin"), BY_ALTINN)
    for who, the_client in ((caller(ALTINN, client_id="other"), BY_ALTINN), (caller(OWNER), OWN)):
        with pytest.raises(DeniedError, match="not made by this"):
            permissions.require_maker(who, the_client)


@pytest.mark.parametrize(
    ("orgno", "scopes", "integration_type", "supplier"),
    [
        (OWNER, (), "maskinporten", None),
        (OWNER, (DCR_SUPPLIER,), "maskinporten", None),
        (SUPPLIER, (DCR_SUPPLIER,), "maskinporten", SUPPLIER),
        (ALTINN, (DCR_SUPPLIER,), "altinn_virksys", ALTINN),
        (SUPPLIER, (DCR_SUPPLIER, DCR_ALTINN), "altinn_virksys", SUPPLIER),
        (OWNER, (), "altinn_virksys", None),
    ],
)
def test_the_supplier_of_a_new_client_is_its_maker_unless_it_is_its_owner(
    orgno: OrgNumber, scopes: tuple[str, ...], integration_type: str, supplier: OrgNumber | None
) -> None:
    found = permissions.supplier_of_new_client(
        caller(orgno, *scopes), OWNER, integration_type, altinn=frozenset({ALTINN})
    )
    assert found == supplier


@pytest.mark.parametrize(
    ("scopes", "integration_type", "reason"),
    [
        ((DCR_WRITE,), "maskinporten", "not_a_supplier"),
        # It would live on the accesses of whomever the supplier cares to name.
        ((DCR_WRITE, DCR_SUPPLIER), "altinn_virksys", "not_altinn"),
    ],
)
def test_not_everybody_makes_clients_for_others(scopes: tuple[str, ...], integration_type: str, reason: str) -> None:
    with pytest.raises(DeniedError) as denied:
        permissions.supplier_of_new_client(
            caller(SUPPLIER, *scopes), OWNER, integration_type, altinn=frozenset({ALTINN})
        )
    assert denied.value.reason == reason

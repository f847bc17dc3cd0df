"""A plan tells what lies between a world and what there is."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings

from fullmakt.altinn.consents.declared import DeclaredConsent, DeclaredRight
from fullmakt.altinn.parties.model import Organisation, Person, Role
from fullmakt.kernel.identifiers import NationalId, OrgNumber, ScopeName
from fullmakt.world.errors import WorldFaults
from fullmakt.world.model import (
    Access,
    AccessList,
    ApiKey,
    Certificate,
    Client,
    Connection,
    ConsentService,
    Delegation,
    DelegationSource,
    EndedRole,
    EnterpriseCertificate,
    GeneratedKey,
    Kind,
    Prefix,
    PublicKeys,
    Resource,
    Right,
    Scope,
    ServiceOwner,
    SrrEntry,
    System,
    SystemUser,
    World,
)
from fullmakt.world.plan import Action, plan
from tests.unit.world.strategies import KEYS, worlds

BANK, BRANCH, OFFICE = OrgNumber("910753614"), OrgNumber("991825827"), OrgNumber("310943223")
KARI = NationalId("05895199925")
REAL = NationalId("31123999935")  # born on the last day of 2039, and so nobody's
LATER = datetime(2030, 1, 1, tzinfo=UTC)
WHOAMI = ScopeName("fullmakt:whoami")
CLIENT = Client("demo", "id-1", BANK, GeneratedKey(), "demo", "demo", scopes=(WHOAMI,))
WORLD = World(
    organisations=(Organisation(BANK, "Bank"),),
    people=(Person(KARI, "Kari"),),
    roles=(Role(KARI, "dagl", BANK),),
    service_owners=(ServiceOwner("bank", BANK, (("nb", "Bank"),)),),
    delegation_sources=(DelegationSource("https://tt02.altinn.no/", "altinn"),),
    prefixes=(Prefix("fullmakt", BANK),),
    scopes=(Scope(WHOAMI, "Who?", delegation_source="https://tt02.altinn.no/"),),
    accesses=(Access(WHOAMI, BANK),),
    resources=(Resource("bank-api", "bank", '{"resourceType": "Consent"}'),),
    access_lists=(AccessList("bank", "few", "Few", members=(BANK,), connections=(Connection("bank-api"),)),),
    delegations=(Delegation(BANK, BANK, "bank-api"),),
    rights=(Right(BANK, KARI, "bank-api", ("read",)),),
    certificates=(Certificate("bank", BANK),),
    clients=(CLIENT,),
    consent_services=(ConsentService("bank-api", "5498", 1),),
    srr_entries=(SrrEntry("5498", 1, BANK, LATER),),
    api_keys=(ApiKey("bank", BANK),),
    consents=(DeclaredConsent(UUID(int=1), KARI, BANK, (DeclaredRight("bank-api"),), LATER, answered_by=KARI),),
    systems=(System("910753614_bank", BANK, (("nb", "Bank"),), (("nb", "Bank"),), ("id-1",), ("bank-api",)),),
    system_users=(SystemUser("910753614_bank", BANK, "910753614", "Bank", resources=("bank-api",)),),
)


def test_what_is_not_there_is_created_in_an_order_that_can_be_taken() -> None:
    steps = plan(WORLD, World()).steps
    assert {step.action for step in steps} == {Action.CREATE}
    assert [step.kind for step in steps] == list(Kind)


def test_what_is_there_as_declared_is_left_alone() -> None:
    result = plan(WORLD, WORLD)
    assert result.changes == ()
    assert str(result) == "0 to create, 0 to change, 20 as they should be"


def test_what_differs_is_changed_and_the_difference_told() -> None:
    changed = replace(
        CLIENT, scopes=(), active=False, supplier=None, credentials=EnterpriseCertificate(), client_name="Ny"
    )
    result = plan(replace(WORLD, clients=(changed,)), WORLD)
    assert str(result).splitlines()[0] == (
        "~ client demo id-1 (credentials: a key in the state folder → an enterprise certificate; "
        "client_name: demo → Ny; scopes: [fullmakt:whoami] → []; active: yes → no)"
    )
    assert result.as_json()["changes"] == 1
    assert [step for step in result.as_json()["steps"] if step["kind"] == "client"] == [
        {
            "action": "change",
            "kind": "client",
            "entry": "demo id-1",
            "differences": [
                {"field": "credentials", "before": "a key in the state folder", "after": "an enterprise certificate"},
                {"field": "client_name", "before": "demo", "after": "Ny"},
                {"field": "scopes", "before": "[fullmakt:whoami]", "after": "[]"},
                {"field": "active", "before": "yes", "after": "no"},
            ],
        }
    ]


def test_a_role_is_ended_once() -> None:
    ended = World(roles=(EndedRole(KARI, "dagl", BANK),))
    (step,) = plan(ended, WORLD).changes
    assert str(step) == f"~ role {KARI} dagl {BANK} (state: held → ended)"
    assert plan(ended, replace(WORLD, roles=())).changes == ()


def test_parents_come_before_those_below_them() -> None:
    world = World(
        organisations=(
            Organisation(OFFICE, "Kontor", parent=BRANCH),
            Organisation(BRANCH, "Filial", parent=BANK),
            Organisation(BANK, "Bank"),
        )
    )
    assert [step.entry for step in plan(world, World()).steps] == list(reversed(world.organisations))


def test_a_loop_of_parents_is_a_fault() -> None:
    world = World(
        organisations=(Organisation(BANK, "Bank", parent=BRANCH), Organisation(BRANCH, "Filial", parent=BANK))
    )
    with pytest.raises(WorldFaults, match="organisations stand above one another in a loop"):
        plan(world, World())


def test_every_reference_that_leads_nowhere_is_told() -> None:
    lost = World(
        organisations=(Organisation(OFFICE, "Kontor", parent=BRANCH),),
        roles=(Role(KARI, "dagl", BANK), Role(BRANCH, "regn", OFFICE)),
        prefixes=(Prefix("fullmakt", BANK),),
        scopes=(Scope(ScopeName("other:x"), "x", delegation_source="https://nowhere/"),),
        accesses=(Access(WHOAMI, BANK),),
        resources=(Resource("bank-api", "bank", "{}"),),
        access_lists=(AccessList("bank", "few", "Few", members=(BANK,), connections=(Connection("bank-api"),)),),
        delegations=(Delegation(BANK, BANK, "bank-api"),),
        rights=(Right(BANK, KARI, "bank-api", ("read",)),),
        certificates=(Certificate("bank", BANK),),
        clients=(replace(CLIENT, supplier=BRANCH),),
        lines={("client", 1, None): 70, ("client", 1, "scopes"): 77},
    )
    with pytest.raises(WorldFaults) as refused:
        plan(lost, World())
    assert [str(fault) for fault in refused.value.faults] == [
        f"[[organisation]] number 1, parent: no organisation {BRANCH} in the file or in the database",
        f"[[role]] number 1, person: no person {KARI} in the file or in the database",
        f"[[role]] number 1, organisation: no organisation {BANK} in the file or in the database",
        f"[[role]] number 2, holder: no organisation {BRANCH} in the file or in the database",
        f"[[prefix]] number 1, owner: no organisation {BANK} in the file or in the database",
        "[[scope]] number 1, name: no prefix other in the file or in the database",
        "[[scope]] number 1, delegation_source: no delegation_source https://nowhere/ in the file or in the database",
        "[[access]] number 1, scope: no scope fullmakt:whoami in the file or in the database",
        f"[[access]] number 1, consumer: no organisation {BANK} in the file or in the database",
        "[[resource]] number 1, owner: no service_owner bank in the file or in the database",
        "[[access_list]] number 1, owner: no service_owner bank in the file or in the database",
        f"[[access_list]] number 1, members: no organisation {BANK} in the file or in the database",
        f"[[delegation]] number 1, consumer: no organisation {BANK} in the file or in the database",
        f"[[delegation]] number 1, supplier: no organisation {BANK} in the file or in the database",
        f"[[right]] number 1, giver: no organisation {BANK} in the file or in the database",
        f"[[right]] number 1, receiver: no person {KARI} in the file or in the database",
        f"[[certificate]] number 1, organisation: no organisation {BANK} in the file or in the database",
        f"line 70, [[client]] number 1, organisation: no organisation {BANK} in the file or in the database",
        f"line 70, [[client]] number 1, supplier: no organisation {BRANCH} in the file or in the database",
        "line 77, [[client]] number 1, scopes: no scope fullmakt:whoami in the file or in the database",
    ]


def test_what_is_referred_to_may_be_there_already() -> None:
    (step,) = plan(World(clients=(CLIENT,)), WORLD).steps
    assert step.action is Action.UNCHANGED


@pytest.mark.parametrize(
    ("members", "told"),
    [
        ({"organisation": BRANCH}, "organisation: id-1 is there with 910753614, which never changes"),
        ({"supplier": BRANCH}, "supplier: id-1 is there with none, which never changes"),
        ({"integration_type": "eformidling"}, "integration_type: id-1 is there with maskinporten, which never changes"),
    ],
)
def test_whose_a_client_is_and_its_type_never_change(members: dict[str, Any], told: str) -> None:
    there = WORLD | World(organisations=(Organisation(BRANCH, "Filial"),))
    with pytest.raises(WorldFaults, match=told):
        plan(World(clients=(replace(CLIENT, **members),)), there)


def test_a_real_person_s_number_is_masked_in_a_plan_and_in_faults() -> None:
    told = str(plan(World(people=(Person(REAL, "Kari"),)), World()))
    assert "31********* Kari" in told
    with pytest.raises(WorldFaults) as refused:
        plan(World(roles=(Role(REAL, "dagl", BANK),)), WORLD)
    assert REAL not in f"{told} {refused.value}"
    assert "no person 31*********" in str(refused.value)


def test_the_scopes_of_krr_need_not_be_anybody_s() -> None:
    krr = replace(CLIENT, integration_type="krr", scopes=(ScopeName("krr:global/digitalpost.read"),))
    assert plan(World(clients=(krr,)), replace(WORLD, clients=())).changes


@given(worlds)
@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
def test_nothing_lies_between_a_world_and_itself(world: World) -> None:
    with suppress(WorldFaults):  # it may well refer to what it does not declare
        assert plan(world, world).changes == ()


def test_public_keys_are_told_by_their_ids() -> None:
    there = replace(CLIENT, credentials=PublicKeys((KEYS[0], KEYS[1])))
    (step,) = plan(World(clients=(CLIENT,)), replace(WORLD, clients=(there,))).changes
    assert str(step.differences[0]) == "credentials: public keys key-0, key-1 → a key in the state folder"

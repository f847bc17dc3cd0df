"""What a role gives: by which role, in which organisation form, to a person or to an organisation."""

from __future__ import annotations

import pytest

from fullmakt.altinn.parties.metadata.load import published
from fullmakt.altinn.parties.metadata.model import RoleSource
from fullmakt.altinn.parties.metadata.rules import (
    HeldRole,
    RightsTable,
    known_packages,
    known_roles,
    packages_given,
    spellings,
)
from fullmakt.wire.altinn.attributes import ACCESS_PACKAGE, ROLE, ROLE_CCR, ROLE_CODE, ROLE_CRA, Attribute
from fullmakt.wire.altinn.parties import HeldRights

TABLE = RightsTable(published())


def _held(code: str, form: str | None = "AS", *, by_person: bool = True) -> HeldRights:
    return TABLE.held([HeldRole(code, form)], by_person=by_person)


def _roles(rights: HeldRights) -> set[str]:
    return {attribute.urn for attribute in rights.roles}


def _packages(rights: HeldRights) -> set[str]:
    return {attribute.value for attribute in rights.packages}


@pytest.mark.parametrize(
    ("code", "form", "roles", "packages"),
    [
        # code, form, how many spellings of roles, how many packages
        ("dagl", "AS", 26, 133),
        ("dtso", "ANS", 26, 133),
        ("dtpr", "DA", 26, 133),
        ("innh", "ENK", 26, 131),
        ("lede", "AS", 24, 132),
        ("lede", "FLI", 24, 132),
        ("best", "PRE", 24, 115),
        ("komp", "KS", 21, 131),
        ("bobe", "KBO", 22, 126),
        ("repr", "NUF", 24, 10),
        ("knuf", "NUF", 5, 13),
        ("knuf", "AS", 5, 12),
        ("nest", "AS", 8, 0),
        ("medl", "AS", 5, 0),
        ("vara", "AS", 2, 0),
        ("kont", "AS", 8, 0),
        ("sign", "AS", 2, 0),
        ("regn", "AS", 5, 3),
        ("revi", "AS", 4, 2),
        ("ffør", "AS", 12, 0),
        ("ffør", "BRL", 12, 1),
        ("ffør", "ESEK", 12, 1),
        ("ffør", "NUF", 12, 10),
        ("priv", None, 17, 35),
    ],
)
def test_each_role_gives_what_is_published(code: str, form: str | None, roles: int, packages: int) -> None:
    rights = _held(code, form)
    assert (len(rights.roles), len(rights.packages)) == (roles, packages)


@pytest.mark.parametrize("code", ["dagl", "lede", "innh", "dtso", "dtpr", "komp", "best", "bobe"])
def test_whoever_leads_an_organisation_may_administer_its_apis(code: str) -> None:
    rights = _held(code)
    assert {"urn:altinn:rolecode:apiadm", "urn:altinn:rolecode:admai", "urn:altinn:rolecode:utinn"} <= _roles(rights)
    assert {"maskinporten-scopes", "maskinporten-administrator", "tilgangsstyrer", "klientadministrator"} <= _packages(
        rights
    )
    assert "post-til-virksomheten-med-taushetsbelagt-innhold" not in _packages(rights)


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("dagl", True), ("lede", True), ("innh", True), ("dtso", True), ("dtpr", True), ("best", True),
        ("komp", False), ("bobe", False), ("repr", False), ("medl", False), ("regn", False),
    ],
)  # fmt: skip
def test_the_main_administrator_is_held_under_both_its_names(code: str, *, expected: bool) -> None:
    names = {"urn:altinn:role:hovedadministrator", "urn:altinn:rolecode:hadm"}
    assert (names <= _roles(_held(code))) is expected
    assert names.isdisjoint(_roles(_held(code))) is not expected


@pytest.mark.parametrize(
    ("code", "name"),
    [
        ("dagl", "daglig-leder"), ("lede", "styreleder"), ("nest", "nestleder"), ("medl", "styremedlem"),
        ("vara", "varamedlem"), ("innh", "innehaver"), ("dtso", "deltaker-fullt-ansvar"),
        ("dtpr", "deltaker-delt-ansvar"), ("komp", "komplementar"), ("best", "bestyrende-reder"), ("bobe", "bostyrer"),
        ("kont", "kontaktperson"), ("knuf", "kontaktperson-nuf"), ("repr", "norsk-representant"),
        ("regn", "regnskapsforer"), ("revi", "revisor"), ("ffør", "forretningsforer"),
    ],
)  # fmt: skip
def test_register_roles_are_spelled_the_old_way_and_the_new_side_by_side(code: str, name: str) -> None:
    both = {f"urn:altinn:rolecode:{code}", f"urn:altinn:external-role:ccr:{name}"}
    assert both <= _roles(_held(code))


def test_a_person_is_private_to_themselves() -> None:
    assert {"urn:altinn:role:privatperson", "urn:altinn:rolecode:priv"} <= _roles(_held("priv", None))


def test_an_accountant_gets_packages_in_its_client_and_no_roles() -> None:
    rights = _held("regn", by_person=False)
    assert rights.roles == frozenset()
    assert _packages(rights) == {
        "regnskapsforer-lonn",
        "regnskapsforer-med-signeringsrettighet",
        "regnskapsforer-uten-signeringsrettighet",
    }
    assert _packages(_held("revi", by_person=False)) == {"ansvarlig-revisor", "revisormedarbeider"}
    assert _packages(_held("ffør", "BRL", by_person=False)) == {"forretningsforer-eiendom"}


def test_the_estate_administrator_alone_reads_and_writes_for_the_estate() -> None:
    assert {"konkursbo-lesetilgang", "konkursbo-skrivetilgang"} <= _packages(_held("bobe", "KBO"))
    assert "konkursbo-lesetilgang" not in _packages(_held("dagl"))


def test_a_role_that_the_metadata_does_not_know_is_itself_and_nothing_else() -> None:
    rights = _held("stedfortreder")
    assert _roles(rights) == {"urn:altinn:rolecode:stedfortreder"}
    assert rights.packages == frozenset()


def test_each_right_tells_every_role_that_gave_it() -> None:
    rights = TABLE.held([HeldRole("dagl", "AS"), HeldRole("medl", "AS")], by_person=True)
    via = {(attribute.urn, code) for attribute, code in rights.via}
    assert {
        ("urn:altinn:rolecode:utinn", "dagl"),
        ("urn:altinn:rolecode:utinn", "medl"),
        ("urn:altinn:rolecode:apiadm", "dagl"),
        ("urn:altinn:external-role:ccr:styremedlem", "medl"),
        ("urn:altinn:accesspackage:skattegrunnlag", "dagl"),
    } <= via
    assert {attribute for attribute, _ in rights.via} == rights.roles | rights.packages


def test_several_roles_add_up_whatever_their_order() -> None:
    roles = [HeldRole("nest", "AS"), HeldRole("regn", "AS"), HeldRole("nest", "FLI")]
    together = TABLE.held(roles, by_person=True)
    assert together == TABLE.held(reversed(roles), by_person=True)
    assert together.roles == _held("nest").roles | _held("regn").roles


def test_nobody_holds_nothing() -> None:
    assert TABLE.held([], by_person=True) == HeldRights()


def test_key_roles_are_those_whose_holder_acts_for_the_organisation() -> None:
    assert published().key_roles == {"dagl", "lede", "innh", "dtso", "dtpr", "komp", "best", "bobe"}


def test_the_catalogue_holds_all_that_anybody_can_hold() -> None:
    roles, packages = known_roles(published()), known_packages(published())
    for gift in published().gifts:
        for code in gift.held:
            rights = TABLE.held([HeldRole(code, form) for form in published().forms], by_person=True)
            assert rights.roles <= roles
            assert rights.packages <= packages
    assert Attribute(ROLE_CODE, "apiadmnuf") in roles
    assert Attribute(ROLE_CCR, "daglig-leder") in roles
    assert Attribute(ROLE, "rettighetshaver") in roles
    assert Attribute(ROLE_CRA, "skatteetaten-skatt") in roles
    assert Attribute(ACCESS_PACKAGE, "vergemal-skatteetaten-skatt") in packages
    assert len(packages) == 223


def test_a_guardians_package_is_given_by_the_authority_alone() -> None:
    guardian = next(role for role in published().roles if role.source is RoleSource.GUARDIANSHIP)
    assert packages_given(published(), guardian, "AS") == frozenset()
    assert not any(
        package.assignable for area in published().group_by_key["vergemal"].areas for package in area.packages
    )


def test_an_unknown_code_has_one_spelling() -> None:
    assert spellings(published(), "hadm") == {Attribute(ROLE_CODE, "hadm"), Attribute(ROLE, "hovedadministrator")}
    assert spellings(published(), "apiadm") == {Attribute(ROLE_CODE, "apiadm")}
    assert spellings(published(), "ukjent") == {Attribute(ROLE_CODE, "ukjent")}

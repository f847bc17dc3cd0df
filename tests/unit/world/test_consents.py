"""Consents in a world file: what can be declared, what it comes to beside what is there, and what is written back."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fullmakt.altinn.consents.declared import DeclaredConsent, DeclaredRight, State, contradictions, way
from fullmakt.altinn.consents.model import Form, PortalViewMode
from fullmakt.kernel.identifiers import NationalId, OrgNumber
from fullmakt.world.errors import WorldFaults
from fullmakt.world.export import export
from fullmakt.world.model import ConsentService, Resource, World
from fullmakt.world.parse import parse
from fullmakt.world.plan import plan
from tests.unit.world.strategies import PEOPLE

KARI, OLA, REAL = NationalId("05895199925"), NationalId("12846799972"), NationalId("31123999935")
BANK, AGENT = OrgNumber("910753614"), OrgNumber("312044005")
LATER = datetime(2099, 1, 1, tzinfo=UTC)
ID = UUID("0b5f0a4e-54a5-4b5c-9d6e-111111111111")
SALDO = DeclaredRight("etat_5498_1", (("navn", "Banken"),))
TERMS = '{"resourceType": "Consent", "consentMetadata": {"Navn": {"optional": true}, "Aar": {"optional": true}}}'
POA = '{"resourceType": "Consent", "consentTemplate": "poa"}'
RESOURCES = (
    Resource("etat_5498_1", "etat", TERMS.replace(', "Aar": {"optional": true}', "")),
    Resource("etat_5498_2", "etat", TERMS),
    Resource("etat_poa_1", "etat", POA),
    Resource("etat-api", "etat", '{"resourceType": "MaskinportenSchema"}'),
)
GIVEN = DeclaredConsent(ID, KARI, BANK, (SALDO,), LATER, answered_by=KARI)

TEXT = f"""
[[consent]]
id = "{ID}"
from = "{KARI}"
to = "{BANK}"
rights = [{{ resource = "etat_5498_1", metadata = {{ Navn = "Banken" }} }}]
valid_to = 2099-01-01T01:00:00+01:00
"""


def faults(text: str) -> list[str]:
    with pytest.raises(WorldFaults) as refused:
        parse(text)
    return [f"{fault.place.field if fault.place else ''}: {fault.message}" for fault in refused.value.faults]


def there(*consents: DeclaredConsent) -> World:
    """A world in which everybody is registered, and these consents are there."""
    file = parse(
        "".join(f'[[organisation]]\norgno = "{one}"\nname = "Org"\n' for one in (BANK, AGENT))
        + "".join(f'[[person]]\nid = "{one}"\nname = "Per"\n' for one in (KARI, OLA, REAL))
    )
    return replace(file, resources=RESOURCES, consents=consents)


def plan_faults(consent: DeclaredConsent, *before: DeclaredConsent) -> list[str]:
    try:
        plan(World(consents=(consent,)), there(*before))
    except WorldFaults as refused:
        return [f"{fault.place.field if fault.place else ''}: {fault.message}" for fault in refused.faults]
    return []


def test_a_consent_is_given_by_the_person_whom_it_is_from_unless_the_file_says_otherwise() -> None:
    assert parse(TEXT).consents == (GIVEN,)
    assert parse(TEXT + f'required_delegator = "{OLA}"').consents == (
        replace(GIVEN, required_delegator=OLA, answered_by=OLA),
    )


@pytest.mark.parametrize(
    ("more", "fault"),
    [
        ('state = "created"', "redirect_url: whoever answers is sent somewhere: missing"),
        ('state = "opened"\nredirect_url = "https://bank.example/"', "state: only a request of Altinn 2's form"),
        ('state = "lapsed"', "state: one of accepted, created"),
        ("migrated = true", "migrated: only a consent that was given in Altinn 2's form"),
        ('migrated = true\nform = "altinn2"\nstate = "rejected"', "migrated: only a consent that was given"),
        (f'state = "withdrawn"\nanswered_by = "{KARI}"', "answered_by: nobody has answered what is withdrawn"),
        (f'answered_by = "{KARI}"\nrequired_delegator = "{OLA}"', "answered_by: nobody but the required_delegator"),
        ('redirect_url = "javascript:alert(1)"', "redirect_url: an absolute URL"),
        ('message = { se = "Hei" }', "message: languages are"),
        ('handled_by = "12"', "handled_by: "),
        ('form = "altinn4"', "form: one of altinn2, altinn3"),
        ("notification_url = 1", "notification_url: unknown field"),
    ],
)  # fmt: skip
def test_what_can_not_be_so_is_a_fault(more: str, fault: str) -> None:
    (told,) = faults(TEXT + more)
    assert told.startswith(fault)


@pytest.mark.parametrize(
    ("was", "becomes", "fault"),
    [
        (f'"{ID}"', '"one"', "id: a UUID, not 'one'"),
        (f'"{ID}"', f'"{ID.hex}"', "id: a UUID, not"),
        ("2099-01-01T01:00:00+01:00", "2099-01-01", "valid_to: a time with its offset"),
        ("2099-01-01T01:00:00+01:00", "9999-12-31T23:59:59-05:00", "valid_to: a time in the years"),
        ("2099-01-01T01:00:00+01:00", "0001-01-01T00:00:00+05:00", "valid_to: a time in the years"),
        (f'from = "{KARI}"', f'from = "{BANK}"', "answered_by: which person has answered"),
        (f'from = "{KARI}"', 'from = "05895199926"', "from: "),
        ("[{ resource", "[]  # {", "rights: an array of 1 to 50 tables"),
        ("resource =", "service =", "rights: a right has resource, metadata, actions"),
        ('resource = "etat_5498_1", ', "", "rights: which resource is the right to?"),
        ('Navn = "Banken"', 'Navn = ""', "rights: text of 1 to 1000 characters"),
        ('Navn = "Banken"', 'Navn = "\\u0000"', "rights: text of 1 to 1000 characters"),
        ('Navn = "Banken"', 'Navn = "A", navn = "B"', "rights: metadata has a key twice"),
        ('Navn = "Banken"', "Navn = 1", "rights: text of 1 to 1000 characters"),
        ("metadata = { Navn", "actions = [], metadata = { Navn", "rights: actions is an array of at least one"),
    ],
)
def test_what_can_not_be_read_is_a_fault_that_names_nobody(was: str, becomes: str, fault: str) -> None:
    text = TEXT.replace(was, becomes)
    assert text != TEXT
    told = faults(text)
    assert any(one.startswith(fault) for one in told)
    assert not any(str(KARI) in one for one in told)


def test_the_same_id_twice_is_a_fault() -> None:
    assert faults(TEXT + TEXT.upper().replace("[[CONSENT]]", "[[consent]]").replace("FROM", "from"))


def test_whoever_has_to_do_with_it_must_be_there_and_a_real_person_is_masked() -> None:
    consent = replace(GIVEN, giver=REAL, answered_by=REAL, handled_by=AGENT)
    with pytest.raises(WorldFaults) as refused:
        plan(World(consents=(consent,)), World())
    fields = [fault.place.field for fault in refused.value.faults if fault.place]
    assert fields == ["from", "to", "handled_by", "answered_by", "rights"]
    assert str(REAL) not in str(refused.value)


@pytest.mark.parametrize(
    ("form", "rights", "fault"),
    [
        (Form.ALTINN3, (DeclaredRight("etat-api"),), "rights: etat-api is no resource of type Consent"),
        (Form.ALTINN3, (DeclaredRight("etat_5498_1"),), "rights: the metadata 'navn' of etat_5498_1 is missing"),
        (Form.ALTINN3, (DeclaredRight("etat_5498_1", (("navn", "x"), ("y", "1"))),), "etat_5498_1 has no metadata 'y'"),
        (Form.ALTINN2, (DeclaredRight("etat_5498_1", (("y", "1"),)),), "etat_5498_1 has no metadata 'y'"),
        (Form.ALTINN3, (SALDO, DeclaredRight("etat_poa_1")), "the resources do not share a template: default, poa"),
    ],
)
def test_rights_must_be_what_the_resources_let_be_consented_to(
    form: Form, rights: tuple[DeclaredRight, ...], fault: str
) -> None:
    (told,) = plan_faults(replace(GIVEN, form=form, rights=rights))
    assert told.endswith(fault)


def test_in_altinn_2_s_form_what_is_optional_may_be_left_out() -> None:
    assert plan_faults(replace(GIVEN, form=Form.ALTINN2, rights=(DeclaredRight("etat_5498_1"),))) == []


_ALL = sorted(State)


@pytest.mark.parametrize("before", _ALL)
@pytest.mark.parametrize("after", _ALL)
def test_what_has_happened_can_not_be_undone_by_a_file(before: State, after: State) -> None:
    unanswered = {State.CREATED, State.OPENED}
    given = {State.ACCEPTED, State.REVOKED, State.GIVEN_UP, State.USED_UP}
    can = (
        before is after
        or (before in unanswered and after not in unanswered)
        or (before is State.CREATED and after is State.OPENED)
        or (before is State.ACCEPTED and after in given)
    )
    assert (way(before, after) is not None) is can


def test_a_contradiction_is_told_at_plan_with_what_is_there() -> None:
    revoked = replace(GIVEN, state=State.REVOKED)
    assert plan_faults(GIVEN, revoked) == [f"state: {ID} is there with revoked, which can not become accepted"]
    assert plan_faults(revoked, GIVEN) == plan_faults(revoked, revoked) == []
    (told,) = plan_faults(replace(GIVEN, receiver=AGENT), GIVEN)
    assert told == f"to: {ID} is there with {BANK}, which can not become {AGENT}"
    (told,) = plan_faults(replace(GIVEN, giver=OLA), replace(GIVEN, giver=REAL))
    assert told.startswith("from:")
    assert str(REAL) not in told


def test_of_a_consent_that_is_there_as_declared_nothing_is_asked() -> None:
    gone = replace(GIVEN, rights=(DeclaredRight("etat_5498_1"),))
    assert plan_faults(gone, gone) == []


def test_only_what_stands_is_taken_over_and_never_given_back() -> None:
    old = replace(GIVEN, form=Form.ALTINN2)
    revoked = replace(old, state=State.REVOKED)
    taken = replace(old, migrated=True)
    assert list(contradictions(old, taken)) == list(contradictions(old, replace(revoked, migrated=True))) == []
    assert list(contradictions(taken, old)) == []
    given_back = list(contradictions(taken, replace(old, migrated=False)))
    assert given_back == list(contradictions(revoked, replace(revoked, migrated=True))) == ["migrated"]


def test_a_change_is_told_with_a_real_person_masked() -> None:
    asked = replace(GIVEN, state=State.CREATED, answered_by=None, giver=REAL, redirect_url="https://bank.example/")
    told = str(plan(World(consents=(replace(asked, state=State.ACCEPTED, answered_by=REAL),)), there(asked)))
    assert "state: created → accepted; answered_by: none → 31*********" in told
    assert str(REAL) not in told


@st.composite
def consents(draw: st.DrawFn) -> DeclaredConsent:
    form = draw(st.sampled_from(list(Form)))
    states = [one for one in State if one is not State.OPENED or form is Form.ALTINN2]
    state = draw(st.sampled_from(states))
    giver: Any = draw(st.sampled_from([*PEOPLE, BANK]))
    required = draw(st.none() | st.sampled_from(PEOPLE))
    by_another = st.sampled_from([required] if required else PEOPLE)
    texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1).filter(str.strip)
    year = draw(texts)
    rights = st.sampled_from([SALDO, DeclaredRight("etat_5498_2", (("aar", year), ("navn", "x")), ("read", "consent"))])
    return DeclaredConsent(
        id=draw(st.uuids()),
        giver=giver,
        receiver=BANK,
        rights=tuple(draw(st.lists(rights, min_size=1, max_size=3))),
        valid_to=draw(st.datetimes(datetime(1971, 1, 1), datetime(9998, 1, 1), timezones=st.just(UTC))),  # noqa: DTZ001 - given above
        form=form,
        state=state,
        handled_by=draw(st.none() | st.just(AGENT)),
        required_delegator=required,
        answered_by=draw(by_another) if state.was_answered else None,
        message=tuple(sorted(draw(st.dictionaries(st.sampled_from(["nb", "nn", "en"]), texts)).items())),
        redirect_url="https://bank.example/?a=1",
        portal_view_mode=draw(st.sampled_from(list(PortalViewMode))),
        migrated=draw(st.sampled_from([None, False, True] if state.was_given and form is Form.ALTINN2 else [None])),
    )


@given(st.lists(consents(), max_size=3, unique_by=lambda each: each.id))
def test_exported_consents_read_back_as_themselves(given: list[DeclaredConsent]) -> None:
    world = World(consents=tuple(given), resources=RESOURCES[:2])
    assert parse(export(world)).consents == world.consents


@pytest.mark.parametrize(
    ("consent", "why"),
    [
        (replace(GIVEN, rights=(DeclaredRight("gone_1_1"),)), "a resource of it is registered no more"),
        (replace(GIVEN, answered_by=None), "whoever answered is registered no more"),
        (replace(GIVEN, state=State.CREATED, answered_by=None), "it sends nobody anywhere"),
        (replace(GIVEN, rights=(DeclaredRight("etat_5498_1"),)), "the metadata 'navn' of etat_5498_1 is missing"),
    ],
)
def test_what_can_not_be_declared_anew_is_left_out_with_the_reason(consent: DeclaredConsent, why: str) -> None:
    text = export(World(consents=(consent,), resources=RESOURCES))
    assert f"# {ID} is left out: {why}" in text
    assert parse(text).consents == ()


USED_UP = replace(GIVEN, form=Form.ALTINN2, state=State.USED_UP)
NOT_ONE_TIME = "state: only a consent for one time can be used up, and none of its resources is for one time"


def one_time_faults(consent: DeclaredConsent, resource: str, service: ConsentService | None) -> list[str]:
    """What is at fault where the resource that is consented to says ``resource`` of one time, and its service this."""
    terms = TERMS.replace('"Consent",', f'"Consent", {resource}').replace(', "Aar": {"optional": true}', "")
    file = World(
        resources=(Resource("etat_5498_1", "etat", terms),),
        consent_services=() if service is None else (service,),
        consents=(consent,),
    )
    try:
        plan(file, replace(there(), service_owners=parse(OWNER).service_owners))
    except WorldFaults as refused:
        return [f"{fault.place.field if fault.place else ''}: {fault.message}" for fault in refused.faults]
    return []


OWNER = f"""
[[organisation]]
orgno = "{BANK}"
name = "Bank"

[[service_owner]]
code = "etat"
organisation = "{BANK}"
name = "Etat"
"""
ONE_TIME = '"isOneTimeConsent": true,'


@pytest.mark.parametrize(
    ("resource", "service", "found"),
    [
        ("", None, [NOT_ONE_TIME]),
        (ONE_TIME, None, []),
        ("", ConsentService("etat_5498_1", "5498", 1, one_time=True), []),
        (ONE_TIME, ConsentService("etat_5498_1", "5498", 1, one_time=False), [NOT_ONE_TIME]),
        (ONE_TIME, ConsentService("etat_5498_1", "5498", 1), []),
    ],
)
def test_only_what_is_for_one_time_can_be_declared_used_up(
    resource: str, service: ConsentService | None, found: list[str]
) -> None:
    assert one_time_faults(USED_UP, resource, service) == found
    assert one_time_faults(replace(USED_UP, state=State.REVOKED), resource, service) == []


@pytest.mark.parametrize("state", [State.ACCEPTED, State.REVOKED])
def test_of_one_that_altinn_3_took_over_nothing_is_asked_where_the_file_does_not_say(state: State) -> None:
    declared = replace(GIVEN, form=Form.ALTINN2, state=state)
    for before in (declared, replace(declared, migrated=True)):
        assert plan(World(consents=(declared,)), there(before)).changes == ()


def test_one_that_altinn_3_took_over_ends_by_a_file_that_does_not_say_so() -> None:
    taken = replace(GIVEN, form=Form.ALTINN2, migrated=True)
    ended = replace(taken, state=State.REVOKED, migrated=None)
    (step,) = plan(World(consents=(ended,)), there(taken)).changes
    assert [str(each) for each in step.differences] == ["state: accepted → revoked"]


def test_that_altinn_3_has_not_taken_it_over_holds_until_it_has() -> None:
    (said,) = parse(TEXT + 'form = "altinn2"\nmigrated = false').consents
    standing = replace(GIVEN, form=Form.ALTINN2)
    assert plan(World(consents=(said,)), there(standing)).changes == ()
    assert plan_faults(said, replace(standing, migrated=True)) == [
        f"migrated: {ID} has been taken over by Altinn 3, which is not undone: leave migrated out, or say true"
    ]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"receiver": AGENT}, "to"),
        ({"form": Form.ALTINN3}, "form"),
        ({"valid_to": LATER.replace(year=2098)}, "valid_to"),
    ],
)
def test_what_was_taken_over_is_contradicted_like_any_other(change: dict[str, Any], field: str) -> None:
    declared = replace(GIVEN, form=Form.ALTINN2)
    (told,) = plan_faults(replace(declared, **change), replace(declared, migrated=True))
    assert told.startswith(f"{field}: {ID} is there with ")


def test_a_take_over_is_told_as_a_change_and_what_has_ended_is_not_taken_over() -> None:
    standing = replace(GIVEN, form=Form.ALTINN2)
    (step,) = plan(World(consents=(replace(standing, migrated=True),)), there(standing)).changes
    assert [str(each) for each in step.differences] == ["migrated: no → yes"]
    ended = replace(standing, state=State.REVOKED)
    (told,) = plan_faults(replace(ended, migrated=True), ended)
    assert told == f"migrated: {ID} is there with no, which can not become yes"

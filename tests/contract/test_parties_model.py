"""What the register answers is what a plain reading of the rules says, whatever roles and hierarchies there are."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from uuid import UUID

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fullmakt.altinn.parties.metadata.load import published
from fullmakt.altinn.parties.model import Role
from fullmakt.infra.database import Database
from fullmakt.kernel.identifiers import NationalId, OrgNumber
from fullmakt.wire.altinn.attributes import Attribute
from tests.support.parties import Register, national_id, orgno, register

CODES = ("dagl", "lede", "innh", "medl", "regn", "revi", "ffør", "knuf", "kont", "ukjent")
FORMS = ("AS", "ENK", "NUF", "BRL", "ORGL", "BEDR", "AAFY")
ORGANISATIONS, PEOPLE = 5, 2
_fresh = itertools.count(1)


@dataclass(frozen=True)
class Drawn:
    """Organisations by place, each with a form and the place of the one above, and who holds which role in which."""

    forms: tuple[str, ...]
    above: tuple[int | None, ...]
    roles: frozenset[tuple[int, str, int]]
    withdrawn: frozenset[tuple[int, str, int]]

    def main_unit(self, place: int) -> int | None:
        return self.above[place] if self.forms[place] in ("BEDR", "AAFY") else None

    def held(self, holder: int, party: int) -> tuple[set[Attribute], set[Attribute]]:
        """What the model says that ``holder`` has in ``party``; people come after the organisations."""
        is_person = holder >= ORGANISATIONS
        codes: list[tuple[str, str | None]] = [("priv", None)] if is_person and holder == party else []
        for place in {party, self.main_unit(party) if party < ORGANISATIONS else None} - {None}:
            assert place is not None
            codes += [
                (code, self.forms[place])
                for who, code, where in self.roles - self.withdrawn
                if (who, where) == (holder, place)
            ]
        roles: set[Attribute] = set()
        packages: set[Attribute] = set()
        for code, form in codes:
            mine, given = _given(code, form)
            roles |= mine if is_person else set()
            packages |= given
        return roles, packages


def _given(code: str, form: str | None) -> tuple[set[Attribute], set[Attribute]]:
    """A reading of the metadata, gift by gift."""
    metadata = published()
    codes: set[str] = {code}
    packages: set[str] = set()
    for gift in metadata.gifts:
        if code in gift.held and (gift.forms is None or form in gift.forms):
            codes |= gift.roles
            packages |= gift.packages
    roles: set[Attribute] = set()
    for each in codes:
        roles.add(Attribute("urn:altinn:rolecode", each))
        roles |= {role.attribute for role in metadata.roles if role.code == each}
    return roles, {Attribute("urn:altinn:accesspackage", name) for name in packages}


@st.composite
def _drawn(draw: st.DrawFn) -> Drawn:
    forms = tuple(draw(st.sampled_from(FORMS)) for _ in range(ORGANISATIONS))
    # The one above comes before, so that there is no circle.
    above = tuple(draw(st.none() | st.integers(0, place - 1)) if place else None for place in range(ORGANISATIONS))
    holders = st.integers(0, ORGANISATIONS + PEOPLE - 1)
    role = st.tuples(holders, st.sampled_from(CODES), st.integers(0, ORGANISATIONS - 1)).filter(
        lambda drawn: drawn[0] != drawn[2]
    )
    roles = draw(st.frozensets(role, max_size=12))
    withdrawn = frozenset(one for one in sorted(roles) if draw(st.booleans()) and draw(st.booleans()))
    return Drawn(forms, above, roles, withdrawn)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(drawn=_drawn())
async def test_held_holders_and_key_roles_agree_with_the_model(database: Database, drawn: Drawn) -> None:
    people = Register(register(database))
    first = next(_fresh) * 10  # every example has parties of its own in the one database
    numbers: list[OrgNumber | NationalId] = [orgno(first + place) for place in range(ORGANISATIONS)]
    numbers += [national_id(first + place) for place in range(PEOPLE)]
    uuids = await _declare(people, drawn, first)
    for who, code, where in sorted(drawn.roles):
        await people.grant(numbers[who], code, first + where)
    for who, code, where in sorted(drawn.withdrawn):
        await people.service.withdraw_role(Role(numbers[who], code, orgno(first + where)))
    expected_holders: dict[int, set[UUID]] = {}
    for holder, party in itertools.product(range(len(uuids)), repeat=2):
        roles, packages = drawn.held(holder, party)
        rights = await people.service.held(uuids[holder], uuids[party])
        assert set(rights.roles) == roles
        assert set(rights.packages) == packages
        assert {attribute for attribute, _ in rights.via} == roles | packages
        if roles or packages:
            expected_holders.setdefault(party, set()).add(uuids[holder])
    for party, uuid in enumerate(uuids):
        holders = await people.service.holders(uuid)
        assert {identity.party_uuid for identity, _ in holders} == expected_holders.get(party, set())
        for identity, rights in holders:
            assert rights == await people.service.held(identity.party_uuid, uuid)
    for uuid in uuids:
        held_by = await people.service.held_by(uuid)
        assert {identity.party_uuid for identity, _ in held_by} == {
            uuids[party] for party, holders_ in expected_holders.items() if uuid in holders_
        }
        for identity, rights in held_by:
            assert rights == await people.service.held(uuid, identity.party_uuid)
    for person in range(ORGANISATIONS, ORGANISATIONS + PEOPLE):
        assert set(await people.service.key_role_organisations(uuids[person])) == {
            uuids[party] for party in range(ORGANISATIONS) if _has_key_role(drawn, person, party)
        }


async def _declare(people: Register, drawn: Drawn, first: int) -> list[UUID]:
    uuids = []
    for place, (form, above) in enumerate(zip(drawn.forms, drawn.above, strict=True)):
        uuids.append(await people.organisation(first + place, form, None if above is None else first + above))
    return [*uuids, *[await people.person(first + place) for place in range(PEOPLE)]]


def _has_key_role(drawn: Drawn, person: int, party: int) -> bool:
    places = {party, drawn.main_unit(party)}
    return any(
        who == person and where in places and code in ("dagl", "lede", "innh")
        for who, code, where in drawn.roles - drawn.withdrawn
    )

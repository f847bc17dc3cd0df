"""Databases with everything that decisions are made on: parties, roles, resources with policies, delegations."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import psycopg

from bench import registry
from fullmakt.altinn.resources.policies.standard import standard_policy
from fullmakt.infra.embedded import EmbeddedPostgres
from fullmakt.jose.keys import LocalSigner
from fullmakt.kernel.identifiers import InvalidIdentifierError, NationalId

AUTHORIZE = "altinn:authorization/authorize"
SLOTS = 10
"""Delegations that each organisation has given."""
ACTION = "read"
_FILL = (Path(__file__).parent / "rights.sql").read_bytes()
_NAME = "{resource}"
_FIRST_ORGANISATION, _FIRST_SUPPLIER, _FIRST_PERSON = 1, 1_000_001, 2_000_001


@dataclass(frozen=True, slots=True)
class Rights:
    """How much there is: policies of that many resources, and ten delegations from each organisation."""

    policies: int
    organisations: int

    @property
    def suppliers(self) -> int:
        """Receivers of delegations."""
        return max(self.organisations // 100, 2 * SLOTS)

    def supplier(self, giver: int, slot: int) -> int:
        """To whom an organisation's delegation is."""
        return (giver + slot) % self.suppliers

    def resource(self, giver: int, slot: int) -> str:
        """What it is about."""
        return resource((SLOTS * giver + slot) % self.policies)


def resource(number: int) -> str:
    """The identifier of a resource."""
    return f"bench-{number}"


def organisation_orgno(number: int) -> str:
    """An organisation that has given away rights."""
    return str(310_000_000 + number)


def supplier_orgno(number: int) -> str:
    """An organisation that has received them."""
    return str(920_000_000 + number)


def people(count: int) -> list[str]:
    """Synthetic national identity numbers (month + 80), valid ones."""
    found: list[str] = []
    day = dt.date(1950, 1, 1)
    while len(found) < count:
        stem = f"{day.day:02}{day.month + 80}{day:%y}"
        found += _valid(stem, min(100, count - len(found)))
        day += dt.timedelta(days=1)
    return found


def _valid(stem: str, count: int) -> Iterator[str]:
    for individual in range(499):
        if count == 0:
            return
        nine = f"{stem}{individual:03}"
        first = _check_digit(nine, (3, 7, 6, 1, 8, 9, 4, 5, 2))
        second = _check_digit(nine + first, (5, 4, 3, 2, 7, 6, 5, 4, 3, 2))
        try:
            yield NationalId(nine + first + second)
        except InvalidIdentifierError:
            continue  # a number that no check digit fits
        count -= 1


def _check_digit(digits: str, weights: Sequence[int]) -> str:
    return str(-sum(int(digit) * weight for digit, weight in zip(digits, weights, strict=False)) % 11)


def create(server: EmbeddedPostgres, name: str, rights: Rights, signers: Sequence[LocalSigner]) -> str:
    """Make a database with these rights, and a client that may ask for decisions; returns its URL."""
    url = registry.create(server, name, 1, signers)
    values = {
        "scope": AUTHORIZE,
        "organisations": rights.organisations,
        "policies": rights.policies,
        "suppliers": rights.suppliers,
        "first_organisation": _FIRST_ORGANISATION,
        "first_supplier": _FIRST_SUPPLIER,
        "first_person": _FIRST_PERSON,
    }
    with psycopg.connect(url, cursor_factory=psycopg.ClientCursor) as connection:
        copy_rows(connection, "parties.party (party_id, party_uuid, orgno, national_id, user_id, name, form, created,"
              " last_updated)", _parties(rights))  # fmt: skip
        copy_rows(connection, "resources.resource (identifier, version_id, document, resource_type, owner_orgno,"
              " owner_code, delegable, visible, access_list_enabled, scopes, policy_version, changed, change_id)",
              map(_resource, range(rights.policies)))  # fmt: skip
        copy_rows(connection, "resources.policy (identifier, policy_version, xml, report, created)",
              _policies(rights.policies))  # fmt: skip
        connection.execute(_FILL, values)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("VACUUM ANALYZE")
        connection.execute("CHECKPOINT")
    return url


def copy_rows(connection: psycopg.Connection, table: str, rows: Iterable[Sequence[object]]) -> None:
    """Fill a table; ``table`` names its columns too."""
    with connection.cursor().copy(f"COPY {table} FROM STDIN") as copy:
        for row in rows:
            copy.write_row(row)


def _parties(rights: Rights) -> Iterator[Sequence[object]]:
    now = dt.datetime.now(dt.UTC)
    for kind, first, orgnos in (
        (1, _FIRST_ORGANISATION, map(organisation_orgno, range(rights.organisations))),
        (2, _FIRST_SUPPLIER, map(supplier_orgno, range(rights.suppliers))),
    ):
        for number, orgno in enumerate(orgnos):
            yield first + number, _uuid(kind, number), orgno, None, None, f"ORGANISATION {orgno}", "AS", now, now
    for number, pid in enumerate(people(rights.organisations)):
        yield _FIRST_PERSON + number, _uuid(3, number), None, pid, number + 1, "PERSON", None, now, now


def _uuid(kind: int, number: int) -> str:
    return f"00000000-0000-4000-8{kind:03}-{number:012x}"


def _resource(number: int) -> Sequence[object]:
    identifier = resource(number)
    document = json.dumps({"identifier": identifier, "title": {"nb": identifier}})
    return (
        identifier, 1, document, "GenericAccessResource", "991825827", "ttd", True, True, False, "{}", 1,
        dt.datetime.now(dt.UTC), number + 1,
    )  # fmt: skip


def _policies(count: int) -> Iterator[Sequence[object]]:
    """The policy that most resources have: two roles may read and write, at level 3."""
    xml = standard_policy(_NAME, roles=["dagl", "lede"], actions=[ACTION, "write"], min_level=3).decode()
    now = dt.datetime.now(dt.UTC)
    for number in range(count):
        yield resource(number), 1, xml.replace(_NAME, resource(number)).encode(), "{}", now

"""Decision tables: data files of policies, facts, requests and what is to be decided, for every driver alike.

A file of ``tests/decision_tables`` holds, in TOML:

* ``[people.NAME]`` with ``pid``, ``user_id``, ``party_id``; ``[organisations.NAME]`` with ``orgno``, ``party_id``;
  ``system_users = [NAME, …]``. UUIDs follow from the names.
* ``[[held]]``: ``holder``, ``party``, ``roles`` and ``packages`` as ``urn…:value``.
* ``[key_roles]``: person → organisations.
* ``[resources.NAME]``: a policy (``tests.support.policies``), with ``access_list_enabled`` and ``xml`` besides.
* ``[[memberships]]``: ``party``, ``resource``, ``list`` and ``actions``.
* ``[[delegations]]``: ``id``, ``giver``, ``receiver``, ``resource``, ``actions``; ``instance``, ``given_by``,
  ``above``.
* ``[[packages]]``: ``giver``, ``receiver``, ``package``.
* ``[[cases]]``: ``name``; ``subject`` (a name, or a list of ``id=value``), ``action``, ``resource``, ``party`` (a
  name), ``more`` (further resource attributes), or the whole ``request`` as JSON; ``internal``; and what is expected:
  ``decision``, ``status`` (ok), ``reason``, ``level`` and ``level_org`` of the obligations, ``echo``. ``{NAME.uuid}``
  and the like stand for a party's identifiers.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple
from uuid import UUID, uuid5

from fullmakt.kernel.identifiers import NationalId, OrgNumber
from fullmakt.wire.altinn import attributes as ids
from fullmakt.wire.altinn.attributes import Attribute
from fullmakt.wire.altinn.delegations import DelegatedRight
from fullmakt.wire.altinn.parties import HeldRights, PartyIdentity, PartyKind
from fullmakt.wire.altinn.resources import Membership, RegisteredResource
from tests.support.policies import policy_xml

FOLDER = Path(__file__).parent.parent / "decision_tables"
_SPACE = UUID("5e1f0c0a-6b0e-4f6e-9a3a-0d5f8a1d2c3b")
_PLACEHOLDER = re.compile(r"\{(\w+)\.(\w+)\}")


def uuid_of(name: str) -> UUID:
    """The UUID of whatever has that name in a table."""
    return uuid5(_SPACE, name)


class TablePackage(NamedTuple):
    """An access package that was given."""

    giver: UUID
    receiver: UUID
    package: str


@dataclass
class TableFacts:
    """What a file says is so, in the terms of the ports."""

    parties: dict[str, PartyIdentity] = field(default_factory=dict)
    system_users: dict[str, UUID] = field(default_factory=dict)
    held: dict[tuple[UUID, UUID], HeldRights] = field(default_factory=dict)
    key_roles: dict[UUID, tuple[UUID, ...]] = field(default_factory=dict)
    resources: dict[str, RegisteredResource] = field(default_factory=dict)
    memberships: list[tuple[UUID, Membership]] = field(default_factory=list)
    delegations: list[DelegatedRight] = field(default_factory=list)
    packages: list[TablePackage] = field(default_factory=list)

    def uuid(self, name: str) -> UUID:
        """A party's or a system user's."""
        return self.parties[name].party_uuid if name in self.parties else self.system_users[name]


@dataclass(frozen=True)
class Expected:
    """What the answer is to be. ``reason`` and ``echo`` None: not looked at."""

    decision: str
    status: str
    reason: str | None
    obligations: dict[str, str]
    echo: dict[str, str] | None


@dataclass(frozen=True)
class Case:
    """One line of a table. ``request`` is a XACML JSON document."""

    name: str
    facts: TableFacts
    request: dict[str, Any]
    external: bool
    expected: Expected


def load_cases(folder: Path = FOLDER) -> Iterator[Case]:
    """Every case of every table, its name beginning with the file's."""
    for path in sorted(folder.glob("*.toml")):
        table = tomllib.loads(path.read_text(encoding="utf-8"))
        facts = read_facts(table)
        for number, case in enumerate(table.get("cases", ()), 1):
            yield _case(f"{path.stem}: {case.get('name', number)}", case, facts)


def read_facts(table: Mapping[str, Any]) -> TableFacts:
    """Everything but the cases."""
    facts = TableFacts()
    for name, person in table.get("people", {}).items():
        facts.parties[name] = PartyIdentity(
            person["party_id"], uuid_of(name), PartyKind.PERSON, name,
            user_id=person["user_id"], national_id=NationalId(person["pid"]),
        )  # fmt: skip
    for name, unit in table.get("organisations", {}).items():
        facts.parties[name] = PartyIdentity(
            unit["party_id"], uuid_of(name), PartyKind.ORGANISATION, name, orgno=OrgNumber(unit["orgno"])
        )
    facts.system_users = {name: uuid_of(name) for name in table.get("system_users", ())}
    for held in table.get("held", ()):
        key = facts.uuid(held["holder"]), facts.uuid(held["party"])
        facts.held[key] = HeldRights(_urns(held.get("roles", ())), _urns(held.get("packages", ())))
    for name, organisations in table.get("key_roles", {}).items():
        facts.key_roles[facts.uuid(name)] = tuple(facts.uuid(one) for one in organisations)
    for name, resource in table.get("resources", {}).items():
        facts.resources[name] = _resource(name, resource)
    for membership in table.get("memberships", ()):
        actions = membership.get("actions")
        facts.memberships.append(
            (
                facts.uuid(membership["party"]),
                Membership(
                    "ttd", membership["list"], membership["resource"], None if actions is None else frozenset(actions)
                ),
            )
        )
    facts.delegations = [_delegation(one, facts) for one in table.get("delegations", ())]
    for one in table.get("packages", ()):
        facts.packages.append(TablePackage(facts.uuid(one["giver"]), facts.uuid(one["receiver"]), one["package"]))
    return facts


def _urns(urns: list[str]) -> frozenset[Attribute]:
    return frozenset(Attribute(*urn.rsplit(":", 1)) for urn in urns)


def _resource(name: str, resource: Mapping[str, Any]) -> RegisteredResource:
    xml = resource.get("xml")
    policy = xml.encode() if xml is not None else policy_xml(name, resource)
    return RegisteredResource(
        identifier=name,
        version=1,
        resource_type="GenericAccessResource",
        title=(("nb", name),),
        owner_orgno=OrgNumber("991825827"),
        owner_code="ttd",
        delegable=True,
        visible=True,
        access_list_enabled=resource.get("access_list_enabled", False),
        policy=None if resource.get("no_policy") else policy,
    )


def _delegation(one: Mapping[str, Any], facts: TableFacts) -> DelegatedRight:
    above = one.get("above")
    return DelegatedRight(
        delegation_id=uuid_of(one["id"]),
        giver=facts.uuid(one["giver"]),
        receiver=facts.uuid(one["receiver"]),
        resource=one["resource"],
        actions=frozenset(one["actions"]),
        instance=one.get("instance"),
        given_by=facts.uuid(one.get("given_by", one["giver"])),
        passed_on_from=uuid_of(above) if above else None,
        created=datetime(2026, 1, 1, tzinfo=UTC),
    )


def _case(name: str, case: Mapping[str, Any], facts: TableFacts) -> Case:
    whole = case.get("request")
    request = json.loads(_filled(whole, facts)) if whole is not None else _request(case, facts)
    obligations = {
        category: str(case[key])
        for key, category in {
            "level": "urn:altinn:minimum-authenticationlevel",
            "level_org": "urn:altinn:minimum-authenticationlevel-org",
        }.items()
        if key in case
    }
    echo = case.get("echo")
    expected = Expected(
        case["decision"],
        f"urn:oasis:names:tc:xacml:1.0:status:{case.get('status', 'ok')}",
        case.get("reason"),
        obligations,
        None if echo is None else {_filled(key, facts): _filled(value, facts) for key, value in echo.items()},
    )
    return Case(name, facts, request, not case.get("internal", False), expected)


def _request(case: Mapping[str, Any], facts: TableFacts) -> dict[str, Any]:
    subject = case.get("subject", ())
    if isinstance(subject, str):
        subject = [_named(subject, facts)]
    resource = [f"{ids.RESOURCE}={case['resource']}"] if "resource" in case else []
    if "party" in case:
        party = facts.parties[case["party"]]
        resource.append(f"{ids.ORGANISATION}={party.orgno}" if party.orgno else f"{ids.PARTY_UUID}={party.party_uuid}")
    resource += case.get("more", ())
    action = [f"{ids.ACTION}={case['action']}"] if "action" in case else []
    return {
        "Request": {
            "AccessSubject": [{"Attribute": [_attribute(one, facts) for one in subject]}],
            "Action": [{"Attribute": [_attribute(one, facts) for one in action]}],
            "Resource": [{"Attribute": [_attribute(one, facts) for one in resource]}],
        }
    }


def _named(name: str, facts: TableFacts) -> str:
    if name in facts.system_users:
        return f"{ids.SYSTEM_USER}={facts.system_users[name]}"
    party = facts.parties[name]
    return f"{ids.USER_ID}={party.user_id}" if party.user_id is not None else f"{ids.ORGANISATION}={party.orgno}"


def _attribute(text: str, facts: TableFacts) -> dict[str, Any]:
    """``id=value``, ``id=value#type``, and with a ``+`` before it ``IncludeInResult``."""
    name, _, value = _filled(text.removeprefix("+"), facts).partition("=")
    value, typed, data_type = value.partition("#")
    attribute: dict[str, Any] = {"AttributeId": name, "Value": value}
    if typed:
        attribute["DataType"] = f"http://www.w3.org/2001/XMLSchema#{data_type}"
    if text.startswith("+"):
        attribute["IncludeInResult"] = True
    return attribute


def _filled(text: str, facts: TableFacts) -> str:
    def value(match: re.Match[str]) -> str:
        name, what = match.groups()
        if name in facts.system_users:
            return str(facts.system_users[name])
        party = facts.parties[name]
        known = {
            "uuid": party.party_uuid, "id": party.party_id, "user": party.user_id, "orgno": party.orgno,
            "pid": party.national_id,
        }  # fmt: skip
        return str(known[what])

    return _PLACEHOLDER.sub(value, text)

"""A world file, from text to ``World``: strict, and every fault told at once.

What can be told from the file alone is checked here; whether what it refers to is there, is ``plan``'s question.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Hashable, Mapping
from typing import Any, TypeVar, cast, get_args

from fullmakt.altinn.parties.errors import InvalidPartyError
from fullmakt.altinn.parties.model import Organisation, Person, Role
from fullmakt.kernel.identifiers import NationalId, OrgNumber
from fullmakt.wire.maskinporten.selfservice import AccessState
from fullmakt.world import reading as r
from fullmakt.world.errors import Fault, WorldFaults
from fullmakt.world.lines import locate
from fullmakt.world.model import (
    FIELD_OF,
    Access,
    Certificate,
    Client,
    DelegationSource,
    EndedRole,
    Entry,
    Kind,
    Prefix,
    World,
    key_of,
    label_of,
)
from fullmakt.world.parse_altinn import (
    read_access_list,
    read_delegation,
    read_resource,
    read_right,
    read_service_owner,
)
from fullmakt.world.parse_client import read_client
from fullmakt.world.parse_consents import read_api_key, read_consent, read_consent_service, read_srr_entry
from fullmakt.world.parse_scope import read_scope
from fullmakt.world.parse_systems import called_clients, read_system, read_system_user

MAX_LENGTH = 16 * 1024 * 1024
"""Characters of a world file."""

P = TypeVar("P", Organisation, Person, Role)
_PREFIX = re.compile(r"[a-z0-9æøå_-]{1,100}")
_ISSUER = re.compile(r"https?://[!-~]{1,250}", re.ASCII)


def parse(text: str) -> World:
    """Read a world file.

    Raises:
        WorldFaults: it is not TOML, or holds unknown fields, wrong types, numbers whose check digits do not fit,
            or something twice.
    """
    document = _toml(text)
    lines = locate(text)
    faults: list[Fault] = []
    entries = {kind: _section(kind, document.pop(kind, []), lines, faults) for kind in Kind}
    faults += [Fault(None, f"unknown section [[{name}]]") for name in document]
    fields: dict[str, Any] = {FIELD_OF[kind]: tuple(found) for kind, found in entries.items()}
    world = called_clients(World(**fields, lines=lines), faults)
    if faults:
        raise WorldFaults(sorted(faults, key=_in_file_order))
    return world


def _in_file_order(fault: Fault) -> int:
    return fault.place.line or 0 if fault.place else 0


def _toml(text: str) -> dict[str, Any]:
    if len(text) > MAX_LENGTH:
        raise WorldFaults([Fault(None, f"a world file has at most {MAX_LENGTH} characters")])
    try:
        return tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        reason = "nested too deep" if isinstance(error, RecursionError) else str(error)
        raise WorldFaults([Fault(None, f"not TOML: {reason}")]) from error
    except ValueError as error:  # a number of thousands of digits
        raise WorldFaults([Fault(None, "not TOML: a number is too long")]) from error


def _section(
    kind: Kind, raw: object, lines: Mapping[tuple[str, int, str | None], int], faults: list[Fault]
) -> list[Entry]:
    if not isinstance(raw, list) or not all(isinstance(values, dict) for values in raw):
        faults.append(Fault(None, f"{kind} is an array of tables: begin each with [[{kind}]]"))
        return []
    entries: dict[Hashable, Entry] = {}
    names: set[str] = set()
    for number, values in enumerate(raw, 1):
        table = r.Table(kind, number, values, lines, faults)
        entry = _READERS[kind](table)
        if not table.finish() or entry is None:
            continue
        if key_of(entry) in entries:
            table.fault(None, f"declared already: {label_of(entry)}")
        if isinstance(entry, Client):  # known by its id, and by its name on this machine
            if entry.name in names:
                table.fault("name", f"another client is called {entry.name}")
            names.add(entry.name)
        entries[key_of(entry)] = entry
    return list(entries.values())


def _organisation(table: r.Table) -> Organisation | None:
    orgno = table.required("orgno", r.orgno)
    name = table.required("name", r.text)
    form = table.defaulted("form", r.text, "AS")
    parent = table.optional("parent", r.orgno)
    unchecked = table.flag("unchecked", default=False)
    if orgno and orgno.has_valid_check_digit and unchecked:
        table.fault("unchecked", f"the check digit of {orgno} fits: leave this out")
    if orgno and not orgno.has_valid_check_digit and not unchecked:
        table.fault("orgno", f"the check digit of {orgno} does not fit (modulus 11): correct it, or unchecked = true")
    return _party(table, lambda: Organisation(orgno, name, form, parent))


def _person(table: r.Table) -> Person | None:
    national_id = table.required("id", r.national_id)
    name = table.required("name", r.text)
    return _party(table, lambda: Person(national_id, name))


def _role(table: r.Table) -> Role | None:
    by_person = table.has("person")
    if by_person == table.has("holder"):
        table.fault("person", "who holds the role: a person, or an organisation (holder)?")
    holder: NationalId | OrgNumber = (
        table.required("person", r.national_id) if by_person else table.required("holder", r.orgno)
    )
    code = table.required("code", r.text)
    organisation = table.required("organisation", r.orgno)
    kind = EndedRole if table.defaulted("state", r.one_of(("held", "ended")), "held") == "ended" else Role
    return _party(table, lambda: kind(holder, code, organisation))


def _party(table: r.Table, make: Callable[[], P]) -> P | None:
    try:
        return make() if table.ok else None
    except InvalidPartyError as error:
        table.fault(error.field, str(error))
        return None


def _delegation_source(table: r.Table) -> DelegationSource | None:
    issuer = table.required("issuer", r.matching(_ISSUER, "an issuer is an http or https URL"))
    name = table.required("name", r.text)
    return DelegationSource(issuer, name) if table.ok else None


def _prefix(table: r.Table) -> Prefix | None:
    prefix = table.required("prefix", r.matching(_PREFIX, "a prefix is lower-case letters, digits, - and _"))
    owner = table.required("owner", r.orgno)
    active = table.flag("active", default=True)
    return Prefix(prefix, owner, active) if table.ok else None


def _access(table: r.Table) -> Access | None:
    scope = table.required("scope", r.scope_name)
    consumer = table.required("consumer", r.orgno)
    state = table.defaulted("state", r.one_of(get_args(AccessState)), "APPROVED")
    return Access(scope, consumer, cast("AccessState", state)) if table.ok else None


def _certificate(table: r.Table) -> Certificate | None:
    name = table.required("name", r.local_name)
    organisation = table.required("organisation", r.orgno)
    return Certificate(name, organisation) if table.ok else None


_READERS: Mapping[Kind, Callable[[r.Table], Entry | None]] = {
    Kind.ORGANISATION: _organisation,
    Kind.PERSON: _person,
    Kind.ROLE: _role,
    Kind.SERVICE_OWNER: read_service_owner,
    Kind.DELEGATION_SOURCE: _delegation_source,
    Kind.PREFIX: _prefix,
    Kind.SCOPE: read_scope,
    Kind.ACCESS: _access,
    Kind.RESOURCE: read_resource,
    Kind.ACCESS_LIST: read_access_list,
    Kind.DELEGATION: read_delegation,
    Kind.RIGHT: read_right,
    Kind.CERTIFICATE: _certificate,
    Kind.CLIENT: read_client,
    Kind.CONSENT_SERVICE: read_consent_service,
    Kind.SRR: read_srr_entry,
    Kind.API_KEY: read_api_key,
    Kind.CONSENT: read_consent,
    Kind.SYSTEM: read_system,
    Kind.SYSTEM_USER: read_system_user,
}

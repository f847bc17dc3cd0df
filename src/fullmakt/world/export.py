"""A world, written as a world file that reads back as the same world."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import MISSING, fields
from typing import Any

import tomlkit
from tomlkit.items import AoT, InlineTable, Table

from fullmakt.altinn.consents.declared import DeclaredConsent, DeclaredRight
from fullmakt.altinn.parties.model import Organisation, Person, Role
from fullmakt.kernel.identifiers import NationalId
from fullmakt.world.model import (
    AccessList,
    Client,
    Credentials,
    EndedRole,
    EnterpriseCertificate,
    Entry,
    GeneratedKey,
    KeyFile,
    Kind,
    PublicKeys,
    Resource,
    Scope,
    ServiceOwner,
    SrrEntry,
    System,
    SystemUser,
    Unusable,
    World,
    default_client_id,
)
from fullmakt.world.plan_consents import why_not_again

_HEADING = "A world of Fullmakt. `fullmakt world apply FILE` makes it so."


def export(world: World) -> str:
    """The world as TOML; ``parse`` of it gives an equal world.

    A client whose credentials are ``Unusable``, and a consent that can not be given anew, are left out with a comment
    that says why.
    """
    document = tomlkit.document()
    document.add(tomlkit.comment(_HEADING))
    resources = {one.identifier: one for one in world.resources}
    for kind in Kind:
        array = AoT([])
        for entry in world.entries(kind):
            if isinstance(entry, Client) and isinstance(entry.credentials, Unusable):
                document.add(tomlkit.comment(f"{entry.client_id} is left out: {entry.credentials.why}"))
            elif isinstance(entry, DeclaredConsent) and (why := why_not_again(entry, resources)):
                document.add(tomlkit.comment(f"{entry.id} is left out: {why}"))
            else:
                array.append(_table(entry))
        if array:
            document.append(kind, array)
    return tomlkit.dumps(document)


def _table(entry: Entry) -> Table:
    table = tomlkit.table()
    for name, value in _members(entry):
        table.add(name, value)
    return table


def _members(entry: Entry) -> Iterator[tuple[str, Any]]:
    match entry:
        case Organisation():
            yield from _fields(entry)
            if entry.is_unchecked:
                yield "unchecked", True
        case Person():
            yield from (("id", str(entry.national_id)), ("name", entry.name))
        case Role():
            yield "person" if isinstance(entry.holder, NationalId) else "holder", str(entry.holder)
            yield from (("code", entry.code), ("organisation", str(entry.organisation)))
            if isinstance(entry, EndedRole):
                yield "state", "ended"
        case Scope():
            yield from _fields(entry, leave_out={"translations"})
            yield from entry.translations
        case ServiceOwner():
            yield from (("code", entry.code), ("organisation", str(entry.organisation)))
            yield "name", _inline(dict(entry.name))
        case Resource():
            yield from (("identifier", entry.identifier), ("owner", entry.owner))
            yield from json.loads(entry.document).items()
            if entry.policy is not None:
                yield "policy", tomlkit.string(entry.policy, multiline=True)
        case AccessList():
            yield from _fields(entry, leave_out={"connections"})
            if entry.connections:
                yield (
                    "connections",
                    [
                        _inline({"resource": one.resource, "actions": list(one.actions)})
                        if one.actions
                        else one.resource
                        for one in entry.connections
                    ],
                )
        case System():
            yield from (("identifier", entry.identifier), ("vendor", str(entry.vendor)))
            yield from (("name", _inline(dict(entry.name))), ("description", _inline(dict(entry.description))))
            yield from _fields(entry, leave_out={"identifier", "vendor", "name", "description"})
        case SystemUser():
            own_ref = {"external_ref"} if entry.external_ref == entry.owner else set[str]()
            yield from _fields(entry, leave_out=own_ref)
        case SrrEntry():
            yield from _fields(entry, leave_out={"valid_to"})
            yield "valid_to", entry.valid_to
        case DeclaredConsent():
            yield from (("id", str(entry.id)), ("from", str(entry.giver)), ("to", str(entry.receiver)))
            yield from (("rights", _rights(entry)), ("valid_to", entry.valid_to))
            for name in ("form", "state", "portal_view_mode"):
                if getattr(entry, name) != type(entry).__dataclass_fields__[name].default:
                    yield name, str(getattr(entry, name))
            own = entry.required_delegator or entry.giver
            if entry.answered_by not in {None, own}:
                yield "answered_by", str(entry.answered_by)
            if entry.message:
                yield "message", _inline(dict(entry.message))
            done = {"id", "giver", "receiver", "rights", "valid_to", "form", "state", "portal_view_mode", "message"}
            yield from _fields(entry, leave_out={*done, "answered_by"})
        case Client():
            own_id = () if entry.client_id == default_client_id(entry.name) else (("client_id", entry.client_id),)
            named = [
                (name, text)
                for name, text in (("client_name", entry.client_name), ("description", entry.description))
                if text != entry.name
            ]
            yield from (("name", entry.name), *own_id)
            yield from _fields(entry, leave_out={"name", "client_id", "credentials", "client_name", "description"})
            yield from (*named, _credentials(entry.credentials))
        case _:
            yield from _fields(entry)


def _fields(entry: Entry, leave_out: frozenset[str] | set[str] = frozenset()) -> Iterator[tuple[str, Any]]:
    """The entry's fields that are not at their default."""
    for each in fields(entry):
        value = getattr(entry, each.name)
        if each.name not in leave_out and (each.default is MISSING or value != each.default):
            yield each.name, [str(one) for one in value] if isinstance(value, tuple) else _plain(value)


def _rights(consent: DeclaredConsent) -> list[InlineTable]:
    tables = []
    for right in consent.rights:
        members: dict[str, Any] = {"resource": right.resource}
        if right.metadata:
            members["metadata"] = _inline(dict(right.metadata))
        if right.actions != DeclaredRight(right.resource).actions:
            members["actions"] = list(right.actions)
        tables.append(_inline(members))
    return tables


def _plain(value: object) -> Any:
    return str(value) if isinstance(value, str) else value  # OrgNumber and the like are more than TOML knows


def _credentials(credentials: Credentials) -> tuple[str, Any]:
    match credentials:
        case GeneratedKey():
            return "key", "generate"
        case KeyFile():
            return "key_file", credentials.path
        case PublicKeys():
            array = tomlkit.array()
            array.extend(_inline(jwk.as_dict()) for jwk in credentials.jwks)
            return "jwk", array.multiline(multiline=True)
        case EnterpriseCertificate() | Unusable():
            return "authentication", "certificate"


def _inline(members: Mapping[str, Any]) -> InlineTable:
    table = tomlkit.inline_table()
    table.update(members)
    return table

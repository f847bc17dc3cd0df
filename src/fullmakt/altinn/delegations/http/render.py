"""Documents of access management, names to the letter (altinn-authorization.md §12 to §14)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

import orjson
from starlette.responses import Response

from fullmakt.altinn.delegations.access import Delegable
from fullmakt.altinn.delegations.model import Connection, ConnectionRole, StoredRight
from fullmakt.altinn.delegations.ports import AccessPackage
from fullmakt.wire.altinn import attributes as ids
from fullmakt.wire.altinn.attributes import Attribute
from fullmakt.wire.altinn.delegations import ApiDelegation
from fullmakt.wire.altinn.parties import PartyIdentity, PartyKind
from fullmakt.wire.altinn.resources import RegisteredResource
from fullmakt.wire.altinn.stable_ids import stable_id

Document = dict[str, Any]


def json(document: Any, status: int = 200) -> Response:
    """A response."""
    return Response(orjson.dumps(document), status, media_type="application/json")


def listed(items: Sequence[Any]) -> Response:
    """A list that might have had more pages."""
    return json({"links": {}, "data": items})


def timestamp(moment: dt.datetime) -> str:
    """As .NET writes it: UTC, no more decimals than needed."""
    text = moment.astimezone(dt.UTC).isoformat().removesuffix("+00:00")
    return (text.rstrip("0") if "." in text else text) + "Z"


def api_delegation(delegation: ApiDelegation) -> Document:
    """An entry of Maskinporten's look-up. Mind the capital I."""
    return {
        "consumer_org": delegation.consumer,
        "supplier_org": delegation.supplier,
        "delegation_scheme_Id": _guid(delegation.delegation_scheme_id),
        "scopes": list(dict.fromkeys(delegation.scopes)),
        "created": timestamp(delegation.created),
        "resourceid": delegation.resource,
    }


def _guid(text: str | None) -> str | None:
    try:
        return str(UUID(text)) if text else None
    except ValueError:
        return None


def offered(stored: StoredRight, giver: PartyIdentity, receiver: PartyIdentity) -> Document:
    """An entry of the older lists of API delegations."""
    return {
        "offeredByPartyId": giver.party_id,
        "offeredByName": giver.name,
        "offeredByOrganizationNumber": giver.orgno,
        "coveredByPartyId": receiver.party_id,
        "coveredByName": receiver.name,
        "coveredByOrganizationNumber": receiver.orgno,
        "performedByUserId": stored.performed_by_user or 0,
        "created": timestamp(stored.right.created),
        "resourceId": stored.right.resource,
    }


def attributes(values: Iterable[Attribute]) -> list[Document]:
    """``[{"id", "value"}]``."""
    return [{"id": value.id, "value": value.value} for value in values]


_DETAILS = {
    "RoleAccess": "Delegator have access through having one of the required role(s) for the reportee party.",
    "DelegationAccess": "The user have access through delegation(s) of the right",
    "MissingRoleAccess": "Delegator does not have any required role(s) for the reportee party,"
    " which would give access to delegate the right.",
    "MissingDelegationAccess": "The user does not have access through delegation(s) of the right",
    "AccessListValidationFail": "The fromParty does not have the right based on Access List delegation",
    "Unknown": "Unknown",
}


def _detail(code: str, level: int | None) -> Document:
    if level is not None:
        return {
            "code": "InsufficientAuthenticationLevel",
            "description": "Authenticated user does not meet the required security level for resource."
            f" Minimum authentication level is {level}",
            "parameters": {
                "MinimumAuthenticationLevel": [{"id": "urn:altinn:minimum-authenticationlevel", "value": str(level)}]
            },
        }
    return {"code": code, "description": _DETAILS[code], "parameters": {}}


def older_right(resource: str, action: str, status: str) -> Document:
    """What became of one right, in the older shape."""
    return {
        "rightKey": f"{resource}:{action}",
        "resource": [{"id": ids.RESOURCE, "value": resource}],
        "action": action,
        "status": status,
    }


def older_check(resource: str, check: Delegable) -> Document:
    """May it be delegated, in the older shape."""
    status = "Delegable" if check.permitted else "NotDelegable"
    details = [_detail(code, check.level) for code in check.reasons if check.level is not None or code in _DETAILS]
    return {**older_right(resource, check.action, status), "details": details}


def party(identity: PartyIdentity, *, parent: PartyIdentity | None = None) -> Document:
    """A party in the newer shape. Nobody's national identity number goes out here."""
    organisation = identity.kind is PartyKind.ORGANISATION
    return {
        "id": str(identity.party_uuid),
        "name": identity.name,
        "type": "Organisasjon" if organisation else "Person",
        "variant": identity.form if organisation else "Person",
        "parent": party(parent) if parent else None,
        "children": None,
        "partyid": identity.party_id,
        "userId": identity.user_id,
        "username": None,
        "organizationIdentifier": identity.orgno,
        "personIdentifier": None,
        "dateOfBirth": None,
        "dateOfDeath": None,
        "isDeleted": False,
        "deletedAt": None,
    }


def simple_party(identity: PartyIdentity) -> Document:
    """The same in few words."""
    members = ("id", "name", "type", "variant", "organizationIdentifier", "isDeleted")
    whole = party(identity)
    return {name: whole[name] for name in members}


# Altinn's own ids of the two roles by which parties are connected.
ROLE_IDS = {
    ConnectionRole.RIGHTHOLDER: "42cae370-2dc1-4fdc-9c67-c2f4b0f0f829",
    ConnectionRole.SUPPLIER: "961f6ebb-ecf7-4fc6-ab5a-ca0841db4931",
}


def connection_role(value: ConnectionRole) -> Document:
    """The role that connects two parties."""
    return {
        "id": ROLE_IDS[value],
        "code": str(value),
        "urn": f"{ids.ROLE}:{value}",
        "legacyurn ": None,
        "children": None,
    }


def held_role(role: Attribute) -> Document:
    """A role of the register or one derived from it. (The blank in ``legacyurn `` is Altinn's.)"""
    return {"id": str(stable_id(role.urn)), "code": role.value, "urn": role.urn, "legacyurn ": None, "children": None}


def assignment(connection: Connection) -> Document:
    """A connection by its ids."""
    return {
        "id": str(connection.connection_id),
        "roleId": ROLE_IDS[connection.role],
        "fromId": str(connection.giver),
        "toId": str(connection.receiver),
    }


def connection(
    identity: PartyIdentity,
    roles: Sequence[Document],
    *,
    packages: Sequence[Document] = (),
    resources: Sequence[Document] = (),
    instances: Sequence[Document] = (),
) -> Document:
    """A party that one is connected to, and by what."""
    return {
        "party": party(identity),
        "roles": list(roles),
        "packages": list(packages),
        "resources": list(resources),
        "instances": list(instances),
        "connections": [],
    }


def resource(value: RegisteredResource, language: str = "nb") -> Document:
    """A resource of the registry."""
    titles = dict(value.title)
    provider, kind = (
        stable_id(f"urn:altinn:provider:{value.owner_code}"),
        stable_id("urn:altinn:providertype:tjenesteeier"),
    )
    type_ = stable_id(f"urn:altinn:resourcetype:{value.resource_type.lower()}")
    return {
        "id": str(stable_id(f"urn:altinn:resource:{value.identifier}")),
        "providerId": str(provider),
        "typeId": str(type_),
        "name": titles.get(language) or titles.get("nb") or value.identifier,
        "description": None,
        "refId": value.identifier,
        "provider": {
            "id": str(provider),
            "name": value.owner_code,
            "refId": value.owner_orgno,
            "logoUrl": None,
            "code": value.owner_code,
            "typeId": str(kind),
            "type": {"id": str(kind), "name": "Tjenesteeier"},
        },
        "type": {"id": str(type_), "name": value.resource_type},
    }


def package(name: str, known: AccessPackage | None) -> Document:
    """An access package by its ids."""
    urn = f"{ids.ACCESS_PACKAGE}:{name}"
    return {"id": str(known.id if known else stable_id(urn)), "urn": urn, "areaId": None}


_DIRECT = {"flag": 1, "items": [{"name": "direct", "description": "Access granted directly with assignment"}]}
_PASSED_ON = {
    "flag": 2,
    "items": [{"name": "client-delegation", "description": "Access granted via client delegation"}],
}


def permission(
    giver: PartyIdentity,
    receiver: PartyIdentity,
    role: Document,
    *,
    via: PartyIdentity | None = None,
) -> Document:
    """That ``receiver`` has something from ``giver``, and how."""
    return {
        "from": party(giver),
        "to": party(receiver),
        "via": party(via) if via else None,
        "role": role,
        "viaRole": None,
        "reason": _PASSED_ON if via else _DIRECT,
    }


def right(resource_id: str, action: str) -> Document:
    """A right in the newer shape."""
    return {
        "key": f"{resource_id}:{action}",
        "name": action,
        "resource": [{"type": ids.RESOURCE, "value": resource_id}],
        "action": {"type": ids.ACTION, "value": action},
    }


def check(value: RegisteredResource, checks: Sequence[Delegable], language: str) -> Document:
    """May they be delegated, in the newer shape."""
    return {
        "resource": resource(value, language),
        "rights": [
            {
                "right": right(value.identifier, one.action),
                "result": one.permitted,
                "reasonCodes": list(one.reasons),
            }
            for one in checks
        ],
    }

"""Who and what there is, as a document that a program in any language can start from."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fullmakt.world.files import KeyStoreFiles, WorldFiles
from fullmakt.world.model import Client, EnterpriseCertificate, GeneratedKey, Unusable, World, shown

NO_KEY_HERE = "elsewhere"
"""The ``authentication`` of a client whose private key is not on this machine."""


def listing(world: World, files: WorldFiles, systems: Mapping[str, str], issuer: str) -> dict[str, Any]:
    """``systems`` (URL by name), ``issuer``, and each kind of entry as a list.

    Files are absolute paths, and there only where the file is. Real people's numbers are masked.
    """
    return {
        "systems": dict(systems),
        "issuer": issuer,
        "organisations": [
            {
                "orgno": each.orgno,
                "name": each.name,
                "form": each.form,
                "parent": each.parent,
                "synthetic": each.is_synthetic,
                "unchecked": each.is_unchecked,
            }
            for each in world.organisations
        ],
        "people": [{"id": shown(each.national_id), "name": each.name} for each in world.people],
        "roles": [
            {"holder": shown(each.holder), "code": each.code, "organisation": each.organisation} for each in world.roles
        ],
        "service_owners": [
            {"code": each.code, "organisation": each.organisation, "name": dict(each.name)}
            for each in world.service_owners
        ],
        "scopes": _scopes(world),
        "resources": [
            {
                "identifier": each.identifier,
                "owner": each.owner,
                "type": each.resource_type,
                "title": json.loads(each.document).get("title", {}),
                "scopes": list(each.scopes),
            }
            for each in world.resources
        ],
        "access_lists": [
            {
                "owner": each.owner,
                "identifier": each.identifier,
                "name": each.name,
                "members": list(each.members),
                "connections": [{"resource": one.resource, "actions": list(one.actions)} for one in each.connections],
            }
            for each in world.access_lists
        ],
        "delegations": [
            {"consumer": each.consumer, "supplier": each.supplier, "resource": each.resource}
            for each in world.delegations
        ],
        "rights": [
            {
                "giver": shown(each.giver),
                "receiver": shown(each.receiver),
                "resource": each.resource,
                "actions": list(each.actions),
            }
            for each in world.rights
        ],
        "certificates": [
            {"name": each.name, "organisation": each.organisation, **_key_store(files.certificate(each.name))}
            for each in world.certificates
        ],
        "clients": [_client(each, files) for each in world.clients],
        "consent_services": [
            {
                "resource": each.resource,
                "code": each.code,
                "edition": each.edition,
                "uses_srr": each.uses_srr,
                "one_time": each.one_time,
            }
            for each in world.consent_services
        ],
        "srr": [
            {
                "code": each.code,
                "edition": each.edition,
                "reportee": each.reportee,
                "valid_to": each.valid_to.isoformat(),
                "handled_by": each.handled_by,
                "domains": list(each.domains),
            }
            for each in world.srr_entries
        ],
        "api_keys": [
            {
                "name": each.name,
                "organisation": each.organisation,
                "service_owner": each.service_owner,
                **({"secret_file": str(path)} if _there(path := files.api_key_path(each.name)) else {}),
            }
            for each in world.api_keys
        ],
        "consents": [
            {
                "id": str(each.id),
                "from": shown(each.giver),
                "to": each.receiver,
                "handled_by": each.handled_by,
                "form": str(each.form),
                "state": str(each.state),
                "valid_to": each.valid_to.isoformat(),
                "resources": [right.resource for right in each.rights],
            }
            for each in world.consents
        ],
        "enterprise_systems": [
            {
                "identifier": each.identifier,
                "vendor": each.vendor,
                "name": dict(each.name),
                "clients": list(each.clients),
                "resources": list(each.resources),
                "packages": list(each.packages),
            }
            for each in world.systems
        ],
        "system_users": [
            {
                "system": each.system,
                "owner": each.owner,
                "external_ref": each.external_ref,
                "type": each.type,
                "resources": list(each.resources),
                "packages": list(each.packages),
                "clients": list(each.clients),
            }
            for each in world.system_users
        ],
    }


def _scopes(world: World) -> list[dict[str, Any]]:
    owners = {prefix.prefix: prefix.owner for prefix in world.prefixes}
    return [
        {
            "name": each.name,
            "description": each.description,
            "owner": owners.get(each.name.prefix),
            "active": each.active,
            "accessible_for_all": each.accessible_for_all,
            "delegation_source": each.delegation_source,
            "consumers": [
                access.consumer for access in world.accesses if access.scope == each.name and access.state == "APPROVED"
            ],
        }
        for each in world.scopes
    ]


def _client(client: Client, files: WorldFiles) -> dict[str, Any]:
    return {
        "alias": client.name,
        "client_id": client.client_id,
        "client_name": client.client_name,
        "organisation": client.organisation,
        "supplier": client.supplier,
        "integration_type": client.integration_type,
        "scopes": list(client.scopes),
        "active": client.active,
        **_authentication(client, files),
    }


def _authentication(client: Client, files: WorldFiles) -> dict[str, Any]:
    match client.credentials:
        case GeneratedKey():
            return {"authentication": "key", "key_file": str(files.key_path(client.name))}
        case EnterpriseCertificate():
            return {"authentication": "certificate", **_key_store(files.client_certificate(client.name))}
        case Unusable(why):
            return {"authentication": NO_KEY_HERE, "why": why}
        case _:
            return {"authentication": NO_KEY_HERE}


def _key_store(store: KeyStoreFiles) -> dict[str, str]:
    return {"certificate_file": str(store.p12), "password_file": str(store.password)} if _there(store.p12) else {}


def _there(path: Path) -> bool:
    return path.is_file()

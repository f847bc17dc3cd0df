"""What the decision point of another installation asks (altinn-authorization.md §14.6)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from fullmakt.altinn.delegations.http import render
from fullmakt.altinn.delegations.http.context import AccessManagement, Guarded, is_party_number
from fullmakt.altinn.delegations.model import StoredRight
from fullmakt.infra.altinn import require_scope
from fullmakt.infra.reading import Query, attribute_of, body_of, list_of
from fullmakt.kernel.text import is_name
from fullmakt.wire.altinn import attributes as ids
from fullmakt.wire.altinn.attributes import Attribute
from fullmakt.wire.altinn.callers import Caller
from fullmakt.wire.altinn.parties import PartyIdentity, PartyKind
from fullmakt.wire.altinn.problems import BindingError

_SCOPES = ("altinn:authorization/authorize", "altinn:authorization/authorize.admin")
"""Who may ask for a decision may ask for what it rests on; the real routes are closed to all but the platform."""
_GRANT = 1
_UUID_TYPES = {PartyKind.ORGANISATION: ids.ORGANISATION_UUID, PartyKind.PERSON: ids.PERSON_UUID}


def routes(guarded: Guarded) -> list[Route]:
    """The routes."""
    return guarded.table(
        "/api/v1/policyinformation",
        ("POST", "/getdelegationchanges", delegation_changes),
        ("GET", "/accesspackages", access_packages),
        ("GET", "/roles-and-accesspackages", roles_and_packages),
    )


async def delegation_changes(system: AccessManagement, caller: Caller, request: Request) -> Response:
    """What ``subject`` has been given from ``party`` on ``resource``, also by way of key roles."""
    require_scope(caller, *_SCOPES)
    body = await body_of(request)
    subject = attribute_of("subject", body.get("subject"))
    party = await _party(system, "party", attribute_of("party", body.get("party")))
    named = [one.value for one in list_of(body, "resource", attribute_of) if one.id == ids.RESOURCE]
    if len(named) != 1:
        raise BindingError({"resource": ["One resource is to be named, by urn:altinn:resource"]})
    resource = named[0]
    found = await system.service.stored(giver=party.party_uuid, resource=resource) if is_name(resource) else ()
    receivers = await _receivers(system, subject)
    chosen = [one for one in found if one.right.receiver in receivers]
    parties = await system.by_uuid(uuid for one in chosen for uuid in (one.right.receiver, one.right.given_by))
    resources = await system.resources.resources({one.right.resource for one in chosen}) if chosen else {}
    types = {identifier: resource.resource_type for identifier, resource in resources.items()}
    return render.json([_change(one, party, parties, types) for one in chosen])


def _change(
    stored: StoredRight, giver: PartyIdentity, parties: Mapping[UUID, PartyIdentity], types: Mapping[str, str]
) -> render.Document:
    right = stored.right
    receiver, by = parties.get(right.receiver), parties.get(right.given_by)
    person = receiver is not None and receiver.kind is PartyKind.PERSON
    return {
        "delegationchangeid": 0,
        "resourceregistrydelegationchangeid": stored.change_id,
        "delegationchangetype": _GRANT,
        "resourceid": right.resource,
        "resourcetype": types.get(right.resource, ""),
        "instanceid": right.instance,
        "offeredbypartyid": giver.party_id,
        "fromuuid": str(right.giver),
        "fromuuidtype": _UUID_TYPES[giver.kind],
        "coveredbypartyid": receiver.party_id if receiver is not None and not person else None,
        "coveredbyuserid": receiver.user_id if receiver is not None and person else None,
        "touuid": str(right.receiver),
        "touuidtype": ids.SYSTEM_USER if receiver is None else _UUID_TYPES[receiver.kind],
        "performedbyuserid": stored.performed_by_user,
        "performedbypartyid": by.party_id if by is not None else None,
        "performedbyuuid": str(right.given_by),
        "performedbyuuidtype": _UUID_TYPES[by.kind] if by is not None else ids.SYSTEM_USER,
        "blobstoragepolicypath": "",
        "blobstorageversionid": "",
        "created": render.timestamp(right.created),
    }


async def access_packages(system: AccessManagement, caller: Caller, request: Request) -> Response:
    """The URNs of the access packages that ``to`` holds in ``from``."""
    require_scope(caller, *_SCOPES)
    _, packages = await _held(system, Query(request))
    return render.json(packages)


async def roles_and_packages(system: AccessManagement, caller: Caller, request: Request) -> Response:
    """The same, with roles."""
    require_scope(caller, *_SCOPES)
    roles, packages = await _held(system, Query(request))
    return render.json({"roles": roles, "accessPackages": packages})


async def _held(system: AccessManagement, query: Query) -> tuple[Sequence[str], Sequence[str]]:
    giver, holder = query.uuid("from"), query.uuid("to")
    held = await system.parties.held(holder, giver)
    receivers = [holder, *await system.parties.key_role_organisations(holder)]
    delegated = await system.service.packages(receivers, giver)
    return sorted(role.urn for role in held.roles), sorted(one.urn for one in held.packages | delegated)


async def _receivers(system: AccessManagement, subject: Attribute) -> set[UUID]:
    if subject.id == ids.SYSTEM_USER:
        return {UUID(subject.value)} if is_party_number(*subject) else set()
    party = await system.party(*subject)
    if party is None:
        return set()
    return {party.party_uuid, *await system.parties.key_role_organisations(party.party_uuid)}


async def _party(system: AccessManagement, field: str, attribute: Attribute) -> PartyIdentity:
    party = await system.party(*attribute)
    if party is None:
        raise BindingError({field: ["The party is not known"]})
    return party

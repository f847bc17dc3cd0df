"""API delegation in its older form, by party (altinn-authorization.md §13.1)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from fullmakt.altinn.delegations import access
from fullmakt.altinn.delegations.http import render
from fullmakt.altinn.delegations.http.context import AccessManagement, Guarded, is_party_number, performer
from fullmakt.altinn.delegations.model import Selection, StoredRight
from fullmakt.altinn.delegations.service import api_offer
from fullmakt.infra.altinn import ForbiddenError
from fullmakt.infra.reading import attribute_of, body_of, list_of, object_of
from fullmakt.wire.altinn import attributes as ids
from fullmakt.wire.altinn.attributes import Attribute
from fullmakt.wire.altinn.callers import Caller
from fullmakt.wire.altinn.parties import PartyIdentity, PartyKind
from fullmakt.wire.altinn.problems import BindingError
from fullmakt.wire.altinn.resources import MASKINPORTEN_SCHEMA, RegisteredResource

_RESOURCE = "right[0].Resource"
_NOT_RECOGNIZED = (
    "The specified resource is not recognized. The operation only support requests for a single resource from the"
    " Altinn Resource Registry, identified by using the urn:altinn:resource attribute id."
)
_NOT_AN_API = (
    "This operation only supports MaskinportenSchema resources. Please use the Single Rights DelegationCheck API."
)
_WHICH = f"(identified by either {ids.ORGANISATION_OLD} or {ids.PARTY_ID} attribute id)"
_IDENTIFIED_BY = frozenset({ids.ORGANISATION, ids.ORGANISATION_OLD, ids.PARTY_ID})


def routes(guarded: Guarded) -> list[Route]:
    """``{party}`` is a party id, or ``organization`` with the number in a header."""
    return guarded.table(
        "/api/v1/{party}/maskinportenschema",
        ("POST", "/delegationcheck", check),
        ("POST", "/offered", offer),
        ("GET", "/offered", list_offered),
        ("GET", "/received", list_received),
        ("POST", "/offered/revoke", revoke_offered),
        ("POST", "/received/revoke", revoke_received),
    )


async def check(system: AccessManagement, caller: Caller, request: Request) -> Response:
    """May the caller delegate the resource? 200 with an entry for each action of its policy."""
    party = await _party(system, caller, request, "write")
    named = list_of(await body_of(request), "resource", attribute_of)
    if len(named) != 1 or named[0].id != ids.RESOURCE:
        raise BindingError({_RESOURCE: [_NOT_RECOGNIZED]})
    resource = await system.resource(named[0].value)
    if resource is None or not resource.delegable:
        raise BindingError({_RESOURCE: ["The resource does not exist or is not available for delegation"]})
    if resource.resource_type != MASKINPORTEN_SCHEMA:
        which = f"Invalid resource: {resource.identifier}. Invalid resource type: {resource.resource_type}"
        raise BindingError({_RESOURCE: [f"{_NOT_AN_API} {which}"]})
    _require_organisation(
        party.kind is PartyKind.ORGANISATION,
        "From",
        "Delegation of MaskinportenSchema can only be performed by organizations.",
    )
    checks = await access.delegable(system.authority, caller, resource, party.party_uuid, api=True)
    return render.json([render.older_check(resource.identifier, one) for one in checks])


async def offer(system: AccessManagement, caller: Caller, request: Request) -> Response:
    """Delegate the resource to a supplier: 201."""
    giver = await _party(system, caller, request, "write")
    body = await body_of(request)
    resource = await _resource(system, body, delegating=True)
    _require_giver(giver)
    named = list_of(body, "to", attribute_of)
    receiver = await _other(system, "To", "to", named)
    if giver.party_uuid == receiver.party_uuid:
        text = "Maskinporten schema delegation can not have the same party in the From and To Attributes"
        raise BindingError({"To": [f"{text}: {named[0].value[:100]}"]})
    rights = await _delegable(system, caller, resource, giver)
    offers = [
        api_offer(giver, receiver, resource, actions, standing_on)
        for standing_on, actions in access.by_source(rights).items()
    ]
    await system.service.delegate_api(offers, performer(caller), connect=True)
    results = [render.older_right(resource.identifier, one.action, "Delegated") for one in rights]
    return render.json({"to": render.attributes(named), "rightDelegationResults": results}, 201)


async def list_offered(system: AccessManagement, caller: Caller, request: Request) -> Response:
    """What the party has delegated."""
    party = await _party(system, caller, request, "read")
    _require_supported(party)
    return await _listed(system, await system.service.stored(giver=party.party_uuid))


async def list_received(system: AccessManagement, caller: Caller, request: Request) -> Response:
    """What the party has been given."""
    party = await _party(system, caller, request, "read")
    _require_supported(party)
    return await _listed(system, await system.service.stored(receiver=party.party_uuid))


async def revoke_offered(system: AccessManagement, caller: Caller, request: Request) -> Response:
    """Take back what the party has delegated: 204, also when there was nothing."""
    giver = await _party(system, caller, request, "write")
    body = await body_of(request)
    resource = await _resource(system, body, delegating=False)
    _require_giver(giver)
    receiver = await _other(system, "To", "to", list_of(body, "to", attribute_of))
    await system.service.withdraw(
        Selection(giver.party_uuid, receiver.party_uuid, resource.identifier), performer(caller)
    )
    return Response(status_code=204)


async def revoke_received(system: AccessManagement, caller: Caller, request: Request) -> Response:
    """Give back what the party has been given: 204, also when there was nothing."""
    receiver = await _party(system, caller, request, "write")
    body = await body_of(request)
    resource = await _resource(system, body, delegating=False)
    giver = await _other(system, "From", "from", list_of(body, "from", attribute_of))
    _require_organisation(receiver.kind is PartyKind.ORGANISATION, "To", _no_organisation("to", str(receiver.party_id)))
    await system.service.withdraw(
        Selection(giver.party_uuid, receiver.party_uuid, resource.identifier), performer(caller)
    )
    return Response(status_code=204)


async def _party(system: AccessManagement, caller: Caller, request: Request, action: str) -> PartyIdentity:
    """The party of the path, when the caller may manage its API delegations.

    Raises:
        ForbiddenError: it may not, or there is no such party.
    """
    named = request.path_params["party"]
    headers = {
        "organization": (ids.ORGANISATION, "Altinn-Party-OrganizationNumber"),
        "person": (ids.PERSON, "Altinn-Party-SocialSecurityNumber"),
    }
    if named in headers:
        attribute_id, header = headers[named]
        party = await system.party(attribute_id, request.headers.get(header, "").strip())
    else:
        party = await system.party(ids.PARTY_ID, named)
    if party is None:
        raise ForbiddenError("unknown_party")
    await access.require(system.authority, caller, action, access.API_DELEGATION, party.party_uuid)
    return party


async def _resource(system: AccessManagement, body: Mapping[str, Any], *, delegating: bool) -> RegisteredResource:
    """The one resource of the body's one right.

    Raises:
        BindingError: there is not one right of one resource, or it is no API that can be delegated.
    """
    rights = list_of(body, "rights", object_of)
    if len(rights) != 1:
        text = (
            "This operation only support requests specifying a single right identifying a Maskinporten schema resource"
        )
        raise BindingError({"Rights": [f"{text} registered in the Altinn Resource Registry"]})
    named = list_of(rights[0], "resource", attribute_of)
    if len(named) != 1 or named[0].id != ids.RESOURCE:
        text = "This operation only support requests for resources from the Altinn Resource Registry using the"
        raise BindingError({_RESOURCE: [f"{text} {ids.RESOURCE} attribute id"]})
    identifier = named[0].value
    resource = await system.resource(identifier)
    if resource is None or (delegating and not resource.delegable):
        text = "does not exist or is not available for delegation"
        raise BindingError({_RESOURCE: [f"The resource: {identifier[:255]}, {text}"]})
    if resource.resource_type != MASKINPORTEN_SCHEMA:
        text = "This operation only support requests for Maskinporten schema resources. Invalid resource:"
        raise BindingError({_RESOURCE: [f"{text} {identifier}"]})
    return resource


async def _other(system: AccessManagement, field: str, way: str, named: Sequence[Attribute]) -> PartyIdentity:
    """The organisation on the other side.

    Raises:
        BindingError: it is none.
    """
    known = len(named) == 1 and named[0].id in _IDENTIFIED_BY and is_party_number(*named[0])
    party = await system.party(*named[0]) if known else None
    if party is None or party.kind is not PartyKind.ORGANISATION:
        raise BindingError({field: [_no_organisation(way, named[0].value if known else "")]})  # it may be a person's
    return party


def _no_organisation(way: str, value: str) -> str:
    text = "Maskinporten schema delegation can only be delegated"
    return f"{text} {way} a valid organization {_WHICH}. Invalid value: {value}"


def _require_organisation(is_organisation: bool, field: str, text: str) -> None:
    if not is_organisation:
        raise BindingError({field: [text]})


def _require_giver(giver: PartyIdentity) -> None:
    _require_organisation(giver.kind is PartyKind.ORGANISATION, "From", _no_organisation("from", str(giver.party_id)))


def _require_supported(party: PartyIdentity) -> None:
    text = "Maskinporten schema delegations is not supported between persons."
    _require_organisation(party.kind is PartyKind.ORGANISATION, "Validation Error", text)


async def _delegable(
    system: AccessManagement, caller: Caller, resource: RegisteredResource, giver: PartyIdentity
) -> list[access.Delegable]:
    """What the caller may delegate.

    Raises:
        BindingError: nothing.
    """
    checks = await access.delegable(system.authority, caller, resource, giver.party_uuid, api=True)
    rights = [one for one in checks if one.permitted]
    if not rights:
        too_low = any(one.level is not None for one in checks)
        text = "meet the required security level requirement" if too_low else "have any delegable rights"
        raise BindingError({_RESOURCE: [f"Authenticated user does not {text} for the resource: {resource.identifier}"]})
    return rights


async def _listed(system: AccessManagement, found: Sequence[StoredRight]) -> Response:
    apis = [one for one in found if one.api is not None]
    parties = await system.by_uuid(uuid for one in apis for uuid in (one.right.giver, one.right.receiver))
    return render.json(
        [
            render.offered(one, parties[one.right.giver], parties[one.right.receiver])
            for one in apis
            if one.right.giver in parties and one.right.receiver in parties
        ]
    )

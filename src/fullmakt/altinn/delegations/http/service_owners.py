"""Access packages that a service owner gives on behalf of others (altinn-authorization.md §14.4)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from fullmakt.altinn.delegations.http import problems, render
from fullmakt.altinn.delegations.http.context import AccessManagement, Guarded, performer
from fullmakt.altinn.delegations.model import ConnectionRole
from fullmakt.altinn.delegations.ports import AccessPackage
from fullmakt.infra.altinn import require_scope
from fullmakt.infra.reading import body_of, text_of
from fullmakt.wire.altinn import attributes as ids
from fullmakt.wire.altinn.attributes import Attribute
from fullmakt.wire.altinn.callers import Caller
from fullmakt.wire.altinn.parties import PartyIdentity
from fullmakt.wire.altinn.problems import AltinnProblemError, BindingError

SCOPE = "altinn:serviceowner/delegations:accesspackage.write"
_BASE = "/api/v1/serviceowner/connections/accesspackages"


def routes(guarded: Guarded) -> list[Route]:
    """The routes."""
    return guarded.table(_BASE, ("POST", "", give), ("POST", "/revoke", revoke))


@dataclass(frozen=True, slots=True)
class _Order:
    giver: PartyIdentity
    receiver: PartyIdentity
    package: AccessPackage


async def give(system: AccessManagement, caller: Caller, request: Request) -> Response:
    """``{"from", "to", "packageUrn"}`` → 200 with the ids of what was given."""
    require_scope(caller, SCOPE)
    order = await _order(system, caller, await body_of(request))
    giver, receiver = order.giver.party_uuid, order.receiver.party_uuid
    if giver == receiver:
        raise problems.to_itself("from", "to")
    await system.service.give_package(giver, receiver, order.package.name, performer(caller))
    return render.json(await given(system, giver, receiver, order.package))


async def revoke(system: AccessManagement, caller: Caller, request: Request) -> Response:
    """The same body → 204, also when there was nothing."""
    require_scope(caller, SCOPE)
    order = await _order(system, caller, await body_of(request))
    await system.service.take_packages(
        order.giver.party_uuid, order.receiver.party_uuid, order.package.name, performer(caller)
    )
    return Response(status_code=204)


async def given(system: AccessManagement, giver: Any, receiver: Any, package: AccessPackage) -> render.Document:
    """The ids of a package that has been given."""
    found = await system.service.delegated_packages(receivers=[receiver], giver=giver)
    (connection, *_) = await system.service.connections(giver=giver, receiver=receiver, role=ConnectionRole.RIGHTHOLDER)
    return {
        "id": next((str(one.delegation_id) for one in found if one.package == package.name), None),
        "assignmentId": str(connection.connection_id),
        "packageId": str(package.id),
    }


async def _order(system: AccessManagement, caller: Caller, body: Mapping[str, Any]) -> _Order:
    """What is to be done: first whether the owner may give such a package at all, then between whom.

    Raises:
        AltinnProblemError: the owner may not (AM-00034), a party is unknown (AM-00021), or the package is (AM-00035).
        BindingError: a member is missing, or no URN.
    """
    urn = text_of(body, "packageUrn")
    if not urn.startswith(f"{ids.ACCESS_PACKAGE}:"):
        raise BindingError({"packageUrn": ["The value is no access package's URN"]})
    name = urn.removeprefix(f"{ids.ACCESS_PACKAGE}:")
    parties = [_urn(body, field) for field in ("from", "to")]
    allowed = system.package_owners.get(caller.consumer, frozenset()) if caller.consumer else frozenset()
    if name.lower() not in {one.lower() for one in allowed}:
        facts = {"package": name[:255]}
        await system.service.work.refused(caller.actor, "accessmanagement:post", _BASE, "package_not_allowed", **facts)
        raise AltinnProblemError(problems.PACKAGE_NOT_AUTHORIZED)
    giver, receiver = [await system.party(*attribute) for attribute in parties]
    if giver is None or receiver is None:
        raise AltinnProblemError(problems.PARTIES_NOT_FOUND)
    package = system.packages.package(name)
    if package is None:
        raise AltinnProblemError(problems.PACKAGE_NOT_FOUND)
    return _Order(giver, receiver, package)


def _urn(body: Mapping[str, Any], field: str) -> Attribute:
    """``urn:altinn:person:identifier-no:…`` or ``urn:altinn:organization:identifier-no:…``."""
    attribute_id, _, value = text_of(body, field).rpartition(":")
    if attribute_id not in {ids.PERSON, ids.ORGANISATION}:
        raise BindingError({field: ["The value is no URN of a person or an organization"]})
    return Attribute(attribute_id, value)

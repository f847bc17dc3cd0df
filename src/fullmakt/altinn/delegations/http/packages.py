"""Access packages that a party gives another (altinn-authorization.md §14.2)."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from fullmakt.altinn.delegations import access
from fullmakt.altinn.delegations.access import PackageAccess, PackageReason
from fullmakt.altinn.delegations.http import problems, render
from fullmakt.altinn.delegations.http.connections import BASE, ends_of, giver_of, receiver_of
from fullmakt.altinn.delegations.http.context import AccessManagement, Guarded, performer
from fullmakt.altinn.delegations.http.service_owners import given
from fullmakt.altinn.delegations.model import ConnectionRole
from fullmakt.altinn.delegations.ports import AccessPackage
from fullmakt.infra.reading import Query
from fullmakt.wire.altinn.callers import Caller
from fullmakt.wire.altinn.problems import AltinnValidationError, BindingError, ValidationFault


def routes(guarded: Guarded) -> list[Route]:
    """The routes."""
    return guarded.table(
        f"{BASE}/accesspackages",
        ("GET", "", list_packages),
        ("POST", "", give),
        ("DELETE", "", take),
        ("GET", "/delegationcheck", check),
    )


async def list_packages(system: AccessManagement, caller: Caller, request: Request) -> Response:
    """Packages, and who has them from whom."""
    ends = await ends_of(system, caller, Query(request), "read")
    receivers = None if ends.receiver is None else [ends.receiver]
    found = await system.service.delegated_packages(receivers=receivers, giver=ends.giver)
    parties = await system.by_uuid(uuid for one in found for uuid in (one.giver, one.receiver))
    role = render.connection_role(ConnectionRole.RIGHTHOLDER)
    documents: dict[str, render.Document] = {}
    for one in found:
        if one.giver in parties and one.receiver in parties:
            package = render.package(one.package, system.packages.package(one.package))
            entry = documents.setdefault(one.package, {"package": package, "permissions": []})
            entry["permissions"].append(render.permission(parties[one.giver], parties[one.receiver], role))
    return render.listed(list(documents.values()))


async def give(system: AccessManagement, caller: Caller, request: Request) -> Response:
    """Give a package, by ``packageId`` or ``package``: 200 with the ids."""
    query = Query(request)
    giver = await giver_of(system, caller, query)
    receiver = await receiver_of(system, giver, query, request)
    package = _package(system, query)
    if not package.assignable:
        raise problems.package_not_delegable()
    standing = await access.standing(system.parties, system.service, caller, giver.party_uuid)
    found = standing.to_give(package)
    if not found.permitted:
        told = {"packages": f"User is not allowed to assign the following package(s) '{package.name}'."}
        fault = ValidationFault("AM.VLD-00026", "User not authorized for operation.", ["/$QUERY/package"], told)
        await system.service.work.refused(
            caller.actor,
            "accessmanagement:post",
            request.url.path[:255],
            "package_not_held",
            package=package.name,
            why=list(found.reasons),
        )
        raise AltinnValidationError(fault)
    await system.service.give_package(giver.party_uuid, receiver.party_uuid, package.name, performer(caller))
    return render.json(await given(system, giver.party_uuid, receiver.party_uuid, package))


async def take(system: AccessManagement, caller: Caller, request: Request) -> Response:
    """Take a package back, or give it back: 204, also when there was none."""
    query = Query(request)
    ends = await ends_of(system, caller, query, "write", both=True)
    package = _package(system, query)
    await system.service.take_packages(*ends.both, package.name, performer(caller))
    return Response(status_code=204)


async def check(system: AccessManagement, caller: Caller, request: Request) -> Response:
    """May the caller give these packages on behalf of the party?"""
    query = Query(request)
    giver = await giver_of(system, caller, query)
    named = [*query.all("packages"), *query.all("package"), *query.all("packageIds")]
    if not named:
        raise BindingError({"packages": ["The packages field is required."]})
    standing = await access.standing(system.parties, system.service, caller, giver.party_uuid)
    entries = []
    for identifier in dict.fromkeys(named):
        package = system.packages.package(identifier)
        if package is None:
            raise problems.no_package(identifier)
        found = standing.to_give(package)
        entries.append(
            {
                "package": render.package(package.name, package),
                "result": found.permitted,
                "reasons": [{"description": _told(found)}],
            }
        )
    return render.listed(entries)


def _told(found: PackageAccess) -> PackageReason:
    """The protocol has no more than two reasons."""
    return PackageReason.ACCESS if PackageReason.ACCESS in found.reasons else PackageReason.MISSING


def _package(system: AccessManagement, query: Query) -> AccessPackage:
    identifier = query.text("packageId") or query.required("package")
    package = system.packages.package(identifier)
    if package is None:
        raise problems.no_package(identifier)
    return package

"""Rights on resources, and on single instances of them, that a party gives another (altinn-authorization.md §14.2)."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from fullmakt.altinn.delegations import access
from fullmakt.altinn.delegations.errors import INVALID_RIGHT_KEY
from fullmakt.altinn.delegations.http import problems, render
from fullmakt.altinn.delegations.http.connections import BASE, ends_of, giver_of, is_connected
from fullmakt.altinn.delegations.http.context import AccessManagement, Guarded, performer
from fullmakt.altinn.delegations.model import ConnectionRole, Offer, Selection
from fullmakt.infra.altinn import language_of
from fullmakt.infra.reading import Query, body_of, list_of
from fullmakt.kernel.text import is_name
from fullmakt.wire.altinn.callers import Caller
from fullmakt.wire.altinn.delegations import DelegatedRight
from fullmakt.wire.altinn.parties import PartyIdentity
from fullmakt.wire.altinn.problems import (
    AltinnProblemError,
    AltinnValidationError,
    BindingError,
    ValidationFault,
)
from fullmakt.wire.altinn.resources import MASKINPORTEN_SCHEMA, RegisteredResource

_INSTANCES = f"{BASE}/resources/instances"
_INSTANCE_URNS = ("urn:altinn:instance-id:", "urn:altinn:correspondence-id:", "urn:altinn:dialog-id:")


def routes(guarded: Guarded) -> list[Route]:
    """The same for a whole resource, and for one instance of it."""
    rows = (
        ("GET", "", list_resources),
        ("DELETE", "", take),
        ("GET", "/rights", list_rights),
        ("POST", "/rights", give),
        ("PUT", "/rights", replace),
        ("GET", "/delegationcheck", check),
    )
    of_instances = (*rows, ("GET", "/users", list_users))
    return [*guarded.table(f"{BASE}/resources", *rows), *guarded.table(_INSTANCES, *of_instances)]


def _is_about_instances(request: Request) -> bool:
    return _INSTANCES in request.url.path.lower()  # paths are taken in any case


def _instance_of(request: Request, query: Query) -> str | None:
    """The instance, on those paths that are about one.

    Raises:
        AltinnValidationError: it is no URN of an instance.
    """
    if not _is_about_instances(request):
        return None
    instance = query.required("instance")
    if not instance.startswith(_INSTANCE_URNS) or not is_name(instance):
        text = (
            "Instance must use a valid URN format: 'urn:altinn:instance-id:', 'urn:altinn:correspondence-id:', or"
            " 'urn:altinn:dialog-id:'."
        )
        raise AltinnValidationError(ValidationFault("AM.VLD-00029", text, ["/$QUERY/instance"]))
    return instance


async def _resource(system: AccessManagement, query: Query) -> RegisteredResource:
    """The resource of the query (AM-00027)."""
    identifier = query.required("resource")
    resource = await system.resource(identifier)
    if resource is None:
        raise AltinnProblemError(problems.INVALID_RESOURCE, resource=identifier[:255])
    return resource


async def list_resources(system: AccessManagement, caller: Caller, request: Request) -> Response:
    """Resources, and who has rights on them from whom."""
    query = Query(request)
    ends = await ends_of(system, caller, query, "read")
    wanted = query.text("resource")
    of_instances = _is_about_instances(request)
    found = [
        one.right
        for one in await system.service.stored(giver=ends.giver, receiver=ends.receiver)
        if one.api is None
        and (wanted is None or one.right.resource == wanted)
        and (one.right.instance is not None) == of_instances
    ]
    known = await system.resources.resources({one.resource for one in found}) if found else {}
    language = language_of(request)
    documents: dict[tuple[str, str | None], render.Document] = {}
    for right, permission in await _permissions(system, found):
        if right.resource in known:
            start: render.Document = {"resource": render.resource(known[right.resource], language)}
            if right.instance is not None:
                start["instance"] = {"refId": right.instance}
            entry = documents.setdefault((right.resource, right.instance), {**start, "permissions": []})
            entry["permissions"].append(permission)
    return render.listed(list(documents.values()))


async def _permissions(
    system: AccessManagement, found: Sequence[DelegatedRight]
) -> list[tuple[DelegatedRight, render.Document]]:
    parties = await system.by_uuid(uuid for one in found for uuid in (one.giver, one.receiver, one.given_by))
    role = render.connection_role(ConnectionRole.RIGHTHOLDER)
    return [
        (
            one,
            render.permission(
                parties[one.giver],
                parties[one.receiver],
                role,
                via=parties.get(one.given_by) if one.passed_on_from else None,
            ),
        )
        for one in found
        if one.giver in parties and one.receiver in parties
    ]


async def list_users(system: AccessManagement, caller: Caller, request: Request) -> Response:
    """Who has been given rights on one instance by the party, told in few words."""
    query = Query(request)
    giver = await giver_of(system, caller, query, "read")
    instance = _instance_of(request, query)
    resource = await _resource(system, query)
    stored = await system.service.stored(giver=giver.party_uuid, resource=resource.identifier)
    receivers = dict.fromkeys(one.right.receiver for one in stored if one.right.instance == instance)
    parties = await system.by_uuid(receivers)
    return render.listed([render.simple_party(parties[one]) for one in receivers if one in parties])


async def list_rights(system: AccessManagement, caller: Caller, request: Request) -> Response:
    """The single rights on one resource: those given directly, and those that came by others."""
    query = Query(request)
    ends = await ends_of(system, caller, query, "read", both=True)
    giver, receiver = ends.both
    instance = _instance_of(request, query)
    resource = await _resource(system, query)
    stored = await system.service.stored(giver=giver, receiver=receiver, resource=resource.identifier)
    found = [one.right for one in stored if one.right.instance == instance]
    document: render.Document = {
        "resource": render.resource(resource, language_of(request)),
        "directRights": [],
        "indirectRights": [],
    }
    for right, permission in await _permissions(system, found):
        for action in sorted(right.actions):
            kind = "indirectRights" if right.passed_on_from else "directRights"
            document[kind].append(
                {
                    "right": render.right(resource.identifier, action),
                    "reason": permission["reason"],
                    "permissions": [permission],
                }
            )
    return render.json(document)


async def give(system: AccessManagement, caller: Caller, request: Request) -> Response:
    """``{"directRightKeys": […]}`` besides what was given before: 201, empty."""
    await _give(system, caller, request, instead=False)
    return Response(status_code=201)


async def replace(system: AccessManagement, caller: Caller, request: Request) -> Response:
    """The same instead of what was given before: 200, empty."""
    await _give(system, caller, request, instead=True)
    return Response(status_code=200)


async def _give(system: AccessManagement, caller: Caller, request: Request, *, instead: bool) -> None:
    query = Query(request)
    giver = await giver_of(system, caller, query)
    receiver = await _receiver(system, giver, query)
    instance = _instance_of(request, query)
    resource = await _resource(system, query)
    keys = list_of(await body_of(request), "directRightKeys", _key)
    rights = await _checked(system, caller, giver, resource, keys)
    offers = [
        Offer(giver.party_uuid, receiver.party_uuid, resource.identifier, frozenset(actions), instance, standing_on)
        for standing_on, actions in access.by_source(rights).items()
    ]
    only = Selection(giver.party_uuid, receiver.party_uuid, resource.identifier, instance=instance) if instead else None
    await system.service.delegate_all(offers, performer(caller), only=only)


def _key(path: str, value: object) -> str:
    if not isinstance(value, str):
        raise BindingError({f"$.{path}": ["The JSON value could not be converted to System.String."]})
    return value


async def _receiver(system: AccessManagement, giver: PartyIdentity, query: Query) -> PartyIdentity:
    """Who is to receive: somebody the giver is connected to (AM-00022)."""
    to = query.uuid("to")
    receiver = (await system.by_uuid([to])).get(to)
    if receiver is None:
        raise problems.no_entity("to")
    if receiver.party_uuid == giver.party_uuid:
        raise problems.to_itself("party", "to")
    if not await is_connected(system, giver, receiver):
        raise AltinnProblemError(problems.MISSING_CONNECTION)
    return receiver


async def _checked(
    system: AccessManagement,
    caller: Caller,
    giver: PartyIdentity,
    resource: RegisteredResource,
    keys: Collection[str],
) -> list[access.Delegable]:
    """The rights that the keys name, when the caller may delegate every one of them.

    Raises:
        AltinnProblemError: there are no keys, one of them is none, the resource is not delegated this way, or the
            caller may not delegate it.
    """
    if not keys:
        raise AltinnProblemError(problems.MISSING_RIGHT_KEY)
    if not resource.delegable or resource.resource_type == MASKINPORTEN_SCHEMA:
        raise AltinnProblemError(problems.RESOURCE_NOT_DELEGABLE)
    checks = await access.delegable(system.authority, caller, resource, giver.party_uuid, api=False)
    by_key = {f"{resource.identifier}:{one.action}": one for one in checks}
    if not by_key.keys() >= set(keys):
        raise AltinnProblemError(INVALID_RIGHT_KEY)
    rights = [by_key[key] for key in dict.fromkeys(keys)]
    if not all(one.permitted for one in rights):
        raise AltinnProblemError(problems.NOT_AUTHORIZED)
    return rights


async def take(system: AccessManagement, caller: Caller, request: Request) -> Response:
    """Take all rights on the resource back, or give them back: 204, also when there were none."""
    query = Query(request)
    ends = await ends_of(system, caller, query, "write", both=True)
    giver, receiver = ends.both
    instance = _instance_of(request, query)
    resource = await _resource(system, query)
    if resource.resource_type != MASKINPORTEN_SCHEMA:  # those have a door of their own
        selection = Selection(giver, receiver, resource.identifier, instance=instance)
        await system.service.withdraw(selection, performer(caller))
    return Response(status_code=204)


async def check(system: AccessManagement, caller: Caller, request: Request) -> Response:
    """May the caller delegate the resource on behalf of the party?"""
    query = Query(request)
    giver = await giver_of(system, caller, query)
    resource = await _resource(system, query)
    checks = await access.delegable(system.authority, caller, resource, giver.party_uuid, api=False)
    return render.json(render.check(resource, checks, language_of(request)))

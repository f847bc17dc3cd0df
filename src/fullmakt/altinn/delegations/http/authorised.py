"""Authorised parties, in all three forms (altinn-authorization.md §14.1)."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from fullmakt.altinn.delegations import access
from fullmakt.altinn.delegations.authorised import AuthorisedParties, AuthorisedParty, Wanted
from fullmakt.altinn.delegations.http import render
from fullmakt.altinn.delegations.http.context import AccessManagement, Guarded, is_party_number
from fullmakt.infra.altinn import ForbiddenError, require_scope
from fullmakt.infra.reading import Query, attribute_of, body_of, list_of, text_of
from fullmakt.wire.altinn import attributes as ids
from fullmakt.wire.altinn.attributes import Attribute
from fullmakt.wire.altinn.callers import Caller
from fullmakt.wire.altinn.parties import PartyKind
from fullmakt.wire.altinn.problems import BindingError

_SCOPE = "altinn:accessmanagement/authorizedparties"
_OWNER_SCOPES = (f"{_SCOPE}.resourceowner", f"{_SCOPE}.admin")
_TYPES = frozenset({ids.PERSON, ids.ORGANISATION, ids.SYSTEM_USER, ids.USER_ID, ids.PARTY_ID, ids.PARTY_UUID})
_AUTO = frozenset({"true", "false", "auto"})


def routes(guarded: Guarded) -> list[Route]:
    """For service owners, for end users, and for the platform's own pages."""
    return guarded.table(
        "/api/v1",
        ("POST", "/resourceowner/authorizedparties", of_anybody),
        ("POST", "/serviceowner/authorizedparties", of_anybody),
        ("GET", "/enduser/authorizedparties", of_caller),
        ("GET", "/authorizedparties", of_user),
        ("GET", "/authorizedparty/{partyId}", one_of_user),
    )


async def of_anybody(system: AccessManagement, caller: Caller, request: Request) -> Response:
    """``{"type", "value", "partyFilter"?}`` → 200 with the list."""
    require_scope(caller, *_OWNER_SCOPES)
    body = await body_of(request)
    subject = Attribute(text_of(body, "type"), text_of(body, "value"))
    holder = await _holder(system, subject)
    filters = list_of(body, "partyFilter", attribute_of)
    only = await _only(system, filters) if filters else None
    return render.json(await _documents(system, holder, Query(request), only))


async def of_caller(system: AccessManagement, caller: Caller, request: Request) -> Response:
    """The same for who calls, a system user perhaps, wrapped as lists for end users are."""
    require_scope(caller, access.PORTAL_SCOPE, _SCOPE)
    return render.listed(await _documents(system, _caller(caller), Query(request), None))


async def of_user(system: AccessManagement, caller: Caller, request: Request) -> Response:
    """The same for who is logged in."""
    require_scope(caller, access.PORTAL_SCOPE)
    return render.json(await _documents(system, _caller(caller), Query(request), None))


async def one_of_user(system: AccessManagement, caller: Caller, request: Request) -> Response:
    """One party of that list."""
    require_scope(caller, access.PORTAL_SCOPE)
    party = await system.party(ids.PARTY_ID, request.path_params["partyId"])
    only = frozenset({party.party_uuid}) if party else frozenset[UUID]()
    found = await _documents(system, _caller(caller), Query(request), only)
    if not found:
        raise BindingError({"InvalidParty": ["The authenticated user can not act for the party, or there is none"]})
    return render.json(found[0])


def _caller(caller: Caller) -> UUID:
    holder = caller.system_user or caller.party_uuid
    if holder is None:
        raise ForbiddenError("nobody_in_particular")
    return holder


async def _holder(system: AccessManagement, subject: Attribute) -> UUID:
    """Whom it is about.

    Raises:
        BindingError: the type is none of those that can be asked about, or nobody is known by the value.
    """
    if subject.id not in _TYPES:
        raise BindingError({"type": ["The type is none that authorized parties can be looked up by"]})
    if not is_party_number(*subject):
        raise BindingError({"value": [f"The value is not a valid {subject.id}"]})
    if subject.id == ids.SYSTEM_USER:
        return UUID(subject.value)
    party = await system.party(*subject)
    if party is None:
        raise BindingError({"value": [f"No party is known by this {subject.id}"]})
    return party.party_uuid


async def _only(system: AccessManagement, filters: Sequence[Attribute]) -> frozenset[UUID]:
    named = [one for one in filters if is_party_number(*one)]
    return frozenset(party.party_uuid for party in (await system.parties.identify(named)).values())


async def _documents(
    system: AccessManagement, holder: UUID, query: Query, only: frozenset[UUID] | None
) -> list[render.Document]:
    wanted = Wanted(
        via_key_roles=_auto(query, "includePartiesViaKeyRoles"),
        sub_parties=_auto(query, "includeSubParties"),
        only=only,
        owner=query.text("orgCode"),
        resources=frozenset(query.all("anyOfResourceIds")),
    )
    _auto(query, "includeInactiveParties")  # nobody is inactive here
    shown = _Shown(
        roles=query.flag("includeRoles", default=True),
        packages=query.flag("includeAccessPackages"),
        resources=query.flag("includeResources", default=True),
        instances=query.flag("includeInstances", default=True),
    )
    parties = AuthorisedParties(system.service, system.parties, system.resources, system.authority)
    found = await parties.of(holder, wanted)
    return [shown.document(one) for one in found]


def _auto(query: Query, name: str) -> bool:
    value = (query.text(name) or "auto").lower()
    if value not in _AUTO:
        raise BindingError({name: [f"The value '{value[:100]}' is not valid."]})
    return value != "false"


class _Shown:
    """What of it the caller wants to see."""

    def __init__(self, *, roles: bool, packages: bool, resources: bool, instances: bool) -> None:
        self._roles, self._packages, self._resources, self._instances = roles, packages, resources, instances

    def document(self, one: AuthorisedParty) -> render.Document:
        """A party that one can act for."""
        party = one.party
        organisation = party.kind is PartyKind.ORGANISATION
        codes = {role.value.upper() for role in one.roles if role.id == ids.ROLE_CODE}
        return {
            "partyUuid": str(party.party_uuid),
            "name": party.name,
            "organizationNumber": party.orgno,
            "parentId": str(party.parent) if party.parent else None,
            "personId": party.national_id,
            "dateOfBirth": None,
            "partyId": party.party_id,
            "emailId": None,
            "type": "Organization" if organisation else "Person",
            "unitType": party.form,
            "isDeleted": False,
            "onlyHierarchyElementWithNoAccess": one.only_hierarchy,
            "authorizedAccessPackages": sorted(p.value for p in one.packages) if self._packages else [],
            "authorizedResources": sorted(one.resources) if self._resources else [],
            "authorizedRoles": sorted(codes) if self._roles else [],
            "authorizedInstances": [
                {"resourceId": resource, "instanceId": instance.rpartition(":")[2], "instanceRef": instance}
                for resource, instance in sorted(one.instances)
            ]
            if self._instances
            else [],
            "subunits": [self.document(unit) for unit in one.subunits],
        }

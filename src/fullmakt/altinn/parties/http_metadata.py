"""Altinn's metadata API, open to all: which roles and access packages there are, and what gives what.

The paths are altinn-authorization.md §14.5's, below ``…/accessmanagement/api/v1/meta``. ``Accept-Language`` picks among
bokmål (the default), nynorsk and English; ``X-Accept-Partial-Translation`` changes nothing, since every name is there
in all three.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp

from fullmakt.altinn.parties.http_reading import id_of, party_type
from fullmakt.altinn.parties.metadata import documents
from fullmakt.altinn.parties.metadata.load import published
from fullmakt.altinn.parties.metadata.model import Metadata, Package, RoleDefinition
from fullmakt.altinn.parties.metadata.rules import packages_given
from fullmakt.altinn.parties.metadata.search import Found, find
from fullmakt.altinn.parties.ports import ResourcesBySubject
from fullmakt.infra.altinn import HANDLERS, language_of
from fullmakt.infra.http import SystemEdge, problem, routed
from fullmakt.infra.reading import Query
from fullmakt.infra.routes import folded_route
from fullmakt.wire.altinn.attributes import ACCESS_PACKAGE, Attribute
from fullmakt.wire.altinn.resources import RegisteredResource

Endpoint = Callable[[Request], Awaitable[Response]]


def metadata_app(resources: ResourcesBySubject | None = None, metadata: Metadata | None = None) -> ASGIApp:
    """The app, to be mounted at ``/accessmanagement/api/v1/meta``; every answer is cacheable, none needs a token.

    Without ``resources`` no package and no role leads to any. A list with nothing in it is 204 where Altinn's is.
    """
    api = _MetadataApi(metadata or published(), resources)
    packages, roles = "/info/accesspackages", "/info/roles"
    paths: dict[str, Endpoint] = {
        f"{packages}/search": api.search,
        f"{packages}/export": api.export,
        f"{packages}/group": api.groups,
        f"{packages}/group/{{id}}": api.group,
        f"{packages}/group/{{id}}/areas": api.group_areas,
        f"{packages}/area/{{id}}": api.area,
        f"{packages}/area/{{id}}/packages": api.area_packages,
        f"{packages}/package/{{id}}": api.package,
        f"{packages}/package/urn/{{urn}}": api.package_by_urn,
        f"{packages}/package/{{id}}/resources": api.package_resources,
        roles: api.roles,
        f"{roles}/packages": api.role_packages,
        f"{roles}/resources": api.role_resources,
        f"{roles}/{{id}}": api.role,
        f"{roles}/{{id}}/packages": api.role_packages,
        f"{roles}/{{id}}/resources": api.role_resources,
        "/types/organization/subtypes": api.sub_types,
    }
    routes = [folded_route(path, endpoint) for path, endpoint in paths.items()]
    return SystemEdge(routed(routes, HANDLERS))


class _MetadataApi:
    """The endpoints. Each finds what is asked for, and renders it in the language asked for."""

    def __init__(self, metadata: Metadata, resources: ResourcesBySubject | None) -> None:
        self._metadata = metadata
        self._resources = resources
        self._groups = {group.id: group for group in metadata.groups}
        self._areas = {area.id: area for area in metadata.areas}
        self._packages = {package.id: package for package in metadata.packages.values()}
        self._roles = {role.id: role for role in metadata.roles}

    async def search(self, request: Request) -> Response:
        """``?term=&typeName=&strict=&simpleSearch=&resourceProviderCode=``: packages that have words of ``term``.

        ``simpleSearch=false`` lets words be misspelled; ``resourceProviderCode``, repeatable, keeps the packages that
        lead to a resource of that service owner.
        """
        language, query = language_of(request), Query(request)
        found = find(
            self._metadata,
            query.required("term"),
            language=language,
            party_type=party_type(query.text("typeName")),
            strict=query.flag("strict"),
            fuzzy=not query.flag("simpleSearch", default=True),
        )
        owners = {code.casefold() for code in query.all("resourceProviderCode") if code}
        if owners:
            found = await self._leading_to(owners, found)
        return _listed([documents.found(one, self._metadata, language) for one in found], language)

    async def export(self, request: Request) -> Response:
        """Everything, in one tree."""
        language = language_of(request)
        return _json([documents.hierarchy(group, language) for group in self._metadata.groups], language)

    async def groups(self, request: Request) -> Response:
        """Every group."""
        language = language_of(request)
        return _json(_by_name(documents.group(group, language) for group in self._metadata.groups), language)

    async def group(self, request: Request) -> Response:
        """One group."""
        language = language_of(request)
        group = self._groups.get(id_of(request))
        return _absent("group") if group is None else _json(documents.group(group, language), language)

    async def group_areas(self, request: Request) -> Response:
        """The areas of a group."""
        language = language_of(request)
        group = self._groups.get(id_of(request))
        if group is None:
            return _absent("group")
        return _listed(_by_name(documents.area(area, self._metadata, language) for area in group.areas), language)

    async def area(self, request: Request) -> Response:
        """One area."""
        language = language_of(request)
        area = self._areas.get(id_of(request))
        return _absent("area") if area is None else _json(documents.area(area, self._metadata, language), language)

    async def area_packages(self, request: Request) -> Response:
        """The packages of an area."""
        language = language_of(request)
        area = self._areas.get(id_of(request))
        if area is None:
            return _absent("area")
        return _listed(_by_name(documents.package(one, self._metadata, language) for one in area.packages), language)

    async def package(self, request: Request) -> Response:
        """One package."""
        return await self._one_package(request, self._packages.get(id_of(request)))

    async def package_by_urn(self, request: Request) -> Response:
        """One package, by its whole URN or by what comes last in it."""
        name = request.path_params["urn"].removeprefix(f"{ACCESS_PACKAGE}:")
        return await self._one_package(request, self._metadata.packages.get(name))

    async def package_resources(self, request: Request) -> Response:
        """The resources that a package leads to."""
        language = language_of(request)
        package = self._packages.get(id_of(request))
        if package is None:
            return _absent("package")
        behind = await self._behind([package])
        return _listed(_resources(behind.get(package.name, ()), language), language)

    async def roles(self, request: Request) -> Response:
        """Every role."""
        language = language_of(request)
        return _json([documents.role(role, language) for role in self._metadata.roles], language)

    async def role(self, request: Request) -> Response:
        """One role, in a list of one; an empty list when there is none."""
        language = language_of(request)
        role = self._roles.get(id_of(request))
        return _json([documents.role(role, language)] if role else [], language)

    async def role_packages(self, request: Request) -> Response:
        """``?role=&variant=&includeResources=``: what a role gives in organisations of a form."""
        language = language_of(request)
        with_resources = Query(request).flag("includeResources")
        asked = self._role_in_form(request)
        if isinstance(asked, Response):
            return asked
        packages = self._given(*asked)
        behind = await self._behind(packages) if with_resources else None
        return _json(
            [
                documents.package(
                    one, self._metadata, language, behind.get(one.name, ()) if behind is not None else None
                )
                for one in packages
            ],
            language,
        )

    async def role_resources(self, request: Request) -> Response:
        """``?role=&variant=&includePackageResources=``: the resources that a role leads to in such organisations."""
        language = language_of(request)
        with_packages = Query(request).flag("includePackageResources")
        asked = self._role_in_form(request)
        if isinstance(asked, Response):
            return asked
        role, form = asked
        subjects = set(role.spellings) if role else set()
        if with_packages:
            subjects.update(package.attribute for package in self._given(role, form))
        found = await self._with_subjects(subjects)
        return _json(_resources((one for each in found.values() for one in each), language), language)

    async def sub_types(self, request: Request) -> Response:
        """The organisation forms."""
        forms = sorted(self._metadata.forms.items())
        return _json([documents.sub_type(form, text) for form, text in forms], language_of(request))

    async def _one_package(self, request: Request, package: Package | None) -> Response:
        if package is None:
            return _absent("package")
        language = language_of(request)
        behind = await self._behind([package])
        return _json(documents.package(package, self._metadata, language, behind.get(package.name, ())), language)

    def _role_in_form(self, request: Request) -> tuple[RoleDefinition | None, str] | Response:
        """The role and the form asked about: by id a role that there is none of gives nothing, by code it is a 404."""
        form = Query(request).required("variant").upper()
        if "id" in request.path_params:
            role = self._roles.get(id_of(request))
        else:
            role = self._role(Query(request).required("role"))
            if role is None:
                return _absent("role")
        return (role, form) if form in self._metadata.forms else _absent("variant")

    def _role(self, code: str) -> RoleDefinition | None:
        """The role of that name or, failing that, of that older code."""
        by_name = (role for role in self._metadata.roles if role.name == code.lower())
        return next(by_name, self._metadata.role_by_code.get(code.lower()))

    def _given(self, role: RoleDefinition | None, form: str) -> list[Package]:
        names = packages_given(self._metadata, role, form) if role else frozenset()
        return [self._metadata.packages[name] for name in sorted(names)]

    async def _leading_to(self, owners: Collection[str], found: Iterable[Found]) -> list[Found]:
        """Those of ``found`` whose package leads to a resource of one of the service owners."""
        kept = list(found)
        behind = await self._behind(one.package for one in kept)
        owned_by = {name: {each.owner_code.casefold() for each in resources} for name, resources in behind.items()}
        return [one for one in kept if not owned_by.get(one.package.name, set()).isdisjoint(owners)]

    async def _behind(self, packages: Iterable[Package]) -> Mapping[str, Sequence[RegisteredResource]]:
        """By name of a package, the resources that it leads to."""
        found = await self._with_subjects({package.attribute for package in packages})
        return {attribute.value: resources for attribute, resources in found.items()}

    async def _with_subjects(self, subjects: Collection[Attribute]) -> Mapping[Attribute, Sequence[RegisteredResource]]:
        if self._resources is None or not subjects:
            return {}
        return await self._resources.resources_with_subjects(subjects)


def _by_name(rendered: Iterable[documents.Document]) -> list[documents.Document]:
    return sorted(rendered, key=lambda document: document["name"])


def _resources(resources: Iterable[RegisteredResource], language: str) -> list[documents.Document]:
    once = {resource.identifier: resource for resource in resources}
    return _by_name(documents.resource(resource, language) for resource in once.values())


def _json(document: Any, language: str) -> Response:
    headers = {"Content-Language": language, "Vary": "Accept-Language"}
    return Response(orjson.dumps(document), media_type="application/json", headers=headers)


def _listed(items: list[documents.Document], language: str) -> Response:
    return _json(items, language) if items else Response(status_code=204)


def _absent(what: str) -> Response:
    return problem(404, f"There is no such {what}")

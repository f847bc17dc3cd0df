"""Policies and what is read out of them (§5)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import anyio.to_thread
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from fullmakt.altinn.resources.errors import UnknownResourceError
from fullmakt.altinn.resources.http.render import (
    attribute_document,
    attribute_documents,
    json_response,
    page_document,
    path_of,
    urn_document,
)
from fullmakt.altinn.resources.http.routing import route
from fullmakt.altinn.resources.http.upload import uploaded_file
from fullmakt.altinn.resources.http.writers import Writers
from fullmakt.altinn.resources.rules.policy_check import PolicyReport
from fullmakt.altinn.resources.rules.rights import FlatRule, Right, direct_rights, flat_rules, rights
from fullmakt.altinn.resources.service import ResourcesService
from fullmakt.infra.altinn import language_of
from fullmakt.infra.http import problem
from fullmakt.infra.reading import Query, json_body
from fullmakt.wire.altinn.attributes import RESOURCE, Attribute
from fullmakt.wire.altinn.callers import Caller
from fullmakt.wire.altinn.policy import Policy
from fullmakt.wire.altinn.problems import BindingError

WARNINGS = "Policy-Warnings"
"""Ours: how many warnings of each kind the check of an uploaded policy has, ``none`` or ``unreachable=2``."""

_RESOURCE = "/api/v1/resource"
_POLICY = f"{_RESOURCE}/{{id}}/policy"
_FILE = "policyFile"


class PolicyEndpoints:
    """The endpoints."""

    def __init__(self, service: ResourcesService, writers: Writers) -> None:
        self._service = service
        self._policies = service.policies
        self._writers = writers
        self.routes: list[Route] = [
            route(_POLICY, GET=self.policy, POST=self.upload, PUT=self.upload),
            route(f"{_POLICY}/subjects", GET=self.subjects),
            route(f"{_POLICY}/rules", GET=self.rules),
            route(f"{_POLICY}/rights", GET=self.rights),
            route(f"{_POLICY}/report", GET=self.report),
            route(f"{_RESOURCE}/bysubjects", POST=self.by_subjects),
            route("/api/v2/resource/{id}/policy/rights", GET=self.direct_rights),
        ]

    async def policy(self, request: Request) -> Response:
        """200 with the XML as it was uploaded."""
        identifier = request.path_params["id"]
        stored = await self._policies.policy(identifier)
        if stored is None:
            known = await self._service.document(identifier)
            missing = "Unable to find resource" if known is None else "Unable to find requested policy"
            return PlainTextResponse(missing, 404)
        disposition = "attachment; filename=policy.xml; filename*=UTF-8''policy.xml"
        headers = {"Content-Type": "text/xml", "Content-Disposition": disposition}  # its encoding is in the XML
        return Response(stored.xml, headers=headers)

    async def upload(self, request: Request) -> Response:
        """201, empty; how many warnings there are is told in a header, and where to read them."""

        async def work(caller: Caller) -> Response:
            identifier = request.path_params["id"]
            xml = await uploaded_file(request, _FILE)
            if xml is None:
                return PlainTextResponse("The policy file can not be null", 400)
            try:
                report = await self._policies.upload(identifier, xml, caller)
            except UnknownResourceError:
                return PlainTextResponse("Unknown resource", 400)
            headers = {
                "Location": f"{path_of(identifier)}/policy",
                "Link": '<policy/report>; rel="describedby"',
                WARNINGS: _summary(report),
            }
            return Response(status_code=201, headers=headers)

        return await self._writers.let(request, "policy:upload", work)

    async def report(self, request: Request) -> Response:
        """200 with what the check of the policy said when it was uploaded (ours)."""
        found = await self._policies.report(request.path_params["id"])
        if found is None:
            return _without_policy()
        return json_response(found)

    async def subjects(self, request: Request) -> Response:
        """200 with whom the policy permits something; 404 when that is nobody."""
        found = await self._policies.subjects(request.path_params["id"])
        if not found:
            return _without_policy()
        return json_response(page_document(urn_document(subject) for subject in found))

    async def by_subjects(self, request: Request) -> Response:
        """200 with the resources of each subject in the body that has any."""
        body = await json_body(request)
        if not isinstance(body, list) or not all(isinstance(urn, str) for urn in body):
            raise BindingError({"subjects": ["The subjects field is an array of URNs."]})
        found = await self._policies.by_subjects(body)
        return json_response(
            page_document(
                {
                    "subject": urn_document(one.subject),
                    "resources": [urn_document(Attribute(RESOURCE, identifier)) for identifier in one.resources],
                }
                for one in found
            )
        )

    async def rules(self, request: Request) -> Response:
        """200 with an entry for each combination of subject, action and resource."""
        return await self._read_out(request, lambda policy: [_rule_document(rule) for rule in flat_rules(policy)])

    async def rights(self, request: Request) -> Response:
        """200 with an entry for each action on a resource."""
        return await self._read_out(request, lambda policy: [_right_document(right) for right in rights(policy)])

    async def direct_rights(self, request: Request) -> Response:
        """200 with the rights that can be delegated, by the keys of the connections API, named in the language asked
        for."""
        query, identifier = Query(request), request.path_params["id"]
        language = language_of(request)
        service_owner = query.flag("includeServiceOwnerRights", default=False)
        app = query.flag("includeAppRights", default=False)

        def documents(policy: Policy) -> list[dict[str, Any]]:
            found = direct_rights(policy, identifier, service_owner_rights=service_owner, app_rights=app)
            return [_direct_right_document(right, identifier, language) for right in found]

        return await self._read_out(request, documents)

    async def _read_out(self, request: Request, documents: Callable[[Policy], list[dict[str, Any]]]) -> Response:
        policy = await self._policies.parsed(request.path_params["id"])
        if policy is None:
            return _without_policy()
        return await anyio.to_thread.run_sync(lambda: json_response(documents(policy)))


def _without_policy() -> Response:
    return problem(404, "There is no such resource, or no policy of it that gives anybody anything")


def _summary(report: PolicyReport) -> str:
    return ", ".join(f"{code}={number}" for code, number in sorted(report.counts.items())) or "none"


def _rule_document(rule: FlatRule) -> dict[str, Any]:
    return {
        "subject": attribute_documents(rule.subject),
        "action": attribute_document(rule.action),
        "resource": attribute_documents(rule.resource),
    }


def _right_document(right: Right) -> dict[str, Any]:
    return {
        "action": attribute_document(right.action),
        "resource": attribute_documents(right.resource),
        "subjects": [{"subjectAttributes": attribute_documents(together)} for together in right.subjects],
        "rightKey": right.key,
        "subjectTypes": right.subject_types,
    }


def _direct_right_document(right: Right, resource: str, language: str) -> dict[str, Any]:
    return {
        "key": right.direct_key,
        "name": right.name(resource, language),
        "resource": attribute_documents(right.resource),
        "action": attribute_document(right.action),
    }

"""Altinn's part of a world file: service owners, resources, access lists, delegations and rights."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from pydantic import ValidationError

from fullmakt.altinn.resources.policies.standard import consent_policy, standard_policy
from fullmakt.wire.altinn.policy import InvalidPolicyError, parse_policy
from fullmakt.wire.altinn.resource_registry import ResourceDocument, ResourceType
from fullmakt.wire.altinn.resources import MASKINPORTEN_SCHEMA
from fullmakt.world import reading as r
from fullmakt.world.model import AccessList, Connection, Delegation, Resource, Right, ServiceOwner

MAX_POLICY = 10 * 1024 * 1024
"""Characters of a policy."""

_CODE = r.matching(re.compile(r"[a-z]{2,20}", re.ASCII), "an org code is 2 to 20 lower-case letters")
_NAME = r.matching(
    re.compile(r"[a-z0-9_-]{4,255}", re.ASCII), "a name is at least 4 lower-case letters, digits, - and _"
)
_OWN_FIELDS = frozenset(
    {"identifier", "owner", "scopes", "policy", "roles", "packages", "actions", "minimum_level", "askers"}
)
_LEFT_OUT = frozenset({"identifier", "hasCompetentAuthority"})
_TEXTS = frozenset({"title", "description", "rightDescription", "consentText"})


def read_service_owner(table: r.Table) -> ServiceOwner | None:
    """Read one ``[[service_owner]]``."""
    code = table.required("code", _CODE)
    organisation = table.required("organisation", r.orgno)
    name = table.required("name", r.languages)
    return ServiceOwner(code, organisation, name) if table.ok else None


def read_resource(table: r.Table) -> Resource | None:
    """Read one ``[[resource]]``: the members of the wire's document by their own names, and a policy.

    ``scopes`` stands for references of type MaskinportenScope; a text that is given once counts for every language.
    ``policy`` is XACML in XML, or is made of ``roles``, ``packages``, ``actions`` and ``minimum_level``.
    """
    identifier = table.required("identifier", _NAME)
    owner = table.required("owner", _CODE)
    members = {name: value for name, value in table.values.items() if name not in _OWN_FIELDS}
    for name in members:
        table.has(name)
    for name in sorted(_TEXTS & members.keys()):
        members[name] = dict(table.defaulted(name, r.languages, ()))
    scopes = table.texts("scopes", r.scope_name)
    if scopes:
        references = members.get("resourceReferences", [])
        if not isinstance(references, list):
            table.fault("resourceReferences", f"an array, not {r.type_name(references)}")
            return None
        members["resourceReferences"] = [*references, *map(_reference, scopes)]
    document = _document(table, members) if table.ok else None
    policy = _policy(table, identifier, members.get("resourceType"))
    return Resource(identifier, owner, document, policy) if table.ok and document is not None else None


def canonical(document: Mapping[str, Any]) -> str:
    """The document of a resource as an entry keeps it."""
    members = {name: value for name, value in document.items() if name not in _LEFT_OUT}
    return json.dumps(members, ensure_ascii=False, sort_keys=True)


def _document(table: r.Table, members: Mapping[str, Any]) -> str | None:
    for name in sorted(members.keys() - {field.alias for field in ResourceDocument.model_fields.values()}):
        table.fault(name, "a resource has no such member (altinn-resource-registry.md §2)")
    for name in sorted(members.keys() & _LEFT_OUT):
        table.fault(name, "say owner instead")
    try:
        return canonical(ResourceDocument.model_validate(members).wire())
    except ValidationError as error:
        for fault in error.errors():
            table.fault(str(fault["loc"][0]) if fault["loc"] else None, fault["msg"])
        return None


def _reference(scope: str) -> dict[str, str]:
    return {"referenceSource": "Altinn3", "reference": str(scope), "referenceType": "MaskinportenScope"}


def _policy(table: r.Table, identifier: str, resource_type: object) -> str | None:
    roles, actions = table.texts("roles", r.text), table.texts("actions", r.text)
    packages = table.texts("packages", r.text)
    level, askers = table.number_of("minimum_level", 0), table.texts("askers", r.text)
    given = table.optional("policy", _policy_text)
    if given is not None and (roles or packages or actions or level or askers):
        table.fault("policy", "a policy is given whole, or made of roles, packages, actions and minimum_level")
    if askers and resource_type != ResourceType.CONSENT:
        table.fault("askers", "only a consent is asked for: it is for a resource of type Consent")
    if given is not None or not table.ok:
        return given
    if resource_type == ResourceType.CONSENT:
        return _made(
            table,
            lambda: consent_policy(
                identifier,
                roles=roles or (() if packages else ("priv",)),
                packages=packages,
                lists=askers,
                action=actions[0] if actions else "consent",
                min_level=level or 3,
            ),
        )
    if resource_type == MASKINPORTEN_SCHEMA:
        roles = roles or (() if packages else ("apiadm",))
        actions, level = actions or ("ScopeAccess",), level or 3
    if bool(roles or packages) != bool(actions):
        table.fault("actions", "roles or packages, and actions, make a policy together")
    if not (roles or packages) or not actions:
        return None
    return _made(
        table,
        lambda: standard_policy(identifier, roles=roles, actions=actions, packages=packages, min_level=level),
    )


def _made(table: r.Table, make: Callable[[], bytes]) -> str | None:
    try:
        return make().decode()
    except ValueError as error:
        table.fault("roles", f"no policy comes of this: {error}")
        return None


def _policy_text(raw: object) -> str:
    if not isinstance(raw, str) or len(raw) > MAX_POLICY:
        raise r.FaultyFieldError(f"XACML in XML, of {MAX_POLICY} characters at the most")
    try:
        parse_policy(raw.encode())
    except InvalidPolicyError as error:
        raise r.FaultyFieldError(f"no policy: {error}") from error
    return raw


def read_access_list(table: r.Table) -> AccessList | None:
    """Read one ``[[access_list]]``; a connection is a resource, or a table with it and its ``actions``."""
    owner = table.required("owner", _CODE)
    identifier = table.required("identifier", r.text)
    name = table.required("name", r.text)
    description = table.defaulted("description", r.text, "")
    members = table.texts("members", r.orgno)
    connections = table.texts("connections", _connection)
    return AccessList(owner, identifier, name, description, members, connections) if table.ok else None


def read_delegation(table: r.Table) -> Delegation | None:
    """Read one ``[[delegation]]``."""
    consumer, supplier = table.required("consumer", r.orgno), table.required("supplier", r.orgno)
    resource = table.required("resource", _NAME)
    return Delegation(consumer, supplier, resource) if table.ok else None


def read_right(table: r.Table) -> Right | None:
    """Read one ``[[right]]``; giver and receiver are organisations or people, by their numbers."""
    giver, receiver = table.required("giver", r.party), table.required("receiver", r.party)
    resource = table.required("resource", _NAME)
    actions = table.texts("actions", r.text)
    if not actions:
        table.fault("actions", "at least one")
    return Right(giver, receiver, resource, actions) if table.ok else None


def _connection(raw: object) -> Connection:
    if not isinstance(raw, Mapping):
        return Connection(_NAME(raw))
    actions = raw.get("actions", [])
    if raw.keys() - {"resource", "actions"} or not isinstance(actions, list):
        raise r.FaultyFieldError("a connection has a resource and an array of actions")
    return Connection(_NAME(raw.get("resource")), tuple(sorted(r.text(action) for action in actions)))

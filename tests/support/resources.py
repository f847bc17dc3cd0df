"""Resources, policies and callers for tests of the registry and of those who read it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from fullmakt.altinn.resources.service import ResourcesService
from fullmakt.kernel.identifiers import OrgNumber
from fullmakt.wire.altinn.attributes import (
    ACTION,
    ACTION_CATEGORY,
    RESOURCE,
    RESOURCE_CATEGORY,
    ROLE_CODE,
    SUBJECT_CATEGORY,
)
from fullmakt.wire.altinn.callers import Caller
from fullmakt.wire.altinn.resource_registry import ResourceDocument, ServiceOwner
from fullmakt.wire.altinn.xacml_names import STRING, STRING_EQUAL, STRING_EQUAL_IGNORE_CASE

SKD = OrgNumber("974761076")
DIGDIR = OrgNumber("991825827")
WRITE = "altinn:resourceregistry/resource.write"
ADMIN = "altinn:resourceregistry/resource.admin"
DENY_OVERRIDES = "urn:oasis:names:tc:xacml:3.0:rule-combining-algorithm:deny-overrides"
NAMESPACE = "urn:oasis:names:tc:xacml:3.0:core:schema:wd-17"

LANGUAGES = {"nb": "Bokmål", "nn": "Nynorsk", "en": "English"}


def resource_json(identifier: str = "skd-finans-scope", **changes: Any) -> dict[str, Any]:
    """A resource of SKD's that breaks no rule; ``changes`` replace members, None takes one out."""
    document: dict[str, Any] = {
        "identifier": identifier,
        "title": LANGUAGES,
        "description": LANGUAGES,
        "rightDescription": LANGUAGES,
        "status": "Active",
        "resourceReferences": [
            {
                "referenceSource": "Altinn3",
                "reference": "folkeregister:deling/finans",
                "referenceType": "MaskinportenScope",
            }
        ],
        "hasCompetentAuthority": {"organization": str(SKD), "orgcode": "skd", "name": {"nb": "Skatteetaten"}},
        "resourceType": "MaskinportenSchema",
        **changes,
    }
    return {name: member for name, member in document.items() if member is not None}


def resource(identifier: str = "skd-finans-scope", **changes: Any) -> ResourceDocument:
    """The same, read."""
    return ResourceDocument.model_validate(resource_json(identifier, **changes))


async def register_owners(registry: ResourcesService) -> None:
    """Let there be the service owners that resources are published under."""
    for code, orgno in (("digdir", DIGDIR), ("skd", SKD)):
        await registry.declare_service_owner(code, ServiceOwner(orgnr=str(orgno)))


def owner(orgno: OrgNumber = SKD, *scopes: str, prefixes: Iterable[str] = ("folkeregister",)) -> Caller:
    """A service owner with a token of Maskinporten's."""
    return Caller(scopes=frozenset(scopes or (WRITE,)), consumer=orgno, consumer_prefixes=tuple(prefixes))


def match(
    attribute: str, value: str, category: str, *, function: str = STRING_EQUAL, data_type: str = STRING, **more: str
) -> str:
    """A ``Match``; ``more`` are attributes of its designator."""
    said = {"MustBePresent": "false", "DataType": STRING, **more}
    attributes = " ".join(f'{name}="{text}"' for name, text in said.items())
    return (
        f'<Match MatchId="{function}"><AttributeValue DataType="{data_type}">{value}</AttributeValue>'
        f'<AttributeDesignator AttributeId="{attribute}" Category="{category}" {attributes}/></Match>'
    )


def any_of(*alternatives: str) -> str:
    """An ``AnyOf`` with one ``AllOf`` for each alternative."""
    return f"<AnyOf>{''.join(f'<AllOf>{one}</AllOf>' for one in alternatives)}</AnyOf>" if alternatives else ""


def rule_xml(
    resource: str = "skd-finans-scope",
    *,
    rule_id: str = "rule:1",
    effect: str = "Permit",
    roles: Iterable[str] = ("dagl",),
    actions: Iterable[str] = ("read",),
    more: str = "",
) -> str:
    """A rule: any of the roles may do any of the actions on the resource. ``more`` comes after the target."""
    subjects = [match(ROLE_CODE, role, SUBJECT_CATEGORY, function=STRING_EQUAL_IGNORE_CASE) for role in roles]
    things = [match(RESOURCE, resource, RESOURCE_CATEGORY)] if resource else []
    doings = [match(ACTION, action, ACTION_CATEGORY, function=STRING_EQUAL_IGNORE_CASE) for action in actions]
    target = any_of(*subjects) + any_of(*things) + any_of(*doings)
    return f'<Rule RuleId="{rule_id}" Effect="{effect}"><Target>{target}</Target>{more}</Rule>'


def policy_xml(*rules: str, combining: str = DENY_OVERRIDES, more: str = "") -> bytes:
    """A policy of these rules. ``more`` comes after them."""
    return (
        f'<?xml version="1.0" encoding="utf-8"?>\n<Policy xmlns="{NAMESPACE}" PolicyId="urn:altinn:policyid:1"'
        f' Version="1.0" RuleCombiningAlgId="{combining}"><Target/>' + "\n".join(rules) + f"{more}</Policy>"
    ).encode()

"""What makes Altinn refuse a policy at upload."""

from __future__ import annotations

from fullmakt.altinn.resources.rules.fields import APP_PREFIX
from fullmakt.altinn.resources.rules.targets import matches
from fullmakt.wire.altinn.attributes import APP, RESOURCE, RESOURCE_CATEGORY, SERVICE_OWNER
from fullmakt.wire.altinn.policy import Policy, Rule


def refusal(policy: Policy, resource: str) -> str | None:
    """Why the policy is not taken for ``resource``, None when it is: each of its rules must be about that alone."""
    for rule in policy.rules:
        named = _registered_resources(rule)
        if named - {resource}:
            return "Policy not accepted: Contains rules for a different registry resource"
        if not named and not _is_about_app(rule, resource):
            return "Policy not accepted: Contains rule without reference to registry resource id"
    return None


def _registered_resources(rule: Rule) -> set[str]:
    return {
        match.value
        for match in matches(rule.target)
        if match.category == RESOURCE_CATEGORY and match.attribute_id == RESOURCE
    }


def _is_about_app(rule: Rule, resource: str) -> bool:
    """An app's policy may name the app by org and app instead."""
    org, separator, app = resource.removeprefix(APP_PREFIX).partition("_")
    if not resource.startswith(APP_PREFIX) or not separator:
        return False
    named = [match for match in matches(rule.target) if match.category == RESOURCE_CATEGORY]
    orgs = {match.value for match in named if match.attribute_id == SERVICE_OWNER}
    apps = {match.value for match in named if match.attribute_id == APP}
    return orgs == {org} and apps == {app}

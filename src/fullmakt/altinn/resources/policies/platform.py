"""The resources by which the platform guards its own doors (altinn-authorization.md §9, at the end)."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

from fullmakt.altinn.resources.policies.standard import standard_policy
from fullmakt.wire.altinn.resource_registry import ResourceDocument, ServiceOwner

PLATFORM_CODE = "digdir"
PLATFORM_OWNER = ServiceOwner(
    orgnr="991825827",
    name={
        "nb": "Digitaliseringsdirektoratet",
        "nn": "Digitaliseringsdirektoratet",
        "en": "Norwegian Digitalisation Agency",
    },
    homepage="https://www.digdir.no",
    environments=["tt02", "production"],
)


@dataclass(frozen=True, slots=True)
class PlatformResource:
    """A resource of the platform's own, and its policy."""

    document: ResourceDocument
    policy: bytes


def platform_resources(owner: str = PLATFORM_OWNER.orgnr) -> tuple[PlatformResource, ...]:
    """All of them, as ``platform.toml`` says; ``owner`` is the organisation number of the org code ``digdir``."""
    table = tomllib.loads(files(__package__).joinpath("platform.toml").read_text(encoding="utf-8"))
    return tuple(_resource(identifier, said, owner) for identifier, said in table.items())


def _resource(identifier: str, said: dict[str, Any], owner: str) -> PlatformResource:
    description = {language: f"{_PURPOSE[language]} {text}." for language, text in said["title"].items()}
    document = ResourceDocument.model_validate(
        {
            "identifier": identifier,
            "title": said["title"],
            "description": description,
            "status": "Active",
            "delegable": False,
            "visible": False,
            "hasCompetentAuthority": {"organization": owner, "orgcode": PLATFORM_CODE},
            "enterpriseUserEnabled": True,
            "resourceType": "Systemresource",
        }
    )
    policy = standard_policy(
        identifier,
        roles=said["roles"],
        packages=said["packages"],
        actions=said["actions"],
        min_level=said["min_level"],
    )
    return PlatformResource(document, policy)


_PURPOSE = {
    "nb": "Systemressurs for autorisasjon av brukere i",
    "nn": "Systemressurs for autorisasjon av brukarar i",
    "en": "System resource for the authorization of users in",
}

"""The field rules of a resource (altinn-resource-registry.md §4): every broken one is told at once, by field."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from fullmakt.kernel.identifiers import InvalidIdentifierError, OrgNumber
from fullmakt.wire.altinn.resource_registry import (
    CompetentAuthority,
    ReferenceSource,
    ReferenceType,
    ResourceDocument,
    ResourceType,
)

Faults = dict[str, list[str]]
"""Messages by the name of the field."""

APP_PREFIX = "app_"
TEST_DEPARTMENT = "ttd"
"""The org code that has no organisation number of its own."""
MAX_IDENTIFIER_LENGTH = 255

_SERVICE_ENGINE_PREFIX = "se_"
_APP_TYPES = frozenset({ResourceType.ALTINN_APP, ResourceType.MIGRATED_APP})
_IDENTIFIER = re.compile(r"[a-z0-9_-]{4,}", re.ASCII)
_MIGRATED_ALTINN1_APP = re.compile(r"app_[a-z0-9]+_a1-[^/\\\x00-\x1f]+:[a-z0-9.]+", re.ASCII | re.IGNORECASE)
_APP_REFERENCE = (
    "Invalid resource references for app resource. App resources needs to have a reference with"
    " ReferenceType=ApplicationId, ReferenceSource=Altinn3 and Reference=<org>/<appname>"
)
_LANGUAGES = (("english", "en"), ("bokmal", "nb"), ("nynorsk", "nn"))


def field_faults(document: ResourceDocument, *, is_new: bool) -> Faults:
    """What is wrong with the fields, nothing when all is well."""
    if document.identifier is None:
        return {"Identifier": ["The Identifier field is required."]}
    faults: Faults = {}
    for field, message in _faults(document, document.identifier, is_new=is_new):
        faults.setdefault(field, []).append(message)
    return faults


def owner_orgno(authority: CompetentAuthority | None) -> OrgNumber | None:
    """The owner's organisation number, None when there is none that can be one."""
    if authority is None or not authority.organization:
        return None
    try:
        return OrgNumber(authority.organization)
    except InvalidIdentifierError:
        return None


def _faults(document: ResourceDocument, identifier: str, *, is_new: bool) -> Iterator[tuple[str, str]]:
    yield from _prefix_faults(document, identifier)
    if document.resource_type is ResourceType.DEFAULT:
        yield "ResourceType", "ResourceType needs to be set"
    yield from _owner_faults(document.has_competent_authority)
    yield from _app_faults(document, identifier)
    if is_new and not _is_acceptable_name(identifier):
        yield "Identifier", "Invalid id. Only a-z and 0-9 is allowed together with _ and -.  Minimum 4 characters"
    yield from _missing_languages("Title", "title", document.title)
    if document.delegable:
        yield from _missing_languages("RightDescription", "RightDescription", document.right_description)
    yield from _missing_languages("Description", "Description", document.description)
    scopes = document.references(ReferenceType.MASKINPORTEN_SCOPE)
    if document.resource_type is ResourceType.MASKINPORTEN_SCHEMA and not scopes:
        yield "ResourceReferences", "Missing maskinporten scopen for MaskinportenSchema resource"


def _prefix_faults(document: ResourceDocument, identifier: str) -> Iterator[tuple[str, str]]:
    editions = (ReferenceType.SERVICE_CODE, ReferenceType.SERVICE_EDITION_CODE)
    if identifier.startswith(_SERVICE_ENGINE_PREFIX) and not all(document.references(kind) for kind in editions):
        yield "Identifier", "Invalid prefix. Only to be used for Altinn 2 services"
    if identifier.startswith(APP_PREFIX) and document.resource_type not in _APP_TYPES:
        yield "Identifier", "Invalid Prefix. app_ is only for Altinn Studio apps"


def _owner_faults(authority: CompetentAuthority | None) -> Iterator[tuple[str, str]]:
    if authority is None or (not _is_test_department(authority) and owner_orgno(authority) is None):
        message = "HasCompetentAuthority needs to be set with valid organization number"
        yield "HasCompetentAuthority.Organization", message
    elif _is_test_department(authority) and authority.organization and owner_orgno(authority) is None:
        yield "HasCompetentAuthority.Organization", "An organization number is nine digits"
    if authority is not None and not (authority.orgcode or "").strip():
        yield "HasCompetentAuthority.Orgcode", "HasCompetentAuthority needs to be set with orgcode"


def _is_test_department(authority: CompetentAuthority) -> bool:
    return (authority.orgcode or "").lower() == TEST_DEPARTMENT


def _app_faults(document: ResourceDocument, identifier: str) -> Iterator[tuple[str, str]]:
    if document.resource_type not in _APP_TYPES:
        return
    authority = document.has_competent_authority
    org = authority.orgcode or "" if authority is not None else ""
    if not identifier.lower().startswith(f"{APP_PREFIX}{org}".lower()):
        yield (
            "Identifier",
            "Invalid identifier for app resource. App resources needs to have an identifier starting with app_<org>",
        )
    application = f"{org}/{identifier.replace(f'{APP_PREFIX}{org}_', '')}".lower()
    if not any(
        one.reference_type is ReferenceType.APPLICATION_ID
        and one.reference_source is ReferenceSource.ALTINN3
        and (one.reference or "").lower() == application
        for one in document.resource_references or ()
    ):
        yield "ResourceReferences", _APP_REFERENCE


def _is_acceptable_name(identifier: str) -> bool:
    if len(identifier) > MAX_IDENTIFIER_LENGTH:
        return False
    return bool(_IDENTIFIER.fullmatch(identifier) or _MIGRATED_ALTINN1_APP.fullmatch(identifier))


def _missing_languages(field: str, called: str, texts: Mapping[str, str] | None) -> Iterator[tuple[str, str]]:
    for language, code in _LANGUAGES:
        if not (texts or {}).get(code, "").strip():
            yield field, f"Missing {called} in {language} {code}"

"""The catalogue of public services in RDF, with the vocabularies CPSV and DCAT.

The real registry sends Turtle under the media type ``application/xml+rdf``, and so does this.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import quote

from fullmakt.altinn.resources.model import StoredResource
from fullmakt.altinn.resources.rules.fields import TEST_DEPARTMENT
from fullmakt.wire.altinn.resource_registry import ResourceType

MEDIA_TYPE = "application/xml+rdf"

_PREFIXES = {
    "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
    "cpsv": "http://purl.org/vocab/cpsv#",
    "dct": "http://purl.org/dc/terms/",
    "cv": "http://data.europa.eu/m8g/",
    "dcat": "http://www.w3.org/ns/dcat#",
}
_RESOURCE = "https://platform.altinn.no/resourceRegistry/"
_ORGANISATION = "https://organization-catalogue.fellesdatakatalog.digdir.no/organizations/"
_LEFT_OUT = frozenset({ResourceType.MASKINPORTEN_SCHEMA, ResourceType.SYSTEM_RESOURCE})
"""They are no services for the public."""
_LANGUAGE = re.compile(r"[A-Za-z]{1,8}(-[A-Za-z0-9]{1,8})*", re.ASCII)
_SPECIAL = re.compile(r'[\\"\x00-\x1f\x7f]')


def turtle(resources: Iterable[StoredResource]) -> str:
    """The services of those resources that are for the public."""
    head = [f"@prefix {prefix}: <{uri}>." for prefix, uri in _PREFIXES.items()]
    return "\n".join([*head, "", *(_service(one) for one in resources if _is_public(one.document)), ""])


def _is_public(document: Mapping[str, Any]) -> bool:
    authority = document.get("hasCompetentAuthority") or {}
    code = authority.get("orgcode") or TEST_DEPARTMENT
    return (
        document.get("resourceType") not in _LEFT_OUT
        and code.lower() != TEST_DEPARTMENT
        and bool(authority.get("organization"))
    )


def _service(resource: StoredResource) -> str:
    statements = ";\n    ".join(_statements(resource))
    return f"<{_RESOURCE}{quote(resource.identifier, safe='')}> {statements}."


def _statements(resource: StoredResource) -> Iterator[str]:
    document = resource.document
    yield "a cpsv:PublicService"
    yield f"dct:identifier {_literal(resource.identifier)}"
    for predicate, name in (("dct:title", "title"), ("dct:description", "description")):
        for language, text in (document.get(name) or {}).items():
            yield f"{predicate} {_literal(text, language)}"
    organisation = document["hasCompetentAuthority"]["organization"]
    yield f"cv:hasCompetentAuthority <{_ORGANISATION}{quote(organisation, safe='')}>"
    for keyword in document.get("keywords") or ():
        yield f"dct:keyword {_literal(keyword.get('word') or '', keyword.get('language') or '')}"


def _literal(text: str, language: str = "") -> str:
    escaped = _SPECIAL.sub(lambda found: f"\\u{ord(found.group()):04x}", text)
    return f'"{escaped}"@{language}' if _LANGUAGE.fullmatch(language) else f'"{escaped}"'

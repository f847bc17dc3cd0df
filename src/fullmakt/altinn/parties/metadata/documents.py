"""Role metadata as Altinn's metadata API writes it (altinn-authorization.md §14.5).

``language`` is ``nb``, ``nn`` or ``en``. Ids are the same in every installation; they are not Altinn's own.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fullmakt.altinn.parties.metadata.model import (
    Area,
    Group,
    Metadata,
    Names,
    Package,
    RoleDefinition,
    RoleSource,
)
from fullmakt.altinn.parties.metadata.search import Found
from fullmakt.wire.altinn.resources import RegisteredResource
from fullmakt.wire.altinn.stable_ids import stable_id

Document = dict[str, Any]

_PROVIDERS = {
    RoleSource.REGISTER: "Enhetsregisteret",
    RoleSource.GUARDIANSHIP: "Sivilrettsforvaltningen",
    RoleSource.ALTINN2: "Altinn 2",
    RoleSource.ALTINN3: "Altinn 3",
}
_GIVES = Names(
    nb="Gir tilgang til tjenester om: {0}. Hvilke tjenester det er, kan endre seg.",
    nn="Gjev tilgang til tenester om: {0}. Kva tenester det er, kan endre seg.",
    en="Gives access to services about: {0}. Which services these are may change.",
)
_HOLDS = Names(nb="Har rollen: {0}", nn="Har rolla: {0}", en="Holds the role: {0}")
_COLLECTS = Names(nb="Tilgangspakker om: {0}", nn="Tilgangspakkar om: {0}", en="Access packages about: {0}")
ORGANISATION_TYPE, PERSON_TYPE = "Organisasjon", "Person"


def _described(text: Names, names: Names, language: str) -> str:
    return text.in_language(language).format(names.in_language(language))


def _type(name: str) -> Document:
    altinn = _provider(RoleSource.ALTINN3)
    return {"id": type_id(name), "providerId": altinn["id"], "name": name, "provider": None}


def type_id(name: str) -> str:
    """The id of the type of party ``Organisasjon`` or ``Person``."""
    return str(stable_id(f"urn:altinn:entitytype:{name.lower()}"))


def _provider(source: RoleSource) -> Document:
    return _any_provider(source.value, _PROVIDERS[source], "System")


def _any_provider(code: str, name: str, kind: str) -> Document:
    kind_id = str(stable_id(f"urn:altinn:providertype:{kind.lower()}"))
    return {
        "id": str(stable_id(f"urn:altinn:provider:{code}")),
        "name": name,
        "refId": "",
        "logoUrl": None,
        "code": code,
        "typeId": kind_id,
        "type": {"id": kind_id, "name": kind},
    }


def role(definition: RoleDefinition, language: str) -> Document:
    """A role."""
    urn = definition.attribute.urn
    older = [spelling.urn for spelling in definition.spellings if spelling != definition.attribute]
    return {
        "id": str(definition.id),
        "name": definition.names.in_language(language),
        "code": definition.name,
        "description": _described(_HOLDS, definition.names, language),
        "isKeyRole": definition.key_role,
        "urn": urn,
        "legacyRoleCode": definition.code if older else None,
        "legacyUrn": older[0] if older else None,
        "isResourcePolicyAvailable": True,
        "provider": _provider(definition.source),
    }


def package(
    value: Package, metadata: Metadata, language: str, resources: Sequence[RegisteredResource] | None = None
) -> Document:
    """A package with its area; ``resources`` None: not asked for."""
    area_ = metadata.area_by_key[value.area]
    group_ = metadata.group_by_key[area_.group]
    return {
        **_package(value, language),
        "area": {**_area(area_, language), "packages": None, "group": _group(group_, language)},
        "type": _type(group_.type),
        "resources": None if resources is None else [resource(one, language) for one in resources],
    }


def _package(value: Package, language: str) -> Document:
    return {
        "id": str(value.id),
        "name": value.names.in_language(language),
        "urn": value.attribute.urn,
        "description": _described(_GIVES, value.names, language),
        "isDelegable": value.delegable,
        "isAssignable": value.assignable,
        "isResourcePolicyAvailable": True,
    }


def _area(value: Area, language: str) -> Document:
    return {
        "id": str(value.id),
        "name": value.names.in_language(language),
        "urn": value.urn,
        "description": _described(_COLLECTS, value.names, language),
        "iconUrl": None,
    }


def _group(value: Group, language: str) -> Document:
    return {
        "id": str(value.id),
        "name": value.names.in_language(language),
        "urn": None,
        "description": _described(_COLLECTS, value.names, language),
        "type": value.type,
    }


def area(value: Area, metadata: Metadata, language: str) -> Document:
    """An area with its group."""
    return {**_area(value, language), "packages": None, "group": _group(metadata.group_by_key[value.group], language)}


def group(value: Group, language: str) -> Document:
    """A group without its areas."""
    return {**_group(value, language), "areas": None}


def hierarchy(value: Group, language: str) -> Document:
    """A group with its areas and their packages, as ``export`` gives it."""
    areas = [
        {
            **_area(one, language),
            "packages": [{**_package(each, language), "type": _type(value.type)} for each in one.packages],
        }
        for one in value.areas
    ]
    return {**_group(value, language), "areas": areas}


def found(value: Found, metadata: Metadata, language: str) -> Document:
    """A package that was searched for, and why it was found."""
    fields = [{"field": name, "value": text, "score": score, "words": []} for name, text, score in value.fields]
    return {"object": package(value.package, metadata, language), "score": value.score, "fields": fields}


def sub_type(form: str, description: str) -> Document:
    """An organisation form."""
    return {
        "id": str(stable_id(f"urn:altinn:entityvariant:{form.lower()}")),
        "typeId": type_id(ORGANISATION_TYPE),
        "name": form,
        "description": description,
        "type": _type(ORGANISATION_TYPE),
    }


def resource(value: RegisteredResource, language: str) -> Document:
    """A resource of the registry."""
    titles = dict(value.title)
    provider = _any_provider(value.owner_code, value.owner_code, "Tjenesteeier")
    type_ = str(stable_id(f"urn:altinn:resourcetype:{value.resource_type.lower()}"))
    return {
        "id": str(stable_id(f"urn:altinn:resource:{value.identifier}")),
        "providerId": provider["id"],
        "typeId": type_,
        "name": titles.get(language) or titles.get("nb") or value.identifier,
        "description": None,
        "refId": value.identifier,
        "provider": {**provider, "refId": value.owner_orgno},
        "type": {"id": type_, "name": value.resource_type},
    }

"""The resource registry's documents (altinn-resource-registry.md §2, §7), with the names they have on the wire.

Names are read whatever their case, as Altinn reads them, and written in camelCase; enumerations are read whatever their
case, or as the number that stands for them.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, StrictBool, model_validator
from pydantic.alias_generators import to_camel

from fullmakt.kernel.text import is_storable


def _storable(text: str) -> str:
    if not is_storable(text):
        raise ValueError("it holds a character that can not be stored")
    return text


Text = Annotated[str, AfterValidator(_storable)]
Languages = dict[Text, Text]
"""``{"nb": "…", "nn": "…", "en": "…"}``."""


class _Named(StrEnum):
    """An enumeration that is found by its name in any case."""

    @classmethod
    def _missing_(cls, value: object) -> _Named | None:
        wanted = str(value).lower()
        return next((member for member in cls if member.lower() == wanted), None)


class ResourceType(_Named):
    """What kind of service a resource stands for."""

    DEFAULT = "Default"
    SYSTEM_RESOURCE = "Systemresource"
    MASKINPORTEN_SCHEMA = "MaskinportenSchema"
    ALTINN2_SERVICE = "Altinn2Service"
    ALTINN_APP = "AltinnApp"
    GENERIC_ACCESS_RESOURCE = "GenericAccessResource"
    BROKER_SERVICE = "BrokerService"
    CORRESPONDENCE_SERVICE = "CorrespondenceService"
    CONSENT = "Consent"
    MIGRATED_APP = "MigratedApp"


_TYPE_NUMBERS = dict(zip((0, 1, 2, 4, 8, 16, 32, 64, 128, 256), ResourceType, strict=True))


class ReferenceSource(_Named):
    """Where a reference is from."""

    DEFAULT = "Default"
    ALTINN1 = "Altinn1"
    ALTINN2 = "Altinn2"
    ALTINN3 = "Altinn3"
    EXTERNAL_PLATFORM = "ExternalPlatform"


class ReferenceType(_Named):
    """What a reference refers to."""

    DEFAULT = "Default"
    URI = "Uri"
    DELEGATION_SCHEME_ID = "DelegationSchemeId"
    MASKINPORTEN_SCOPE = "MaskinportenScope"
    SERVICE_CODE = "ServiceCode"
    SERVICE_EDITION_CODE = "ServiceEditionCode"
    APPLICATION_ID = "ApplicationId"
    SERVICE_EDITION_VERSION = "ServiceEditionVersion"


class AccessListMode(_Named):
    """Whether an access list gates the resource."""

    DISABLED = "Disabled"
    ENABLED = "Enabled"


class PartyTypeName(_Named):
    """For whom a resource is."""

    PRIVATE_PERSON = "PrivatePerson"
    LEGAL_ENTITY_ENTERPRISE = "LegalEntityEnterprise"
    COMPANY = "Company"
    BANKRUPTCY_ESTATE = "BankruptcyEstate"
    SELF_REGISTERED_USER = "SelfRegisteredUser"


def _type_by_number(value: object) -> object:
    return _TYPE_NUMBERS.get(value, value) if isinstance(value, int) and not isinstance(value, bool) else value


class _Document(BaseModel):
    """Unknown members are passed over, null counts as absent; a member that stands twice is refused, whatever the case
    of its name: nobody could tell which of them is meant."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, extra="ignore", frozen=True)

    @model_validator(mode="before")
    @classmethod
    def _any_case(cls, value: Any) -> Any:
        if not isinstance(value, Mapping):
            return value
        names = {(field.alias or name).lower(): field.alias or name for name, field in cls.model_fields.items()}
        members: dict[str, Any] = {}
        for given, member in value.items():
            name = names.get(str(given).replace("_", "").lower())
            if name in members:
                raise ValueError(f"the member {name} stands twice, in different letters")
            if name is not None:
                members[name] = member
        return {name: member for name, member in members.items() if member is not None}

    def wire(self) -> dict[str, Any]:
        """The document as it is written: camelCase, nulls left out."""
        return self.model_dump(mode="json", by_alias=True, exclude_none=True)


class ContactPoint(_Document):
    """How to reach the owner."""

    category: Text | None = None
    email: Text | None = None
    telephone: Text | None = None
    contact_page: Text | None = None


class ResourceReference(_Document):
    """What the resource is elsewhere: a scope, a service edition, an app."""

    reference_source: ReferenceSource | None = None
    reference: Text | None = None
    reference_type: ReferenceType | None = None


class CompetentAuthority(_Document):
    """Who owns the resource: organisation number and org code."""

    organization: Text | None = None
    orgcode: Text | None = None
    name: Languages = Field(default_factory=dict)


class Keyword(_Document):
    """A word to find the resource by."""

    word: Text | None = None
    language: Text | None = None


class ConsentMetadatum(_Document):
    """A placeholder of a consent's text."""

    optional: StrictBool = False


class ResourceDocument(_Document):
    """A resource, as its owner writes it."""

    identifier: Text | None = None
    version: Text | None = None
    title: Languages | None = None
    description: Languages | None = None
    right_description: Languages | None = None
    homepage: Text | None = None
    status: Text | None = None
    spatial: list[Text] | None = None
    contact_points: list[ContactPoint] | None = None
    produces: list[Text] | None = None
    is_part_of: Text | None = None
    thematic_areas: list[Text] | None = None
    resource_references: list[ResourceReference] | None = None
    delegable: StrictBool = True
    visible: StrictBool = True
    has_competent_authority: CompetentAuthority | None = None
    keywords: list[Keyword] | None = None
    access_list_mode: AccessListMode = AccessListMode.DISABLED
    self_identified_user_enabled: StrictBool = False
    enterprise_user_enabled: StrictBool = False
    resource_type: Annotated[ResourceType, BeforeValidator(_type_by_number)] = ResourceType.DEFAULT
    available_for_type: list[PartyTypeName] | None = None
    consent_template: Text | None = None
    consent_text: Languages | None = None
    consent_metadata: dict[Text, ConsentMetadatum] | None = None
    is_one_time_consent: StrictBool = False

    def references(self, kind: ReferenceType) -> tuple[str, ...]:
        """The references of one type, in their order, each once."""
        found = (one.reference for one in self.resource_references or () if one.reference_type is kind)
        return tuple(dict.fromkeys(reference for reference in found if reference))


class ServiceOwner(_Document):
    """A service owner in the list of them, less the org code, which is the list's key."""

    name: Languages = Field(default_factory=dict)
    logo: Text | None = None
    orgnr: Text
    homepage: Text | None = None
    environments: list[Text] = Field(default_factory=list)

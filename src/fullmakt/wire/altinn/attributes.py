"""The attribute ids by which Altinn's systems name parties, resources and actions (altinn-authorization.md §3)."""

from __future__ import annotations

from typing import NamedTuple

ORGANISATION = "urn:altinn:organization:identifier-no"
ORGANISATION_OLD = "urn:altinn:organizationnumber"
ORGANISATION_UUID = "urn:altinn:organization:uuid"
PERSON = "urn:altinn:person:identifier-no"
PERSON_UUID = "urn:altinn:person:uuid"
PARTY_ID = "urn:altinn:partyid"
PARTY_UUID = "urn:altinn:party:uuid"
USER_ID = "urn:altinn:userid"
SYSTEM_USER = "urn:altinn:systemuser:uuid"
ENTERPRISE_SYSTEM = "urn:altinn:virksys:id"
"""An enterprise system by its client id at Maskinporten, for thin tokens (seed 001); ours, the real one has none."""
SERVICE_OWNER = "urn:altinn:org"
PARTY_TYPE = "urn:altinn:partytype"
ACCESS_LIST = "urn:altinn:access-list"
ACCESS_PACKAGE = "urn:altinn:accesspackage"
ROLE_CODE = "urn:altinn:rolecode"
"""The register's and Altinn 2's role codes: ``dagl``, ``apiadm``."""
ROLE_CCR = "urn:altinn:external-role:ccr"
ROLE_CRA = "urn:altinn:external-role:cra"
ROLE = "urn:altinn:role"
AUTH_LEVEL = "urn:altinn:authlevel"
RESOURCE = "urn:altinn:resource"
RESOURCE_INSTANCE = "urn:altinn:resource:instance-id"
INSTANCE = "urn:altinn:instance-id"
APP = "urn:altinn:app"
ACTION = "urn:oasis:names:tc:xacml:1.0:action:action-id"

SUBJECT_CATEGORY = "urn:oasis:names:tc:xacml:1.0:subject-category:access-subject"
ACTION_CATEGORY = "urn:oasis:names:tc:xacml:3.0:attribute-category:action"
RESOURCE_CATEGORY = "urn:oasis:names:tc:xacml:3.0:attribute-category:resource"
ENVIRONMENT_CATEGORY = "urn:oasis:names:tc:xacml:3.0:attribute-category:environment"


class Attribute(NamedTuple):
    """An attribute id and one value of it, as in ``Attribute("urn:altinn:rolecode", "dagl")``."""

    id: str
    value: str

    @property
    def urn(self) -> str:
        """Both in one: ``urn:altinn:rolecode:dagl``."""
        return f"{self.id}:{self.value}"

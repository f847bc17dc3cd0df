"""What the registry knows of a resource, a search, and a change."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from fullmakt.kernel.identifiers import OrgNumber
from fullmakt.wire.altinn.attributes import RESOURCE, Attribute


@dataclass(frozen=True, slots=True)
class StoredResource:
    """One version of a resource: the document as it is written on the wire, and the registry's own running number."""

    identifier: str
    version_id: int
    document: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Owner:
    """Who owns a stored resource; ``orgno`` is missing for the test department alone."""

    orgno: OrgNumber | None
    code: str


@dataclass(frozen=True, slots=True)
class Search:
    """What a resource must have; each that is given must be met. Texts are looked for anywhere, whatever their case;
    ``resource_type``, ``org_code`` and ``organization`` must be equal."""

    identifier: str | None = None
    description: str | None = None
    keyword: str | None = None
    reference: str | None = None
    resource_type: str | None = None
    org_code: str | None = None
    organization: str | None = None

    def texts(self) -> tuple[str, ...]:
        """Everything that is given."""
        given = (self.identifier, self.description, self.keyword, self.reference, self.org_code, self.organization)
        return tuple(text for text in (*given, self.resource_type) if text is not None)


@dataclass(frozen=True, slots=True)
class SubjectChange:
    """A subject came into, or went out of, a resource's policy."""

    resource: str
    subject: Attribute
    updated: datetime
    deleted: bool

    @property
    def resource_urn(self) -> str:
        """``urn:altinn:resource:<identifier>``."""
        return Attribute(RESOURCE, self.resource).urn


@dataclass(frozen=True, slots=True)
class ResourceChange:
    """The last change of a resource that has had a policy; ``change_id`` orders them."""

    resource: str
    changed: datetime
    change_id: int


@dataclass(frozen=True, slots=True)
class StoredPolicy:
    """A policy as it was uploaded. ``version`` counts from 1 within the resource."""

    identifier: str
    version: int
    xml: bytes


@dataclass(frozen=True, slots=True)
class SubjectResources:
    """The resources whose policies name a subject."""

    subject: Attribute
    resources: Sequence[str]

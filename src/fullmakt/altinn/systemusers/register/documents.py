"""The register's documents (§7): in camelCase, and without what is not there."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC
from typing import Any

from fullmakt.altinn.systemusers.documents import package_document, right_document
from fullmakt.altinn.systemusers.model import System
from fullmakt.altinn.systemusers.register.model import Proposal, SystemChange


def vendor_document(system: System) -> dict[str, Any]:
    """What the vendor reads of a system."""
    return {
        "id": system.id,
        "vendor": {"ID": system.vendor.iso6523},
        "name": dict(system.name),
        "description": dict(system.description),
        "rights": [right_document(right) for right in system.rights],
        "accessPackages": package_documents(system.packages),
        "isDeleted": system.deleted,
        "clientId": list(system.client_ids),
        "isVisible": system.visible,
        "allowedRedirectUrls": list(system.redirect_urls),
    }


def catalogue_document(system: System) -> dict[str, Any]:
    """What the portal reads of a system. The vendor's name is left empty, as in the real service."""
    return {
        "systemId": system.id,
        "systemVendorOrgNumber": str(system.vendor),
        "systemVendorOrgName": "",
        "name": dict(system.name),
        "description": dict(system.description),
        "rights": [right_document(right) for right in system.rights],
        "accessPackages": package_documents(system.packages),
        "isVisible": system.visible,
    }


def package_documents(names: Iterable[str]) -> list[dict[str, str]]:
    """Access packages, by name, as a list of URNs."""
    return [package_document(name) for name in names]


def proposal_document(proposal: Proposal) -> dict[str, Any]:
    """A proposal as it was sent, for the change log."""
    return {
        "id": proposal.id,
        "vendor": {"ID": proposal.vendor},
        "name": dict(proposal.name),
        "description": dict(proposal.description),
        "rights": [right_document(right) for right in proposal.rights],
        "accessPackages": [{"urn": urn} for urn in proposal.packages],
        "clientId": list(proposal.client_ids),
        "isVisible": proposal.visible,
        "allowedRedirectUrls": list(proposal.redirect_urls),
    }


def change_document(change: SystemChange) -> dict[str, Any]:
    """An entry of the change log."""
    document = {
        "systemInternalId": str(change.system),
        "changedByOrgNumber": str(change.changed_by),
        "changeType": change.type.value,
        "changedData": change.data,
        "clientId": change.client_id,
        "created": change.created.astimezone(UTC).isoformat().replace("+00:00", "Z"),
    }
    return {name: value for name, value in document.items() if value is not None}

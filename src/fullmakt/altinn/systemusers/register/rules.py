"""What a system may be (§6.2, §7). Each rule tells what is broken, in the order in which the API tells it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from urllib.parse import urlsplit

from fullmakt.altinn.systemusers import errors
from fullmakt.altinn.systemusers.model import Right, SystemDefinition
from fullmakt.altinn.systemusers.register.model import Proposal
from fullmakt.altinn.systemusers.register.ports import AccessPackage
from fullmakt.kernel.identifiers import OrgNumber
from fullmakt.wire.altinn.attributes import ACCESS_PACKAGE, APP, RESOURCE, SERVICE_OWNER, Attribute
from fullmakt.wire.altinn.problems import ValidationFault
from fullmakt.wire.altinn.resource_registry import ResourceType
from fullmakt.wire.altinn.resources import RegisteredResource

WRITE_SCOPE = "altinn:authentication/systemregister.write"
ADMIN_SCOPE = "altinn:authentication/systemregister.admin"
CATALOGUE_SCOPE = "altinn:portal/enduser"

MAX_ID = 255
MAX_TEXT = 5_000
"""Characters of a name, a description, a URL, or an identifier other than the system's."""
MAX_LANGUAGES = 10
MAX_RIGHTS = 500
MAX_RESOURCES = 10
"""In one right."""
MAX_PACKAGES = 500
MAX_REDIRECTS = 500
MAX_CLIENTS = 5_000
"""A vendor may have a client for each customer. All of these limits are ours; the real service has none of them."""

FOR_SYSTEM_USERS = frozenset(
    {
        ResourceType.ALTINN_APP,
        ResourceType.SYSTEM_RESOURCE,
        ResourceType.DEFAULT,
        ResourceType.CORRESPONDENCE_SERVICE,
        ResourceType.BROKER_SERVICE,
        ResourceType.GENERIC_ACCESS_RESOURCE,
        ResourceType.MIGRATED_APP,
    }
)
"""The types of resources that a system user can be given rights to."""

_VENDOR = re.compile(r"0192:([0-9]{9})", re.ASCII)
_BLANK = re.compile(r"\s")


def vendor_of(proposal: Proposal) -> OrgNumber | None:
    """The vendor's organisation number; None when it is not on the form ``0192:<orgnr>``."""
    found = _VENDOR.fullmatch(proposal.vendor)
    return OrgNumber(found[1]) if found else None


def may_be_an_id(text: str) -> bool:
    """False of a text that no system can be called."""
    return text.isprintable() and "/" not in text and 0 < len(text) <= MAX_ID


def id_faults(system_id: str, vendor: OrgNumber) -> Iterator[ValidationFault]:
    """What is wrong with the id of a new system."""
    if _BLANK.search(system_id):
        yield errors.SYSTEM_ID_BLANKS
    owner, _, name = system_id.partition("_")
    if owner != vendor or not name or not may_be_an_id(system_id):
        yield errors.SYSTEM_ID_FORM


def redirect_faults(urls: Iterable[str]) -> Iterator[ValidationFault]:
    """What is wrong with the allowed redirect URLs."""
    if not all(map(_is_absolute_https, urls)):
        yield errors.REDIRECT_FORM


def _is_absolute_https(url: str) -> bool:
    try:
        parts = urlsplit(url)
        readable = parts.port is None or parts.port > 0
    except ValueError:
        return False
    plain = url.isprintable() and not _BLANK.search(url)
    return plain and readable and parts.scheme == "https" and bool(parts.hostname)


def client_faults(client_ids: Sequence[str], taken: Iterable[str]) -> Iterator[ValidationFault]:
    """What is wrong with the client ids; ``taken`` are those that other live systems have."""
    if len({client_id.lower() for client_id in client_ids}) < len(client_ids):
        yield errors.CLIENT_TWICE
    if any(True for _ in taken):
        yield errors.CLIENT_TAKEN


def right_faults(rights: Sequence[Right], registered: Mapping[str, RegisteredResource]) -> Iterator[ValidationFault]:
    """What is wrong with the rights; ``registered`` holds those of their resources that there are."""
    attributes = [attribute for right in rights for attribute in right.resource]
    malformed = [attribute.value for attribute in attributes if attribute.id != RESOURCE]
    asked = [attribute.value for attribute in attributes if attribute.id == RESOURCE]
    unknown = [identifier for identifier in asked if identifier not in registered]
    refused = [each for each in asked if each in registered and not _can_be_given(registered[each])]
    if malformed:
        yield errors.resource_ids_malformed(malformed)
    if unknown:
        yield errors.resources_not_found(unknown)
    if refused:
        yield errors.resources_not_delegable(refused)
    if max(Counter(rights).values(), default=0) > 1:
        yield errors.RIGHT_TWICE


def _can_be_given(resource: RegisteredResource) -> bool:
    return resource.delegable and resource.resource_type in FOR_SYSTEM_USERS


def package_name(urn: str) -> str | None:
    """The name in ``urn:altinn:accesspackage:<name>``; None when it is no such URN."""
    prefix, _, name = urn.rpartition(":")
    return name if prefix == ACCESS_PACKAGE and name else None


def package_faults(
    urns: Sequence[str], find: Callable[[str], AccessPackage | None], *, visible: bool
) -> Iterator[ValidationFault]:
    """What is wrong with the packages, given by URN, of a system that is ``visible`` to end users."""
    names = {urn: package_name(urn) for urn in urns}
    found = {urn: find(urn) for urn, name in names.items() if name is not None}
    known = {urn: package for urn, package in found.items() if package is not None}
    details = {
        "Invalid format": [urn for urn, name in names.items() if name is None],
        "Not found": [urn for urn in found if urn not in known],
        "Not possible to delegate": [
            urn for urn, package in known.items() if not package.delegable and not package.assignable
        ],
    }
    if any(details.values()):
        yield errors.packages_not_valid(f"{what}: {', '.join(which)}" for what, which in details.items() if which)
    if len(names) < len(urns):
        yield errors.PACKAGE_TWICE
    if visible and not all(package.assignable for package in known.values()):
        yield errors.PACKAGE_NOT_ASSIGNABLE


def definition(proposal: Proposal, vendor: OrgNumber) -> SystemDefinition:
    """What the system comes to be by a proposal in which nothing is wrong."""
    return SystemDefinition(
        id=proposal.id,
        vendor=vendor,
        name=dict(proposal.name),
        description=dict(proposal.description),
        rights=proposal.rights,
        packages=package_names(proposal.packages),
        client_ids=proposal.client_ids,
        redirect_urls=proposal.redirect_urls,
        visible=proposal.visible,
    )


def package_names(urns: Iterable[str]) -> tuple[str, ...]:
    """The names in those of the URNs that are packages'."""
    return tuple(name for name in map(package_name, urns) if name is not None)


def in_old_app_format(right: Right) -> Right:
    """The right with an app named by its owner and its own name, where it is to one (``app_<org>_<app>``)."""
    return Right(tuple(attribute for one in right.resource for attribute in _old_app_format(one)), right.action)


def _old_app_format(attribute: Attribute) -> tuple[Attribute, ...]:
    if not attribute.value.startswith("app_"):
        return (attribute,)
    _, org, app = (*attribute.value.split("_", 2), "", "")[:3]
    return (Attribute(SERVICE_OWNER, org), Attribute(APP, app)) if org and app else ()

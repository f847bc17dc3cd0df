"""What is wrong with a request for consent (consent.md §4.4, 6 to 11). Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from fullmakt.altinn.consents.altinn3 import problems
from fullmakt.altinn.consents.altinn3.problems import ConsentProblemError, invalid
from fullmakt.altinn.consents.model import ConsentRight
from fullmakt.altinn.consents.texts import is_web, redirect_parts
from fullmakt.wire.altinn.resources import CONSENT, RegisteredResource

DEFAULT_TEMPLATE = "default"


@dataclass(frozen=True, slots=True)
class WantedRight:
    """A right as it is asked for. A right has one resource; the others are kept to tell that there are others."""

    actions: tuple[str, ...]
    resources: tuple[str, ...]
    metadata: Mapping[str, str]


def faults(
    rights: Sequence[WantedRight],
    valid_to: datetime,
    redirect_url: str,
    notification_url: str,
    *,
    known: Mapping[str, RegisteredResource],
    templates: Collection[str],
    now: datetime,
) -> list[ConsentProblemError]:
    """Everything that is wrong, in order; broken rules about the whole make one problem together.

    ``notification_url`` is empty when nobody is to be told. ``known`` are the registered resources among those asked
    for, ``templates`` the ids of the templates there are.
    """
    broken = []
    if valid_to <= now:
        broken.append(("AM.VLD-00022", "ValidTo"))
    if not rights:
        broken.append(("AM.VLD-00023", "Resource"))
    if redirect_parts(redirect_url) is None:
        broken.append(("AM.VLD-00027", "RedirectUrl"))
    if notification_url and not is_web(notification_url):
        broken.append(("AM.VLD-00027", "NotificationUrl"))
    found = [invalid(*broken)] if broken else []
    first = None
    for index, right in enumerate(rights):
        resource = _resource_of(right, known, templates)
        first = first or resource
        found += _faults_of_right(index, right, resource, first)
    return found


def _resource_of(
    right: WantedRight, known: Mapping[str, RegisteredResource], templates: Collection[str]
) -> RegisteredResource | None:
    """What the right is to; None when that is nothing that can be consented to."""
    resource = known.get(right.resources[0]) if len(right.resources) == 1 else None
    usable = resource is not None and resource.resource_type == CONSENT and template_of(resource) in templates
    return resource if usable else None


def _faults_of_right(
    index: int, right: WantedRight, resource: RegisteredResource | None, first: RegisteredResource | None
) -> Iterator[ConsentProblemError]:
    """``first`` is the resource of the first right that has one: the others are shown by its template."""
    if not right.actions:
        yield invalid(("STD.VLD-00000", f"/consentRight/{index}/action"))
    if resource is None or first is None:
        yield ConsentProblemError(problems.INVALID_RESOURCE)
        return
    yield from _faults_of_metadata(index, right.metadata, {key.lower() for key, _ in resource.consent.metadata})
    if template_of(resource) != template_of(first):
        yield ConsentProblemError(problems.RESOURCES_DIFFER)


def _faults_of_metadata(
    index: int, metadata: Mapping[str, str], defined: Collection[str]
) -> Iterator[ConsentProblemError]:
    """Every key that the service defines is required, whatever it says of ``optional``."""
    for key, value in metadata.items():
        if key not in defined:
            yield ConsentProblemError(problems.UNKNOWN_METADATA, key=key)
        elif not value:
            yield ConsentProblemError(problems.METADATA_VALUE_MISSING, **{f"ConsentRight index: {index}, key": key})
    for key in sorted(set(defined) - metadata.keys()):
        yield ConsentProblemError(problems.METADATA_MISSING, key=key)


def template_of(resource: RegisteredResource) -> str:
    """The id of the template that a consent to the resource is shown with."""
    return resource.consent.template or DEFAULT_TEMPLATE


def rights_of(rights: Sequence[WantedRight], known: Mapping[str, RegisteredResource]) -> tuple[ConsentRight, ...]:
    """The rights as they are kept, when nothing is wrong with them."""
    return tuple(
        [
            ConsentRight(right.resources[0], right.actions, right.metadata, known[right.resources[0]].version)
            for right in rights
        ]
    )


def redirect_members(*, accepted: bool) -> Mapping[str, str]:
    """What is added to the redirect URL when a request has been answered (§4.8)."""
    if accepted:
        return {"Status": "OK"}
    return {"Status": "Failed", "ErrorMessage": "User did not give consent"}

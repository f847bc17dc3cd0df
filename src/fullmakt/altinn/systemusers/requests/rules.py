"""What a vendor may ask for, how a request stands, and why what it asks can not be given. Pure.

Source: altinn-authentication.md §6.1, §8, §9.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TypeVar
from urllib.parse import SplitResult, urlsplit

from fullmakt.altinn.systemusers import errors
from fullmakt.altinn.systemusers.model import Right, System
from fullmakt.altinn.systemusers.ports import Packages
from fullmakt.altinn.systemusers.requests.model import (
    Alteration,
    ChangeRequest,
    RequestStatus,
    SystemUserRequest,
    Wish,
)
from fullmakt.kernel.identifiers import InvalidIdentifierError, OrgNumber
from fullmakt.wire.altinn.attributes import ACCESS_PACKAGE, RESOURCE
from fullmakt.wire.altinn.delegations import GivenKind, Giving
from fullmakt.wire.altinn.problems import AltinnProblemError, ProblemKind
from fullmakt.wire.altinn.resources import RegisteredResource
from fullmakt.wire.altinn.systemusers import UserType

R = TypeVar("R", SystemUserRequest, ChangeRequest)

LIFE = timedelta(days=180)
"""Older requests count as timed out (§8.1)."""

_EARLIER = {
    RequestStatus.ACCEPTED: errors.REQUEST_ACCEPTED,
    RequestStatus.DENIED: errors.REQUEST_DENIED,
    RequestStatus.REJECTED: errors.REQUEST_REJECTED,
}
_BY_REASON = {
    "Unknown": errors.CHECK_FAILED,
    "UnknownResource": errors.CHECK_FAILED,
    "MissingRoleAccess": errors.ROLE_MISSING,
    "MissingDelegationAccess": errors.DELEGATION_MISSING,
    "MissingSrrRightAccess": errors.NOT_IN_SERVICE_OWNERS_REGISTER,
    "InsufficientAuthenticationLevel": errors.LEVEL_TOO_LOW,
    "AccessListValidationFail": errors.NOT_ON_ACCESS_LIST,
    "ResourceNotDelegable": errors.RESOURCE_NOT_DELEGABLE,
    "ResourceIsMaskinPortenSchema": errors.RESOURCE_IS_SCHEMA,
}
"""Reasons of a delegation check, in the order in which they are told."""


def timed_out(created: datetime, now: datetime) -> bool:
    """True when nobody can answer any more."""
    return now - created > LIFE


def status(request: SystemUserRequest | ChangeRequest, now: datetime) -> RequestStatus:
    """How the request stands: one that nobody answered in time is ``Timedout``."""
    is_open = request.status is RequestStatus.NEW
    return RequestStatus.TIMED_OUT if is_open and timed_out(request.created, now) else request.status


def as_of(request: R, now: datetime) -> R:
    """The request as it stands now."""
    return with_status(request, status(request, now))


def with_status(request: R, stands: RequestStatus) -> R:
    """The request with another status."""
    return replace(request, status=stands)


def closed(request: SystemUserRequest | ChangeRequest, now: datetime) -> AltinnProblemError | None:
    """What keeps the request from being answered (AUTH-00013): it has been already, or it is too old."""
    stands = status(request, now)
    return (
        None if stands is RequestStatus.NEW else AltinnProblemError(errors.REQUEST_NOT_NEW, requestStatus=str(stands))
    )


def earlier(request: SystemUserRequest) -> AltinnProblemError | None:
    """What an earlier request with the same key, too old to be given back, says against a new one: an answer stands."""
    kind = _EARLIER.get(request.status)
    return AltinnProblemError(kind) if kind is not None else None


def redirect_fault(redirect_url: str, system: System) -> AltinnProblemError | None:
    """Scheme, host and path have to be those of an allowed URL; the query is the vendor's own affair (§8.1)."""
    if not redirect_url:
        return None
    if not system.redirect_urls:
        return AltinnProblemError(errors.NO_REDIRECTS)
    wanted = _place(redirect_url)
    if wanted is None or wanted not in map(_place, system.redirect_urls):
        return AltinnProblemError(errors.REDIRECT_NOT_ALLOWED)
    return None


def _place(url: str) -> tuple[str, str, str] | None:
    try:
        parts: SplitResult = urlsplit(url)
    except ValueError:
        return None
    return parts.scheme.lower(), parts.netloc.lower(), parts.path or "/"


def nothing_asked(wish: Wish) -> AltinnProblemError | None:
    """A request asks for something; one for an agent, for access packages."""
    if wish.key.kind is UserType.AGENT:
        return None if wish.packages else AltinnProblemError(errors.NO_PACKAGE)
    if wish.rights is None and wish.packages is None:
        return AltinnProblemError(errors.RIGHT_NOT_FOUND)
    return None if wish.rights or wish.packages else AltinnProblemError(errors.NO_RIGHT_OR_PACKAGE)


def misnamed(rights: Iterable[Right]) -> AltinnProblemError | None:
    """A right names its resource as ``urn:altinn:resource``, here as in the register (AUTH.VLD-00009)."""
    faulty = sorted({one.value for right in rights for one in right.resource if one.id != RESOURCE})
    return AltinnProblemError(errors.RIGHT_NOT_FOUND, NotFoundRights=faulty) if faulty else None


def beyond_system(rights: Iterable[Right], packages: Iterable[str], system: System) -> AltinnProblemError | None:
    """A system user is given no more than its system was registered with."""
    rights = tuple(rights)
    fault = misnamed(rights)
    if fault is not None:
        return fault
    registered = {identifier for right in system.rights for identifier in right.identifiers}
    beyond = sorted({identifier for right in rights for identifier in right.identifiers} - registered)
    if beyond:
        return AltinnProblemError(errors.RIGHT_NOT_FOUND, NotFoundRights=beyond)
    missing = [name for name in packages if name not in system.packages]
    return AltinnProblemError(errors.PACKAGE_NOT_IN_SYSTEM, NotFoundPackages=urns(missing)) if missing else None


def not_delegable(identifiers: Iterable[str], known: dict[str, RegisteredResource]) -> AltinnProblemError | None:
    """What nobody can delegate is refused when it is asked for, and not first when it is approved."""
    faulty = [one for one in identifiers if one not in known or not known[one].delegable]
    return AltinnProblemError(errors.RIGHT_NOT_FOUND, NotDelegableRights=faulty) if faulty else None


def organisation_number(text: str) -> OrgNumber | None:
    """The organisation number; None when the text is none."""
    try:
        return OrgNumber(text)
    except InvalidIdentifierError:
        return None


def urns(packages: Iterable[str]) -> list[str]:
    """Access packages as they are named on the wire."""
    return [f"{ACCESS_PACKAGE}:{name}" for name in packages]


def not_for(kind: UserType, packages: Iterable[str], known: Packages) -> AltinnProblemError | None:
    """Standard system users are given assignable packages (AUTH-00064), agents delegable ones (AUTH-00065)."""
    found = {name: known.package(name) for name in packages}
    if kind is UserType.AGENT:
        faulty = [name for name, package in found.items() if package is None or not package.delegable]
        problem = errors.PACKAGE_NOT_FOR_AGENT
    else:
        faulty = [name for name, package in found.items() if package is None or not package.assignable]
        problem = errors.PACKAGE_NOT_FOR_STANDARD
    return AltinnProblemError(problem, NotDelegablePackages=urns(faulty)) if faulty else None


def resources(rights: Iterable[Right]) -> list[str]:
    """The resources that rights are on, each once, in their order."""
    return list(dict.fromkeys(identifier for right in rights for identifier in right.identifiers))


def refusal_of(found: Sequence[Giving]) -> AltinnProblemError | None:
    """Why what was checked can not be given: rights before packages, the first of them that is refused (§8.3)."""
    refused = sorted((one for one in found if not one.permitted), key=lambda one: one.kind is not GivenKind.RESOURCE)
    if not refused:
        return None
    first = refused[0]
    told = {"reasons": list(first.reasons)}
    if first.kind is GivenKind.RESOURCE:
        return AltinnProblemError(_kind(first.reasons), resource=first.name, **told)
    missing = "MissingPackageAccess" in first.reasons
    kind = errors.PACKAGE_NOT_HELD if missing else errors.PACKAGE_CHECK_FAILED
    return AltinnProblemError(kind, package=urns([first.name])[0], **told)


def _kind(reasons: Collection[str]) -> ProblemKind:
    return next((kind for reason, kind in _BY_REASON.items() if reason in reasons), errors.CHECK_FAILED)


def remaining(alteration: Alteration, held: Collection[tuple[GivenKind, str]]) -> Alteration:
    """What is left to do of a change, where ``held`` is what the system user has been given."""

    def has(kind: GivenKind, name: str) -> bool:
        return (kind, name) in held

    return Alteration(
        required_rights=tuple(
            one
            for one in alteration.required_rights
            if not all(has(GivenKind.RESOURCE, name) for name in one.identifiers)
        ),
        unwanted_rights=tuple(
            one for one in alteration.unwanted_rights if any(has(GivenKind.RESOURCE, name) for name in one.identifiers)
        ),
        required_packages=tuple(one for one in alteration.required_packages if not has(GivenKind.PACKAGE, one)),
        unwanted_packages=tuple(one for one in alteration.unwanted_packages if has(GivenKind.PACKAGE, one)),
    )

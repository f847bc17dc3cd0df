"""Why a request is refused."""

from __future__ import annotations

from fullmakt.wire.altinn.problems import (
    AltinnProblemError,
    AltinnValidationError,
    BindingError,
    ProblemKind,
    ValidationFault,
)

INCLUDE_MEMBERS = ProblemKind("RR-00000", 501, "Members are not supported yet as an include option for this endpoint.")
UNKNOWN_PARTY = ProblemKind("RR-00001", 400, "One or more party references not found.")
UNKNOWN_RESOURCE = ProblemKind("RR-00002", 400, "One or more resource references not found.")
OTHERS_RESOURCE = ProblemKind(
    "RR-00004",
    403,
    "Cannot create a access-list connection to a resource not owned by the same service-owner as the access-list.",
)

TOO_MANY_REPLACED = ValidationFault(
    "RR.VLD-00000",
    "Cannot replace more than 100 members at a time. Use POST and DELETE methods instead.",
    ("/data",),
)
TOO_MANY_CHANGED = ValidationFault("RR.VLD-00001", "Cannot add or remove more than 100 members at a time.", ("/data",))
INCLUDE_NEEDS_RESOURCE = ValidationFault(
    "RR.VLD-00002",
    "Resource identifier is required when including resource connections.",
    ("/$QUERY/include", "/$QUERY/resource"),
)
NO_PARTY = ValidationFault("RR.VLD-00003", "At least 1 party must be specified.", ("/$QUERY/party",))
SEVERAL_PARTIES = ValidationFault("RR.VLD-00006", "Multiple parties currently not supported.", ("/$QUERY/party",))
SEVERAL_RESOURCES = ValidationFault(
    "RR.VLD-00007", "Multiple resources currently not supported.", ("/$QUERY/resource",)
)
UNKNOWN_OWNER = ValidationFault(
    "RR.VLD-00010", "Access list owner must be a valid and registered org-code.", ("/$PATH/owner",)
)


def malformed_party(value: str) -> ValidationFault:
    """``value`` is no party URN."""
    return ValidationFault("RR.VLD-00004", "Invalid party URN.", ("/$QUERY/party",), {"value": value})


def malformed_resource(value: str) -> ValidationFault:
    """``value`` is no resource URN."""
    return ValidationFault("RR.VLD-00005", "Invalid resource URN.", ("/$QUERY/resource",), {"value": value})


class UnknownListError(Exception):
    """The owner has no such list: 404."""


class PreconditionFailedError(Exception):
    """The list is not what the caller takes it for: 412, and nothing has changed."""


class UnknownPartyError(AltinnProblemError):
    """The register does not know one of the parties."""

    def __init__(self) -> None:
        super().__init__(UNKNOWN_PARTY)


class UnknownResourceError(AltinnProblemError):
    """There is no such resource."""

    def __init__(self) -> None:
        super().__init__(UNKNOWN_RESOURCE)


class OthersResourceError(AltinnProblemError):
    """The resource is another service owner's."""

    def __init__(self) -> None:
        super().__init__(OTHERS_RESOURCE)


class UnknownOwnerError(AltinnValidationError):
    """The path's owner is not a service owner's code."""

    def __init__(self) -> None:
        super().__init__(UNKNOWN_OWNER)


class TooManyMembersError(AltinnValidationError):
    """More members in one request than ``rules.MAX_MEMBERS``."""


class InvalidListError(BindingError):
    """What is said of the list can not be so. Takes member names of the request's body to messages."""

"""Access management's errors: codes, statuses and texts to the letter (altinn-authorization.md §13.2, §14, §15.2)."""

from __future__ import annotations

from fullmakt.wire.altinn.problems import AltinnValidationError, ProblemKind, ValidationFault

PARTIES_NOT_FOUND = ProblemKind("AM-00021", 400, "From and to parties do not exists.")
MISSING_CONNECTION = ProblemKind(
    "AM-00022",
    400,
    "Operation can not be completed, because it requires an existing connection between the parties.",
)
PARTY_NOT_FOUND = ProblemKind(
    "AM-00023", 400, "The provided identifier cannot be found as a valid party for the operation."
)
PERSON_INPUT_REQUIRED = ProblemKind(
    "AM-00024",
    400,
    "Target party is a person. Include a PersonInput object in the request body with both personIdentifier and"
    " lastName to perform this operation.",
)
INVALID_RESOURCE = ProblemKind("AM-00027", 400, "The resource is invalid")
NOT_AUTHORIZED = ProblemKind("AM-00028", 400, "Not authorized for delegation")
MISSING_RIGHT_KEY = ProblemKind("AM-00033", 400, "No right key provided")
PACKAGE_NOT_AUTHORIZED = ProblemKind("AM-00034", 403, "Service owner is not authorized to delegate this access package")
PACKAGE_NOT_FOUND = ProblemKind("AM-00035", 400, "Unknown Access Package")
RESOURCE_NOT_DELEGABLE = ProblemKind("AM-00042", 400, "The resource is not available for delegation")

_QUERY_INVALID = "One or more query parameters are invalid."


def invalid_query(**told: str) -> AltinnValidationError:
    """Query members that do not fit together: what to tell of each."""
    return AltinnValidationError(
        *(
            ValidationFault("AM.VLD-00009", _QUERY_INVALID, [f"/$QUERY/{name}"], {name: text})
            for name, text in told.items()
        )
    )


def to_itself(first: str, second: str) -> AltinnValidationError:
    """Giver and receiver are the same."""
    text = "An organization cannot delegate to itself."
    return invalid_query(**{first: text, second: text})


def no_entity(name: str) -> AltinnValidationError:
    """The party of a query member does not exist."""
    return AltinnValidationError(ValidationFault("AM.VLD-00006", "Entity do not exists.", [f"/$QUERY/{name}"]))


def not_an_organisation(name: str) -> AltinnValidationError:
    """The party of a query member is a person."""
    told = {"type": "Got 'Person', expected one of: 'Organisasjon'."}
    text = "This entity type is not allowed here."
    return AltinnValidationError(ValidationFault("AM.VLD-00008", text, [f"/$QUERY/{name}"], told))


def still_in_use(name: str = "cascade") -> AltinnValidationError:
    """A connection can not go as long as something rests on it."""
    told = {
        "assignmentResources": "Cannot remove supplier assignment while resources are still delegated."
        " Use cascade=true or remove resources first."
    }
    text = "Assignment has resources delegated."
    return AltinnValidationError(ValidationFault("AM.VLD-00031", text, [f"/$QUERY/{name}"], told))


def assignment_active() -> AltinnValidationError:
    """A right holder can not go as long as it holds rights."""
    text = "Assignment is active in one or more connections."
    return AltinnValidationError(ValidationFault("AM.VLD-00010", text, ["/$QUERY/cascade"]))


def wrong_resource_type(resource: str) -> AltinnValidationError:
    """The resource is no MaskinportenSchema."""
    told = {"resourceType": f"Resource '{resource[:255]}' must be of type 'MaskinportenSchema'."}
    text = "Invalid resource type."
    return AltinnValidationError(ValidationFault("AM.VLD-00032", text, ["/$QUERY/resource"], told))


def package_not_delegable() -> AltinnValidationError:
    """The package is never given by name."""
    return AltinnValidationError(ValidationFault("AM.VLD-00033", "Package is not delegable.", ["/$QUERY/package"]))


def no_package(name: str) -> AltinnValidationError:
    """No package is called so."""
    told = {"packages": f"No packages were found with the names '{name[:255]}'."}
    return AltinnValidationError(ValidationFault("AM.VLD-00009", _QUERY_INVALID, ["/$QUERY/package"], told))

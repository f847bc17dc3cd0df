"""Why a request is refused (altinn-authentication.md §6): the problems ``AUTH-000NN``, the broken rules
``AUTH.VLD-000NN``, and what is told without a code."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from fullmakt.wire.altinn.problems import ProblemKind, ValidationFault


def _kind(number: int, status: int, text: str) -> ProblemKind:
    return ProblemKind(f"AUTH-{number:05}", status, text)


# -- organisations, systems and requests (§8) --

UNKNOWN_ORGANISATION = _kind(0, 400, "Can't resolve the Organisation Number from the logged in Reportee PartyId.")
RIGHT_NOT_FOUND = _kind(1, 400, "One or more Right not found or not delegable.")
DELEGATION_FAILED = _kind(2, 400, "The Delegation failed.")
NOT_CREATED = _kind(3, 400, "Failed to create the SystemUser.")
SYSTEM_USER_EXISTS = _kind(4, 400, "Failed to create new SystemUser, existing SystemUser tied to the given System-Id.")
FAILED = _kind(5, 400, "Default error at the end of logic chain. Not supposed to appear.")
REQUEST_ACCEPTED = _kind(6, 400, "The combination of External Ids refer to an already Accepted SystemUser.")
REQUEST_PENDING = _kind(7, 400, "The combination of External Ids refer to a Pending Request, please reuse or delete.")
REQUEST_DENIED = _kind(
    8, 400, "The combination of External Ids refer to a Denied Request, please delete and renew the Request."
)
REQUEST_REJECTED = _kind(
    9, 400, "The combination of External Ids refer to a Rejected Request, please delete and renew the Request."
)
REQUEST_NOT_FOUND = _kind(10, 404, "The Id does not refer to a Request in our system.")
SYSTEM_NOT_FOUND = _kind(11, 404, "The Id does not refer to a Registered System.")
REQUEST_NOT_STORED = _kind(12, 404, "An error occured when storing the Request.")
REQUEST_NOT_NEW = _kind(13, 409, "The Status of the Request is not New.")
SYSTEM_USER_NOT_FOUND = _kind(15, 404, "The SystemUser was not found.")
SYSTEM_NAME_NOT_FOUND = _kind(17, 404, "The SystemName was not found.")
REDIRECT_NOT_ALLOWED = _kind(21, 400, "The RedirectUri was not found or not valid.")
VENDOR_NOT_FOUND = _kind(23, 401, "Can't resolve the Organisation Number for the Vendor from the Token.")
NOT_OWNED = _kind(24, 403, "you don't have rights to delete this systemuser")
NOT_AN_AGENT_REQUEST = _kind(
    25, 400, "The request id is valid but its not a valid request for creating an agent system user"
)
NO_REDIRECTS = _kind(26, 400, "No redirect uris are set for the system")
AGENT_REQUEST_NOT_FOUND = _kind(30, 404, "The Id does not refer to an AgentRequest in our system.")
PARTY_MISMATCH = _kind(41, 403, "Party does not match request's orgno")
AGENT_PARTY_MISMATCH = _kind(42, 403, "Party does not match agent request's orgno")
PARTY_UUID_NOT_FOUND = _kind(49, 400, "The party is missing its uuid.")
NO_PACKAGE = _kind(58, 400, "No AccessPackages found, an Agent SystemUser must have at least one")
NO_RIGHT_OR_PACKAGE = _kind(59, 400, "No AccessPackages or Single Rights found, a SystemUser must have at least one")
REQUEST_NOT_UPDATED = _kind(60, 404, "An error occured when Updating the Request.")
CHANGE_REQUEST_NOT_NEW = _kind(
    61,
    409,
    "The Status of the Request is not New. Please generate a new CorrellationId for a new Change Request",
)

# -- what may be delegated --

CHECK_FAILED = _kind(14, 403, "DelegationCheck failed with unknown error.")
ROLE_MISSING = _kind(
    16, 403, "DelegationCheck failed with error: Has not access by a delegation of role in ER or Altinn."
)
DELEGATION_MISSING = _kind(18, 403, "DelegationCheck failed with error: Has not access by direct delegation.")
NOT_IN_SERVICE_OWNERS_REGISTER = _kind(
    19,
    403,
    "DelegationCheck failed with error: The service requires explicit access in SRR and the reportee is missing this.",
)
LEVEL_TOO_LOW = _kind(
    20,
    403,
    "DelegationCheck failed with error: The service requires explicit authentication level and the reportee is missing"
    " this.",
)
REVOKE_FAILED = _kind(22, 400, "The operation to revoke rights failed.")
NO_ROLE_FOR_PACKAGE = _kind(27, 400, "The accesspackage provided in the request can't be mapped to a valid role.")
PACKAGES_NOT_READ = _kind(46, 400, "Failed to get list of accesspackages delegated")
PACKAGE_CHECK_FAILED = _kind(50, 400, "The delegation check failed for access packages")
PACKAGE_DELEGATION_FAILED = _kind(51, 400, "The delegation of access package to the system user failed")
PACKAGES_INVALID = _kind(52, 400, "One or more access packages are invalid")
PACKAGE_NOT_HELD = _kind(53, 400, "The user does not have enough access to delegate the requested access packages")
PACKAGE_NOT_IN_SYSTEM = _kind(
    63, 400, "One or more accesspackage is not found in the referenced system in the System Register."
)
PACKAGE_NOT_FOR_STANDARD = _kind(
    64,
    400,
    "One or more access packages cannot be delegated. Either they are intended for clients or they cannot be delegated"
    " further.",
)
PACKAGE_NOT_FOR_AGENT = _kind(
    65,
    400,
    "One or more access packages cannot be delegated because they are not intended for client relationships",
)
NOT_ACCESS_MANAGER = _kind(66, 403, "The user is not access manager for the party")
PACKAGE_ACCESS_MISSING = _kind(68, 403, "The user does not have access to the package")
NOT_ON_ACCESS_LIST = _kind(69, 403, "DelegationCheck failed with error: The access list check failed.")
RESOURCE_NOT_DELEGABLE = _kind(70, 403, "DelegationCheck failed with error: The resource is not delegable.")
RESOURCE_IS_SCHEMA = _kind(71, 403, "DelegationCheck failed with error: The resource is a MaskinportenSchema.")

# -- agents and their clients (§11) --

CUSTOMER_NOT_FOUND = _kind(28, 400, "The customer id was not provided or did not validate.")
WRONG_FACILITATOR = _kind(31, 400, "Party does not match delegation facilitator.")
ASSIGNMENT_NOT_FOUND = _kind(32, 400, "Assignment not found.")
AGENT_NOT_DELETED = _kind(33, 400, "Failed to delete the agent system user")
EXPECTED_AGENT = _kind(34, 400, "The system user type of the provided system user GUID is not an agent.")
AGENT_HAS_CLIENTS = _kind(
    35,
    400,
    "The system user has delegations from customer. Remove the delegations before deleting the system user",
)
EXPECTED_STANDARD = _kind(36, 400, "The system user type of the provided system user GUID is not standard.")
DELEGATION_NOT_FOUND = _kind(38, 400, "Delegation not found")
NOT_FACILITATOR = _kind(39, 400, "Party does not match delegation facilitator")
ASSIGNMENT_MISMATCH = _kind(40, 400, "Party does not match delegation assignments")
NOT_AUTHENTICATED = _kind(43, 401, "Unauthorized")
NOT_ALLOWED = _kind(44, 403, "Forbidden")
CLIENTS_NOT_READ = _kind(45, 400, "Failed to get clients")
NOT_ADDED_AS_AGENT = _kind(67, 400, "The system user could not be added as agent")
CLIENT_NOT_FOUND = _kind(79, 400, "The client was not found")
CLIENT_LACKS_PACKAGES = _kind(80, 400, "The client has not given the facilitator the packages of the system user")

# -- broken rules (§6.2) --

_SYSTEM_ID = "/registersystemrequest/systemid"
_RIGHTS = "/registersystemrequest/rights/resource"
_PACKAGES = "/registersystemrequest/accesspackages"
_CLIENTS = "/registersystemrequest/clientid"


def _fault(number: int, text: str, path: str) -> ValidationFault:
    return ValidationFault(f"AUTH.VLD-{number:05}", text, (path,))


VENDOR_FORM = _fault(0, "the org number identifier is not valid ISO6523 identifier", "/registersystemrequest/vendor/id")
SYSTEM_ID_FORM = _fault(1, "The system id does not match the format orgnumber_xxxx...", _SYSTEM_ID)
SYSTEM_ID_TAKEN = _fault(2, "The system id already exists", _SYSTEM_ID)
CLIENT_TAKEN = _fault(4, "One of the client id is already tagged with an existing system", _CLIENTS)
REDIRECT_FORM = _fault(
    5,
    "One or more of the redirect urls format is not valid. The valid format is https://xxx.xx",
    "/registersystemrequest/allowedredirecturls",
)
RIGHT_TWICE = _fault(6, "One or more duplicate rights found", _RIGHTS)
PACKAGE_TWICE = _fault(7, "One or more duplicate access package(s) found", _PACKAGES)
CLIENT_TWICE = _fault(11, "Request contains duplicate client ids", _CLIENTS)
SYSTEM_ID_MISMATCH = _fault(12, "The system ID in the request body does not match the system ID in the URL", _SYSTEM_ID)
SYSTEM_ID_BLANKS = _fault(13, "System ID cannot have spaces in id (leading, trailing or in between the id)", _SYSTEM_ID)
AGENT_MISSING = _fault(14, "The agent query parameter is missing or invalid", "?agent")
AGENT_UNKNOWN = _fault(14, "System user not found", "?agent")
NOT_AN_AGENT = _fault(15, "SystemUser is not a valid system user of type agent", "?agent")
CLIENT_MISSING = _fault(16, "The client query parameter is missing or invalid", "?client")
PACKAGE_NOT_ASSIGNABLE = _fault(
    18,
    "Access packages meant for system user for client relations can't be used in combination with the flag"
    " isVisible: true",
    _PACKAGES,
)


RESOURCES_NOT_FOUND = _fault(
    3, "One or all the resources in rights is not found in altinn's resource register", _RIGHTS
)
PACKAGES_NOT_VALID = _fault(
    8,
    "One or all the accesspackage(s) is not found in altinn's access packages or is not delegable",
    _PACKAGES,
)
RESOURCE_ID_FORM = _fault(
    9, "One or more resource id is in wrong format. The valid format is urn:altinn:resource", _RIGHTS
)
RESOURCES_NOT_DELEGABLE = _fault(
    17, "One or more resources specified in rights is of resource type which is not delegable.", _RIGHTS
)


def resources_not_found(identifiers: Iterable[str]) -> ValidationFault:
    """The registry does not have these resources."""
    return _telling(RESOURCES_NOT_FOUND, "ResourceIds Not Found : ", identifiers)


def packages_not_valid(details: Iterable[str]) -> ValidationFault:
    """These packages are unknown, or can be given to no kind of system user."""
    return _telling(PACKAGES_NOT_VALID, "Invalid Urn Details : ", details)


def resource_ids_malformed(identifiers: Iterable[str]) -> ValidationFault:
    """These stand under another attribute than ``urn:altinn:resource``."""
    return _telling(RESOURCE_ID_FORM, "Invalid Resource Id Details : ", identifiers)


def resources_not_delegable(identifiers: Iterable[str]) -> ValidationFault:
    """These resources are not for system users."""
    return _telling(RESOURCES_NOT_DELEGABLE, "ResourceIds Not Delegable : ", identifiers)


def _telling(fault: ValidationFault, name: str, which: Iterable[str]) -> ValidationFault:
    return replace(fault, extensions={name: " | ".join(which)})


# -- what is told without a code (§7) --


class RegisterError(Exception):
    """The system register refuses; ``reason`` is for the audit trail."""

    reason = ""


class UnknownSystemError(RegisterError):
    """No system has the id, or none of the vendor that is named."""

    reason = "unknown_system"


class DeletedSystemError(RegisterError):
    """The system is deleted, and stays as it is."""

    reason = "system_deleted"


class StaleVersionError(RegisterError):
    """The system is not of the version that ``If-Match`` asks for: 412, and nothing has changed."""

    reason = "stale_version"

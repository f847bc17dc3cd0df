"""A world: what a world file declares, and, in the same shape, what is there already.

Entries carry the names of the self-service API's members (maskinporten.md §7.3 and §7.7) and its defaults.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Hashable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from fullmakt.altinn.consents.declared import DeclaredConsent
from fullmakt.altinn.parties.model import Organisation, Person, Role
from fullmakt.kernel.identifiers import NationalId, OrgNumber, ScopeName
from fullmakt.wire.altinn.systemusers import UserType
from fullmakt.wire.maskinporten.selfservice import AccessState

_CLIENT_IDS = uuid.UUID("5f2c1a4e-7f0b-5d0c-9a57-6d1f0e8a4b21")


class Kind(StrEnum):
    """What can be declared. The value is the section's name in the file; the order is that of applying."""

    ORGANISATION = "organisation"
    PERSON = "person"
    ROLE = "role"
    SERVICE_OWNER = "service_owner"
    DELEGATION_SOURCE = "delegation_source"
    PREFIX = "prefix"
    SCOPE = "scope"
    ACCESS = "access"
    RESOURCE = "resource"
    ACCESS_LIST = "access_list"
    DELEGATION = "delegation"
    RIGHT = "right"
    CERTIFICATE = "certificate"
    CLIENT = "client"
    CONSENT_SERVICE = "consent_service"
    SRR = "srr"
    API_KEY = "api_key"
    CONSENT = "consent"
    SYSTEM = "system"
    SYSTEM_USER = "system_user"


@dataclass(frozen=True, slots=True)
class EndedRole(Role):
    """A role that is to be held no longer. Only a file has such: what is there are the roles that are held."""


@dataclass(frozen=True, slots=True)
class ServiceOwner:
    """An organisation that publishes resources, by its org code in Altinn (altinn-resource-registry.md §7).

    ``name`` holds sorted pairs of language and text.
    """

    code: str
    organisation: OrgNumber
    name: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class DelegationSource:
    """Where delegations are registered; scopes name it by ``issuer`` (maskinporten.md §4.5)."""

    issuer: str
    name: str


@dataclass(frozen=True, slots=True)
class Prefix:
    """A scope prefix and the organisation that owns it and every scope under it."""

    prefix: str
    owner: OrgNumber
    active: bool = True


@dataclass(frozen=True, slots=True)
class Scope:
    """A scope with everything that its owner may set (maskinporten.md §7.7).

    ``translations`` holds ``description#en`` and the like as sorted pairs of member and text. Lifetimes are seconds.
    """

    name: ScopeName
    description: str
    long_description: str | None = None
    translations: tuple[tuple[str, str], ...] = ()
    active: bool = True
    visibility: str = "PUBLIC"
    allowed_integration_types: tuple[str, ...] = ()
    token_type: str = "SELF_CONTAINED"
    delegation_source: str | None = None
    accessible_for_all: bool = False
    at_max_age: int = 0
    authorization_max_lifetime: int = 0
    requires_user_consent: bool = False
    requires_user_authentication: bool = False
    requires_pseudonymous_tokens: bool = False
    enforced_aud_for_access_token: str | None = None
    protected: bool = False
    supports_european_businesses: bool = False


@dataclass(frozen=True, slots=True)
class Access:
    """The access of ``consumer`` to a scope: APPROVED, DENIED (withdrawn) or REQUESTED."""

    scope: ScopeName
    consumer: OrgNumber
    state: AccessState = "APPROVED"


@dataclass(frozen=True, slots=True)
class Resource:
    """A resource of the registry (altinn-resource-registry.md §2).

    ``document`` is the wire's JSON object with its members in order, less ``identifier`` and
    ``hasCompetentAuthority``, for which ``owner`` (an org code) stands. ``policy`` is XACML in XML, None without one.
    """

    identifier: str
    owner: str
    document: str
    policy: str | None = None

    @property
    def resource_type(self) -> str:
        """``MaskinportenSchema`` and the like."""
        return str(json.loads(self.document).get("resourceType", ""))

    @property
    def scopes(self) -> tuple[str, ...]:
        """The scopes that it refers to."""
        references = json.loads(self.document).get("resourceReferences", ())
        return tuple(one["reference"] for one in references if one.get("referenceType") == "MaskinportenScope")


@dataclass(frozen=True, slots=True)
class Connection:
    """An access list's connection to a resource; without ``actions``, to all of them."""

    resource: str
    actions: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.resource} ({', '.join(self.actions) or 'every action'})"


@dataclass(frozen=True, slots=True)
class AccessList:
    """The organisations that may use the resources it is connected to (altinn-resource-registry.md §8)."""

    owner: str
    identifier: str
    name: str
    description: str = ""
    members: tuple[OrgNumber, ...] = ()
    connections: tuple[Connection, ...] = ()


@dataclass(frozen=True, slots=True)
class Delegation:
    """``consumer`` has delegated an API, a resource of type MaskinportenSchema, to ``supplier``."""

    consumer: OrgNumber
    supplier: OrgNumber
    resource: str


@dataclass(frozen=True, slots=True)
class Right:
    """``giver`` has let ``receiver`` do ``actions`` on ``resource`` on its behalf."""

    giver: OrgNumber | NationalId
    receiver: OrgNumber | NationalId
    resource: str
    actions: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Certificate:
    """An enterprise certificate of our PKI for ``organisation``, kept in the state folder under ``name``."""

    name: str
    organisation: OrgNumber


@dataclass(frozen=True, slots=True)
class PublicJwk:
    """A public JWK as sorted pairs of member and value."""

    members: tuple[tuple[str, str], ...]

    @classmethod
    def of(cls, jwk: Mapping[str, str]) -> PublicJwk:
        """From a JWK's members."""
        return cls(tuple(sorted(jwk.items())))

    @property
    def kid(self) -> str:
        """The key's id on its client."""
        return self.as_dict()["kid"]

    def as_dict(self) -> dict[str, str]:
        """The JWK as JSON has it."""
        return dict(self.members)


@dataclass(frozen=True, slots=True)
class GeneratedKey:
    """The client's one key, its private half in the state folder: made when it is not there yet."""

    def __str__(self) -> str:
        return "a key in the state folder"


@dataclass(frozen=True, slots=True)
class PublicKeys:
    """Keys whose private halves are elsewhere, sorted by ``kid``."""

    jwks: tuple[PublicJwk, ...]

    def __str__(self) -> str:
        return f"public keys {', '.join(jwk.kid for jwk in self.jwks)}"


@dataclass(frozen=True, slots=True)
class KeyFile:
    """A file with a public JWK, JWKS or PEM; ``files.resolve`` reads it and puts ``PublicKeys`` in its place."""

    path: str

    def __str__(self) -> str:
        return f"the key in {self.path}"


@dataclass(frozen=True, slots=True)
class EnterpriseCertificate:
    """No registered key: the client authenticates by its organisation's certificate (maskinporten.md §2.5)."""

    def __str__(self) -> str:
        return "an enterprise certificate"


@dataclass(frozen=True, slots=True)
class Unusable:
    """Only of what is there, never declared: the credentials can not be used as they stand; ``why`` says so."""

    why: str

    def __str__(self) -> str:
        return self.why


Credentials = GeneratedKey | PublicKeys | KeyFile | EnterpriseCertificate | Unusable


@dataclass(frozen=True, slots=True)
class Client:
    """A client. ``name`` is what it is called on this machine (files, commands); the rest is maskinporten.md §7.3."""

    name: str
    client_id: str
    organisation: OrgNumber
    credentials: Credentials
    client_name: str
    description: str
    supplier: OrgNumber | None = None
    integration_type: str = "maskinporten"
    scopes: tuple[ScopeName, ...] = ()
    access_token_lifetime: int = 120
    active: bool = True


@dataclass(frozen=True, slots=True)
class ConsentService:
    """A resource of type Consent stands for a service edition of Altinn 2's (consent.md §2, §3).

    ``one_time`` and ``min_level`` are the resource's own where nothing is said.
    """

    resource: str
    code: str
    edition: int
    uses_srr: bool = False
    one_time: bool | None = None
    min_level: int | None = None


@dataclass(frozen=True, slots=True)
class SrrEntry:
    """``reportee`` may receive consents to a service, until ``valid_to``, on its conditions (consent.md §3)."""

    code: str
    edition: int
    reportee: OrgNumber
    valid_to: datetime
    handled_by: OrgNumber | None = None
    domains: tuple[str, ...] = ()
    keep_session_alive: bool = False


@dataclass(frozen=True, slots=True)
class ApiKey:
    """An API key of Altinn 2's, its secret in the state folder. ``domains`` are where browsers may be sent back to."""

    name: str
    organisation: OrgNumber
    domains: tuple[str, ...] = ()
    service_owner: bool = False


@dataclass(frozen=True, slots=True)
class System:
    """An enterprise system in the system register (altinn-authentication.md §7).

    ``identifier`` is ``<vendor>_<name>``; ``name`` and ``description`` hold sorted pairs of language and text.
    ``clients`` are client ids, ``resources`` identifiers, ``packages`` names without ``urn:altinn:accesspackage:``.
    """

    identifier: str
    vendor: OrgNumber
    name: tuple[tuple[str, str], ...]
    description: tuple[tuple[str, str], ...]
    clients: tuple[str, ...] = ()
    resources: tuple[str, ...] = ()
    packages: tuple[str, ...] = ()
    redirect_urls: tuple[str, ...] = ()
    visible: bool = True


@dataclass(frozen=True, slots=True)
class SystemUser:
    """``owner`` lets ``system`` act for it; an agent, for ``clients`` of its (altinn-authentication.md §10, §11)."""

    system: str
    owner: OrgNumber
    external_ref: str
    title: str
    type: str = UserType.STANDARD.value
    resources: tuple[str, ...] = ()
    packages: tuple[str, ...] = ()
    clients: tuple[OrgNumber, ...] = ()


def default_client_id(name: str) -> str:
    """The id of a client that is declared without one: always the same for the same name (UUID version 5)."""
    return str(uuid.uuid5(_CLIENT_IDS, name))


Entry = (
    Organisation
    | Person
    | Role
    | ServiceOwner
    | DelegationSource
    | Prefix
    | Scope
    | Access
    | Resource
    | AccessList
    | Delegation
    | Right
    | Certificate
    | Client
    | ConsentService
    | SrrEntry
    | ApiKey
    | DeclaredConsent
    | System
    | SystemUser
)


@dataclass(frozen=True, slots=True)
class World:
    """Everything declared, or everything there, each kind in order.

    ``lines`` tells where in a file a table (``field`` None) or one of its fields stands; it is no part of the world.
    """

    organisations: tuple[Organisation, ...] = ()
    people: tuple[Person, ...] = ()
    roles: tuple[Role, ...] = ()
    service_owners: tuple[ServiceOwner, ...] = ()
    delegation_sources: tuple[DelegationSource, ...] = ()
    prefixes: tuple[Prefix, ...] = ()
    scopes: tuple[Scope, ...] = ()
    accesses: tuple[Access, ...] = ()
    resources: tuple[Resource, ...] = ()
    access_lists: tuple[AccessList, ...] = ()
    delegations: tuple[Delegation, ...] = ()
    rights: tuple[Right, ...] = ()
    certificates: tuple[Certificate, ...] = ()
    clients: tuple[Client, ...] = ()
    consent_services: tuple[ConsentService, ...] = ()
    srr_entries: tuple[SrrEntry, ...] = ()
    api_keys: tuple[ApiKey, ...] = ()
    consents: tuple[DeclaredConsent, ...] = ()
    systems: tuple[System, ...] = ()
    system_users: tuple[SystemUser, ...] = ()
    lines: Mapping[tuple[str, int, str | None], int] = field(default_factory=dict, compare=False, repr=False)

    def entries(self, kind: Kind) -> tuple[Entry, ...]:
        """The entries of one kind."""
        entries: tuple[Entry, ...] = getattr(self, FIELD_OF[kind])
        return entries

    def __iter__(self) -> Iterator[Entry]:
        for kind in Kind:
            yield from self.entries(kind)

    def __or__(self, other: World) -> World:
        """Both worlds' entries, ours first."""
        return World(**{name: getattr(self, name) + getattr(other, name) for name in FIELD_OF.values()})


FIELD_OF: Mapping[Kind, str] = {
    Kind.ORGANISATION: "organisations",
    Kind.PERSON: "people",
    Kind.ROLE: "roles",
    Kind.SERVICE_OWNER: "service_owners",
    Kind.DELEGATION_SOURCE: "delegation_sources",
    Kind.PREFIX: "prefixes",
    Kind.SCOPE: "scopes",
    Kind.ACCESS: "accesses",
    Kind.RESOURCE: "resources",
    Kind.ACCESS_LIST: "access_lists",
    Kind.DELEGATION: "delegations",
    Kind.RIGHT: "rights",
    Kind.CERTIFICATE: "certificates",
    Kind.CLIENT: "clients",
    Kind.CONSENT_SERVICE: "consent_services",
    Kind.SRR: "srr_entries",
    Kind.API_KEY: "api_keys",
    Kind.CONSENT: "consents",
    Kind.SYSTEM: "systems",
    Kind.SYSTEM_USER: "system_users",
}
"""The field of ``World`` that holds the entries of a kind."""

KIND_OF: Mapping[type, Kind] = {
    Organisation: Kind.ORGANISATION,
    Person: Kind.PERSON,
    Role: Kind.ROLE,
    EndedRole: Kind.ROLE,
    ServiceOwner: Kind.SERVICE_OWNER,
    DelegationSource: Kind.DELEGATION_SOURCE,
    Prefix: Kind.PREFIX,
    Scope: Kind.SCOPE,
    Access: Kind.ACCESS,
    Resource: Kind.RESOURCE,
    AccessList: Kind.ACCESS_LIST,
    Delegation: Kind.DELEGATION,
    Right: Kind.RIGHT,
    Certificate: Kind.CERTIFICATE,
    Client: Kind.CLIENT,
    ConsentService: Kind.CONSENT_SERVICE,
    SrrEntry: Kind.SRR,
    ApiKey: Kind.API_KEY,
    DeclaredConsent: Kind.CONSENT,
    System: Kind.SYSTEM,
    SystemUser: Kind.SYSTEM_USER,
}


def key_of(entry: Entry) -> Hashable:
    """What makes two entries of a kind the same one."""
    match entry:
        case Organisation():
            return entry.orgno
        case Person():
            return entry.national_id
        case DelegationSource():
            return entry.issuer
        case Prefix():
            return entry.prefix
        case Scope() | Certificate() | ApiKey():
            return entry.name
        case Client():
            return entry.client_id
        case DeclaredConsent():
            return entry.id
        case Access():
            return entry.scope, entry.consumer
        case ServiceOwner():
            return entry.code
        case Resource() | System():
            return entry.identifier
        case ConsentService():
            return entry.code, entry.edition
        case SrrEntry():
            return entry.code, entry.edition, entry.reportee
        case SystemUser():
            return entry.system, entry.owner, entry.external_ref
        case AccessList():
            return entry.owner, entry.identifier
        case Right():
            return entry.giver, entry.receiver, entry.resource
        case Role():
            return entry.holder, entry.code, entry.organisation
        case Delegation():
            return entry


def label_of(entry: Entry) -> str:
    """What a person reads in a plan. Real people's numbers are masked, made-up ones are there to be used."""
    match entry:
        case Organisation():
            return f"{entry.orgno} {entry.name}"
        case Person():
            return f"{shown(entry.national_id)} {entry.name}"
        case Role():
            return f"{shown(entry.holder)} {entry.code} {entry.organisation}"
        case DelegationSource():
            return f"{entry.name} {entry.issuer}"
        case Prefix():
            return f"{entry.prefix} {entry.owner}"
        case Scope():
            return entry.name
        case Access():
            return f"{entry.scope} {entry.consumer}"
        case ServiceOwner():
            return f"{entry.code} {entry.organisation}"
        case Resource():
            return f"{entry.identifier} {entry.resource_type}"
        case AccessList():
            return f"{entry.owner} {entry.identifier}"
        case Delegation():
            return f"{entry.consumer} → {entry.supplier} {entry.resource}"
        case Right():
            return f"{shown(entry.giver)} → {shown(entry.receiver)} {entry.resource}"
        case Certificate():
            return f"{entry.name} {entry.organisation}"
        case Client():
            return f"{entry.name} {entry.client_id}"
        case ConsentService():
            return f"{entry.code}_{entry.edition} {entry.resource}"
        case SrrEntry():
            return f"{entry.code}_{entry.edition} {entry.reportee}"
        case ApiKey():
            return f"{entry.name} {entry.organisation}"
        case DeclaredConsent():
            told = " ".join(dict.fromkeys(right.resource for right in entry.rights))
            return f"{entry.id} {shown(entry.giver)} → {entry.receiver} {told}"
        case System():
            return entry.identifier
        case SystemUser():
            return f"{entry.system} {entry.owner} {entry.external_ref}"


def shown(number: NationalId | OrgNumber) -> str:
    """The number, a real person's masked."""
    if isinstance(number, NationalId) and not number.is_synthetic:
        return f"{number[:2]}*********"
    return str(number)

"""Which members a client may have, and what they are when nobody says (maskinporten.md §7.3)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, fields, replace
from urllib.parse import urlsplit

from fullmakt.kernel.identifiers import InvalidIdentifierError, OrgNumber
from fullmakt.maskinporten.selfservice.errors import Fault, InvalidError
from fullmakt.maskinporten.selfservice.model import ClientAttributes
from fullmakt.wire.maskinporten.selfservice import (
    JWT_BEARER,
    ApplicationType,
    AuthMethod,
    ClientBody,
    GrantType,
    IntegrationType,
)

OBJECT = "Client"
LOGIN_TYPES = frozenset({"idporten", "api_klient", "ansattporten"})
LOGIN_SCOPES = ("openid", "profile")
KRR_SCOPES = ("krr:global/digitalpost.read", "krr:global/kontaktinformasjon.read")
MANAGED_TYPES = frozenset({"eformidling", "idporten_saml2"})
"""Types that Digdir registers, and customers do not."""
SECRET_DAYS = 360

_CLIENT_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,254}", re.ASCII)


@dataclass(frozen=True, slots=True)
class _Combination:
    """What fits an integration type: authentication methods by application type, and grant types; defaults first."""

    auth_methods: Mapping[ApplicationType, tuple[AuthMethod, ...]]
    grant_types: tuple[GrantType, ...]


_MACHINE = _Combination({"web": ("private_key_jwt",)}, (JWT_BEARER,))
_LOGIN = _Combination(
    {
        "web": ("client_secret_basic", "client_secret_post", "private_key_jwt"),
        "browser": ("none",),
        "native": ("none",),
    },
    ("authorization_code", "refresh_token"),
)
COMBINATIONS: Mapping[IntegrationType, _Combination] = {
    "maskinporten": _MACHINE,
    "altinn_virksys": _MACHINE,
    "krr": _MACHINE,
    "eformidling": _MACHINE,
    "idporten": _LOGIN,
    "api_klient": _LOGIN,
    "ansattporten": _LOGIN,
    "idporten_saml2": _LOGIN,
}


def is_client_id(text: str) -> bool:
    """True for an id that a client can have: letters, digits and ``. _ -``, 255 at the most."""
    return _CLIENT_ID.fullmatch(text) is not None


def integration_type_of(body: ClientBody, *, operator: bool = False) -> IntegrationType:
    """The type of a client that is being made.

    Raises:
        InvalidError: none was given, or one that Digdir alone registers.
    """
    if body.integration_type is None:
        raise InvalidError.field(OBJECT, "integration_type", "integration_type is required")
    if body.integration_type in MANAGED_TYPES and not operator:
        raise InvalidError.field(
            OBJECT, "integration_type", f"{body.integration_type} clients are registered by the operator"
        )
    return body.integration_type


def orgno_of(text: str, field: str, object_name: str = OBJECT) -> OrgNumber:
    """Read an organisation number.

    Raises:
        InvalidError: it is not nine digits.
    """
    try:
        return OrgNumber(text)
    except InvalidIdentifierError as error:
        raise InvalidError.field(object_name, field, f"{field} must be nine digits") from error


def attributes_of(
    body: ClientBody, integration_type: IntegrationType, current: ClientAttributes | None = None
) -> ClientAttributes:
    """The attributes that a body gives a client: what it says, and the defaults of its type.

    With ``current`` this is a replacement, and an ``active`` that is left out stays as it was: a full replacement by a
    client that knows nothing of the member must not wake what was put to rest.

    Raises:
        InvalidError: with every fault there is.
    """
    fits = COMBINATIONS[integration_type]
    application_type = body.application_type or "web"
    methods = fits.auth_methods.get(application_type, ())
    defaults = ClientAttributes(
        client_name=body.client_name,
        active=current.active if current else True,
        application_type=application_type,
        token_endpoint_auth_method=methods[0] if methods else "none",
        grant_types=fits.grant_types,
    )
    attributes = _overlay(defaults, body)
    InvalidError.raise_for(_faults(attributes, integration_type, fits))
    return attributes


def _overlay(defaults: ClientAttributes, body: ClientBody) -> ClientAttributes:
    names = {field.name for field in fields(ClientAttributes)} & set(ClientBody.model_fields)
    said = {name: value for name in names if (value := getattr(body, name)) is not None}
    for name, value in said.items():
        if isinstance(value, list):
            said[name] = tuple(dict.fromkeys(value))
    return replace(defaults, **said)


def _faults(attributes: ClientAttributes, integration_type: IntegrationType, fits: _Combination) -> Iterator[Fault]:
    machine = integration_type not in LOGIN_TYPES
    if machine and not (attributes.description or "").strip():
        yield Fault("description is required", OBJECT, "description")
    methods = fits.auth_methods.get(attributes.application_type)
    if methods is None:
        yield _misfit("application_type", attributes.application_type, integration_type, fits.auth_methods)
    elif attributes.token_endpoint_auth_method not in methods:
        yield _misfit(
            "token_endpoint_auth_method",
            attributes.token_endpoint_auth_method,
            integration_type,
            methods,
        )
    if not attributes.grant_types:
        yield Fault("grant_types must not be empty", OBJECT, "grant_types")
    for grant_type in attributes.grant_types:
        if grant_type not in fits.grant_types:
            yield _misfit("grant_types", grant_type, integration_type, fits.grant_types)
    for name in ("redirect_uris", "post_logout_redirect_uris"):
        uris = getattr(attributes, name)
        if uris and machine:
            yield Fault(f"{name} must be empty for {integration_type} clients", OBJECT, name)
        elif not all(_is_absolute_uri(uri) for uri in uris):
            yield Fault(f"{name} must hold absolute URIs", OBJECT, name)


def _misfit(field: str, value: str, integration_type: str, allowed: Iterable[str]) -> Fault:
    return Fault(f"{field} {value} does not fit {integration_type} clients: use {', '.join(allowed)}", OBJECT, field)


def _is_absolute_uri(text: str) -> bool:
    try:
        parts = urlsplit(text)
    except ValueError:
        return False
    return bool(parts.scheme) and bool(parts.netloc or parts.path) and not re.search(r"\s", text)

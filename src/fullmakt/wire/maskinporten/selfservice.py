"""The documents of the self-service API, names to the letter: what it takes and what it answers.

Source: maskinporten.md §7.3 to §7.10 and §8. What comes in is read generously (numbers as strings, two spellings of a
member, letter case of enumerations, members that only we write); what goes out has one form. Times are ISO 8601 with
milliseconds and offset; lifetimes are seconds.
"""

from __future__ import annotations

import datetime as dt
import re
from typing import Annotated, Any, Final, Literal

from pydantic import (
    AfterValidator,
    AliasChoices,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetJsonSchemaHandler,
    PlainSerializer,
    model_validator,
)
from pydantic.config import JsonDict
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from fullmakt.kernel.text import is_prose

MAX_SECONDS = 2**31 - 1
MAX_LINE = 255
MAX_PROSE = 4000
MAX_TRANSLATIONS = 100
JWT_BEARER: Final = "urn:ietf:params:oauth:grant-type:jwt-bearer"

ORGNO_SCHEMA: Final[JsonDict] = {"pattern": "^[0-9]{9}$"}
"""What the OpenAPI document says of an organisation number. It is checked elsewhere, so that the error is in words."""

PHONE: Final = "^\\+[1-9][0-9]{7,14}$"
"""A number in E.164, country code and all."""

_TRANSLATION = re.compile(r"(?:long_)?description#[A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8})?", re.ASCII)
_BASE64 = re.compile(r"[A-Za-z0-9+/= \t\r\n]+", re.ASCII)
_LONG_DESCRIPTION = re.compile(r"[A-Za-zÀ-ÖØ-öø-ÿ0-9\s.,\-_:;!?'\"()/*\[\]#]*")


def _storable(text: str) -> str:
    if not is_prose(text):
        raise ValueError("must not hold control characters")
    return text


def _not_blank(text: str) -> str:
    if not text.strip():
        raise ValueError("must not be blank")
    return text


def _plain_prose(text: str) -> str:
    if not _LONG_DESCRIPTION.fullmatch(text):
        raise ValueError("may hold letters, digits, white space and . , - _ : ; ! ? ' \" ( ) / * [ ] #")
    return text


def _base64(text: str) -> str:
    if not _BASE64.fullmatch(text):
        raise ValueError("must be a certificate in base64 (DER, without the PEM frame)")
    return text


def _phone(text: str) -> str:
    if not re.fullmatch(PHONE, text, re.ASCII) or text.endswith("\n"):
        raise ValueError("must be a telephone number with its country code, as +4799999999")
    return text


def _no_boolean(value: object) -> object:
    if isinstance(value, bool):
        raise ValueError("must be a whole number")  # noqa: TRY004 - pydantic makes a field error of a ValueError alone
    return value


def _blank_is_absent(value: object) -> object:
    return None if value == "" else value


def _lower(value: object) -> object:
    return value.lower() if isinstance(value, str) else value


def _upper(value: object) -> object:
    return value.upper() if isinstance(value, str) else value


def _long_grant_type(value: object) -> object:
    return JWT_BEARER if value == "jwt_bearer_token" else value


def _milliseconds(moment: dt.datetime) -> str:
    return moment.astimezone(dt.UTC).isoformat(timespec="milliseconds")


Line = Annotated[str, Field(max_length=MAX_LINE), AfterValidator(_storable)]
Name = Annotated[Line, AfterValidator(_not_blank)]
Uri = Annotated[str, Field(max_length=2000), AfterValidator(_storable)]
Prose = Annotated[str, Field(max_length=MAX_PROSE), AfterValidator(_storable), AfterValidator(_plain_prose)]
Seconds = Annotated[int, Field(ge=1, le=MAX_SECONDS), BeforeValidator(_no_boolean)]
SecondsOrZero = Annotated[int, Field(ge=0, le=MAX_SECONDS), BeforeValidator(_no_boolean)]
Timestamp = Annotated[dt.datetime, PlainSerializer(_milliseconds, return_type=str)]

IntegrationType = Literal[
    "maskinporten", "idporten", "api_klient", "ansattporten", "krr", "eformidling", "idporten_saml2", "altinn_virksys"
]
ApplicationType = Literal["web", "browser", "native"]
AuthMethod = Literal["private_key_jwt", "client_secret_basic", "client_secret_post", "none"]
GrantType = Literal["authorization_code", "refresh_token", "implicit", "urn:ietf:params:oauth:grant-type:jwt-bearer"]
RefreshTokenUsage = Literal["ONETIME", "REUSE"]
CodeChallengeMethod = Literal["S256", "none"]
Visibility = Literal["PUBLIC", "PRIVATE", "INTERNAL"]
TokenType = Literal["SELF_CONTAINED", "OPAQUE"]
KeyStatus = Literal["missing", "registered"]
AccessState = Literal["REQUESTED", "APPROVED", "DENIED"]

_Lowered = BeforeValidator(_lower)
_Uppered = BeforeValidator(_upper)
_BlankIsAbsent = BeforeValidator(_blank_is_absent)


class _Body(BaseModel):
    """What somebody sends: unknown members are ignored, a member that is null is a member left out."""

    model_config = ConfigDict(extra="ignore", populate_by_name=True)


class ClientBody(_Body):
    """A client as POST and PUT take it (§7.3). ``scope`` and ``Description`` are seed 4's spellings (§8.4).

    Members that only the server writes (``supplier_orgno``, ``created``, ``jwks_uri`` …) may be sent and are ignored,
    since the web UI sends back what it got.
    """

    client_name: Name
    integration_type: Annotated[IntegrationType | None, _Lowered, _BlankIsAbsent] = None
    client_id: Annotated[Line | None, _BlankIsAbsent] = None
    description: Line | None = Field(None, validation_alias=AliasChoices("description", "Description"))
    client_orgno: Annotated[Line | None, _BlankIsAbsent] = Field(None, json_schema_extra=ORGNO_SCHEMA)
    supplier_orgno: Annotated[Line | None, _BlankIsAbsent] = None
    active: bool | None = None
    application_type: Annotated[ApplicationType | None, _Lowered, _BlankIsAbsent] = None
    scopes: list[Line] | None = Field(None, max_length=1000, validation_alias=AliasChoices("scopes", "scope"))
    grant_types: list[Annotated[GrantType, BeforeValidator(_long_grant_type)]] | None = Field(None, max_length=10)
    token_endpoint_auth_method: Annotated[AuthMethod | None, _Lowered, _BlankIsAbsent] = None
    access_token_lifetime: Annotated[Seconds | None, _BlankIsAbsent] = None
    refresh_token_lifetime: Annotated[Seconds | None, _BlankIsAbsent] = None
    refresh_token_usage: Annotated[RefreshTokenUsage | None, _Uppered, _BlankIsAbsent] = None
    authorization_lifetime: Annotated[Seconds | None, _BlankIsAbsent] = None
    redirect_uris: list[Uri] | None = Field(None, max_length=1000)
    post_logout_redirect_uris: list[Uri] | None = Field(None, max_length=1000)
    frontchannel_logout_uri: Annotated[Uri | None, _BlankIsAbsent] = None
    frontchannel_logout_session_required: Annotated[bool | None, _BlankIsAbsent] = None
    sso_disabled: Annotated[bool | None, _BlankIsAbsent] = None
    code_challenge_method: Annotated[CodeChallengeMethod | None, _BlankIsAbsent] = None
    logo_uri: Annotated[Uri | None, _BlankIsAbsent] = None
    client_uri: Annotated[Uri | None, _BlankIsAbsent] = None


class JwkBody(BaseModel):
    """A public JWK (§7.4). Members beyond these are kept, to see the private ones that must not be there."""

    model_config = ConfigDict(extra="allow")

    kty: Line
    use: Line | None = Field(None, json_schema_extra={"enum": ["sig"]})
    alg: Line | None = None
    kid: Line | None = Field(None, json_schema_extra={"pattern": "^[A-Za-z0-9._-]+$"})
    n: str | None = None
    e: str | None = None
    crv: Line | None = None
    x: str | None = None
    y: str | None = None
    x5c: list[Annotated[str, Field(max_length=16 * 1024), AfterValidator(_base64)]] | None = Field(None, max_length=10)
    exp: Annotated[Annotated[int, Field(ge=0, le=2**53), BeforeValidator(_no_boolean)] | None, _BlankIsAbsent] = None


class JwksBody(_Body):
    """A key set, ``{"keys": […]}``, or the bare array that some of Digdir's pages show."""

    keys: list[JwkBody] = Field(max_length=100)

    @model_validator(mode="before")
    @classmethod
    def _take_a_bare_array(cls, value: Any) -> Any:
        return {"keys": value} if isinstance(value, list) else value

    @classmethod
    def __get_pydantic_json_schema__(cls, core_schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """Publish both forms."""
        published = handler(core_schema)
        schema = handler.resolve_ref_schema(published)
        shape = dict(schema)
        schema.clear()
        schema.update(anyOf=[shape, shape["properties"]["keys"]], description=shape.pop("description"))
        return published


class KeyFileBody(_Body):
    """Whom the password of a key file is sent to (§8.6): a number in E.164, ``+4799999999``."""

    phone: Annotated[str, Field(json_schema_extra={"pattern": PHONE}), AfterValidator(_phone)]


class OnBehalfOfBody(_Body):
    """An on-behalf-of registration (§7.5); ``display_name`` and ``url`` are its older names."""

    onbehalfof: Annotated[Line | None, _BlankIsAbsent] = None
    name: Line | None = Field(None, validation_alias=AliasChoices("name", "display_name"))
    orgno: Annotated[Line | None, _BlankIsAbsent] = Field(None, json_schema_extra=ORGNO_SCHEMA)
    organization_name: Line | None = None
    description: Line | None = None
    uri: Annotated[Uri | None, _BlankIsAbsent] = Field(None, validation_alias=AliasChoices("uri", "url"))
    logo_uri: Annotated[Uri | None, _BlankIsAbsent] = None


class ScopeBody(BaseModel):
    """A scope as POST and PUT take it (§7.7); texts in further languages are members like ``description#en``."""

    model_config = ConfigDict(extra="allow")

    prefix: Annotated[Line | None, _BlankIsAbsent] = None
    subscope: Annotated[Line | None, _BlankIsAbsent] = None
    description: Name
    long_description: Prose | None = None
    active: bool | None = None
    visibility: Annotated[Visibility | None, _Uppered, _BlankIsAbsent] = None
    allowed_integration_types: list[Annotated[IntegrationType, _Lowered]] | None = Field(None, max_length=20)
    token_type: Annotated[TokenType | None, _Uppered, _BlankIsAbsent] = None
    delegation_source: Annotated[Uri | None, _BlankIsAbsent] = None
    accessible_for_all: bool | None = None
    at_max_age: Annotated[SecondsOrZero | None, _BlankIsAbsent] = None
    authorization_max_lifetime: Annotated[SecondsOrZero | None, _BlankIsAbsent] = Field(
        None, validation_alias=AliasChoices("authorization_max_lifetime", "authorization_max_age")
    )
    requires_user_consent: bool | None = None
    requires_user_authentication: bool | None = None
    requires_pseudonymous_tokens: bool | None = None
    enforced_aud_for_access_token: Annotated[Uri | None, _BlankIsAbsent] = None
    protected: bool | None = None
    supports_european_businesses: bool | None = None

    @model_validator(mode="after")
    def _check_translations(self) -> ScopeBody:
        if len(self.translations) > MAX_TRANSLATIONS:
            raise ValueError(f"a scope has at most {MAX_TRANSLATIONS} texts in other languages")
        for name, text in self.translations.items():
            is_long = name.startswith("long_")
            limit = MAX_PROSE if is_long else MAX_LINE
            if not isinstance(text, str) or len(text) > limit:
                raise ValueError(f"{name} must be a string of at most {limit} characters")
            _storable(text)
            if is_long:
                _plain_prose(text)
        return self

    @property
    def translations(self) -> dict[str, str]:
        """The texts in further languages, by the names of their members."""
        return {name: text for name, text in (self.model_extra or {}).items() if _TRANSLATION.fullmatch(name)}


class OnBehalfOfDocument(BaseModel):
    """An on-behalf-of registration as it is answered (§7.5)."""

    onbehalfof: str
    name: str | None
    orgno: str | None
    organization_name: str | None
    description: str | None
    uri: str | None
    logo_uri: str | None
    created: Timestamp
    last_updated: Timestamp


class ClientDocument(BaseModel):
    """A client as it is answered (§7.3). ``client_secret`` stands in the answer that made it and nowhere else;
    ``key_status`` is an enterprise system's, which gets no token before it has a key (§8.5)."""

    client_id: str
    client_name: str
    description: str | None
    client_orgno: str
    supplier_orgno: str | None
    active: bool
    application_type: ApplicationType
    integration_type: IntegrationType
    scopes: list[str]
    grant_types: list[GrantType]
    token_endpoint_auth_method: AuthMethod
    access_token_lifetime: int
    refresh_token_lifetime: int
    refresh_token_usage: RefreshTokenUsage
    authorization_lifetime: int
    redirect_uris: list[str]
    post_logout_redirect_uris: list[str]
    frontchannel_logout_uri: str | None
    frontchannel_logout_session_required: bool
    sso_disabled: bool
    code_challenge_method: CodeChallengeMethod
    logo_uri: str | None
    client_uri: str | None
    onbehalfof: list[OnBehalfOfDocument]
    created: Timestamp
    last_updated: Timestamp
    jwks_uri: str | None = Field(None, exclude_if=lambda value: value is None)
    client_secret: str | None = Field(None, exclude_if=lambda value: value is None)
    key_status: KeyStatus | None = Field(None, exclude_if=lambda value: value is None)


class JwkDocument(BaseModel):
    """A registered key (§7.4): the JWK with its ``exp`` and when it was registered and renewed."""

    kty: Literal["RSA", "EC"]
    use: Literal["sig"] = "sig"
    alg: str | None = Field(None, exclude_if=lambda value: value is None)
    kid: str
    n: str | None = Field(None, exclude_if=lambda value: value is None)
    e: str | None = Field(None, exclude_if=lambda value: value is None)
    crv: str | None = Field(None, exclude_if=lambda value: value is None)
    x: str | None = Field(None, exclude_if=lambda value: value is None)
    y: str | None = Field(None, exclude_if=lambda value: value is None)
    x5c: list[str] | None = Field(None, exclude_if=lambda value: value is None)
    exp: int
    created: Timestamp
    last_updated: Timestamp


class JwksDocument(BaseModel):
    """A client's keys; ``{"keys": []}`` and no more when there are none."""

    keys: list[JwkDocument]
    created: Timestamp | None = Field(None, exclude_if=lambda value: value is None)
    last_updated: Timestamp | None = Field(None, exclude_if=lambda value: value is None)


class ScopeDocument(BaseModel):
    """A scope as it is answered (§7.7), texts in further languages beside its own."""

    model_config = ConfigDict(extra="allow")

    name: str
    prefix: str
    subscope: str
    description: str
    long_description: str | None
    active: bool
    visibility: Visibility
    allowed_integration_types: list[IntegrationType]
    token_type: TokenType
    delegation_source: str | None
    accessible_for_all: bool
    at_max_age: int
    authorization_max_lifetime: int
    requires_user_consent: bool
    requires_user_authentication: bool
    requires_pseudonymous_tokens: bool
    enforced_aud_for_access_token: str | None
    protected: bool
    supports_european_businesses: bool
    owner_orgno: str
    created: Timestamp
    last_updated: Timestamp


class ScopeAccessDocument(BaseModel):
    """An organisation's access to a scope (§7.7); ``prefix`` is the old API's member, which was always null."""

    scope: str
    owner_orgno: str
    owner_organization_name: str | None
    consumer_orgno: str
    consumer_organization_name: str | None
    state: AccessState
    created: Timestamp
    last_updated: Timestamp
    prefix: None = None


class ScopePrefixDocument(BaseModel):
    """A prefix and who owns it (§7.7)."""

    prefix: str
    owner_orgno: str
    organization_name: str | None
    active: bool
    created: Timestamp
    last_updated: Timestamp


class DelegationSourceDocument(BaseModel):
    """Where delegations can come from (§7.7). Live data and the OpenAPI spell ``last_updated`` in two ways: both."""

    name: str
    issuer: str
    created: Timestamp
    last_updated: Timestamp
    lastUpdated: Timestamp  # noqa: N815


class OrganizationDocument(BaseModel):
    """An organisation in Enhetsregisteret (§7.7)."""

    orgnr: str
    name: str


class ErrorEntry(BaseModel):
    """One thing that is wrong (§7.10)."""

    errorMessage: str  # noqa: N815
    isFieldError: bool  # noqa: N815
    objectName: str | None  # noqa: N815
    fieldIdentifier: str | None  # noqa: N815


class ErrorDocument(BaseModel):
    """The body of every error (§7.10); ``error`` and ``error_description`` begin with a comma, as the real ones do."""

    status: int
    timestamp: str
    correlation_id: str
    errors: list[ErrorEntry]
    error: str
    error_description: str

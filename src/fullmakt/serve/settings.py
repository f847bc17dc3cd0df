"""Settings: one TOML file, then the environment; every fault is told at once.

Environment variables are named as the settings, in capitals after ``FULLMAKT_``, with two underscores between levels:
``FULLMAKT_PORT``, ``FULLMAKT_MASKINPORTEN__JWKS_MAX_AGE``; lists are JSON there. ``FULLMAKT_CONFIG`` names the file.
A setting that does not exist is a fault, save at the top level of the environment: Kubernetes puts variables of its own
there for a service that is called fullmakt.
"""

from __future__ import annotations

import copy
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal, TypeVar

from pydantic import Field, ModelWrapValidatorHandler, ValidationError, model_validator
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
    TomlConfigSettingsSource,
)

from fullmakt.maskinporten.tokens.config import TokensConfig
from fullmakt.serve.settings_checks import faults_of
from fullmakt.serve.settings_sections import (
    ConsentsSettings,
    DecisionsSettings,
    DelegationsSettings,
    ExchangeSettings,
    InsecureSettings,
    LanekassenSettings,
    LogSettings,
    MaskinportenSettings,
    MetricsSettings,
    PartiesSettings,
    PkiSettings,
    ResourcesSettings,
    SelfServiceSettings,
    SmsSettings,
    TlsSettings,
)

SystemName = Literal[
    "maskinporten", "selvbetjening", "register", "resourceregistry", "accessmanagement", "authorization",
    "authentication", "lanekassen", "pki", "portal", "examples",
]  # fmt: skip

_T = TypeVar("_T")


class ConfigError(Exception):
    """The settings can not be used; ``faults`` holds a line for each thing that is wrong."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__("; ".join(faults))
        self.faults = faults


class Settings(BaseSettings):
    """All settings of a process."""

    model_config = SettingsConfigDict(
        env_prefix="FULLMAKT_",
        env_nested_delimiter="__",
        extra="forbid",
        frozen=True,
        use_attribute_docstrings=True,
    )

    environment: Literal["development", "production"] = "development"
    """Which defaults hold, and what start-up insists on."""
    host: str = "127.0.0.1"
    """The address to listen on."""
    port: int = Field(8080, ge=0, le=65_535)
    """The port to listen on; 0 takes one that is free."""
    url: str | None = None
    """Public base URL of the whole; ``http://localhost:<port>`` when not set, or https with a ``tls.certificate``."""
    state: Path = Path(".fullmakt")
    """Folder for the embedded database, the master key and the keys of the world's clients."""
    database_url: str | None = None
    """A PostgreSQL to use instead of the embedded one, ``postgresql://user:password@host/database``."""
    master_key_file: Path | None = None
    """The key that seals private keys in the database; ``<state>/master.key``, made when missing, if not set."""
    systems: tuple[SystemName, ...] = ()
    """The systems that this process serves; all of them when empty."""
    workers: int = Field(1, ge=1, le=256)
    """Processes that serve, best one a core."""
    request_timeout: int = Field(30, ge=1, le=3_600)
    """Seconds in which a whole request has to arrive; then its connection is closed."""
    config: Path | None = Field(None, exclude=True)
    """The TOML file with the others."""
    tls: TlsSettings = TlsSettings()
    log: LogSettings = LogSettings()
    metrics: MetricsSettings = MetricsSettings()
    maskinporten: MaskinportenSettings = MaskinportenSettings()
    selfservice: SelfServiceSettings = SelfServiceSettings()
    parties: PartiesSettings = PartiesSettings()
    resources: ResourcesSettings = ResourcesSettings()
    delegations: DelegationsSettings = DelegationsSettings()
    consents: ConsentsSettings = ConsentsSettings()
    decisions: DecisionsSettings = DecisionsSettings()
    exchange: ExchangeSettings = ExchangeSettings()
    lanekassen: LanekassenSettings = LanekassenSettings()
    pki: PkiSettings = PkiSettings()
    sms: SmsSettings = SmsSettings()
    insecure: InsecureSettings = InsecureSettings()

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        file = init_settings().get("config")
        sources = (init_settings, env_settings)
        return (*sources, TomlConfigSettingsSource(settings_cls, file)) if file else sources

    @model_validator(mode="wrap")
    @classmethod
    def _check(cls, given: Any, validate: ModelWrapValidatorHandler[Settings]) -> Settings:
        """Find what single settings are wrong about and, as if those were not set, what does not go together."""
        faults: list[str] = []
        try:
            settings = validate(given)
        except ValidationError as error:
            faults = [_fault_line(fault) for fault in error.errors()]
            settings = validate(_without(given, [fault["loc"] for fault in error.errors()]))
        faults += faults_of(settings)
        if faults:
            raise ConfigError(faults)
        return settings

    @property
    def in_development(self) -> bool:
        """True on a developer's machine."""
        return self.environment == "development"

    def serves(self, system: SystemName) -> bool:
        """True when this process serves the system."""
        return not self.systems or system in self.systems

    @property
    def base_url(self) -> str:
        """Public base URL of the whole, without a slash at its end."""
        scheme = "https" if self.ends_tls else "http"
        return (self.url or f"{scheme}://localhost:{self.port}").rstrip("/")

    @property
    def ends_tls(self) -> bool:
        """True when the server itself speaks HTTPS."""
        return self.tls.certificate is not None

    @property
    def asks_for_certificates(self) -> bool:
        """True when callers are asked for a certificate as they connect: where some system can make use of one."""
        by_proxy = self.consents.client_certificate_header is not None
        wanted = self.ends_tls and self.tls.client_certificates and not by_proxy
        return wanted and self.serves("accessmanagement")

    def _public_url(self, own: str | None, path: str) -> str:
        """A system's own URL where it has one, else its place under the base; without a slash at its end."""
        return (own or f"{self.base_url}{path}").rstrip("/")

    @property
    def has_demo_world(self) -> bool:
        """True when the demo world is applied at start."""
        return self.in_development if self.insecure.demo_world is None else self.insecure.demo_world

    @property
    def has_test_tokens(self) -> bool:
        """True when whoever asks gets Altinn's tokens for whomever they name."""
        return self.in_development if self.insecure.test_tokens is None else self.insecure.test_tokens

    @property
    def has_inbox(self) -> bool:
        """True when text messages go nowhere, and whoever asks can read them."""
        return self.in_development and self.has_test_tokens and self.sms.url is None

    @property
    def explains_decisions(self) -> bool:
        """True when callers are shown whole evaluations."""
        return self.in_development if self.decisions.explain is None else self.decisions.explain

    @property
    def has_srr_soap(self) -> bool:
        """True when SRR is served over SOAP too."""
        return self.in_development if self.consents.srr_soap is None else self.consents.srr_soap

    @property
    def has_lanekassen(self) -> bool:
        """True when Lånekassen's data source is served."""
        return self.has_demo_world if self.lanekassen.enabled is None else self.lanekassen.enabled

    @property
    def has_pki(self) -> bool:
        """True when our own issuers are served and trusted."""
        return self.in_development if self.pki.enabled is None else self.pki.enabled

    @property
    def explains(self) -> bool:
        """True when callers are told why they are refused."""
        return self.in_development if self.maskinporten.explain is None else self.maskinporten.explain

    @property
    def logs_json(self) -> bool:
        """True when a log line is a JSON object."""
        return self.log.format == "json" if self.log.format else not self.in_development

    @property
    def issuer(self) -> str:
        """The token server's issuer, with a slash at its end."""
        return self._public_url(self.maskinporten.url, "/maskinporten") + "/"

    @property
    def selfservice_url(self) -> str:
        """The self-service API's base URL."""
        return self._public_url(self.selfservice.url, "/selvbetjening")

    @property
    def parties_url(self) -> str:
        """The register's base URL."""
        return self._public_url(self.parties.url, "/altinn/register")

    @property
    def resources_url(self) -> str:
        """The resource registry's base URL."""
        return self._public_url(self.resources.url, "/altinn/resourceregistry")

    @property
    def delegations_url(self) -> str:
        """Access management's base URL."""
        return self._public_url(self.delegations.url, "/altinn/accessmanagement")

    @property
    def altinn2_url(self) -> str:
        """The base URL of what is still called in Altinn 2's way."""
        return self._public_url(self.delegations.altinn2_url, "/altinn2")

    @property
    def decisions_url(self) -> str:
        """The decision point's base URL."""
        return self._public_url(self.decisions.url, "/altinn/authorization")

    @property
    def exchange_url(self) -> str:
        """The base URL of the system that issues Altinn's tokens."""
        return self._public_url(self.exchange.url, "/altinn/authentication")

    @property
    def test_tools_url(self) -> str:
        """Where test tokens are handed out."""
        return f"{self.base_url}/altinn/testtools"

    @property
    def lanekassen_url(self) -> str:
        """The base URL of Lånekassen's data source."""
        return self._public_url(self.lanekassen.url, "/lanekassen")

    @property
    def pki_url(self) -> str:
        """Where our issuers publish their certificates and CRLs."""
        return self._public_url(self.pki.url, "/pki")

    @property
    def system_urls(self) -> dict[str, str]:
        """Public URL by system, in the order in which they are shown."""
        urls = {
            "maskinporten": self.issuer,
            "selvbetjening": f"{self.selfservice_url}/",
            "register": f"{self.parties_url}/",
            "resourceregistry": f"{self.resources_url}/",
            "accessmanagement": f"{self.delegations_url}/",
            "authorization": f"{self.decisions_url}/",
            "authentication": f"{self.exchange_url}/",
            **({"lanekassen": f"{self.lanekassen_url}/"} if self.has_lanekassen else {}),
            "whoami": f"{self.base_url}/examples/whoami",
            "virksomhetstoken": f"{self.base_url}/examples/virksomhetstoken",
        }
        if self.has_demo_world:
            urls["tynn"] = f"{self.base_url}/examples/tynn"
        return {**urls, "pki": f"{self.pki_url}/"} if self.has_pki else urls

    @property
    def master_key_path(self) -> Path:
        """The file with the master key."""
        return self.master_key_file or self.state / "master.key"

    def tokens_config(self) -> TokensConfig:
        """The token server's part, with the defaults of the environment filled in."""
        section = self.maskinporten
        same = section.model_dump(
            include={
                "accept_token_endpoint_as_aud", "reject_unknown_claims", "iat_max_age", "lifetime_mode",
                "iss_onbehalfof", "allow_ec_keys", "signing_alg", "signing_key_bits", "rfc9068_resources",
                "revocation", "cached_clients", "max_queue",
            }
        )  # fmt: skip
        return TokensConfig(
            issuer=self.issuer,
            jwks_max_age=_first(section.jwks_max_age, 60 if self.in_development else 86_400),
            crl_max_age=_first(section.crl_max_age, 1 if self.in_development else 300),
            accept_synthetic_ids=_first(section.accept_synthetic_ids, self.in_development),
            virksys=_first(section.virksys, self.in_development),
            explain=self.explains,
            **same,
        )


def _first(value: _T | None, default: _T) -> _T:
    return default if value is None else value


def load_settings(file: Path | None = None, **overrides: Any) -> Settings:
    """Read the settings: ``file`` (or ``FULLMAKT_CONFIG``), then the environment, then ``overrides``.

    Raises:
        ConfigError: with every fault found.
    """
    file = file or (Path(os.environ["FULLMAKT_CONFIG"]) if os.environ.get("FULLMAKT_CONFIG") else None)
    if file is not None and not file.is_file():
        raise ConfigError([f"{file}: no such file"])
    try:
        return Settings(config=file, **overrides)
    except SettingsError as error:
        hint = """lists are JSON there, as in FULLMAKT_SYSTEMS='["pki"]'"""
        raise ConfigError([f"environment: {error}; {hint}"]) from None
    except ValueError as error:  # the file is not TOML
        raise ConfigError([f"{file}: {error}"]) from None


def _without(given: dict[str, Any], places: Sequence[tuple[int | str, ...]]) -> dict[str, Any]:
    """What was given, save what lies at ``places``."""
    kept = copy.deepcopy(given)
    for name, *below in places:
        tree = kept
        while below and isinstance(tree.get(str(name)), dict):
            tree = tree[str(name)]
            name, *below = below
        tree.pop(str(name), None)
    return kept


def _fault_line(fault: Any) -> str:
    place = ".".join(str(part) for part in fault["loc"])
    return f"{place}: unknown setting" if fault["type"] == "extra_forbidden" else f"{place}: {fault['msg']}"

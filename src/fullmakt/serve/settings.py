"""Settings: one TOML file, then the environment; every fault is told at once.

Environment variables are named as the settings, in capitals after ``FULLMAKT_``, with two underscores between levels:
``FULLMAKT_PORT``, ``FULLMAKT_MASKINPORTEN__JWKS_MAX_AGE``; lists are JSON there. ``FULLMAKT_CONFIG`` names the file.
A setting that does not exist is a fault, save at the top level of the environment: Kubernetes puts variables of its own
there for a service that is called fullmakt.
"""

from __future__ import annotations

import copy
import ipaddress
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, ModelWrapValidatorHandler, ValidationError, model_validator
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
    TomlConfigSettingsSource,
)

from fullmakt.maskinporten.tokens.config import TokensConfig

SystemName = Literal["maskinporten", "selvbetjening", "register", "pki", "portal", "whoami"]
_LOOPBACK_NAMES = {"localhost", "localhost.localdomain", "ip6-localhost"}


class ConfigError(Exception):
    """The settings can not be used; ``faults`` holds a line for each thing that is wrong."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__("; ".join(faults))
        self.faults = faults


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


class MaskinportenSettings(_Section):
    """The token server. Durations are in seconds."""

    url: str | None = None
    """Public base URL and issuer; ``<url>/maskinporten/`` of the whole when not set. A slash is put at its end."""
    accept_token_endpoint_as_aud: bool = False
    """Take a grant whose ``aud`` is the token endpoint, and not the issuer as Maskinporten asks for."""
    reject_unknown_claims: bool = True
    """Refuse a grant with claims that Maskinporten does not know, as it does."""
    iat_max_age: int | None = Field(None, ge=1)
    """How long ago a grant may have been issued; any time, as long as it has not expired, when not set."""
    lifetime_mode: Literal["override", "cap"] = "override"
    """Whether a scope's token lifetime replaces the client's, as in the real one, or only shortens it."""
    iss_onbehalfof: bool = False
    """Take the claim ``iss_onbehalfof``, which the real Maskinporten documents as not working."""
    allow_ec_keys: bool = False
    """An extension: admits ES256 grants and ES256 signing keys. Maskinporten takes RSA only."""
    signing_alg: Literal["RS256", "ES256"] = "RS256"
    """What the signing keys that are made from now on sign with; ES256 is an extension."""
    signing_key_bits: int = Field(2048, ge=2048, le=4096)
    """Size of the RSA signing keys that are made from now on."""
    jwks_max_age: int | None = Field(None, ge=1, le=7 * 86_400)
    """How long verifiers may cache the key set; 60 in development, 86400 in production when not set."""
    rfc9068_resources: frozenset[str] = frozenset()
    """An extension: tokens for these ``resource`` values come in the shape of RFC 9068."""
    revocation: bool = True
    """Look enterprise certificates up in their issuer's CRL."""
    crl_max_age: int | None = Field(None, ge=0, le=86_400)
    """How long a CRL is trusted without looking again; 1 in development, 300 in production when not set."""
    trust_anchors: tuple[Path, ...] = ()
    """PEM files with root and intermediate certificates of the issuers of enterprise certificates."""
    policies: tuple[str, ...] = ()
    """Certificate policy OIDs to accept instead of Buypass' and Commfides'; a trailing ``*`` stands for any rest."""
    cached_clients: int = Field(100_000, ge=1)
    """Clients that a process keeps in memory."""
    max_queue: int = Field(2_000, ge=1)
    """Requests that may wait for the database in a process; the next one is told to come back (503)."""
    explain: bool | None = None
    """Tell the caller why it was refused; on in development, off in production when not set."""


class SelfServiceSettings(_Section):
    """The self-service API."""

    url: str | None = None
    """Public base URL; ``<url>/selvbetjening`` of the whole when not set."""
    faithful_empty_lists: bool = False
    """Answer an empty list as the real one does, with an error that says so, instead of ``[]``."""


class PartiesSettings(_Section):
    """Organisations and people."""

    url: str | None = None
    """Public base URL; ``<url>/altinn/register`` of the whole when not set."""


class PkiSettings(_Section):
    """Our own issuers of enterprise certificates, for test environments."""

    url: str | None = None
    """Public base URL, which certificates name for their CRL; ``<url>/pki`` of the whole when not set."""
    enabled: bool | None = None
    """Serve them, and trust what they issue; on in development, off in production when not set."""


class LogSettings(_Section):
    """Logs."""

    level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    """What is logged, and what is graver."""
    format: Literal["json", "text"] | None = None
    """Text in development and JSON in production when not set."""


class InsecureSettings(_Section):
    """What is unsafe outside a developer's machine. Start-up fails when one of these is on and the host is not
    loopback, unless ``beyond_loopback`` says that this is meant."""

    demo_world: bool | None = None
    """Apply the built-in demo world, whose keys lie in the state folder; on in development when not set."""
    beyond_loopback: bool = False
    """Serve all this to other machines too."""


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
    """Public base URL of the whole; ``http://localhost:<port>`` when not set."""
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
    config: Path | None = Field(None, exclude=True)
    """The TOML file with the others."""
    log: LogSettings = LogSettings()
    maskinporten: MaskinportenSettings = MaskinportenSettings()
    selfservice: SelfServiceSettings = SelfServiceSettings()
    parties: PartiesSettings = PartiesSettings()
    pki: PkiSettings = PkiSettings()
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
        faults += [
            *settings._url_faults(),
            *settings._production_faults(),
            *settings._loopback_faults(),
            *settings._file_faults(),
        ]
        if faults:
            raise ConfigError(faults)
        return settings

    def _url_faults(self) -> list[str]:
        urls = {"url": self.url, "maskinporten.url": self.maskinporten.url, "selfservice.url": self.selfservice.url,
                "parties.url": self.parties.url, "pki.url": self.pki.url}  # fmt: skip
        faults = []
        for name, url in urls.items():
            if url is None:
                continue
            parts = urlsplit(url)
            if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
                faults.append(f"{name}: not an http(s) URL without query and fragment: {url}")
            elif "@" in parts.netloc:
                faults.append(f"{name}: a public URL holds no user name and no password")
            elif parts.scheme == "http" and self.environment == "production" and not _is_loopback(parts.hostname):
                faults.append(f"{name}: production serves https, not {url}")
        return faults or self._shared_url_faults()

    def _shared_url_faults(self) -> list[str]:
        systems = {"maskinporten": self.issuer.rstrip("/"), "selfservice": self.selfservice_url,
                   "parties": self.parties_url, "pki": self.pki_url}  # fmt: skip
        names = list(systems)
        return [
            f"{other}.url: the same as {name}.url: {systems[name]}"
            for position, name in enumerate(names)
            for other in names[position + 1 :]
            if systems[name].lower() == systems[other].lower()
        ]

    def _production_faults(self) -> list[str]:
        if self.environment == "development":
            return []
        faults = []
        if self.url is None:
            faults.append("url: must be set in production (the public base URL)")
        if self.database_url is None:
            faults.append("database_url: must be set in production; the embedded PostgreSQL is for development")
        if self.master_key_file is None:
            faults.append("master_key_file: must be set in production, outside the database and its backups")
        return faults

    def _loopback_faults(self) -> list[str]:
        if _is_loopback(self.host) or self.insecure.beyond_loopback:
            return []
        unsafe = {
            "insecure.demo_world": self.has_demo_world,
            "pki.enabled": self.has_pki,
            "maskinporten.explain": self.explains,
            "environment = development": self.environment == "development",
        }
        return [
            f"host: {self.host} is not loopback, and {name} is on: turn it off, or set insecure.beyond_loopback"
            for name, on in unsafe.items()
            if on
        ]

    def _file_faults(self) -> list[str]:
        files = {f"maskinporten.trust_anchors.{i}": file for i, file in enumerate(self.maskinporten.trust_anchors)}
        if self.master_key_file is not None:
            files["master_key_file"] = self.master_key_file
        return [f"{name}: no such file: {file}" for name, file in files.items() if not file.is_file()]

    # -- what follows from the settings ---------------------------------------------------------------------------

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
        return (self.url or f"http://localhost:{self.port}").rstrip("/")

    @property
    def has_demo_world(self) -> bool:
        """True when the demo world is applied at start."""
        return self.in_development if self.insecure.demo_world is None else self.insecure.demo_world

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
        return (self.maskinporten.url or f"{self.base_url}/maskinporten").rstrip("/") + "/"

    @property
    def selfservice_url(self) -> str:
        """The self-service API's base URL."""
        return (self.selfservice.url or f"{self.base_url}/selvbetjening").rstrip("/")

    @property
    def parties_url(self) -> str:
        """The register's base URL."""
        return (self.parties.url or f"{self.base_url}/altinn/register").rstrip("/")

    @property
    def pki_url(self) -> str:
        """Where our issuers publish their certificates and CRLs."""
        return (self.pki.url or f"{self.base_url}/pki").rstrip("/")

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
            explain=self.explains,
            **same,
        )


def _first(value: int | None, default: int) -> int:
    return default if value is None else value


def _is_loopback(host: str | None) -> bool:
    if host is None:
        return False
    if host in _LOOPBACK_NAMES or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


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

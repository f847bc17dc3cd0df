"""The sections of the settings: what can be set for each system, and what holds when nobody does.

A setting's docstring is its line in ``docs/reference/settings.md``.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr

from fullmakt.kernel.identifiers import OrgNumber


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
    accept_synthetic_ids: bool | None = None
    """Take a synthetic national identity number as ``pid``; on in development, off in production when not set."""
    iss_onbehalfof: bool = False
    """Take the claim ``iss_onbehalfof``, which the real Maskinporten documents as not working."""
    allow_ec_keys: bool = False
    """An extension: admits ES256 grants and ES256 signing keys. Maskinporten takes RSA only."""
    signing_alg: Literal["RS256", "ES256"] = "RS256"
    """What the signing keys that are made from now on sign with; ES256 is an extension."""
    signing_key_bits: int = Field(2048, ge=2048, le=4096)
    """Size of the RSA signing keys that are made from now on."""
    multi_buffer: Literal["auto", "off"] | Path = "auto"
    """Intel's library that signs eight tokens at a time (``libcrypto_mb``): ``auto`` for where it is found, ``off``, or
    its path."""
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
    delegations_url: str | None = None
    """Altinn's access management, where it is another program; those in our own database are used when not set."""
    systemusers_url: str | None = None
    """Altinn's authentication, which keeps system users, where it is another program; those in our own database are
    used when not set."""
    consents_url: str | None = None
    """Altinn's access management, which keeps consents, where it is another program; those in our own database are used
    when not set."""
    virksys: bool | None = None
    """Take ``urn:altinn:virksys`` in ``authorization_details``, which the real Maskinporten never took into use; on in
    development, off in production when not set."""
    orgno: str = Field("991825827", pattern=r"^[0-9]{9}$")
    """Who runs the token server, for the token that it shows Altinn."""
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


class ResourcesSettings(_Section):
    """The resource registry, and its access lists."""

    url: str | None = None
    """Public base URL; ``<url>/altinn/resourceregistry`` of the whole when not set."""


class DelegationsSettings(_Section):
    """Delegations, and requests for access."""

    url: str | None = None
    """Public base URL; ``<url>/altinn/accessmanagement`` of the whole when not set."""
    altinn2_url: str | None = None
    """Base URL of what is still called in Altinn 2's way; ``<url>/altinn2`` of the whole when not set."""
    package_owners: dict[Annotated[str, AfterValidator(OrgNumber)], frozenset[str]] = {}
    """Access packages that service owners give on behalf of others: their names by the owner's organisation number."""


class ConsentsSettings(_Section):
    """Consents, in Altinn 2's form and in Altinn 3's."""

    strict: bool = False
    """Leave out what only this program offers in Altinn 3's form: withdrawal, use, the owner's list, notifications."""
    page_size: int = Field(100, ge=1, le=1_000)
    """Entries on a page of the events feed."""
    mask_numbers: bool = True
    """Hide the last five digits of people's numbers in the answers of Altinn 2's form."""
    client_certificate_header: str | None = Field(None, pattern=r"^[A-Za-z0-9-]+$")
    """The header in which a proxy that ends TLS hands on the client's certificate, and which it lets nobody else write.
    Without it the enterprise certificate that counts in Altinn 2's form is the one of the connection: see ``tls``."""
    srr_soap: bool | None = None
    """Serve SRR over SOAP too, where a service owner's API key is all that is asked for; on in development, off in
    production when not set."""


class DecisionsSettings(_Section):
    """The decision point."""

    url: str | None = None
    """Public base URL; ``<url>/altinn/authorization`` of the whole when not set."""
    strict_targets: bool = False
    """Want every ``AnyOf`` of a target met, as XACML has it, and not any of them, as Altinn does."""
    explain: bool | None = None
    """Show whole evaluations to callers; on in development, off in production when not set."""
    subscription_key: SecretStr | None = None
    """What ``Ocp-Apim-Subscription-Key`` has to hold; nobody is asked for one when not set."""


class ExchangeSettings(_Section):
    """Altinn's own tokens."""

    url: str | None = None
    """Public base URL; ``<url>/altinn/authentication`` of the whole when not set."""
    collapse_arrays: bool = True
    """Write a claim that is an array of one element as that element, as the real exchange does."""
    alternative_issuer: str | None = None
    """Another Maskinporten whose tokens Altinn's systems take too, by its ``iss``: an URL with a slash at its end."""


class PkiSettings(_Section):
    """Our own issuers of enterprise certificates, for test environments."""

    url: str | None = None
    """Public base URL, which certificates name for their CRL; ``<url>/pki`` of the whole when not set."""
    enabled: bool | None = None
    """Serve them, and trust what they issue; on in development, off in production when not set."""


class LanekassenSettings(_Section):
    """Lånekassen's balances of student loans: an API that answers only to consent."""

    url: str | None = None
    """Public base URL; ``<url>/lanekassen`` of the whole when not set."""
    enabled: bool | None = None
    """Serve it; on where the demo world is, off elsewhere when not set."""
    altinn2_url: str | None = None
    """The Altinn whose consent tokens it takes, where that is another program: its base URL. Our own is asked at each
    call whether a remembered consent has ended; another is not. Its list of those that have is read each minute, with
    the next three settings."""
    altinn2_api_key: SecretStr | None = None
    """Lånekassen's own API key at that Altinn, a service owner's."""
    altinn2_client_id: str | None = None
    """Lånekassen's client at the token server, with the scope ``altinn:serviceowner/consents``."""
    altinn2_client_key: Path | None = None
    """File with that client's private key, a JWK."""
    api_keys: dict[Annotated[str, AfterValidator(OrgNumber)], SecretStr] = {}
    """The keys of those whom it lets in, by organisation number. Those of the demo world have theirs in the state
    folder, in ``lanekassen/<organisation number>.key``."""
    strict: bool = True
    """Refuse a token with the word ``Bearer`` before it, and a consent token in quotes, as the real one does."""
    unknown_key_status: Literal[400, 401] = 400
    """How an API key that nobody has is answered."""
    total_is_zero: bool = False
    """Answer with a ``TotalAmount`` of 0 whatever is owed, as the published sample does."""
    requests_per_second: int = Field(20, ge=1, le=1_000_000)
    """Requests let through for each API key, by each process."""
    burst: int = Field(40, ge=1, le=1_000_000)
    """Requests let through at once for each API key, by each process."""
    delay: int = Field(0, ge=0, le=60_000)
    """Milliseconds to wait before each answer, to see what a slow source does to its callers."""


class SmsSettings(_Section):
    """Text messages, which bring the passwords of key files. Without a gateway they go to ``/innboks`` in development,
    and nowhere else."""

    url: str | None = None
    """The gateway: it takes ``{"from", "to", "text", "reference"}`` as JSON by POST, and answers 2xx when it has it."""
    token: SecretStr | None = None
    """What the gateway is shown as a bearer token."""
    sender: str = Field("Fullmakt", pattern=r"^([A-Za-z0-9 ]{1,11}|\+?[0-9]{3,15})$")
    """Who texts are from: eleven letters and digits at the most, or a number."""


class TlsSettings(_Section):
    """HTTPS by the server itself, where no proxy ends TLS; on when there is a certificate. The files are read at start,
    and again on SIGHUP."""

    certificate: Path | None = None
    """PEM file with the server's certificate, and after it those of the CAs between it and the root."""
    key: Path | None = None
    """PEM file with its private key; the certificate's own file when not set."""
    key_password: SecretStr | None = None
    """What the private key is encrypted under, if it is."""
    client_certificates: bool = True
    """Ask callers for an enterprise certificate, which Altinn 2's form of consent takes; who has none is served all the
    same. Nobody is asked where ``consents.client_certificate_header`` is set, for then it is a proxy that connects."""


class LogSettings(_Section):
    """Logs."""

    level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    """What is logged, and what is graver."""
    format: Literal["json", "text"] | None = None
    """Text in development and JSON in production when not set."""


class MetricsSettings(_Section):
    """Metrics for Prometheus, at ``/metrics``."""

    public: bool = False
    """Give them to other machines too. If not, only a caller on this machine that asks it by a loopback name, and
    through no proxy, gets them; the same holds for what ``/readyz`` tells of each system."""


class InsecureSettings(_Section):
    """What is unsafe outside a developer's machine. Start-up fails when one of these is on and the host is not
    loopback, unless ``beyond_loopback`` says that this is meant."""

    demo_world: bool | None = None
    """Apply the built-in demo world, whose keys lie in the state folder; on in development when not set."""
    test_tokens: bool | None = None
    """Hand out Altinn's tokens for anybody to whoever asks, and answer the platform's internal questions without a key;
    on in development when not set."""
    beyond_loopback: bool = False
    """Serve all this to other machines too."""

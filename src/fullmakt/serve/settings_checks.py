"""What does not go together in the settings, and what start-up insists on: a line for each fault."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from fullmakt.serve.loopback import is_loopback

if TYPE_CHECKING:
    from fullmakt.serve.settings import Settings, SystemName

_SYSTEMS: tuple[tuple[str, SystemName], ...] = (
    ("maskinporten", "maskinporten"),
    ("selfservice", "selvbetjening"),
    ("parties", "register"),
    ("resources", "resourceregistry"),
    ("delegations", "accessmanagement"),
    ("decisions", "authorization"),
    ("exchange", "authentication"),
    ("lanekassen", "lanekassen"),
    ("pki", "pki"),
)
"""Sections with a public URL, and the system that lies there."""


def faults_of(settings: Settings) -> list[str]:
    """Every fault in settings that are good one by one."""
    return [
        *_url_faults(settings),
        *_database_faults(settings),
        *_production_faults(settings),
        *_loopback_faults(settings),
        *_tls_faults(settings),
        *_hearing_faults(settings),
        *_file_faults(settings),
    ]


def _url_faults(settings: Settings) -> list[str]:
    urls = {
        "url": settings.url,
        "maskinporten.url": settings.maskinporten.url,
        "maskinporten.delegations_url": settings.maskinporten.delegations_url,
        "maskinporten.systemusers_url": settings.maskinporten.systemusers_url,
        "maskinporten.consents_url": settings.maskinporten.consents_url,
        "selfservice.url": settings.selfservice.url,
        "parties.url": settings.parties.url,
        "resources.url": settings.resources.url,
        "delegations.url": settings.delegations.url,
        "delegations.altinn2_url": settings.delegations.altinn2_url,
        "decisions.url": settings.decisions.url,
        "exchange.url": settings.exchange.url,
        "exchange.alternative_issuer": settings.exchange.alternative_issuer,
        "lanekassen.url": settings.lanekassen.url,
        "lanekassen.altinn2_url": settings.lanekassen.altinn2_url,
        "pki.url": settings.pki.url,
        "sms.url": settings.sms.url,
    }
    faults = []
    for name, url in urls.items():
        if url is None:
            continue
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
            faults.append(f"{name}: not an http(s) URL without query and fragment: {url}")
        elif "@" in parts.netloc:
            faults.append(f"{name}: a public URL holds no user name and no password")
        elif parts.scheme == "http" and settings.environment == "production" and not is_loopback(parts.hostname):
            faults.append(f"{name}: production serves https, not {url}")
    return faults or [*_shared_url_faults(settings), *_issuer_faults(settings)]


def _database_faults(settings: Settings) -> list[str]:
    """The URL is not told: it may hold a password."""
    url = settings.database_url
    if url is None or url.partition("://")[0] in ("postgresql", "postgres"):
        return []
    return ["database_url: not a PostgreSQL URL: postgresql://user:password@host/database"]


def _issuer_faults(settings: Settings) -> list[str]:
    other = settings.exchange.alternative_issuer
    return ["exchange.alternative_issuer: it is our own token server's"] if other == settings.issuer else []


def _shared_url_faults(settings: Settings) -> list[str]:
    systems = {
        "maskinporten": settings.issuer.rstrip("/"),
        "selfservice": settings.selfservice_url,
        "parties": settings.parties_url,
        "resources": settings.resources_url,
        "delegations": settings.delegations_url,
        "decisions": settings.decisions_url,
        "exchange": settings.exchange_url,
        "lanekassen": settings.lanekassen_url,
        "pki": settings.pki_url,
    }
    names = list(systems)
    return [
        f"{other}.url: the same as {name}.url: {systems[name]}"
        for position, name in enumerate(names)
        for other in names[position + 1 :]
        if systems[name].lower() == systems[other].lower()
    ]


def _production_faults(settings: Settings) -> list[str]:
    if settings.environment == "development":
        return []
    faults = []
    if settings.url is None:
        faults.append("url: must be set in production (the public base URL)")
    if settings.database_url is None:
        faults.append("database_url: must be set in production; the embedded PostgreSQL is for development")
    if settings.master_key_file is None:
        faults.append("master_key_file: must be set in production, outside the database and its backups")
    return faults


def _loopback_faults(settings: Settings) -> list[str]:
    if is_loopback(settings.host) or settings.insecure.beyond_loopback:
        return []
    unsafe = {
        "insecure.demo_world": settings.has_demo_world,
        "insecure.test_tokens": settings.has_test_tokens,
        "pki.enabled": settings.has_pki,
        "maskinporten.explain": settings.explains,
        "decisions.explain": settings.explains_decisions,
        "environment = development": settings.environment == "development",
    }
    return [
        f"host: {settings.host} is not loopback, and {name} is on: turn it off, or set insecure.beyond_loopback"
        for name, on in unsafe.items()
        if on
    ]


def _tls_faults(settings: Settings) -> list[str]:
    if not settings.ends_tls:
        given = [name for name in ("key", "key_password") if getattr(settings.tls, name) is not None]
        return [f"tls.certificate: must be set, for tls.{name} is" for name in given[:1]]
    ours = {
        "url": settings.url,
        **{f"{section}.url": getattr(settings, section).url for section, name in _SYSTEMS if settings.serves(name)},
    }
    if settings.serves("accessmanagement"):
        ours["delegations.altinn2_url"] = settings.delegations.altinn2_url
    return [
        f"{name}: with a tls.certificate this process serves https, not {url}"
        for name, url in ours.items()
        if url is not None and urlsplit(url).scheme == "http"
    ]


def _hearing_faults(settings: Settings) -> list[str]:
    """Lånekassen reads another Altinn's list with all that this takes, or not at all."""
    section = settings.lanekassen
    needed = {
        "altinn2_url": section.altinn2_url,
        "altinn2_api_key": section.altinn2_api_key,
        "altinn2_client_id": section.altinn2_client_id,
        "altinn2_client_key": section.altinn2_client_key,
    }
    missing = [name for name, value in needed.items() if value is None]
    if set(missing) >= needed.keys() - {"altinn2_url"}:
        return []
    return [f"lanekassen.{name}: is needed too, to hear which consents have ended" for name in missing]


def _file_faults(settings: Settings) -> list[str]:
    files = {f"maskinporten.trust_anchors.{i}": file for i, file in enumerate(settings.maskinporten.trust_anchors)}
    if isinstance(settings.maskinporten.multi_buffer, Path):
        files["maskinporten.multi_buffer"] = settings.maskinporten.multi_buffer
    if settings.master_key_file is not None:
        files["master_key_file"] = settings.master_key_file
    if settings.lanekassen.altinn2_client_key is not None:
        files["lanekassen.altinn2_client_key"] = settings.lanekassen.altinn2_client_key
    files |= {f"tls.{name}": file for name in ("certificate", "key") if (file := getattr(settings.tls, name))}
    return [f"{name}: no such file: {file}" for name, file in files.items() if not file.is_file()]

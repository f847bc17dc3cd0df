"""Altinn 2's consent services, rights registry and API keys in a world file."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from fullmakt.altinn.consents.srr.domains import InvalidPatternError, parse_pattern
from fullmakt.world import reading as r
from fullmakt.world.model import ApiKey, ConsentService, SrrEntry

_CODE = re.compile(r"[A-Za-z0-9]{1,20}", re.ASCII)
_code = r.matching(_CODE, "a service code is up to 20 letters and digits")
_LEVELS = (2, 3, 4)


def read_consent_service(table: r.Table) -> ConsentService | None:
    """Read one ``[[consent_service]]``."""
    service = ConsentService(
        resource=table.required("resource", r.text),
        code=table.required("code", _code),
        edition=table.number_of("edition", 1),
        uses_srr=table.flag("uses_srr", default=False),
        one_time=table.flag("one_time", default=False) if table.has("one_time") else None,
        min_level=table.number_of("min_level", 0) if table.has("min_level") else None,
    )
    if table.ok and service.min_level is not None and service.min_level not in _LEVELS:
        table.fault("min_level", "an authentication level is 2, 3 or 4")
    return service if table.ok else None


def read_srr_entry(table: r.Table) -> SrrEntry | None:
    """Read one ``[[srr]]``; ``valid_to`` has an offset from UTC."""
    entry = SrrEntry(
        code=table.required("code", _code),
        edition=table.number_of("edition", 1),
        reportee=table.required("reportee", r.orgno),
        valid_to=table.required("valid_to", _time),
        handled_by=table.optional("handled_by", r.orgno),
        domains=table.texts("domains", _domain),
        keep_session_alive=table.flag("keep_session_alive", default=False),
    )
    return entry if table.ok else None


def read_api_key(table: r.Table) -> ApiKey | None:
    """Read one ``[[api_key]]``; its secret is made in the state folder."""
    key = ApiKey(
        name=table.required("name", r.local_name),
        organisation=table.required("organisation", r.orgno),
        domains=table.texts("domains", _domain),
        service_owner=table.flag("service_owner", default=False),
    )
    return key if table.ok else None


def _domain(raw: object) -> str:
    try:
        return str(parse_pattern(r.text(raw)))
    except InvalidPatternError as error:
        raise r.FaultyFieldError(f"no pattern of domains ({error.reason})") from error


def _time(raw: object) -> datetime:
    if not isinstance(raw, datetime) or raw.tzinfo is None:
        raise r.FaultyFieldError("a time with its offset from UTC: 2030-01-01T00:00:00Z")
    return raw.astimezone(UTC)

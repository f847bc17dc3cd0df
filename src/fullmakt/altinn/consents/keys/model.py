"""An API key, as it is declared and as it is kept: never its secret."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from uuid import UUID

from fullmakt.altinn.consents.srr.domains import DomainPattern
from fullmakt.kernel.declarations import Outcome
from fullmakt.kernel.identifiers import OrgNumber

MAX_NAME = 100
"""Characters of a key's name."""
MAX_DOMAINS = 50
"""Domains of a key."""


@dataclass(frozen=True, slots=True)
class ApiKeyDeclaration:
    """A key to be had. ``domains`` are patterns of where its organisation sends people back to (§2.6); ``name`` tells
    keys apart, for the operator."""

    name: str
    organisation: OrgNumber
    domains: tuple[str, ...] = ()
    service_owner: bool = False


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key that has not been withdrawn."""

    key_id: UUID
    name: str
    organisation: OrgNumber
    domains: tuple[DomainPattern, ...]
    service_owner: bool
    created: dt.datetime

    @property
    def declaration(self) -> ApiKeyDeclaration:
        """What was declared of it."""
        return ApiKeyDeclaration(self.name, self.organisation, tuple(map(str, self.domains)), self.service_owner)


@dataclass(frozen=True, slots=True)
class DeclaredKey:
    """What a declaration came to. ``secret`` is there when it was made now: it is told once, and kept nowhere."""

    outcome: Outcome
    secret: str | None = None

    def __repr__(self) -> str:
        return f"DeclaredKey({self.outcome!r}, secret={'<hidden>' if self.secret else None})"


class ApiKeyRefusedError(Exception):
    """What is declared can not be. ``reason`` is machine-readable; the message says why, and repeats no secret."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason

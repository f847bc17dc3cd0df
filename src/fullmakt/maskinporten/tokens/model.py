"""The grant, the refusal and the token: frozen values that the rules make and the service carries."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple
from uuid import UUID

from fullmakt.wire.maskinporten.errors import CATALOGUE, CatalogueEntry


@dataclass(frozen=True, slots=True)
class Refusal:
    """A no, with its reason (a key of the error catalogue) and the facts compared.

    Facts go to the audit trail and, on a developer's machine, to the caller: never a token, a key or a person's number.
    """

    reason: str
    facts: Mapping[str, Any] = field(default_factory=dict)

    @property
    def entry(self) -> CatalogueEntry:
        """What the catalogue says of it."""
        return CATALOGUE[self.reason]

    @property
    def description(self) -> str:
        """``error_description`` without the trace id."""
        return self.entry.text.format_map(self.facts)


class UnverifiedGrant(NamedTuple):
    """The claims of a grant whose types are right; who signed them is not yet known (maskinporten.md §2.2)."""

    audience: str | None
    client_id: str
    scope: str
    scopes: tuple[str, ...]
    issued_at: float
    expires_at: float
    jti: str | None
    not_before: float | None
    resource: tuple[str, ...]
    pid: str | None
    consumer_org: str | None
    iss_onbehalfof: str | None
    authorization_details: tuple[Any, ...] | None


@dataclass(frozen=True, slots=True)
class ActingFor:
    """What the registry and Altinn say of a supplier that asks for a consumer (maskinporten.md §4.2, §4.3).

    Of the scopes asked for: ``granted`` are those whose owner has let the consumer have them (or that are the
    consumer's own), ``delegated`` those that the consumer has passed on to the supplier.
    """

    supplier: str
    consumer: str
    granted: frozenset[str]
    delegated: frozenset[str]


class Standing(NamedTuple):
    """What an answer of Altinn's rests on: topics of the change feed, and the sum of their versions while it held.

    No topics when Altinn is elsewhere, and nobody tells when its answers change.
    """

    topics: tuple[str, ...]
    version: int


class Watched(NamedTuple):
    """What an answer about one thing rests on: nothing was announced of ``key`` on ``topic`` after ``version``."""

    topic: str
    key: str
    version: int


class SystemUserAsked(NamedTuple):
    """What ``urn:altinn:systemuser`` asks for (§5.1): the number of the system user's owner, and the vendor's name for
    it."""

    owner: str
    external_ref: str | None = None


class VirksysAsked(NamedTuple):
    """What ``urn:altinn:virksys`` asks for (§5.2); the parties as ISO 6523 texts, ``0192:999888777``."""

    part: str
    hjelper: str | None = None
    rettigheit: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class ConsentAsked:
    """What ``urn:altinn:consent`` asks for (§5.3): a consent, and the URN of who has given it."""

    id: UUID
    giver: str = field(repr=False)


class Enrichment(NamedTuple):
    """What Altinn's answer adds to a token, and to its audit event: members of JSON objects, each after a comma."""

    claims: bytes = b""
    facts: str = ""


@dataclass(frozen=True, slots=True)
class TokenPlan:
    """What a client gets for a scope string, worked out once and kept as long as the registry stays the same.

    ``head`` and ``tail`` are the JSON of the token's payload before and after what differs from token to token;
    ``reply_tail`` is the response after the access token; ``lifetime`` in seconds.
    """

    scope: str
    lifetime: int
    head: bytes
    tail: bytes
    reply_tail: bytes
    audience: str | None
    consumer: str
    supplier: str = ""


class IssuedToken(NamedTuple):
    """A token that may leave: its claim is durable."""

    access_token: bytes
    reply_tail: bytes

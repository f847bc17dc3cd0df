"""What other systems need to know of a resource: its policy, what gates it, and who owns it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from fullmakt.kernel.identifiers import OrgNumber

TOPIC = "altinn.resources"
"""The topic of the change feed on which the resource registry announces its changes, with keys
``resource:<identifier>`` (the resource or its policy), ``access-list:<owner>:<identifier>`` (the list, its members or
its connections), and with that ``member:<party uuid>`` for each party whose memberships may have changed: those who
came and went, or, when a connection changed or the list was deleted, everybody on it. Where that would be more than a
thousand keys, the feed's ``*`` stands for them."""

MASKINPORTEN_SCHEMA = "MaskinportenSchema"
CONSENT = "Consent"


@dataclass(frozen=True, slots=True)
class ConsentTerms:
    """What a resource of the type Consent says of consents to it (consent.md §4.13).

    ``text`` is Markdown by language, with ``{key}`` where metadata goes; ``metadata`` are the keys, as the owner spells
    them, each with whether it is said to be optional.
    """

    template: str | None = None
    text: tuple[tuple[str, str], ...] = ()
    metadata: tuple[tuple[str, bool], ...] = ()
    one_time: bool = False


@dataclass(frozen=True, slots=True)
class RegisteredResource:
    """The newest version of a resource, as its neighbours read it. ``scopes`` are its MaskinportenScope references.

    ``registered`` is when it was registered, anew if it had been deleted, None when that is not known.
    ``policy`` is the XACML document in bytes, None when none was uploaded; ``title`` maps ``nb``, ``nn``, ``en``.
    """

    identifier: str
    version: int
    resource_type: str
    title: tuple[tuple[str, str], ...]
    owner_orgno: OrgNumber | None
    owner_code: str
    delegable: bool
    visible: bool
    access_list_enabled: bool
    scopes: tuple[str, ...] = ()
    delegation_scheme_id: str | None = None
    registered: datetime | None = None
    policy: bytes | None = None
    consent: ConsentTerms = ConsentTerms()


@dataclass(frozen=True, slots=True)
class Membership:
    """A party is on an access list that is connected to a resource. ``actions`` None: every action."""

    owner: str
    identifier: str
    resource: str
    actions: frozenset[str] | None = None

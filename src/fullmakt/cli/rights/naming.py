"""How people at a terminal name a party or a subject, and how parties are named to them."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol
from uuid import UUID

from fullmakt.cli.terminal import printable
from fullmakt.kernel.identifiers import InvalidIdentifierError, NationalId, OrgNumber
from fullmakt.wire.altinn import attributes as ids
from fullmakt.wire.altinn.attributes import Attribute
from fullmakt.wire.altinn.parties import PartyIdentity
from fullmakt.world.model import shown

PARTY_FORMS = "an organisation number, a national identity number or a party UUID"
SUBJECT_FORMS = f"{PARTY_FORMS}, `systemuser:<uuid>`, `client:<client id>`, or `urn:<attribute>=<value>`"

_LONGEST = 300
_MOST_NAMES = 1_000
_SYSTEM_USER = "systemuser:"
_CLIENT = "client:"
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII | re.IGNORECASE)
_REFERENCE = re.compile(rf"(?:party:)?(?P<uuid>{_UUID.pattern})|(?:organisation:)?(?P<orgno>[0-9]{{9}})", re.I | re.A)
"""How the audit trail and the decision point refer to a party."""


class MisnamedError(ValueError):
    """What was typed names nobody or nothing; the message says what would, and repeats no national identity number."""


def plain(what: str, text: str) -> str:
    """``text``, if it can be a name at all.

    Raises:
        MisnamedError: empty, too long, or with characters that can not be printed.
    """
    if not text or len(text) > _LONGEST or not text.isprintable():
        raise MisnamedError(f"{what}: at least one and at most {_LONGEST} characters, all of them printable")
    return text


def party_attribute(text: str) -> Attribute:
    """The attribute that names a party.

    Raises:
        MisnamedError: it has none of the forms.
    """
    attribute = _party(plain("party", text))
    if attribute is None:
        raise MisnamedError(f"a party is {PARTY_FORMS}")
    return attribute


def subject_attribute(text: str) -> Attribute:
    """The attribute that names a subject.

    Raises:
        MisnamedError: it has none of the forms.
    """
    attribute = _party(plain("subject", text))
    if attribute is not None:
        return attribute
    if text.startswith(_SYSTEM_USER):
        uuid = text.removeprefix(_SYSTEM_USER)
        if not _UUID.fullmatch(uuid):
            raise MisnamedError("a system user is named by its UUID, as in `systemuser:<uuid>`")
        return Attribute(ids.SYSTEM_USER, uuid.lower())
    if text.startswith(_CLIENT) and text != _CLIENT:
        return Attribute(ids.ENTERPRISE_SYSTEM, text.removeprefix(_CLIENT))
    name, equals, value = text.partition("=")
    if not name.startswith("urn:") or not equals or not value:
        raise MisnamedError(f"a subject is {SUBJECT_FORMS}")
    return Attribute(name, value)


def _party(text: str) -> Attribute | None:
    if _UUID.fullmatch(text):
        return Attribute(ids.PARTY_UUID, text.lower())
    if not (text.isascii() and text.isdigit() and len(text) in (9, 11)):
        return None
    try:
        return (
            Attribute(ids.ORGANISATION, OrgNumber(text)) if len(text) == 9 else Attribute(ids.PERSON, NationalId(text))
        )
    except InvalidIdentifierError as error:
        raise MisnamedError(str(error)) from error


def number_of(party: PartyIdentity) -> str:
    """The number that a party is known by, a real person's masked."""
    if party.orgno is not None:
        return str(party.orgno)
    return shown(party.national_id) if party.national_id is not None else str(party.party_uuid)


def label_of(party: PartyIdentity) -> str:
    """A party by name and number: ``Demo Bank (910753614)``."""
    return f"{printable(party.name)} ({number_of(party)})"


class Register(Protocol):
    """The register of parties, as far as names go."""

    async def identify(self, attributes: Collection[Attribute]) -> dict[Attribute, PartyIdentity]: ...


@dataclass(frozen=True, slots=True)
class Names:
    """Parties by what they are referred to with: a party UUID, or an organisation number."""

    parties: Mapping[str, PartyIdentity] = field(default_factory=dict)

    def label(self, reference: str) -> str:
        """The party by name and number; what refers to no known party is given back, fit to be shown."""
        key = key_of(reference)
        party = self.parties.get(key) if key is not None else None
        return printable(reference) if party is None else label_of(party)

    def document(self) -> dict[str, dict[str, str]]:
        """Name and number of each, as JSON."""
        return {key: {"name": one.name, "number": number_of(one)} for key, one in sorted(self.parties.items())}


async def names_in(register: Register, *documents: Any) -> Names:
    """Whoever the texts in ``documents`` (JSON) refer to, looked up at once."""
    references = [key for text in _texts(documents) if (key := key_of(text)) is not None]
    keys = list(dict.fromkeys(references))[:_MOST_NAMES]
    attributes = {
        Attribute(ids.ORGANISATION if len(key) == 9 else ids.PARTY_UUID, key): key  # all others are UUIDs
        for key in keys
    }
    known = await register.identify(attributes) if attributes else {}
    return Names({attributes[attribute]: party for attribute, party in known.items()})


def key_of(reference: str) -> str | None:
    """A party UUID or organisation number, out of whatever refers to a party; None for other texts."""
    found = _REFERENCE.fullmatch(reference)
    if found is None:
        return None
    return found["orgno"] or str(UUID(found["uuid"]))


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for one in value.values():
            yield from _texts(one)
    elif isinstance(value, Iterable):
        for one in value:
            yield from _texts(one)

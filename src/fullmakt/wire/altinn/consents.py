"""What Maskinporten and Altinn say to each other about consent, and what stands of it in tokens (consent.md §4.9 to
§4.11)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from fullmakt.kernel.identifiers import InvalidIdentifierError, Iso6523, OrgNumber
from fullmakt.wire.altinn.attributes import ORGANISATION, RESOURCE

TOPIC = "altinn.consents"
"""The topic of the change feed on which consents announce their changes, with keys ``consent:<uuid>``, and
``from:<party uuid>`` and ``to:<party uuid>`` of its giver and its receiver."""

CONSENT_TYPE = "urn:altinn:consent"
"""The ``type`` of an element of ``authorization_details``."""
CONSENT_ACTION = "consent"
"""The action whose right a giver gives."""

READ_SCOPE = "altinn:consentrequests.read"
WRITE_SCOPE = "altinn:consentrequests.write"
ORG_SCOPE = "altinn:consentrequests.org"
"""For whoever asks on behalf of others than itself."""
LOOK_UP_SCOPE = "altinn:maskinporten/consent.read"


class Cause(StrEnum):
    """Why a consent can not be drawn, by Altinn's code (§4.16)."""

    NOT_FOUND = "AM-00001"
    """There is none, or it is another's."""
    REVOKED = "AM-00011"
    OTHER_GIVER = "AM-00012"
    EXPIRED = "AM-00013"
    NOT_ACCEPTED = "AM-00014"
    """Not answered yet, declined, or withdrawn."""

    @property
    def meaning(self) -> str:
        """The problem's title."""
        return _MEANINGS[self]

    @property
    def status(self) -> int:
        """The HTTP status of the problem when it stands alone."""
        return 404 if self is Cause.NOT_FOUND else 400


_MEANINGS = {
    Cause.NOT_FOUND: "Consent not found",
    Cause.REVOKED: "Consent is revoked",
    Cause.OTHER_GIVER: "Consented party does not match",
    Cause.EXPIRED: "Consent is expired",
    Cause.NOT_ACCEPTED: "Consent is not accepted",
}


@dataclass(frozen=True, slots=True)
class ConsentRight:
    """What one right of a consent is about: ``actions`` on ``resource``, narrowed by ``metadata``.

    The keys of ``metadata`` are in lower case in Altinn 3's form, as the service spells them in Altinn 2's.
    ``resource_version`` is the version of the resource that was current when the consent was asked for.
    """

    resource: str
    actions: tuple[str, ...] = (CONSENT_ACTION,)
    metadata: Mapping[str, str] = field(default_factory=dict)
    resource_version: int | None = None

    def document(self) -> dict[str, Any]:
        """An element of ``consentRights`` (§4.4)."""
        return {
            "action": list(self.actions),
            "resource": [{"type": RESOURCE, "value": self.resource}],
            "metadata": dict(self.metadata),
        }

    @classmethod
    def read(cls, document: Mapping[str, Any]) -> ConsentRight:
        """The right in such an element.

        Raises:
            ValueError: it is none.
        """
        try:
            (resource,) = document["resource"]
            if resource["type"] != RESOURCE or not isinstance(document["action"], list):
                raise ValueError("not a resource, or no list of actions")
            return cls(
                resource=_text(resource["value"]),
                actions=tuple([_text(action) for action in document["action"]]),
                metadata={_text(key): _text(value) for key, value in (document.get("metadata") or {}).items()},
            )
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError("not a right of a consent") from error


@dataclass(frozen=True, slots=True)
class ConsentQuestion:
    """May ``receiver`` draw the consent ``id`` that ``giver`` has given? ``giver`` is a person's or an organisation's
    URN, ``urn:altinn:person:identifier-no:…`` or ``urn:altinn:organization:identifier-no:…``."""

    id: UUID
    giver: str = field(repr=False)
    receiver: OrgNumber

    def document(self) -> dict[str, Any]:
        """The body of the look-up (§4.9)."""
        return {"id": str(self.id), "from": self.giver, "to": f"{ORGANISATION}:{self.receiver}"}


@dataclass(frozen=True, slots=True)
class FoundConsent:
    """A consent that may be drawn. ``giver`` is a URN; ``handled_by`` the supplier that asked for the receiver."""

    id: UUID
    giver: str = field(repr=False)
    receiver: OrgNumber
    handled_by: OrgNumber | None
    consented: datetime
    valid_to: datetime
    rights: tuple[ConsentRight, ...]

    def document(self) -> dict[str, Any]:
        """The look-up's answer (§4.9)."""
        return {
            "id": str(self.id),
            "from": self.giver,
            "to": f"{ORGANISATION}:{self.receiver}",
            "handledBy": None if self.handled_by is None else f"{ORGANISATION}:{self.handled_by}",
            **self._agreed(),
        }

    def element(self) -> dict[str, Any]:
        """The element of an access token's ``authorization_details`` (§4.10); ``to`` is an ISO 6523 object there."""
        return {
            "type": CONSENT_TYPE,
            "id": str(self.id),
            "from": self.giver,
            "to": {"authority": Iso6523.AUTHORITY, "ID": self.receiver.iso6523},
            **self._agreed(),
        }

    def _agreed(self) -> dict[str, Any]:
        return {
            "consented": self.consented.isoformat(),
            "validTo": self.valid_to.isoformat(),
            "consentRights": [right.document() for right in self.rights],
        }

    @classmethod
    def read(cls, document: Mapping[str, Any]) -> FoundConsent:
        """The consent in a look-up's answer.

        Raises:
            ValueError: it is none.
        """
        try:
            handled_by = document.get("handledBy")
            return cls(
                id=UUID(document["id"]),
                giver=_text(document["from"]),
                receiver=_organisation(document["to"]),
                handled_by=None if handled_by is None else _organisation(handled_by),
                consented=_moment(document["consented"]),
                valid_to=_moment(document["validTo"]),
                rights=tuple([ConsentRight.read(right) for right in document["consentRights"]]),
            )
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError("not a consent") from error


@dataclass(frozen=True, slots=True)
class NoConsent:
    """Nothing may be drawn, and every cause of it, at least one."""

    causes: tuple[Cause, ...]

    @classmethod
    def read(cls, problem: Mapping[str, Any]) -> NoConsent:
        """The causes in a problem document, of one cause or of several (§4.16).

        Raises:
            ValueError: it tells of none.
        """
        several = problem.get("problems")
        told = several if isinstance(several, list) and several else [problem]
        return cls(tuple([Cause(_code(one)) for one in told]))


def _code(problem: object) -> str:
    code = problem.get("code") if isinstance(problem, Mapping) else None
    return code if isinstance(code, str) else ""


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError("not text")
    return value


def _moment(value: object) -> datetime:
    at = datetime.fromisoformat(_text(value))
    if at.tzinfo is None:
        raise ValueError("a time without an offset")
    return at


def _organisation(value: object) -> OrgNumber:
    kind, _, number = _text(value).rpartition(":")
    if kind != ORGANISATION:
        raise ValueError("not an organisation")
    try:
        return OrgNumber(number)
    except InvalidIdentifierError as error:
        raise ValueError("not an organisation") from error

"""What is asked of a decision point, and what it answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeAlias
from uuid import UUID

from fullmakt.kernel.identifiers import NationalId, OrgNumber
from fullmakt.provider.decisions_errors import InvalidSubjectError, NotPermittedError
from fullmakt.wire.altinn import attributes as ids
from fullmakt.wire.altinn.attributes import Attribute
from fullmakt.wire.altinn.xacml_json import Outcome

Party: TypeAlias = OrgNumber | NationalId | UUID | int | Attribute
"""Who is acted for: an organisation number, a national identity number, a party's UUID, its party id, or any attribute.

Mind that a plain string is none of these: ``OrgNumber("310000027")`` has been checked, and can not be a person's.
"""


class DecisionReason(StrEnum):
    """Why a question is answered yes or no, for machines: log it, count it, branch on it. New members may be added."""

    PERMITTED = "permitted"
    DENIED = "denied"
    """Something forbids it: a rule, or that the party is not on the resource's access list."""
    NO_RIGHT = "no_right"
    """Nothing gives the right: the usual no."""
    UNDECIDABLE = "undecidable"
    """The question makes no sense to the decision point, or its policy is broken; ``status`` tells which."""
    LEVEL_TOO_LOW = "level_too_low"
    """There is a right, for somebody who has proved better who it is: ``required_level``."""
    UNREADABLE_LEVEL = "unreadable_level"
    """There is a right, on a condition that can not be understood."""
    NOT_ONE_RESULT = "not_one_result"
    """The answer holds too many results, or too few."""
    ANOTHER_QUESTION = "another_question"
    """The answer is to something that was not asked."""


@dataclass(frozen=True, slots=True)
class Subject:
    """Who wants to do something; ``subject_of`` makes it from a token.

    ``level`` is the authentication level, 0 to 4, and ``is_service_owner`` tells that policies' demands on service
    owners may be met instead of those on people.

    Raises:
        InvalidSubjectError: there is no attribute.
    """

    attributes: tuple[Attribute, ...] = field(repr=False)
    level: int = 0
    is_service_owner: bool = False

    def __post_init__(self) -> None:
        if not self.attributes:
            raise InvalidSubjectError("a decision is about somebody: name at least one attribute")


@dataclass(frozen=True, slots=True)
class Question:
    """May somebody do ``action`` on ``resource`` (its id in the registry, ``app_<org>_<app>``) for ``party``?

    ``party`` None asks of no party in particular, as those do who may ask for consent. ``more`` are further attributes
    of the resource: an instance, a task, or an app's owner and name where ``resource`` is None.
    """

    action: str
    resource: str | None
    party: Party | None = field(default=None, repr=False)
    more: tuple[Attribute, ...] = field(default=(), repr=False)

    @property
    def resource_attributes(self) -> tuple[Attribute, ...]:
        """Everything that says what it is about."""
        resource = () if self.resource is None else (Attribute(ids.RESOURCE, self.resource),)
        party = () if self.party is None else (_party(self.party),)
        return (*resource, *party, *self.more)


def _party(party: Party) -> Attribute:
    match party:
        case Attribute():
            return party
        case OrgNumber():
            return Attribute(ids.ORGANISATION, str(party))
        case NationalId():
            return Attribute(ids.PERSON, str(party))
        case UUID():
            return Attribute(ids.PARTY_UUID, str(party))
        case bool():
            raise TypeError("a party is not named by True or False")
        case int():
            return Attribute(ids.PARTY_ID, str(party))
    raise TypeError(f"a party is named by OrgNumber, NationalId, UUID, int or Attribute, not {type(party).__name__}")


@dataclass(frozen=True, slots=True)
class DecisionResult:
    """An answer: true in a condition when, and only when, the caller may go on.

    ``outcome`` is what the decision point said, None when it said nothing that was an answer, and ``status`` its status
    code. ``required_level`` is the authentication level that a permit asks for. ``obligations`` are what else a permit
    is given on: value by category.
    """

    reason: DecisionReason
    outcome: Outcome | None = None
    status: str | None = None
    required_level: int | None = None
    obligations: Mapping[str, str] = field(default_factory=dict, hash=False)

    @property
    def permitted(self) -> bool:
        """True for a permit whose level is met."""
        return self.reason is DecisionReason.PERMITTED

    def __bool__(self) -> bool:
        return self.permitted

    def require(self) -> DecisionResult:
        """The result itself.

        Raises:
            NotPermittedError: it is a no. As a ``BearerError`` it knows its status, headers and body.
        """
        if not self.permitted:
            raise NotPermittedError(self)
        return self

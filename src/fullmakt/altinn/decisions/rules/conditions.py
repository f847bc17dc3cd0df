"""A rule's condition: one function of a literal and an attribute (altinn-authorization.md §8)."""

from __future__ import annotations

from fullmakt.altinn.decisions.model import Question, Status
from fullmakt.altinn.decisions.rules.functions import COMPARE, ONE_AND_ONLY, IncomparableError, compare
from fullmakt.wire.altinn.policy import Apply, Designator, Expression, Literal
from fullmakt.wire.altinn.xacml_names import BOOLEAN, MATCH_FUNCTIONS

_IS_IN = "urn:oasis:names:tc:xacml:1.0:function:string-is-in"
_TRUE = frozenset({"true", "1"})


class UndecidableError(Exception):
    """The condition is neither true nor false; ``status`` tells an absent attribute from a broken condition."""

    def __init__(self, status: Status, message: str) -> None:
        super().__init__(message)
        self.status = status


def holds(condition: Expression, question: Question) -> bool:
    """Evaluate a condition.

    Raises:
        UndecidableError: an attribute that it needs is absent or there several times, or it is not understood.
    """
    match condition:
        case Literal(value, data_type) if data_type == BOOLEAN:
            return value.strip() in _TRUE
        case Apply(function, (Designator() as only,)) if _single(function):
            return one_value(only, question) in _TRUE
        case Apply(function, (Literal() as literal, argument)):
            return _compare(function, literal, argument, question)
        case Apply(function, (argument, Literal() as literal)):
            return _compare(function, literal, argument, question)
    raise UndecidableError(Status.PROCESSING_ERROR, "the condition is not one function of a literal and an attribute")


def _compare(function: str, literal: Literal, argument: Expression, question: Question) -> bool:
    values = _values(argument, question, single=_single(function))
    if _single(function):
        function = _equality(literal.data_type)
    if function not in COMPARE:
        raise UndecidableError(Status.PROCESSING_ERROR, f"unknown function {function[:200]}")
    if not values and function != _IS_IN:
        raise UndecidableError(Status.MISSING_ATTRIBUTE, "the attribute of the condition is absent")
    try:
        return any(
            data_type == literal.data_type and compare(function, literal.value, value) for value, data_type in values
        )
    except IncomparableError as error:
        raise UndecidableError(Status.PROCESSING_ERROR, str(error)) from error


def _values(argument: Expression, question: Question, *, single: bool) -> list[tuple[str, str]]:
    match argument:
        case Literal(value, data_type):
            return [(value, data_type)]
        case Designator() if single:
            return [(one_value(argument, question), argument.data_type)]
        case Designator():
            values = _bag(argument, question)
            if not values and argument.must_be_present:
                raise UndecidableError(Status.MISSING_ATTRIBUTE, f"{argument.attribute_id} must be present")
            return [(value, argument.data_type) for value in values]
        case Apply(function, (Designator() as designator,)) if _single(function):
            return [(one_value(designator, question), designator.data_type)]
    raise UndecidableError(Status.PROCESSING_ERROR, "the condition is nested deeper than is taken")


def _bag(designator: Designator, question: Question) -> list[str]:
    return [
        value
        for value, data_type in question.values(designator.category, designator.attribute_id)
        if data_type == designator.data_type
    ]


def one_value(designator: Designator, question: Question) -> str:
    """The only value of an attribute (XACML 3.0 §A.3.10).

    Raises:
        UndecidableError: there is none, or there are several.
    """
    values = _bag(designator, question)
    if not values:
        raise UndecidableError(Status.MISSING_ATTRIBUTE, f"{designator.attribute_id} is absent, and one is needed")
    if len(values) > 1:
        raise UndecidableError(
            Status.PROCESSING_ERROR, f"{designator.attribute_id} has several values, and one is needed"
        )
    return values[0]


def _single(function: str) -> bool:
    return ONE_AND_ONLY.fullmatch(function) is not None


def _equality(data_type: str) -> str:
    """The function that tells whether two values of a type are equal."""
    return next((function for function, of_type in MATCH_FUNCTIONS.items() if of_type == data_type), "")

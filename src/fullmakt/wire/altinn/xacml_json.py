"""Decision requests and responses: the JSON profile of XACML 3.0, as Altinn reads and writes it.

Source: altinn-authorization.md §2 to §5. Names are read in any case; responses are camelCase with nulls written.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from typing import Any, NamedTuple

from fullmakt.wire.altinn.attributes import (
    ACTION_CATEGORY,
    ENVIRONMENT_CATEGORY,
    RESOURCE_CATEGORY,
    SUBJECT_CATEGORY,
)
from fullmakt.wire.altinn.xacml_names import ANY_URI, INTEGER, MINIMUM_LEVEL, STRING

DATA_TYPES: Mapping[str | None, str] = {
    None: STRING,
    "": STRING,
    "string": STRING,
    STRING: STRING,
    "anyURI": ANY_URI,
    ANY_URI: ANY_URI,
    INTEGER: INTEGER,
}
"""``DataType`` as sent → the type meant. Others are an error."""

_SHORT_NAMES = {
    "accesssubject": SUBJECT_CATEGORY,
    "action": ACTION_CATEGORY,
    "resource": RESOURCE_CATEGORY,
    "recipientsubject": "urn:oasis:names:tc:xacml:1.0:subject-category:recipient-subject",
    "intermediarysubject": "urn:oasis:names:tc:xacml:1.0:subject-category:intermediary-subject",
    "requestingmachine": "urn:oasis:names:tc:xacml:1.0:subject-category:requesting-machine",
    "environment": ENVIRONMENT_CATEGORY,
}


class Outcome(StrEnum):
    """``Decision`` of XACML 3.0 §5.53."""

    PERMIT = "Permit"
    DENY = "Deny"
    NOT_APPLICABLE = "NotApplicable"
    INDETERMINATE = "Indeterminate"


class Status(StrEnum):
    """``StatusCode`` of XACML 3.0 §B.8."""

    OK = "urn:oasis:names:tc:xacml:1.0:status:ok"
    MISSING_ATTRIBUTE = "urn:oasis:names:tc:xacml:1.0:status:missing-attribute"
    SYNTAX_ERROR = "urn:oasis:names:tc:xacml:1.0:status:syntax-error"
    PROCESSING_ERROR = "urn:oasis:names:tc:xacml:1.0:status:processing-error"


class MalformedRequestError(ValueError):
    """The document does not have the shape of a request. ``path`` is where: ``Request.Resource[0].Attribute``."""

    def __init__(self, path: str, message: str) -> None:
        super().__init__(f"{path}: {message}")
        self.path = path
        self.message = message


class UndecidableRequestError(ValueError):
    """The document has the shape of a request and makes no sense as one: it is answered with Indeterminate."""


class RequestAttribute(NamedTuple):
    """One value of an attribute; ``include`` asks for it back with the result."""

    id: str
    value: str
    data_type: str = STRING
    issuer: str | None = None
    include: bool = False


class RequestCategory(NamedTuple):
    """One entry of a category; ``id`` is what a multi-request refers to."""

    category: str
    attributes: tuple[RequestAttribute, ...]
    id: str | None = None


Part = tuple[RequestCategory, ...]
"""What one decision is made on."""


class DecisionRequest(NamedTuple):
    """A request: its categories, and for a multi-request which of them make up each part."""

    categories: Part
    references: tuple[tuple[str, ...], ...] = ()

    @property
    def is_multiple(self) -> bool:
        """Fewer than two references make one ordinary request (§4)."""
        return len(self.references) > 1

    def parts(self) -> tuple[Part, ...]:
        """What is to be decided, in order.

        Raises:
            UndecidableRequestError: a reference to what is not there, or is there twice.
        """
        if not self.is_multiple:
            return (self.categories,)
        by_id: dict[str, RequestCategory] = {}
        for category in self.categories:
            if category.id is not None and by_id.setdefault(category.id, category) is not category:
                raise UndecidableRequestError(f"two categories have the Id {category.id[:100]}")
        return tuple(tuple(_referred(by_id, name) for name in dict.fromkeys(names)) for names in self.references)


def _referred(by_id: Mapping[str, RequestCategory], name: str) -> RequestCategory:
    category = by_id.get(name)
    if category is None:
        raise UndecidableRequestError(f"no category has the Id {name[:100]}")
    return category


def read_request(document: Any) -> DecisionRequest:
    """Read a parsed JSON document.

    Raises:
        MalformedRequestError: a member of the wrong type, or twice in different case.
        UndecidableRequestError: a data type that is not taken, or a NUL character in a value.
    """
    request = _object(_object(document, "$").get("request"), "Request")
    categories: list[RequestCategory] = []
    for name, entries in request.items():
        category_id = _SHORT_NAMES.get(name)
        if category_id is not None or name == "category":
            for index, entry in enumerate(_list(entries, f"Request.{name}")):
                with _at("Request.", name, index):
                    categories.append(_category(entry, category_id))
    return DecisionRequest(tuple(categories), _references(request.get("multirequests")))


class _at:  # noqa: N801 - read as a word, as other context managers are
    """Where in the document one is: put before what is told of it, and of no cost when there is nothing to tell."""

    __slots__ = ("_index", "_name", "_prefix")

    def __init__(self, prefix: str, name: str, index: int) -> None:
        self._prefix = prefix
        self._name = name
        self._index = index

    def __enter__(self) -> None:
        """Nothing is done before something is wrong."""

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        if isinstance(error, MalformedRequestError):
            path = f"{self._prefix}{self._name}[{self._index}]"
            raise MalformedRequestError(f"{path}.{error.path}" if error.path else path, error.message) from error


def _category(entry: Any, category_id: str | None) -> RequestCategory:
    members = _object(entry, "")
    category = category_id or _text(members, "CategoryId")
    if category is None:
        raise MalformedRequestError("CategoryId", "is required")
    attributes: list[RequestAttribute] = []
    for index, one in enumerate(_list(members.get("attribute"), "Attribute")):
        with _at("", "Attribute", index):
            attributes.append(_attribute(one))
    return RequestCategory(category, tuple(attributes), _text(members, "Id"))


def _attribute(entry: Any) -> RequestAttribute:
    members = _object(entry, "")
    attribute_id, value = members.get("attributeid"), members.get("value")
    if not isinstance(attribute_id, str):
        raise MalformedRequestError("AttributeId", "is required, and a string")
    if not isinstance(value, str):
        raise MalformedRequestError("Value", "is required, and a string")
    if "\0" in value or "\0" in attribute_id:
        raise UndecidableRequestError("an attribute holds a NUL character")
    if len(members) == 2:
        return RequestAttribute(attribute_id, value)
    data_type = _text(members, "DataType")
    if data_type not in DATA_TYPES:
        raise UndecidableRequestError("a DataType is not one that is taken")
    include = members.get("includeinresult")
    if include is not None and not isinstance(include, bool):
        raise MalformedRequestError("IncludeInResult", "is true or false")
    return RequestAttribute(attribute_id, value, DATA_TYPES[data_type], _text(members, "Issuer"), include is True)


def _references(value: Any) -> tuple[tuple[str, ...], ...]:
    if value is None:
        return ()
    path = "Request.MultiRequests"
    found = _list(_object(value, path).get("requestreference"), f"{path}.RequestReference")
    references = []
    for index, entry in enumerate(found):
        with _at(f"{path}.", "RequestReference", index):
            names = _list(_object(entry, "").get("referenceid"), "ReferenceId")
            if not all(isinstance(name, str) for name in names):
                raise MalformedRequestError("ReferenceId", "is a list of strings")
            references.append(tuple(names))
    return tuple(references)


def _object(value: Any, path: str) -> dict[str, Any]:
    """The members by lower-case name."""
    if not isinstance(value, dict):
        raise MalformedRequestError(path, "is required, and an object")
    members = {name.lower(): member for name, member in value.items()}
    if len(members) != len(value):
        raise MalformedRequestError(path, "has a member twice, in different case")
    return members


def _list(value: Any, path: str) -> Sequence[Any]:
    if value is None:
        return ()
    if not isinstance(value, list):
        raise MalformedRequestError(path, "is a list")
    return value


def _text(members: Mapping[str, Any], name: str) -> str | None:
    value = members.get(name.lower())
    if value is not None and not isinstance(value, str):
        raise MalformedRequestError(name, "is a string")
    return value


class ObligationValue(NamedTuple):
    """One assignment of an obligation, ready to be sent."""

    attribute_id: str
    value: str
    data_type: str
    category: str | None = None
    issuer: str | None = None


class DueObligation(NamedTuple):
    """What whoever enforces a permit must see to."""

    obligation_id: str
    assignments: tuple[ObligationValue, ...] = ()


def required_level(obligations: Iterable[DueObligation]) -> int:
    """The authentication level, 0 to 4, that a permit asks of a person; 0 when it asks for none."""
    values = [value for obligation in obligations for value in obligation.assignments]
    levels = (int(one.value) for one in values if one.category == MINIMUM_LEVEL and one.value.isdecimal())
    return max(levels, default=0)


class Result(NamedTuple):
    """One decision. ``echo`` holds, by category, the attributes that were asked back."""

    outcome: Outcome
    status: Status = Status.OK
    obligations: tuple[DueObligation, ...] = ()
    echo: tuple[RequestCategory, ...] = ()


def response_document(results: Iterable[Result]) -> dict[str, Any]:
    """The answer (§5)."""
    return {"response": [_result(result) for result in results]}


def _result(result: Result) -> dict[str, Any]:
    return {
        "decision": result.outcome.value,
        "status": {
            "statusMessage": None,
            "statusDetails": None,
            "statusCode": {"value": result.status.value, "statusCode": None},
        },
        "obligations": [_obligation(one) for one in result.obligations] or None,
        "associateAdvice": None,
        "category": [_echo(one) for one in result.echo] or None,
        "policyIdentifierList": None,
    }


def _obligation(obligation: DueObligation) -> dict[str, Any]:
    return {
        "id": obligation.obligation_id,
        "attributeAssignment": [
            {
                "attributeId": one.attribute_id,
                "value": one.value,
                "category": one.category,
                "dataType": one.data_type,
                "issuer": one.issuer,
            }
            for one in obligation.assignments
        ],
    }


def _echo(category: RequestCategory) -> dict[str, Any]:
    return {
        "categoryId": category.category,
        "id": None,
        "content": None,
        "attribute": [
            {
                "attributeId": one.id,
                "value": one.value,
                "issuer": one.issuer,
                "dataType": one.data_type,
                "includeInResult": False,
            }
            for one in category.attributes
        ],
    }

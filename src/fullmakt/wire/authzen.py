"""The OpenID AuthZEN Authorization API 1.0: its documents, and how Altinn's attributes read in its terms.

Source: https://openid.net/specs/authorization-api-1_0.html (§5 information model, §6 and §7 evaluation, §8 search, §9
metadata). A subject's ``type`` is an attribute id, or a short name of ``SUBJECT_TYPES``; a resource is of type
``resource`` (or ``urn:altinn:resource``) and names the party acted for among its ``properties``, as
``"party": "urn:altinn:organization:identifier-no:910753614"`` or under the attribute id itself. Properties and context
members whose names begin with ``urn:`` go along as attributes; others are passed over.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from typing import Any, NamedTuple

from fullmakt.wire.altinn import attributes as ids
from fullmakt.wire.altinn.xacml_json import Outcome, Part, RequestAttribute, RequestCategory, Result

SUBJECT_TYPES: Mapping[str, str] = {
    "user": ids.USER_ID,
    "person": ids.PERSON_UUID,
    "organization": ids.ORGANISATION,
    "party": ids.PARTY_UUID,
    "systemuser": ids.SYSTEM_USER,
    "org": ids.SERVICE_OWNER,
}
SEARCHED_SUBJECTS = frozenset(SUBJECT_TYPES.values()) | {ids.PARTY_ID, ids.ORGANISATION_UUID, ids.ORGANISATION_OLD}
"""Attributes that subjects can be listed by; people are not by their national identity numbers."""
RESOURCE_TYPES = frozenset({"resource", ids.RESOURCE})
MAX_EVALUATIONS = 1_000
MAX_PAGE = 100
_PARTY = "party"
_CATEGORIES = {"subject": ids.SUBJECT_CATEGORY, "action": ids.ACTION_CATEGORY, "resource": ids.RESOURCE_CATEGORY}


class InvalidAuthZenRequestError(ValueError):
    """The request is answered with 400 and this text."""


class Semantic(StrEnum):
    """``options.evaluations_semantic``."""

    EXECUTE_ALL = "execute_all"
    DENY_ON_FIRST_DENY = "deny_on_first_deny"
    PERMIT_ON_FIRST_PERMIT = "permit_on_first_permit"

    def ends_with(self, *, permitted: bool) -> bool:
        """Whether an answer ends the evaluation of the rest."""
        if self is Semantic.DENY_ON_FIRST_DENY:
            return not permitted
        return self is Semantic.PERMIT_ON_FIRST_PERMIT and permitted


class Evaluations(NamedTuple):
    """Several questions. ``single``: there was no list, and the answer is that of one evaluation."""

    parts: tuple[Part, ...]
    semantic: Semantic
    single: bool


def read_evaluation(document: Any) -> Part:
    """One question.

    Raises:
        InvalidAuthZenRequestError: a required member is absent or of the wrong type.
    """
    members = _object(document, "the request")
    return (_subject(members), _action(members), _resource(members), *_context(members))


def read_evaluations(document: Any) -> Evaluations:
    """Several questions, the defaults filled in.

    Raises:
        InvalidAuthZenRequestError: as ``read_evaluation``; too many; an unknown semantic.
    """
    members = _object(document, "the request")
    listed = members.get("evaluations")
    if listed is not None and not isinstance(listed, list):
        raise InvalidAuthZenRequestError("evaluations is a list")
    options = _object(members.get("options", {}), "options")
    try:
        semantic = Semantic(options.get("evaluations_semantic", Semantic.EXECUTE_ALL))
    except ValueError as error:
        raise InvalidAuthZenRequestError(f"options.evaluations_semantic is one of {', '.join(Semantic)}") from error
    if not listed:
        return Evaluations((read_evaluation(members),), semantic, single=True)
    if len(listed) > MAX_EVALUATIONS:
        raise InvalidAuthZenRequestError(f"at most {MAX_EVALUATIONS} evaluations in one request")
    defaults = {name: members[name] for name in ("subject", "action", "resource", "context") if name in members}
    parts = [read_evaluation({**defaults, **_object(one, "an evaluation")}) for one in listed]
    return Evaluations(tuple(parts), semantic, single=False)


class Search(NamedTuple):
    """A search: a question with something left open, and which page of answers is wanted.

    ``subject``, ``action`` and ``resource`` hold the attributes that are given; ``wanted`` is the attribute id of what
    is left open, of category ``wanted_in``, and ``wanted_type`` what the request calls it. ``fingerprint`` stands for
    the request without its page; the page begins after the name ``after``.
    """

    wanted: str
    wanted_in: str
    wanted_type: str
    subject: RequestCategory
    action: RequestCategory
    resource: RequestCategory
    context: tuple[RequestCategory, ...]
    fingerprint: str
    after: str
    limit: int

    def part(self, name: str) -> Part:
        """The question about ``name``, as ``read_evaluation`` would have read it."""
        return tuple(
            RequestCategory(one.category, (RequestAttribute(self.wanted, name), *one.attributes))
            if one.category == self.wanted_in
            else one
            for one in (self.subject, self.action, self.resource, *self.context)
        )

    def given(self, attribute_id: str) -> str:
        """The value of an attribute of the action or the resource; empty when it is what is left open."""
        return next(
            (one.value for of in (self.action, self.resource) for one in of.attributes if one.id == attribute_id), ""
        )


def read_search(document: Any, kind: str) -> Search:
    """A search for ``subject``, ``resource`` or ``action``.

    Raises:
        InvalidAuthZenRequestError: as ``read_evaluation``; subjects of a type that can not be listed; a page of another
            search.
    """
    members = _object(document, "the request")
    fingerprint = _fingerprint(members, kind)
    after, limit = _page(members, fingerprint)
    wanted_type, wanted = _wanted(members, kind)
    return Search(
        wanted,
        _CATEGORIES[kind],
        wanted_type,
        _open(members, "subject", ids.SUBJECT_CATEGORY) if kind == "subject" else _subject(members),
        _open(members, "action", ids.ACTION_CATEGORY) if kind == "action" else _action(members),
        _resource(members, needs_id=kind != "resource"),
        _context(members),
        fingerprint,
        after,
        limit,
    )


def _wanted(members: Mapping[str, Any], kind: str) -> tuple[str, str]:
    """What the request calls that which is left open, and its attribute id."""
    if kind == "action":
        return kind, ids.ACTION
    named = _text(_object(members.get(kind), kind), "type", kind)
    if kind == "resource":
        return named, ids.RESOURCE
    wanted = SUBJECT_TYPES.get(named, named)
    if wanted not in SEARCHED_SUBJECTS:
        known = ", ".join([*SUBJECT_TYPES, *sorted(SEARCHED_SUBJECTS)])
        raise InvalidAuthZenRequestError(f"subject.type is one whose subjects can be searched for: {known}")
    return named, wanted


def _open(members: Mapping[str, Any], name: str, category: str) -> RequestCategory:
    """What is told of something whose id is left open, and passed over if it is there (§8)."""
    return RequestCategory(category, tuple(_properties(_object(members.get(name, {}), name), name)))


def _fingerprint(members: Mapping[str, Any], kind: str) -> str:
    page = members.get("page")
    limit = page.get("limit") if isinstance(page, dict) else None
    rest = {name: value for name, value in members.items() if name != "page"}
    text = json.dumps([kind, rest, limit], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _page(members: Mapping[str, Any], fingerprint: str) -> tuple[str, int]:
    page = _object(members.get("page", {}), "page")
    limit = page.get("limit", MAX_PAGE)
    if not isinstance(limit, int) or isinstance(limit, bool) or limit < 0:
        raise InvalidAuthZenRequestError("page.limit is a number, not below zero")
    token = page.get("token")
    if token in (None, ""):
        return "", min(limit, MAX_PAGE)
    try:
        made_for, space, after = base64.urlsafe_b64decode(str(token).encode()).decode().partition(" ")
    except (ValueError, binascii.Error) as error:
        raise InvalidAuthZenRequestError("page.token is not one that was given out") from error
    if made_for != fingerprint or not space:
        raise InvalidAuthZenRequestError("page.token is of another search: only the token may change between pages")
    return after, min(limit, MAX_PAGE)


def search_response(
    search: Search, results: Sequence[Mapping[str, Any]], last: str | None, *, whole: bool
) -> dict[str, Any]:
    """One page of results; ``last`` is the name after which the next page begins, None when there is none.

    A page may hold fewer results than there is room for, and yet have another after it. The total is told of an answer
    that is ``whole`` on its page: to know it of others, all would have to be decided for each page.
    """
    token = "" if last is None else base64.urlsafe_b64encode(f"{search.fingerprint} {last}".encode()).decode()
    total = {"total": len(results)} if whole else {}
    return {"page": {"next_token": token, "count": len(results), **total}, "results": list(results)}


def evaluation_response(result: Result, *, reason: str | None = None) -> dict[str, Any]:
    """One answer. The context tells XACML's word for it, the obligations, and ``reason`` when it may be told."""
    context: dict[str, Any] = {"outcome": result.outcome.value}
    if result.outcome is Outcome.INDETERMINATE:
        context["error"] = {"status": 400, "message": result.status.value}
    if result.obligations:
        context["obligations"] = [
            {
                "id": obligation.obligation_id,
                "attributes": [
                    {"id": one.attribute_id, "value": one.value, "category": one.category, "dataType": one.data_type}
                    for one in obligation.assignments
                ],
            }
            for obligation in result.obligations
        ]
    if reason is not None:
        context["reason"] = reason
    return {"decision": result.outcome is Outcome.PERMIT, "context": context}


def metadata_document(url: str) -> dict[str, str]:
    """``/.well-known/authzen-configuration`` of the decision point at ``url``."""
    return {
        "policy_decision_point": url,
        "access_evaluation_endpoint": f"{url}/access/v1/evaluation",
        "access_evaluations_endpoint": f"{url}/access/v1/evaluations",
        "search_subject_endpoint": f"{url}/access/v1/search/subject",
        "search_resource_endpoint": f"{url}/access/v1/search/resource",
        "search_action_endpoint": f"{url}/access/v1/search/action",
    }


def _object(value: Any, name: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise InvalidAuthZenRequestError(f"{name} is required, and an object")
    return value


def _text(members: Mapping[str, Any], name: str, of: str) -> str:
    value = members.get(name)
    if not isinstance(value, str) or not value or "\0" in value:
        raise InvalidAuthZenRequestError(f"{of}.{name} is required, and a string")
    return value


def _subject(members: Mapping[str, Any]) -> RequestCategory:
    subject = _object(members.get("subject"), "subject")
    kind = _text(subject, "type", "subject")
    named = RequestAttribute(SUBJECT_TYPES.get(kind, kind), _text(subject, "id", "subject"))
    return RequestCategory(ids.SUBJECT_CATEGORY, (named, *_properties(subject, "subject")))


def _action(members: Mapping[str, Any]) -> RequestCategory:
    action = _object(members.get("action"), "action")
    named = RequestAttribute(ids.ACTION, _text(action, "name", "action"))
    return RequestCategory(ids.ACTION_CATEGORY, (named, *_properties(action, "action")))


def _resource(members: Mapping[str, Any], *, needs_id: bool = True) -> RequestCategory:
    resource = _object(members.get("resource"), "resource")
    kind = _text(resource, "type", "resource")
    if kind not in RESOURCE_TYPES:
        raise InvalidAuthZenRequestError(f"resource.type is one of {', '.join(sorted(RESOURCE_TYPES))}")
    named = [RequestAttribute(ids.RESOURCE, _text(resource, "id", "resource"))] if needs_id else []
    return RequestCategory(ids.RESOURCE_CATEGORY, (*named, *_properties(resource, "resource")))


def _context(members: Mapping[str, Any]) -> tuple[RequestCategory, ...]:
    context = members.get("context")
    if context is None:
        return ()
    attributes = tuple(_attributes(_object(context, "context"), "context"))
    return (RequestCategory(ids.ENVIRONMENT_CATEGORY, attributes),) if attributes else ()


def _properties(entity: Mapping[str, Any], name: str) -> Iterable[RequestAttribute]:
    properties = entity.get("properties")
    if properties is None:
        return
    members = _object(properties, f"{name}.properties")
    party = members.get(_PARTY)
    if name == "resource" and party is not None:
        if not isinstance(party, str) or not party.startswith("urn:"):
            raise InvalidAuthZenRequestError("resource.properties.party is a URN: an attribute id, a colon, its value")
        name_of_party, _, value = party.rpartition(":")
        yield RequestAttribute(name_of_party, value)
    yield from _attributes(members, name)


def _attributes(members: Mapping[str, Any], of: str) -> Iterable[RequestAttribute]:
    for name, value in members.items():
        if not name.startswith("urn:"):
            continue
        for one in value if isinstance(value, list) else [value]:
            if isinstance(one, bool) or not isinstance(one, str | int) or "\0" in f"{name}{one}":
                raise InvalidAuthZenRequestError(f"{of}: {name[:100]} is a string, a number, or a list of them")
            yield RequestAttribute(name, str(one))

"""The decision tables through the SDK of API owners: the same facts, and the same answers, as the engine's."""

from __future__ import annotations

from typing import Any

import httpx2
import pytest
from starlette.testclient import TestClient

from fullmakt.altinn.decisions.config import DecisionsConfig
from fullmakt.altinn.decisions.http import app
from fullmakt.provider import (
    Attribute,
    DecisionClient,
    DecisionReason,
    DecisionRefusedError,
    DecisionResult,
    InvalidSubjectError,
    OrgNumber,
    Outcome,
    Question,
    Subject,
    SyncDecisionClient,
    subject_of,
)
from fullmakt.wire.altinn import attributes as ids
from fullmakt.wire.altinn.callers import Caller, InvalidCallerError
from tests.support.decision_tables import Case, TableFacts, load_cases
from tests.support.decisions import TableNeighbours, decision_point

URL = "https://pdp.test/authorization"
_NO = {
    "Deny": DecisionReason.DENIED,
    "NotApplicable": DecisionReason.NO_RIGHT,
    "Indeterminate": DecisionReason.UNDECIDABLE,
}


class OneCaller:
    """Knows one token, that of an API that may ask."""

    async def identify(self, token: str) -> Caller:
        """The API."""
        if token != "the-api":
            raise InvalidCallerError("signature")
        return Caller(frozenset({"altinn:authorization/authorize"}), org_code="ttd", client_id="api")


def decisions_app(facts: TableFacts) -> Any:
    config = DecisionsConfig(url=URL, subscription_keys=frozenset({"the-key"}))
    return app(decision_point(TableNeighbours(facts), config=config), OneCaller())


def client_of(case: Case, token: str = "the-api", key: str | None = "the-key") -> DecisionClient:  # noqa: S107
    http = httpx2.AsyncClient(transport=httpx2.ASGITransport(Mounted(case.facts)))
    return DecisionClient(URL, auth=(lambda: token) if case.external else None, subscription_key=key, http=http)


class Mounted:
    """The decision point at the base path of its URL."""

    def __init__(self, facts: TableFacts) -> None:
        self._app = decisions_app(facts)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        await self._app({**scope, "root_path": "/authorization"}, receive, send)


def attributes(case: Case, category: str) -> list[dict[str, Any]] | None:
    """The attributes of one category, None where they are more than the SDK ever sends: types, several entries."""
    entries = case.request.get("Request", {}).get(category, [])
    if len(entries) > 1:
        return None
    found = [attribute for entry in entries for attribute in entry["Attribute"]]
    plain = all(attribute.keys() <= {"AttributeId", "Value", "IncludeInResult"} for attribute in found)
    return found if plain else None


def question(case: Case) -> tuple[list[Attribute], Question] | None:
    """The case in the SDK's terms; None for the few that are about the document's own shape."""
    if not {"AccessSubject", "Action", "Resource"}.issuperset(case.request.get("Request", {"": None})):
        return None
    subject, action, resource = (attributes(case, name) for name in ("AccessSubject", "Action", "Resource"))
    if subject is None or resource is None or action is None or len(action) != 1:
        return None
    about = [Attribute(one["AttributeId"], one["Value"]) for one in resource]
    named = [one.value for one in about if one.id == ids.RESOURCE]
    first = named[0] if named else None
    if first is not None:
        about.remove(Attribute(ids.RESOURCE, first))
    who = [Attribute(one["AttributeId"], one["Value"]) for one in subject]
    return who, Question(action[0]["Value"], first, None, tuple(about))


DRIVEN = [(case, *asked) for case in load_cases() if (asked := question(case)) is not None]
SAID = [pytest.param(*each, id=each[0].name) for each in DRIVEN]


def claims(who: list[Attribute]) -> dict[str, Any] | None:
    """The claims of a token whose subject is this; None when no token has one."""
    token: dict[str, Any] = {}
    for attribute in who:
        if attribute.id in token:
            return None
        if attribute.id in {ids.ORGANISATION, ids.ORGANISATION_OLD}:
            token["consumer"] = {"authority": "iso6523-actorid-upis", "ID": f"0192:{attribute.value}"}
        elif attribute.id == ids.SYSTEM_USER:
            detail = {"type": "urn:altinn:systemuser", "systemuser_id": [attribute.value]}
            token["authorization_details"] = [detail]
        else:
            token[attribute.id] = attribute.value
    try:
        same = set(subject_of(token).attributes) == set(who)
    except InvalidSubjectError:
        return None
    return token if same else None


def check(case: Case, result: DecisionResult, *, level: int) -> None:
    expected = case.expected
    assert result.outcome == expected.decision
    assert result.status == expected.status
    assert dict(result.obligations) == expected.obligations
    if expected.decision != "Permit":
        assert (result.permitted, result.reason) == (False, _NO[expected.decision])
        return
    needed = expected.obligations.get("urn:altinn:minimum-authenticationlevel")
    assert result.permitted == (needed is None or level >= int(needed))


@pytest.mark.parametrize(("case", "who", "asked"), SAID)
@pytest.mark.parametrize("level", [0, 4])
async def test_the_tables_hold_through_the_sdk(case: Case, who: list[Attribute], asked: Question, level: int) -> None:
    client = client_of(case)
    if not who:
        assert case.expected.decision == Outcome.INDETERMINATE
        with pytest.raises(InvalidSubjectError):
            Subject(tuple(who), level)
        return
    result = await client.authorize(Subject(tuple(who), level), asked.action, asked.resource, None, more=asked.more)
    check(case, result, level=level)


BY_TOKEN = [
    pytest.param(case, token, asked, id=case.name)
    for case, who, asked in DRIVEN
    if (token := claims(who)) is not None  # the others are asked about in so many attributes, above
]


@pytest.mark.parametrize(("case", "token", "asked"), BY_TOKEN)
async def test_the_tables_hold_for_tokens(case: Case, token: dict[str, Any], asked: Question) -> None:
    (result,) = await client_of(case).authorize_each(token, [asked])
    check(case, result, level=subject_of(token).level)


def test_nearly_every_case_is_asked_and_every_one_of_a_token_by_token() -> None:
    cases = len(list(load_cases()))
    assert len(DRIVEN) > 0.9 * cases
    assert len(BY_TOKEN) > 0.4 * cases


def test_a_whole_table_is_one_request_to_threads() -> None:
    """All questions of one table about one subject, in one multi-request."""
    groups: dict[tuple[int, tuple[Attribute, ...]], list[tuple[Case, Question]]] = {}
    for case, who, asked in DRIVEN:
        if who and case.external and case.expected.decision != "Indeterminate":
            groups.setdefault((id(case.facts), tuple(who)), []).append((case, asked))
    assert max(map(len, groups.values())) > 20
    for (_, about), group in groups.items():
        with TestClient(decisions_app(group[0][0].facts), base_url="https://pdp.test") as http:
            client = SyncDecisionClient(
                "https://pdp.test", auth=lambda: "the-api", subscription_key="the-key", http=http
            )
            results = client.authorize_each(Subject(about, 4), [asked for _, asked in group])
        for (case, _), result in zip(group, results, strict=True):
            check(case, result, level=4)


async def test_an_api_that_may_not_ask_is_told_so() -> None:
    case = next(case for case, _, _ in DRIVEN if case.external)
    who = Subject((Attribute(ids.USER_ID, "20001"),))
    for client in (client_of(case, token="another"), client_of(case, key=None), client_of(case, key="another")):
        with pytest.raises(DecisionRefusedError) as caught:
            await client.authorize(who, "read", "thing", OrgNumber("910753614"))
        assert caught.value.status == 401

"""How evaluations are told: every case of the decision tables, and what people see of the principal ones."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from io import StringIO
from typing import Any

import pytest
from rich.console import Console

from fullmakt.altinn.decisions.model import RuleOutcome
from fullmakt.cli.rights.evaluation import as_json, print_evaluation, told
from fullmakt.cli.rights.naming import Names, names_in
from fullmakt.wire.altinn.attributes import Attribute
from fullmakt.wire.altinn.parties import PartyIdentity
from fullmakt.wire.altinn.xacml_json import MalformedRequestError, UndecidableRequestError, read_request
from tests.support.decision_tables import Case, load_cases
from tests.support.decisions import TableNeighbours, decision_point

CASES = list(load_cases())
ASKED = {"subject": [{"id": "urn:altinn:rolecode", "value": "dagl"}], "action": "a", "resource": "r", "party": None}


def shown(document: Mapping[str, Any], names: Names | None = None) -> str:
    out = StringIO()
    print_evaluation(Console(file=out, soft_wrap=True, highlight=False, emoji=False), document, names or Names())
    return out.getvalue()


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
async def test_every_decision_of_the_tables_is_told(case: Case) -> None:
    neighbours = TableNeighbours(case.facts)
    try:
        request = read_request(case.request)
        explanations = await decision_point(neighbours).explain(request, external=case.external)
    except (MalformedRequestError, UndecidableRequestError):
        return  # no question, so that there is nothing to explain
    documents = [{**told(one), "asked": ASKED} for one in explanations]
    assert json.loads(json.dumps(documents)) == documents
    names = await names_in(neighbours, documents)
    for document in documents:
        lines = shown(document, names)
        assert f"{document['decision']}  {document['reason']}\n  {document['words']}" in lines
        assert all(rule["rule_id"] in lines for rule in document.get("rules", ()))
        assert all(one["id"] in lines for one in document.get("delegations", ()))
    if len(documents) == 1:
        assert documents[0]["decision"] == case.expected.decision


def test_values_are_told_as_json_has_them() -> None:
    assert as_json({"a": (RuleOutcome.PERMIT, frozenset({1}), None, True), 2: Attribute("x", "y")}) == {
        "a": ["Permit", [1], None, True],
        "2": ["x", "y"],
    }
    assert as_json(Exception("odd")) == "odd"


def explained(**changes: Any) -> dict[str, Any]:
    document: dict[str, Any] = {
        "decision": "Permit", "reason": "rule", "words": "So it is.", "remedy": "", "facts": {}, "asked": ASKED,
        "rules": [], "held": {}, "packages": [], "delegations": [], "access_list": None, "obligations": [],
    }  # fmt: skip
    return {**document, **changes}


def rule(*wanted: str, result: str = "no", had: Collection[str] = ()) -> dict[str, Any]:
    alternatives = [[{"attribute": "urn:role", "wanted": one, "had": list(had), "result": result}] for one in wanted]
    return {
        "rule_id": "rule:1", "effect": "Permit", "outcome": "Permit" if result == "yes" else "NotApplicable",
        "alternatives": alternatives, "conditional": False,
    }  # fmt: skip


def test_long_lists_are_cut() -> None:
    lines = shown(explained(rules=[rule(*(f"r{number}" for number in range(30)), had=[f"h{n}" for n in range(20)])]))
    assert "r11" in lines
    assert "r12" not in lines
    assert "… and 18 more" in lines
    assert "… and 8 more" in lines


def test_what_is_held_is_told_as_far_as_a_rule_asks_for_it() -> None:
    held = {"urn:role:DAGL": "dagl", "urn:role:a": "dagl", "urn:role:b": ""}
    lines = shown(explained(rules=[rule("dagl", result="yes")], held=held))
    assert "✓ urn:role:DAGL  by the role dagl" in lines
    assert "2 more roles and packages that no rule here asks for" in lines


def test_what_came_from_outside_moves_no_cursor() -> None:
    lines = shown(explained(facts={"message": "\x1b[2J[bold]x"}, rules=[rule("\x1b[2J", had=["\x07"])]))
    assert "\x1b" not in lines
    assert "\x07" not in lines
    assert "[bold]x" in lines


def test_the_point_s_own_words_are_not_said_twice() -> None:
    assert "so it is" not in shown(explained(facts={"message": "so it is"}))
    assert "something else" in shown(explained(facts={"fault": "something else"}))


class _Everybody:
    """A register in which nobody is."""

    async def identify(self, attributes: Collection[Attribute]) -> dict[Attribute, PartyIdentity]:
        """Nobody."""
        return {}


async def test_who_is_gone_from_the_register_is_told_by_uuid() -> None:
    link = {"id": "d", "from": "5ccaebc5-dfb7-442a-ab5e-002898b902ae", "to": "4105948c-988d-453a-847f-d2776c8ea7be"}
    given = {**link, "actions": ["read"], "instance": "7/8", "counts": True, "why": "it holds", "chain": [link, link]}
    document = explained(delegations=[given])
    lines = shown(document, await names_in(_Everybody(), document))
    assert f"✓ {link['from']} → {link['to']}: read on 7/8" in lines
    assert "passed on: " in lines

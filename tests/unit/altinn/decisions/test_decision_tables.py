"""The engine and the algorithm around it give what the decision tables say."""

from __future__ import annotations

import pytest

from fullmakt.wire.altinn.xacml_json import UndecidableRequestError, read_request
from tests.support.decision_tables import Case, load_cases
from tests.support.decisions import TableNeighbours, decision_point

CASES = list(load_cases())


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
async def test_the_table_is_right(case: Case) -> None:
    point = decision_point(TableNeighbours(case.facts))
    decision, *more = await point.decide(read_request(case.request), external=case.external)
    assert not more
    assert (decision.outcome, decision.status) == (case.expected.decision, case.expected.status), decision
    if case.expected.reason is not None:
        assert decision.reason == case.expected.reason, decision
    values = {one.category: one.value for due in decision.obligations for one in due.assignments}
    assert values == case.expected.obligations
    if case.expected.echo is not None:
        assert {one.id: one.value for part in decision.echo for one in part.attributes} == case.expected.echo


def test_the_tables_hold_what_the_contract_names() -> None:
    assert len({case.name for case in CASES}) == len(CASES)
    assert {case.expected.decision for case in CASES} == {"Permit", "Deny", "NotApplicable", "Indeterminate"}


def test_a_request_with_an_unknown_data_type_can_not_be_decided() -> None:
    attribute = {"AttributeId": "x", "Value": "1", "DataType": "urn:example:colour"}
    with pytest.raises(UndecidableRequestError, match="DataType"):
        read_request({"Request": {"Resource": [{"Attribute": [attribute]}]}})

"""Whatever is sent to the decision point, it answers, in its own forms."""

from __future__ import annotations

from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fullmakt.wire.altinn import attributes as ids
from tests.flow.test_decisions_http import Client, facts

texts = st.one_of(
    st.text(max_size=10),
    st.sampled_from(["20001", "50001", "910753614", "thing", "read", "app_ttd_tax", "app_", "50001/6f1c", "/", "\0"]),
)
names = st.sampled_from(
    [
        ids.USER_ID, ids.PARTY_ID, ids.PARTY_UUID, ids.PERSON, ids.SYSTEM_USER, ids.ORGANISATION, ids.RESOURCE, ids.APP,
        ids.SERVICE_OWNER, ids.INSTANCE, ids.RESOURCE_INSTANCE, ids.ACTION, ids.ORGANISATION_OLD, "test:x",
    ]
)  # fmt: skip
junk: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=6,
)
attributes = st.fixed_dictionaries(
    {"AttributeId": names, "Value": texts},
    optional={"DataType": st.sampled_from(["string", "anyURI", "x", None]), "IncludeInResult": st.booleans() | junk},
)
categories = st.lists(
    st.fixed_dictionaries({"Attribute": st.lists(attributes | junk, max_size=3)}, optional={"Id": texts}) | junk,
    max_size=2,
)
references = st.lists(st.fixed_dictionaries({"ReferenceId": st.lists(texts, max_size=3)}) | junk, max_size=3)
requests = st.fixed_dictionaries(
    {"AccessSubject": categories, "Action": categories, "Resource": categories},
    optional={"Category": junk, "MultiRequests": st.fixed_dictionaries({"RequestReference": references}) | junk},
)
entities = st.fixed_dictionaries(
    {"type": st.sampled_from(["user", "organization", "resource", "systemuser"]) | texts, "id": texts},
    optional={"properties": st.dictionaries(names, texts, max_size=2) | junk, "name": texts},
)
questions = st.fixed_dictionaries(
    {"subject": entities | junk, "action": entities | junk, "resource": entities | junk},
    optional={"context": junk, "evaluations": junk, "options": junk, "page": junk},
)
relaxed = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@relaxed
@given(st.fixed_dictionaries({"Request": requests}) | junk)
async def test_any_xacml_request_is_answered(document: Any) -> None:
    client = Client(facts())
    outside = await client.post("/api/v1/authorize", document)
    assert outside.status_code in (200, 400)
    inside = await client.post("/api/v1/decision", document)
    assert inside.status_code == 200
    for answer in (outside, inside):
        if answer.status_code == 200:
            assert all(one["decision"] for one in answer.json()["response"])
    explained = await client.post("/api/v1/explain", document)
    assert explained.status_code in (200, 400)


@relaxed
@given(st.sampled_from(["evaluation", "evaluations", "search/subject", "search/resource", "search/action"]), questions)
async def test_any_authzen_request_is_answered(path: str, document: Any) -> None:
    answer = await Client(facts()).post(f"/access/v1/{path}", document, "admin")
    assert answer.status_code in (200, 400), answer.text

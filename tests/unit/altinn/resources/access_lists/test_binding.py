"""How URNs and bodies are read."""

from __future__ import annotations

import contextlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fullmakt.altinn.resources.access_lists.http.binding import (
    actions_of,
    members_of,
    party_urn,
    resource_urn,
)
from fullmakt.wire.altinn.attributes import Attribute
from fullmakt.wire.altinn.problems import BindingError

UUID = "b70b6862-870b-4e64-9f96-921f2b778ee1"


@pytest.mark.parametrize(
    ("urn", "party"),
    [
        (
            "urn:altinn:organization:identifier-no:991825827",
            Attribute("urn:altinn:organization:identifier-no", "991825827"),
        ),
        (f"urn:altinn:party:uuid:{UUID}", Attribute("urn:altinn:party:uuid", UUID)),
        (f"urn:altinn:party:uuid:{UUID.upper()}", Attribute("urn:altinn:party:uuid", UUID)),
        ("urn:altinn:party:id:51235100", Attribute("urn:altinn:partyid", "51235100")),
        ("urn:altinn:party:id:0051235100", Attribute("urn:altinn:partyid", "51235100")),
    ],
)
def test_a_party_has_three_forms(urn: str, party: Attribute) -> None:
    assert party_urn(urn) == party


@pytest.mark.parametrize(
    "urn",
    [
        "",
        "991825827",
        "urn:altinn:organization:identifier-no:",
        "urn:altinn:organization:identifier-no:99182582",
        "urn:altinn:organization:identifier-no:9918258277",
        "urn:altinn:organization:identifier-no:٩٩١٨٢٥٨٢٧",
        "urn:altinn:organization:identifier-no:991825827\n",
        "urn:altinn:person:identifier-no:05895199925",
        "urn:altinn:partyid:51235100",
        "urn:altinn:party:id:",
        "urn:altinn:party:id:-1",
        "urn:altinn:party:id:2147483648",
        "urn:altinn:party:id:99999999999",
        f"urn:altinn:party:uuid:{UUID}0",
        f"urn:altinn:party:uuid:{UUID.replace('-', '')}",
        "urn:altinn:party:uuid:not-a-uuid",
        f" urn:altinn:party:uuid:{UUID}",
    ],
)
def test_what_is_none_of_them_is_no_party(urn: str) -> None:
    assert party_urn(urn) is None


def test_a_resource_is_named_by_its_urn() -> None:
    assert resource_urn("urn:altinn:resource:ttd-accesslist-resource") == "ttd-accesslist-resource"
    assert resource_urn("urn:altinn:resource:app_skd_a1-1:2") == "app_skd_a1-1:2"
    for urn in (
        "ttd-accesslist-resource",
        "urn:altinn:resource:",
        "urn:altinn:resource:a b",
        "urn:altinn:resource:\x00",
    ):
        assert resource_urn(urn) is None


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(st.dictionaries(st.sampled_from(["data", "actionfilters", "name"]), ANYTHING))
def test_any_body_is_read_or_refused(body: dict[str, Any]) -> None:
    for read in (members_of, actions_of):
        with contextlib.suppress(BindingError):
            read(body)


def test_a_member_that_is_no_urn_is_named_by_its_place() -> None:
    with pytest.raises(BindingError) as bad:
        members_of({"data": ["urn:altinn:party:id:1", 5]})
    assert list(bad.value.errors) == ["$.data[1]"]

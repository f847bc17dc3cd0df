"""How requests to Altinn's systems are read."""

from __future__ import annotations

import contextlib
import datetime as dt
from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import Message

from fullmakt.infra.http import MAX_BODY_BYTES
from fullmakt.infra.reading import (
    Query,
    attribute_of,
    body_of,
    json_body,
    list_of,
    object_of,
    optional_body_of,
    optional_text_of,
    text_of,
)
from fullmakt.wire.altinn.attributes import Attribute
from fullmakt.wire.altinn.problems import BindingError

PARTY = "b70b6862-870b-4e64-9f96-921f2b778ee1"


def _asked(query: str) -> Query:
    return Query(Request({"type": "http", "query_string": query.encode(), "headers": []}))


def _sent(body: bytes, content_type: str | None = "application/json") -> Request:
    async def receive() -> Message:
        return {"type": "http.request", "body": body}

    headers = [] if content_type is None else [(b"content-type", content_type.encode())]
    return Request({"type": "http", "headers": headers}, receive)


def test_a_member_is_read_whatever_the_case_of_its_name() -> None:
    query = _asked("ID=one&id=two&blank=%20&blank=x&empty=")
    assert (query.text("id"), query.all("Id")) == ("one", ["one", "two"])
    assert (query.text("blank"), query.text("empty"), query.text("none")) == ("x", None, None)
    assert query.required("iD") == "one"


@pytest.mark.parametrize(
    ("query", "read", "value"),
    [
        ("a=12", lambda query: query.number("a"), 12),
        ("a=-7", lambda query: query.number("a"), -7),
        ("a=2147483647", lambda query: query.number("a"), 2**31 - 1),
        ("", lambda query: query.number("a"), None),
        ("a=TRUE", lambda query: query.flag("a"), True),
        ("a=", lambda query: query.flag("a", default=True), True),
        (f"a={PARTY.upper()}", lambda query: query.uuid("a"), UUID(PARTY)),
        ("", lambda query: query.optional_uuid("a"), None),
        ("a=2026-01-05T10:00:00", lambda query: query.time("a"), dt.datetime(2026, 1, 5, 10, tzinfo=dt.UTC)),
        ("a=2026-01-05T10:00:00+01:00", lambda query: query.time("a"), dt.datetime(2026, 1, 5, 9, tzinfo=dt.UTC)),
        ("", lambda query: query.time("a"), None),
    ],
)
def test_a_member_is_read_as_what_it_is(query: str, read: Callable[[Query], Any], value: Any) -> None:
    assert read(_asked(query)) == value


@pytest.mark.parametrize(
    ("query", "read"),
    [
        ("a=x", lambda query: query.number("a")),
        ("a=2147483648", lambda query: query.number("a")),
        ("a=-2147483648", lambda query: query.number("a")),
        ("a=00000000001", lambda query: query.number("a")),
        ("a=%D9%A3", lambda query: query.number("a")),
        ("a=yes", lambda query: query.flag("a")),
        ("a=x", lambda query: query.uuid("a")),
        ("a=x", lambda query: query.optional_uuid("a")),
        ("", lambda query: query.uuid("a")),
        ("a=%20", lambda query: query.required("a")),
        ("a=yesterday", lambda query: query.time("a")),
        ("a=0001-01-01T00:00:00%2B23:00", lambda query: query.time("a")),
    ],
)
def test_a_member_that_can_not_be_read_is_named(query: str, read: Callable[[Query], Any]) -> None:
    with pytest.raises(BindingError) as bad:
        read(_asked(query))
    assert list(bad.value.errors) == ["a"]


async def test_a_body_is_an_object_with_names_in_lower_case() -> None:
    assert await body_of(_sent(b'\xef\xbb\xbf{"OrgNo": {"Inner": 1}}')) == {"orgno": {"Inner": 1}}
    assert await json_body(_sent(b"[1]", "text/json; charset=utf-8")) == [1]
    assert await json_body(_sent(b"1", "application/merge-patch+json")) == 1
    assert await json_body(_sent(b"1", None)) == 1


@pytest.mark.parametrize("body", [b"", b"  ", b"\xef\xbb\xbf", b"null"])
async def test_a_body_may_be_missing_where_it_is_optional(body: bytes) -> None:
    assert await optional_body_of(_sent(body)) is None
    with pytest.raises(BindingError):
        await body_of(_sent(body))


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"[]",
        b'"x"',
        b'{"a": 1, "a": 2}',
        b'{"a": 1, "A": 2}',
        b'{"a": NaN}',
        b'{"a": "\\ud800"}',
        b"\xff",
        b'{"a":' + b"[" * 100 + b"]" * 100 + b"}",
    ],
)
async def test_a_body_that_is_no_object_or_says_two_things_is_refused(body: bytes) -> None:
    for read in (body_of, optional_body_of):
        with pytest.raises(BindingError) as bad:
            await read(_sent(body))
        assert list(bad.value.errors) == ["$"]


async def test_a_body_of_another_kind_or_too_long_is_refused() -> None:
    for request, status in ((_sent(b"{}", "text/plain"), 415), (_sent(b" " * MAX_BODY_BYTES + b"1"), 413)):
        with pytest.raises(HTTPException) as refused:
            await json_body(request)
        assert refused.value.status_code == status


def test_members_of_a_body_are_read_as_what_they_are() -> None:
    body = {"name": "x", "none": None, "list": ["a", "b"], "empty": ""}
    assert (text_of(body, "Name"), optional_text_of(body, "none"), optional_text_of(body, "gone")) == ("x", "", "")
    assert list_of(body, "List", lambda path, value: (path, value)) == [("List[0]", "a"), ("List[1]", "b")]
    assert list_of(body, "gone", lambda path, value: value) == []
    assert attribute_of("a", {"Id": "urn:x", "VALUE": "y"}) == Attribute("urn:x", "y")
    assert attribute_of("a", {"type": "urn:x", "value": "y"}) == Attribute("urn:x", "y")


@pytest.mark.parametrize(
    ("read", "field"),
    [
        (lambda: text_of({"a": ""}, "A"), "A"),
        (lambda: text_of({"a": 5}, "A"), "$.A"),
        (lambda: optional_text_of({"a": []}, "a"), "$.a"),
        (lambda: list_of({"a": {}}, "a", lambda path, value: value), "$.a"),
        (lambda: list_of({"a": [1, 2]}, "a", lambda path, value: value, most=1), "$.a"),
        (lambda: object_of("a[0]", 5), "$.a[0]"),
        (lambda: object_of("a[0]", {"x": 1, "X": 1}), "$.a[0]"),
        (lambda: attribute_of("a", {"id": "x"}), "a.value"),
        (lambda: attribute_of("a", {"id": 5, "value": "y"}), "a.id"),
    ],
)
def test_a_member_of_a_body_that_can_not_be_read_is_named(read: Callable[[], Any], field: str) -> None:
    with pytest.raises(BindingError) as bad:
        read()
    assert list(bad.value.errors) == [field]


@given(st.text(max_size=60))
def test_any_query_is_read_or_refused(text: str) -> None:
    query = _asked(f"a={text}")
    for read in (query.number, query.flag, query.uuid, query.optional_uuid, query.time, query.required, query.text):
        with contextlib.suppress(BindingError):
            read("a")

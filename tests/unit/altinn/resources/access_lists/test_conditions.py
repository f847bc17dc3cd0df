"""How the headers of conditional requests are read."""

from __future__ import annotations

import base64
import contextlib
import datetime as dt
import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.datastructures import Headers

from fullmakt.altinn.resources.access_lists.http.conditions import read_conditions, validators
from fullmakt.altinn.resources.access_lists.model import AccessList, Conditions, ListReference, Tags
from fullmakt.infra.opaque import unwrapped
from fullmakt.wire.altinn.problems import BindingError
from tests.support.access_lists import START

LIST = AccessList(1, ListReference("digdir", "senders"), "Senders", "", START, START, 7)


def _tag(document: object) -> str:
    return f'W/"{base64.urlsafe_b64encode(json.dumps(document).encode()).rstrip(b"=").decode()}"'


ONE, TWO = _tag({"version": "1"}), _tag({"version": "2"})


def _read(*headers: tuple[str, str]) -> Conditions:
    return read_conditions(Headers(raw=[(name.lower().encode(), value.encode("latin-1")) for name, value in headers]))


def test_the_validators_are_those_of_the_contract() -> None:
    assert validators(LIST) == {
        "ETag": 'W/"eyJ2ZXJzaW9uIjoiNyJ9"',
        "Last-Modified": "Mon, 05 Jan 2026 10:11:12 GMT",
    }
    assert unwrapped("eyJ2ZXJzaW9uIjoiNyJ9") == {"version": "7"}


@given(version=st.integers(1, 2**63 - 1))
def test_an_etag_that_was_given_is_known_again(version: int) -> None:
    tag = validators(replace(LIST, version=version))["ETag"]
    assert _read(("If-Match", tag)) == Conditions(match=Tags(frozenset({version})))


@pytest.mark.parametrize(
    ("value", "versions"),
    [
        (ONE, {1}),
        (f"{ONE}, {TWO}", {1, 2}),
        (f" ,{ONE} ,, {TWO},", {1, 2}),
        (ONE.removeprefix("W/"), set()),
        (f'"a,b", {TWO}', {2}),
        (_tag({"version": 2}), {2}),
        (_tag({"version": "2", "more": None}), {2}),
        ("*", None),
        (" * ", None),
    ],
)
def test_a_header_lists_versions(value: str, versions: set[int] | None) -> None:
    tags = Tags(None if versions is None else frozenset(versions))
    assert _read(("If-Match", value)) == Conditions(match=tags)
    assert _read(("If-None-Match", value)) == Conditions(none_match=tags)


def test_headers_that_stand_twice_are_one_list() -> None:
    assert _read(("If-None-Match", ONE), ("If-None-Match", TWO)).none_match == Tags(frozenset({1, 2}))


@pytest.mark.parametrize(
    "value",
    [
        "1",
        "W/1",
        'W/"1',
        f"{ONE} {TWO}",
        f"*, {ONE}",
        f"{ONE}, *",
        ",",
        'w/"1"',
        'W/"1"',
        'W/""',
        'W/"!"',
        'W/"\xe6"',
        _tag({}),
        _tag([]),
        _tag("1"),
        _tag({"version": None}),
        _tag({"version": True}),
        _tag({"version": "-1"}),
        _tag({"version": "1.0"}),
        _tag({"version": "٣"}),
        _tag({"version": "9" * 20}),
        '"a" ' * 2_000,
        ", " * 20_000 + "x",
    ],
)
def test_a_header_that_can_not_be_read_is_a_bad_request(value: str) -> None:
    for name in ("If-Match", "If-None-Match"):
        with pytest.raises(BindingError) as bad:
            _read((name, value))
        assert f"Invalid {name} header." in bad.value.errors["conditions"][0]


@given(st.text(st.characters(max_codepoint=255)))
def test_any_header_is_read_or_refused(value: str) -> None:
    with contextlib.suppress(BindingError):
        _read(("If-Match", value), ("If-Modified-Since", value))


@pytest.mark.parametrize(
    "date", ["Mon, 05 Jan 2026 10:11:12 GMT", "Monday, 05-Jan-26 10:11:12 GMT", "Mon Jan  5 10:11:12 2026"]
)
def test_a_date_is_read_in_the_three_forms_of_http(date: str) -> None:
    at = START.replace(microsecond=0)
    assert _read(("If-Modified-Since", date)) == Conditions(modified_since=at)
    assert _read(("If-Unmodified-Since", date)) == Conditions(unmodified_since=at)


@pytest.mark.parametrize("date", ["", "yesterday", "2026-01-05T10:11:12Z", "Mon, 32 Jan 2026 10:11:12 GMT", "0" * 500])
def test_no_notice_is_taken_of_a_date_that_can_not_be_read(date: str) -> None:
    assert _read(("If-Modified-Since", date), ("If-Unmodified-Since", date)) == Conditions()


def test_no_notice_is_taken_of_dates_that_contradict_each_other_or_stand_beside_an_etag() -> None:
    date = "Mon, 05 Jan 2026 10:11:12 GMT"
    assert _read(("If-Modified-Since", date), ("If-Modified-Since", date)) == Conditions()
    assert _read(("If-Modified-Since", date), ("If-None-Match", ONE)).modified_since is None
    assert _read(("If-Unmodified-Since", date), ("If-Match", ONE)).unmodified_since is None


def test_an_empty_header_is_none() -> None:
    assert _read(("If-Match", ""), ("If-None-Match", " ")) == Conditions()


def test_times_are_told_in_utc_wherever_the_database_is() -> None:
    oslo = START.astimezone(dt.timezone(dt.timedelta(hours=1)))
    assert validators(replace(LIST, updated=oslo)) == validators(LIST)

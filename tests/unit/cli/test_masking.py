"""What may be shown."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from fullmakt.cli.inspection.masking import masked
from tests.support.tokens import PID, key_number

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda children: st.lists(children) | st.dictionaries(st.text(), children),
)


def test_national_numbers_are_taken_out_of_texts_and_of_numbers() -> None:
    shown = json.dumps(masked({"pid": PID, "number": int("1" + PID[1:]), "list": [f"urn:x:{PID}"]}))
    assert PID not in shown
    assert shown.count("[national id]") == 3


def test_private_members_are_hidden_wherever_a_key_stands() -> None:
    jwk = key_number(1).private_jwk()
    shown = json.dumps(masked({"jwk": jwk}))
    for name in ("d", "p", "q", "dp", "dq", "qi"):
        assert jwk[name] not in shown
    assert masked({"d": "this is no key"}) == {"d": "this is no key"}


def test_what_moves_a_cursor_or_turns_the_text_is_replaced() -> None:
    assert masked("a\x1b[2Jb\u202ec\n") == "a�[2Jb�c�"


def test_times_and_identifiers_stay_as_they_are() -> None:
    claims = {"iat": 1795262400, "consumer": {"ID": "0192:910753614"}, "ok": True, "none": None, "at": 1.5}
    assert masked(claims) == claims


def test_long_things_are_cut() -> None:
    assert masked({"x5c": ["A" * 2_000, "B"]}) == {"x5c": "[2 certificates]"}
    assert len(masked("x" * 10_000)) == 2_000
    assert len(masked(list(range(1_000)))) == 100
    assert masked(10**5_000) == "[a number of more than twenty digits]"


@given(JSON)
def test_whatever_it_is_the_result_is_json_on_printable_lines(value: object) -> None:
    assert json.dumps(masked(value), ensure_ascii=False).isprintable()

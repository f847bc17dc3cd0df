"""Tags are read as they stand, however they are spread over headers."""

from __future__ import annotations

import pytest
from starlette.datastructures import Headers

from fullmakt.infra.etags import ANY, tags_in
from fullmakt.wire.altinn.problems import BindingError


def headers(*values: str) -> Headers:
    return Headers(raw=[(b"if-match", value.encode("latin-1")) for value in values])


@pytest.mark.parametrize(
    ("values", "tags"),
    [
        ([], ()),
        ([""], ()),
        ([" "], ()),
        (["*"], (ANY,)),
        (['"1"'], ('"1"',)),
        (['W/"1" , "2,3"'], ('W/"1"', '"2,3"')),
        ([', "1",, '], ('"1"',)),
        (['"1"', 'W/"2"'], ('"1"', 'W/"2"')),
        (['""'], ('""',)),
        (['"\xe6"'], ('"\xe6"',)),
    ],
    ids=["none", "empty", "blank", "any", "strong", "both", "commas", "two headers", "nothing in it", "latin-1"],
)
def test_tags_are_told_as_they_stand(values: list[str], tags: tuple[str, ...]) -> None:
    assert tags_in(headers(*values), "If-Match") == tags


@pytest.mark.parametrize("value", ["1", '"1', '"1" "2"', 'w/"1"', '*, "1"', '"a b"'])
def test_what_is_no_list_of_tags_is_refused(value: str) -> None:
    with pytest.raises(BindingError) as refused:
        tags_in(headers(value), "If-Match")
    assert refused.value.errors == {"conditions": ["Invalid If-Match header."]}

"""Decision requests in XML: a value is what stands between its tags, and nothing but text."""

from __future__ import annotations

import pytest

from fullmakt.wire.altinn.policy.parser import NAMESPACE
from fullmakt.wire.altinn.xacml_json import UndecidableRequestError
from fullmakt.wire.altinn.xacml_names import STRING
from fullmakt.wire.altinn.xacml_xml import read_request_xml


def request(value: str) -> bytes:
    return f"""<Request xmlns="{NAMESPACE}"><Attributes Category="c"><Attribute AttributeId="a">
    <AttributeValue DataType="{STRING}">{value}</AttributeValue></Attribute></Attributes></Request>""".encode()


@pytest.mark.parametrize("value", ["kari-nordmann", "kari<!-- -->-nordmann", "kari<?x?>-nordmann"])
def test_a_comment_does_not_cut_a_value_short(value: str) -> None:
    (category,) = read_request_xml(request(value)).categories
    assert [one.value for one in category.attributes] == ["kari-nordmann"]


def test_a_value_with_elements_in_it_is_refused() -> None:
    with pytest.raises(UndecidableRequestError, match="text alone"):
        read_request_xml(request("kari<b/>-nordmann"))

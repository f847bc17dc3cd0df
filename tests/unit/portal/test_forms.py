"""Where a browser may be sent, and where a link may lead."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.datastructures import Headers

from fullmakt.portal.forms import is_foreign, secure_origin, web_address, web_origin


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("https://vendor.example/receipt?a=1", "https://vendor.example"),
        ("HTTPS://Vendor.example:8443", "https://vendor.example:8443"),
        ("https://[::1]:8443/", "https://[::1]:8443"),
        ("https://xn--brnnysund-q8a.example/", "https://xn--brnnysund-q8a.example"),
        ("http://vendor.example/", ""),
        ("javascript:alert(1)", ""),
        ("//vendor.example/", ""),
        ("https:///receipt", ""),
        ("https://user@vendor.example/", ""),
        ("https://vendor.example:port/", ""),
        ("https://vendor.example:99999/", ""),
        ("https://[broken/", ""),
        ("https://*.example/", ""),
        ("https://vendor.example;script-src/", ""),
        ("https://vendor.example 'unsafe-inline'/", ""),
        ("https://brønnøysund.example/", ""),
        ("", ""),
    ],
)
def test_an_origin_is_named_only_where_a_browser_may_be_sent(url: str, origin: str) -> None:
    assert secure_origin(url) == origin


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("http://localhost:9999/back", "http://localhost:9999"),
        ("https://bank.example/", "https://bank.example"),
        ("bankapp://consent", ""),
        ("http://user@bank.example/", ""),
        ("javascript:alert(1)", ""),
    ],
)
def test_an_origin_of_the_web_need_not_be_secured_where_that_is_allowed(url: str, origin: str) -> None:
    assert web_origin(url) == origin


@given(st.one_of(st.text(), st.text().map("https://{}".format), st.text().map("http://{}".format)))
def test_whatever_a_url_is_nothing_gets_into_a_header_by_it(url: str) -> None:
    assert not set(web_origin(url)) & set(" ;,'*\r\n\"")
    assert web_origin(url).isascii()


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("https://vendor.example/", "https://vendor.example/"),
        ("http://vendor.example/", "http://vendor.example/"),
        ("javascript:alert(1)", ""),
        ("https://[broken", ""),
        ("", ""),
    ],
)
def test_a_link_leads_to_the_web_or_nowhere(url: str, address: str) -> None:
    assert web_address(url) == address


@pytest.mark.parametrize(
    ("headers", "foreign"),
    [
        ({}, False),
        ({"sec-fetch-site": "same-origin", "origin": "null"}, False),
        ({"sec-fetch-site": "none"}, False),
        ({"origin": "http://localhost:8080"}, False),
        ({"origin": "null"}, False),
        ({"sec-fetch-site": "cross-site"}, True),
        ({"sec-fetch-site": "same-site"}, True),
        ({"sec-fetch-site": ""}, True),
        ({"sec-fetch-site": "cross-site", "origin": "http://localhost:8080"}, True),
        ({"origin": "https://evil.example"}, True),
        ({"origin": "http://localhost:8081"}, True),
        ({"origin": "http://localhost"}, True),
        ({"origin": "localhost:8080"}, True),
        ({"origin": ""}, True),
    ],
    ids=str,
)
def test_what_another_site_s_page_sends_is_foreign_and_may_be_read_all_the_same(
    headers: dict[str, str], *, foreign: bool
) -> None:
    told = Headers({"host": "localhost:8080", **headers})
    assert is_foreign("POST", told) is foreign
    assert not is_foreign("GET", told)

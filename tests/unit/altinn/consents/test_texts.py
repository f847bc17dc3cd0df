"""URLs that browsers are sent to, and numbers as others see them."""

from __future__ import annotations

import pytest

from fullmakt.altinn.consents.srr.domains import FORBIDDEN_SCHEMES, InvalidDestinationError, destination_of
from fullmakt.altinn.consents.texts import encoded_twice, masked, redirect_parts, with_members, with_query

LONG = "https://bank.example/" + "a" * 2_028


@pytest.mark.parametrize(
    "url",
    [
        "https://bank.example/lan?consentId=1",
        "http://localhost:8080/retur",
        "https://xn--brd-0na.example/",
        "https://bank.example/#/rute",
        "https://[2001:db8::1]/retur",
        "myapp://consent",
        "no.bank.app:/retur",
        "HTTPS://BANK.EXAMPLE/",
    ],
)
def test_absolute_urls_are_taken(url: str) -> None:
    assert redirect_parts(url) is not None


@pytest.mark.parametrize(
    "url",
    [
        "",
        "/retur",
        "bank.example/retur",
        "//bank.example/retur",
        "https:",
        "https://",
        "https:///retur",
        "https:/retur",
        "myapp:",
        "1app://consent",
        "javascript:alert(1)",
        "JavaScript://bank.example/%0aalert(1)",
        "data:text/html,hei",
        "vbscript:x",
        "file:///etc/passwd",
        "blob:https://bank.example/1",
        "view-source:https://bank.example",
        "java\tscript:alert(1)",
        " javascript:alert(1)",
        "https://bank.example@evil.example/",
        "https://user:word@bank.example/",
        "https://bank.example\\@evil.example/",
        "https://bank.example/\r\nSet-Cookie: a=b",
        "https://bank.example/\u2028",
        "https://bank.example/ retur",
        "https://bank.example:port/",
        "https://bank.example:99999/",
        "https://[bank.example/",
        LONG,
    ],
)
def test_a_url_that_is_not_absolute_or_plays_tricks_is_not(url: str) -> None:
    assert redirect_parts(url) is None


@pytest.mark.parametrize("scheme", sorted(FORBIDDEN_SCHEMES))
def test_neither_form_sends_anybody_to_what_is_no_page_and_no_app(scheme: str) -> None:
    for url in (f"{scheme}://bank.example/retur", f"{scheme.upper()}://bank.example/retur", f"{scheme}:bank"):
        assert redirect_parts(url) is None
        with pytest.raises(InvalidDestinationError, match="forbidden_scheme"):
            destination_of(url)


@pytest.mark.parametrize(
    "url", ["intent://bank.example/#Intent;end", "mailto:a@bank.example", "feed:javascript:alert(1)"]
)
def test_a_link_that_mail_a_reader_or_another_app_would_open_is_no_destination(url: str) -> None:
    assert redirect_parts(url) is None


def test_members_go_behind_a_question_mark_an_ampersand_or_into_the_route() -> None:
    added = {"Status": "Failed", "ErrorMessage": "User did not give consent"}
    query = "Status=Failed&ErrorMessage=User+did+not+give+consent"
    assert with_members("https://bank.example/retur", added) == f"https://bank.example/retur?{query}"
    assert with_members("https://bank.example/?a=b", added) == f"https://bank.example/?a=b&{query}"
    assert with_members("https://bank.example/?", added) == f"https://bank.example/?{query}"
    assert with_members("https://bank.example/?a=b&", added) == f"https://bank.example/?a=b&{query}"
    assert with_members("https://bank.example/#/rute", added) == f"https://bank.example/#/rute?{query}"
    assert with_members("https://bank.example/x?y#/rute?a=b", added) == f"https://bank.example/x?y#/rute?a=b&{query}"
    assert with_members("https://bank.example/#anker", added) == f"https://bank.example/?{query}#anker"


def test_an_error_message_of_altinn_2_is_encoded_twice() -> None:
    message = encoded_twice("User did not give consent")
    assert message == "User%2520did%2520not%2520give%2520consent"
    assert with_query("https://b.example/", f"ErrorMessage={message}").endswith(f"?ErrorMessage={message}")


def test_others_see_six_digits_of_a_number_and_all_of_an_organisations() -> None:
    assert masked("08027202285") == "080272*****"
    assert masked("313876144") == "313876144"

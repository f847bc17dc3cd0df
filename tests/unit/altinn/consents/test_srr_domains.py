"""Where a browser may be sent, and the patterns that say so (consent.md §2.6)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fullmakt.altinn.consents.srr.domains import (
    MAX_PATTERN,
    MAX_URL,
    Destination,
    InvalidDestinationError,
    InvalidPatternError,
    destination_of,
    parse_pattern,
)


def matches(pattern: str, url: str) -> bool:
    return parse_pattern(pattern).matches(destination_of(url))


@pytest.mark.parametrize(
    ("pattern", "url"),
    [
        ("bank.no", "https://bank.no/retur?x=1#y"),
        ("bank.no", "http://bank.no"),
        ("https://bank.no", "https://bank.no/a/b"),
        ("*.bank.no", "https://www.bank.no/"),
        ("*.bank.no", "http://a.b.bank.no/"),
        ("https://*.bank.no", "https://www.bank.no/"),
        ("myapp://consent", "myapp://consent/retur?x=1"),
        ("myapp://", "myapp://anywhere/retur"),
        ("myapp://", "myapp:///retur"),
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080/"),
        ("http://localhost:3000", "http://localhost:3000/retur"),
    ],
)
def test_a_pattern_allows_what_the_table_says(pattern: str, url: str) -> None:
    assert matches(pattern, url)


@pytest.mark.parametrize(
    ("pattern", "url"),
    [
        ("bank.no", "https://www.bank.no/"),
        ("bank.no", "https://ebank.no/"),
        ("bank.no", "https://bank.no.evil.example/"),
        ("bank.no", "myapp://bank.no/"),
        ("https://bank.no", "http://bank.no/"),
        ("*.bank.no", "https://bank.no/"),
        ("*.bank.no", "https://evilbank.no/"),
        ("*.bank.no", "https://bank.no.evil.example/"),
        ("https://*.bank.no", "http://www.bank.no/"),
        ("myapp://consent", "myapp://other/"),
        ("myapp://consent", "yourapp://consent/"),
        ("myapp://consent", "https://consent/"),
        ("myapp://", "https://bank.no/"),
    ],
)
def test_a_pattern_allows_nothing_else(pattern: str, url: str) -> None:
    assert not matches(pattern, url)


@pytest.mark.parametrize(
    ("pattern", "reason"),
    [
        ("bank.*", "misplaced_wildcard"),
        ("*bank.no", "misplaced_wildcard"),
        ("*", "misplaced_wildcard"),
        ("www.*.no", "misplaced_wildcard"),
        ("*.*.no", "misplaced_wildcard"),
        ("*.", "bad_host"),
        ("*.no", "wildcard_too_wide"),
        ("*.0.0.1", "bad_address"),
        ("*.127.0.0.1", "wildcard_too_wide"),
        ("*.myapp://consent", "bad_scheme"),
        ("myapp://*.consent", "wildcard_too_wide"),
        ("", "bad_host"),
        ("https://", "bad_host"),
        ("bank.no/", "has_path"),
        ("https://bank.no/retur", "has_path"),
        ("https://bank.no?x", "has_path"),
        ("user@bank.no", "user_information"),
        ("bank%2eno", "escaped_host"),
        ("blåbær.no", "not_ascii"),
        ("bank.no.", "dot_at_the_end"),
        ("[::1]", "ipv6_address"),
        ("https://[::1]:443", "ipv6_address"),
        ("2130706433", "bad_address"),
        ("bank..no", "bad_host"),
        ("-bank.no", "bad_host"),
        ("bank.no:", "bad_port"),
        ("bank.no:0", "bad_port"),
        ("bank.no:65536", "bad_port"),
        ("bank no", "unsafe_character"),
        ("bank.no\n", "unsafe_character"),
        ("https:\\\\bank.no", "unsafe_character"),
        ("javascript://consent", "forbidden_scheme"),
        ("data://consent", "forbidden_scheme"),
        ("my_app://consent", "bad_scheme"),
        ("a" * (MAX_PATTERN + 1), "too_long"),
        (f"{'a' * 64}.no", "bad_host"),
    ],
)
def test_an_invalid_pattern_is_refused_and_told(pattern: str, reason: str) -> None:
    with pytest.raises(InvalidPatternError) as caught:
        parse_pattern(pattern)
    assert caught.value.reason == reason
    assert caught.value.pattern == pattern[:60]


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("https://bank.no@evil.example/", "user_information"),
        ("https://bank.no:pass@evil.example/", "user_information"),
        ("https://@bank.no/", "user_information"),
        ("https://evil.example%2f.bank.no/", "escaped_host"),
        ("https://evil.example%252f.bank.no/", "escaped_host"),
        ("https://bank%2eno/", "escaped_host"),
        ("https://blåbær.no/", "not_ascii"),
        ("https://bank。no/", "not_ascii"),
        ("https://ｂank.no/", "not_ascii"),
        ("https://bаnk.no/", "not_ascii"),  # a Cyrillic а
        ("https://bank.no./", "dot_at_the_end"),
        ("https://[::1]/", "ipv6_address"),
        ("https://[::ffff:127.0.0.1]/", "ipv6_address"),
        ("https://2130706433/", "bad_address"),
        ("https://0x7f000001/", "bad_address"),
        ("https://127.1/", "bad_address"),
        ("https://0177.0.0.1/", "bad_address"),
        ("https://evil.example\\@bank.no/", "unsafe_character"),
        ("https:\\\\bank.no/", "unsafe_character"),
        ("https://ba\tnk.no/", "unsafe_character"),
        ("https://bank.no/\n", "unsafe_character"),
        (" https://bank.no/", "unsafe_character"),
        ("https://bank.no/\N{RIGHT-TO-LEFT OVERRIDE}x", "unsafe_character"),
        ("https:bank.no", "not_absolute"),
        ("https:///bank.no", "bad_host"),
        ("https:/bank.no", "not_absolute"),
        ("//bank.no", "not_absolute"),
        ("/retur", "not_absolute"),
        ("bank.no", "not_absolute"),
        ("", "not_absolute"),
        ("javascript:alert(1)", "forbidden_scheme"),
        ("JaVaScRiPt://bank.no/%0aalert(1)", "forbidden_scheme"),
        ("data:text/html,x", "forbidden_scheme"),
        ("vbscript:x", "forbidden_scheme"),
        ("file:///etc/passwd", "forbidden_scheme"),
        ("blob:https://bank.no/x", "forbidden_scheme"),
        ("https://bank.no:x/", "bad_port"),
        ("https://bank.no:443:443/", "bad_port"),
        ("myapp://user@consent/", "user_information"),
        ("myapp://consent:1/", "bad_host"),
        (f"https://bank.no/{'a' * MAX_URL}", "too_long"),
    ],
)
def test_a_url_that_tries_to_escape_is_refused_before_it_is_compared(url: str, reason: str) -> None:
    with pytest.raises(InvalidDestinationError) as caught:
        destination_of(url)
    assert caught.value.reason == reason


def test_letter_case_does_not_matter() -> None:
    assert destination_of("HTTPS://BANK.No/Retur") == Destination("https", "bank.no")
    assert matches("HTTPS://BANK.NO", "https://bank.no/")
    assert matches("*.BANK.no", "https://WWW.bank.NO/")
    assert str(parse_pattern("*.BANK.no")) == "*.bank.no"


def test_a_host_in_punycode_is_itself_and_no_other() -> None:
    assert matches("xn--blbr-roah.no", "https://xn--blbr-roah.no/")
    assert not matches("bank.no", "https://xn--bnk-8cd.no/")


def test_a_port_is_allowed_when_the_pattern_names_it() -> None:
    assert matches("https://bank.no", "https://bank.no:443/")
    assert matches("http://bank.no:80", "http://bank.no/")
    assert matches("bank.no:8443", "https://bank.no:8443/")
    assert not matches("bank.no", "https://bank.no:8443/")
    assert not matches("https://bank.no:8443", "https://bank.no/")
    assert not matches("https://bank.no", "https://bank.no:80/")


def test_on_a_loopback_host_a_pattern_without_a_port_allows_each() -> None:
    for host in ("localhost", "app.localhost", "127.0.0.1", "127.1.2.3"):
        assert matches(host, f"http://{host}:8080/retur")
        assert matches(f"http://{host}", f"http://{host}:53211/")
        assert not matches(f"https://{host}", f"http://{host}:8080/")
        assert not matches(f"{host}:3000", f"http://{host}:8080/")
        assert not matches(f"http://{host}:80", f"http://{host}.example:8080/")
    assert not matches("localhost", "http://evil.localhost:8080/")
    assert not matches("localhost", "http://localhost.example:8080/")
    assert not matches("localhost.example", "http://localhost.example:8080/")
    assert not matches("128.0.0.1", "http://128.0.0.1:8080/")


@given(st.text(max_size=80))
def test_any_text_is_a_pattern_that_reads_as_itself_or_none(text: str) -> None:
    try:
        pattern = parse_pattern(text)
    except InvalidPatternError:
        return
    assert parse_pattern(str(pattern)) == pattern


@given(st.sampled_from(["https://", "http://", "myapp://", "https:", "//", ""]), st.text(max_size=60))
def test_a_destination_s_host_is_in_the_url_as_it_is_written(scheme: str, rest: str) -> None:
    try:
        found = destination_of(scheme + rest)
    except InvalidDestinationError:
        return
    assert (scheme + rest).lower().startswith(f"{found.scheme}://{found.host}")

"""SRR's conditions as one text (consent.md §3.3)."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fullmakt.altinn.consents.srr.documents import MAX_DOMAINS, InvalidEntryError, condition_of
from fullmakt.altinn.consents.srr.domains import MAX_PATTERN, parse_pattern
from fullmakt.altinn.consents.srr.model import Condition
from fullmakt.altinn.consents.srr.soap.conditions import MAX_CONDITION, condition_document_of, condition_text
from fullmakt.kernel.identifiers import OrgNumber

PUBLISHED = "AllowedRedirectDomain:*.a.example;https://b.example,KeepSessionAlive,HandledBy:310149942"
SUPPLIER = OrgNumber("310149942")


@pytest.mark.parametrize(
    ("text", "document"),
    [
        (
            PUBLISHED,
            {
                "AllowedRedirectDomain": ["*.a.example", "https://b.example"],
                "KeepSessionAlive": True,
                "HandledBy": "310149942",
            },
        ),
        ("ALLOWEDREDIRECTDOMAIN:www.nav.no", {"AllowedRedirectDomain": ["www.nav.no"]}),
        ("allowedredirectdomain: myapp://consent ; a.no; ", {"AllowedRedirectDomain": ["myapp://consent", "a.no"]}),
        ("AllowedRedirectDomain:a.no;", {"AllowedRedirectDomain": ["a.no"]}),
        ("AllowedRedirectDomain:http://localhost:8080", {"AllowedRedirectDomain": ["http://localhost:8080"]}),
        ("keepsessionalive:FALSE, IsSender:true ,isrecipient", {"KeepSessionAlive": False, "IsSender": True,
                                                               "IsRecipient": True}),
        ("", None),
        (" \n", None),
    ],
)  # fmt: skip
def test_a_condition_is_read_as_the_rest_form_has_it(text: str, document: dict[str, Any] | None) -> None:
    assert condition_document_of("[0]", text) == document


@pytest.mark.parametrize(
    "text",
    [
        "Allowed:a.no",
        "a.no",
        "KeepSessionAlive;HandledBy:310149942",
        "KeepSessionAlive:yes",
        "KeepSessionAlive,keepsessionalive",
        "AllowedRedirectDomain",
        "AllowedRedirectDomain:",
        "AllowedRedirectDomain: ,KeepSessionAlive",
        "HandledBy",
        "HandledBy:310149942,HandledBy:310149942",
        ",",
        "KeepSessionAlive,",
        "AllowedRedirectDomain:" + "a" * MAX_CONDITION,
    ],
)
def test_what_is_no_condition_is_refused_with_altinns_code(text: str) -> None:
    with pytest.raises(InvalidEntryError) as caught:
        condition_document_of("[3]", text)
    (fault,) = caught.value.faults
    assert fault.code == "450211"
    assert fault.message.startswith("[3]: ")


@pytest.mark.parametrize("domains", [";", ";a.no", "a.no;;", "a.no; ;b.no"])
def test_a_domain_that_is_blank_allows_nothing(domains: str) -> None:
    with pytest.raises(InvalidEntryError):
        condition_of(condition_document_of("[0]", f"AllowedRedirectDomain:{domains}"))


def test_as_many_domains_as_an_entry_may_have_fit_in() -> None:
    domains = [f"{number}.{'a' * 60}.{'b' * 60}.example"[:MAX_PATTERN] for number in range(MAX_DOMAINS)]
    condition = condition_of(condition_document_of("", f"AllowedRedirectDomain:{';'.join(domains)}"))
    assert condition is not None
    assert len(condition.domains) == MAX_DOMAINS
    assert MAX_CONDITION > MAX_DOMAINS * (MAX_PATTERN + 1)


_PATTERNS = st.sampled_from(["a.no", "*.bank.example", "https://b.example", "http://localhost:8080", "myapp://consent"])
_CONDITIONS = st.builds(
    Condition,
    handled_by=st.none() | st.just(SUPPLIER),
    keep_session_alive=st.none() | st.just(True),
    domains=st.lists(_PATTERNS.map(parse_pattern), unique=True, max_size=5).map(tuple),
    is_recipient=st.none() | st.just(True),
    is_sender=st.none() | st.just(True),
)


@given(_CONDITIONS)
def test_what_is_written_is_read_again(condition: Condition) -> None:
    document = condition_document_of("", condition_text(condition))
    assert (condition_of(document) or Condition()) == condition


_ALPHABET = st.sampled_from("AllowedRedirectDomain:;,HandledBy310149942*.no/ \x00")


@given(st.text(_ALPHABET, max_size=60) | st.text(max_size=40))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        condition = condition_of(condition_document_of("", text))
    except InvalidEntryError as error:
        assert {fault.code for fault in error.faults} == {"450211"}  # noqa: PT017 - it may be none
        return
    assert (condition is None) == (not text.strip())

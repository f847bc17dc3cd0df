"""What an API key and its secret may be."""

from __future__ import annotations

import hashlib

import pytest

from fullmakt.altinn.consents.keys.model import (
    MAX_DOMAINS,
    MAX_NAME,
    ApiKeyDeclaration,
    ApiKeyRefusedError,
    DeclaredKey,
)
from fullmakt.altinn.consents.keys.rules import domains_of, hash_of
from fullmakt.kernel.declarations import Outcome
from fullmakt.kernel.identifiers import OrgNumber

BANK = OrgNumber("910753614")
SECRET = "6f1f6f1e-4a55-4d5e-9d2c-0d4c0f6a3b11"


def test_a_secret_is_a_guid_and_its_hash_is_what_is_kept() -> None:
    assert hash_of(SECRET) == hashlib.sha256(SECRET.encode()).digest()
    assert hash_of(f" {SECRET.upper()} ") == hash_of(SECRET)


@pytest.mark.parametrize(
    "text",
    ["", "secret", SECRET[:-1], SECRET + "0", f"{{{SECRET}}}", SECRET.replace("-", ""), SECRET.replace("6", "６")],
)
def test_what_is_no_guid_is_no_secret(text: str) -> None:
    assert hash_of(text) is None


@pytest.mark.parametrize(
    ("name", "domains", "reason"),
    [
        ("", (), "bad_name"),
        ("a\nb", (), "bad_name"),
        ("a" * (MAX_NAME + 1), (), "bad_name"),
        ("bank", tuple(f"{number}.bank.no" for number in range(MAX_DOMAINS + 1)), "too_many_domains"),
        ("bank", ("bank.no", "*bank.no"), "bad_domain"),
    ],
)
def test_a_declaration_that_breaks_a_rule_is_refused_and_told(name: str, domains: tuple[str, ...], reason: str) -> None:
    with pytest.raises(ApiKeyRefusedError) as caught:
        domains_of(ApiKeyDeclaration(name, BANK, domains))
    assert caught.value.reason == reason


def test_a_domain_counts_once() -> None:
    found = domains_of(ApiKeyDeclaration("bank", BANK, ("BANK.no", "bank.no", "*.bank.no")))
    assert [str(one) for one in found] == ["bank.no", "*.bank.no"]


def test_a_secret_is_not_in_what_a_declaration_looks_like() -> None:
    assert SECRET not in repr(DeclaredKey(Outcome.CREATED, SECRET))

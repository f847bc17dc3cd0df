"""Tokens that wait for their signatures."""

from __future__ import annotations

from collections.abc import Sequence

from fullmakt.maskinporten.tokens.drafts import Draft


class _Counting:
    """A signer that says how often it was asked, and for how many."""

    def __init__(self, kid: str) -> None:
        self.kid = kid
        self.alg = "none"
        self.asked: list[int] = []

    def sign(self, payload: bytes, header: bytes | None = None) -> bytes:
        self.asked.append(1)
        return b".".join([self.kid.encode(), payload, header or b""])

    def sign_all(self, tokens: Sequence[tuple[bytes, bytes | None]]) -> list[bytes]:
        made = [self.sign(*token) for token in tokens]
        self.asked = [*self.asked[: -len(tokens)], len(tokens)]
        return made


def test_all_of_a_signer_are_signed_at_once_and_each_is_its_own() -> None:
    old, new = _Counting("old"), _Counting("new")
    drafts = [Draft(old, b"1"), Draft(new, b"2", b"h"), Draft(old, b"3"), Draft(new, b"4")]
    Draft.sign_all(drafts)
    assert [draft.sign() for draft in drafts] == [b"old.1.", b"new.2.h", b"old.3.", b"new.4."]
    assert (old.asked, new.asked) == ([2], [2])


def test_what_is_signed_already_is_not_signed_again() -> None:
    signer = _Counting("one")
    early, late = Draft(signer, b"early"), Draft(signer, b"late")
    early.sign()
    Draft.sign_all([early, late])
    assert signer.asked == [1, 1]
    assert (early.sign(), late.sign()) == (b"one.early.", b"one.late.")


def test_nothing_is_signed_where_nothing_waits() -> None:
    Draft.sign_all([])

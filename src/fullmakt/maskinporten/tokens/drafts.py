"""Tokens that wait for their signatures, and are signed together."""

from __future__ import annotations

from collections.abc import Iterable

from fullmakt.jose.keys import Signer


class Draft:
    """A token that is decided on and waits to be signed; ``payload`` and ``header`` are as ``Signer.sign`` has them."""

    __slots__ = ("_signed", "header", "payload", "signer")

    def __init__(self, signer: Signer, payload: bytes, header: bytes | None = None) -> None:
        self.signer = signer
        self.payload = payload
        self.header = header
        self._signed: bytes | None = None

    def sign(self) -> bytes:
        """The token; signed at the first time of asking."""
        if self._signed is None:
            self._signed = self.signer.sign(self.payload, self.header)
        return self._signed

    @staticmethod
    def sign_all(drafts: Iterable[Draft]) -> None:
        """Sign those that are not yet, all of a signer at once."""
        waiting: dict[Signer, list[Draft]] = {}
        for draft in drafts:
            if draft._signed is None:
                waiting.setdefault(draft.signer, []).append(draft)
        for signer, group in waiting.items():
            for draft, token in zip(group, signer.sign_all([(d.payload, d.header) for d in group]), strict=True):
                draft._signed = token

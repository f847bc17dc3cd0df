"""What an operator can set about Altinn's tokens."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ExchangeConfig:
    """``url`` is the system's public URL without a slash at the end: ``https://platform.altinn.no/authentication``.

    ``collapse_arrays`` writes an array claim of one element as that element, as the real service does (§2.1).
    """

    url: str
    collapse_arrays: bool = True

    @property
    def issuer(self) -> str:
        """The ``iss`` of Altinn's tokens; it ends in a slash."""
        return f"{self.url}/api/v1/openid/"

    @property
    def jwks_uri(self) -> str:
        """Where the keys are published."""
        return f"{self.issuer}.well-known/openid-configuration/jwks"

"""What an operator can set about the token server."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from fullmakt.jose.keys import EC_ALGORITHMS, RSA_ALGORITHMS


@dataclass(frozen=True, slots=True)
class TokensConfig:
    """Settings of the token server; all durations in seconds.

    ``issuer`` ends in a slash, as Maskinporten's does; every URL in the metadata begins with it. The defaults are
    those of the real Maskinporten (maskinporten.md §2 and §3), save where a comment says otherwise.
    """

    issuer: str
    accept_token_endpoint_as_aud: bool = False
    reject_unknown_claims: bool = True
    iat_max_age: int | None = None
    accept_synthetic_ids: bool = True
    """Take a ``pid`` of the test registers (§2.2: in test)."""
    lifetime_mode: Literal["override", "cap"] = "override"
    iss_onbehalfof: bool = False
    virksys: bool = False
    """Take ``urn:altinn:virksys``, the form of seed 001 that the real Maskinporten never took into use (§5.2)."""
    allow_ec_keys: bool = False
    """An extension: admits ES256 grants, and ES256 signing keys. Maskinporten takes RSA only."""
    signing_alg: Literal["RS256", "ES256"] = "RS256"
    signing_key_bits: int = 2048
    jwks_max_age: int = 86_400
    rfc9068_resources: frozenset[str] = field(default_factory=frozenset)
    """An extension: tokens for these ``resource`` values come in the shape of RFC 9068."""
    revocation: bool = True
    crl_max_age: int = 300
    explain: bool = False
    """Tell the caller why, beside the protocol's own text. For developers' machines."""
    max_queue: int = 2_000
    """Requests that may wait for their claim; the next one is told to come back (503)."""
    cached_clients: int = 100_000

    @property
    def token_endpoint(self) -> str:
        """Where grants are posted."""
        return f"{self.issuer}token"

    @property
    def grant_algorithms(self) -> frozenset[str]:
        """The JWS algorithms that a grant may be signed with."""
        return RSA_ALGORITHMS | EC_ALGORITHMS if self.allow_ec_keys else RSA_ALGORITHMS

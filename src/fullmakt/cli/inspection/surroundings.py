"""What a thing is held against: the time, and the world it would be used in, when there is one."""

from __future__ import annotations

import datetime as dt
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass

from cryptography import x509

from fullmakt.jose.chains import TrustAnchors, ValidatedCertificate
from fullmakt.jose.keys import PublicKey
from fullmakt.maskinporten.tokens.config import TokensConfig
from fullmakt.maskinporten.tokens.ports import Consents, Delegations, Registry, SystemUsers
from fullmakt.provider import KeySource

Lists = Callable[[ValidatedCertificate], Awaitable[Sequence[x509.CertificateRevocationList]]]
"""Fetches the CRLs that a certificate names; raises ``CrlUnavailableError``."""

NO_WORLD = "there is no world here to ask"


@dataclass(frozen=True, slots=True)
class Known:
    """A world, as far as its token server decides by it. ``issuer_keys`` are its published keys by ``kid``.

    ``altinn_keys`` sign Altinn 2's consent tokens, by the names that those have for them. They, ``delegations``,
    ``system_users`` and ``consents`` are None where no Altinn is at hand.
    """

    config: TokensConfig
    registry: Registry
    anchors: TrustAnchors
    issuer_keys: Mapping[str, PublicKey]
    lists: Lists
    delegations: Delegations | None = None
    system_users: SystemUsers | None = None
    consents: Consents | None = None
    altinn_keys: KeySource | None = None


@dataclass(frozen=True, slots=True)
class Surroundings:
    """The time now, the world (None when there is none), and the client whose a key or certificate is said to be."""

    now: dt.datetime
    world: Known | None = None
    client_id: str | None = None

    @property
    def config(self) -> TokensConfig:
        """The settings to judge by; without a world those of the real Maskinporten, and no issuer."""
        return self.world.config if self.world is not None else TokensConfig(issuer="")

"""How the data source is set up."""

from __future__ import annotations

from dataclasses import dataclass

SCOPE = "lanekassen:lan/v1/saldoopplysninger"
SERVICE = "5498_1"
"""The consent service in Altinn 2 (lanekassen-saldo.md §3.2)."""
RESOURCE = "lanekassen_5498_1"
"""The same as a resource in Altinn 3 (consent.md §4.17)."""


@dataclass(frozen=True, slots=True)
class LanekassenConfig:
    """``url`` is the system's public URL, without a slash at its end: what a token's ``aud``, if any, has to name.

    ``strict`` refuses the word ``Bearer``, and quotes around the consent token; else both are passed over.
    ``unknown_key_status`` answers an API key that nobody has. ``total_is_zero`` writes 0 for every total, as the
    published sample does. ``rate`` requests a second, ``burst`` at once, are let through for each API key by each
    process. ``delay`` seconds are waited before each answer.
    """

    url: str = "http://localhost/lanekassen"
    strict: bool = True
    unknown_key_status: int = 400
    total_is_zero: bool = False
    rate: float = 20.0
    burst: int = 40
    delay: float = 0.0

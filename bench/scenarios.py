"""Everything that is measured, by name, in the order in which it is run."""

from __future__ import annotations

from collections.abc import Callable

from bench import consent_pages, consents, decisions, delegated, saldo, tokens
from bench.harness import Bench

SCENARIOS: dict[str, Callable[[Bench], None]] = {
    "rs256": tokens.rs256,
    "workers": tokens.workers,
    "lone": tokens.lone,
    "rate": tokens.rate,
    "es256": tokens.es256,
    "million": tokens.million,
    "race": tokens.race,
    "delegated": delegated.delegated,
    "decisions": decisions.decisions,
    "saldo": saldo.saldo,
    "consents": consents.consents,
    "consent-pages": consent_pages.consent_pages,
}

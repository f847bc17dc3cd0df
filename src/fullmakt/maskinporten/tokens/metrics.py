"""What the token endpoint counts, for Prometheus."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Histogram

_BUCKETS = (0.0005, 0.001, 0.002, 0.004, 0.008, 0.016, 0.032, 0.064, 0.128, 0.256, 0.512, 1.024, 2.048)


class TokenMetrics:
    """Tokens issued, requests refused by reason, and the seconds that either took."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._issued = Counter("fullmakt_tokens_issued", "Access tokens issued", registry=registry)
        self._refused = Counter("fullmakt_tokens_refused", "Token requests refused", ["reason"], registry=registry)
        seconds = Histogram(
            "fullmakt_token_request_seconds", "Time from request to answer", ["outcome"], buckets=_BUCKETS,
            registry=registry,
        )  # fmt: skip
        self._issued_seconds = seconds.labels("permit")
        self._refused_seconds = seconds.labels("deny")

    def issued(self, seconds: float) -> None:
        """One token left."""
        self._issued.inc()
        self._issued_seconds.observe(seconds)

    def refused(self, reason: str, seconds: float) -> None:
        """One request was refused."""
        self._refused.labels(reason).inc()
        self._refused_seconds.observe(seconds)

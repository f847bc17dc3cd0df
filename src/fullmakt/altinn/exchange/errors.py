"""Why no token comes of an exchange."""

from __future__ import annotations


class ExchangeRefusedError(Exception):
    """No token comes of it. ``reason`` is for the audit trail."""

    reason: str


class TokenRefusedError(ExchangeRefusedError):
    """The token shown is not to be believed, or lacks a claim: 401, empty."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class ScopeRefusedError(ExchangeRefusedError):
    """The ID-porten token has no scope that Altinn takes: 403, empty."""

    reason = "scope"


class UnknownProviderError(ExchangeRefusedError):
    """Nobody of that name is trusted: 400, with this text."""

    reason = "unknown_provider"

    def __init__(self, name: str) -> None:
        super().__init__(
            f"Invalid token provider: {name}."
            " Trusted token providers are 'Maskinporten', 'Id-porten' and 'AltinnStudio'."
        )


class EnterpriseUsersGoneError(ExchangeRefusedError):
    """Enterprise users (a name and a password beside the token) no longer exist: 410."""

    reason = "enterprise_users_gone"


class KeyNotWithdrawnError(Exception):
    """The signing key can not be withdrawn; the message says why, and what to do."""

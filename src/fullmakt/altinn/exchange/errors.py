"""Why no token comes of an exchange."""

from __future__ import annotations


class TokenRefusedError(Exception):
    """The token shown is not to be believed, or lacks a claim: 401, empty. ``reason`` is for the audit trail."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class ScopeRefusedError(Exception):
    """The ID-porten token has no scope that Altinn takes: 403, empty."""


class UnknownProviderError(Exception):
    """Nobody of that name is trusted: 400, with this text."""

    def __init__(self, name: str) -> None:
        super().__init__(
            f"Invalid token provider: {name}."
            " Trusted token providers are 'Maskinporten', 'Id-porten' and 'AltinnStudio'."
        )


class EnterpriseUsersGoneError(Exception):
    """Enterprise users (a name and a password beside the token) no longer exist: 410."""


class KeyNotWithdrawnError(Exception):
    """The signing key can not be withdrawn; the message says why, and what to do."""

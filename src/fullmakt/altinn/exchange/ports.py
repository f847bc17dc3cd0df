"""What Altinn's token issuer asks of its neighbours."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, Protocol

from fullmakt.kernel.identifiers import OrgNumber
from fullmakt.provider import VerifiedToken
from fullmakt.wire.altinn.attributes import Attribute
from fullmakt.wire.altinn.parties import PartyIdentity


class Parties(Protocol):
    """The register."""

    async def identify(self, attributes: Collection[Attribute]) -> dict[Attribute, PartyIdentity]:
        """Who the attributes name; unknown ones are left out."""
        ...


class ServiceOwners(Protocol):
    """The resource registry's list of service owners."""

    async def org_codes(self) -> Mapping[str, OrgNumber]:
        """Organisation number by code (``digdir``, ``skd``)."""
        ...


class MaskinportenVerifier(Protocol):
    """``fullmakt.provider.TokenVerifier`` is one."""

    async def verify(self, token: str | None) -> VerifiedToken:
        """What the token says.

        Raises:
            BearerError: it is not to be believed.
        """
        ...


class ClaimsVerifier(Protocol):
    """Verifies the tokens of another issuer (``AltinnTokens`` does for Altinn's own)."""

    async def claims(self, token: str) -> Mapping[str, Any]:
        """The token's claims, signature, issuer and time checked.

        Raises:
            TokenRefusedError: it is not to be believed.
        """
        ...

"""What access lists ask of their neighbours."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Protocol

from fullmakt.kernel.identifiers import OrgNumber
from fullmakt.wire.altinn.attributes import Attribute
from fullmakt.wire.altinn.parties import PartyIdentity
from fullmakt.wire.altinn.resources import RegisteredResource


class Parties(Protocol):
    """The register of parties."""

    async def identify(self, attributes: Collection[Attribute]) -> dict[Attribute, PartyIdentity]:
        """Who is meant by each, in one look-up; those that nobody answers to are left out."""
        ...


class Resources(Protocol):
    """The resource registry."""

    async def resources(self, identifiers: Collection[str]) -> Mapping[str, RegisteredResource]:
        """Those of the resources that there are."""
        ...

    async def org_codes(self) -> Mapping[str, OrgNumber]:
        """The service owners: organisation number by org code."""
        ...


class PlatformTokens(Protocol):
    """Checks the tokens by which the platform's own components know each other (``PlatformAccessToken``)."""

    async def issuer_of(self, token: str) -> str:
        """Who issued it: ``platform``, or an org code.

        Raises:
            InvalidCallerError: the token is not to be believed.
        """
        ...

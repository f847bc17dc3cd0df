"""Who and what consents refer to: parties by UUID, service editions by resource."""

from __future__ import annotations

from collections.abc import Sequence

from fullmakt.altinn.consents.altinn2.callers import Enterprise
from fullmakt.altinn.consents.altinn2.documents import Known
from fullmakt.altinn.consents.altinn2.errors import NotAdmittedError
from fullmakt.altinn.consents.model import Consent
from fullmakt.altinn.consents.ports import Neighbours
from fullmakt.altinn.consents.srr.services import Services
from fullmakt.wire.altinn.attributes import ORGANISATION, Attribute
from fullmakt.wire.altinn.parties import PartyIdentity

UNREGISTERED = "The organization is not in the register."


class PartiesOfConsents:
    """Looks them up, each once for all consents of a page."""

    def __init__(self, neighbours: Neighbours, services: Services) -> None:
        self._neighbours = neighbours
        self.services = services

    async def known(self, consents: Sequence[Consent]) -> Known:
        """Everything that the consents refer to, as far as it is registered."""
        parties = {
            party
            for one in consents
            for party in (one.giver, one.receiver, one.handled_by, one.required_delegator)
            if party is not None
        }
        resources = {right.resource for one in consents for right in one.rights}
        found = {one: await self.services.of_resource(one) for one in sorted(resources)}
        return Known(
            parties=await self._neighbours.by_uuid(parties) if parties else {},
            services={resource: service.key for resource, service in found.items() if service is not None},
        )

    async def of_caller(self, by: Enterprise) -> tuple[PartyIdentity, PartyIdentity | None]:
        """The organisation that calls, and the one that it acts for.

        Raises:
            NotAdmittedError: one of them is not registered.
        """
        own = Attribute(ORGANISATION, by.organisation)
        other = None if by.on_behalf_of is None else Attribute(ORGANISATION, by.on_behalf_of)
        found = await self._neighbours.parties.identify([own, *([other] if other is not None else [])])
        if own not in found or (other is not None and other not in found):
            raise NotAdmittedError("unknown_organisation", UNREGISTERED)
        return found[own], None if other is None else found[other]

"""What every endpoint of access management has at hand, and how one is guarded."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from fullmakt.altinn.delegations.http import problems
from fullmakt.altinn.delegations.model import Performer
from fullmakt.altinn.delegations.ports import Authority, Packages, Parties, Resources
from fullmakt.altinn.delegations.service import DelegationsService
from fullmakt.infra.altinn import Callers, ForbiddenError, caller_of
from fullmakt.infra.routes import folded_route
from fullmakt.kernel.identifiers import InvalidIdentifierError, NationalId, OrgNumber
from fullmakt.kernel.text import is_name
from fullmakt.wire.altinn import attributes as ids
from fullmakt.wire.altinn.attributes import Attribute
from fullmakt.wire.altinn.callers import Caller
from fullmakt.wire.altinn.parties import PartyIdentity
from fullmakt.wire.altinn.problems import AltinnProblemError
from fullmakt.wire.altinn.resources import RegisteredResource


@dataclass(frozen=True, slots=True)
class AccessManagement:
    """The system and its neighbours. ``package_owners`` says which service owner may give which packages (§14.4)."""

    service: DelegationsService
    parties: Parties
    resources: Resources
    authority: Authority
    packages: Packages
    callers: Callers
    package_owners: Mapping[OrgNumber, frozenset[str]] = field(default_factory=dict)

    async def party(self, attribute_id: str, value: str) -> PartyIdentity | None:
        """The party that an identifier names, None when it names none."""
        if not is_party_number(attribute_id, value):
            return None
        attribute = Attribute(attribute_id, value)
        return (await self.parties.identify([attribute])).get(attribute)

    async def by_uuid(self, uuids: Iterable[UUID]) -> dict[UUID, PartyIdentity]:
        """Those of ``uuids`` that are registered parties."""
        wanted = [Attribute(ids.PARTY_UUID, str(uuid)) for uuid in set(uuids)]
        found = (await self.parties.identify(wanted)).values() if wanted else ()
        return {party.party_uuid: party for party in found}

    async def organisation(self, number: str) -> PartyIdentity:
        """The organisation with that number.

        Raises:
            AltinnProblemError: there is none (AM-00023).
        """
        found = await self.party(ids.ORGANISATION, number.strip())
        if found is None:
            raise AltinnProblemError(problems.PARTY_NOT_FOUND)
        return found

    async def resource(self, identifier: str) -> RegisteredResource | None:
        """The resource with that identifier; None when there is none, or when it can not be one."""
        return await self.resources.resource(identifier) if is_name(identifier) else None


_NUMBERS: Mapping[str, Callable[[str], object]] = {
    ids.ORGANISATION: OrgNumber,
    ids.ORGANISATION_OLD: OrgNumber,
    ids.PERSON: NationalId,
    ids.PARTY_UUID: UUID,
    ids.PERSON_UUID: UUID,
    ids.ORGANISATION_UUID: UUID,
    ids.SYSTEM_USER: UUID,
}
_LARGEST = 2**31


def is_party_number(attribute_id: str, value: str) -> bool:
    """True when ``value`` has the form of what ``attribute_id`` names parties by."""
    if attribute_id in {ids.PARTY_ID, ids.USER_ID}:
        return value.isascii() and value.isdecimal() and len(value) < 11 and int(value) < _LARGEST
    try:
        return attribute_id in _NUMBERS and bool(_NUMBERS[attribute_id](value))
    except (InvalidIdentifierError, ValueError):
        return False


Endpoint = Callable[[AccessManagement, Caller, Request], Awaitable[Response]]


@dataclass(frozen=True, slots=True)
class Guarded:
    """Makes routes whose endpoints know their caller, and keeps in the audit trail who was refused."""

    system: AccessManagement

    def route(self, path: str, endpoint: Endpoint, method: str = "GET") -> Route:
        """``path`` with ``endpoint``, for one method."""

        async def handle(request: Request) -> Response:
            caller = await caller_of(request, self.system.callers)
            try:
                return await endpoint(self.system, caller, request)
            except ForbiddenError as refusal:
                await self.system.service.work.refused(
                    caller.actor, f"accessmanagement:{method.lower()}", path, refusal.reason, **refusal.facts
                )
                raise

        return folded_route(path, handle, methods=[method])

    def table(self, base: str, *rows: tuple[str, str, Endpoint]) -> list[Route]:
        """Several routes below ``base``: method, the rest of the path, and the endpoint."""
        return [self.route(f"{base}{rest}", endpoint, method) for method, rest, endpoint in rows]


def performer(caller: Caller) -> Performer:
    """The caller as who carries something out."""
    return Performer(caller.actor, caller.user_id)

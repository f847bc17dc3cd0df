"""Who may see to a party's system users: the decision point is asked as any other service asks it
(altinn-authorization.md §11)."""

from __future__ import annotations

from uuid import UUID

from fullmakt.altinn.systemusers.errors import NOT_ALLOWED, NOT_AUTHENTICATED
from fullmakt.altinn.systemusers.ports import Authority, Neighbours
from fullmakt.wire.altinn import attributes as ids
from fullmakt.wire.altinn.attributes import Attribute
from fullmakt.wire.altinn.callers import Caller
from fullmakt.wire.altinn.parties import PartyIdentity
from fullmakt.wire.altinn.problems import AltinnProblemError
from fullmakt.wire.altinn.xacml_json import required_level

ACCESS_MANAGEMENT = "altinn_access_management"
CLIENT_ADMINISTRATION = "altinn_client_administration"
TOO_LOW = "authentication_level"


async def require(
    authority: Authority, caller: Caller, action: str, party: UUID, resource: str = ACCESS_MANAGEMENT
) -> None:
    """Let nobody through but a person who may do ``action`` on ``resource`` for ``party``.

    Raises:
        AltinnProblemError: AUTH-00043, no person has logged in; AUTH-00044, the person may not.
    """
    refusal = await refusal_of(authority, caller, action, party, resource)
    if refusal is not None:
        raise refusal


async def refusal_of(
    authority: Authority, caller: Caller, action: str, party: UUID, resource: str = ACCESS_MANAGEMENT
) -> AltinnProblemError | None:
    """What keeps the caller from doing ``action``; None when nothing does."""
    subject = _person(caller)
    if subject is None:
        return AltinnProblemError(NOT_AUTHENTICATED)
    decision = await authority.may([subject], action, resource, party, actor=caller.actor)
    if not decision.permitted:
        return AltinnProblemError(NOT_ALLOWED, reason=decision.reason)
    if caller.auth_level < required_level(decision.obligations):
        return AltinnProblemError(NOT_ALLOWED, reason=TOO_LOW)
    return None


def _person(caller: Caller) -> Attribute | None:
    """The person who has logged in; a system user is none, nor an organisation by its own token."""
    if caller.system_user is not None:
        return None
    if caller.party_uuid is not None:
        return Attribute(ids.PARTY_UUID, str(caller.party_uuid))
    if caller.user_id is not None:
        return Attribute(ids.USER_ID, str(caller.user_id))
    return None


async def admitted(
    neighbours: Neighbours, party_id: int, caller: Caller, action: str, resource: str = ACCESS_MANAGEMENT
) -> PartyIdentity:
    """The party with that id, if the caller may do ``action`` on ``resource`` for it.

    Raises:
        AltinnProblemError: AUTH-00043 or 44; 44 too when there is no such party.
    """
    party = await neighbours.party(party_id)
    if party is None:
        raise AltinnProblemError(NOT_ALLOWED, reason="unknown_party")
    await require(neighbours.authority, caller, action, party.party_uuid, resource)
    return party


async def admitted_to_look(neighbours: Neighbours, party_id: int, caller: Caller) -> PartyIdentity:
    """The party with that id, if the caller may look at what it is asked for.

    Raises:
        AltinnProblemError: as ``admitted``.
    """
    party = await neighbours.party(party_id)
    if party is None:
        raise AltinnProblemError(NOT_ALLOWED, reason="unknown_party")
    await require_to_look(neighbours, caller, party.party_uuid)
    return party


async def require_to_look(neighbours: Neighbours, caller: Caller, party: UUID) -> None:
    """Let through who may see to the party's access management, and who has any role of the register's in the party:
    whoever got the link can then leave the answer to somebody who may give it (§8.3).

    Raises:
        AltinnProblemError: AUTH-00043 or 44.
    """
    refusal = await refusal_of(neighbours.authority, caller, "read", party)
    if refusal is None:
        return
    too_low = refusal.extensions.get("reason") == TOO_LOW
    if caller.system_user is not None or caller.party_uuid is None or too_low:
        raise refusal
    if not (await neighbours.parties.held(caller.party_uuid, party)).roles:
        raise refusal

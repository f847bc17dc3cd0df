"""Whom a token speaks for, as a decision point wants to hear it (altinn-authorization.md §11)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from fullmakt.provider.decisions_errors import InvalidSubjectError
from fullmakt.provider.decisions_model import Subject
from fullmakt.provider.verified_token import VerifiedToken
from fullmakt.wire.altinn import attributes as ids
from fullmakt.wire.altinn.attributes import Attribute
from fullmakt.wire.altinn.callers import (
    ORG_NUMBER,
    ORGANISATION_LEVEL,
    Caller,
    InvalidCallerError,
    caller_from_claims,
)

SCOPE = "urn:scope"
SESSION = "urn:altinn:sessionid"

_WHO = frozenset(
    {
        ORG_NUMBER, ids.ORGANISATION, ids.ORGANISATION_OLD, ids.ORGANISATION_UUID, ids.PARTY_ID, ids.PARTY_UUID,
        ids.PERSON, ids.PERSON_UUID, ids.SYSTEM_USER, ids.USER_ID,
    }
)  # fmt: skip
"""Claims that say who it is. One of them is sent: a decision point refuses a subject that is several."""


def subject_of(token: VerifiedToken | Mapping[str, Any]) -> Subject:
    """The subject of decisions about whoever presents ``token``: verified, or its claims, verified elsewhere.

    It is the person, by UUID, user id or party id; or the system user, and then nothing but that; or the organisation.
    The claims whose names begin with ``urn:`` go along under their own names, with the scopes and the token's id.

    Raises:
        InvalidSubjectError: the claims name nobody, or can not be understood.
    """
    claims = token.claims if isinstance(token, VerifiedToken) else token
    try:
        caller = caller_from_claims(claims)
    except InvalidCallerError as error:
        raise InvalidSubjectError("a claim of the token can not be understood") from error
    who = _who(caller)
    if who is None and caller.org_code is None:
        raise InvalidSubjectError("the token names no person, system user or organisation")
    if who is not None and who.id == ids.SYSTEM_USER:
        return Subject((who,), caller.auth_level)
    named = () if who is None else (who,)
    return Subject((*named, *_others(caller, claims)), caller.auth_level, caller.org_code is not None)


def thin_subject(token: VerifiedToken) -> Subject:
    """The subject of decisions about the enterprise system whose client presents an ordinary token.

    The decision point knows the system by its client, of the token's consumer, and permits what a system user of it may
    do for the party that is asked about (seed 001, thin tokens).
    """
    system = Attribute(ids.ENTERPRISE_SYSTEM, token.client_id)
    return Subject((system, Attribute(ids.ORGANISATION, str(token.consumer))), ORGANISATION_LEVEL)


def _who(caller: Caller) -> Attribute | None:
    urns = {attribute.id: attribute for attribute in caller.urns}
    if ids.PERSON_UUID in urns:
        return urns[ids.PERSON_UUID]
    if caller.user_id is not None:
        return Attribute(ids.USER_ID, str(caller.user_id))
    if caller.party_id is not None:
        return Attribute(ids.PARTY_ID, str(caller.party_id))
    if caller.system_user is not None:
        return Attribute(ids.SYSTEM_USER, str(caller.system_user))
    if caller.consumer is not None:
        return Attribute(ids.ORGANISATION, caller.consumer)
    return Attribute(ids.PARTY_UUID, str(caller.party_uuid)) if caller.party_uuid is not None else None


def _others(caller: Caller, claims: Mapping[str, Any]) -> Iterator[Attribute]:
    if caller.org_code is not None:
        yield Attribute(ids.SERVICE_OWNER, caller.org_code)
    if claims.get(ids.AUTH_LEVEL) is not None:
        yield Attribute(ids.AUTH_LEVEL, str(caller.auth_level))
    yield from (attribute for attribute in caller.urns if attribute.id not in _WHO)
    if caller.scopes:
        yield Attribute(SCOPE, " ".join(sorted(caller.scopes)))
    session = claims.get("sid") or claims.get("jti")
    if isinstance(session, str) and session.isprintable():
        yield Attribute(SESSION, session)

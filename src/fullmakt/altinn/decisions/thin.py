"""Thin tokens: an enterprise system, named by its client at Maskinporten, stands for its system users (seed 001).

The subject is the client's id, and beside it at the most the organisation whose client it is. What any of the system's
system users that act for the party may do, the system may; the organisation is permitted nothing by it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID

from fullmakt.altinn.decisions.errors import RefusedQuestionError
from fullmakt.altinn.decisions.memory import Memory
from fullmakt.altinn.decisions.model import Reason
from fullmakt.altinn.decisions.questions import PreparedQuestion, party_of, prepare
from fullmakt.altinn.decisions.rules.request import read_part
from fullmakt.wire.altinn import attributes as ids
from fullmakt.wire.altinn.systemusers import ActingSystem, Cause
from fullmakt.wire.altinn.xacml_json import Part, RequestAttribute, RequestCategory

MOST_ACTING = 100
"""System users of one system for one party that are looked at, the oldest; each costs a decision."""
_BESIDE = frozenset({ids.ORGANISATION, ids.ORGANISATION_OLD})


@dataclass(frozen=True, slots=True)
class Candidates:
    """The questions of which any permit will do: one for each system user, or the plain one. ``facts`` are for who asks
    why."""

    questions: Sequence[PreparedQuestion]
    facts: Mapping[str, Any] = field(default_factory=dict)


async def candidates_of(part: Part, memory: Memory, *, external: bool) -> Candidates:
    """What has to be decided to decide ``part``.

    Raises:
        RefusedQuestionError: it makes no sense, or there is no policy to decide it by.
    """
    subject = [one for category in part if category.category == ids.SUBJECT_CATEGORY for one in category.attributes]
    if not is_enterprise_system(subject):
        return Candidates([await prepare(part, memory, external=external)])
    names = read_part(part, external=external).party_names
    party = await party_of(names, memory)
    acting, facts = await _acting(subject, None if party is None else party.party_uuid, memory)
    prepared = await asyncio.gather(*(prepare(_with_subject(part, one), memory, external=external) for one in acting))
    return Candidates([replace(one, part=part) for one in prepared], facts)  # the caller wants its own subject back


async def acting_subjects(
    subject: Sequence[RequestAttribute], party: UUID, memory: Memory
) -> list[list[RequestAttribute]]:
    """Those for whom ``subject`` stands: the system users of an enterprise system, anybody else for itself.

    Raises:
        RefusedQuestionError: it makes no sense.
    """
    if not is_enterprise_system(subject):
        return [list(subject)]
    acting, _ = await _acting(subject, party, memory)
    return [[one] for one in acting]


def is_enterprise_system(subject: Sequence[RequestAttribute]) -> bool:
    """True when a client names the subject."""
    return any(one.id == ids.ENTERPRISE_SYSTEM for one in subject)


async def _acting(
    subject: Sequence[RequestAttribute], party: UUID | None, memory: Memory
) -> tuple[list[RequestAttribute], dict[str, Any]]:
    """The system users as subjects, and facts of the system; when there are none, a subject that is nobody, and why."""
    client, vendor = _client(subject)
    system = None if party is None else await memory.acting_system(client.value, party)
    facts: dict[str, Any] = {"client_id": client.value}
    if system is None or vendor not in (None, system.vendor) or not system.system_users:
        return [client], facts | {"cause": str(_cause(system, vendor))}
    users = [RequestAttribute(ids.SYSTEM_USER, str(user)) for user in system.system_users[:MOST_ACTING]]
    return users, facts | {"system": system.system_id}


def _client(subject: Sequence[RequestAttribute]) -> tuple[RequestAttribute, str | None]:
    """The client's id, and the number of the organisation that it is said to be of."""
    clients = {one.value for one in subject if one.id == ids.ENTERPRISE_SYSTEM}
    vendors = {one.value for one in subject if one.id in _BESIDE}
    others = {one.id for one in subject} - _BESIDE - {ids.ENTERPRISE_SYSTEM}
    if len(clients) > 1 or len(vendors) > 1 or others:
        raise RefusedQuestionError(
            Reason.INVALID_SUBJECT, "beside an enterprise system stands nothing but the organisation whose client it is"
        )
    return RequestAttribute(ids.ENTERPRISE_SYSTEM, clients.pop()), vendors.pop() if vendors else None


def _cause(system: ActingSystem | None, vendor: str | None) -> Cause:
    if system is None:
        return Cause.CLIENT_UNKNOWN
    return Cause.OTHER_VENDOR if vendor not in (None, system.vendor) else Cause.NO_SYSTEM_USER


def _with_subject(part: Part, subject: RequestAttribute) -> Part:
    others = tuple(category for category in part if category.category != ids.SUBJECT_CATEGORY)
    return (RequestCategory(ids.SUBJECT_CATEGORY, (subject,)), *others)

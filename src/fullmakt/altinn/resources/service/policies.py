"""Policies: upload, what the check says of them, and what is read out of them (altinn-resource-registry.md §5, §6)."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections import OrderedDict
from collections.abc import Collection, Mapping
from typing import Any

import anyio.to_thread

from fullmakt.altinn.resources.errors import PolicyNotAcceptedError
from fullmakt.altinn.resources.model import ResourceChange, StoredPolicy, SubjectChange, SubjectResources
from fullmakt.altinn.resources.ports import Subjects
from fullmakt.altinn.resources.rules.policy_check import PolicyReport, check, refusal
from fullmakt.altinn.resources.rules.rights import permits_unnamed
from fullmakt.altinn.resources.rules.rights import subjects as subjects_of
from fullmakt.altinn.resources.service.work import Change, Work
from fullmakt.altinn.resources.service.writing import locked, require_owner
from fullmakt.altinn.resources.store import policies
from fullmakt.kernel.declarations import Outcome
from fullmakt.kernel.text import is_storable
from fullmakt.wire.altinn.attributes import Attribute
from fullmakt.wire.altinn.callers import Caller
from fullmakt.wire.altinn.policy import InvalidPolicyError, Policy, parse_policy

_REMEMBERED = 32
"""Parsed policies kept for those who read rules and rights out of them."""
_SHORT = 64 * 1024
"""Bytes that are parsed where one stands; longer policies are parsed beside the event loop."""


class Policies:
    """Policies of resources. ``subjects`` tells which roles and packages there are."""

    def __init__(self, work: Work, subjects: Subjects) -> None:
        self._work = work
        self._subjects = subjects
        self._parsed: OrderedDict[tuple[str, int], Policy] = OrderedDict()

    async def upload(self, identifier: str, xml: bytes, caller: Caller) -> PolicyReport:
        """Let ``xml`` be the resource's policy.

        Raises:
            UnknownResourceError: there is no such resource.
            NotOwnerError: it is somebody else's.
            PolicyNotAcceptedError: the document is no policy, or one for something else.
        """
        async with self._work.changing("policy:upload", identifier, caller.actor) as change:
            _, owner = await locked(change, identifier)
            await require_owner(change, caller, owner)
        policy, report = await self.check(identifier, xml)
        async with self._work.changing("policy:upload", identifier, caller.actor) as change:
            _, owner = await locked(change, identifier)
            await require_owner(change, caller, owner)
            await _put(change, identifier, xml, policy, report)
        return report

    async def declare(self, identifier: str, xml: bytes, actor: str) -> Outcome:
        """Let ``xml`` be the policy of a resource that is there; the same again changes nothing.

        Raises:
            UnknownResourceError, PolicyNotAcceptedError: see ``upload``.
        """
        known = await self.policy(identifier)
        if known is not None and known.xml == xml:
            return Outcome.UNCHANGED
        policy, report = await self.check(identifier, xml)
        async with self._work.changing("policy:declare", identifier, actor) as change:
            await locked(change, identifier)
            await _put(change, identifier, xml, policy, report)
        return Outcome.CREATED if known is None else Outcome.CHANGED

    async def check(self, identifier: str, xml: bytes) -> tuple[Policy, PolicyReport]:
        """Check ``xml`` as a policy of the resource, and store nothing.

        Raises:
            PolicyNotAcceptedError: see ``upload``.
        """
        known = await self._subjects.known_subjects()
        if len(xml) <= _SHORT:
            return _checked(identifier, xml, known)
        return await anyio.to_thread.run_sync(_checked, identifier, xml, known)

    async def policy(self, identifier: str) -> StoredPolicy | None:
        """The resource's policy as it was uploaded."""
        if not is_storable(identifier):
            return None
        async with self._work.database.transaction() as connection:
            return await policies.policy(connection, identifier)

    async def parsed(self, identifier: str) -> Policy | None:
        """The resource's policy, read."""
        stored = await self.policy(identifier)
        if stored is None:
            return None
        key = (identifier, stored.version)
        policy = self._parsed.get(key)
        if policy is None:
            short = len(stored.xml) <= _SHORT
            policy = parse_policy(stored.xml) if short else await anyio.to_thread.run_sync(parse_policy, stored.xml)
            if not short:  # many times as large in memory as it is to send
                return policy
            self._parsed[key] = policy
            if len(self._parsed) > _REMEMBERED:
                self._parsed.popitem(last=False)
        return policy

    async def report(self, identifier: str) -> Mapping[str, Any] | None:
        """What the check said of the policy in force when it was uploaded, as JSON."""
        if not is_storable(identifier):
            return None
        async with self._work.database.transaction() as connection:
            return await policies.report(connection, identifier)

    async def subjects(self, identifier: str) -> list[Attribute]:
        """Who the resource's policy permits something: type and value, in lower case."""
        if not is_storable(identifier):
            return []
        async with self._work.database.transaction() as connection:
            return await policies.subjects(connection, identifier)

    async def by_subjects(self, urns: Collection[str]) -> list[SubjectResources]:
        """The resources whose policies permit something to each of the subjects, ``urn:altinn:rolecode:dagl``."""
        storable = {urn.lower() for urn in urns if is_storable(urn)}
        async with self._work.database.transaction() as connection:
            return await policies.by_subjects(connection, storable)

    async def permitting_unnamed(self) -> list[str]:
        """The resources whose policies may permit something to subjects that they do not name: anybody, say."""
        async with self._work.database.transaction() as connection:
            return await policies.permitting_unnamed(connection)

    async def updated(self, since: dt.datetime, after: tuple[str, Attribute] | None, limit: int) -> list[SubjectChange]:
        """Subjects that came into a policy or went out of one at ``since`` or later, oldest first."""
        async with self._work.database.transaction() as connection:
            return await policies.updated_subjects(connection, since, after, limit)

    async def changes(self, after: int, limit: int) -> list[ResourceChange]:
        """Resources that have had a policy, by their last change; those with a number beyond ``after``."""
        async with self._work.database.transaction() as connection:
            return await policies.changes(connection, after, limit)


def _checked(identifier: str, xml: bytes, known: Collection[Attribute]) -> tuple[Policy, PolicyReport]:
    try:
        policy = parse_policy(xml)
    except InvalidPolicyError as error:
        raise PolicyNotAcceptedError(f"Policy not accepted: {error}") from error
    reason = refusal(policy, identifier)
    if reason is not None:
        raise PolicyNotAcceptedError(reason)
    return policy, check(policy, identifier, known)


async def _put(change: Change, identifier: str, xml: bytes, policy: Policy, report: PolicyReport) -> None:
    moment = await change.begin(f"resource:{identifier}")
    number = await policies.put_policy(
        change.connection,
        identifier,
        xml,
        report.document(),
        moment.now,
        moment.change_id,
        permits_unnamed=permits_unnamed(policy),
    )
    await policies.put_subjects(change.connection, identifier, subjects_of(policy), moment.now)
    change.facts["policy_version"] = number
    change.facts["sha256"] = hashlib.sha256(xml).hexdigest()
    change.facts["warnings"] = sum(report.counts.values())

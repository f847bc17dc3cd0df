"""The use cases of the resource registry, each with a transaction of its own, and the one object that holds them."""

from __future__ import annotations

from fullmakt.altinn.resources.errors import InvalidResourceError
from fullmakt.altinn.resources.policies.platform import PLATFORM_CODE, PLATFORM_OWNER, platform_resources
from fullmakt.altinn.resources.ports import NoSubjects, Subjects
from fullmakt.altinn.resources.rules.service_owners import service_owner_faults
from fullmakt.altinn.resources.service.policies import Policies
from fullmakt.altinn.resources.service.reading import Reading
from fullmakt.altinn.resources.service.work import SYSTEM, Work
from fullmakt.altinn.resources.service.writing import Writing
from fullmakt.altinn.resources.store import owners
from fullmakt.infra.database import Database
from fullmakt.kernel.clock import Clock
from fullmakt.kernel.declarations import Outcome
from fullmakt.wire.altinn.resource_registry import ResourceDocument, ServiceOwner

__all__ = ["SYSTEM", "ResourcesService"]

PLATFORM_ACTOR = "platform"


class ResourcesService(Reading):
    """The registry as a whole; what neighbours ask for are its own methods.

    ``subjects`` is the register of roles and packages, against which policies are checked. ``deletable`` lets resources
    be removed, as in test environments.
    """

    def __init__(
        self, database: Database, clock: Clock, *, subjects: Subjects | None = None, deletable: bool = False
    ) -> None:
        work = Work(database, clock)
        super().__init__(work)
        self.writing = Writing(work, deletable=deletable)
        self.policies = Policies(work, subjects or NoSubjects())

    async def declare_service_owner(self, code: str, owner: ServiceOwner, *, actor: str = "operator") -> Outcome:
        """Let ``code`` be the org code of that organisation.

        Raises:
            InvalidResourceError: the code is not lower-case letters and digits, or the number not nine digits.
        """
        faults = service_owner_faults(code, owner)
        if faults:
            raise InvalidResourceError(faults)
        async with self._work.changing("serviceowner:declare", code, actor) as change:
            created = await owners.put(change.connection, code, owner)
            if created is None:
                return Outcome.UNCHANGED
            await change.begin(f"service-owner:{code}")
            return Outcome.CREATED if created else Outcome.CHANGED

    async def declare_resource(
        self, document: ResourceDocument, policy_xml: bytes | None = None, *, actor: str = "operator"
    ) -> Outcome:
        """Let the resource, and its policy if one is given, be as the operator says.

        Raises:
            InvalidResourceError: fields break their rules.
            PolicyNotAcceptedError: the policy is none, or one for something else; nothing is stored then.
        """
        identifier = document.identifier or ""
        if policy_xml is not None:
            await self.policies.check(identifier, policy_xml)
        outcome = await self.writing.declare(document, actor)
        if policy_xml is None:
            return outcome
        of_policy = await self.policies.declare(identifier, policy_xml, actor)
        unchanged = outcome is Outcome.UNCHANGED and of_policy is not Outcome.UNCHANGED
        return Outcome.CHANGED if unchanged else outcome

    async def ensure_platform_resources(self) -> None:
        """Let the platform's own resources be there, and their owner; for each start of the program.

        An owner that somebody has declared otherwise is left as it is.
        """
        registered = (await self.org_codes()).get(PLATFORM_CODE)
        if registered is None:
            await self.declare_service_owner(PLATFORM_CODE, PLATFORM_OWNER, actor=PLATFORM_ACTOR)
        for one in platform_resources(registered or PLATFORM_OWNER.orgnr):
            await self.declare_resource(one.document, one.policy, actor=PLATFORM_ACTOR)

    async def refused(self, action: str, subject: str, actor: str, reason: str) -> None:
        """Tell the audit trail that somebody was refused."""
        await self._work.refused(action, subject, actor, reason)

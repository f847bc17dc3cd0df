"""Requests for system users as the portal shows them, and lets picked people answer them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from fullmakt.altinn.parties.service import PartiesService
from fullmakt.altinn.resources.service import ResourcesService
from fullmakt.altinn.systemusers import errors
from fullmakt.altinn.systemusers.model import System
from fullmakt.altinn.systemusers.requests import rules
from fullmakt.altinn.systemusers.requests.model import ChangeRequest, RequestStatus, SystemUserRequest
from fullmakt.altinn.systemusers.requests.showing import Absent, Showing
from fullmakt.altinn.systemusers.service import SystemUsersService
from fullmakt.kernel.identifiers import OrgNumber
from fullmakt.portal.forms import Asked, Person, secure_origin
from fullmakt.portal.system_users import ONLY_PASSES_ON, Absence, Answer, Kind, RefusedError, ShownRequest, Things
from fullmakt.serve.neighbours import KnownPackages
from fullmakt.serve.picked_people import PickedPeople
from fullmakt.wire.altinn import attributes as ids
from fullmakt.wire.altinn.attributes import Attribute
from fullmakt.wire.altinn.callers import Caller
from fullmakt.wire.altinn.parties import PartyIdentity
from fullmakt.wire.altinn.problems import AltinnProblemError, ProblemKind
from fullmakt.wire.altinn.systemusers import UserType

_USER_TYPES = {Kind.STANDARD: UserType.STANDARD, Kind.AGENT: UserType.AGENT}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asking:
    """A request of any kind: who is asked, for what, and whether there still is a system (and system user) for it.

    ``resources`` and ``packages`` are given, ``lost_`` ones taken back; ``escalable``: it can be passed on to others.
    """

    request: SystemUserRequest | ChangeRequest
    system: System
    owner: OrgNumber
    title: str
    reference: str
    resources: Sequence[str]
    packages: Sequence[str]
    lost_resources: Sequence[str] = ()
    lost_packages: Sequence[str] = ()
    gone: bool = False
    escalated: bool = False
    escalable: bool = False


class SystemUserDesk:
    """The portal's ``SystemUserRequests``, on the system that keeps them."""

    def __init__(
        self,
        service: SystemUsersService,
        people: PickedPeople,
        parties: PartiesService,
        resources: ResourcesService,
        packages: KnownPackages,
    ) -> None:
        self._service = service
        self._showing = Showing(service.work)
        self._people = people
        self._parties = parties
        self._resources = resources
        self._packages = packages

    async def shown(self, kind: Kind, request_id: UUID) -> ShownRequest | Absence:
        """The request, with those who may answer it."""
        asking = await self._asking(kind, request_id)
        if isinstance(asking, Absent):
            return Absence(asking.value)
        request = asking.request
        vendor, organisation = Attribute(ids.ORGANISATION, asking.system.vendor), _organisation(asking)
        labels = await self._people.labels([vendor, organisation])
        is_open = request.status is RequestStatus.NEW and not asking.gone
        answers, people = await self._answers(asking) if is_open else ((), ())
        return ShownRequest(
            request_id=request_id,
            status=request.status,
            vendor=labels[vendor],
            organisation=labels[organisation],
            system=Asked(asking.system.id, asking.system.name),
            title=asking.title,
            created=request.created,
            until=request.created + rules.LIFE,
            comes=await self._things(asking.resources, asking.packages),
            goes=await self._things(asking.lost_resources, asking.lost_packages),
            reference=asking.reference if asking.reference != asking.owner else "",
            escalated=asking.escalated,
            gone=asking.gone,
            answers=answers,
            people=people,
            back=_back(request.redirect_url, asking.system),
        )

    async def answer(self, kind: Kind, request_id: UUID, answer: Answer, person: UUID) -> None:
        """Let the person answer for the organisation that is asked.

        Raises:
            RefusedError: it was not taken; the audit trail says who tried.
        """
        caller = await self._people.caller(person)
        try:
            if caller is None:
                raise AltinnProblemError(errors.NOT_ALLOWED, reason="unknown_person")
            asking = await self._asking(kind, request_id)
            if isinstance(asking, Absent):
                raise AltinnProblemError(_unknown(kind))
            await self._move(kind, asking, request_id, answer, caller)
        except AltinnProblemError as error:
            what = "change" if kind is Kind.CHANGE else "request"
            actor = caller.actor if caller is not None else f"party:{person}"
            await self._service.work.refused(
                actor, f"system-user-{what}:{answer}", f"request:{request_id}", error.kind.code, **error.extensions
            )
            raise RefusedError(error.kind.code, error.kind.status, _about(error)) from error

    async def _move(self, kind: Kind, asking: _Asking, request_id: UUID, answer: Answer, caller: Caller) -> None:
        party = await self._party(asking)
        if party is None:
            raise AltinnProblemError(errors.UNKNOWN_ORGANISATION)
        answering, changing = self._service.answering, self._service.changing
        if kind is Kind.CHANGE:
            decide = changing.approve if answer is Answer.APPROVE else changing.reject
            await decide(party.party_id, request_id, caller)
        elif answer is Answer.APPROVE:
            await answering.approve(party.party_id, request_id, _USER_TYPES[kind], caller)
        else:
            move = answering.reject if answer is Answer.REJECT else answering.escalate
            await move(party.party_id, request_id, _USER_TYPES[kind], caller)

    async def _asking(self, kind: Kind, request_id: UUID) -> _Asking | Absent:
        if kind is Kind.CHANGE:
            return await self._change(request_id)
        found = await self._showing.request(request_id, _USER_TYPES[kind])
        if isinstance(found, Absent):
            return found
        request = found.request
        return _Asking(
            request=request,
            system=found.system,
            owner=request.key.party,
            title=request.integration_title,
            reference=request.key.external_ref,
            resources=rules.resources(request.rights),
            packages=request.packages,
            gone=found.system.deleted,
            escalated=request.escalated,
            escalable=not request.escalated,
        )

    async def _change(self, change_request_id: UUID) -> _Asking | Absent:
        found = await self._showing.change(change_request_id)
        if isinstance(found, Absent):
            return found
        change, user = found.shown.change, found.shown.user
        asked = change.alteration
        required = rules.resources(asked.required_rights)
        return _Asking(
            request=change,
            system=found.system,
            owner=user.owner.orgno,
            title=user.integration_title,
            reference=user.external_ref,
            resources=required,
            packages=asked.required_packages,
            lost_resources=[name for name in rules.resources(asked.unwanted_rights) if name not in required],
            lost_packages=[name for name in asked.unwanted_packages if name not in asked.required_packages],
            gone=found.system.deleted or user.deleted,
        )

    async def _answers(self, asking: _Asking) -> tuple[tuple[Answer, ...], tuple[Person, ...]]:
        """What can be answered, and by whom: those who may not decide can pass a request on, once."""
        party = await self._party(asking)
        decide = (Answer.APPROVE, Answer.REJECT)
        if party is None:
            return decide, ()
        deciders = await self._people.able("write", party.party_uuid)
        if not asking.escalable:
            return decide, deciders
        lookers = (*await self._people.able("read", party.party_uuid), *await self._people.with_roles(asking.owner))
        known = {one.uuid for one in deciders}
        others = {one.uuid: replace(one, remark=ONLY_PASSES_ON) for one in lookers if one.uuid not in known}
        if not others:
            return decide, deciders
        return (*(decide if deciders else ()), Answer.ESCALATE), (*deciders, *others.values())

    async def _party(self, asking: _Asking) -> PartyIdentity | None:
        name = _organisation(asking)
        return (await self._parties.identify([name])).get(name)

    async def _things(self, resources: Sequence[str], packages: Sequence[str]) -> Things:
        known = await self._resources.resources(resources) if resources else {}
        return Things(
            tuple(Asked(name, dict(known[name].title) if name in known else {}) for name in resources),
            tuple(self._package(name) for name in packages),
        )

    def _package(self, name: str) -> Asked:
        package = self._packages.package(name)
        names = package.names if package is not None else None
        return Asked(name, {} if names is None else {"nb": names.nb, "nn": names.nn, "en": names.en})


def _back(redirect_url: str, system: System) -> str:
    """Where the answer leads to: nowhere, if the vendor has taken the URL from its system since it asked."""
    allowed = rules.redirect_fault(redirect_url, system) is None
    return redirect_url if allowed and secure_origin(redirect_url) else ""


def _organisation(asking: _Asking) -> Attribute:
    return Attribute(ids.ORGANISATION, asking.owner)


def _unknown(kind: Kind) -> ProblemKind:
    return errors.AGENT_REQUEST_NOT_FOUND if kind is Kind.AGENT else errors.REQUEST_NOT_FOUND


def _about(error: AltinnProblemError) -> tuple[str, ...]:
    """The resources and packages that a refusal names, without what every package's name begins with."""
    said = error.extensions
    named: Iterable[str] = (
        *(said[member] for member in ("resource", "package") if member in said),
        *said.get("NotFoundRights", ()),
        *said.get("NotFoundPackages", ()),
    )
    return tuple(name.removeprefix(f"{ids.ACCESS_PACKAGE}:") for name in named)

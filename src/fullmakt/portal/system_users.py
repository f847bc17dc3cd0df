"""The pages that ``confirmUrl`` of a vendor's request leads to: where an organisation says yes or no to a system user,
or to other rights for one (altinn-authentication.md §8, §9)."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from functools import partial
from typing import Protocol
from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp

from fullmakt.kernel.clock import NewId
from fullmakt.portal.app import edge
from fullmakt.portal.forms import Asked, Forms, Person, secure_origin, see_other, uuid_of
from fullmakt.portal.refusals import meaning

PATH = "/accessmanagement/ui/systemuser"
"""Where the pages lie below the portal's URL."""


class Kind(StrEnum):
    """What is asked for, as the page's path ends."""

    STANDARD = "request"
    AGENT = "agentrequest"
    CHANGE = "changerequest"


class Answer(StrEnum):
    """What somebody may do with a request."""

    APPROVE = "approve"
    REJECT = "reject"
    ESCALATE = "escalate"


class Absence(StrEnum):
    """Why there is nothing to show."""

    UNKNOWN = "unknown"
    TAKEN_BACK = "taken_back"


_DECISIONS = (Answer.APPROVE, Answer.REJECT)
_ANSWERS = {
    Kind.STANDARD: (*_DECISIONS, Answer.ESCALATE),
    Kind.AGENT: (*_DECISIONS, Answer.ESCALATE),
    Kind.CHANGE: _DECISIONS,
}
_STATUSES = {Absence.UNKNOWN: 404, Absence.TAKEN_BACK: 410}


@dataclass(frozen=True, slots=True)
class Things:
    """What a system user may use: resources, and access packages."""

    resources: tuple[Asked, ...] = ()
    packages: tuple[Asked, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownRequest:
    """A request as its page shows it.

    ``status`` is Altinn's word; ``system`` the system's id and names; ``gone``: the system, or the system user that is
    to be changed, is no more, so that a request nobody answered has lapsed. ``answers`` are empty once nobody can
    answer; ``back`` is the vendor's URL, if any.
    """

    request_id: UUID
    status: str
    vendor: str
    organisation: str
    system: Asked
    title: str
    created: datetime
    until: datetime
    comes: Things
    goes: Things = field(default_factory=Things)
    reference: str = ""
    escalated: bool = False
    gone: bool = False
    answers: tuple[Answer, ...] = ()
    people: tuple[Person, ...] = ()
    back: str = ""


class RefusedError(Exception):
    """The answer was not taken: Altinn's code for it (``AUTH-00013``), its HTTP status, and what it is about."""

    def __init__(self, code: str, status: int, about: tuple[str, ...] = ()) -> None:
        super().__init__(code)
        self.code = code
        self.status = status
        self.about = about


@dataclass(frozen=True, slots=True)
class Fault:
    """Why nothing was done: a text to translate, Altinn's code if it has one, and what it is about."""

    text: str
    code: str = ""
    about: tuple[str, ...] = ()


class SystemUserRequests(Protocol):
    """Requests for system users, and for changes of them."""

    async def shown(self, kind: Kind, request_id: UUID) -> ShownRequest | Absence:
        """The request of that kind."""
        ...

    async def answer(self, kind: Kind, request_id: UUID, answer: Answer, person: UUID) -> None:
        """Let the person answer.

        Raises:
            RefusedError: it was not taken.
        """
        ...


def _(message: str) -> str:
    """Mark a text for translation; it is translated where it is shown."""
    return message


ONLY_PASSES_ON = _("can not answer, only pass the request on")
"""What is remarked of people who may see what an organisation is asked for, and not answer."""
_FORGED = Fault(_("Nothing was done: the form is not from this browser. Try once more."))
_INCOMPLETE = Fault(_("Nothing was done: choose who you are, and what to answer."))


def system_user_pages(requests: SystemUserRequests | None, base_url: str, new_token: NewId) -> ASGIApp:
    """The app, to be mounted at ``{base_url}{PATH}``; ``requests`` is None where nobody can be picked.

    ``new_token`` makes what a form is recognised by.
    """
    page = _Page(requests, Forms(base_url, new_token))
    routes = [Route(f"/{kind}", partial(page.serve, kind), methods=["GET", "POST"]) for kind in Kind]
    return edge(page.forms.pages, routes)


class _Page:
    """One page of each kind, for reading and for answering."""

    def __init__(self, requests: SystemUserRequests | None, forms: Forms) -> None:
        self.forms = forms
        self._requests = requests

    async def serve(self, kind: Kind, request: Request) -> Response:
        """Show the request, or take the form that was filled in."""
        if self._requests is None:
            return self._render(request, kind, None, status=501)
        request_id = uuid_of(request.query_params.get("id", ""))
        if request_id is None:
            return self._render(request, kind, Absence.UNKNOWN)
        shown = await self._requests.shown(kind, request_id)
        if request.method == "POST" and isinstance(shown, ShownRequest):
            return await self._answered(request, kind, shown, self._requests)
        return self._render(request, kind, shown)

    async def _answered(
        self, request: Request, kind: Kind, shown: ShownRequest, requests: SystemUserRequests
    ) -> Response:
        form = await self.forms.filled(request)
        if form is None:
            return self._render(request, kind, shown, _FORGED, 403)
        person, answer = uuid_of(form.get("person", "")), form.get("answer")
        if person is None or answer not in _ANSWERS[kind]:
            return self._render(request, kind, shown, _INCOMPLETE, 400)
        try:
            await requests.answer(kind, shown.request_id, Answer(answer), person)
        except RefusedError as error:
            fault = Fault(meaning(error.code), error.code, error.about)
            return self._render(request, kind, await requests.shown(kind, shown.request_id), fault, error.status)
        decided = answer != Answer.ESCALATE
        return see_other(shown.back if decided and shown.back else f"?{request.url.query}")

    def _render(
        self,
        request: Request,
        kind: Kind,
        found: ShownRequest | Absence | None,
        fault: Fault | None = None,
        status: int = 200,
    ) -> Response:
        shown = found if isinstance(found, ShownRequest) else None
        return self.forms.render(
            request,
            "system_user.html",
            status=_STATUSES[found] if isinstance(found, Absence) else status,
            names={"id": shown.request_id} if shown is not None else {},
            fillable=shown is not None and bool(shown.answers),
            leads_to=secure_origin(shown.back) if shown is not None else "",
            kind=kind,
            shown=shown,
            absence=found if isinstance(found, Absence) else None,
            fault=fault,
        )

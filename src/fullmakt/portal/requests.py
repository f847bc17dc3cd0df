"""The page where a request for access is answered: what ``links.detailsLink`` of such a request leads to."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol
from urllib.parse import urlencode
from uuid import UUID

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from fullmakt.kernel.clock import NewId
from fullmakt.portal.app import edge
from fullmakt.portal.forms import Asked, Forms, Person, see_other, uuid_of
from fullmakt.portal.pages import SECURITY_HEADERS, Pages

PATH = "/accessmanagement/ui/requests"
"""Where the page lies below the portal's URL."""


class Answer(StrEnum):
    """What somebody may do with a request."""

    CONFIRM = "confirm"
    WITHDRAW = "withdraw"
    APPROVE = "approve"
    REJECT = "reject"


@dataclass(frozen=True, slots=True)
class ShownRequest:
    """A request as the page shows it. ``status`` is Altinn's word; ``answers`` and ``people`` are empty once it is
    settled; ``back`` is the service that sent the user here, ``message`` what it says."""

    request_id: UUID
    status: str
    receiver: str
    giver: str
    by: str
    asked: tuple[Asked, ...]
    answers: tuple[Answer, ...] = ()
    people: tuple[Person, ...] = ()
    message: str = ""
    back: str = ""


class NotAnsweredError(Exception):
    """The answer was not taken. ``changed``: the request has moved meanwhile; else the person may not give it."""

    def __init__(self, *, changed: bool) -> None:
        super().__init__("the request has moved" if changed else "the person may not answer so")
        self.changed = changed


class AccessRequests(Protocol):
    """Requests for access."""

    async def shown(self, request_id: UUID) -> ShownRequest | None:
        """The request; None when there is none."""
        ...

    async def answer(self, request_id: UUID, answer: Answer, person: UUID) -> None:
        """Let the person answer.

        Raises:
            NotAnsweredError: it was not taken.
        """
        ...


def request_pages(requests: AccessRequests | None, base_url: str, new_token: NewId) -> ASGIApp:
    """The app, to be mounted at ``{base_url}{PATH}``; ``requests`` is None where nobody can be picked.

    ``new_token`` makes what a form is recognised by.
    """
    page = _Page(requests, Forms(base_url, new_token))
    routes = [Route(f"/{kind}", page.serve, methods=["GET", "POST"]) for kind in ("resource", "package")]
    return edge(page.forms.pages, routes)


def old_request_pages(base_url: str) -> ASGIApp:
    """Altinn 2's address of the same page, ``…/ui/DelegationRequest/send/{id}``."""

    async def send(request: Request) -> Response:
        query = urlencode({"requestId": request.path_params["request_id"]})
        return RedirectResponse(f"{base_url}{PATH}/resource?{query}", 302, SECURITY_HEADERS)

    return edge(Pages(f"{base_url}/"), [Route("/{request_id:uuid}", send)])


class _Page:
    """One page for reading and for answering."""

    def __init__(self, requests: AccessRequests | None, forms: Forms) -> None:
        self.forms = forms
        self._requests = requests

    async def serve(self, request: Request) -> Response:
        """Show the request, or take the form that was filled in."""
        if self._requests is None:
            return self._render(request, None, "", status=501, login=False)
        request_id = uuid_of(request.query_params.get("requestId", ""))
        shown = await self._requests.shown(request_id) if request_id is not None else None
        if shown is None:
            return self._render(request, None, "", status=404)
        if request.method == "POST":
            return await self._answered(request, shown, self._requests)
        return self._render(request, shown, "")

    async def _answered(self, request: Request, shown: ShownRequest, requests: AccessRequests) -> Response:
        form = await self.forms.filled(request)
        if form is None:
            return self._render(request, shown, "form", status=403)
        person = uuid_of(form.get("person", ""))
        if person is None or form.get("answer") not in list(Answer):
            return self._render(request, shown, "person", status=400)
        try:
            await requests.answer(shown.request_id, Answer(form["answer"]), person)
        except NotAnsweredError as error:
            now = await requests.shown(shown.request_id)
            fault, status = ("changed", 409) if error.changed else ("forbidden", 403)
            return self._render(request, now, fault, status=status)
        return see_other(f"?{request.url.query}")

    def _render(
        self, request: Request, shown: ShownRequest | None, fault: str, *, status: int = 200, login: bool = True
    ) -> Response:
        return self.forms.render(
            request,
            "request.html",
            status=status,
            names={"requestId": shown.request_id} if shown is not None else {},
            fillable=shown is not None and bool(shown.answers),
            shown=shown,
            fault=fault,
            login=login,
        )

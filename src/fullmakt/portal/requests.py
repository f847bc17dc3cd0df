"""The page where a request for access is answered: what ``links.detailsLink`` of such a request leads to.

People are picked here, for there is no login yet: it is for developers' machines and test environments alone.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol
from urllib.parse import parse_qs, urlencode, urlsplit
from uuid import UUID

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from fullmakt.kernel.clock import NewId
from fullmakt.portal.app import edge
from fullmakt.portal.pages import SECURITY_HEADERS, Pages

PATH = "/accessmanagement/ui/requests"
"""Where the page lies below the portal's URL."""
_COOKIE = "fullmakt_form"
_FRESH = "no-store"
_MAX_BODY = 4_096
_MAX_FIELDS = 10


class Answer(StrEnum):
    """What somebody may do with a request."""

    CONFIRM = "confirm"
    WITHDRAW = "withdraw"
    APPROVE = "approve"
    REJECT = "reject"


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who may answer; ``number`` is masked unless it is made up."""

    uuid: UUID
    name: str
    number: str


@dataclass(frozen=True, slots=True)
class Asked:
    """One thing that is asked for: its identifier, its title by language, and the actions; none stands for all."""

    identifier: str
    title: Mapping[str, str]
    actions: tuple[str, ...] = ()

    def title_in(self, language: str) -> str:
        """The title in a language, or in another, or the identifier."""
        return self.title.get(language) or next(iter(self.title.values()), "") or self.identifier


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
    secure = urlsplit(base_url).scheme == "https"
    page = _Page(requests, Pages(f"{base_url}/"), new_token, secure=secure)
    routes = [Route(f"/{kind}", page.serve, methods=["GET", "POST"]) for kind in ("resource", "package")]
    return edge(page.pages, routes)


def old_request_pages(base_url: str) -> ASGIApp:
    """Altinn 2's address of the same page, ``…/ui/DelegationRequest/send/{id}``."""

    async def send(request: Request) -> Response:
        query = urlencode({"requestId": request.path_params["request_id"]})
        return RedirectResponse(f"{base_url}{PATH}/resource?{query}", 302, SECURITY_HEADERS)

    return edge(Pages(f"{base_url}/"), [Route("/{request_id:uuid}", send)])


class _Page:
    """One page for reading and for answering."""

    def __init__(self, requests: AccessRequests | None, pages: Pages, new_token: NewId, *, secure: bool) -> None:
        self.pages = pages
        self._requests = requests
        self._new_token = new_token
        self._secure = secure

    async def serve(self, request: Request) -> Response:
        """Show the request, or take the form that was filled in."""
        if self._requests is None:
            return self._render(request, None, "", status=501, login=False)
        request_id = _uuid(request.query_params.get("requestId", ""))
        shown = await self._requests.shown(request_id) if request_id is not None else None
        if shown is None:
            return self._render(request, None, "", status=404)
        if request.method == "POST":
            return await self._answered(request, shown, self._requests)
        return self._render(request, shown, "")

    async def _answered(self, request: Request, shown: ShownRequest, requests: AccessRequests) -> Response:
        form = await _form(request)
        if not self._is_ours(request, form.get("token", "")):
            return self._render(request, shown, "form", status=403)
        person = _uuid(form.get("person", ""))
        if person is None or form.get("answer") not in list(Answer):
            return self._render(request, shown, "person", status=400)
        try:
            await requests.answer(shown.request_id, Answer(form["answer"]), person)
        except NotAnsweredError as error:
            now = await requests.shown(shown.request_id)
            fault, status = ("changed", 409) if error.changed else ("forbidden", 403)
            return self._render(request, now, fault, status=status)
        return RedirectResponse(f"?{request.url.query}", 303, SECURITY_HEADERS)

    def _is_ours(self, request: Request, token: str) -> bool:
        """Whether the form is one that this browser was given: no other site can know what its cookie holds."""
        known = request.cookies.get(_COOKIE, "")
        return bool(known) and hmac.compare_digest(known.encode(), token.encode(errors="replace"))

    def _render(
        self, request: Request, shown: ShownRequest | None, fault: str, *, status: int = 200, login: bool = True
    ) -> Response:
        token = request.cookies.get(_COOKIE) or self._new_token()
        query = urlencode({"requestId": shown.request_id}) if shown is not None else ""
        page = self.pages.render(
            request, "request.html", status=status, cache=_FRESH, shown=shown, fault=fault, login=login, token=token,
            keep=f"{query}&" if query else "",
        )  # fmt: skip
        if shown is not None and shown.answers:
            policy = SECURITY_HEADERS["Content-Security-Policy"]
            page.headers["Content-Security-Policy"] = policy.replace("form-action 'none'", "form-action 'self'")
            page.set_cookie(
                _COOKIE, token, path=request.scope.get("root_path") or "/", secure=self._secure, httponly=True,
                samesite="strict",
            )  # fmt: skip
        return page


async def _form(request: Request) -> dict[str, str]:
    """The form's fields; nothing of one that no page of ours could have sent."""
    body = await request.body()
    if len(body) > _MAX_BODY:
        return {}
    try:
        fields = parse_qs(body.decode("ascii"), max_num_fields=_MAX_FIELDS, errors="strict")
    except ValueError:
        return {}
    return {name: values[0] for name, values in fields.items() if len(values) == 1}


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None

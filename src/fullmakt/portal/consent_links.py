"""The page of requests of old, which are a link alone until somebody says yes (consent.md §2.7, decision 8).

Whoever follows such a link may be anybody: the page reads the same whomever it is for, and people say who they are by
their number, as at a login for tests. Who is wrong is told so in one way, whatever the reason.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol
from urllib.parse import urlencode
from uuid import UUID

import structlog
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from fullmakt.kernel.clock import NewId
from fullmakt.portal.consents import FORGED, INCOMPLETE, REFUSED, Answer, Refused, RefusedError, Right
from fullmakt.portal.forms import Forms, see_other, web_origin
from fullmakt.portal.languages import LANGUAGES, choose, of_language_code
from fullmakt.portal.pages import SECURITY_HEADERS

_MAX_QUERY = 16_000
"""Characters of a link's query."""

Members = Sequence[tuple[str, str]]
"""The members of a link's query, in their order."""

_log = structlog.get_logger("fullmakt.portal")


class Flaw(StrEnum):
    """What is wrong with a link."""

    UNREADABLE = "unreadable"
    TIME = "time"
    SERVICE = "service"
    PARAMETER = "parameter"
    TEMPLATE = "template"
    REDIRECT = "redirect"
    RECEIVER = "receiver"
    NUMBER = "number"


@dataclass(frozen=True, slots=True)
class Fault:
    """A flaw, with Altinn's code for it, and what there is to say to whoever made the link, in English."""

    flaw: Flaw
    code: str
    detail: str

    @property
    def text(self) -> str:
        """What is said to the one who followed it, to be translated."""
        return _FLAWS[self.flaw]


class BadLinkError(Exception):
    """The link can not be used."""

    def __init__(self, *faults: Fault) -> None:
        super().__init__("; ".join(one.code for one in faults))
        self.faults = faults


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownLink:
    """A link's request as the page shows it, in one language; all but ``Right.html`` is text.

    ``read`` stands for everything that is read: an answer is to that. ``back`` is where the browser is sent, whatever
    the answer, and ``failed`` when something goes wrong here.
    """

    title: str
    heading: str
    message: str
    intro: str
    rights: tuple[Right, ...]
    expiration: str
    read: str
    back: str
    failed: str
    handled_by: str = ""
    is_power_of_attorney: bool = False


@dataclass(frozen=True, slots=True)
class Onward:
    """Where an answer takes the browser. ``consent_id`` is the consent after a yes."""

    url: str
    consent_id: UUID | None = None


class ConsentLinks(Protocol):
    """Requests that are links."""

    async def shown(self, members: Members, language: str) -> ShownLink:
        """The request in words.

        Raises:
            BadLinkError: the link can not be used.
        """
        ...

    async def answer(self, members: Members, answer: Answer, number: str, *, language: str, read: str) -> Onward:
        """Let the person with that number answer what was ``read``.

        Raises:
            BadLinkError: the link can not be used any more.
            RefusedError: the answer was not taken.
        """
        ...


def _(message: str) -> str:
    """Mark a text for translation; it is translated where it is shown."""
    return message


_FLAWS: Mapping[Flaw, str] = {
    Flaw.UNREADABLE: _("Something in the link is missing, or can not be read."),
    Flaw.TIME: _("The time until which consent is asked for is over, or is none."),
    Flaw.SERVICE: _("What is asked for is nothing that can be consented to."),
    Flaw.PARAMETER: _("The link leaves out something that the service has to be told."),
    Flaw.TEMPLATE: _("What is asked for can not be asked for by a link."),
    Flaw.REDIRECT: _("The address that the link leads back to is not known to be the receiver's."),
    Flaw.RECEIVER: _("The one who would receive the information may not ask for it."),
    Flaw.NUMBER: _("A number in the link is none, or no organisation's."),
}
_REFUSED = {
    **REFUSED,
    Refused.PERSON: (
        _("Nothing was done: the link is for somebody else, or you may not answer it. Say once more who you are."),
        403,
    ),
    Refused.ANSWERED: (_("You have said yes to this already. It stands until you take it back."), 409),
}


def link_routes(links: ConsentLinks | None, base_url: str, new_token: NewId) -> list[Route]:
    """What goes to the consent pages of Altinn 2; ``links`` is None where nobody can say who they are."""
    return [Route("/", _LinkPage(links, Forms(base_url, new_token)).serve, methods=["GET", "POST"])]


class _LinkPage:
    """One page for reading and for answering."""

    def __init__(self, links: ConsentLinks | None, forms: Forms) -> None:
        self._forms = forms
        self._links = links

    async def serve(self, request: Request) -> Response:
        """Show what the link asks for, or take the form that was filled in."""
        if self._links is None:
            return self._render(request, (), None, status=501, login=False)
        if len(request.url.query) > _MAX_QUERY:
            fault = Fault(Flaw.UNREADABLE, "90000", f"The query has more than {_MAX_QUERY} characters.")
            return self._render(request, (), None, faults=(fault,), status=400)
        members = tuple([one for one in request.query_params.multi_items() if one[0] != "lang"])
        asked = request.query_params.get("lang")
        wanted = _language(members)
        if wanted is not None and asked not in LANGUAGES and request.method != "POST":
            query = urlencode([*members, ("lang", wanted)])
            return RedirectResponse(f"?{query}", 302, SECURITY_HEADERS)
        language = choose(asked, request.headers.get("accept-language", ""))
        try:
            shown = await self._links.shown(members, language)
            if request.method == "POST":
                return await self._answered(request, members, shown, language, self._links)
        except BadLinkError as error:
            return self._render(request, members, None, faults=error.faults, status=400)
        return self._render(request, members, shown)

    async def _answered(
        self, request: Request, members: Members, shown: ShownLink, language: str, links: ConsentLinks
    ) -> Response:
        form = await self._forms.filled(request)
        if form is None:
            return self._render(request, members, shown, FORGED, status=403)
        if not form.get("number") or form.get("answer") not in list(Answer):
            return self._render(request, members, shown, INCOMPLETE, status=400)
        answer, number, read = Answer(form["answer"]), form["number"].strip(), form.get("read", "")
        try:
            onward = await links.answer(members, answer, number, language=language, read=read)
        except RefusedError as error:
            text, status = _REFUSED[error.why]
            return self._render(request, members, shown, text, status=status)
        except BadLinkError:
            raise
        except Exception:  # whatever goes wrong here, whoever asked is told that it did (§2.6)
            if not web_origin(shown.failed):
                raise
            _log.exception("consent_answer_failed")
            return see_other(shown.failed)
        if web_origin(onward.url):
            return see_other(onward.url)
        # An app's own scheme has no origin that the form could be let go to: a page has a link to it instead.
        if onward.consent_id is None:
            return self._render(request, members, shown, declined=onward.url)
        query = urlencode({"id": onward.consent_id, "lang": language})
        return see_other(f"{request.scope.get('root_path', '')}/request?{query}")

    def _render(
        self,
        request: Request,
        members: Members,
        shown: ShownLink | None,
        fault: str = "",
        *,
        faults: Sequence[Fault] = (),
        declined: str | None = None,
        status: int = 200,
        login: bool = True,
    ) -> Response:
        return self._forms.render(
            request,
            "consent_link.html",
            status=status,
            names=dict(members),
            fillable=shown is not None and declined is None,
            leads_to=web_origin(shown.back) if shown is not None else "",
            shown=shown,
            fault=fault,
            faults=faults,
            declined=declined,
            login=login,
        )


def _language(members: Members) -> str | None:
    """The language that the link asks for, whether or not the rest of it can be read."""
    codes = [value for name, value in members if name.lower() == "languagecode"]
    return of_language_code(codes[0]) if codes else None

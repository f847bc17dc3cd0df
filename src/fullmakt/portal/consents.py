"""The page where somebody is asked for consent, in either of Altinn's forms (consent.md §2.5, §2.6, §4.8)."""

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
from starlette.types import ASGIApp

from fullmakt.kernel.clock import NewId
from fullmakt.portal.app import edge
from fullmakt.portal.forms import Forms, Person, see_other, uuid_of, web_origin
from fullmakt.portal.languages import LANGUAGES, choose, of_language_code
from fullmakt.portal.pages import SECURITY_HEADERS

PATH = "/accessmanagement/ui/consent"
"""Where the page lies below the portal's URL, for Altinn 3's form."""
ALTINN2_PATH = "/ui/AccessConsent"
"""Where it lies below Altinn 2's URL."""
IN_PORTAL = "inPortal"
"""The member of the query by which the giver's list in the portal opens a request: its reader stays in the portal."""

_log = structlog.get_logger("fullmakt.portal")


class State(StrEnum):
    """How a request stands, to the person who reads it."""

    WAITING = "waiting"
    ACCEPTED = "accepted"
    REJECTED = "rejected"
    ENDED = "ended"
    EXPIRED = "expired"
    WITHDRAWN = "withdrawn"


class Answer(StrEnum):
    """What somebody may say."""

    ACCEPT = "accept"
    REJECT = "reject"


@dataclass(frozen=True, slots=True)
class Right:
    """One thing that is consented to: its title, and its text as HTML that is safe to show."""

    title: str
    html: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownConsent:
    """A request as the page shows it, in one language; all but ``Right.html`` is text.

    ``people`` may answer, and are none once nobody can. ``read`` stands for everything that is read: an answer is to
    that. ``onward`` is where the browser goes after the answer that was given, ``after`` where each answer would take
    it, ``failed`` where it goes when something goes wrong here; all are nothing where it may not be sent.
    ``is_listed``: the giver's list in the portal has it.
    """

    consent_id: UUID
    state: State
    title: str
    heading: str
    message: str
    intro: str
    rights: tuple[Right, ...]
    expiration: str
    handled_by: str
    is_power_of_attorney: bool
    read: str
    people: tuple[Person, ...] = ()
    onward: str = ""
    after: Mapping[Answer, str]
    failed: str = ""
    is_listed: bool = False


class Refused(StrEnum):
    """Why an answer was not taken."""

    PERSON = "person"
    ANSWERED = "answered"
    EXPIRED = "expired"
    CLOSED = "closed"
    CHANGED = "changed"
    UNKNOWN = "unknown"


class RefusedError(Exception):
    """The answer was not taken."""

    def __init__(self, why: Refused) -> None:
        super().__init__(why.value)
        self.why = why


class ConsentRequests(Protocol):
    """Requests for consent."""

    async def shown(self, consent_id: UUID, language: str) -> ShownConsent | None:
        """The request in words; None when there is none."""
        ...

    async def opened(self, consent_id: UUID, person: UUID) -> None:
        """Somebody who may answer has it before them."""
        ...

    async def answer(self, consent_id: UUID, answer: Answer, person: UUID, *, language: str, read: str) -> str:
        """Let the person answer what was ``read``; where the browser goes on, nothing where it may not be sent.

        Raises:
            RefusedError: it was not taken.
        """
        ...


def _(message: str) -> str:
    """Mark a text for translation; it is translated where it is shown."""
    return message


FORGED = _("Nothing was done: the form is not from this browser. Try once more.")
INCOMPLETE = _("Nothing was done: choose who you are, and what to answer.")
REFUSED: Mapping[Refused, tuple[str, int]] = {
    Refused.PERSON: (_("Nothing was done: this person may not answer so."), 403),
    Refused.ANSWERED: (_("The request has been answered meanwhile. This is how it stands now."), 409),
    Refused.EXPIRED: (_("The time of this request is over. Whoever asked can ask anew."), 409),
    Refused.CLOSED: (_("Nothing was done: the service owner no longer lets the receiver have this."), 403),
    Refused.CHANGED: (_("Nothing was done: what is asked for reads otherwise now. Read it again."), 409),
    Refused.UNKNOWN: (_("There is no such request any more."), 404),
}


def consent_pages(
    requests: ConsentRequests | None, base_url: str, new_token: NewId, further: Sequence[Route] = ()
) -> ASGIApp:
    """The app, to be mounted at ``{base_url}{PATH}`` and, with ``further`` pages, at Altinn 2's ``…/ui/AccessConsent``.

    ``requests`` is None where nobody can be picked; ``new_token`` makes what a form is recognised by.
    """
    page = _Page(requests, Forms(base_url, new_token))
    routes = [
        Route("/request", page.serve, methods=["GET", "POST"]),
        Route("/{consent_id:uuid}", _older),
        *further,
    ]
    return edge(page.forms.pages, routes)


async def _older(request: Request) -> Response:
    """Altinn 2's older address of the same page."""
    query = urlencode({"id": request.path_params["consent_id"]})
    return RedirectResponse(f"{request.scope.get('root_path', '')}/request?{query}", 302, SECURITY_HEADERS)


class _Page:
    """One page for reading and for answering."""

    def __init__(self, requests: ConsentRequests | None, forms: Forms) -> None:
        self.forms = forms
        self._requests = requests

    async def serve(self, request: Request) -> Response:
        """Show the request, or take the form that was filled in."""
        if self._requests is None:
            return self._render(request, None, "", status=501, login=False)
        query = request.query_params
        wanted = of_language_code(query.get("languageCode", ""))
        consent_id = uuid_of(query.get("id", ""))
        if wanted is not None and query.get("lang") not in LANGUAGES and consent_id is not None:
            kept = {name: query[name] for name in (IN_PORTAL,) if name in query}
            onward = urlencode({"id": consent_id, **kept, "lang": wanted})
            return RedirectResponse(f"?{onward}", 302, SECURITY_HEADERS)
        language = choose(query.get("lang"), request.headers.get("accept-language", ""))
        shown = await self._requests.shown(consent_id, language) if consent_id is not None else None
        if shown is None:
            return self._render(request, None, "", status=404)
        if request.method == "POST":
            return await self._answered(request, shown, language, self._requests)
        if shown.people:  # nobody logs in here: whoever reads the page counts as the first of those who may answer
            await self._requests.opened(shown.consent_id, shown.people[0].uuid)
        return self._render(request, shown, "", status=410 if shown.state is State.WITHDRAWN else 200)

    async def _answered(
        self, request: Request, shown: ShownConsent, language: str, requests: ConsentRequests
    ) -> Response:
        form = await self.forms.filled(request)
        if form is None:
            return self._render(request, shown, FORGED, status=403)
        person = uuid_of(form.get("person", ""))
        if person is None or form.get("answer") not in list(Answer):
            return self._render(request, shown, INCOMPLETE, status=400)
        answer, read = Answer(form["answer"]), form.get("read", "")
        try:
            onward = await requests.answer(shown.consent_id, answer, person, language=language, read=read)
        except RefusedError as error:
            text, status = REFUSED[error.why]
            now = await requests.shown(shown.consent_id, language)
            return self._render(request, now, text, status=status)
        except Exception:  # whatever goes wrong here, whoever asked is told that it did (§2.6)
            if _stays(request, shown) or not web_origin(shown.failed):
                raise
            _log.exception("consent_answer_failed")
            return see_other(shown.failed)
        if _stays(request, shown):
            return see_other(f"?{request.url.query}")
        # An app's own scheme has no origin that the form could be let go to: the page has a link to it instead.
        return see_other(onward if web_origin(onward) else f"?{request.url.query}")

    def _render(
        self, request: Request, shown: ShownConsent | None, fault: str, *, status: int = 200, login: bool = True
    ) -> Response:
        origins = {web_origin(url): None for url in shown.after.values()} if shown is not None else {}
        return self.forms.render(
            request,
            "consent.html",
            status=status,
            names=_names(request, shown) if shown is not None else {},
            fillable=shown is not None and bool(shown.people),
            leads_to=" ".join(origins).strip(),
            shown=shown,
            stays=shown is not None and _stays(request, shown),
            fault=fault,
            login=login,
        )


def _stays(request: Request, shown: ShownConsent) -> bool:
    """True where the reader came from the portal's list, and stays in the portal after the answer (§2.5)."""
    return shown.is_listed and request.query_params.get(IN_PORTAL) == "true"


def _names(request: Request, shown: ShownConsent) -> dict[str, object]:
    return {"id": shown.consent_id, **({IN_PORTAL: "true"} if _stays(request, shown) else {})}

"""What pages share on which somebody answers: the form that is this browser's own, and picking who one is.

People are picked, for there is no login yet: such pages are for developers' machines and test environments alone.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import parse_qs, urlencode, urlsplit
from uuid import UUID

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from fullmakt.kernel.clock import NewId
from fullmakt.portal.pages import SECURITY_HEADERS, Pages

_COOKIE = "fullmakt_form"
_FRESH = "no-store"
_MAX_BODY = 4_096
_MAX_FIELDS = 10
_HOST = re.compile(r"[a-z0-9](?:[a-z0-9._-]*[a-z0-9])?|\[[0-9a-f:.]+\]", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who may answer; ``number`` is masked unless it is made up, ``remark`` a text to translate."""

    uuid: UUID
    name: str
    number: str
    remark: str = ""


@dataclass(frozen=True, slots=True)
class Asked:
    """One thing that is asked for: its identifier, its title by language, and the actions; none stands for all."""

    identifier: str
    title: Mapping[str, str]
    actions: tuple[str, ...] = ()

    def title_in(self, language: str) -> str:
        """The title in a language, or in another, or the identifier."""
        return self.title.get(language) or next(iter(self.title.values()), "") or self.identifier


class Forms:
    """Pages with a form each, below ``base_url``. ``new_token`` makes what a form is recognised by."""

    def __init__(self, base_url: str, new_token: NewId) -> None:
        self.pages = Pages(f"{base_url}/")
        self._new_token = new_token
        self._secure = urlsplit(base_url).scheme == "https"

    async def filled(self, request: Request) -> Mapping[str, str] | None:
        """The fields of the form that was sent; None when it is not one that this browser was given.

        No other site can know what the browser's cookie holds.
        """
        form = await _fields(request)
        known = request.cookies.get(_COOKIE, "")
        is_ours = bool(known) and hmac.compare_digest(known.encode(), form.get("token", "").encode(errors="replace"))
        return form if is_ours else None

    def render(
        self,
        request: Request,
        template: str,
        *,
        status: int = 200,
        names: Mapping[str, object],
        fillable: bool,
        leads_to: str = "",
        **context: object,
    ) -> Response:
        """The page. ``names`` of its query stay when the language is changed and when the form is sent; ``fillable``:
        there is a form on it, after which the browser may be sent to ``leads_to``, an origin."""
        token = request.cookies.get(_COOKIE) or self._new_token()
        query = urlencode(names)
        page = self.pages.render(
            request, template, status=status, cache=_FRESH, token=token, keep=f"{query}&" if query else "", **context
        )
        if fillable:
            policy = SECURITY_HEADERS["Content-Security-Policy"]
            targets = f"form-action 'self' {leads_to}".rstrip()  # it speaks of where the answer redirects to as well
            page.headers["Content-Security-Policy"] = policy.replace("form-action 'none'", targets)
            page.set_cookie(
                _COOKIE,
                token,
                path=request.scope.get("root_path") or "/",
                secure=self._secure,
                httponly=True,
                samesite="strict",
            )
        return page


def is_foreign(method: str, headers: Headers) -> bool:
    """True when what is sent comes from another site's page, as far as the browser tells.

    Only what may change something is asked about. ``Sec-Fetch-Site`` (Fetch Metadata) goes before ``Origin`` (RFC 6454
    §7), which is ``null`` on our own pages too where they send no referrer: then, and where a program sends neither,
    the form's token alone decides.
    """
    if method in {"GET", "HEAD", "OPTIONS"}:
        return False
    site = headers.get("sec-fetch-site")
    if site is not None:
        return site not in {"same-origin", "none"}
    origin = headers.get("origin")
    if origin is None or origin == "null":
        return False
    return origin.partition("://")[2] != headers.get("host", "")


def see_other(url: str) -> Response:
    """Send the browser on, once a form has been taken."""
    return RedirectResponse(url, 303, SECURITY_HEADERS)


def uuid_of(text: str) -> UUID | None:
    """The UUID; None when the text is none."""
    try:
        return UUID(text)
    except ValueError:
        return None


def web_address(url: str) -> str:
    """The URL if it is one of the web, where alone a link may lead; else nothing."""
    try:
        return url if urlsplit(url).scheme in {"http", "https"} else ""
    except ValueError:
        return ""


def secure_origin(url: str) -> str:
    """``https://host:port`` of a URL that a browser may be sent to, in characters fit for a header; else nothing."""
    origin = web_origin(url)
    return origin if origin.startswith("https:") else ""


def web_origin(url: str) -> str:
    """The same, of a URL of the web whether it is secured or not."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return ""
    host = f"[{parts.hostname}]" if parts.hostname and ":" in parts.hostname else parts.hostname or ""
    if parts.scheme not in {"http", "https"} or parts.username is not None or not _HOST.fullmatch(host):
        return ""
    return f"{parts.scheme}://{host}" if port is None else f"{parts.scheme}://{host}:{port}"


async def _fields(request: Request) -> dict[str, str]:
    """The form's fields; nothing of one that no page of ours could have sent."""
    body = await request.body()
    if len(body) > _MAX_BODY:
        return {}
    try:
        fields = parse_qs(body.decode("ascii"), max_num_fields=_MAX_FIELDS, errors="strict")
    except ValueError:
        return {}
    return {name: values[0] for name, values in fields.items() if len(values) == 1}

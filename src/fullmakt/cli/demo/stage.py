"""What a demo plays on: HTTP to the systems of a world, with every exchange printed, secrets cut short."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qsl

import httpx2
from rich.text import Text

from fullmakt.cli.context import Place
from fullmakt.cli.profile import credentials_of, profile_of
from fullmakt.cli.terminal import console, printable
from fullmakt.client import Credentials, TokenRequest, build_grant, grant_form
from fullmakt.jose.compact import MalformedJwtError, parse_compact
from fullmakt.kernel.clock import new_uuid, system_clock

_TIMEOUT = 10.0
_LONGEST = 1_200
"""Characters of a body that are shown."""
_TOKEN = re.compile(r"eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")


class DemoFailedError(Exception):
    """Something did not go as it should; the message says what was expected."""


class Stage:
    """A demo's access to a world that is up, and its narrator."""

    def __init__(self, place: Place, *, brief: bool = False) -> None:
        self.place = place
        self._brief = brief
        self._out = console()
        self._http = httpx2.Client(timeout=_TIMEOUT)
        self._step = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._http.close()

    # -- telling ------------------------------------------------------------------------------------------------------

    def step(self, title: str) -> None:
        """Begin a step of the story."""
        self._step += 1
        self._out.print()
        self._out.print(Text(f"{self._step}. {title}", "bold"))

    def say(self, text: str) -> None:
        """Say something in between."""
        self._out.print(Text(f"   {text}", "dim"))

    def show(self, title: str, document: Mapping[str, Any]) -> None:
        """Show a document."""
        self._out.print(Text(f"   {title}", "dim"))
        self._block(json.dumps(document, indent=2, ensure_ascii=False))

    def done(self, text: str) -> None:
        """End the story."""
        self._out.print()
        self._out.print(Text(f"✓ {text}", "green"))

    # -- acting -------------------------------------------------------------------------------------------------------

    def url(self, system: str, path: str) -> str:
        """A path of a system."""
        return f"{self.place.systems[system].rstrip('/')}/{path}"

    def send(
        self,
        method: str,
        url: str,
        *,
        expect: int | tuple[int, ...],
        token: str | None = None,
        headers: Mapping[str, str] | None = None,
        **more: Any,
    ) -> httpx2.Response:
        """One exchange, shown; of ``headers`` the names alone.

        Raises:
            DemoFailedError: nobody answers, or not with the status that the story needs.
        """
        bearer = {"authorization": f"Bearer {token}"} if token else {}
        request = self._http.build_request(method, url, headers={**bearer, **(headers or {})}, **more)
        request.read()
        self._show_request(request)
        if headers and not self._brief:
            self._block(f"({', '.join(headers)})")
        try:
            response = self._http.send(request)
        except httpx2.HTTPError as error:
            raise DemoFailedError(f"nobody answers at {url}: is `fullmakt up` running?") from error
        self._show_response(response)
        wanted = (expect,) if isinstance(expect, int) else expect
        if response.status_code not in wanted:
            raise DemoFailedError(f"expected {' or '.join(map(str, wanted))}, got {response.status_code}")
        return response

    def client(self, alias: str) -> Credentials:
        """A client of the world."""
        place = self.place
        return credentials_of(place.state, profile_of(place.state, alias), place.issuer)

    def token(self, client: str | Credentials, *scopes: str, expect: int = 200, **asked: Any) -> httpx2.Response:
        """Ask the token server; ``asked`` is what ``TokenRequest.of`` takes beside scopes."""
        credentials = self.client(client) if isinstance(client, str) else client
        request = TokenRequest.of(scopes, **asked)
        grant = build_grant(credentials, request, audience=self.place.issuer, now=system_clock(), jti=new_uuid())
        return self.send("POST", f"{self.place.issuer}token", expect=expect, data=grant_form(grant))

    def access_token(self, client: str | Credentials, *scopes: str, **asked: Any) -> str:
        """An access token."""
        return str(self.token(client, *scopes, **asked).json()["access_token"])

    def persons_token(self, national_id: str, *scopes: str) -> str:
        """Altinn's token for a person of the world, from the test tools."""
        query = {"env": "local", "scopes": " ".join(scopes), "pid": national_id}
        return self.send("GET", self.url("testtools", "api/GetPersonalToken"), expect=200, params=query).text

    # -- showing ------------------------------------------------------------------------------------------------------

    def _show_request(self, request: httpx2.Request) -> None:
        line = Text("   → ", "cyan")
        line.append(f"{request.method} ", "bold")
        line.append(printable(str(request.url)))
        self._out.print(line)
        kind = request.headers.get("content-type", "")
        if self._brief or not request.content:
            return
        if kind.startswith("application/x-www-form-urlencoded"):
            for name, value in parse_qsl(request.content.decode()):
                claims = _claims(value) if name == "assertion" else None
                if claims is None:
                    self._block(f"{name}={value}")
                else:
                    self._block(f"{name}=(signed) {json.dumps(claims, ensure_ascii=False)}")
        elif "multipart" in kind:
            self._block("(a file)")
        else:
            self._block(_pretty(request.content))

    def _show_response(self, response: httpx2.Response) -> None:
        line = Text("   ← ", "green" if response.is_success else "yellow")
        line.append(f"{response.status_code} {response.reason_phrase}")
        self._out.print(line)
        if response.content and not self._brief:
            self._block(_pretty(response.content))

    def _block(self, text: str) -> None:
        text = _TOKEN.sub(lambda found: f"{found[0][:12]}…", text)
        if len(text) > _LONGEST:
            text = f"{text[:_LONGEST]}…"
        for line in text.splitlines():
            self._out.print(Text(f"       {printable(line)}", "dim"))


def _pretty(content: bytes) -> str:
    text = content.decode("utf-8", "replace")
    try:
        return json.dumps(json.loads(text), indent=2, ensure_ascii=False)
    except ValueError:
        return text


def _claims(assertion: str) -> dict[str, Any] | None:
    try:
        return parse_compact(assertion).unverified_payload
    except MalformedJwtError:
        return None

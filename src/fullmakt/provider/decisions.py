"""Asking a decision point: may whoever sent this token do that, on behalf of them?

    decisions = DecisionClient("https://platform.tt02.altinn.no/authorization", auth=auth, subscription_key="…")
    result = await decisions.authorize(token, "read", "skd-mva", OrgNumber("310000027"))
    if not result:
        log.info("refused", why=result.reason)

``auth`` is an ``httpx2.Auth``, as ``fullmakt.client.MaskinportenAuth`` is, for the scope
``altinn:authorization/authorize``; or a function that gives a token. What it raises for want of one goes through.
"""

from __future__ import annotations

import inspect
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator, Iterable, Mapping, Sequence
from types import TracebackType
from typing import Any, Self, TypeAlias

import httpx2

from fullmakt.kernel.sans_io import drive, drive_async
from fullmakt.provider import decisions_rules
from fullmakt.provider.decisions_model import DecisionResult, Party, Question, Subject
from fullmakt.provider.decisions_subject import subject_of
from fullmakt.provider.verified_token import VerifiedToken
from fullmakt.wire.altinn.attributes import Attribute

DEFAULT_TIMEOUT = 5.0
"""Seconds for each step of asking: a request waits for it."""
SUBSCRIPTION_KEY = "Ocp-Apim-Subscription-Key"

Who: TypeAlias = VerifiedToken | Mapping[str, Any] | Subject
"""A verified token, the claims of one that was verified elsewhere, or a subject in so many attributes."""
TokenSource: TypeAlias = Callable[[], str | Awaitable[str]]


class _Settings:
    """Where to ask, and what to send along."""

    def __init__(
        self,
        url: str,
        auth: httpx2.Auth | TokenSource | None,
        subscription_key: str | None,
    ) -> None:
        self.url = f"{url.rstrip('/')}/api/v1/{'decision' if auth is None else 'authorize'}"
        self.headers = {} if subscription_key is None else {SUBSCRIPTION_KEY: subscription_key}
        self.auth = auth if auth is None or isinstance(auth, httpx2.Auth) else TokenAuth(auth)

    def conversation(
        self, who: Who, questions: Sequence[Question]
    ) -> Generator[httpx2.Request, httpx2.Response, list[DecisionResult]]:
        subject = who if isinstance(who, Subject) else subject_of(who)
        return decisions_rules.ask(self.url, self.headers, subject, questions)


class DecisionClient:
    """Asks a decision point, for asyncio. Share one; any number of tasks may ask at once.

    url: the decision point's, such as ``https://platform.altinn.no/authorization``.
    auth: without it the internal endpoint is asked, which knows callers by the subscription key alone.
    timeout: seconds for each step of asking.
    http: what to send with, for tests and proxies; without it the client has one of its own, to be closed with it.
    """

    def __init__(
        self,
        url: str,
        *,
        auth: httpx2.Auth | TokenSource | None = None,
        subscription_key: str | None = None,
        timeout: float = DEFAULT_TIMEOUT,
        http: httpx2.AsyncClient | None = None,
    ) -> None:
        self._settings = _Settings(url, auth, subscription_key)
        self._http = http or httpx2.AsyncClient(timeout=timeout)
        self._owns_http = http is None

    async def authorize(
        self, who: Who, action: str, resource: str | None, party: Party | None, *, more: Iterable[Attribute] = ()
    ) -> DecisionResult:
        """May ``who`` do ``action`` on ``resource`` for ``party``? See ``Question``.

        Raises:
            InvalidSubjectError: the token speaks for nobody.
            DecisionUnavailableError, DecisionRefusedError, UnreadableDecisionError: there is no decision; refuse.
        """
        (result,) = await self.authorize_each(who, [Question(action, resource, party, tuple(more))])
        return result

    async def authorize_each(self, who: Who, questions: Sequence[Question]) -> list[DecisionResult]:
        """An answer to each question, in their order, from one request; raises as ``authorize``."""
        conversation = self._settings.conversation(who, questions)
        return await drive_async(conversation, self._send)

    async def _send(self, request: httpx2.Request) -> httpx2.Response:
        return await self._http.send(request, auth=self._settings.auth, follow_redirects=False)

    async def aclose(self) -> None:
        """Let go of connections, those of ``http`` excepted."""
        if self._owns_http:
            await self._http.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()


class SyncDecisionClient:
    """``DecisionClient`` for threads: same arguments, same rules, same errors."""

    def __init__(
        self,
        url: str,
        *,
        auth: httpx2.Auth | Callable[[], str] | None = None,
        subscription_key: str | None = None,
        timeout: float = DEFAULT_TIMEOUT,
        http: httpx2.Client | None = None,
    ) -> None:
        self._settings = _Settings(url, auth, subscription_key)
        self._http = http or httpx2.Client(timeout=timeout)
        self._owns_http = http is None

    def authorize(
        self, who: Who, action: str, resource: str | None, party: Party | None, *, more: Iterable[Attribute] = ()
    ) -> DecisionResult:
        """As ``DecisionClient.authorize``."""
        (result,) = self.authorize_each(who, [Question(action, resource, party, tuple(more))])
        return result

    def authorize_each(self, who: Who, questions: Sequence[Question]) -> list[DecisionResult]:
        """As ``DecisionClient.authorize_each``."""
        return drive(self._settings.conversation(who, questions), self._send)

    def _send(self, request: httpx2.Request) -> httpx2.Response:
        return self._http.send(request, auth=self._settings.auth, follow_redirects=False)

    def close(self) -> None:
        """Let go of connections, those of ``http`` excepted."""
        if self._owns_http:
            self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class TokenAuth(httpx2.Auth):
    """Sends what a function gives."""

    def __init__(self, source: TokenSource) -> None:
        self._source = source

    def sync_auth_flow(self, request: httpx2.Request) -> Generator[httpx2.Request, httpx2.Response, None]:
        token = self._source()
        if not isinstance(token, str):
            if inspect.iscoroutine(token):
                token.close()  # or Python warns, at some other time and place, that nobody awaited it
            raise TypeError("a client for threads needs a function that gives a token at once")
        request.headers["Authorization"] = f"Bearer {token}"
        yield request

    async def async_auth_flow(self, request: httpx2.Request) -> AsyncGenerator[httpx2.Request, httpx2.Response]:
        token = self._source()
        request.headers["Authorization"] = f"Bearer {await token if inspect.isawaitable(token) else token}"
        yield request

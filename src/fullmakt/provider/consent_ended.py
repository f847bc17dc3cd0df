"""Hearing of consents that have ended, from the service owner's list at Altinn (consent.md §2.11).

    ended = EndedConsents("https://www.altinn.no", "5498_1", api_key=key, auth=auth)
    while True:
        await ended.tell(cache)
        await asyncio.sleep(60)

``auth`` is as for ``DecisionClient``, for the scope ``altinn:serviceowner/consents``.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import TracebackType
from typing import Any, Self
from uuid import UUID

import httpx2

from fullmakt.jose.strict_json import StrictJsonError, loads_object
from fullmakt.provider.consent_cache import ConsentCache
from fullmakt.provider.decisions import TokenAuth, TokenSource

DEFAULT_TIMEOUT = 10.0
"""Seconds for each step of asking."""
LIST_PATH = "/api/serviceowner/consents"
MAX_PAGE_BYTES = 32 * 1024 * 1024
"""Room for 10 000 consents, the most that Altinn puts on a page."""


class ConsentListError(Exception):
    """The list can not be read now, or not with this key and token; ``status`` is that of the answer, if there was one.

    Nothing that was told before is lost: the next ``tell`` goes on from the last page that was read.
    """

    def __init__(self, message: str, *, status: int | None = None) -> None:
        super().__init__(message)
        self.status = status


class EndedConsents:
    """Reads which consents to one service have been revoked, given up or used up. Share none: it knows how far it is.

    altinn: Altinn 2's base URL. service: code and edition, ``5498_1``. api_key: the service owner's.
    continuation: how far an earlier one had come, so that a source that starts anew need not read all there is.
    http: what to send with, for tests and proxies; without it there is one of its own, to be closed with it.
    """

    def __init__(
        self,
        altinn: str,
        service: str,
        *,
        api_key: str,
        auth: httpx2.Auth | TokenSource,
        continuation: str | None = None,
        timeout: float = DEFAULT_TIMEOUT,
        http: httpx2.AsyncClient | None = None,
    ) -> None:
        code, _, edition = service.rpartition("_")
        self._url = f"{altinn.rstrip('/')}{LIST_PATH}"
        self._query = {"serviceCode": code, "serviceEditionCode": edition, "status": "revoked"}
        self._headers = {"ApiKey": api_key, "Accept": "application/hal+json"}
        self._auth = auth if isinstance(auth, httpx2.Auth) else TokenAuth(auth)
        self._http = http or httpx2.AsyncClient(timeout=timeout)
        self._owns_http = http is None
        self._of_last_page: frozenset[UUID] = frozenset()
        self.continuation = continuation
        """How far it has come; keep it with what the cache keeps. A page that is not full may be read again."""

    async def tell(self, cache: ConsentCache) -> int:
        """Read on to the list's end, and have ``cache`` forget what is new on it; returns how many that were.

        Raises:
            ConsentListError: the list can not be read.
        """
        told = 0
        while True:
            document = await self._page()
            listed = frozenset(_ids(document))
            ended = listed - self._of_last_page
            await cache.forget(ended)
            told += len(ended)
            self._of_last_page = listed
            further = document.get("continuationtoken")
            if not isinstance(further, str) or further == self.continuation or not listed:
                return told
            self.continuation = further

    async def _page(self) -> Mapping[str, Any]:
        query = self._query | ({} if self.continuation is None else {"continuation": self.continuation})
        request = httpx2.Request("GET", self._url, params=query, headers=self._headers)
        try:
            answer = await self._http.send(request, auth=self._auth, follow_redirects=False)
        except (httpx2.HTTPError, httpx2.InvalidURL) as error:
            raise ConsentListError(f"Altinn can not be reached: {type(error).__name__}") from error
        if answer.status_code != httpx2.codes.OK:
            raise ConsentListError(f"Altinn answers {answer.status_code}", status=answer.status_code)
        if len(answer.content) > MAX_PAGE_BYTES:
            raise ConsentListError("Altinn answers with more than a list", status=answer.status_code)
        try:
            return loads_object(answer.content)
        except StrictJsonError as error:
            raise ConsentListError(f"Altinn does not answer with a list: {error}", status=200) from error

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


def _ids(document: Mapping[str, Any]) -> list[UUID]:
    try:
        return [UUID(consent["AuthorizationCode"]) for consent in document["_embedded"]["consents"]]
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ConsentListError("Altinn does not answer with a list of consents", status=200) from error

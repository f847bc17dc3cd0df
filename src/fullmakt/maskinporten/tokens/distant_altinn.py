"""Altinn where it is another program: the delegation look-up over HTTP, on a token of the token server's own.

Source: maskinporten.md §4.3; altinn-authorization.md §12.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import httpx2

from fullmakt.infra.audit import AuditEvent, record
from fullmakt.infra.database import Database
from fullmakt.infra.feed import Changes
from fullmakt.infra.unavailable import NeighbourUnavailableError
from fullmakt.jose.strict_json import StrictJsonError, loads
from fullmakt.kernel.clock import Clock, new_token_id
from fullmakt.kernel.identifiers import Iso6523
from fullmakt.kernel.single_flight import SingleFlight
from fullmakt.maskinporten.tokens.key_ring import KeyRing
from fullmakt.wire.maskinporten.grant import AMR_KEY

SCOPE = "altinn:maskinporten/delegations.admin"
CLIENT_ID = "maskinporten"
MAX_ANSWER_BYTES = 1024 * 1024
_LIFETIME = timedelta(seconds=120)
_RENEWED_BEFORE = timedelta(seconds=30)


class OwnToken:
    """A token for one ``scope`` that the token server issues to itself, for ``orgno``, who runs it.

    It is audited like any other.
    """

    def __init__(
        self,
        database: Database,
        ring: Callable[[], KeyRing],
        clock: Clock,
        *,
        issuer: str,
        orgno: str,
        scope: str = SCOPE,
    ) -> None:
        self._database = database
        self._ring = ring
        self._clock = clock
        self._issuer = issuer
        self._orgno = orgno
        self._scope = scope
        self._token = ""
        self._good_until: datetime | None = None
        self._flights: SingleFlight[str] = SingleFlight()

    async def __call__(self) -> str:
        """A token that is good for half a minute more, at least.

        Raises:
            DatabaseUnavailableError: it can not be written down.
        """
        if self._good_until is None or self._clock() >= self._good_until:
            return await self._flights.run_async("token", self._renew)
        return self._token

    async def _renew(self) -> str:
        now = self._clock()
        self._token = await self._issue(now)
        self._good_until = now + _LIFETIME - _RENEWED_BEFORE
        return self._token

    async def _issue(self, now: datetime) -> str:
        jti, seconds = new_token_id(), int(now.timestamp())
        claims = {
            "scope": self._scope, "iss": self._issuer, "client_amr": AMR_KEY, "token_type": "Bearer",
            "exp": seconds + int(_LIFETIME.total_seconds()), "iat": seconds, "jti": jti, "client_id": CLIENT_ID,
            "consumer": {"authority": Iso6523.AUTHORITY, "ID": f"0192:{self._orgno}"},
        }  # fmt: skip
        event = AuditEvent(
            at=now, system="tokens", action="token:issue", outcome="permit",
            actor=CLIENT_ID, subject=self._scope, facts={"jti": jti, "consumer": self._orgno},
        )  # fmt: skip
        async with self._database.transaction() as connection:
            await record(connection, event)
        return self._ring().signer_at(now).sign(json.dumps(claims).encode()).decode()


class Asker:
    """Asks Altinn over HTTP with such a token, and takes no more of an answer than ``MAX_ANSWER_BYTES``."""

    def __init__(self, http: httpx2.AsyncClient, token: Callable[[], Awaitable[str]]) -> None:
        self._http = http
        self._token = token

    async def get(self, url: str, params: Mapping[str, str]) -> tuple[int, bytes]:
        """Status and body of the answer.

        Raises:
            NeighbourUnavailableError: there is none, or too much of it.
        """
        return await self._send("GET", url, params=params)

    async def post(self, url: str, document: Mapping[str, Any]) -> tuple[int, bytes]:
        """The same for a JSON body."""
        return await self._send("POST", url, json=document)

    async def _send(self, method: str, url: str, **what: Any) -> tuple[int, bytes]:
        headers = {"authorization": f"Bearer {await self._token()}", "accept": "application/json"}
        body = b""
        try:
            async with self._http.stream(method, url, headers=headers, **what) as response:
                async for part in response.aiter_bytes():
                    body += part
                    if len(body) > MAX_ANSWER_BYTES:
                        raise NeighbourUnavailableError("Altinn answers without end")
        except (httpx2.HTTPError, httpx2.InvalidURL) as error:
            raise NeighbourUnavailableError(f"Altinn does not answer ({type(error).__name__})") from error
        return response.status_code, body


class DistantAltinn:
    """The ``Delegations`` port over HTTP. Its answers are not remembered, for nobody tells when they change.

    ``url`` is access management's public URL, ``…/accessmanagement``, without a slash at the end.
    """

    topics: Sequence[str] = ()

    def __init__(self, url: str, http: httpx2.AsyncClient, token: Callable[[], Awaitable[str]]) -> None:
        self._url = f"{url}/api/v1/maskinporten/delegations/"
        self._asker = Asker(http, token)

    async def delegated_scopes(self, pairs: Collection[tuple[str, str]]) -> dict[tuple[str, str], frozenset[str]]:
        """The scopes delegated, by supplier and consumer.

        Raises:
            NeighbourUnavailableError: Altinn does not answer, or not as it should.
        """
        answers = await asyncio.gather(*[self._ask(supplier, consumer) for supplier, consumer in pairs])
        return dict(zip(pairs, answers, strict=True))

    async def changes_since(self, version: int) -> Changes:
        """Nobody tells."""
        return Changes(version, ())

    async def _ask(self, supplier: str, consumer: str) -> frozenset[str]:
        status, body = await self._asker.get(self._url, {"supplierOrg": supplier, "consumerOrg": consumer})
        if status == httpx2.codes.BAD_REQUEST:
            return frozenset()  # it knows no such organisation, so nothing has been delegated
        if status != httpx2.codes.OK:
            raise NeighbourUnavailableError(f"Altinn answers {status}")
        return _scopes(body, supplier, consumer)


def _scopes(body: bytes, supplier: str, consumer: str) -> frozenset[str]:
    try:
        found: Any = loads(body)
        return frozenset(
            scope
            for one in found
            if (one["supplier_org"], one["consumer_org"]) == (supplier, consumer)
            for scope in one["scopes"]
            if isinstance(scope, str)
        )
    except (StrictJsonError, TypeError, KeyError) as error:
        raise NeighbourUnavailableError("Altinn answers with something else than delegations") from error

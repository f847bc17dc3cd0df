"""Altinn where it is another program: the delegation look-up over HTTP, on a token of the token server's own.

Source: maskinporten.md §4.3; altinn-authorization.md §12.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Collection, Sequence
from datetime import datetime, timedelta
from typing import Any

import httpx2

from fullmakt.infra.audit import AuditEvent, record
from fullmakt.infra.database import Database, DatabaseUnavailableError
from fullmakt.infra.feed import Changes
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
    """A token that the token server issues to itself, for ``orgno``, who runs it; audited like any other."""

    def __init__(
        self, database: Database, ring: Callable[[], KeyRing], clock: Clock, *, issuer: str, orgno: str
    ) -> None:
        self._database = database
        self._ring = ring
        self._clock = clock
        self._issuer = issuer
        self._orgno = orgno
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
            "scope": SCOPE, "iss": self._issuer, "client_amr": AMR_KEY, "token_type": "Bearer",
            "exp": seconds + int(_LIFETIME.total_seconds()), "iat": seconds, "jti": jti, "client_id": CLIENT_ID,
            "consumer": {"authority": Iso6523.AUTHORITY, "ID": f"0192:{self._orgno}"},
        }  # fmt: skip
        event = AuditEvent(
            at=now, system="tokens", action="token:issue", outcome="permit",
            actor=CLIENT_ID, subject=SCOPE, facts={"jti": jti, "consumer": self._orgno},
        )  # fmt: skip
        async with self._database.transaction() as connection:
            await record(connection, event)
        return self._ring().signer_at(now).sign(json.dumps(claims).encode()).decode()


class DistantAltinn:
    """The ``Delegations`` port over HTTP. Its answers are not remembered, for nobody tells when they change.

    ``url`` is access management's public URL, ``…/accessmanagement``, without a slash at the end.
    """

    topics: Sequence[str] = ()

    def __init__(self, url: str, http: httpx2.AsyncClient, token: Callable[[], Awaitable[str]]) -> None:
        self._url = f"{url}/api/v1/maskinporten/delegations/"
        self._http = http
        self._token = token

    async def delegated_scopes(self, pairs: Collection[tuple[str, str]]) -> dict[tuple[str, str], frozenset[str]]:
        """The scopes delegated, by supplier and consumer.

        Raises:
            DatabaseUnavailableError: Altinn does not answer, or not as it should.
        """
        answers = await asyncio.gather(*[self._ask(supplier, consumer) for supplier, consumer in pairs])
        return dict(zip(pairs, answers, strict=True))

    async def changes_since(self, version: int) -> Changes:
        """Nobody tells."""
        return Changes(version, ())

    async def _ask(self, supplier: str, consumer: str) -> frozenset[str]:
        headers = {"authorization": f"Bearer {await self._token()}"}
        asked = {"supplierOrg": supplier, "consumerOrg": consumer}
        try:
            response = await self._http.get(self._url, params=asked, headers=headers)
        except (httpx2.HTTPError, httpx2.InvalidURL) as error:
            raise DatabaseUnavailableError(f"Altinn does not answer ({type(error).__name__})") from error
        if response.status_code == httpx2.codes.BAD_REQUEST:
            return frozenset()  # it knows no such organisation, so nothing has been delegated
        if response.status_code != httpx2.codes.OK:
            raise DatabaseUnavailableError(f"Altinn answers {response.status_code}")
        return _scopes(response.content, supplier, consumer)


def _scopes(body: bytes, supplier: str, consumer: str) -> frozenset[str]:
    try:
        found: Any = loads(body) if len(body) <= MAX_ANSWER_BYTES else None
        return frozenset(
            scope
            for one in found
            if (one["supplier_org"], one["consumer_org"]) == (supplier, consumer)
            for scope in one["scopes"]
            if isinstance(scope, str)
        )
    except (StrictJsonError, TypeError, KeyError) as error:
        raise DatabaseUnavailableError("Altinn answers with something else than delegations") from error

"""Consents of Altinn 2: asked for, looked at, and exchanged for its tokens (consent.md §2).

altinn = Altinn2ConsentClient("https://tt02.altinn.no", api_key, credentials)
asked = altinn.create(Altinn2ConsentRequest(...))
send_the_browser_to(asked.view_url)
... with AuthorizationCode and Status=OK in the query of your redirect URL:
token = altinn.token(code)
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import httpx2

from fullmakt.client.access_token import MAX_RESPONSE_BYTES
from fullmakt.client.consent_calls import AsyncLine, Calls, Line, Source, call, document_of, unexpected
from fullmakt.client.tokens import DEFAULT_TIMEOUT
from fullmakt.jose.compact import MalformedJwtError, parse_compact
from fullmakt.jose.strict_json import StrictJsonError, loads
from fullmakt.kernel.identifiers import NationalId, OrgNumber
from fullmakt.wire.altinn.consents2 import LANGUAGES, READ_SCOPES, TOKEN_SCOPES, WRITE_SCOPES

_LANGUAGES = {ours: theirs for theirs, ours in LANGUAGES.items()}


@dataclass(frozen=True, slots=True)
class ConsentService:
    """A service edition that is consented to, and the value of each parameter that its owner has defined."""

    code: str
    edition: int
    metadata: Mapping[str, str] = field(default_factory=dict, hash=False)

    def document(self) -> dict[str, Any]:
        """An element of ``RequestResources`` (§2.2)."""
        return {"ServiceCode": self.code, "ServiceEditionCode": self.edition, "Metadata": dict(self.metadata)}


@dataclass(frozen=True, slots=True)
class Altinn2ConsentRequest:
    """What a giver is asked for.

    offered_by, offered_by_name: the giver's number, and its surname or its name in the register.
    covered_by: the receiver, which is the caller or the one that a supplier asks for. handled_by: that supplier.
    services: at least one. redirect_url: where the browser goes with the answer, of an allowed domain.
    valid_to: with its time zone. message: the purpose, by language ``nb``, ``nn`` and ``en``, if the template takes it.
    required_delegator, required_delegator_name: the one person who can answer, and the surname.
    in_portal: whether the giver's list in the portal shows it.
    """

    offered_by: str = field(repr=False)
    offered_by_name: str = field(repr=False)
    covered_by: str
    services: Sequence[ConsentService]
    redirect_url: str
    valid_to: dt.datetime
    handled_by: str | None = None
    message: Mapping[str, str] = field(default_factory=dict)
    required_delegator: str | None = field(default=None, repr=False)
    required_delegator_name: str | None = field(default=None, repr=False)
    in_portal: bool = False

    def document(self) -> dict[str, Any]:
        """The body of the request (§2.2).

        Raises:
            InvalidIdentifierError: a number is none.
            ValueError: there is no service, ``valid_to`` is in nobody's time zone, or a language is unknown.
        """
        if not self.services:
            raise ValueError("a consent is asked for at least one service")
        if self.valid_to.tzinfo is None:
            raise ValueError("valid_to needs a time zone")
        if not self.message.keys() <= _LANGUAGES.keys():
            raise ValueError(f"a message is in {', '.join(_LANGUAGES)}")
        told = {
            "CoveredBy": _number(self.covered_by),
            "OfferedBy": _number(self.offered_by),
            "OfferedByName": self.offered_by_name,
            "HandledBy": None if self.handled_by is None else OrgNumber(self.handled_by),
            "RequiredDelegator": None if self.required_delegator is None else NationalId(self.required_delegator),
            "RequiredDelegatorName": self.required_delegator_name,
            "ValidTo": self.valid_to.astimezone(dt.UTC).isoformat().replace("+00:00", "Z"),
            "RedirectUrl": self.redirect_url,
            "RequestResources": [service.document() for service in self.services],
            "RequestMessage": {_LANGUAGES[language]: text for language, text in self.message.items()},
            "PortalViewMode": "Show" if self.in_portal else "Hide",
        }
        return {name: value for name, value in told.items() if value is not None}


@dataclass(frozen=True, slots=True)
class Altinn2Consent:
    """A request as Altinn has it. ``status`` is ``Unopened``, ``Opened``, ``Accepted`` or ``Rejected``.

    What happened after a yes does not show in it: ask for a token. ``view_url`` is where the giver answers, None where
    Altinn did not say. ``document`` is all of it.
    """

    code: UUID
    status: str
    view_url: str | None
    document: Mapping[str, Any] = field(repr=False, hash=False)


class Altinn2ConsentClient:
    """Altinn 2's consents, for threads.

    url: ``https://www.altinn.no``. api_key: the caller's own.
    source: whose tokens of Maskinporten to use. Without one the caller is known by the enterprise certificate of
        ``http``; for ``token`` alone a receiver needs neither.
    consumer_org: the organisation on whose behalf a supplier asks.
    http, timeout: as for ``ConsentClient``.
    """

    def __init__(
        self,
        url: str,
        api_key: str,
        source: Source | None = None,
        *,
        consumer_org: str | None = None,
        timeout: float = DEFAULT_TIMEOUT,
        http: httpx2.Client | None = None,
    ) -> None:
        self._calls = _Calls(url, api_key, by_certificate=source is None)
        self._line = Line(source, consumer_org, timeout, http)

    def create(self, request: Altinn2ConsentRequest) -> Altinn2Consent:
        """Ask for a consent. It is sent once: without an answer, it may or may not have been made.

        Raises:
            ValueError: nobody can ask for that; see ``Altinn2ConsentRequest.document``.
            ConsentError: Altinn does not take it; of the class that says why.
            MaskinportenError: there is no token to ask with.
        """
        return self._line.run(self._calls.create(request))

    def read(self, code: UUID | str) -> Altinn2Consent:
        """How a request stands.

        Raises:
            ConsentError, MaskinportenError: as for ``create``.
        """
        return self._line.run(self._calls.read(code))

    def token(self, code: UUID | str) -> str:
        """Altinn's token for a consent, good for thirty seconds, without the quotes that it comes in.

        Raises:
            ConsentForbiddenError: there is none to be had: not answered, declined, ended, or not the caller's.
            ConsentError, MaskinportenError: as for ``create``.
        """
        return self._line.run(self._calls.token(code))


class AsyncAltinn2ConsentClient:
    """``Altinn2ConsentClient`` for asyncio: same arguments, same errors."""

    def __init__(
        self,
        url: str,
        api_key: str,
        source: Source | None = None,
        *,
        consumer_org: str | None = None,
        timeout: float = DEFAULT_TIMEOUT,
        http: httpx2.AsyncClient | None = None,
    ) -> None:
        self._calls = _Calls(url, api_key, by_certificate=source is None)
        self._line = AsyncLine(source, consumer_org, timeout, http)

    async def create(self, request: Altinn2ConsentRequest) -> Altinn2Consent:
        """As ``Altinn2ConsentClient.create``."""
        return await self._line.run(self._calls.create(request))

    async def read(self, code: UUID | str) -> Altinn2Consent:
        """As ``Altinn2ConsentClient.read``."""
        return await self._line.run(self._calls.read(code))

    async def token(self, code: UUID | str) -> str:
        """As ``Altinn2ConsentClient.token``."""
        return await self._line.run(self._calls.token(code))


class _Calls:
    """The conversations."""

    def __init__(self, url: str, api_key: str, *, by_certificate: bool) -> None:
        self._url = f"{url.rstrip('/')}/api"
        self._headers = {"ApiKey": api_key}
        self._params = {"ForceEIAuthentication": "true"} if by_certificate else {}

    def create(self, request: Altinn2ConsentRequest) -> Calls[Altinn2Consent]:
        document = request.document()
        return _consent((yield from self._call("POST", "consentRequests", WRITE_SCOPES[0], document)))

    def read(self, code: UUID | str) -> Calls[Altinn2Consent]:
        return _consent((yield from self._call("GET", f"consentRequests/{UUID(str(code))}", READ_SCOPES[0])))

    def token(self, code: UUID | str) -> Calls[str]:
        path = f"authorization/token/{UUID(str(code))}"
        return _token((yield from self._call("GET", path, TOKEN_SCOPES[0], accept="application/json")))

    def _call(
        self,
        method: str,
        path: str,
        scope: str,
        document: Mapping[str, Any] | None = None,
        accept: str = "application/hal+json",
    ) -> Calls[httpx2.Response]:
        return (
            yield from call(
                method,
                f"{self._url}/{path}",
                scope,
                params=self._params,
                document=document,
                headers={**self._headers, "Accept": accept},
            )
        )


def _number(party: str) -> str:
    """A person's or an organisation's; no message repeats what was given for it."""
    return OrgNumber(party) if len(party) == 9 else NationalId(party)


def _consent(response: httpx2.Response) -> Altinn2Consent:
    document = document_of(response)
    try:
        gui = (document.get("_links") or {}).get("gui")
        url = None if gui is None else str(gui["href"])
        return Altinn2Consent(UUID(document["AuthorizationCode"]), str(document["RequestStatus"]), url, document)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise unexpected(response, "something else than a consent request") from error


def _token(response: httpx2.Response) -> str:
    """The token, in a JSON string or bare."""
    text = response.content[:MAX_RESPONSE_BYTES].decode("ascii", errors="replace").strip()
    try:
        token = loads(text.encode()) if text.startswith('"') else text
        parse_compact(token)
    except (StrictJsonError, MalformedJwtError, TypeError, AttributeError) as error:
        raise unexpected(response, "no token") from error
    return str(token)

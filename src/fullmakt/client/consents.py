"""Consents of Altinn 3: asked for, looked at, and followed (consent.md §4.4 to §4.6).

altinn = ConsentClient(credentials, "https://platform.tt02.altinn.no/accessmanagement")
asked = altinn.create(ConsentRequest(giver="21818297804", receiver="313876144", rights=[ConsentRight("saldo")],
                                     redirect_url="https://bank.example/back", valid_to=in_a_year))
send_the_browser_to(asked.view_url)
if altinn.read(asked.id).status == "Accepted":
    httpx2.Client(auth=MaskinportenAuth(credentials, "lanekassen:lan/v1/saldoopplysninger",
                                        authorization_details=consent(asked.id, "21818297804")))
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

import httpx2

from fullmakt.client.consent_calls import AsyncLine, Calls, Line, Source, call, document_of, unexpected
from fullmakt.client.consent_errors import ConsentUnavailableError
from fullmakt.client.details import party_urn
from fullmakt.client.tokens import DEFAULT_TIMEOUT
from fullmakt.kernel.clock import NewId, new_uuid
from fullmakt.kernel.identifiers import NationalId
from fullmakt.wire.altinn.attributes import PERSON
from fullmakt.wire.altinn.consents import READ_SCOPE, WRITE_SCOPE, ConsentRight


@dataclass(frozen=True, slots=True)
class ConsentRequest:
    """What a giver is asked for.

    giver, receiver: a person's eleven digits, an organisation's nine, or the URN of either. ``receiver`` is the
        caller's organisation, or the consumer that a supplier asks for.
    rights: at least one; the metadata that the service defines go with each.
    redirect_url: where the browser goes with the answer. Put something of your own in it: the id is not added.
    valid_to: with its time zone; until when the consent is to hold.
    message: the purpose, by language ``nb``, ``nn`` and ``en``.
    required_delegator: the one person who can answer.
    in_portal: whether the giver's list in the portal shows it.
    id: a UUID of your own, so that the same request can be sent again; made when None.
    """

    giver: str = field(repr=False)
    receiver: str
    rights: Sequence[ConsentRight]
    redirect_url: str
    valid_to: dt.datetime
    message: Mapping[str, str] = field(default_factory=dict)
    required_delegator: str | None = field(default=None, repr=False)
    in_portal: bool = False
    id: UUID | None = None

    def document(self, consent: UUID) -> dict[str, Any]:
        """The body of the request (§4.4).

        Raises:
            InvalidIdentifierError: a party's number is none.
            ValueError: there is no right, or ``valid_to`` is in nobody's time zone.
        """
        if not self.rights:
            raise ValueError("a consent is asked for at least one right")
        if self.valid_to.tzinfo is None:
            raise ValueError("valid_to needs a time zone")
        delegator = self.required_delegator
        return {
            "id": str(consent),
            "from": party_urn(self.giver),
            "to": party_urn(self.receiver),
            "requiredDelegator": None if delegator is None else f"{PERSON}:{NationalId(_number(delegator))}",
            "validTo": self.valid_to.isoformat(),
            "consentRights": [right.document() for right in self.rights],
            "requestMessage": dict(self.message) or None,
            "redirectUrl": self.redirect_url,
            "portalViewMode": "Show" if self.in_portal else "Hide",
        }


@dataclass(frozen=True, slots=True)
class AskedConsent:
    """A request as Altinn has it. ``status`` is ``Created``, ``Accepted``, ``Rejected``, ``Revoked`` or ``Deleted``.

    ``view_url`` is where the giver answers; ``consented`` when a yes was said; ``events`` are the types of what has
    happened, the oldest first, with ``Expired`` as the last of those whose time is over. ``document`` is all of it.
    """

    id: UUID
    status: str
    view_url: str
    valid_to: dt.datetime
    consented: dt.datetime | None
    events: tuple[str, ...]
    document: Mapping[str, Any] = field(repr=False, hash=False)

    @property
    def is_pending(self) -> bool:
        """True while an answer may still come."""
        return self.status == "Created" and "Expired" not in self.events

    @property
    def is_given(self) -> bool:
        """True while a token can be drawn."""
        return self.status == "Accepted" and "Expired" not in self.events


@dataclass(frozen=True, slots=True)
class ChangedConsent:
    """An event of the feed: ``type`` is ``Created``, ``Accepted``, ``Rejected``, ``Revoked``, ``Deleted``, ``Used``."""

    consent: UUID
    type: str
    at: dt.datetime


@dataclass(frozen=True, slots=True)
class ChangedConsents:
    """A page of the feed, the oldest first. ``continuation`` asks for the next one; None when this was the last."""

    changes: tuple[ChangedConsent, ...]
    continuation: str | None


class ConsentClient:
    """Altinn 3's consents, for threads.

    source: whose tokens to use. url: access management, ``https://platform.altinn.no/accessmanagement``.
    consumer_org: the organisation on whose behalf a supplier asks.
    http, timeout: what to send with, and for how long to wait; without ``http`` a client is opened for each call.
    """

    def __init__(
        self,
        source: Source,
        url: str,
        *,
        consumer_org: str | None = None,
        timeout: float = DEFAULT_TIMEOUT,
        http: httpx2.Client | None = None,
        new_id: NewId = new_uuid,
    ) -> None:
        self._calls = _Calls(url, new_id)
        self._line = Line(source, consumer_org, timeout, http)

    def create(self, request: ConsentRequest) -> AskedConsent:
        """Ask for a consent. Without an answer it is sent once more, which the id makes safe.

        Raises:
            ValueError: nobody can ask for that; see ``ConsentRequest.document``.
            ConsentError: Altinn does not take it; of the class that says why.
            MaskinportenError: there is no token to ask with.
        """
        return self._line.run(self._calls.create(request))

    def read(self, consent: UUID | str) -> AskedConsent:
        """How a consent stands, that the caller has asked for.

        Raises:
            ConsentError, MaskinportenError: as for ``create``.
        """
        return self._line.run(self._calls.read(consent))

    def events(
        self,
        continuation: str | None = None,
        *,
        types: Iterable[str] = (),
        consent: UUID | str | None = None,
        created_after: dt.datetime | None = None,
        created_before: dt.datetime | None = None,
    ) -> ChangedConsents:
        """A page of what has happened to the caller's consents, of these ``types`` only when there are any.

        Altinn holds an event back for five minutes, and never tells that a consent's time is over.

        Raises:
            ConsentError, MaskinportenError: as for ``create``.
        """
        return self._line.run(self._calls.events(continuation, types, consent, created_after, created_before))


class AsyncConsentClient:
    """``ConsentClient`` for asyncio: same arguments, same errors."""

    def __init__(
        self,
        source: Source,
        url: str,
        *,
        consumer_org: str | None = None,
        timeout: float = DEFAULT_TIMEOUT,
        http: httpx2.AsyncClient | None = None,
        new_id: NewId = new_uuid,
    ) -> None:
        self._calls = _Calls(url, new_id)
        self._line = AsyncLine(source, consumer_org, timeout, http)

    async def create(self, request: ConsentRequest) -> AskedConsent:
        """As ``ConsentClient.create``."""
        return await self._line.run(self._calls.create(request))

    async def read(self, consent: UUID | str) -> AskedConsent:
        """As ``ConsentClient.read``."""
        return await self._line.run(self._calls.read(consent))

    async def events(
        self,
        continuation: str | None = None,
        *,
        types: Iterable[str] = (),
        consent: UUID | str | None = None,
        created_after: dt.datetime | None = None,
        created_before: dt.datetime | None = None,
    ) -> ChangedConsents:
        """As ``ConsentClient.events``."""
        return await self._line.run(self._calls.events(continuation, types, consent, created_after, created_before))


class _Calls:
    """The conversations."""

    def __init__(self, url: str, new_id: NewId) -> None:
        self._url = f"{url.rstrip('/')}/api/v1/enterprise/consentrequests"
        self._new_id = new_id

    def create(self, request: ConsentRequest) -> Calls[AskedConsent]:
        document = request.document(request.id or UUID(self._new_id()))
        try:
            response = yield from call("POST", self._url, WRITE_SCOPE, document=document)
        except ConsentUnavailableError as error:
            if error.status is not None:
                raise
            response = yield from call("POST", self._url, WRITE_SCOPE, document=document)
        return _asked(response)

    def read(self, consent: UUID | str) -> Calls[AskedConsent]:
        return _asked((yield from call("GET", f"{self._url}/{UUID(str(consent))}", READ_SCOPE)))

    def events(
        self,
        continuation: str | None,
        types: Iterable[str],
        consent: UUID | str | None,
        after: dt.datetime | None,
        before: dt.datetime | None,
    ) -> Calls[ChangedConsents]:
        asked = {
            "continuationToken": continuation,
            "eventType": list(types) or None,
            "consentRequestId": None if consent is None else str(UUID(str(consent))),
            "createdAfter": None if after is None else after.isoformat(),
            "createdBefore": None if before is None else before.isoformat(),
        }
        params = {name: value for name, value in asked.items() if value is not None}
        return _page((yield from call("GET", f"{self._url}/events", READ_SCOPE, params=params)))


def _number(party: str) -> str:
    return party.removeprefix(f"{PERSON}:")


def _asked(response: httpx2.Response) -> AskedConsent:
    document = document_of(response)
    try:
        consented = document.get("consented")
        return AskedConsent(
            id=UUID(document["id"]),
            status=str(document["status"]),
            view_url=str(document["viewUri"]),
            valid_to=_moment(document["validTo"]),
            consented=None if consented is None else _moment(consented),
            events=tuple(str(one["eventType"]) for one in document.get("consentRequestEvents") or ()),
            document=document,
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise unexpected(response, "something else than a consent") from error


def _page(response: httpx2.Response) -> ChangedConsents:
    """The next page is asked for by its token alone: a token for Altinn goes where the caller said Altinn is."""
    document = document_of(response)
    try:
        following = (document.get("links") or {}).get("next")
        token = parse_qs(urlsplit(following).query).get("continuationToken", [None])[0] if following else None
        changes = [
            ChangedConsent(UUID(one["consentRequestId"]), str(one["eventType"]), _moment(one["changedDate"]))
            for one in document["data"]
        ]
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise unexpected(response, "something else than a page of events") from error
    return ChangedConsents(tuple(changes), token)


def _moment(text: str) -> dt.datetime:
    at = dt.datetime.fromisoformat(text)
    return at if at.tzinfo is not None else at.replace(tzinfo=dt.UTC)

"""The two lists over HTTP: the scope's access list in Maskinporten's self-service API (maskinporten.md §7.7), and SRR
(consent.md §3.2). The owner's own client calls both, with no more scopes than each call needs."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

import httpx2

from fullmakt.cli.srr.drift import Action, Entry, Service, Step
from fullmakt.client import Credentials, MaskinportenAuth, MaskinportenClient, MaskinportenError

READ_ACCESSES, WRITE_ACCESSES = "idporten:scopes.read", "idporten:scopes.write"
READ_SRR, WRITE_SRR = "altinn:serviceowner/srr.read", "altinn:serviceowner/srr.write"

_TIMEOUT = 30.0
_NONE_AT_ALL = "does not have any"
"""How the real self-service API says that a list is empty: as an error (maskinporten.md §7.10)."""
_LONGEST = 200


class ListError(Exception):
    """A list can not be read or changed; the message says which, and why."""


@dataclass(frozen=True, slots=True)
class Where:
    """The base URLs, without a slash at the end, and the owner's API key."""

    selfservice: str
    altinn2: str
    api_key: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Read:
    """What the lists hold. ``people`` counts entries of people, who can not be in an access list."""

    approved: frozenset[str]
    entries: Mapping[Service, tuple[Entry, ...]]
    people: int


class Lists:
    """The lists of one scope, as its owner sees and changes them."""

    def __init__(self, where: Where, scope: str, selfservice: Credentials, srr: Credentials) -> None:
        self._where = where
        self._scope = scope
        self._selfservice = MaskinportenClient(selfservice)
        self._srr = self._selfservice if srr is selfservice else MaskinportenClient(srr)
        self._http = httpx2.Client(timeout=_TIMEOUT)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._http.close()

    def read(self, services: list[Service]) -> Read:
        """Both lists.

        Raises:
            ListError: one of them can not be read.
        """
        approved = self._approved()
        every = {service: self._entries(service) for service in services}
        companies = {service: tuple(one for one in each if len(one.reportee) == 9) for service, each in every.items()}
        return Read(approved, companies, sum(map(len, every.values())) - sum(map(len, companies.values())))

    def carry_out(self, step: Step) -> None:
        """Make one change. What somebody else has made meanwhile counts as made.

        Raises:
            ListError: it was refused.
        """
        match step.action:
            case Action.APPROVE | Action.DENY:
                method = "PUT" if step.action is Action.APPROVE else "DELETE"
                answer = self._accesses(method, f"/{step.consumer}", WRITE_ACCESSES, scope=self._scope)
                self._require(answer, 200, *([404] if method == "DELETE" else []))
            case Action.ADD:
                (written,) = self._json(self._call_srr("POST", "", WRITE_SRR, json=[step.body]), 200)
                _require_status(written, "OK", "RuleAlreadyExists")
            case Action.CHANGE:
                _require_status(
                    self._json(self._call_srr("PUT", f"/{step.entry}", WRITE_SRR, json=step.body), 200), "OK"
                )
            case Action.REMOVE:
                self._require(self._call_srr("DELETE", f"/{step.entry}", WRITE_SRR), 200, 204, 404)

    def _approved(self) -> frozenset[str]:
        answer = self._accesses("GET", "", READ_ACCESSES, scope=self._scope)
        if answer.status_code == 404 and _NONE_AT_ALL in answer.text:
            return frozenset()
        try:
            listed = self._json(answer, 200)
            return frozenset(str(one["consumer_orgno"]) for one in listed if one["state"] == "APPROVED")
        except (KeyError, TypeError) as error:
            raise ListError(f"the access list of {self._scope} can not be understood") from error

    def _entries(self, service: Service) -> tuple[Entry, ...]:
        answer = self._call_srr("GET", "", READ_SRR, serviceCode=service.code, serviceEditionCode=str(service.edition))
        if answer.status_code == 403 and not answer.text:  # SRR tells nobody which of them it is
            why = "there is no such service, it is another owner's, or the API key is not its owner's"
            raise ListError(f"SRR for {service}: 403: {why}")
        try:
            return tuple(_entry(service, one) for one in self._json(answer, 200) if one["Right"] != "None")
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise ListError(f"the entries of {service} in SRR can not be understood") from error

    def _accesses(self, method: str, path: str, token_scope: str, **query: str) -> httpx2.Response:
        url = f"{self._where.selfservice}/api/v1/scopes/access{path}"
        return self._send(method, url, MaskinportenAuth(self._selfservice, token_scope), params=query)

    def _call_srr(self, method: str, path: str, token_scope: str, json: Any = None, **query: str) -> httpx2.Response:
        url = f"{self._where.altinn2}/api/serviceowner/srr{path}"
        more = {"params": query} if json is None else {"json": json}
        headers = {"ApiKey": self._where.api_key, "Accept": "application/json"}
        return self._send(method, url, MaskinportenAuth(self._srr, token_scope), headers=headers, **more)

    def _send(self, method: str, url: str, auth: MaskinportenAuth, **more: Any) -> httpx2.Response:
        try:
            return self._http.request(method, url, auth=auth, **more)
        except MaskinportenError as error:
            raise ListError(f"no token for {url}: {error}") from error
        except (httpx2.HTTPError, httpx2.InvalidURL) as error:
            raise ListError(f"{url} does not answer: {type(error).__name__}") from error

    def _json(self, answer: httpx2.Response, *wanted: int) -> Any:
        self._require(answer, *wanted)
        try:
            return answer.json()
        except ValueError as error:
            raise ListError(f"{answer.request.url.path} answers what is no JSON") from error

    def _require(self, answer: httpx2.Response, *wanted: int) -> None:
        if answer.status_code not in wanted:
            told = " ".join(answer.text.split())[:_LONGEST]
            raise ListError(f"{answer.request.method} {answer.request.url.path}: {answer.status_code} {told}".rstrip())


def _entry(service: Service, document: Mapping[str, Any]) -> Entry:
    at = dt.datetime.fromisoformat(document["ValidTo"])
    valid_to = at if at.tzinfo else at.replace(tzinfo=dt.UTC)
    return Entry(int(document["Id"]), service, str(document["Reportee"]), valid_to, document)


def _require_status(written: Any, *wanted: str) -> None:
    status = written.get("OperationStatus") if isinstance(written, dict) else None
    if status not in wanted:
        raise ListError(f"SRR answers {status or 'something else than an entry'}")

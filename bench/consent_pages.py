"""What a page of consents costs, by where in the list it is and how much there is beside it. Method: README.md."""

from __future__ import annotations

import datetime as dt
import itertools
import json
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from statistics import median
from typing import Any
from urllib.parse import urlencode

import psycopg

from bench import consent_world, machine
from bench.consent_world import BANK, FIRM, LATER_SERVICE, OWNER, SERVICE, SYSTEMS, ConsentWorld, party_uuid, resource
from bench.harness import Bench, on_core
from bench.load import ask, closed_loop
from bench.server import HOST, Server
from fullmakt.altinn.consents.altinn2.service import MAX_CONSENTS, MAX_REQUESTS
from fullmakt.altinn.consents.altinn2.store import Place
from fullmakt.altinn.consents.altinn3.http.events import token_of

_EVENTS = "/altinn/accessmanagement/api/v1/enterprise/consentrequests/events"
_REQUESTS = "/altinn2/api/consentRequests"
_OWNED = "/altinn2/api/serviceowner/consents"
_PAGE = 100
"""Events on a page, where nobody has set another number."""
_PLACES = {"start": 0.0, "middle": 0.5, "end": 1.0}
_MOST = 1.5
"""How many times as much a page may cost with a million consents as with few."""

_EVENT_ROWS = "SELECT event_id AS place FROM consents.consent_event WHERE receiver = %(party)s"
_REQUEST_ROWS = "SELECT last_changed AS place, consent_id FROM consents.consent WHERE receiver = %(party)s"
_OWNED_ROWS = (
    "SELECT agreed AS place, consent_id FROM consents.consent_right WHERE resource = %(resource)s"
    " AND agreed IS NOT NULL"
)


@dataclass(frozen=True, slots=True)
class _Listing:
    """A list of ``who``'s. ``rows`` selects what it holds, by columns that tell a place in it, and order it."""

    name: str
    path: str
    query: Sequence[tuple[str, str]]
    page: int
    rows: str
    who: str = BANK
    about: tuple[str, int] = SERVICE

    @property
    def is_altinn2(self) -> bool:
        """It has Altinn 2's paging."""
        return self.path != _EVENTS

    def token(self, *place: Any) -> str:
        """What continues behind an entry."""
        if not self.is_altinn2:
            return token_of(*place)
        at, consent_id = place
        return Place(at.astimezone(dt.UTC), consent_id).token

    def starts(self, world: ConsentWorld) -> list[str | None]:
        """The tokens with which a full page begins; without one that does, that of the only page."""
        order = "place, consent_id" if self.is_altinn2 else "place"
        ends = (
            f"SELECT {order} FROM (SELECT {order}, row_number() OVER (ORDER BY {order}) AS number"  # noqa: S608 - ours
            f" FROM ({self.rows}) entry) numbered WHERE number %% %(page)s = 0 ORDER BY number"
        )
        asked = {"party": party_uuid(self.who), "resource": resource(self.about), "page": self.page}
        with psycopg.connect(world.url) as connection:
            rows = connection.execute(ends.encode(), asked).fetchall()
        return [None, *(self.token(*row) for row in rows[:-1])]

    def request(self, world: ConsentWorld, token: str | None) -> bytes:
        """A page, from the beginning or behind an entry."""
        member = "continuation" if self.is_altinn2 else "continuationToken"
        query = urlencode([*self.query, *([(member, token)] if token else [])])
        head = (
            f"GET {self.path}?{query} HTTP/1.1\r\nHost: {HOST}\r\nAccept: application/json\r\n"
            f"Authorization: Bearer {world.tokens[self.who]}\r\nApiKey: {world.api_keys[self.who]}\r\n\r\n"
        )
        return head.encode()

    def entries(self, answer: Mapping[str, Any]) -> int:
        """How many entries a page has."""
        if not self.is_altinn2:
            return len(answer["data"])
        [entries] = answer["_embedded"].values()
        return len(entries)


def _service(service: tuple[str, int]) -> list[tuple[str, str]]:
    return [("serviceCode", service[0]), ("serviceEditionCode", str(service[1]))]


_LISTINGS = (
    _Listing("events", _EVENTS, (), _PAGE, _EVENT_ROWS),
    _Listing("events, accepted", _EVENTS, [("eventType", "accepted")], _PAGE, f"{_EVENT_ROWS} AND type = 'Accepted'"),
    _Listing(
        "events, revoked or used",
        _EVENTS,
        [("eventType", "revoked"), ("eventType", "used")],
        _PAGE,
        f"{_EVENT_ROWS} AND type = 'Revoked'",
    ),
    _Listing("events of one who has few", _EVENTS, (), _PAGE, _EVENT_ROWS, FIRM),
    _Listing("requests, Altinn 2", _REQUESTS, [("direction", "Sent")], MAX_REQUESTS, _REQUEST_ROWS),
    _Listing(
        "requests nobody has opened, Altinn 2",
        _REQUESTS,
        [("direction", "Sent"), ("status", "Unopened")],
        MAX_REQUESTS,
        f"{_REQUEST_ROWS} AND status = 'Created'",
    ),
    _Listing(
        "requests for a service that came late, Altinn 2",
        _REQUESTS,
        [("direction", "Sent"), *_service(LATER_SERVICE)],
        MAX_REQUESTS,
        f"{_REQUEST_ROWS} AND EXISTS (SELECT 1 FROM consents.consent_right r"  # noqa: S608 - ours
        " WHERE r.consent_id = consent.consent_id AND r.resource = %(resource)s)",
        about=LATER_SERVICE,
    ),
    _Listing("owner's list, Altinn 2", _OWNED, _service(SERVICE), MAX_CONSENTS, _OWNED_ROWS, OWNER),
    _Listing(
        "owner's list of the revoked, Altinn 2",
        _OWNED,
        [*_service(SERVICE), ("status", "revoked")],
        MAX_CONSENTS,
        f"{_OWNED_ROWS} AND revoked",
        OWNER,
    ),
)


def consent_pages(bench: Bench) -> None:
    """Each list at its start, in the middle and at its end, with ever more consents in the database."""
    with ExitStack() as stack:
        stocks = []
        for many in bench.sizes.stocks:
            bench.report.note(f"filling in {many:,} consents")
            world = consent_world.create(bench, f"bench_stock_{many}", many)
            stocks.append(_Stock(many, world, stack.enter_context(Server(bench.folder, world.url, *SYSTEMS))))
        bench.pin_postgres()
        for listing in _LISTINGS:
            _measure(bench, listing, stocks)


@dataclass(frozen=True, slots=True)
class _Stock:
    """A database with so many consents, and a server on it."""

    many: int
    world: ConsentWorld
    server: Server


def _measure(bench: Bench, listing: _Listing, stocks: Sequence[_Stock]) -> None:
    """Stocks take turns, so that what else the machine does hits them alike."""
    pages = [_pages(bench, listing, stock.world) for stock in stocks]
    times: list[dict[str, list[float]]] = [{place: [] for place in there} for there in pages]
    for _ in range(bench.sizes.runs):
        for stock, there, taken in zip(stocks, pages, times, strict=True):
            for place, requests in there.items():
                taken[place].append(_time(stock, requests))
    found = []
    for stock, there, taken in zip(stocks, pages, times, strict=True):
        cost = _Cost(_entries(listing, stock, there), {place: median(each) for place, each in taken.items()})
        each = ", ".join(f"{place} {milliseconds:.2f}" for place, milliseconds in cost.milliseconds.items())
        bench.report.add(f"{listing.name}: a page of {cost.entries:,} of {stock.many:,} consents", f"{each} ms")
        found.append(cost)
    _compare(bench, listing, found)


@dataclass(frozen=True, slots=True)
class _Cost:
    """What a page with so many entries takes, by place."""

    entries: int
    milliseconds: Mapping[str, float]


def _compare(bench: Bench, listing: _Listing, found: Sequence[_Cost]) -> None:
    """The dearest place among the most consents against the cheapest there, and against the same page among the fewest
    consents that fill one as much."""
    most = found[-1]
    dearest, cheapest = max(most.milliseconds.values()), min(most.milliseconds.values())
    if len(most.milliseconds) > 1:
        bench.report.at_most(f"{listing.name}: dearest place against the cheapest", dearest / cheapest, _MOST, " ×")
    fewest = next(one for one in found if one.entries == most.entries)
    if fewest is not most:
        ratio = dearest / max(fewest.milliseconds.values())
        bench.report.at_most(f"{listing.name}: among the most consents against the fewest", ratio, _MOST, " ×")


def _entries(listing: _Listing, stock: _Stock, pages: Mapping[str, Sequence[bytes]]) -> int:
    """How many entries the pages have; those of a list with more than one are full, and none is empty."""
    counts = {listing.entries(json.loads(ask(stock.server.port, requests[0]))) for requests in pages.values()}
    if 0 in counts or (len(pages) > 1 and counts != {listing.page}):
        raise RuntimeError(f"{listing.name}, {stock.many} consents: pages of {sorted(counts)}")
    return counts.pop()


def _pages(bench: Bench, listing: _Listing, world: ConsentWorld) -> dict[str, list[bytes]]:
    """Requests for pages at each place, none like another as far as there are others there."""
    starts = listing.starts(world)
    count = max(2, bench.sizes.pages * _PAGE // listing.page)
    width = max(1, min(count, len(starts) // len(_PLACES)))
    found = {}
    for place, share in _PLACES.items() if len(starts) > 1 else [("all there is", 0.0)]:
        first = round(share * (len(starts) - width))
        chosen = itertools.cycle(starts[first : first + width])
        found[place] = [listing.request(world, token) for token in itertools.islice(chosen, count)]
    return found


def _time(stock: _Stock, requests: Sequence[bytes]) -> float:
    """Milliseconds of the median page, asked for one at a time."""
    with on_core(machine.load_core(1)):
        run = closed_loop([(stock.server.port, requests)], 1)
    if run.others:
        raise RuntimeError(f"not all were answered with a page: {run.others}")
    return run.percentile(0.5) * 1_000

"""Consents that a source remembers until their end, so that callers need a consent token once (lanekassen-saldo.md §6).

A remembered consent goes on when its giver has taken it back, unless the source hears of it: let ``EndedConsents`` tell
whatever keeps them.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Collection
from typing import Protocol
from uuid import UUID

from fullmakt.kernel.clock import Clock, system_clock
from fullmakt.kernel.identifiers import OrgNumber
from fullmakt.provider.consent_model import Consent, Party


class ConsentCache(Protocol):
    """Keeps consents by receiver, giver and service: in memory, or where all of a source's processes find them."""

    async def find(self, receiver: OrgNumber, giver: Party, service: str) -> Consent | None:
        """The consent remembered last, None when there is none that has not lapsed. Whether it permits the request at
        hand is for ``require_consent`` to say."""
        ...

    async def remember(self, consent: Consent) -> None:
        """Keep a consent that has been verified; one that is known to have ended is not kept."""
        ...

    async def forget(self, ended: Collection[UUID]) -> None:
        """Let go of consents that have ended, and take none of them in again."""
        ...


class ConsentsInMemory:
    """A ``ConsentCache`` for one process: at most ``capacity`` consents, those used last. Threads may share it."""

    def __init__(self, *, capacity: int = 100_000, clock: Clock = system_clock) -> None:
        self._capacity = capacity
        self._clock = clock
        self._lock = threading.Lock()
        self._consents: OrderedDict[tuple[str, str, str], Consent] = OrderedDict()
        self._places: dict[UUID, set[tuple[str, str, str]]] = {}
        self._ended: OrderedDict[UUID, None] = OrderedDict()

    async def find(self, receiver: OrgNumber, giver: Party, service: str) -> Consent | None:
        """As ``ConsentCache.find``."""
        place = (receiver, giver, service)
        with self._lock:
            consent = self._consents.get(place)
            if consent is None:
                return None
            if consent.valid_to <= self._clock():
                self._drop(place)
                return None
            self._consents.move_to_end(place)
            return consent

    async def remember(self, consent: Consent) -> None:
        """As ``ConsentCache.remember``."""
        with self._lock:
            if consent.id in self._ended:
                return
            for service in dict.fromkeys(right.resource for right in consent.rights):
                place = (str(consent.receiver), str(consent.giver), service)
                self._drop(place)
                self._consents[place] = consent
                self._places.setdefault(consent.id, set()).add(place)
            while len(self._consents) > self._capacity:
                self._drop(next(iter(self._consents)))

    async def forget(self, ended: Collection[UUID]) -> None:
        """As ``ConsentCache.forget``."""
        with self._lock:
            for consent_id in ended:
                for place in tuple(self._places.get(consent_id, ())):
                    self._drop(place)
                self._ended[consent_id] = None
            while len(self._ended) > self._capacity:
                self._ended.popitem(last=False)

    def _drop(self, place: tuple[str, str, str]) -> None:
        consent = self._consents.pop(place, None)
        if consent is not None:
            places = self._places[consent.id]
            places.discard(place)
            if not places:
                del self._places[consent.id]

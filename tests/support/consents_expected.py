"""What becomes of a consent, from consent.md alone: one table of transitions, in plain words.

It knows nothing of the system's rules, so that the system can be compared with it.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field

from fullmakt.altinn.consents.model import Form
from fullmakt.altinn.consents.srr.model import ServiceKey

NEXT = {
    "accept": {"Created": "Accepted", "Accepted": "Accepted"},
    "reject": {"Created": "Rejected", "Rejected": "Rejected"},
    "withdraw": {"Created": "Deleted", "Deleted": "Deleted"},
    "revoke": {"Accepted": "Revoked", "Revoked": "Revoked"},
    "give_up": {"Accepted": "Revoked", "Revoked": "Revoked"},
}
"""By act and status, the status after it; what is not here is refused."""
ENDS = {"withdraw": None, "revoke": "revoked", "give_up": "given_up"}
"""By act that ends it, how it says that it ended."""

Happened = tuple[str, str, dt.datetime]
"""What, by whom, and when."""


@dataclass
class Expected:
    """One consent, as the contract says it should be."""

    giver: str
    receiver: str
    supplier: str | None
    required: str | None
    form: Form
    one_time: bool
    valid_to: dt.datetime
    happened: list[Happened]
    status: str = "Created"
    opened: dt.datetime | None = None
    answered: tuple[str, dt.datetime] | None = None
    ended: tuple[str | None, dt.datetime] | None = None
    migrated: bool = False

    def answerable_by(self, person: str) -> bool:
        return person == self.giver and self.required in {None, person}

    def look(self, by: str, now: dt.datetime) -> None:
        """Be opened, if it is for the first time."""
        if self.status == "Created" and now < self.valid_to and self.opened is None:
            self.opened = now
            self.happened.append(("Opened", by, now))

    def act(self, name: str, by: str, now: dt.datetime) -> bool:
        """Do it, if it can be done."""
        if name == "accept" and now >= self.valid_to:
            return False
        if name == "reject" and self.form is Form.ALTINN2 and now >= self.valid_to and self.status == "Created":
            return False
        after = NEXT[name].get(self.status)
        if after is None:
            return False
        if after != self.status:
            self.status = after
            self.happened.append((after, by, now))
            if name in ENDS:
                self.ended = (ENDS[name], now)
            else:
                self.answered = (by, now)
        return True

    def use(self, by: str, now: dt.datetime) -> bool:
        if self.status != "Accepted" or now >= self.valid_to:
            return False
        self.happened.append(("Used", by, now))
        if self.one_time:
            self.status, self.ended = "Revoked", ("used_up", now)
            self.happened.append(("Revoked", by, now))
        return True

    def causes(self, giver: str, receiver: str, now: dt.datetime) -> set[str]:
        if self.form is Form.ALTINN2 and not self.migrated:
            return {"AM-00001"}
        found = set()
        if receiver not in {self.receiver, self.supplier}:
            found.add("AM-00001")
        if giver != self.giver:
            found.add("AM-00012")
        if now >= self.valid_to:
            found.add("AM-00013")
        if self.status in {"Created", "Rejected", "Deleted"}:
            found.add("AM-00014")
        if self.status == "Revoked":
            found.add("AM-00011")
        return found


@dataclass
class Requested:
    """A request in Altinn 2's form."""

    key: ServiceKey
    valid_to: dt.datetime
    required: bool
    changed: dt.datetime
    """When its status changed last."""
    status: str = "Unopened"
    ended: bool = False
    withdrawn: bool = False

    def becomes(self, status: str, now: dt.datetime) -> None:
        if status != self.status:
            self.status, self.changed = status, now


@dataclass
class Requests:
    """What has been said so far, and what follows from it."""

    now: dt.datetime
    gated: ServiceKey
    ones: dict[str, Requested] = field(default_factory=dict)
    listed: bool | None = None
    """Whether SRR lists the receiver for ``gated``; None as long as it is not used."""

    def gate_is_closed(self, key: ServiceKey) -> bool:
        return key == self.gated and self.listed is False

    def is_open(self, one: Requested) -> bool:
        return one.status in {"Unopened", "Opened"} and not one.withdrawn

    def may_answer(self, one: Requested, person: str) -> bool:
        return person == "kari" or not one.required

    def stands(self, one: Requested) -> bool:
        return one.status == "Accepted" and not one.ended and one.valid_to > self.now

    def can_be_drawn(self, one: Requested) -> bool:
        return self.stands(one) and not self.gate_is_closed(one.key)

"""Where browsers are sent back to, held against what holds now (consent.md §2.6)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from fullmakt.altinn.consents.altinn2.drafting import destination
from fullmakt.altinn.consents.altinn2.parties import PartiesOfConsents
from fullmakt.altinn.consents.keys.model import ApiKey
from fullmakt.altinn.consents.keys.service import ApiKeys
from fullmakt.altinn.consents.model import Consent, Form
from fullmakt.altinn.consents.srr import rules as srr_rules
from fullmakt.altinn.consents.srr.domains import Destination, DomainPattern, matches_any
from fullmakt.altinn.consents.srr.model import Gate
from fullmakt.altinn.consents.srr.rules import Refusal
from fullmakt.altinn.consents.srr.service import SrrService
from fullmakt.kernel.clock import Clock

NOWHERE = Refusal("redirect_invalid")
"""The URL is none that anybody may be sent to, whatever is allowed."""


class Redirects:
    """Says whether a request that was made still leads where it led when it was made."""

    def __init__(self, parties: PartiesOfConsents, srr: SrrService, keys: ApiKeys, clock: Clock) -> None:
        self._parties = parties
        self._srr = srr
        self._keys = keys
        self._clock = clock

    async def refusal(self, consent: Consent) -> Refusal | None:
        """Why nobody is sent to the consent's redirect URL now; None when they are. Altinn 3's form has no such
        conditions."""
        if consent.form is not Form.ALTINN2:
            return None
        back = destination(consent.redirect_url)
        if back is None:
            return NOWHERE
        known = await self._parties.known([consent])
        services = [known.service(right.resource) for right in consent.rights]
        gates = await self._srr.gates(services, known.number(consent.receiver) or "")
        keys = await self._keys.of_organisation(known.number(consent.created_by) or "")
        return srr_rules.allowed_redirect(gates, self._clock(), back, domains_of(keys))


def domains_of(keys: Sequence[ApiKey]) -> tuple[DomainPattern, ...]:
    """Where an organisation may lead with one or another of its keys; none when one of them names no domain, and so
    leads anywhere. By which key a request was made is not kept."""
    if not all(key.domains for key in keys):
        return ()
    return tuple(pattern for key in keys for pattern in key.domains)


def vouched(gates: Sequence[Gate], now: datetime, back: Destination, keys: Sequence[ApiKey]) -> Refusal | None:
    """Why a request that nobody has made in their own name does not lead to ``back``; None when it does.

    What SRR demands must hold. Beside that, either SRR has named the domain for every service, or a key of the
    receiver's does; that nobody has said anything of domains is not enough here (decision 8).
    """
    refusal = srr_rules.allowed_redirect(gates, now, back)
    if refusal is not None:
        return refusal
    if gates and all(_names_domains(gate, now) for gate in gates):
        return None
    patterns = [pattern for key in keys for pattern in key.domains]
    if matches_any(patterns, back):
        return None
    return Refusal("redirect_not_vouched_for", {"scheme": back.scheme, "host": back.host})


def _names_domains(gate: Gate, now: datetime) -> bool:
    standing = [entry.condition for entry in gate.entries if gate.uses_srr and entry.stands(now)]
    return any(condition is not None and condition.domains for condition in standing)

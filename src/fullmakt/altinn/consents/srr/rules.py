"""How SRR gates consent (consent.md §3.4): values in, a refusal or nothing out.

Each takes a gate for every service of the request, for the one who is to receive the consent. ``by_certificate`` says
that a supplier (``handled_by``) has nothing but SRR to act on: it came with its certificate or its API key, and with no
supplier token from Maskinporten.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from fullmakt.altinn.consents.srr.domains import Destination, DomainPattern, matches_any
from fullmakt.altinn.consents.srr.model import Draft, Entry, Gate, OperationStatus
from fullmakt.kernel.identifiers import InvalidIdentifierError, NationalId, OrgNumber


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why SRR does not let it happen: ``reason`` is machine-readable, ``facts`` are for the audit trail."""

    reason: str
    facts: Mapping[str, Any] = field(default_factory=dict)


def may_request(
    gates: Sequence[Gate],
    now: dt.datetime,
    *,
    redirect: Destination,
    handled_by: OrgNumber | None = None,
    by_certificate: bool = False,
    key_domains: Sequence[DomainPattern] = (),
) -> Refusal | None:
    """Whether consent may be asked for: the receiver is listed, and the person may be sent back to ``redirect``."""
    refusal = may_receive(gates, now, handled_by=handled_by, by_certificate=by_certificate)
    return refusal or allowed_redirect(gates, now, redirect, key_domains)


def may_receive(
    gates: Sequence[Gate], now: dt.datetime, *, handled_by: OrgNumber | None = None, by_certificate: bool = False
) -> Refusal | None:
    """Whether the receiver may be given consent, or be told that it has it: at acceptance, and at each token."""
    supplier = handled_by if by_certificate else None
    refusals = (_gate(gate, now, supplier) for gate in gates)
    return next((refusal for refusal in refusals if refusal is not None), None)


def _gate(gate: Gate, now: dt.datetime, supplier: OrgNumber | None) -> Refusal | None:
    service = str(gate.service)
    standing = _standing(gate, now)
    if gate.uses_srr and not standing:
        lapsed = any(entry.right.reads for entry in gate.entries)
        return Refusal("srr_expired" if lapsed else "not_in_srr", {"service": service})
    if supplier is None:
        return None
    suppliers = {entry.condition.handled_by for entry in standing if entry.condition is not None}
    if gate.uses_srr and supplier in suppliers:
        return None
    return Refusal("supplier_not_in_srr", {"service": service, "supplier": str(supplier)})


def allowed_redirect(
    gates: Sequence[Gate], now: dt.datetime, redirect: Destination, key_domains: Sequence[DomainPattern] = ()
) -> Refusal | None:
    """Whether the person may be sent to ``redirect``: one pattern of each entry that has any must allow it.

    SRR's patterns take the place of the API key's. Where there are neither, everything is allowed (§2.6).
    """
    demands = [entry.condition.domains for gate in gates for entry in _standing(gate, now) if entry.condition]
    of_srr = [patterns for patterns in demands if patterns]
    for patterns in of_srr or ([tuple(key_domains)] if key_domains else []):
        if not matches_any(patterns, redirect):
            facts = {"scheme": redirect.scheme, "host": redirect.host, "allowed": [str(one) for one in patterns]}
            return Refusal("redirect_not_allowed", facts | ({"port": redirect.port} if redirect.port else {}))
    return None


def _standing(gate: Gate, now: dt.datetime) -> list[Entry]:
    return [entry for entry in gate.entries if entry.stands(now)] if gate.uses_srr else []


def fault_of(draft: Draft, now: dt.datetime) -> OperationStatus | None:
    """What is wrong with an entry that somebody wants to make, None when nothing is."""
    if not is_reportee(draft.reportee):
        return OperationStatus.BAD_REPORTEE
    return OperationStatus.EXPIRED if draft.valid_to <= now else None


def is_reportee(number: str) -> bool:
    """True of an organisation number or a national identity number whose check digits fit."""
    try:
        return OrgNumber(number).has_valid_check_digit if len(number) == 9 else bool(NationalId(number))
    except InvalidIdentifierError:
        return False

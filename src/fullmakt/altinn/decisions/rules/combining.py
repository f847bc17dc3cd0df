"""How one answer is made of many rules' (XACML 3.0 appendix C; altinn-authorization.md §8)."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from fullmakt.altinn.decisions.model import RuleOutcome
from fullmakt.wire.altinn.xacml_names import COMBINING_ALGORITHMS

_PERMIT, _DENY, _NONE = RuleOutcome.PERMIT, RuleOutcome.DENY, RuleOutcome.NOT_APPLICABLE
_UNSURE_PERMIT, _UNSURE_DENY, _UNSURE = (
    RuleOutcome.INDETERMINATE_PERMIT,
    RuleOutcome.INDETERMINATE_DENY,
    RuleOutcome.INDETERMINATE_BOTH,
)

Outcomes = Sequence[RuleOutcome]


def _overrides(
    outcomes: Outcomes, winner: RuleOutcome, unsure_winner: RuleOutcome, loser: RuleOutcome, unsure_loser: RuleOutcome
) -> RuleOutcome:
    """C.2 and C.4, which are each other's mirror image."""
    if winner in outcomes:
        return winner
    if _UNSURE in outcomes:
        return _UNSURE
    if unsure_winner in outcomes:
        return _UNSURE if loser in outcomes or unsure_loser in outcomes else unsure_winner
    if loser in outcomes:
        return loser
    return unsure_loser if unsure_loser in outcomes else _NONE


def _deny_overrides(outcomes: Outcomes) -> RuleOutcome:
    return _overrides(outcomes, _DENY, _UNSURE_DENY, _PERMIT, _UNSURE_PERMIT)


def _permit_overrides(outcomes: Outcomes) -> RuleOutcome:
    return _overrides(outcomes, _PERMIT, _UNSURE_PERMIT, _DENY, _UNSURE_DENY)


def _deny_unless_permit(outcomes: Outcomes) -> RuleOutcome:
    return _PERMIT if _PERMIT in outcomes else _DENY


def _permit_unless_deny(outcomes: Outcomes) -> RuleOutcome:
    return _DENY if _DENY in outcomes else _PERMIT


def _first_applicable(outcomes: Outcomes) -> RuleOutcome:
    return next((outcome for outcome in outcomes if outcome is not _NONE), _NONE)


_ALGORITHMS: dict[str, Callable[[Outcomes], RuleOutcome]] = {
    "deny-overrides": _deny_overrides,
    "permit-overrides": _permit_overrides,
    "deny-unless-permit": _deny_unless_permit,
    "permit-unless-deny": _permit_unless_deny,
    "first-applicable": _first_applicable,
}


def combining_algorithm(uri: str) -> Callable[[Outcomes], RuleOutcome] | None:
    """The algorithm; None when nobody knows one of that name."""
    name = COMBINING_ALGORITHMS.get(uri)
    return None if name is None else _ALGORITHMS[name]

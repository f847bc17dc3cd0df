"""How the decision point is set up."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class DecisionsConfig:
    """``url`` is the system's public URL, without a slash at the end.

    ``subscription_keys`` are those that ``Ocp-Apim-Subscription-Key`` may hold; none: the header is not looked at.
    ``explain`` serves explanations over HTTP and puts reasons into AuthZEN's answers, which tell a caller about
    others' rights. ``strict_targets`` has every AnyOf of a target met, as XACML says and Altinn does not.
    ``max_parts`` bounds the decisions in one request.
    """

    url: str = "http://localhost/altinn/authorization"
    subscription_keys: frozenset[str] = frozenset()
    explain: bool = False
    strict_targets: bool = False
    max_parts: int = 1_000
    cached_policies: int = 20_000
    cached_facts: int = 200_000
    max_queue: int = 2_000

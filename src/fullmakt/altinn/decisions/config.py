"""How the decision point is set up."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class DecisionsConfig:
    """``url`` is the system's public URL, without a slash at the end.

    ``subscription_keys`` are those that ``Ocp-Apim-Subscription-Key`` may hold; none: the header is not looked at, and
    the internal endpoint, which knows no other proof, answers nobody unless it is ``insecure_internal``.
    ``explain`` serves explanations over HTTP and puts reasons into AuthZEN's answers, which tell a caller about
    others' rights. ``strict_targets`` has every AnyOf of a target met, as XACML says and Altinn does not.
    ``max_parts`` bounds the decisions in one request, ``max_body`` its bytes.
    """

    url: str = "http://localhost/altinn/authorization"
    subscription_keys: frozenset[str] = field(default=frozenset(), repr=False)
    insecure_internal: bool = False
    explain: bool = False
    strict_targets: bool = False
    max_parts: int = 1_000
    max_body: int = 1024 * 1024
    cached_policies: int = 20_000
    cached_facts: int = 200_000
    max_queue: int = 2_000

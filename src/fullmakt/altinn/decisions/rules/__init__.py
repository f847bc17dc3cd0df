"""The rule engine: a policy and a question in, an answer with its reasons out (altinn-authorization.md §8).

``compile_policy`` sorts a policy's rules by what they ask for, so that an answer looks at the few that can apply,
however many there are. That this changes no answer is what the property tests are for: they compare it with an engine
that walks all rules.
"""

from fullmakt.altinn.decisions.rules.compiled import CompiledPolicy, compile_policy

__all__ = ["CompiledPolicy", "compile_policy"]

"""The functions, combining algorithms and obligations that Altinn's rule engine knows (altinn-authorization.md §8, §9).

The decision point computes with them; the resource registry warns of a policy that names others.
"""

from __future__ import annotations

STRING = "http://www.w3.org/2001/XMLSchema#string"
INTEGER = "http://www.w3.org/2001/XMLSchema#integer"
ANY_URI = "http://www.w3.org/2001/XMLSchema#anyURI"
BOOLEAN = "http://www.w3.org/2001/XMLSchema#boolean"
TIME = "http://www.w3.org/2001/XMLSchema#time"
DATE = "http://www.w3.org/2001/XMLSchema#date"
DATE_TIME = "http://www.w3.org/2001/XMLSchema#dateTime"

_FUNCTION_1 = "urn:oasis:names:tc:xacml:1.0:function:"
_FUNCTION_3 = "urn:oasis:names:tc:xacml:3.0:function:"

STRING_EQUAL = f"{_FUNCTION_1}string-equal"
STRING_EQUAL_IGNORE_CASE = f"{_FUNCTION_3}string-equal-ignore-case"

MATCH_FUNCTIONS = {
    STRING_EQUAL: STRING,
    STRING_EQUAL_IGNORE_CASE: STRING,
    f"{_FUNCTION_1}anyURI-equal": ANY_URI,
    f"{_FUNCTION_1}integer-equal": INTEGER,
    f"{_FUNCTION_1}string-is-in": STRING,
    f"{_FUNCTION_1}time-equal": TIME,
    f"{_FUNCTION_1}date-equal": DATE,
    f"{_FUNCTION_1}dateTime-equal": DATE_TIME,
    f"{_FUNCTION_1}string-regexp-match": STRING,
}
"""What a ``Match`` may compare with, and the type that it compares."""

CONDITION_FUNCTIONS = frozenset(MATCH_FUNCTIONS) | {
    f"{_FUNCTION_1}{type_name}-one-and-only"
    for type_name in ("string", "anyURI", "integer", "boolean", "time", "date", "dateTime")
}

_RULES = "rule-combining-algorithm"
_POLICIES = "policy-combining-algorithm"


def _spellings(name: str, *versions: str) -> dict[str, str]:
    return {
        f"urn:oasis:names:tc:xacml:{version}:{kind}:{name}": name.removeprefix("ordered-")
        for version in versions
        for kind in (_RULES, _POLICIES)
    }


COMBINING_ALGORITHMS = {
    **_spellings("deny-overrides", "1.0", "1.1", "3.0"),
    **_spellings("permit-overrides", "1.0", "1.1", "3.0"),
    **_spellings("ordered-deny-overrides", "1.1", "3.0"),
    **_spellings("ordered-permit-overrides", "1.1", "3.0"),
    **_spellings("deny-unless-permit", "3.0"),
    **_spellings("permit-unless-deny", "3.0"),
    **_spellings("first-applicable", "1.0", "3.0"),
}
"""URI → ``deny-overrides``, ``permit-overrides``, ``deny-unless-permit``, ``permit-unless-deny``, ``first-applicable``.
Ordered variants are what they are without the word, as the rules are always taken in their order."""

MINIMUM_LEVEL = "urn:altinn:minimum-authenticationlevel"
"""The obligation's category with the level, 0 to 4, that a person must have logged in with."""
MINIMUM_LEVEL_ORG = "urn:altinn:minimum-authenticationlevel-org"
"""The same for service owners."""

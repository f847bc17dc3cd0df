"""The JWT-bearer grant and the access token: names, limits and the few values that never change.

Source: maskinporten.md §2 and §3; RFC 7523; RFC 7519.
"""

GRANT_TYPE = "urn:ietf:params:oauth:grant-type:jwt-bearer"
TOKEN_CONTENT_TYPE = "application/json;charset=UTF-8"

MAX_GRANT_LIFETIME = 120
"""Seconds between ``iat`` and ``exp`` (§2.2)."""
CLOCK_SKEW = 10
"""Seconds that ``iat`` may lie ahead of our clock (§2.2)."""
DEFAULT_TOKEN_LIFETIME = 120
"""Seconds (§3.4)."""
MAX_JTI_LENGTH = 255

KNOWN_CLAIMS = frozenset(
    {
        "aud", "iss", "scope", "iat", "exp", "jti", "resource", "pid", "consumer_org", "iss_onbehalfof",
        "authorization_details", "sub", "nbf",
    }
)  # fmt: skip
"""Every claim a grant may hold; anything else is MP-011 (§2.2)."""

AMR_KEY = "private_key_jwt"
AMR_CERTIFICATE = "virksomhetssertifikat"

VIRKSYS_CLIENT = "altinn_virksys"
"""The integration type of a client that is one enterprise system (§8)."""

INTEGRATION_TYPES_WITH_GRANT = frozenset({"maskinporten", "krr", "eformidling", VIRKSYS_CLIENT})
"""Integration types whose clients the token endpoint knows (§2.3 step 5)."""

CONSUMER_PREFIX_SCOPES = ("altinn:maskinporten/delegations", "altinn:maskinporten/delegations.admin")
CONSUMER_PREFIX_SCOPE_STARTS = ("altinn:maskinporten/delegationschemes.", "altinn:resourceregistry/")
"""Scopes whose tokens carry ``consumer_prefix`` (§3.3)."""

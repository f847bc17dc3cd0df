"""Maskinporten's error catalogue: every way in which the token endpoint says no, as data.

Source: maskinporten.md §6.2, whose provenance each row keeps: ``DOCUMENTED`` (Digdir's documentation), ``SEEN`` (a real
response or the code of a real client), ``OURS`` (no public source settles it: **these are the places where our text or
code may differ from the real one**). The token server, the error pages, the docs and ``fullmakt explain`` all read it
from here.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Provenance(StrEnum):
    """Where a row's text is known from."""

    DOCUMENTED = "documented"
    SEEN = "seen"
    OURS = "ours"


@dataclass(frozen=True, slots=True)
class CatalogueEntry:
    """One refusal.

    ``reason`` is our own stable, machine-readable name for it; ``text`` is ``error_description`` before the trace id, a
    ``str.format`` template over the refusal's facts; ``cause`` and ``remedy`` are for people, with names and values
    between backticks.
    """

    reason: str
    status: int
    error: str
    code: str | None
    text: str
    provenance: Provenance
    cause: str
    remedy: str


_AUTH = "Invalid assertion. Client authentication failed. "
_D, _S, _O = Provenance.DOCUMENTED, Provenance.SEEN, Provenance.OURS

CATALOGUE: dict[str, CatalogueEntry] = {
    entry.reason: entry
    for entry in (
        # -- the request ------------------------------------------------------------------------------------------
        CatalogueEntry(
            "unsupported_grant_type", 400, "unsupported_grant_type", None,
            "Unsupported grant_type: only urn:ietf:params:oauth:grant-type:jwt-bearer is accepted", _O,
            "The form's `grant_type` is another than the JWT bearer grant.",
            "Send `grant_type=urn:ietf:params:oauth:grant-type:jwt-bearer`.",
        ),
        CatalogueEntry(
            "invalid_request", 400, "invalid_request", None, "{detail}", _O,
            "The request is not a form with exactly one `grant_type` and one `assertion`.",
            "POST `grant_type` and `assertion` once each, as `application/x-www-form-urlencoded`.",
        ),
        CatalogueEntry(
            "malformed_assertion", 400, "invalid_request", "MP-011", "Invalid assertion. Invalid parameter value", _D,
            "The assertion can not be read as a JWT, lacks a claim, or has one that is unknown or can not be right. "
            "Line breaks in it, and more than 120 seconds from `iat` to `exp`, count among these.",
            "Look at the assertion with `fullmakt inspect`: it names every claim that is wrong.",
        ),
        CatalogueEntry(
            "unsupported_consumer_org", 400, "invalid_request", "MP-011",
            "Invalid assertion. Invalid parameter value", _O,
            "The grant asks on behalf of another organisation, and this server knows no Altinn to ask.",
            "Ask for your own organisation, without `consumer_org`, or have Altinn's delegations served too.",
        ),
        CatalogueEntry(
            "own_delegation", 400, "invalid_request", None,
            "Validation of JWT claim failed: The combination consumer_org in claim and delegation scope on client is "
            "invalid", _D,
            "`consumer_org` is the client's own organisation, and the scope is one that is delegated.",
            "Leave `consumer_org` out when you call on your own behalf.",
        ),
        CatalogueEntry(
            "replayed", 400, "invalid_grant", "MP-012", "Grant is used before", _D,
            "A grant with this `jti` has been used by this client already.",
            "Sign a fresh grant with a new `jti` for each token.",
        ),
        # -- who is asking ----------------------------------------------------------------------------------------
        CatalogueEntry(
            "client_not_found", 400, "invalid_grant", "MP-100", _AUTH + "Client not found", _D,
            "No active Maskinporten client has the id that `iss` names.",
            "Check the client id, that it belongs to this environment, and that it is active.",
        ),
        CatalogueEntry(
            "wrong_audience", 400, "invalid_grant", "MP-110", _AUTH + "Invalid JWT claim aud", _S,
            "`aud` is not this server's issuer, letter for letter: the slash at its end belongs to it.",
            "Set `aud` to the `issuer` of the metadata document, not to the token endpoint.",
        ),
        CatalogueEntry(
            "invalid_certificate", 400, "invalid_grant", "MP-120",
            _AUTH + "The JWT is signed with an invalid certificate.", _D,
            "The enterprise certificate is expired, revoked, made for another environment, or its chain does not end "
            "in a trusted root.",
            "Use a valid enterprise certificate for this environment; `fullmakt inspect` on it says what is wrong.",
        ),
        CatalogueEntry(
            "expired_key", 400, "invalid_grant", "MP-121", _AUTH + "Expired key.", _S,
            "The registered key has passed its expiry (a key lives for a year at most).",
            "Register a new key on the client; posting the same one again renews it.",
        ),
        CatalogueEntry(
            "wrong_certificate_owner", 400, "invalid_grant", "MP-122",
            _AUTH + "Invalid JWT. Invalid organization number for client. Does not match certificate orgno", _D,
            "The certificate belongs to another organisation than the client.",
            "Sign with a certificate of the organisation that owns the client.",
        ),
        CatalogueEntry(
            "invalid_x5c", 400, "invalid_grant", "MP-123", _AUTH + "Invalid JWT header x5c", _D,
            "The `x5c` header is missing, is not an array of base64 strings, or holds something else than "
            "certificates.",
            "Send `x5c` as an array of base64 (not base64url) DER certificates, the leaf first.",
        ),
        CatalogueEntry(
            "invalid_signature", 400, "invalid_grant", "MP-124", _AUTH + "Invalid JWT signature.", _S,
            "The signature does not fit the key, or the algorithm is not one of RS256, RS384 and RS512.",
            "Check that `kid` names the key that signed, and that `alg` is the one the key was registered for.",
        ),
        CatalogueEntry(
            "expired_assertion", 400, "invalid_grant", "MP-130", _AUTH + "JWT is expired", _D,
            "`exp` has passed (or `iat` is older than this server accepts).",
            "Sign a fresh grant for each token, and check the clock of the machine.",
        ),
        CatalogueEntry(
            "unknown_kid", 400, "invalid_grant", None, _AUTH + "Unknown key identifier (kid) for client.", _S,
            "No key with this `kid` is registered on the client.",
            "Register the key, or use the `kid` that the self-service API answered with.",
        ),
        CatalogueEntry(
            "key_required", 400, "invalid_grant", None,
            _AUTH + "Invalid JWT. The client requires pre-registered jwk and no key identifier (kid) provided", _S,
            "The client has registered keys (or is of a type that must have one), so the grant needs a `kid`.",
            "Sign with a registered key and put its `kid` in the header.",
        ),
        CatalogueEntry(
            "issued_in_future", 400, "invalid_grant", None, "Issue time is after now", _D,
            "`iat` is more than ten seconds ahead of this server's clock.",
            "Set the clock of the machine (NTP).",
        ),
        # -- what is asked for ------------------------------------------------------------------------------------
        CatalogueEntry(
            "invalid_scope", 400, "invalid_scope", "MP-200",
            "Token request contains invalid scopes for client, {scopes}", _S,
            "The scope is not registered on the client, does not exist, or is not active.",
            "Add the scope to the client in self-service; its owner must have granted access first.",
        ),
        CatalogueEntry(
            "scope_not_for_maskinporten", 400, "invalid_scope", "MP-201",
            "Token request contains scopes not allowed for maskinporten", _D,
            "The scope is limited to other integration types than the client's.",
            "Ask the scope's owner to allow the integration type, or use another client.",
        ),
        CatalogueEntry(
            "no_access", 403, "forbidden", "MP-250",
            "Consumer has not been granted access to the scope {scope}.", _S,
            "The scope's owner has not granted the consumer access to it.",
            "Ask the owner of the scope for access. A supplier must say for whom it asks, with `consumer_org`.",
        ),
        CatalogueEntry(
            "not_delegated", 403, "forbidden", "MP-251",
            "Consumer {consumer} has not delegated access to the scope {scope} to supplier {supplier}.", _S,
            "The consumer has not delegated the API to the supplier in Altinn, or has withdrawn it.",
            "Have the consumer delegate the API to the supplier in Altinn.",
        ),
        # -- rich authorization requests --------------------------------------------------------------------------
        CatalogueEntry(
            "unknown_authorization_details_type", 400, "invalid_grant", "MP-301",
            "Unknown authorization details type", _D,
            "The type in `authorization_details` is not one that this server supports.",
            "Use a type from `authorization_details_types_supported` in the metadata document.",
        ),
        CatalogueEntry(
            "unknown_authorization_details_field", 400, "invalid_grant", "MP-302",
            "Unknown fields in the authorization details", _D,
            "The object in `authorization_details` has a member that its type does not know.",
            "Remove the member.",
        ),
        CatalogueEntry(
            "invalid_authorization_details", 400, "invalid_grant", "MP-303",
            "Invalid authorization details values {detail}", _D,
            "A value in `authorization_details` is not valid.",
            "Correct the value that the text names.",
        ),
        CatalogueEntry(
            "invalid_altinn_customer_configuration", 400, "invalid_altinn_customer_configuration", "MP-303",
            "{detail}", _S,
            "Altinn has no system user that fits: client, system, owner and external reference must all match.",
            "Check that the system user is approved, that the client id is in the system register, and `externalRef`.",
        ),
        # -- our side ---------------------------------------------------------------------------------------------
        CatalogueEntry(
            "temporarily_unavailable", 503, "temporarily_unavailable", None, "{detail}", _O,
            "Something that this server depends on does not answer, or it has more to do than it can.",
            "Try again after the seconds that `Retry-After` names.",
        ),
        CatalogueEntry(
            "server_error", 500, "server_error", None, "Internal error", _O,
            "A fault in this server.",
            "Report it with the trace id.",
        ),
    )
}  # fmt: skip
"""By reason. Several reasons may share a code (MP-303), and some have none."""


def entries_with_code(code: str) -> list[CatalogueEntry]:
    """All refusals that carry ``code`` (in any letter case), for ``error_uri`` pages and ``fullmakt explain``."""
    return [entry for entry in CATALOGUE.values() if entry.code == code.upper()]


def entries_named(name: str) -> list[CatalogueEntry]:
    """All refusals with that code, or the one with that reason; letter case does not matter. Empty when none has it."""
    reason = CATALOGUE.get(name.lower())
    return [reason] if reason is not None else entries_with_code(name)

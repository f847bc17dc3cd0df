"""Maskinporten's error catalogue: every way in which the token endpoint says no, as data.

Source: maskinporten.md §6.2, whose provenance each row keeps: ``DOCUMENTED`` (Digdir's documentation), ``SEEN`` (a real
response or the code of a real client), ``OURS`` (no public source settles it: **these are the places where our text or
code may differ from the real one**). The token server, the error pages, the docs and ``fullmakt explain`` all read it
from here.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from fullmakt.wire.altinn.consents import Cause as ConsentCause


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


def _customer(reason: str, text: str, cause: str, remedy: str) -> CatalogueEntry:
    """One cause of the error that clients know by its name alone; its words are ours, as Maskinporten's are free."""
    error = "invalid_altinn_customer_configuration"
    return CatalogueEntry(reason, 400, error, "MP-303", text, Provenance.OURS, cause, remedy)


def _consent(reason: str, text: str, cause: str, remedy: str) -> CatalogueEntry:
    """One cause of there being no consent to draw: MP-303, as for any other value that is not good (§5.3)."""
    start = "Invalid authorization details values "
    return CatalogueEntry(reason, 400, "invalid_grant", "MP-303", start + text, Provenance.OURS, cause, remedy)


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
            "details_with_consumer_org", 400, "invalid_request", "MP-011",
            "Invalid assertion. Invalid parameter value: {detail}", _O,
            "The grant has both `consumer_org` and `authorization_details` for a system user or an enterprise system. "
            "The vendor of a system can not pass its API scopes on to an operator for these tokens: the client would "
            "be the operator's, with no tie to the vendor.",
            "Leave `consumer_org` out, and sign the grant as a client that the system's vendor owns.",
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
            "Unknown authorization details type: {detail}", _D,
            "The type in `authorization_details` is not one that this server supports, or that such a client may use.",
            "Use a type from `authorization_details_types_supported` in the metadata document.",
        ),
        CatalogueEntry(
            "unknown_authorization_details_field", 400, "invalid_grant", "MP-302",
            "Unknown fields in the authorization details: {detail}", _D,
            "The object in `authorization_details` has a member that its type does not know.",
            "Remove the member, or correct its name: upper and lower case count.",
        ),
        CatalogueEntry(
            "invalid_authorization_details", 400, "invalid_grant", "MP-303",
            "Invalid authorization details values {detail}", _D,
            "A value in `authorization_details` is missing or not valid.",
            "Correct the value that the text names.",
        ),
        # What Altinn says of them: one error, and a name for each of its causes (wire/altinn/systemusers.py, Cause).
        _customer(
            "client_not_in_any_system",
            "No system in Altinn's system register has the client id {client_id}",
            "The client is on no system in Altinn's system register, or that system has been deleted.",
            "The system's vendor adds the client id to its system, with `PUT` on the system register.",
        ),
        _customer(
            "system_of_another_vendor",
            "The system with the client id {client_id} belongs to another vendor than {vendor}, who owns the client",
            "The client is on a system of another vendor than the client's owner. A vendor can not pass its API scopes "
            "on to an operator for these tokens: the client would be the operator's, with no tie to the vendor.",
            "Sign the grant as a client that the system's vendor owns.",
        ),
        _customer(
            "no_system_user",
            "Organisation {owner} has no system user for the system with the client id {client_id}",
            "The organisation has no system user for this system, and nobody has asked it for one, as far as Altinn "
            "tells.",
            "The vendor sends a request for a system user, and the organisation approves it. If it has: check the "
            "client id in the system register, `externalRef`, and that `systemuser_org` is the system user's owner.",
        ),
        _customer(
            "other_external_ref",
            "Organisation {owner} has a system user for the system with another externalRef than the grant's",
            "The system user was made with another `externalRef` than the grant has. One that was made without is "
            "found without, or by the organisation's number.",
            "Send the `externalRef` that the request for the system user had.",
        ),
        _customer(
            "request_not_approved",
            "Organisation {owner} has not approved the request for a system user",
            "The organisation has been asked for a system user and has not approved it: it waits, was rejected, or has "
            "timed out.",
            "Have somebody who may do so for the organisation open the confirm link and approve; after a rejection, or "
            "180 days, send a new request.",
        ),
        _customer(
            "system_user_deleted",
            "Organisation {owner} has deleted its system user for the system",
            "The organisation has taken the system user back.",
            "Agree with the organisation, then send it a new request.",
        ),
        _customer(
            "client_of_an_agent",
            "Organisation {owner} is the client of an agent, and it is the agent that owns the system user",
            "The organisation has no system user itself: it is the client of an accountant, an auditor or another "
            "agent, who has one.",
            "Put the agent's number in `systemuser_org`, not its client's.",
        ),
        _customer(
            "unknown_organisation",
            "There is no organisation {owner}",
            "The number that the grant names belongs to no organisation.",
            "Correct the number in `authorization_details`.",
        ),
        _customer(
            "scope_without_resource",
            "No resource in Altinn's resource registry refers to a scope that was asked for: {scopes}",
            "For a virksomhetstoken each scope must stand for a resource, whose policy the decision point can ask; one "
            "of these stands for none.",
            "The API's owner refers to the scope from its resource, in `resourceReferences`.",
        ),
        _customer(
            "nothing_permitted",
            "The system has no right to {scopes} for organisation {owner}",
            "The decision point does not permit what the grant asks for: the system user has not been given the "
            "rights.",
            "The vendor asks the organisation for the rights that are missing, with a change request.",
        ),
        _customer(
            "right_missing",
            "The system has no right to {missing} for organisation {owner}, which rettigheit in the grant names",
            "A virksomhetstoken has all the rights that `rettigheit` names, or there is none. The decision point does "
            "not permit the named ones, or they are on resources that refer to none of the scopes.",
            "Leave the named ones out of `rettigheit`; or the vendor asks the organisation for them, with a change "
            "request.",
        ),
        _customer(
            "nobody_acts",
            "No system user of the system with the client id {client_id} acts for organisation {owner}",
            "For a virksomhetstoken the system user is the party's own, or an agent's who has the party for a client. "
            "The party has none of its own, and has not been asked for one; and no agent has been given it as a "
            "client, or it has been taken back, or the agent's owner has lost its role in the party.",
            "The vendor sends the party a request for a system user; or the agent's owner (an accountant, an auditor) "
            "gives its system user the client.",
        ),
        _customer(
            "other_hjelper",
            "Organisation {owner} is not among the clients of the one that hjelper names",
            "The organisation that `hjelper` names has no system user for this system with the party among its "
            "clients.",
            "Leave `hjelper` out, or name the agent that the party is a client of.",
        ),
        # And why a consent can not be drawn (wire/altinn/consents.py, Cause).
        _consent(
            "consent_not_found",
            "id: organisation {receiver} has been given no consent {id} (AM-00001)",
            "There is no consent with that id, or it is one that another organisation was given, or Altinn 2's alone.",
            "Compare `id` with the id of the consent request. A supplier names the one whose consent it is in "
            "`consumer_org`. One that Altinn 2 has is found here once Altinn 3 has taken it over.",
        ),
        _consent(
            "consent_of_another_giver",
            "from: consent {id} was asked of another party (AM-00012)",
            "The consent is there, and its giver is another than `from` in the grant.",
            "Put the giver that the consent was asked of in `from`.",
        ),
        _consent(
            "consent_revoked",
            "id: consent {id} is revoked (AM-00011)",
            "The consent was given and has ended: its giver took it back, its receiver gave it up, or it was good for "
            "one time and has been used.",
            "Ask for a new consent.",
        ),
        _consent(
            "consent_expired",
            "id: consent {id} is expired (AM-00013)",
            "The time until which the consent was asked for, `validTo`, has passed.",
            "Ask for a new consent.",
        ),
        _consent(
            "consent_not_accepted",
            "id: consent {id} is not accepted (AM-00014)",
            "The consent has not been answered yet, it was declined, or the question was withdrawn.",
            "Look at the consent request: as long as it is `Created`, ask again when the giver has answered.",
        ),
        _consent(
            "consent_for_another_receiver",
            "id: consent {id} was given to another organisation than {receiver}, which only handles it",
            "The client's organisation asked for the consent as a supplier. It was given to the consumer, and what was "
            "given to somebody else can not be drawn.",
            "Name the consumer in `consumer_org`: it delegates the API to the supplier.",
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

CONSENT_REASONS = {
    ConsentCause.NOT_FOUND: "consent_not_found",
    ConsentCause.OTHER_GIVER: "consent_of_another_giver",
    ConsentCause.REVOKED: "consent_revoked",
    ConsentCause.EXPIRED: "consent_expired",
    ConsentCause.NOT_ACCEPTED: "consent_not_accepted",
}
"""What is told of a consent that can not be drawn. Of several causes the first counts: whoever the consent was not
given to learns no more of it, and one whose time is over need not be waited for."""


def entries_with_code(code: str) -> list[CatalogueEntry]:
    """All refusals that carry ``code`` (in any letter case), for ``error_uri`` pages and ``fullmakt explain``."""
    return [entry for entry in CATALOGUE.values() if entry.code == code.upper()]


def entries_named(name: str) -> list[CatalogueEntry]:
    """The refusal with that reason, or all with that code or ``error``; letter case does not matter."""
    reason = CATALOGUE.get(name.lower())
    if reason is not None:
        return [reason]
    return entries_with_code(name) or [entry for entry in CATALOGUE.values() if entry.error == name.lower()]

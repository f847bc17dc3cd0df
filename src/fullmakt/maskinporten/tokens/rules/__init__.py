"""The token endpoint's decisions, in the order in which the protocol makes them: values in, a value out.

Each rule returns None (or a value) to go on, or the ``Refusal`` that ends it. Source: maskinporten.md §2.3, whose step
numbers stand beside the rules.
"""

from fullmakt.maskinporten.tokens.rules.client import (
    access_holder,
    acts_for_another,
    check_access,
    check_certificate_owner,
    check_client,
    check_consumer_org,
    check_delegation,
    check_scopes,
    choose_key,
    client_not_found,
)
from fullmakt.maskinporten.tokens.rules.details import (
    Answer,
    Details,
    Question,
    SystemQuestion,
    details_question,
    enrich,
    read_details,
    supported_details,
)
from fullmakt.maskinporten.tokens.rules.grant import (
    check_audience,
    check_claim_syntax,
    check_header,
    check_times,
    malformed,
    read_grant,
)
from fullmakt.maskinporten.tokens.rules.token import (
    LONGEST_TOKEN,
    check_resource,
    is_rfc9068,
    plan_token,
    token_lifetime,
    token_payload,
)

__all__ = [
    "LONGEST_TOKEN",
    "Answer",
    "Details",
    "Question",
    "SystemQuestion",
    "access_holder",
    "acts_for_another",
    "check_access",
    "check_audience",
    "check_certificate_owner",
    "check_claim_syntax",
    "check_client",
    "check_consumer_org",
    "check_delegation",
    "check_header",
    "check_resource",
    "check_scopes",
    "check_times",
    "choose_key",
    "client_not_found",
    "details_question",
    "enrich",
    "is_rfc9068",
    "malformed",
    "plan_token",
    "read_details",
    "read_grant",
    "supported_details",
    "token_lifetime",
    "token_payload",
]

"""The metadata document of the token server (RFC 8414; maskinporten.md §1.3)."""

from __future__ import annotations

from collections.abc import Sequence

from fullmakt.wire.maskinporten.grant import GRANT_TYPE


def metadata_document(
    issuer: str, algorithms: Sequence[str], authorization_details_types: Sequence[str] = ()
) -> dict[str, object]:
    """The document for ``issuer`` (which ends in a slash); every URL in it begins with the issuer.

    Like the real one it leaves out ``response_types_supported``, which RFC 8414 calls required: there is no
    authorization endpoint to have any.
    """
    document: dict[str, object] = {
        "issuer": issuer,
        "token_endpoint": f"{issuer}token",
        "jwks_uri": f"{issuer}jwk",
        "token_endpoint_auth_methods_supported": ["private_key_jwt"],
        "grant_types_supported": [GRANT_TYPE],
        "token_endpoint_auth_signing_alg_values_supported": list(algorithms),
    }
    if authorization_details_types:
        document["authorization_details_types_supported"] = list(authorization_details_types)
    return document

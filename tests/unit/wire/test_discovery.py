"""Metadata, as clients and APIs read it."""

from __future__ import annotations

import pytest

from fullmakt.wire.discovery import InvalidMetadataError, IssuerMetadata, metadata_urls

DOCUMENT = {
    "issuer": "https://test.maskinporten.no/",
    "token_endpoint": "https://test.maskinporten.no/token",
    "jwks_uri": "https://test.maskinporten.no/jwk",
}


def test_maskinportens_document_is_read() -> None:
    assert IssuerMetadata.read(DOCUMENT, issuer="https://test.maskinporten.no/") == IssuerMetadata(**DOCUMENT)


@pytest.mark.parametrize(
    ("issuer", "urls"),
    [
        (
            "https://maskinporten.no/",
            [
                "https://maskinporten.no/.well-known/oauth-authorization-server",
                "https://maskinporten.no/.well-known/openid-configuration",
            ],
        ),
        (
            "http://localhost:8080/maskinporten/",
            [
                "http://localhost:8080/maskinporten/.well-known/oauth-authorization-server",
                "http://localhost:8080/.well-known/oauth-authorization-server/maskinporten",
                "http://localhost:8080/maskinporten/.well-known/openid-configuration",
            ],
        ),
    ],
)
def test_it_is_looked_for_where_it_may_be(issuer: str, urls: list[str]) -> None:
    assert list(metadata_urls(issuer)) == urls


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"issuer": "https://test.maskinporten.no"}, "letter for letter"),
        ({"issuer": None}, "names no issuer"),
        ({"issuer": "maskinporten"}, "names no issuer"),
        ({"jwks_uri": 1}, "jwks_uri in the metadata document is not a URL"),
        ({"jwks_uri": "file:///etc/passwd"}, "is not a URL"),
        ({"jwks_uri": "https://[half"}, "is not a URL"),
        ({"token_endpoint": "http://test.maskinporten.no/token"}, "token_endpoint in the metadata document leaves TLS"),
    ],
)
def test_a_document_that_can_not_be_right_is_refused(changes: dict[str, object], says: str) -> None:
    with pytest.raises(InvalidMetadataError, match=says):
        IssuerMetadata.read(DOCUMENT | changes, issuer="https://test.maskinporten.no/")


def test_what_the_document_leaves_out_is_none() -> None:
    assert IssuerMetadata.read({"issuer": "http://localhost/"}, issuer=None).jwks_uri is None

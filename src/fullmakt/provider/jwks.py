"""Fetching an issuer's keys, as a conversation without I/O: requests out, responses in, keys at the end."""

from __future__ import annotations

import re
from collections.abc import Generator
from typing import Any

import httpx2

from fullmakt.jose.strict_json import StrictJsonError, loads_object
from fullmakt.provider.key_cache import FetchedKeys
from fullmakt.provider.keys import usable_keys
from fullmakt.wire.discovery import InvalidMetadataError, IssuerMetadata, metadata_urls

MAX_DOCUMENT_BYTES = 1024 * 1024
_MAX_AGE = re.compile(r'(?:^|[\s,])max-age\s*=\s*"?([0-9]{1,9})', re.IGNORECASE)
_UNCACHEABLE = re.compile(r"(?:^|[\s,])no-(?:store|cache)", re.IGNORECASE)
_SECONDS = re.compile(r"[0-9]{1,9}", re.ASCII)


class KeysNotFetchedError(Exception):
    """The issuer did not answer with keys; the message says what it did instead."""


def fetch_keys(
    issuer: str, jwks_uri: str | None, *, pass_caches: bool
) -> Generator[httpx2.Request, httpx2.Response, FetchedKeys]:
    """Fetch the issuer's JWKS, by way of its metadata unless ``jwks_uri`` is given.

    Raises:
        KeysNotFetchedError: no such document, one that is no JWKS or of another issuer, or not a key to use in it.
    """
    if jwks_uri is None:
        jwks_uri = yield from _find_jwks_uri(issuer)
    headers = {"Accept": "application/json"} | ({"Cache-Control": "no-cache"} if pass_caches else {})
    response = yield httpx2.Request("GET", jwks_uri, headers=headers)
    keys = usable_keys(_json(response).get("keys"))
    if not keys:
        raise KeysNotFetchedError(f"{jwks_uri} holds no key that can be used")
    return FetchedKeys(keys, max_age(response.headers))


def max_age(headers: httpx2.Headers) -> float | None:
    """Seconds that a response may be kept, by its ``Cache-Control`` and ``Age`` (RFC 9111 §5.1, §5.2.2)."""
    directives = headers.get("cache-control", "")
    if _UNCACHEABLE.search(directives):
        return 0.0
    found = _MAX_AGE.search(directives)
    if found is None:
        return None
    age = headers.get("age", "")
    return max(0.0, float(found[1]) - (float(age) if _SECONDS.fullmatch(age) else 0.0))


def _find_jwks_uri(issuer: str) -> Generator[httpx2.Request, httpx2.Response, str]:
    for url in metadata_urls(issuer):
        response = yield httpx2.Request("GET", url, headers={"Accept": "application/json"})
        if response.status_code == httpx2.codes.NOT_FOUND:
            continue
        try:
            metadata = IssuerMetadata.read(_json(response), issuer=issuer)
        except InvalidMetadataError as error:
            raise KeysNotFetchedError(str(error)) from error
        if metadata.jwks_uri is None:
            raise KeysNotFetchedError(f"{url} names no jwks_uri")
        return metadata.jwks_uri
    raise KeysNotFetchedError(f"{issuer} publishes no metadata")


def _json(response: httpx2.Response) -> dict[str, Any]:
    if response.status_code != httpx2.codes.OK:
        raise KeysNotFetchedError(f"{response.url} answers {response.status_code}")
    if len(response.content) > MAX_DOCUMENT_BYTES:
        raise KeysNotFetchedError(f"{response.url} answers with more than {MAX_DOCUMENT_BYTES} bytes")
    try:
        return loads_object(response.content)
    except StrictJsonError as error:
        raise KeysNotFetchedError(f"{response.url} does not answer with a JSON object: {error}") from error

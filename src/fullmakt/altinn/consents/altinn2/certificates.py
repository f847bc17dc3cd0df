"""A client's certificate: the one that the connection was made with, or as a proxy that ends TLS hands it on."""

from __future__ import annotations

import base64
import binascii
import re
from urllib.parse import unquote

from starlette.requests import Request

MAX_HEADER = 64 * 1024
_PEM = re.compile(r"-----BEGIN CERTIFICATE-----([A-Za-z0-9+/=\s]+)-----END CERTIFICATE-----", re.ASCII)
_LONGEST_CHAIN = 8


def presented_by(request: Request, header: str | None) -> list[str]:
    """The certificates that the caller shows, leaf first, in base64 of DER; none when it shows none.

    With a ``header`` a proxy ends TLS, and what it writes there is all that counts: the connection is the proxy's own.
    Without one it is what the connection was made with, as ASGI's TLS extension tells it.
    """
    if header is None:
        chain = request.scope.get("extensions", {}).get("tls", {}).get("client_cert_chain", ())
        return [each for certificate in chain for each in certificates_in(certificate)]
    shown = request.headers.getlist(header)
    return certificates_in(shown[0]) if len(shown) == 1 else []


def certificates_in(header: str) -> list[str]:
    """The certificates in a header, leaf first, in base64 of DER; none when it holds none.

    Read are ``:…:`` (RFC 9440 §2.1), base64 alone, and PEM, percent-encoded as nginx does it, or with its line breaks
    turned into spaces or tabs.
    """
    text = header.strip()
    if not text or len(text) > MAX_HEADER or not text.isascii():
        return []
    if text.startswith(":") and text.endswith(":"):
        return _bare(text[1:-1])
    if "BEGIN" in text:
        found = [_bare("".join(one.split())) for one in _PEM.findall(unquote(text))]
        return [one for each in found for one in each] if all(found) and len(found) <= _LONGEST_CHAIN else []
    return _bare(text)


def _bare(text: str) -> list[str]:
    try:
        der = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return []
    return [base64.b64encode(der).decode()] if der else []

"""What a key and its secret may be, and what is kept of a secret."""

from __future__ import annotations

import hashlib
import re

from fullmakt.altinn.consents.keys.model import MAX_DOMAINS, MAX_NAME, ApiKeyDeclaration, ApiKeyRefusedError
from fullmakt.altinn.consents.srr.domains import DomainPattern, InvalidPatternError, parse_pattern
from fullmakt.kernel.text import is_line

_GUID = re.compile(r"[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}", re.ASCII)


def hash_of(secret: str) -> bytes | None:
    """The SHA-256 of a secret, whatever the case of its letters; None for what is no GUID, and so no secret."""
    folded = secret.strip().lower()
    return hashlib.sha256(folded.encode()).digest() if _GUID.fullmatch(folded) else None


def domains_of(declaration: ApiKeyDeclaration) -> tuple[DomainPattern, ...]:
    """The declaration's domains, each once, when it breaks no rule.

    Raises:
        ApiKeyRefusedError: ``bad_name``, ``too_many_domains``, ``bad_domain``.
    """
    name = declaration.name
    if not name or len(name) > MAX_NAME or not is_line(name):
        raise ApiKeyRefusedError("bad_name", f"a key's name is one line of at most {MAX_NAME} characters")
    if len(declaration.domains) > MAX_DOMAINS:
        raise ApiKeyRefusedError("too_many_domains", f"the key {name} has more than {MAX_DOMAINS} domains")
    try:
        return tuple(dict.fromkeys(map(parse_pattern, declaration.domains)))
    except InvalidPatternError as error:
        raise ApiKeyRefusedError("bad_domain", f"the key {name}: {error}") from error

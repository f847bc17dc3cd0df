"""Altinn's consents where they are kept by another program: the look-up over HTTP.

Source: consent.md §4.9, §4.16; maskinporten.md §5.3.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import httpx2

from fullmakt.infra.unavailable import NeighbourUnavailableError
from fullmakt.jose.strict_json import StrictJsonError, loads_object
from fullmakt.maskinporten.tokens.distant_altinn import Asker
from fullmakt.wire.altinn.consents import ConsentQuestion, ConsentRight, FoundConsent, NoConsent

_REFUSED = frozenset({httpx2.codes.BAD_REQUEST, httpx2.codes.NOT_FOUND, httpx2.codes.INTERNAL_SERVER_ERROR})
"""One cause has a status of its own; several come with 500."""
_MAX_RIGHTS = 1_000
_MAX_TEXT = 10_000


class DistantConsents:
    """The ``Consents`` port over HTTP. Its answers are not remembered, for nobody tells when they change.

    ``url`` is access management's public URL, ``…/accessmanagement``, without a slash at the end. The token is for
    ``LOOK_UP_SCOPE``.
    """

    topic: str | None = None

    def __init__(self, url: str, http: httpx2.AsyncClient, token: Callable[[], Awaitable[str]]) -> None:
        self._url = f"{url}/api/v1/maskinporten/consent/lookup"
        self._asker = Asker(http, token)

    async def look_up(self, question: ConsentQuestion) -> FoundConsent | NoConsent:
        """The consent, or why there is none to draw.

        Raises:
            NeighbourUnavailableError: Altinn does not answer, or not as it should.
        """
        status, body = await self._asker.post(self._url, question.document())
        if status != httpx2.codes.OK and status not in _REFUSED:
            raise NeighbourUnavailableError(f"Altinn answers {status}")
        try:
            document = loads_object(body)
            return _found(document, question) if status == httpx2.codes.OK else NoConsent.read(document)
        except (StrictJsonError, ValueError) as error:
            text = f"Altinn answers {status} with something else than the consent, or why there is none"
            raise NeighbourUnavailableError(text) from error

    async def version(self) -> int:
        """Nobody counts."""
        return 0


def _found(document: Mapping[str, Any], question: ConsentQuestion) -> FoundConsent:
    consent = FoundConsent.read(document)
    if (consent.id, consent.giver) != (question.id, question.giver):
        raise ValueError("another consent than was asked for")
    if question.receiver not in (consent.receiver, consent.handled_by):
        raise ValueError("a consent of somebody else's")
    if not 0 < len(consent.rights) <= _MAX_RIGHTS or not all(_is_clean(right) for right in consent.rights):
        raise ValueError("no rights that can be written down")
    return consent


def _is_clean(right: ConsentRight) -> bool:
    """All of it ends up in a token, and the resource in the audit trail too, which can not hold every character."""
    names = (right.resource, *right.actions, *right.metadata)
    short = all(0 < len(name) <= _MAX_TEXT and name.isprintable() for name in names)
    return short and all(len(value) <= _MAX_TEXT and "\0" not in value for value in right.metadata.values())

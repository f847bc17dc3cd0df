"""The checks of a call that need nobody else, in the contract's order. Pure (lanekassen-saldo.md §2, §5, §6).

Whether tokens and consent are to be believed is ``fullmakt.provider``'s to say.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from fullmakt.kernel.identifiers import InvalidIdentifierError, Iso6523, NationalId, OrgNumber
from fullmakt.lanekassen.errors import Reason, RefusedError
from fullmakt.provider import VerifiedToken

Headers = Callable[[str], Sequence[str]]
"""All values of a header, by its name in any case."""

_REQUEST_ID = re.compile(r"[!-~]{1,200}", re.ASCII)
_BEARER = re.compile(r"bearer\s+", re.IGNORECASE)
_MAX_KEY = 200


@dataclass(frozen=True, slots=True)
class Call:
    """What a call brings along; ``consent`` is None where no consent token is sent. ``repr`` shows no secret."""

    api_key: str = field(repr=False)
    authorization: str = field(repr=False)
    consent: str | None = field(repr=False)
    person: NationalId
    request_id: str


def request_id_of(headers: Headers) -> str | None:
    """``X-Request-Id``, to be said again in the answer; None when there is none that could be."""
    values = headers("x-request-id")
    return values[0] if len(values) == 1 and _REQUEST_ID.fullmatch(values[0]) else None


def read_call(headers: Headers) -> Call:
    """Check 1: the headers. Proxies turn ``PSU_ID`` into ``PSU-ID``; either will do, and both only if they agree.

    Raises:
        RefusedError: 400; ``facts["header"]`` names the first that is missing, sent twice, or can not be what it is.
    """
    request_id = request_id_of(headers)
    if request_id is None:
        raise _bad_header("X-Request-Id")
    api_key = _one(headers, "ApiKey")
    if not (api_key.isascii() and api_key.isprintable() and len(api_key) <= _MAX_KEY):
        raise _bad_header("ApiKey")
    return Call(
        api_key=api_key,
        authorization=_one(headers, "Authorization"),
        consent=_one(headers, "Consent-ID") if any(headers("Consent-ID")) else None,
        person=_person(headers),
        request_id=request_id,
    )


def maskinporten_token(call: Call, *, strict: bool) -> str:
    """Check 4, its first part: the token stands alone in ``Authorization``.

    Raises:
        RefusedError: 401, the word ``Bearer`` goes before it.
    """
    prefix = _BEARER.match(call.authorization)
    if prefix is None:
        return call.authorization
    if strict:
        raise RefusedError(4, 401, Reason.BEARER_PREFIX)
    return call.authorization[prefix.end() :]


def check_audience(token: VerifiedToken, url: str) -> None:
    """Check 4, its last part: a token that was asked for with a ``resource`` is for this API.

    Raises:
        RefusedError: 401, it is for others.
    """
    if token.audience and not any(audience == url or audience.startswith(f"{url}/") for audience in token.audience):
        raise RefusedError(4, 401, Reason.WRONG_AUDIENCE, audience=list(token.audience))


def check_consumer(token: VerifiedToken, holder: OrgNumber) -> None:
    """Check 6: the consumer is an organisation of Enhetsregisteret, and the API key is its own or its supplier's.

    Raises:
        RefusedError: 401.
    """
    if token.claims.get("consumer") != {"authority": Iso6523.AUTHORITY, "ID": token.consumer.iso6523}:
        raise RefusedError(6, 401, Reason.FOREIGN_CONSUMER)
    if holder not in (token.consumer, token.supplier):
        raise RefusedError(6, 401, Reason.FOREIGN_API_KEY, holder=holder)


def check_quotes(consent: str, *, strict: bool) -> None:
    """Check 8, its first part: the consent token stands without the quotes in which Altinn hands it out.

    Raises:
        RefusedError: 403.
    """
    if strict and consent.startswith('"'):
        raise RefusedError(8, 403, Reason.CONSENT_QUOTED)


def facts_of(token: VerifiedToken) -> dict[str, Any]:
    """Who called, for the trail."""
    supplier = {} if token.supplier is None else {"supplier": token.supplier}
    return {"consumer": token.consumer, **supplier, "client_id": token.client_id}


def _one(headers: Headers, name: str) -> str:
    values = headers(name)
    if len(values) != 1 or not values[0].strip():
        raise _bad_header(name)
    return values[0].strip()


def _person(headers: Headers) -> NationalId:
    numbers = [value.strip() for value in (*headers("PSU_ID"), *headers("PSU-ID"))]
    try:
        if len(set(numbers)) == 1:
            return NationalId(numbers[0])
    except InvalidIdentifierError:
        pass
    raise _bad_header("PSU_ID")


def _bad_header(name: str) -> RefusedError:
    return RefusedError(1, 400, Reason.BAD_HEADERS, header=name)

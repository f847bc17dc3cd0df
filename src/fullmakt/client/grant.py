"""The JWT-bearer grant: what to ask for, and the signed assertion that asks (maskinporten.md §2; RFC 7523)."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Self, TypedDict

from fullmakt.client.credentials import Credentials
from fullmakt.kernel.identifiers import NationalId, OrgNumber
from fullmakt.wire.maskinporten.grant import GRANT_TYPE, MAX_GRANT_LIFETIME

Details = Mapping[str, Any] | Sequence[Mapping[str, Any]]
"""The object that ``authorization_details`` holds, or the list with it."""


class Asked(TypedDict, total=False):
    """What may be asked for beside scopes, by the grant's names; ``TokenRequest.of`` says what each is."""

    resource: str | Iterable[str]
    pid: str | None
    consumer_org: str | None
    iss_onbehalfof: str | None
    authorization_details: Details | None


@dataclass(frozen=True, slots=True)
class TokenRequest:
    """What a token is asked for; equal requests share a token. Made by ``of``, which checks it.

    ``authorization_details`` is kept as JSON text, so that requests can be compared.
    """

    scopes: tuple[str, ...]
    resource: tuple[str, ...] = ()
    pid: NationalId | None = None
    consumer_org: OrgNumber | None = None
    iss_onbehalfof: str | None = None
    authorization_details: str | None = field(default=None, repr=False)

    @classmethod
    def of(
        cls,
        scope: str | Iterable[str],
        *,
        resource: str | Iterable[str] = (),
        pid: str | None = None,
        consumer_org: str | None = None,
        iss_onbehalfof: str | None = None,
        authorization_details: Details | None = None,
    ) -> Self:
        """Check and normalise a request.

        scope: one or more, as a list or separated by spaces. resource: the URIs that the token is to be limited to.
        pid: the person it is about. consumer_org: the organisation on whose behalf a supplier asks.
        iss_onbehalfof: deprecated, and not together with ``consumer_org``.
        authorization_details: RFC 9396, one object: ``system_user(…)``, ``virksys(…)``, or a consent.

        Raises:
            ValueError: no scope, both ways of acting for another, or (``InvalidIdentifierError``) a bad identifier.
        """
        scopes = tuple(dict.fromkeys(scope.split() if isinstance(scope, str) else scope))
        if not scopes or any(not name or len(name.split()) != 1 for name in scopes):
            raise ValueError("a token is asked for at least one scope, and a scope holds no white space")
        if consumer_org is not None and iss_onbehalfof is not None:
            raise ValueError("consumer_org and iss_onbehalfof exclude each other")
        details = _listed(authorization_details)
        return cls(
            scopes=scopes,
            resource=(resource,) if isinstance(resource, str) else tuple(resource),
            pid=None if pid is None else NationalId(pid),
            consumer_org=None if consumer_org is None else OrgNumber(consumer_org),
            iss_onbehalfof=iss_onbehalfof,
            authorization_details=None if details is None else _json(details),
        )

    @property
    def claims(self) -> dict[str, Any]:
        """The grant's claims that say what is asked for; those that are not asked for are left out."""
        claims: dict[str, Any] = {"scope": " ".join(self.scopes)}
        if self.resource:
            claims["resource"] = list(self.resource)
        for name in ("pid", "consumer_org", "iss_onbehalfof"):
            value = getattr(self, name)
            if value is not None:
                claims[name] = str(value)
        if self.authorization_details is not None:
            claims["authorization_details"] = json.loads(self.authorization_details)
        return claims


def build_grant(
    credentials: Credentials,
    request: TokenRequest,
    *,
    audience: str,
    now: dt.datetime,
    jti: str,
    lifetime: int = MAX_GRANT_LIFETIME,
) -> str:
    """The signed assertion, a compact JWS; good for one use.

    audience: the issuer of the metadata document, never the token endpoint. jti: fresh each time, a UUID.
    lifetime: seconds, 120 at most; the most is also what bears the most difference between clocks.

    Raises:
        ValueError: ``lifetime`` is not 1 to 120.
    """
    if not 0 < lifetime <= MAX_GRANT_LIFETIME:
        raise ValueError(f"a grant lives for 1 to {MAX_GRANT_LIFETIME} seconds")
    issued_at = int(now.timestamp())
    claims = {
        "aud": audience,
        "iss": credentials.client_id,
        **request.claims,
        "iat": issued_at,
        "exp": issued_at + lifetime,
        "jti": jti,
    }
    return credentials.signer.sign(_json(claims).encode(), _certificate_header(credentials)).decode()


def grant_form(assertion: str) -> dict[str, str]:
    """The form to POST to the token endpoint (maskinporten.md §1.5)."""
    return {"grant_type": GRANT_TYPE, "assertion": assertion}


def _certificate_header(credentials: Credentials) -> bytes | None:
    """The header for an enterprise certificate, without ``kid`` since no key is registered (§2.1)."""
    if not credentials.certificates:
        return None
    return _json({"alg": credentials.signer.alg, "x5c": credentials.certificates}).encode()


def _listed(details: Details | None) -> list[dict[str, Any]] | None:
    if details is None:
        return None
    return [dict(details)] if isinstance(details, Mapping) else [dict(detail) for detail in details]


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))

"""What the certificates point at: revocation lists and the CAs' own certificates."""

from __future__ import annotations

import hashlib

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from fullmakt.infra.database import DatabaseUnavailableError
from fullmakt.infra.http import SystemEdge, problem, routed, routing_problem
from fullmakt.pki.errors import NotSetUpError, UnknownAuthorityError
from fullmakt.pki.exports import der, pem_bundle
from fullmakt.pki.model import Authority
from fullmakt.pki.rules import certificate_url, crl_url, distinguished_name
from fullmakt.pki.service import Pki

CRL_MAX_AGE = 60
"""Seconds for which a cache may keep a CRL: a revocation in a test should be seen soon."""
CERTIFICATE_MAX_AGE = 86_400


def app(service: Pki) -> ASGIApp:
    """The system's app, to be mounted at its base path.

    ``GET /`` lists the CAs; ``/crl/{ca}.crl`` is the CA's CRL and ``/ca/{ca}.cer`` its certificate, both in DER
    (RFC 2585 §4, RFC 5280 §4.2.1.13, §4.2.2.1); ``/ca/bundle.pem`` holds the test CAs, roots and issuing ones, for a
    verifier's trust store. All carry ``ETag`` and answer 304 to a fitting ``If-None-Match``; an unknown CA is 404.
    """
    pki = _Endpoints(service)
    routes = [
        Route("/", pki.listing),
        Route("/crl/{name}.crl", pki.crl),
        Route("/ca/bundle.pem", pki.bundle),
        Route("/ca/{name}.cer", pki.certificate),
    ]
    handlers = {
        UnknownAuthorityError: _not_found,
        NotSetUpError: _unavailable,
        DatabaseUnavailableError: _unavailable,
        HTTPException: routing_problem,
    }
    return SystemEdge(routed(routes, handlers))


class _Endpoints:
    def __init__(self, service: Pki) -> None:
        self._service = service

    async def listing(self, _request: Request) -> Response:
        authorities = await self._service.authorities()
        documents = [_document(self._service.base_url, authority) for authority in authorities.values()]
        return JSONResponse({"bundle": f"{self._service.base_url}/ca/bundle.pem", "authorities": documents})

    async def crl(self, request: Request) -> Response:
        published = await self._service.crl(request.path_params["name"])
        return _cacheable(request, published.der, "application/pkix-crl", CRL_MAX_AGE)

    async def certificate(self, request: Request) -> Response:
        authority = (await self._service.authorities()).get(request.path_params["name"])
        if authority is None:
            raise UnknownAuthorityError("there is no such certificate authority")
        return _cacheable(request, der(authority.certificate), "application/pkix-cert", CERTIFICATE_MAX_AGE)

    async def bundle(self, request: Request) -> Response:
        anchors = await self._service.anchors()
        pem = pem_bundle((*anchors.roots, *anchors.intermediates))
        return _cacheable(request, pem, "application/x-pem-file", CERTIFICATE_MAX_AGE)


def _document(base_url: str, authority: Authority) -> dict[str, object]:
    certificate, profile = authority.certificate, authority.profile
    return {
        "name": profile.name,
        "environment": profile.environment,
        "subject": distinguished_name(certificate.subject),
        "issuer": distinguished_name(certificate.issuer),
        "policy": profile.policy,
        "not_after": f"{certificate.not_valid_after_utc:%Y-%m-%dT%H:%M:%SZ}",
        "certificate": certificate_url(base_url, profile),
        "crl": crl_url(base_url, profile),
    }


def _cacheable(request: Request, body: bytes, media_type: str, max_age: int) -> Response:
    etag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
    headers = {"ETag": etag, "Cache-Control": f"public, max-age={max_age}"}
    # Weak comparison, as If-None-Match asks for (RFC 9110 §13.1.2).
    known = {tag.strip().removeprefix("W/") for tag in request.headers.get("if-none-match", "").split(",")}
    if etag in known or "*" in known:
        return Response(status_code=304, headers=headers)
    return Response(body, headers=headers, media_type=media_type)


async def _not_found(_request: Request, error: Exception) -> Response:
    return problem(404, str(error))


async def _unavailable(_request: Request, _error: Exception) -> Response:
    return problem(503, "the certificate authorities can not be reached")

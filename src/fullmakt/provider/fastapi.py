"""A FastAPI dependency that verifies the token.

    read = bearer(verifier, scopes=["provider:api.read"])
    app.router.route_class = BearerRoute

    @app.get("/orders")
    async def orders(token: Annotated[VerifiedToken, Depends(read)]) -> ...

FastAPI reads the request's body before it asks any dependency. ``BearerRoute`` asks ours first, so that strangers
can not make the API read and parse what they send; without it the refusals are the same, but later.
"""

from collections.abc import Callable, Collection, Coroutine, Iterable, Iterator
from typing import Any

from fastapi import HTTPException, Request, Response
from fastapi.dependencies.models import Dependant
from fastapi.openapi.models import HTTPBearer
from fastapi.requests import HTTPConnection
from fastapi.routing import APIRoute
from fastapi.security.base import SecurityBase

from fullmakt.provider.authorization import bearer_token
from fullmakt.provider.errors import DEFAULT_REALM, BearerError
from fullmakt.provider.trusted import Verifier
from fullmakt.provider.verified_token import VerifiedToken

_VERIFIED = "fullmakt.provider.verified"


class Bearer(SecurityBase):
    """The dependency that ``bearer`` makes; its value is the ``VerifiedToken``, also found in ``request.state.token``.

    Raises:
        HTTPException: with the status and headers of the ``BearerError``, which is its cause, and ``error`` and
            ``error_description`` in its ``detail``.
    """

    def __init__(self, verifier: Verifier, scopes: Iterable[str], consumers: Collection[str] | None, realm: str):
        self.model = HTTPBearer(bearerFormat="JWT", description="An access token from Maskinporten")
        self.scheme_name = "Maskinporten"
        self._verifier = verifier
        self._scopes = scopes if isinstance(scopes, str) else tuple(scopes)
        self._consumers = consumers
        self._realm = realm

    async def __call__(self, request: HTTPConnection) -> VerifiedToken:
        verified: dict[Bearer, VerifiedToken] = request.scope.setdefault(_VERIFIED, {})
        if self not in verified:
            try:
                verified[self] = await self._verifier.verify(
                    bearer_token(request.headers.getlist("authorization")),
                    scopes=self._scopes,
                    consumers=self._consumers,
                )
            except BearerError as error:
                headers = error.headers(realm=self._realm)
                raise HTTPException(error.status, error.body(), headers) from error
        request.state.token = verified[self]
        return verified[self]


def bearer(
    verifier: Verifier,
    *,
    scopes: Iterable[str] = (),
    consumers: Collection[str] | None = None,
    realm: str = DEFAULT_REALM,
) -> Bearer:
    """A dependency that lets through tokens with all of ``scopes`` and, if given, one of ``consumers``."""
    return Bearer(verifier, scopes, consumers, realm)


class BearerRoute(APIRoute):
    """A route whose ``bearer`` dependencies are asked before the request's body is read."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The route's handler, with its guards before it."""
        handle = super().get_route_handler()

        async def guarded(request: Request) -> Response:
            # A router that was included with dependencies of its own has them in its effective route, not in this one.
            route = request.scope.get("fastapi", {}).get("effective_route_context") or self
            overrides = getattr(route.dependency_overrides_provider, "dependency_overrides", {})
            for guard in _guards(route.dependant):
                if guard not in overrides:
                    await guard(request)
            return await handle(request)

        return guarded


def _guards(dependant: Dependant) -> Iterator[Bearer]:
    if isinstance(dependant.call, Bearer):
        yield dependant.call
    for inner in dependant.dependencies:
        yield from _guards(inner)

"""Who calls Altinn 2's routes: an API key, and beside it a Maskinporten token or an enterprise certificate (§2.1)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from starlette.requests import Request

from fullmakt.altinn.consents.altinn2.certificates import presented_by
from fullmakt.altinn.consents.altinn2.errors import NotAdmittedError, NotAuthenticatedError
from fullmakt.altinn.consents.altinn2.ports import ApiKeys, BadCertificate, EnterpriseCertificates
from fullmakt.altinn.consents.keys.model import ApiKey
from fullmakt.infra.altinn import Callers
from fullmakt.infra.http import bearer_token
from fullmakt.kernel.identifiers import OrgNumber
from fullmakt.wire.altinn.callers import Caller, InvalidCallerError

KEY_HEADER = "ApiKey"
NO_KEY = "A valid API key is needed for this operation."
OTHERS_KEY = "The API key belongs to another organization than the one that is authenticated."
NO_SCOPE = "The access token lacks a scope that this operation needs."
NOT_THE_OWNER = "The API key is not a service owner's."


@dataclass(frozen=True, slots=True)
class Enterprise:
    """Who calls: the organisation of the API key.

    ``on_behalf_of`` is the consumer of a supplier token: the organisation acts for it, as it has been delegated to in
    Altinn. ``is_authenticated`` is false where the key is all that there is.
    """

    organisation: OrgNumber
    key: ApiKey
    on_behalf_of: OrgNumber | None = None
    is_authenticated: bool = True

    @property
    def actor(self) -> str:
        """What the audit trail calls it."""
        return str(self.organisation)


class Door:
    """Lets callers in. ``certificate_header`` is what a proxy that ends TLS puts the client's certificate in; without
    one no header counts, for anybody could write it, but the certificate that the connection was made with."""

    def __init__(
        self,
        keys: ApiKeys,
        callers: Callers,
        certificates: EnterpriseCertificates | None = None,
        certificate_header: str | None = None,
    ) -> None:
        self._keys = keys
        self._callers = callers
        self._certificates = certificates
        self._header = certificate_header

    async def enterprise(self, request: Request, *scopes: str) -> Enterprise:
        """The enterprise that calls, which has to be authenticated; a token needs any one of ``scopes``.

        Raises:
            NotAdmittedError: no API key, another's, or no such scope.
            NotAuthenticatedError: neither token nor certificate, or one that is not to be believed.
        """
        found = await self.holder(request, *scopes)
        if not found.is_authenticated:
            raise _not_authenticated("no_enterprise_authentication", found.key)
        return found

    async def holder(self, request: Request, *scopes: str) -> Enterprise:
        """The same where the API key alone may do: what else is shown has to be good all the same.

        Raises:
            NotAdmittedError: as above.
            NotAuthenticatedError: what is shown is not to be believed.
        """
        key = await self._key(request)
        shown = bearer_token(request.headers)
        if shown is not None:
            return await self._by_token(key, shown, scopes)
        if "authorization" in request.headers:
            raise _not_authenticated("no_bearer_token", key)
        if is_forced(request):
            return await self._by_certificate(key, request)
        return Enterprise(key.organisation, key, is_authenticated=False)

    async def owner(self, request: Request, *scopes: str) -> Enterprise:
        """A service owner, with a service owner's API key.

        Raises:
            NotAdmittedError: as above, or the key is no service owner's.
            NotAuthenticatedError: as above.
        """
        found = await self.enterprise(request, *scopes)
        if not found.key.service_owner:
            raise NotAdmittedError(
                "key_of_no_service_owner", NOT_THE_OWNER, organisation=found.actor, key=found.key.name
            )
        if found.on_behalf_of is not None:  # who has been delegated to by a service owner is none
            raise NotAdmittedError("supplier_is_no_owner", NOT_THE_OWNER, organisation=found.actor)
        return found

    async def _key(self, request: Request) -> ApiKey:
        shown = request.headers.getlist(KEY_HEADER)
        key = await self._keys.holder(shown[0].strip()) if len(shown) == 1 else None
        if key is None:
            raise NotAdmittedError("unknown_api_key" if shown else "no_api_key", NO_KEY)
        return key

    async def _by_token(self, key: ApiKey, token: str, scopes: tuple[str, ...]) -> Enterprise:
        try:
            caller = await self._callers.identify(token)
        except InvalidCallerError as error:
            raise _not_authenticated("invalid_token", key, why=error.reason) from error
        found = _of_token(caller, key)
        if caller.scopes.isdisjoint(scopes):
            raise NotAdmittedError("missing_scope", NO_SCOPE, organisation=found.actor, any_of=sorted(scopes))
        return found

    async def _by_certificate(self, key: ApiKey, request: Request) -> Enterprise:
        presented = presented_by(request, self._header)
        if self._certificates is None or not presented:
            raise _not_authenticated("no_certificate", key)
        organisation = await self._certificates.organisation_of(presented)
        if isinstance(organisation, BadCertificate):
            raise _not_authenticated("invalid_certificate", key, **organisation.why)
        return _matching(Enterprise(organisation, key))


def is_forced(request: Request) -> bool:
    """True when the query holds ``ForceEIAuthentication``, without a value or with ``true``; without it certificates
    are passed over."""
    given = [value for name, value in request.query_params.multi_items() if name.lower() == "forceeiauthentication"]
    return any(value.strip().lower() in {"", "true", "1"} for value in given)


def _of_token(caller: Caller, key: ApiKey) -> Enterprise:
    if caller.consumer is None:
        raise _not_authenticated("no_organisation", key)
    own = Enterprise(caller.consumer, key)
    if caller.supplier is None or caller.supplier == caller.consumer:
        return _matching(own)
    return _matching(replace(own, organisation=caller.supplier, on_behalf_of=caller.consumer))


def _not_authenticated(reason: str, key: ApiKey, **facts: Any) -> NotAuthenticatedError:
    """What is said of whoever holds ``key`` and has proved nothing more."""
    return NotAuthenticatedError(reason, organisation=str(key.organisation), key=key.name, **facts)


def _matching(found: Enterprise) -> Enterprise:
    """``OrgNrMustMatch``: the key's organisation is the one that is authenticated."""
    if found.key.organisation != found.organisation:
        raise NotAdmittedError(
            "others_api_key", OTHERS_KEY, organisation=found.actor, key=found.key.name, of=str(found.key.organisation)
        )
    return found

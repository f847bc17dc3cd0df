"""What handlers are handed: the service, the caller, and parameters as they come from real clients."""

from __future__ import annotations

from collections.abc import Collection
from typing import Annotated, Any

from fastapi import Depends, Query, Request
from pydantic import BeforeValidator

from fullmakt.maskinporten.selfservice.errors import NotFoundError
from fullmakt.maskinporten.selfservice.model import Caller
from fullmakt.maskinporten.selfservice.service import SelfService
from fullmakt.provider import VerifiedToken
from fullmakt.wire.maskinporten.selfservice import IntegrationType


def _service(request: Request) -> SelfService:
    service: SelfService = request.app.state.service
    return service


def _caller(request: Request) -> Caller:
    """Who asks, by the token that the route's guard has verified."""
    token: VerifiedToken = request.state.token
    return Caller(token.consumer, token.client_id, token.scopes)


class EmptyLists:
    """Answers an empty list as it is, or, where the real service is to be followed to the letter, by an error."""

    def __init__(self, *, faithful: bool) -> None:
        self._faithful = faithful

    def check(self, found: Collection[object], caller: Caller, what: str) -> None:
        """Let a list through.

        Raises:
            NotFoundError: it is empty, and an empty list is to be an error.
        """
        if self._faithful and not found:
            raise NotFoundError(f"Organization {caller.orgno} does not have any {what}")


def _empty_lists(request: Request) -> EmptyLists:
    return EmptyLists(faithful=request.app.state.faithful_empty_lists)


def _blank_is_absent(value: Any) -> Any:
    return None if value == "" else value


def _plain(value: Any) -> Any:
    """Without the quotes that seed 4 puts around it, in lower case: Samarbeidsportalen sends ``MASKINPORTEN``."""
    return _blank_is_absent(value.strip("\"' ").lower()) if isinstance(value, str) else value


ServiceOf = Annotated[SelfService, Depends(_service)]
CallerOf = Annotated[Caller, Depends(_caller)]
EmptyListsOf = Annotated[EmptyLists, Depends(_empty_lists)]
Flag = Annotated[bool | None, Query(), BeforeValidator(_blank_is_absent)]
Text = Annotated[str | None, Query(), BeforeValidator(_blank_is_absent)]
TypeFilter = Annotated[IntegrationType | None, Query(), BeforeValidator(_plain)]

"""What Maskinporten asks (altinn-authentication.md §12; maskinporten.md §5.2)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from fullmakt.altinn.systemusers.http import reading
from fullmakt.altinn.systemusers.http.door import Door, json
from fullmakt.altinn.systemusers.users.lookups import LookUps
from fullmakt.infra.reading import body_of
from fullmakt.wire.altinn.callers import Caller
from fullmakt.wire.altinn.problems import BindingError
from fullmakt.wire.altinn.systemusers import (
    LOOK_UP_SCOPE,
    VIRKSYS_SCOPE,
    NoSystemUser,
    SystemUserQuestion,
    VirksysQuestion,
)

_NO_STORE = {"Cache-Control": "no-store"}
_MAX_SCOPES = 100


def routes(door: Door, lookups: LookUps) -> list[BaseRoute]:
    """The routes."""

    async def by_external_id(request: Request, _caller: Caller) -> Response:
        question = SystemUserQuestion(
            reading.required_query(request, "clientId"),
            reading.required_query(request, "systemProviderOrgNo"),
            reading.required_query(request, "systemUserOwnerOrgNo"),
            reading.query(request, "externalRef"),
        )
        found = (await lookups.find([question])).get(question)
        if found is None:
            return _nobody(await lookups.why_none(question))
        return json(found.document(product_name=found.system_id), headers=_NO_STORE)

    async def virksys(request: Request, _caller: Caller) -> Response:
        found = await lookups.virksys(_question(await body_of(request)))
        return _nobody(found) if isinstance(found, NoSystemUser) else json(found.document(), headers=_NO_STORE)

    return [
        door.route(
            "GET", "/api/v1/systemuser/byExternalId", by_external_id, LOOK_UP_SCOPE, refused="system-user:look-up"
        ),
        door.route("POST", "/api/v1/virksys/lookup", virksys, VIRKSYS_SCOPE, refused="system-user:look-up"),
    ]


def _nobody(answer: NoSystemUser) -> Response:
    """404, and why: members of ours."""
    missing = {"missing": list(answer.missing)} if answer.missing else {}
    document = {
        "type": "about:blank",
        "title": "Not Found",
        "status": 404,
        "detail": "there is no system user for this",
        "cause": answer.cause.value,
        **missing,
    }
    return Response(orjson.dumps(document), 404, _NO_STORE, "application/problem+json")


def _question(body: Mapping[str, Any]) -> VirksysQuestion:
    scopes = _texts(body, "scopes")
    if not scopes:
        raise BindingError({"scopes": ["The scopes field is required."]})
    return VirksysQuestion(
        reading.required_text(body, "clientId"),
        reading.required_text(body, "systemProviderOrgNo"),
        reading.required_text(body, "part"),
        scopes,
        reading.text(body, "hjelper") or None,
        _texts(body, "rettigheit"),
    )


def _texts(body: Mapping[str, Any], name: str) -> tuple[str, ...] | None:
    value = body.get(name.lower())
    if value is None:
        return None
    if not isinstance(value, list) or len(value) > _MAX_SCOPES or not all(isinstance(one, str) for one in value):
        raise BindingError(
            {f"$.{name}": [f"The JSON value could not be converted to a list of at most {_MAX_SCOPES}."]}
        )
    return tuple(reading.required_text({name.lower(): one}, name) for one in value)

"""``/clients/{client_id}/keys/p12`` (maskinporten.md §8.6, the third way)."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from fullmakt.infra.altinn import language_of
from fullmakt.maskinporten.selfservice.http.body import JsonRoute
from fullmakt.maskinporten.selfservice.http.dependencies import CallerOf, ServiceOf
from fullmakt.wire.maskinporten.selfservice import KeyFileBody

router = APIRouter(tags=["keys"], route_class=JsonRoute)

MEDIA_TYPE = "application/x-pkcs12"
_FILE: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The file",
        "content": {MEDIA_TYPE: {"schema": {"type": "string", "format": "binary"}}},
        "headers": {
            "X-Key-Id": {"description": "The kid under which the key is registered", "schema": {"type": "string"}}
        },
    }
}


@router.post("/p12", response_class=Response, responses=_FILE)
async def make_key_file(
    service: ServiceOf, caller: CallerOf, client_id: str, body: KeyFileBody, request: Request
) -> Response:
    """Make a key pair: the answer is a PKCS#12 file with it, and its password goes to the telephone by text message, in
    the language of Accept-Language. This answer is the file's one download, for nothing of it is kept: there is no
    Idempotency-Key, each request makes a new key, and who lost an answer removes that key and asks again."""
    made = await service.key_files.make(caller, client_id, body.phone, language_of(request))
    headers = {
        "X-Key-Id": made.kid,
        "Content-Disposition": f'attachment; filename="{client_id}.p12"',
        "Cache-Control": "no-store",
        "X-Content-Type-Options": "nosniff",
    }
    return Response(made.content, headers=headers, media_type=MEDIA_TYPE)
